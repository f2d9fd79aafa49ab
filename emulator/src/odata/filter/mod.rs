//! `$filter`: parsed against an entity, then asked about rows.
//!
//! Supported as the service documents it: `eq ne gt ge lt le and or not add sub mul div divby mod`, parentheses, and `*`
//! as a wildcard in `eq` and `ne`. Functions, `has`, `in` and lambdas are refused, with the service's words where those
//! are public. What no public source settles is decided by `behaviour`.

mod number;
mod parse;
mod typed;

use std::cmp::Ordering;

use super::behaviour::{Behaviour, TextCase};
use super::error::ODataError;
use crate::catalog::{Catalog, Entity};
use crate::value::{Decimal, Row, Value};
use number::{Arithmetic, compute};

/// A filter that fits its entity.
#[derive(Debug)]
pub(crate) enum Filter {
    Constant(bool),
    /// Flat, so that long chains do not nest.
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// Two conditions that have the same truth.
    Same(Box<Filter>, Box<Filter>),
    Compare {
        left: Term,
        operator: Operator,
        right: Term,
        sort: Sort,
    },
    /// Parts between the `*`, in the form in which texts compare.
    Like {
        term: Term,
        parts: Vec<String>,
        case: TextCase,
    },
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Text(TextCase),
    Number,
    Date,
}

/// What has a value.
#[derive(Debug)]
pub(crate) enum Term {
    Property { name: String, default: Value },
    Literal(Value),
    Arithmetic { left: Box<Term>, operator: Arithmetic, right: Box<Term>, whole: bool },
    DatePart(Box<Term>, DatePart),
}

/// A part of a date, as a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DatePart {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Filter {
    /// Parses `text` for `entity`.
    pub(crate) fn parse(
        text: &str,
        entity: &Entity,
        catalog: &Catalog,
        behaviour: &Behaviour,
    ) -> Result<Self, ODataError> {
        parse::parse(text, entity, catalog, behaviour)
    }

    /// Whether a row passes. Fails where arithmetic has no result.
    pub(crate) fn matches(&self, row: &Row) -> Result<bool, ODataError> {
        Ok(match self {
            Self::Constant(value) => *value,
            Self::And(all) => {
                for one in all {
                    if !one.matches(row)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(any) => {
                for one in any {
                    if one.matches(row)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(inner) => !inner.matches(row)?,
            Self::Same(a, b) => a.matches(row)? == b.matches(row)?,
            Self::Compare { left, operator, right, sort } => {
                let (left, right) = (left.value(row)?, right.value(row)?);
                compare(left.as_text(), right.as_text(), *sort).is_some_and(|found| match operator {
                    Operator::Equal => found == Ordering::Equal,
                    Operator::NotEqual => found != Ordering::Equal,
                    Operator::GreaterThan => found == Ordering::Greater,
                    Operator::GreaterThanOrEqual => found != Ordering::Less,
                    Operator::LessThan => found == Ordering::Less,
                    Operator::LessThanOrEqual => found != Ordering::Greater,
                })
            }
            Self::Like { term, parts, case } => wildcard(&case.form(term.value(row)?.as_text()), parts),
        })
    }
}

impl Term {
    fn value(&self, row: &Row) -> Result<Value, ODataError> {
        Ok(match self {
            Self::Property { name, default } => row.get(name).unwrap_or(default).clone(),
            Self::Literal(value) => value.clone(),
            Self::Arithmetic { left, operator, right, whole } => {
                let read = |value: Value| {
                    Decimal::parse(value.as_text()).ok_or_else(|| ODataError::internal("a number is none"))
                };
                let (left, right) = (read(left.value(row)?)?, read(right.value(row)?)?);
                let found = compute(*operator, &left, &right, *whole)
                    .map_err(|error| ODataError::query(error.to_string()))?;
                Value::Number(found.to_text())
            }
            Self::DatePart(term, part) => Value::number(part.of(term.value(row)?.as_text()).unwrap_or(0)),
        })
    }
}

impl DatePart {
    fn of(self, text: &str) -> Option<i32> {
        let date = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        Some(match self {
            Self::Year => date.year(),
            Self::Month => u8::from(date.month()).into(),
            Self::Day => date.day().into(),
            Self::Hour => date.hour().into(),
            Self::Minute => date.minute().into(),
            Self::Second => date.second().into(),
        })
    }
}

/// Order of two canonical values of one type.
pub(crate) fn compare(a: &str, b: &str, sort: Sort) -> Option<Ordering> {
    match sort {
        Sort::Text(case) => Some(case.form(a).cmp(&case.form(b))),
        Sort::Number => Some(Decimal::parse(a)?.cmp(&Decimal::parse(b)?)),
        Sort::Date => {
            use time::OffsetDateTime;
            use time::format_description::well_known::Rfc3339;
            let read = |text| OffsetDateTime::parse(text, &Rfc3339).ok();
            Some(read(a)?.cmp(&read(b)?))
        }
    }
}

/// `parts` are what stands between the `*`: the first must begin the value, the last must end it.
fn wildcard(value: &str, parts: &[String]) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

/// The service's words for a property that an entity does not have.
pub(crate) fn unknown_property(name: &str, entity: &Entity) -> ODataError {
    ODataError::bad_request(format!(
        "Could not find a property named '{name}' on type '{}.{}'.",
        crate::catalog::NAMESPACE,
        entity.type_name
    ))
}

#[cfg(test)]
mod tests;
