//! `Client`: one environment, and the conversations with it.

use std::cell::RefCell;
use std::time::Duration;

use js_sys::Object;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::driver::{NoExtras, drive};
use super::host::Host;
use super::job::{JobHooks, WireExport, export_output, run_import};
use super::parse::parse;
use super::thrown::throw;
use crate::dmf::{Checkpoint, DataProject, Ensure, Export, ExportOptions, Import, ImportOptions};
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue};
use crate::http::Machine;
use crate::odata::{self, Numbers, Pager, Query, Service};

struct Options {
    base_url: String,
    company: Option<String>,
    numbers: Numbers,
    retry: Retry,
    timeout: Option<u64>,
    submit_timeout: Option<u64>,
    page_origin: Option<String>,
    relay_origins: Vec<String>,
}

#[derive(Default)]
struct Retry {
    attempts: Option<u32>,
    max_delay: Option<u64>,
    budget: Option<u64>,
}

impl FromValue for Options {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self {
            base_url: of.required("baseUrl", Fields::text),
            company: of.text("company"),
            numbers: of.not_null("numbers").read("numbers").unwrap_or_default(),
            retry: of.not_null("retry").read("retry").unwrap_or_default(),
            timeout: of.number("timeout"),
            submit_timeout: of.number("submitTimeout"),
            page_origin: of.text("pageOrigin"),
            relay_origins: of.not_null("relayOrigins").texts("relayOrigins").unwrap_or_default(),
        };
        of.finish(options)
    }
}

impl FromValue for Retry {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let retry = Self {
            attempts: of.small("attempts"),
            max_delay: of.number("maxDelay"),
            budget: of.number("budget"),
        };
        of.finish(retry)
    }
}

/// One environment, and the conversations with it.
#[wasm_bindgen]
pub struct Client {
    pub(super) service: Service,
    pub(super) host: Host,
}

/// The pages of a list.
#[wasm_bindgen]
pub struct ListPager {
    host: Host,
    /// Taken out while a page is on its way.
    pager: RefCell<Option<Pager>>,
}

