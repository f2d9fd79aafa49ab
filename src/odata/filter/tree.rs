//! The tree itself: what a condition can say.

use serde_json::Value;

use crate::fields::{Fields, FromValue, deserialize, word};
use crate::odata::literal::Scalar;

/// A condition on the rows of one entity.
///
/// [`and`](Self::and), [`or`](Self::or), [`any_of`](Self::any_of) and [`Filter::parse`] give trees in one normal form: a join
/// has at least two parts, an `or` of equalities of one property is an `AnyOf`. So what is printed and parsed is the same tree.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// All rows, or none.
    Always(bool),
    /// A comparison of two values.
    Compare {
        /// Left side; a property in nearly all filters.
        left: Operand,
        /// Operator.
        op: Compare,
        /// Right side.
        right: Operand,
        /// For `eq` with a text: a `*` in it is meant as it stands. The service can't compare so; [`Listing`](crate::odata::Listing)
        /// does it here.
        exact: bool,
    },
    /// A property is equal to one of several values.
    AnyOf {
        /// Property.
        p: String,
        /// At least one value.
        v: Vec<Scalar>,
    },
    /// All parts are true.
    And(Vec<Filter>),
    /// At least one part is true.
    Or(Vec<Filter>),
    /// The part is not true.
    Not(Box<Filter>),
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// A property by its name.
    Property(String),
    /// A literal.
    Value(Scalar),
    /// The number with the other sign.
    Negate(Box<Operand>),
    /// Arithmetic of two numbers.
    Calc {
        /// Operator.
        op: Arithmetic,
        /// Left side.
        left: Box<Operand>,
        /// Right side.
        right: Box<Operand>,
    },
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compare {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Pattern with `*`; `eq` on the wire.
    Like,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient; of two integers a whole number.
    Div,
    /// Quotient with fraction, of integers too.
    DivBy,
    /// Remainder.
    Mod,
}

impl Filter {
    /// All of them; nothing is true of every row.
    #[must_use]
    pub fn and(mut parts: Vec<Self>) -> Self {
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Always(true),
            (Some(one), true) => one,
            (Some(last), false) => {
                parts.push(last);
                Self::And(parts)
            }
        }
    }

    /// Any of them; nothing is true of no row.
    #[must_use]
    pub fn or(mut parts: Vec<Self>) -> Self {
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Always(false),
            (Some(one), true) => one,
            (Some(last), false) => {
                parts.push(last);
                alike(&parts).unwrap_or(Self::Or(parts))
            }
        }
    }

    /// The property is equal to one of the values; to none of them where there are none.
    #[must_use]
    pub fn any_of(p: &str, v: Vec<Scalar>) -> Self {
        Self::or(v.into_iter().map(|v| Self::compare(p, Compare::Eq, v)).collect())
    }

    /// A comparison of a property with a literal.
    #[must_use]
    pub fn compare(p: &str, op: Compare, v: Scalar) -> Self {
        Self::Compare { left: Operand::Property(p.to_owned()), op, right: Operand::Value(v), exact: false }
    }

    /// Whether a property is spoken of anywhere.
    #[must_use]
    pub fn mentions(&self, property: &str) -> bool {
        self.properties().contains(&property)
    }

    /// Every property that is spoken of; some more than once.
    pub(crate) fn properties(&self) -> Vec<&str> {
        match self {
            Self::Always(_) => Vec::new(),
            Self::Compare { left, right, .. } => [left.properties(), right.properties()].concat(),
            Self::AnyOf { p, .. } => vec![p],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::properties).collect(),
            Self::Not(part) => part.properties(),
        }
    }

    /// Property and value where the comparison is a plain equality of the two.
    pub(crate) fn equality(&self) -> Option<(&str, &Scalar)> {
        match self {
            Self::Compare {
                left: Operand::Property(p),
                op: Compare::Eq,
                right: Operand::Value(v),
                exact: false,
            } => Some((p, v)),
            _ => None,
        }
    }
}

impl Operand {
    fn properties(&self) -> Vec<&str> {
        match self {
            Self::Property(p) => vec![p],
            Self::Value(_) => Vec::new(),
            Self::Negate(inner) => inner.properties(),
            Self::Calc { left, right, .. } => [left.properties(), right.properties()].concat(),
        }
    }
}

impl Compare {
    /// As it stands in `$filter`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            // The service takes a `*` in the value of `eq` for a wildcard, and knows no other pattern.
            Self::Eq | Self::Like => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The same with both sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            same => same,
        }
    }
}

impl Arithmetic {
    /// As it stands in `$filter`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::DivBy => "divby",
            Self::Mod => "mod",
        }
    }
}

/// The `AnyOf` that these parts are, if all are equalities of one property.
fn alike(parts: &[Filter]) -> Option<Filter> {
    let (name, _) = parts.first()?.equality()?;
    let values: Option<Vec<Scalar>> = parts
        .iter()
        .map(|part| part.equality().filter(|(p, _)| *p == name).map(|(_, v)| v.clone()))
        .collect();
    Some(Filter::AnyOf { p: name.to_owned(), v: values? })
}

deserialize!(Filter);

/// The spelling of the boundary: `{"op":"eq","p":"Name","v":…}`, `{"op":"and","x":[…]}`.
impl FromValue for Filter {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let filter = match of.must("op", Op::AnyOf) {
            Op::AnyOf => Self::AnyOf { p: of.required("p", Fields::text), v: of.required("v", Fields::list) },
            Op::Compare(op) => Self::Compare {
                left: Operand::Property(of.required("p", Fields::text)),
                op,
                right: Operand::Value(of.must("v", Scalar::Null)),
                exact: of.not_null("exact").flag("exact").unwrap_or_default(),
            },
            Op::And => match of.required("x", Fields::list) {
                parts if parts.is_empty() => Self::And(parts),
                parts => Self::and(parts),
            },
            Op::Or => match of.required("x", Fields::list) {
                parts if parts.is_empty() => Self::Or(parts),
                parts => Self::or(parts),
            },
            Op::Not => {
                let mut parts: Vec<Self> = of.required("x", Fields::list);
                match (parts.pop(), parts.is_empty()) {
                    (Some(one), true) => Self::Not(Box::new(one)),
                    _ => return Err("not takes one condition".to_owned()),
                }
            }
        };
        of.finish_open(filter)
    }
}

/// The word that tells which kind of filter it is.
#[derive(Debug, Clone, Copy)]
enum Op {
    AnyOf,
    Compare(Compare),
    And,
    Or,
    Not,
}

impl FromValue for Op {
    fn from_value(value: Value) -> Result<Self, String> {
        let words = [
            ("eq", Self::Compare(Compare::Eq)),
            ("ne", Self::Compare(Compare::Ne)),
            ("gt", Self::Compare(Compare::Gt)),
            ("ge", Self::Compare(Compare::Ge)),
            ("lt", Self::Compare(Compare::Lt)),
            ("le", Self::Compare(Compare::Le)),
            ("like", Self::Compare(Compare::Like)),
            ("anyOf", Self::AnyOf),
            ("and", Self::And),
            ("or", Self::Or),
            ("not", Self::Not),
        ];
        word(&value, &words)
    }
}
