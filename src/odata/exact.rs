//! Int64 and Decimal on their way back to the caller, without loss: which members they are, and how they are written.

use d365_clm_text::json_rows::{Columns, Kind, Malformed, Numbers as Written, Root, Scanner, What};

use super::service::{Numbers, Service};
use crate::catalog::{EdmType, Entity};
use crate::error::{Error, ErrorCode, Result};

/// How the records of an entity are read.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    sets: Vec<Columns>,
    numbers: Written,
}

impl Shape {
    /// Of records whose expanded members are known too.
    pub(super) fn of(service: &Service, entity: Option<&Entity>) -> Self {
        let mut shape = Self::flat(entity, service.numbers);
        for navigation in entity.map(|entity| entity.navigation.as_slice()).unwrap_or_default() {
            let target = service.catalog().collection(&navigation.target);
            let number = u8::try_from(shape.sets.len()).ok().filter(|number| *number < u8::MAX);
            if let (Some(target), Some(number), Some(first)) = (target, number, shape.sets.first_mut()) {
                first.nested.push((navigation.name.clone(), number));
                shape.sets.push(columns(Some(target)));
            }
        }
        shape
    }

    /// Of records alone.
    pub(super) fn flat(entity: Option<&Entity>, numbers: Numbers) -> Self {
        let numbers = match numbers {
            Numbers::String => Written::Text,
            Numbers::Number => Written::Raw,
            Numbers::BigInt => Written::Marked,
        };
        Self { sets: vec![columns(entity)], numbers }
    }

    /// Reads a page of at most `wanted` records.
    pub(super) fn page(self, wanted: Option<u64>) -> Scanner {
        Scanner::new(Root::Page(wanted.unwrap_or(u64::MAX)), self.numbers, self.sets)
    }

    /// One record, or any other value; a number alone is of type `edm`, where that is known.
    pub(super) fn value(self, text: &str, edm: Option<&EdmType>) -> Result<String> {
        let mut scanner = Scanner::new(Root::Value(edm.and_then(kind)), self.numbers, self.sets);
        scanner.push(text.as_bytes()).map_err(unreadable)?;
        scanner.finish().map_err(unreadable)?;
        text_of(scanner.into_value())
    }
}

fn columns(entity: Option<&Entity>) -> Columns {
    let numbers = entity.map(|entity| entity.properties.as_slice()).unwrap_or_default().iter();
    let numbers = numbers.filter_map(|property| Some((property.name.clone(), kind(&property.edm)?)));
    Columns { numbers: numbers.collect(), nested: Vec::new() }
}

fn kind(edm: &EdmType) -> Option<Kind> {
    match edm {
        EdmType::Int64 => Some(Kind::Int64),
        EdmType::Decimal => Some(Kind::Decimal),
        EdmType::Int32 => Some(Kind::Plain),
        _ => None,
    }
}

pub(super) fn text_of(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorCode::ServiceError, "the answer can't be read: it is no UTF-8")
            .hint("A proxy on the way may have changed the answer.")
    })
}

pub(super) fn unreadable(malformed: Malformed) -> Error {
    if malformed.what == What::Changed {
        return Error::new(
            ErrorCode::Network,
            "a page broke off, and when asked for again it had other records",
        )
        .hint("Records change while they are listed. List again; for bulk reads export a package.");
    }
    Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {malformed}"))
        .hint("A proxy on the way may have changed the answer or cut it short.")
}
