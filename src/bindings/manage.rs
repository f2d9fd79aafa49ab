//! Calls that are a question and an answer: data projects, runs, messages. Both sides are small, so they travel as JSON, through
//! one export: each would be kilobytes of its own.

use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::files::{Output, hold};
use super::parse::parse;
use super::thrown::throw;
use crate::dmf::{Dialogue, RejectedQuery, executions, projects, queue};
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue};
use crate::odata::Service;

/// What the calls are about.
struct Arguments {
    project: Option<String>,
    entity: Option<String>,
    execution: Option<String>,
    message: Option<String>,
}

impl FromValue for Arguments {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let arguments = Self {
            project: of.text("project"),
            entity: of.text("entity"),
            execution: of.text("execution"),
            message: of.text("message"),
        };
        of.finish(arguments)
    }
}

#[wasm_bindgen]
impl Client {
    /// Which rows the service named by key; the answer as JSON.
    #[wasm_bindgen(js_name = joinRejected)]
    pub fn join_rejected(&self, query: &str) -> Result<String, JsValue> {
        let query: RejectedQuery = parse(query, "question about rejected rows").map_err(throw)?;
        Ok(query.answer(self.service.catalog()))
    }

    /// The answer as JSON, or nothing.
    pub async fn manage(
        &self,
        call: &str,
        arguments: &str,
        signal: Option<AbortSignal>,
    ) -> Result<Option<String>, JsValue> {
        let arguments = parse(arguments, "arguments").map_err(throw)?;
        let dialogue = dialogue(&self.service, call, &arguments).map_err(throw)?;
        match hold(&self.host, dialogue, signal).await? {
            Output::Text(answer) => Ok(answer),
            _ => Ok(None),
        }
    }
}

fn dialogue(service: &Service, call: &str, of: &Arguments) -> Result<Dialogue<Output>> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (project, entity) = (text(&of.project), text(&of.entity));
    let (execution, message) = (text(&of.execution), text(&of.message));
    Ok(match call {
        "projects.list" => projects::list(service).map(json),
        "projects.get" => {
            projects::get(service, &project)?.map(|found| found.map_or(Output::Text(None), json))
        }
        "projects.delete" => projects::delete(service, &project)?.map(|()| Output::Text(None)),
        "projects.resetTracking" => projects::reset_tracking(service, &project, &entity)?.map(json),
        "executions.list" => executions::list(service, of.project.as_deref())?.map(json),
        "executions.status" => executions::status(service, &execution)?.map(|status| json(status.as_str())),
        "executions.summary" => executions::summary(service, &execution)?.map(json),
        "executions.errors" => executions::errors(service, &execution)?.map(json),
        "executions.packageUrl" => executions::package_url(service, &execution)?.map(json),
        "executions.pageUrl" => executions::page_url(service, &execution)?.map(json),
        "executions.ofMessage" => {
            executions::of_message(service, &message)?.map(|found| found.map_or(Output::Text(None), json))
        }
        "executions.delete" => executions::delete(service, &execution)?.map(|()| Output::Text(None)),
        "queues.status" => queue::status(service, &message)?.map(json),
        _ => return Err(Error::argument(format!("there is no call {call}"))),
    })
}

fn json(value: impl Serialize) -> Output {
    Output::Text(serde_json::to_string(&value).ok())
}
