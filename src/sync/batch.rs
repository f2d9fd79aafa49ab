//! What the host gets: rows, or keys of records that are gone.

use serde_json::json;

use super::rows::{Row, fnv};
use super::state::Mode;

/// Rows of one line that belong together: handed over until they are committed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// The same whenever these rows are handed over again.
    pub id: String,
    /// The run that exported them.
    pub execution_id: Option<String>,
    /// Label of the entity.
    pub entity: String,
    /// Company, none for shared entities.
    pub company: Option<String>,
    /// What the rows are.
    pub mode: Mode,
    /// JSON objects.
    pub rows: Vec<String>,
    /// Keys as JSON objects.
    pub deleted_keys: Vec<String>,
    /// Whether the run of the line ends with it.
    pub last: bool,
}

impl Batch {
    /// As the public API spells it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut head = json!({
            "id": self.id, "entity": self.entity, "mode": self.mode.as_str(), "last": self.last,
        });
        if let Some(head) = head.as_object_mut() {
            let texts = [("executionId", &self.execution_id), ("company", &self.company)];
            for (name, text) in texts {
                if let Some(text) = text {
                    head.insert(name.to_owned(), text.clone().into());
                }
            }
        }
        let mut out = head.to_string();
        out.pop();
        for (name, items) in [("rows", &self.rows), ("deletedKeys", &self.deleted_keys)] {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(item);
            }
            out.push(']');
        }
        out.push('}');
        out
    }
}

/// A name for content: other rows have another one, and the same rows at another time, too. `committed` are the rows that were
/// committed before: it stands still until the batch is committed.
pub(super) fn content_id(line: &str, committed: u64, rows: &[Row], deleted: &[String]) -> String {
    let mut sum = fnv(&[line.as_bytes(), &committed.to_le_bytes()]);
    for row in rows {
        sum = fnv(&[&sum.to_le_bytes(), row.key.as_bytes(), &row.hash.to_le_bytes()]);
    }
    for key in deleted {
        sum = fnv(&[&sum.to_le_bytes(), b"-", key.as_bytes()]);
    }
    format!("{}/{sum:016x}", line.strip_prefix("sync/").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spelt_as_the_public_api_says() {
        let batch = Batch {
            id: "i".into(),
            execution_id: None,
            entity: "Units".into(),
            company: Some("usmf".into()),
            mode: Mode::Full,
            rows: vec!["{\"A\":1}".into(), "{}".into()],
            deleted_keys: Vec::new(),
            last: true,
        };
        assert_eq!(
            batch.to_json(),
            r#"{"id":"i","entity":"Units","mode":"full","last":true,"company":"usmf","rows":[{"A":1},{}],"deletedKeys":[]}"#
        );
    }

    #[test]
    fn other_content_has_another_name() {
        let row = |key: &str, hash| Row { json: String::new(), key: key.into(), hash };
        let id = |rows: &[Row], gone: &[String]| content_id("sync/n/Units/-", 7, rows, gone);
        assert_eq!(id(&[row("a", 1)], &[]), id(&[row("a", 1)], &[]));
        assert_ne!(
            id(&[row("a", 1)], &[]),
            content_id("sync/n/Units/-", 8, &[row("a", 1)], &[]),
            "a value that came back"
        );
        let all = [
            id(&[], &[]),
            id(&[row("a", 1)], &[]),
            id(&[row("a", 2)], &[]),
            id(&[row("b", 1)], &[]),
            id(&[], &["a".into()]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(one.starts_with("n/Units/-/"), "{one}");
            assert!(!all[..index].contains(one), "{one}");
        }
    }
}
