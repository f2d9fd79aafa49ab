//! Objects of JSON, read field by field.
//!
//! Small structured values come in as JSON: specifications, options, queries. What serde derives to read such types is several
//! kilobytes of code for each, a tenth of a module in all; over the tree of the JSON it is a call for each field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A type that is read from JSON. The message of a refusal begins with what is wrong, without a place.
pub(crate) trait FromValue: Sized {
    fn from_value(value: Value) -> Result<Self, String>;
}

/// Makes such types readable for native callers too.
macro_rules! deserialize {
    ($($type:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::fields::FromValue::from_value(value).map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use deserialize;

/// An object whose fields are taken one after another. The first fault is kept, so that only [`Fields::finish`] can fail.
pub(crate) struct Fields {
    left: Map<String, Value>,
    taken: Vec<&'static str>,
    fault: Option<String>,
}

impl Fields {
    pub(crate) fn of(value: Value) -> Self {
        let (left, fault) = match value {
            Value::Object(left) => (left, None),
            other => (Map::new(), Some(mismatch(&other, "an object"))),
        };
        Self { left, taken: Vec::new(), fault }
    }

    /// The field as it is; null counts as missing.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.taken.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            other => self.refuse(name, mismatch(&other, "a text")),
        }
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            other => self.refuse(name, mismatch(&other, "true or false")),
        }
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Option<u64> {
        let value = self.value(name)?;
        match value.as_u64() {
            Some(number) => Some(number),
            None => self.refuse(name, mismatch(&value, "a whole number, 0 or more")),
        }
    }

    pub(crate) fn small(&mut self, name: &'static str) -> Option<u32> {
        let number = self.number(name)?;
        match u32::try_from(number) {
            Ok(number) => Some(number),
            Err(_) => self.refuse(name, format!("{number} is too large")),
        }
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.list(name)
    }

    pub(crate) fn list<T: FromValue>(&mut self, name: &'static str) -> Option<Vec<T>> {
        self.read(name)
    }

    pub(crate) fn read<T: FromValue>(&mut self, name: &'static str) -> Option<T> {
        match T::from_value(self.value(name)?) {
            Ok(read) => Some(read),
            Err(why) => self.refuse(name, why),
        }
    }

    /// For a field with a default, where null means a number that JSON can't hold.
    pub(crate) fn not_null(&mut self, name: &'static str) -> &mut Self {
        if self.left.get(name).is_some_and(Value::is_null) {
            self.note(name, mismatch(&Value::Null, "a value"));
        }
        self
    }

    /// The value of a field that must be there.
    pub(crate) fn required<T: Default>(
        &mut self,
        name: &'static str,
        read: fn(&mut Self, &'static str) -> Option<T>,
    ) -> T {
        read(self, name).unwrap_or_else(|| {
            self.note("", format!("missing field `{name}`"));
            T::default()
        })
    }

    /// The same where no default would do; `instead` is never seen.
    #[cfg(feature = "full")]
    pub(crate) fn must<T: FromValue>(&mut self, name: &'static str, instead: T) -> T {
        self.read(name).unwrap_or_else(|| {
            self.note("", format!("missing field `{name}`"));
            instead
        })
    }

    /// Refuses what was not taken.
    pub(crate) fn finish<T>(self, made: T) -> Result<T, String> {
        self.end().map(|()| made)
    }

    /// Ignores what was not taken.
    #[cfg(any(test, feature = "full"))]
    pub(crate) fn finish_open<T>(self, made: T) -> Result<T, String> {
        self.fault.map_or(Ok(made), Err)
    }

    fn end(self) -> Result<(), String> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        match self.left.keys().next() {
            None => Ok(()),
            Some(unknown) => {
                Err(format!("unknown field `{unknown}`, expected one of `{}`", self.taken.join("`, `")))
            }
        }
    }

    /// Nothing, once the fault is noted.
    fn refuse<T>(&mut self, name: &str, why: String) -> Option<T> {
        self.note(name, why);
        None
    }

    fn note(&mut self, name: &str, why: String) {
        if self.fault.is_none() {
            self.fault = Some(if name.is_empty() { why } else { format!("{name}: {why}") });
        }
    }
}

/// A word of a list, given with what it means.
pub(crate) fn word<T: Copy>(value: &Value, words: &[(&str, T)]) -> Result<T, String> {
    let names = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join("`, `");
    match value {
        Value::String(text) => match words.iter().find(|(word, _)| word == text) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(format!("unknown variant `{text}`, expected one of `{}`", names())),
        },
        other => Err(mismatch(other, "a word")),
    }
}

