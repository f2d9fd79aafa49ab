//! A schema as JSON.

use std::borrow::Cow;

use serde_json::Value;

use crate::catalog::{Binding, EdmType, Entity, Schema};

/// What [`Schema::from_json`] reads.
#[must_use]
pub fn schema_json(schema: &Schema) -> String {
    let mut entities = schema.entities.iter().map(Cow::Borrowed);
    let start = String::new();
    write(start, &mut entities, &schema.enums, schema.collections.as_deref(), &schema.formats)
}

/// `start` is empty, with as much room as the text may need.
pub(super) fn write(
    start: String,
    entities: &mut dyn Iterator<Item = Cow<'_, Entity>>,
    enums: &[(String, Vec<String>)],
    collections: Option<&[String]>,
    formats: &[String],
) -> String {
    let mut out = Writer(start);
    out.0.push_str("{\"entities\":");
    out.list(entities, |out, it| out.entity(&it));
    out.0.push_str(",\"enums\":{");
    for (at, (name, members)) in enums.iter().enumerate() {
        if at > 0 {
            out.0.push(',');
        }
        out.text(name);
        out.0.push(':');
        out.texts(members);
    }
    out.0.push('}');
    if let Some(collections) = collections {
        out.0.push_str(",\"collections\":");
        out.texts(collections);
    }
    if !formats.is_empty() {
        out.0.push_str(",\"formats\":");
        out.texts(formats);
    }
    out.0.push('}');
    out.0
}

struct Writer(String);

impl Writer {
    fn entity(&mut self, it: &Entity) {
        self.field('{', "collection", it.collection.as_deref().unwrap_or_default());
        self.field(',', "type", it.type_name.as_deref().unwrap_or_default());
        if !it.label.is_empty() {
            self.field(',', "label", &it.label);
        }
        if !it.aot.is_empty() {
            self.field(',', "aot", &it.aot);
        }
        if let Some(company) = it.company {
            self.0.push_str(if company { ",\"company\":true" } else { ",\"company\":false" });
        }
        self.0.push_str(",\"keys\":");
        self.texts(&it.keys);
        self.0.push_str(",\"properties\":");
        self.list(&mut it.properties.iter(), |out, it| {
            out.field('{', "name", &it.name);
            out.kind(&it.edm);
            match it.nullable {
                Some(true) => out.0.push_str(",\"nullable\":true"),
                Some(false) => out.0.push_str(",\"nullable\":false"),
                None => {}
            }
            if let Some(length) = it.max_length {
                out.0.push_str(",\"maxLength\":");
                out.0.push_str(&length.to_string());
            }
            if !it.members.is_empty() {
                out.0.push_str(",\"members\":");
                out.texts(&it.members);
            }
            out.0.push('}');
        });
        self.0.push_str(",\"navigation\":");
        self.list(&mut it.navigation.iter(), |out, it| {
            out.field('{', "name", &it.name);
            out.field(',', "target", &it.target);
            out.0.push_str(if it.many { ",\"many\":true}" } else { ",\"many\":false}" });
        });
        self.0.push_str(",\"actions\":");
        self.list(&mut it.actions.iter(), |out, it| {
            out.field('{', "name", &it.name);
            out.field(
                ',',
                "binding",
                if it.binding == Binding::Collection { "collection" } else { "entity" },
            );
            out.0.push_str(",\"parameters\":");
            out.list(&mut it.parameters.iter(), |out, it| {
                out.field('{', "name", &it.name);
                out.field(',', "type", &it.edm.name());
                out.0.push('}');
            });
            if let Some(kind) = &it.returns {
                out.field(',', "returns", kind);
            }
            out.0.push('}');
        });
        self.0.push('}');
    }

    fn kind(&mut self, edm: &EdmType) {
        self.field(',', "type", &edm.name());
        if let EdmType::Enum(name) = edm {
            self.field(',', "enum", name);
        }
    }

    /// `before` is what separates it from what is there.
    fn field(&mut self, before: char, name: &str, value: &str) {
        self.0.push(before);
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.text(value);
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(&mut texts.iter(), |out, text| out.text(text));
    }

    fn list<T>(&mut self, items: &mut dyn Iterator<Item = T>, each: fn(&mut Self, T)) {
        self.0.push('[');
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            each(self, item);
        }
        self.0.push(']');
    }

    /// Names hardly ever have anything to escape.
    fn text(&mut self, text: &str) {
        if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
            self.0.push_str(&Value::String(text.to_owned()).to_string());
            return;
        }
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
    }
}