#[wasm_bindgen]
impl Client {
    /// `options` as JSON; `host` as an object of functions.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, host: &Object) -> Result<Self, JsValue> {
        let options: Options = parse(options, "client options").map_err(throw)?;
        let mut service = Service::new(&options.base_url, options.company.as_deref()).map_err(throw)?;
        service.numbers = options.numbers;
        service.timeout = options.timeout.map_or(service.timeout, Duration::from_millis);
        service.submit_timeout = options.submit_timeout.map_or(service.submit_timeout, Duration::from_millis);
        let policy = &mut service.policy;
        policy.attempts = options.retry.attempts.unwrap_or(policy.attempts).max(1);
        policy.max_delay = options.retry.max_delay.map_or(policy.max_delay, Duration::from_millis);
        policy.budget = options.retry.budget.map_or(policy.budget, Duration::from_millis);
        service.seed = js_sys::Math::random().to_bits();
        let host = Host::new(host, service.resource(), options.page_origin, options.relay_origins);
        Ok(Self { service, host })
    }

    /// A list; nothing is sent yet.
    pub fn list(&self, collection: &str, query: &str) -> Result<ListPager, JsValue> {
        let query: Query = parse(query, "query").map_err(throw)?;
        let pager = Pager::new(&self.service, collection, &query).map_err(throw)?;
        Ok(ListPager { host: self.host.clone(), pager: RefCell::new(Some(pager)) })
    }

    /// Number of rows.
    pub async fn count(
        &self,
        collection: &str,
        query: &str,
        signal: Option<AbortSignal>,
    ) -> Result<f64, JsValue> {
        let query: Query = parse(query, "query").map_err(throw)?;
        let count = self.run(odata::count(&self.service, collection, &query), signal).await?;
        #[allow(clippy::cast_precision_loss)]
        Ok(count as f64)
    }

    /// One record as JSON, or nothing.
    pub async fn get(
        &self,
        collection: &str,
        key: &str,
        query: &str,
        signal: Option<AbortSignal>,
    ) -> Result<Option<String>, JsValue> {
        let query: Query = parse(query, "query").map_err(throw)?;
        self.run(odata::get(&self.service, collection, key, &query), signal).await
    }

    /// The record as the service stored it, as JSON.
    pub async fn create(
        &self,
        collection: &str,
        value: &str,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        self.run(odata::create(&self.service, collection, value), signal).await
    }

    /// Changes a record.
    pub async fn update(
        &self,
        collection: &str,
        key: &str,
        patch: &str,
        if_match: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<(), JsValue> {
        self.run(odata::update(&self.service, collection, key, patch, if_match.as_deref()), signal).await
    }

    /// Deletes a record.
    pub async fn delete(
        &self,
        collection: &str,
        key: &str,
        if_match: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<(), JsValue> {
        self.run(odata::delete(&self.service, collection, key, if_match.as_deref()), signal).await
    }

    /// The value of an action as JSON.
    pub async fn action(
        &self,
        collection: &str,
        name: &str,
        parameters: &str,
        key: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<Option<String>, JsValue> {
        self.run(odata::action(&self.service, collection, name, parameters, key.as_deref()), signal).await
    }

    /// Creates or corrects a data project.
    #[wasm_bindgen(js_name = ensureProject)]
    pub async fn ensure_project(
        &self,
        project: &str,
        exact: bool,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let project: DataProject = parse(project, "data project").map_err(throw)?;
        let done = self.run(Ensure::new(&self.service, project, exact), signal).await?;
        Ok(serde_json::to_string(&done).unwrap_or_default())
    }

    /// Imports a package of that many bytes, where the length is known.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    #[wasm_bindgen(js_name = importPackage)]
    pub async fn import_package(
        &self,
        options: &str,
        bytes: Option<f64>,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let options: ImportOptions = parse(options, "import options").map_err(throw)?;
        let mut job = Import::new(&self.service, options, bytes.map(|bytes| bytes as u64)).map_err(throw)?;
        run_import(&mut job, &self.host, &hooks, signal).await
    }

    /// Exports a package.
    #[wasm_bindgen(js_name = exportPackage)]
    pub async fn export_package(
        &self,
        options: &str,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<WireExport, JsValue> {
        let options: ExportOptions = parse(options, "export options").map_err(throw)?;
        let mut job = Export::new(&self.service, options).map_err(throw)?;
        export_output(drive(&mut job, &self.host, &hooks, signal).await)
    }

    /// Goes on with an import.
    #[wasm_bindgen(js_name = resumeImport)]
    pub async fn resume_import(
        &self,
        checkpoint: &str,
        options: &str,
        has_source: bool,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let checkpoint = Checkpoint::parse(&self.service, checkpoint).map_err(throw)?;
        let options: ImportOptions = parse(options, "import options").map_err(throw)?;
        let mut job = Import::resume(&self.service, checkpoint, options, has_source).map_err(throw)?;
        run_import(&mut job, &self.host, &hooks, signal).await
    }

    /// Goes on with an export.
    #[wasm_bindgen(js_name = resumeExport)]
    pub async fn resume_export(
        &self,
        checkpoint: &str,
        options: &str,
        hooks: JobHooks,
        signal: Option<AbortSignal>,
    ) -> Result<WireExport, JsValue> {
        let checkpoint = Checkpoint::parse(&self.service, checkpoint).map_err(throw)?;
        let options: ExportOptions = parse(options, "export options").map_err(throw)?;
        let mut job = Export::resume(&self.service, checkpoint, options).map_err(throw)?;
        export_output(drive(&mut job, &self.host, &hooks, signal).await)
    }
}

impl Client {
    async fn run<M: Machine>(
        &self,
        machine: Result<M>,
        signal: Option<AbortSignal>,
    ) -> Result<M::Output, JsValue> {
        let mut machine = machine.map_err(throw)?;
        drive(&mut machine, &self.host, &NoExtras, signal).await.map_err(JsValue::from)
    }
}

#[wasm_bindgen]
impl ListPager {
    /// The next page as JSON, or nothing after the last.
    pub async fn next(&self, signal: Option<AbortSignal>) -> Result<Option<String>, JsValue> {
        let Some(mut pager) = self.pager.borrow_mut().take() else {
            return Err(throw(Error::argument("the page before is still on its way")));
        };
        let page = match pager.page() {
            Some(mut operation) => drive(&mut operation, &self.host, &NoExtras, signal).await.map(Some),
            None => Ok(None),
        };
        let moved = match &page {
            Ok(Some(page)) => pager.advance(page),
            _ => Ok(()),
        };
        // After a failure the same page can be asked for again.
        *self.pager.borrow_mut() = Some(pager);
        let page = page?;
        moved.map_err(throw)?;
        Ok(page.map(|page| match page.count {
            Some(count) => format!("{{\"items\":{},\"count\":{count}}}", page.items),
            None => format!("{{\"items\":{}}}", page.items),
        }))
    }
}
