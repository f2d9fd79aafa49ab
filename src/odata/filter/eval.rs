//! Our model of what the service answers: does a row fit?
//!
//! Text is compared without regard to case, `*` is a wildcard in `like` alone, dates by the moment, numbers without rounding,
//! enums by symbol. Null, the empty text, zero and 1900-01-01 are the same "nothing", as the service has no nulls in its tables;
//! that `eq null` finds them is unverified.

use std::cmp::Ordering;

use super::ratio::Ratio;
use super::row::Row;
use super::tree::{Arithmetic, Compare, Filter, Operand};
use crate::catalog::{Catalog, EdmType, Entity, Property};
use crate::error::{Error, ErrorCode, Result};
use crate::odata::literal::{NO_DATE, Scalar, Typed};
use crate::odata::moment::Moment;

impl Filter {
    /// Whether the row fits, by the model of this module. The row must have every property that the filter speaks of.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a value that does not fit its property, a property that the row lacks, and a division by zero;
    /// `UNSUPPORTED_QUERY` where a number has more than 38 digits on the way.
    pub fn matches(&self, row: &Row<'_>, entity: Option<&Entity>, catalog: &Catalog) -> Result<bool> {
        Reader { row, entity, catalog }.filter(self)
    }
}

/// Order of two values of a property, each the text of its JSON; nothing where they can't be ordered here.
pub(crate) fn order_of(a: &str, b: &str, property: &Property, catalog: &Catalog) -> Option<Ordering> {
    let (a, b) = (Value::of_json(a, Some(property)).ok()?, Value::of_json(b, Some(property)).ok()?);
    match (&a, &b, &property.edm) {
        (Value::Null, Value::Null, _) => Some(Ordering::Equal),
        (Value::Null, _, _) => Some(Ordering::Less),
        (_, Value::Null, _) => Some(Ordering::Greater),
        (Value::Symbol(a), Value::Symbol(b), EdmType::Enum(name)) => {
            // Enums are numbers inside, given in the order of their members (unverified).
            let members = catalog.enum_members(name)?;
            let at = |symbol: &str| members.iter().position(|member| member == symbol);
            Some(at(a)?.cmp(&at(b)?))
        }
        _ => order(&a, &b).ok()?,
    }
}

struct Reader<'a> {
    row: &'a Row<'a>,
    entity: Option<&'a Entity>,
    catalog: &'a Catalog,
}

#[derive(Debug, Clone)]
enum Value {
    Null,
    Text(String),
    /// And whether it is of a type of whole numbers.
    Number(Ratio, bool),
    Date(Moment),
    Bool(bool),
    Symbol(String),
    Guid(String),
    /// A text whose property is not known: it is what the other side is.
    Loose(String),
}

