//! Findings, and their bound.

use std::collections::HashMap;

use serde::Serialize;

use crate::order::sort_by;

use super::codes::{Code, Repair, Severity};

/// Findings of one code that are told in full for one file or entity; the others are counted.
const TOLD: u64 = 20;

/// Findings that are kept in all; what comes then is only counted for its code.
const KEPT: usize = 10_000;

/// Characters of a value that a message shows.
const SHOWN: usize = 40;

/// Something that the doctor found, or that `repair` did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Diagnostic {
    /// Stable name, see `docs/diagnostics.md`.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence for a person. Shows at most 40 characters of a value.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Whether `repair` corrects this very finding.
    pub repairable: bool,
    /// Name of the entry in the zip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Label of the entity, as the manifest has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// 1-based line of the file; for workbooks the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Diagnostic {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let info = code.info();
        Self {
            code,
            severity: info.severity,
            message: message.into(),
            hint: info.hint.to_owned(),
            repairable: info.repair == Repair::Yes,
            file: None,
            entity: None,
            line: None,
            column: None,
        }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn repairable(mut self, repairable: bool) -> Self {
        self.repairable = repairable;
        self
    }

    pub(super) fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(super) fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    pub(super) fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    pub(super) fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

/// A value in quotes, cut to 40 characters.
pub(super) fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN).collect();
    if text.len() < value.len() {
        text.pop();
        text.push('…');
    }
    format!("{text:?}")
}

/// Collects findings: the first twenty of a code for each file or entity, then their number.
#[derive(Debug, Default)]
pub(super) struct Report {
    found: Vec<Diagnostic>,
    counts: HashMap<(Code, Option<String>, Option<String>), Count>,
}

#[derive(Debug, Default)]
struct Count {
    all: u64,
    /// The first finding that was not told.
    untold: Option<Diagnostic>,
}

impl Report {
    pub(super) fn add(&mut self, finding: Diagnostic) {
        let key = (finding.code, finding.file.clone(), finding.entity.clone());
        let kept = self.found.len() < KEPT;
        let count = self.counts.entry(key).or_default();
        count.all += 1;
        if count.all <= TOLD && kept {
            self.found.push(finding);
        } else if count.untold.is_none() {
            count.untold = Some(finding);
        }
    }

    /// Whether a further finding of that code would be told, so that its message is worth making.
    pub(super) fn tells(&self, code: Code, file: &str, entity: &str) -> bool {
        let key = (code, Some(file.to_owned()), Some(entity.to_owned()));
        self.counts.get(&key).is_none_or(|count| count.all <= TOLD)
    }

    /// Counts a finding that would not be told.
    pub(super) fn count(&mut self, code: Code, file: &str, entity: &str) {
        let key = (code, Some(file.to_owned()), Some(entity.to_owned()));
        self.counts.entry(key).or_default().all += 1;
    }

    /// Takes back that findings of a file's text are repairable; with `all`, those of its columns too.
    pub(super) fn forget_repairs(&mut self, file: &str, all: bool) {
        let untold = self.counts.values_mut().filter_map(|count| count.untold.as_mut());
        for finding in self.found.iter_mut().chain(untold) {
            let of_columns = finding.code == Code::ColumnCase && all;
            if finding.file.as_deref() == Some(file) && (finding.code.is_of_text() || of_columns) {
                finding.repairable = false;
            }
        }
    }

    /// All findings, worst first as far as one place goes: in the order in which they were met, with the numbers of the
    /// untold ones at the end.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let Self { mut found, counts } = self;
        let mut rest: Vec<Diagnostic> = counts
            .into_values()
            .filter_map(|count| {
                let mut finding = count.untold?;
                let more = count.all.saturating_sub(TOLD);
                finding.message = if more == 1 {
                    format!("{} (and this is the last of {} such findings)", finding.message, count.all)
                } else {
                    format!("{} such findings in all, of which {TOLD} are listed", count.all)
                };
                if more != 1 {
                    finding.line = None;
                    finding.column = None;
                }
                Some(finding)
            })
            .collect();
        sort_by(&mut rest, |a, b| (&a.file, &a.entity, a.code).cmp(&(&b.file, &b.entity, b.code)));
        found.append(&mut rest);
        found
    }
}
