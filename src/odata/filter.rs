//! Filters as trees, written only where the service is known to understand them.

use serde_json::Value;

use super::literal::{Scalar, Typed};
use crate::catalog::{Catalog, EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize, word};

/// A condition on the rows of one entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// One of several values.
    AnyOf {
        /// Always `anyOf`.
        op: AnyOf,
        /// Property.
        p: String,
        /// At least one value.
        v: Vec<Scalar>,
    },
    /// A comparison with one value.
    Compare {
        /// Operator.
        op: Compare,
        /// Property.
        p: String,
        /// Value.
        v: Scalar,
        /// For `eq`: a text with `*` is meant as it stands.
        exact: bool,
    },
    /// A combination.
    Join {
        /// `and`, `or`, `not`.
        op: Join,
        /// Parts; exactly one for `not`.
        x: Vec<Filter>,
    },
}

/// The word `anyOf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyOf {
    /// The word.
    AnyOf,
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
    /// Pattern with `*`.
    Like,
}

/// Combinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Join {
    /// All.
    And,
    /// Any.
    Or,
    /// Not.
    Not,
}

deserialize!(Filter);

impl FromValue for Filter {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let filter = match of.must("op", Op::AnyOf) {
            Op::AnyOf => Self::AnyOf {
                op: AnyOf::AnyOf,
                p: of.required("p", Fields::text),
                v: of.required("v", Fields::list),
            },
            Op::Compare(op) => Self::Compare {
                op,
                p: of.required("p", Fields::text),
                v: of.must("v", Scalar::Null),
                exact: of.not_null("exact").flag("exact").unwrap_or_default(),
            },
            Op::Join(op) => Self::Join { op, x: of.required("x", Fields::list) },
        };
        of.finish_open(filter)
    }
}

/// The word that tells which kind of filter it is.
#[derive(Debug, Clone, Copy)]
enum Op {
    AnyOf,
    Compare(Compare),
    Join(Join),
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
            ("and", Self::Join(Join::And)),
            ("or", Self::Join(Join::Or)),
            ("not", Self::Join(Join::Not)),
        ];
        word(&value, &words)
    }
}

impl Compare {
    const fn word(self) -> &'static str {
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
}

impl Filter {
    /// The text for `$filter`, not yet percent-encoded.
    ///
    /// # Errors
    /// `UNKNOWN_PROPERTY`, `INVALID_ARGUMENT` for a value that does not fit, `UNSUPPORTED_QUERY` for what the service
    /// would refuse or misread.
    pub fn render(&self, entity: Option<&Entity>, catalog: &Catalog) -> Result<String> {
        match self {
            Self::Compare { op, p, v, exact } => compare(*op, p, v, *exact, entity, catalog),
            Self::AnyOf { p, v, .. } => {
                let parts: Vec<String> = v
                    .iter()
                    .map(|v| compare(Compare::Eq, p, v, false, entity, catalog))
                    .collect::<Result<_>>()?;
                if parts.is_empty() {
                    return Err(Error::argument(format!("anyOf of \"{p}\" needs at least one value")));
                }
                Ok(joined(&parts, " or "))
            }
            Self::Join { op, x } => {
                let parts: Vec<String> =
                    x.iter().map(|part| part.render(entity, catalog)).collect::<Result<_>>()?;
                match (op, parts.as_slice()) {
                    (_, []) => Err(Error::argument("an empty and, or, not has no meaning")),
                    (Join::Not, [one]) => Ok(format!("not ({one})")),
                    (Join::Not, _) => Err(Error::argument("not takes one condition")),
                    (Join::And, parts) => Ok(joined(parts, " and ")),
                    (Join::Or, parts) => Ok(joined(parts, " or ")),
                }
            }
        }
    }

    /// Whether a property is spoken of anywhere.
    #[must_use]
    pub fn mentions(&self, property: &str) -> bool {
        match self {
            Self::Compare { p, .. } | Self::AnyOf { p, .. } => p == property,
            Self::Join { x, .. } => x.iter().any(|part| part.mentions(property)),
        }
    }
}

fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [one] => one.clone(),
        _ => format!("({})", parts.join(word)),
    }
}

