//! One finding.

use serde_json::{Value, json};

use super::codes::Code;
use crate::package::Severity;

/// Something that stands in the way of the integration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Stable name, see `docs/connection.md`.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence for a person. Never a token or a signature.
    pub message: String,
    /// What to do, and where.
    pub hint: String,
    /// Label of the data entity, or its collection.
    pub entity: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let info = code.info();
        Self {
            code,
            severity: info.severity,
            message: message.into(),
            hint: info.hint.to_owned(),
            entity: None,
        }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// `{"code","severity","message","hint","repairable":false,"entity"}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = json!({
            "code": self.code.info().code,
            "severity": self.severity.as_str(),
            "message": self.message,
            "hint": self.hint,
            "repairable": false,
        });
        if let (Some(entity), Some(out)) = (&self.entity, out.as_object_mut()) {
            out.insert("entity".to_owned(), entity.as_str().into());
        }
        out
    }
}