impl Reader<'_> {
    fn filter(&self, filter: &Filter) -> Result<bool> {
        Ok(match filter {
            Filter::Always(flag) => *flag,
            Filter::Compare { left, op, right, .. } => self.compare(left, *op, right)?,
            Filter::AnyOf { p, v } => {
                let p = Operand::Property(p.clone());
                for value in v {
                    if self.compare(&p, Compare::Eq, &Operand::Value(value.clone()))? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::And(parts) => {
                for part in parts {
                    if !self.filter(part)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Or(parts) => {
                for part in parts {
                    if self.filter(part)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::Not(part) => !self.filter(part)?,
        })
    }

    fn compare(&self, left: &Operand, op: Compare, right: &Operand) -> Result<bool> {
        let property = match left {
            Operand::Property(name) => self.property(name)?,
            _ => None,
        };
        let (left, right) = (self.operand(left, None)?, self.operand(right, property)?);
        if op == Compare::Like {
            let text = |value| match value {
                Value::Text(text) | Value::Loose(text) => text,
                _ => String::new(),
            };
            return Ok(like(&folded(&text(left)), &folded(&text(right))));
        }
        let order = order(&left, &right)?;
        Ok(match op {
            Compare::Eq | Compare::Like => order == Some(Ordering::Equal),
            Compare::Ne => order != Some(Ordering::Equal),
            Compare::Gt => order == Some(Ordering::Greater),
            Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Compare::Lt => order == Some(Ordering::Less),
            Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        })
    }

    fn property(&self, name: &str) -> Result<Option<&Property>> {
        self.entity.map(|entity| entity.require(name)).transpose()
    }

    /// The value; a literal is one of the property's type, where it stands beside one.
    fn operand(&self, operand: &Operand, beside: Option<&Property>) -> Result<Value> {
        match operand {
            Operand::Property(name) => {
                let json = self.row.get(name).ok_or_else(|| {
                    Error::argument(format!("the record lacks \"{name}\"")).at_column(name.as_str())
                })?;
                Value::of_json(json, self.property(name)?)
            }
            Operand::Value(value) => {
                let typed = match beside {
                    Some(property) if *value != Scalar::Null => Typed::of(property, value, self.catalog),
                    _ => Typed::untyped(value),
                };
                Value::of_typed(typed.map_err(Error::argument)?)
            }
            Operand::Negate(inner) => {
                let (number, whole) = self.number(inner)?;
                number.negate().map(|number| Value::Number(number, whole)).ok_or_else(too_large)
            }
            Operand::Calc { op, left, right } => {
                let ((left, a), (right, b)) = (self.number(left)?, self.number(right)?);
                let whole = a && b;
                let quotient = || {
                    left.div(right).ok_or_else(|| {
                        if right.order(Ratio::ZERO) == Some(Ordering::Equal) {
                            Error::argument("the filter divides by zero")
                        } else {
                            too_large()
                        }
                    })
                };
                let number = match op {
                    Arithmetic::Add => left.add(right),
                    Arithmetic::Sub => right.negate().and_then(|right| left.add(right)),
                    Arithmetic::Mul => left.mul(right),
                    Arithmetic::Div if whole => Some(quotient()?.truncated()),
                    Arithmetic::Div | Arithmetic::DivBy => Some(quotient()?),
                    Arithmetic::Mod => quotient()?
                        .truncated()
                        .mul(right)
                        .and_then(Ratio::negate)
                        .and_then(|whole| left.add(whole)),
                };
                let whole = whole && *op != Arithmetic::DivBy;
                number.map(|number| Value::Number(number, whole)).ok_or_else(too_large)
            }
        }
    }

    fn number(&self, operand: &Operand) -> Result<(Ratio, bool)> {
        match self.operand(operand, None)? {
            Value::Number(number, whole) => Ok((number, whole)),
            Value::Loose(text) => Ok((ratio(&text)?, false)),
            _ => Err(Error::argument("arithmetic is for numbers")),
        }
    }
}

impl Value {
    fn of_typed(typed: Typed) -> Result<Self> {
        Ok(match typed {
            Typed::Text(text) => Self::Text(text),
            Typed::Number(text) => Self::Number(ratio(&text)?, !text.contains(['.', 'e', 'E'])),
            Typed::Bool(flag) => Self::Bool(flag),
            Typed::Date(text) => Self::Date(moment(&text)?),
            Typed::Guid(text) => Self::Guid(text),
            Typed::Enum { member, .. } => Self::Symbol(member),
            Typed::Null => Self::Null,
            Typed::Prefixed(_) => return Err(Error::argument("no property has the type of this value")),
        })
    }

    /// Of a record.
    fn of_json(json: &str, property: Option<&Property>) -> Result<Self> {
        // As a page marks an Int64 that the host wants as a bigint.
        if let Some(digits) = json.strip_prefix("{\"$int64\":\"").and_then(|rest| rest.strip_suffix("\"}")) {
            return Ok(Self::Number(ratio(digits)?, true));
        }
        let text = match json {
            "null" => return Ok(Self::Null),
            "true" => return Ok(Self::Bool(true)),
            "false" => return Ok(Self::Bool(false)),
            _ if json.starts_with('"') => serde_json::from_str::<String>(json)
                .map_err(|e| Error::argument(format!("the record can't be read: {e}")))?,
            _ => {
                let whole = matches!(property.map(|p| &p.edm), Some(EdmType::Int32 | EdmType::Int64));
                return Ok(Self::Number(ratio(json)?, whole));
            }
        };
        Ok(match property.map(|property| &property.edm) {
            Some(EdmType::Int32 | EdmType::Int64) => Self::Number(ratio(&text)?, true),
            Some(EdmType::Decimal | EdmType::Double) => Self::Number(ratio(&text)?, false),
            Some(EdmType::DateTimeOffset) => Self::Date(moment(&text)?),
            Some(EdmType::Enum(_) | EdmType::UnnamedEnum) => Self::Symbol(text),
            Some(EdmType::Guid) => Self::Guid(text),
            Some(EdmType::String) => Self::Text(text),
            Some(EdmType::Boolean | EdmType::Binary | EdmType::Other(_)) | None => Self::Loose(text),
        })
    }

    fn is_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) | Self::Loose(text) => text.is_empty() || text == NO_DATE,
            Self::Date(moment) => Moment::parse(NO_DATE).as_ref() == Some(moment),
            Self::Number(number, _) => number.order(Ratio::ZERO) == Some(Ordering::Equal),
            _ => false,
        }
    }
}

fn order(left: &Value, right: &Value) -> Result<Option<Ordering>> {
    Ok(match (left, right) {
        (Value::Null, other) | (other, Value::Null) => other.is_nothing().then_some(Ordering::Equal),
        (Value::Text(a) | Value::Loose(a), Value::Text(b) | Value::Loose(b)) => {
            Some(folded(a).cmp(&folded(b)))
        }
        (Value::Number(a, _), Value::Number(b, _)) => Some(a.order(*b).ok_or_else(too_large)?),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => equal(a == b),
        (Value::Symbol(a), Value::Symbol(b)) => equal(a == b),
        (Value::Symbol(symbol), Value::Bool(flag)) | (Value::Bool(flag), Value::Symbol(symbol)) => {
            equal(symbol == if *flag { "Yes" } else { "No" })
        }
        (Value::Guid(a), Value::Guid(b)) => Some(a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())),
        (Value::Loose(text), other) => order(&as_other(text, other)?, other)?,
        (other, Value::Loose(text)) => order(other, &as_other(text, other)?)?,
        _ => None,
    })
}

/// The text as a value of the other's type.
fn as_other(text: &str, other: &Value) -> Result<Value> {
    Ok(match other {
        Value::Number(..) => Value::Number(ratio(text)?, false),
        Value::Date(_) => Value::Date(moment(text)?),
        Value::Symbol(_) | Value::Bool(_) => Value::Symbol(text.to_owned()),
        Value::Guid(_) => Value::Guid(text.to_owned()),
        Value::Text(_) | Value::Loose(_) | Value::Null => Value::Text(text.to_owned()),
    })
}

/// Of values that have no order.
const fn equal(same: bool) -> Option<Ordering> {
    if same { Some(Ordering::Equal) } else { None }
}

/// What texts are compared by.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// `*` stands for any text, the empty one too.
fn like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.split_once(part) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    text.ends_with(last)
}

fn ratio(text: &str) -> Result<Ratio> {
    Ratio::parse(text).ok_or_else(|| {
        let error = format!("\"{text}\" is no number of at most 38 digits");
        Error::new(ErrorCode::UnsupportedQuery, error)
    })
}

fn moment(text: &str) -> Result<Moment> {
    Moment::parse(text).ok_or_else(|| Error::argument(format!("\"{text}\" is no date")))
}

fn too_large() -> Error {
    Error::new(ErrorCode::UnsupportedQuery, "a number of the filter has more than 38 digits")
        .hint("Calculate before filtering, or compare what was fetched.")
}
