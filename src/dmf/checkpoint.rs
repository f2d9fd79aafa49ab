//! What a job needs to go on in another process. Holds no token and no signature.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize, word};
use crate::odata::Service;
use crate::package::crc32;

/// The version that this code writes.
///
/// Version 1 had no `sourceEnds` and no `submittedAt`: its `source` was always the whole package.
const VERSION: u32 = 2;

/// A job's state, made durable before each request that the service could act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Checkpoint {
    version: u32,
    /// Import or export.
    pub kind: Kind,
    /// The run, chosen by us before anything was sent.
    pub execution_id: String,
    /// The environment's root.
    pub environment: String,
    /// The data project.
    pub project: String,
    /// The company of the run.
    pub company: String,
    /// How far the job was.
    pub stage: Stage,
    /// For an import: whether staging goes on to the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execute: Option<bool>,
    /// For an import: whether the project is overwritten from the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overwrite: Option<bool>,
    /// For an import: what was seen of the package so far, from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceMark>,
    /// For an import: whether `source` is the whole package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ends: Option<bool>,
    /// Milliseconds since 1970 of the submission, from which the grace is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<u64>,
    /// For an export: the name of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
}

/// Import or export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Into Supply Chain Management.
    Import,
    /// Out of it.
    Export,
}

/// How far a job was when the checkpoint was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was asked of the service yet.
    Planned,
    /// The submission was about to leave: it may have arrived.
    Submitting,
    /// The service has the run.
    Running,
}

/// By what a package, or its beginning, is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SourceMark {
    /// Length.
    pub bytes: u64,
    /// CRC-32 of all bytes.
    pub crc32: u32,
}

impl SourceMark {
    /// The mark of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, crc32: crc32(bytes) }
    }
}

impl Checkpoint {
    pub(super) fn new(
        service: &Service,
        kind: Kind,
        execution_id: &str,
        project: &str,
        company: &str,
    ) -> Self {
        Self {
            version: VERSION,
            kind,
            execution_id: execution_id.to_owned(),
            environment: service.base().to_owned(),
            project: project.to_owned(),
            company: company.to_owned(),
            stage: Stage::Planned,
            execute: None,
            overwrite: None,
            source: None,
            source_ends: None,
            submitted_at: None,
            package_name: None,
        }
    }

    /// Reads a checkpoint that was saved for this environment.
    ///
    /// # Errors
    /// `CHECKPOINT_INVALID` for text that is none, for one of a newer version, and for another environment's.
    pub fn parse(service: &Service, text: &str) -> Result<Self> {
        let invalid = |why: String| Error::new(ErrorCode::CheckpointInvalid, why);
        let value: Value =
            serde_json::from_str(text).map_err(|e| invalid(format!("this is no checkpoint: {e}")))?;
        let version = value.get("version").and_then(Value::as_u64);
        let version =
            version.ok_or_else(|| invalid("this is no checkpoint: it has no version".to_owned()))?;
        if version > u64::from(VERSION) {
            return Err(invalid(format!(
                "the checkpoint has version {version}, this library reads up to {VERSION}"
            ))
            .hint("A newer version of the library wrote it: resume with that one."));
        }
        let mut checkpoint: Self =
            Self::from_value(value).map_err(|why| invalid(format!("the checkpoint can't be read: {why}")))?;
        if checkpoint.version == 1 {
            checkpoint.source_ends = checkpoint.source.map(|_| true);
        }
        checkpoint.version = VERSION;
        if checkpoint.environment != service.base() {
            return Err(invalid(format!("the checkpoint belongs to {}", checkpoint.environment))
                .hint("Resume with a client for that environment."));
        }
        Ok(checkpoint)
    }

    pub(super) fn to_json(&self) -> String {
        // A struct of texts and numbers always becomes JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn expect(&self, kind: Kind) -> Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        Err(Error::new(ErrorCode::CheckpointInvalid, "the checkpoint is of the other kind of job"))
    }
}

deserialize!(Checkpoint, Kind, Stage, SourceMark);

impl FromValue for Checkpoint {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let checkpoint = Self {
            version: of.required("version", Fields::small),
            kind: of.must("kind", Kind::Import),
            execution_id: of.required("executionId", Fields::text),
            environment: of.required("environment", Fields::text),
            project: of.required("project", Fields::text),
            company: of.required("company", Fields::text),
            stage: of.must("stage", Stage::Planned),
            execute: of.flag("execute"),
            overwrite: of.flag("overwrite"),
            source: of.read("source"),
            source_ends: of.flag("sourceEnds"),
            submitted_at: of.number("submittedAt"),
            package_name: of.text("packageName"),
        };
        of.finish_open(checkpoint)
    }
}

impl FromValue for Kind {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("import", Self::Import), ("export", Self::Export)])
    }
}

impl FromValue for Stage {
    fn from_value(value: Value) -> Result<Self, String> {
        let words =
            [("planned", Self::Planned), ("submitting", Self::Submitting), ("running", Self::Running)];
        word(&value, &words)
    }
}

impl FromValue for SourceMark {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let mark =
            Self { bytes: of.required("bytes", Fields::number), crc32: of.required("crc32", Fields::small) };
        of.finish_open(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service::new("https://c.example", None).unwrap()
    }

    #[test]
    fn it_is_read_back_as_it_was_written() {
        let mut checkpoint = Checkpoint::new(&service(), Kind::Import, "E", "P", "usmf");
        checkpoint.stage = Stage::Submitting;
        checkpoint.source = Some(SourceMark::of(b"abc"));
        let text = checkpoint.to_json();
        assert_eq!(
            text,
            r#"{"version":2,"kind":"import","executionId":"E","environment":"https://c.example","project":"P","company":"usmf","stage":"submitting","source":{"bytes":3,"crc32":891568578}}"#
        );
        assert_eq!(Checkpoint::parse(&service(), &text).unwrap(), checkpoint);
    }

    #[test]
    fn an_older_one_is_brought_up_to_date() {
        let old = r#"{"version":1,"kind":"import","executionId":"E","environment":"https://c.example","project":"P","company":"usmf","stage":"planned","source":{"bytes":3,"crc32":891568578}}"#;
        let new = Checkpoint::parse(&service(), old).unwrap();
        assert_eq!((new.version, new.source_ends, new.submitted_at), (2, Some(true), None));
    }

    #[test]
    fn newer_foreign_and_broken_ones_are_refused() {
        let code = |text: &str| Checkpoint::parse(&service(), text).unwrap_err().code;
        assert_eq!(code(r#"{"version":3}"#), ErrorCode::CheckpointInvalid);
        assert_eq!(code("{}"), ErrorCode::CheckpointInvalid);
        let other = Service::new("https://d.example", None).unwrap();
        let text = Checkpoint::new(&other, Kind::Export, "E", "P", "usmf").to_json();
        assert_eq!(code(&text), ErrorCode::CheckpointInvalid);
    }
}