/// What is said where a value is of another type.
pub(crate) fn mismatch(found: &Value, expected: &str) -> String {
    let found = match found {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => {
            let shown: String = text.chars().take(40).collect();
            format!("the text \"{shown}\"")
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    format!("invalid type: {found}, expected {expected}")
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(mismatch(&other, "a text")),
        }
    }
}

impl FromValue for u8 {
    fn from_value(value: Value) -> Result<Self, String> {
        let number = value.as_u64().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| mismatch(&value, "a whole number from 0 to 255"))
    }
}

impl FromValue for Map<String, Value> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(object) => Ok(object),
            other => Err(mismatch(&other, "an object")),
        }
    }
}

impl FromValue for BTreeMap<String, String> {
    fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(object) = value else { return Err(mismatch(&value, "an object")) };
        let mut map = Self::new();
        for (name, value) in object {
            map.insert(name, String::from_value(value)?);
        }
        Ok(map)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(values) => values.into_iter().map(T::from_value).collect(),
            other => Err(mismatch(&other, "a list")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<(String, Option<u32>, Option<bool>), String> {
        let mut of = Fields::of(value);
        let made = (of.required("name", Fields::text), of.small("level"), of.flag("on"));
        of.finish(made)
    }

    #[test]
    fn fields_arrive_and_null_is_none() {
        assert_eq!(
            read(json!({"name": "a", "level": 7, "on": true})),
            Ok(("a".to_owned(), Some(7), Some(true)))
        );
        assert_eq!(read(json!({"name": "a", "level": null})), Ok(("a".to_owned(), None, None)));
    }

    #[test]
    fn the_first_fault_is_told() {
        let fault = |value| read(value).unwrap_err();
        assert_eq!(fault(json!({})), "missing field `name`");
        assert_eq!(fault(json!([1])), "invalid type: a list, expected an object");
        assert_eq!(
            fault(json!({"name": 1, "level": "x"})),
            "name: invalid type: the number 1, expected a text"
        );
        assert_eq!(
            fault(json!({"name": "a", "level": 1.5})),
            "level: invalid type: the number 1.5, expected a whole number, 0 or more"
        );
        assert_eq!(fault(json!({"name": "a", "level": 4_294_967_296_u64})), "level: 4294967296 is too large");
        assert_eq!(
            fault(json!({"name": "a", "nmae": 1})),
            "unknown field `nmae`, expected one of `name`, `level`, `on`"
        );
        assert_eq!(
            word(&json!("c"), &[("a", 1), ("b", 2)]).unwrap_err(),
            "unknown variant `c`, expected one of `a`, `b`"
        );
        assert_eq!(word(&json!("b"), &[("a", 1), ("b", 2)]), Ok(2));
    }

    #[test]
    fn an_object_that_may_have_more_is_read() {
        let mut of = Fields::of(json!({"a": "x", "b": 1}));
        let a = of.text("a");
        assert_eq!(of.finish_open(a), Ok(Some("x".to_owned())));
        let mut of = Fields::of(json!({"a": null}));
        let a = of.not_null("a").number("a");
        assert_eq!(of.finish(a).unwrap_err(), "a: invalid type: null, expected a value");
    }
}