fn compare(
    op: Compare,
    name: &str,
    value: &Scalar,
    exact: bool,
    entity: Option<&Entity>,
    catalog: &Catalog,
) -> Result<String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::argument(format!("\"{name}\" is no property name")));
    }
    let misfit = |why: String| Error::argument(format!("\"{name}\": {why}")).at_column(name);
    let typed = match entity {
        Some(entity) => {
            let property = entity.require(name)?;
            if *value == Scalar::Null {
                Typed::Null
            } else {
                Typed::of(property, value, catalog).map_err(misfit)?
            }
        }
        None => Typed::untyped(value).map_err(misfit)?,
    };
    let ordered = matches!(op, Compare::Gt | Compare::Ge | Compare::Lt | Compare::Le);
    if ordered && matches!(typed, Typed::Enum { .. } | Typed::Bool(_) | Typed::Null) {
        return Err(Error::new(
            ErrorCode::UnsupportedQuery,
            format!("\"{name}\": the service compares enums and null with eq and ne only"),
        )
        .hint("Name the members that you want with anyOf."));
    }
    let star = matches!(&typed, Typed::Text(text) if text.contains('*'));
    if op == Compare::Like && !matches!(typed, Typed::Text(_)) {
        return Err(Error::new(ErrorCode::UnsupportedQuery, format!("\"{name}\": like is for text")));
    }
    if star && op != Compare::Like && (op == Compare::Eq || op == Compare::Ne) {
        let error = Error::new(
            ErrorCode::UnsupportedQuery,
            format!(
                "\"{name}\": the service takes the * in this text for a wildcard, so it can't be compared exactly"
            ),
        );
        return Err(if exact {
            error.hint("Comparing here what was fetched (`exact`) is not available yet; use like and compare the rows.")
        } else {
            error.hint("Use like when a pattern is meant.")
        });
    }
    if entity.is_some_and(|entity| matches!(entity.property(name).map(|p| &p.edm), Some(EdmType::Binary))) {
        return Err(Error::new(
            ErrorCode::UnsupportedQuery,
            format!("\"{name}\": binary columns can't be filtered"),
        ));
    }
    Ok(format!("{name} {} {}", op.word(), typed.uri().map_err(misfit)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn render(collection: &str, json: &str) -> Result<String> {
        let filter: Filter = serde_json::from_str(json).unwrap();
        filter.render(builtin().find(collection), builtin())
    }

    #[test]
    fn trees_become_the_text_of_the_service() {
        let json = r#"{"op":"and","x":[{"op":"eq","p":"ContractStatus","v":{"t":"s","v":"Executed"}},
            {"op":"or","x":[{"op":"ge","p":"ExpirationDate","v":{"t":"d","v":"2026-03-01T00:00:00.000Z"}},
            {"op":"not","x":[{"op":"like","p":"ContractName","v":{"t":"s","v":"*NDA*"}}]}]}]}"#;
        assert_eq!(
            render("CLMIntegrationContracts", json).unwrap(),
            "(ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed' and \
             (ExpirationDate ge 2026-03-01T00:00:00.000Z or not (ContractName eq '*NDA*')))"
        );
        let any = r#"{"op":"anyOf","p":"CurrencyCode","v":[{"t":"s","v":"EUR"},{"t":"s","v":"USD"}]}"#;
        assert_eq!(render("Currencies", any).unwrap(), "(CurrencyCode eq 'EUR' or CurrencyCode eq 'USD')");
    }

    #[test]
    fn what_the_service_would_misread_is_refused() {
        let star = r#"{"op":"eq","p":"Name","v":{"t":"s","v":"50*60"}}"#;
        assert_eq!(render("Currencies", star).unwrap_err().code, ErrorCode::UnsupportedQuery);
        let order = r#"{"op":"gt","p":"ContractStatus","v":{"t":"s","v":"Draft"}}"#;
        assert_eq!(render("CLMIntegrationContracts", order).unwrap_err().code, ErrorCode::UnsupportedQuery);
        let unknown = r#"{"op":"eq","p":"Nmae","v":{"t":"s","v":"x"}}"#;
        assert_eq!(render("Currencies", unknown).unwrap_err().code, ErrorCode::UnknownProperty);
        let injected = r#"{"op":"eq","p":"Name eq '' or Name","v":{"t":"s","v":"x"}}"#;
        assert!(render("Unknown", injected).is_err());
        let empty = r#"{"op":"anyOf","p":"Name","v":[]}"#;
        assert_eq!(render("Currencies", empty).unwrap_err().code, ErrorCode::InvalidArgument);
    }

    #[test]
    fn an_unknown_entity_is_filtered_by_the_value_alone() {
        let json = r#"{"op":"eq","p":"Kind","v":{"t":"e","enum":"NoYes","v":"Yes"}}"#;
        assert_eq!(render("Unknown", json).unwrap(), "Kind eq Microsoft.Dynamics.DataEntities.NoYes'Yes'");
    }
}
