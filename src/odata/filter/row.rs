//! A record at hand, its values as they came.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The members of one record, each as the text of its JSON, so that no number is rounded.
#[derive(Debug)]
pub struct Row<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Row<'a> {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where the text is none.
    pub fn parse(json: &'a str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| Error::argument(format!("the record can't be read: {e}")))
    }

    /// The JSON of that member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    /// The record without these members.
    pub(crate) fn without(&self, names: &[String]) -> String {
        let mut out = String::from("{");
        for (name, value) in &self.0 {
            if names.iter().any(|without| without == name) {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(name.as_str()).to_string());
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        out
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Row<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Row(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
