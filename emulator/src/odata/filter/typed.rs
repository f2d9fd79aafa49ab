//! Expressions with their types, and how operators join them.

use super::number::Arithmetic;
use super::{Filter, Term};
use crate::catalog::{COMPANY, Kind, NAMESPACE};
use crate::odata::error::ODataError;

/// An expression: a condition, or something with a value.
pub(super) enum Node {
    Test(Filter),
    Value(Term, Type),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    /// A text, and whether it is a company, which always compares without regard to case.
    Text {
        company: bool,
    },
    Int32,
    Int64,
    Decimal,
    Date,
    Guid,
    Binary,
    Enum(String),
}

impl Type {
    pub(super) fn of(name: &str, kind: &Kind) -> Self {
        match kind {
            Kind::String => Self::Text { company: name == COMPANY || name == "LegalEntityId" },
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Decimal => Self::Decimal,
            Kind::DateTime => Self::Date,
            Kind::Guid => Self::Guid,
            Kind::Binary => Self::Binary,
            Kind::Enum(name) => Self::Enum(name.clone()),
        }
    }

    fn edm(&self) -> String {
        match self {
            Self::Null => "<null>".to_owned(),
            Self::Text { .. } => "Edm.String".to_owned(),
            Self::Int32 => "Edm.Int32".to_owned(),
            Self::Int64 => "Edm.Int64".to_owned(),
            Self::Decimal => "Edm.Decimal".to_owned(),
            Self::Date => "Edm.DateTimeOffset".to_owned(),
            Self::Guid => "Edm.Guid".to_owned(),
            Self::Binary => "Edm.Binary".to_owned(),
            Self::Enum(name) => format!("{NAMESPACE}.{name}"),
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int32 | Self::Int64 | Self::Decimal)
    }

    fn is_whole(&self) -> bool {
        matches!(self, Self::Int32 | Self::Int64)
    }
}

impl Node {
    pub(super) fn edm(&self) -> String {
        match self {
            Self::Test(_) => "Edm.Boolean".to_owned(),
            Self::Value(_, kind) => kind.edm(),
        }
    }

    pub(super) fn test(self, operator: &str) -> Result<Filter, ODataError> {
        match self {
            Self::Test(filter) => Ok(filter),
            Self::Value(_, kind) => Err(ODataError::bad_request(format!(
                "A unary operator with an incompatible type was detected. Found operand type '{}' for operator kind '{operator}'.",
                kind.edm()
            ))),
        }
    }
}

pub(super) fn incompatible(left: &str, right: &str, operator: impl std::fmt::Display) -> ODataError {
    ODataError::bad_request(format!(
        "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator kind '{operator}'.",
        left, right
    ))
}

pub(super) fn arithmetic(left: Node, operator: Arithmetic, right: Node) -> Result<Node, ODataError> {
    match (left, right) {
        (Node::Value(a, x), Node::Value(b, y)) if x.is_number() && y.is_number() => {
            let whole = x.is_whole() && y.is_whole();
            let kind = match (whole, operator) {
                (false, _) | (_, Arithmetic::DivideBy) => Type::Decimal,
                _ if x == Type::Int32 && y == Type::Int32 => Type::Int32,
                _ => Type::Int64,
            };
            let term = Term::Arithmetic { left: Box::new(a), operator, right: Box::new(b), whole };
            Ok(Node::Value(term, kind))
        }
        (left, right) => Err(incompatible(&left.edm(), &right.edm(), format!("{operator:?}"))),
    }
}
