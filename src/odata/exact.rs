//! Int64 and Decimal on their way back to the caller, without loss: which members they are, and how they are written.

use d365_clm_text::json_rows::{Columns, Kind, Malformed, Numbers as Written, Root, Scanner, What};

use super::service::{Numbers, Service};
use crate::catalog::{Action, EdmType, Entity};
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

    /// Of what an action returns, and its type where it is no record.
    pub(super) fn returned(service: &Service, action: Option<&Action>) -> (Self, Option<EdmType>) {
        let returns = action.and_then(|action| action.returns.as_deref()).unwrap_or_default();
        let item =
            returns.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(returns);
        let edm = EdmType::parse(item);
        let name = item.rsplit('.').next().unwrap_or_default();
        let mut entities = service.catalog().entities().iter();
        let entity = entities.find(|entity| !name.is_empty() && entity.type_name.as_deref() == Some(name));
        (Self::flat(entity.map(AsRef::as_ref), service.numbers), Some(edm))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    #[test]
    fn numbers_come_as_the_client_wants_them() {
        let lines = builtin().find("CLMIntegrationPurchaseAgreementLines");
        let read = |numbers| {
            Shape::flat(lines, numbers).value(r#"{"LineNumber":1.10,"X":9007199254740993}"#, None).unwrap()
        };
        assert_eq!(read(Numbers::String), r#"{"LineNumber":"1.10","X":"9007199254740993"}"#);
        assert_eq!(read(Numbers::Number), r#"{"LineNumber":1.10,"X":9007199254740993}"#);
        assert_eq!(read(Numbers::BigInt), r#"{"LineNumber":"1.10","X":{"$int64":"9007199254740993"}}"#);
    }

    #[test]
    fn what_an_action_returns_is_read_by_its_type() {
        let mut service = Service::new("https://c.example", None).unwrap();
        let mut action = builtin().find("VendorsV2").unwrap().actions.first().unwrap().clone();
        let mut read = |returns: &str, numbers, text| {
            action.returns = Some(returns.to_owned());
            service.numbers = numbers;
            let (shape, edm) = Shape::returned(&service, Some(&action));
            shape.value(text, edm.as_ref()).unwrap()
        };
        assert_eq!(read("Edm.Int64", Numbers::String, "5"), "\"5\"");
        assert_eq!(read("Edm.Int64", Numbers::BigInt, "5"), r#"{"$int64":"5"}"#);
        assert_eq!(read("Edm.Int32", Numbers::String, "5"), "5");
        assert_eq!(read("Collection(Edm.Decimal)", Numbers::String, "[5,1.0]"), r#"["5","1.0"]"#);
        let record = "Microsoft.Dynamics.DataEntities.VendorV2";
        let text = r#"{"VendorProductHierarchyId":5,"PersonBirthYear":1999}"#;
        assert_eq!(
            read(record, Numbers::String, text),
            r#"{"VendorProductHierarchyId":"5","PersonBirthYear":1999}"#
        );
    }

    #[test]
    fn expanded_records_are_read_by_their_own_types() {
        let service = Service::new("https://c.example", None).unwrap();
        let (entity, navigation, target) = builtin()
            .entities()
            .iter()
            .find_map(|entity| {
                let navigation = entity
                    .navigation
                    .iter()
                    .find(|navigation| navigation.target == "CLMIntegrationPurchaseAgreementLines")?;
                Some((entity, navigation, builtin().collection(&navigation.target)?))
            })
            .unwrap();
        assert!(target.property("LineNumber").is_some());
        let name = &navigation.name;
        let text = format!(r#"{{"{name}":[{{"LineNumber":1.0}}],"Other":{{"LineNumber":1.0}}}}"#);
        let read = Shape::of(&service, Some(entity)).value(&text, None).unwrap();
        assert_eq!(read, format!(r#"{{"{name}":[{{"LineNumber":"1.0"}}],"Other":{{"LineNumber":1.0}}}}"#));
    }
}
