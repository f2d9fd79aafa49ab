//! One operation as plain data: what a host hands over for a batch, or to have a request shaped.

use serde_json::{Map, Value};

use super::{Shaped, action, count, create, delete, get, list, update};
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue, deserialize, word};
use crate::odata::query::Query;
use crate::odata::service::Service;

/// One operation on a collection. As JSON `{"op":"get","entity":"VendorsV2",…}`; `get` without a key is a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OperationSpec {
    /// What is done.
    pub op: Op,
    /// OData collection.
    pub entity: String,
    /// Key properties as a JSON object.
    pub key: Option<String>,
    /// The record to create, or the properties to change, as a JSON object.
    pub value: Option<String>,
    /// Of a get or count.
    pub query: Query,
    /// Action without namespace.
    pub name: String,
    /// Of the action, as a JSON object.
    pub parameters: Option<String>,
    /// Etag that the record must still have.
    pub if_match: Option<String>,
    /// A create may be sent again although the service may have acted on it.
    pub allow_repeat: bool,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// Reads one record by its key, or a list where there is none.
    Get,
    /// Counts rows.
    Count,
    /// Creates a record.
    Create,
    /// Changes some properties.
    Update,
    /// Deletes a record.
    Delete,
    /// Calls an action.
    Action,
}

deserialize!(OperationSpec);

const OPS: [(&str, Op); 6] = [
    ("get", Op::Get),
    ("count", Op::Count),
    ("create", Op::Create),
    ("update", Op::Update),
    ("delete", Op::Delete),
    ("action", Op::Action),
];

impl FromValue for Op {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &OPS)
    }
}

impl FromValue for OperationSpec {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let op = of.must("op", Op::Get);
        let object = |of: &mut Fields, name| {
            let object: Option<Map<String, Value>> = of.read(name);
            object.map(|object| Value::Object(object).to_string())
        };
        let mut spec = Self {
            op,
            entity: of.required("entity", Fields::text),
            key: None,
            value: None,
            query: Query::default(),
            name: String::new(),
            parameters: None,
            if_match: None,
            allow_repeat: false,
        };
        if !matches!(op, Op::Count | Op::Create) {
            spec.key = object(of.not_null("key"), "key");
        }
        // A field that does not go with the operation is an unknown one: what it asks for would be left out in silence.
        match op {
            Op::Get | Op::Count => spec.query = of.not_null("query").read("query").unwrap_or_default(),
            Op::Create => {
                spec.value = object(&mut of, "value");
                spec.allow_repeat = of.flag("allowRepeat").unwrap_or_default();
            }
            Op::Update => {
                spec.value = object(&mut of, "value");
                spec.if_match = of.text("ifMatch");
            }
            Op::Delete => spec.if_match = of.text("ifMatch"),
            Op::Action => {
                spec.name = of.required("name", Fields::text);
                spec.parameters = object(&mut of, "parameters");
            }
        }
        of.finish(spec)
    }
}

impl OperationSpec {
    /// Reads one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an unknown operation and for a field that does not go with it.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|why| Error::argument(format!("the operation can't be understood: {why}")))
    }

    /// The request.
    ///
    /// # Errors
    /// `UNKNOWN_ENTITY`, `UNKNOWN_PROPERTY`, `UNSUPPORTED_QUERY`, `INVALID_ARGUMENT`.
    pub fn shape(&self, service: &Service) -> Result<Shaped> {
        let entity = &self.entity;
        let key = self.key.as_deref();
        let value = self.value.as_deref().unwrap_or("null");
        match self.op {
            Op::Get => match key {
                Some(key) => get(service, entity, key, &self.query),
                None => list(service, entity, &self.query),
            },
            Op::Count => count(service, entity, &self.query),
            Op::Create => create(service, entity, value).map(|(shaped, _)| shaped),
            Op::Update => update(service, entity, key.unwrap_or("null"), value, self.if_match.as_deref()),
            Op::Delete => delete(service, entity, key.unwrap_or("null"), self.if_match.as_deref()),
            Op::Action => {
                action(service, entity, &self.name, self.parameters.as_deref().unwrap_or("{}"), key)
            }
        }
    }
}
