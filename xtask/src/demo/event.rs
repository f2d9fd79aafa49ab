//! What the quickstart says, one JSON object a line.

use std::fmt;

use serde::Deserialize;

/// A line of the quickstart's output.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Event {
    /// A new stage begins.
    Stage {
        name: String,
    },
    /// How far a stage is; `total` is not always known.
    Progress {
        stage: String,
        done: f64,
        #[serde(default)]
        total: Option<f64>,
        unit: String,
    },
    #[serde(deserialize_with = "table")]
    Table(Vec<Row>),
    Error(Failure),
    /// Anything else is shown as it is.
    #[serde(skip)]
    Text(String),
}

/// A line of the table at the end; None where a figure does not apply.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Row {
    pub(super) entity: String,
    pub(super) direction: String,
    pub(super) sent: Option<u64>,
    pub(super) imported: Option<u64>,
    pub(super) exported: Option<u64>,
    pub(super) changed: Option<u64>,
    pub(super) incremental: Option<u64>,
    /// Rows in the incremental export after that one; not shown, only judged.
    #[serde(default)]
    pub(super) next: Option<u64>,
    pub(super) ms: f64,
    pub(super) ok: bool,
    #[serde(default)]
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Failure {
    #[serde(default)]
    code: Option<String>,
    message: String,
    #[serde(default)]
    hint: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        write!(f, "{}", self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  hint: {hint}"))
    }
}

impl Event {
    pub(super) fn parse(line: &str) -> Event {
        serde_json::from_str(line).unwrap_or_else(|_| Event::Text(line.to_owned()))
    }
}

fn table<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Row>, D::Error> {
    #[derive(Deserialize)]
    struct Table {
        rows: Vec<Row>,
    }
    Ok(Table::deserialize(deserializer)?.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_understood() {
        assert_eq!(
            Event::parse(r#"{"type":"stage","name":"import"}"#),
            Event::Stage { name: "import".into() }
        );
        assert_eq!(
            Event::parse(r#"{"type":"progress","stage":"import","done":7,"unit":"polls"}"#),
            Event::Progress { stage: "import".into(), done: 7.0, total: None, unit: "polls".into() }
        );
        let line = r#"{"type":"table","rows":[{"entity":"Vendors V2","direction":"SCM → CLM","sent":null,"imported":null,"exported":20000,"changed":4,"incremental":0,"ms":812.5,"ok":true}]}"#;
        let Event::Table(rows) = Event::parse(line) else { panic!("no table") };
        assert_eq!(
            (rows[0].exported, rows[0].changed, rows[0].incremental),
            (Some(20_000), Some(4), Some(0))
        );
        let line = r#"{"type":"error","code":"JOB_FAILED","message":"no","hint":"look"}"#;
        let Event::Error(error) = Event::parse(line) else { panic!("no error") };
        assert_eq!(error.to_string(), "JOB_FAILED: no\n  hint: look");
    }

    #[test]
    fn a_line_that_is_no_event_is_kept_as_text() {
        assert_eq!(Event::parse("hello"), Event::Text("hello".into()));
        let odd = r#"{"type":"table","rows":[{"entity":"x"}]}"#;
        assert_eq!(Event::parse(odd), Event::Text(odd.into()));
    }
}
