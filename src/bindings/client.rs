//! `Client`: one environment, and the conversations with it.

use std::sync::Arc;
use std::time::Duration;

use js_sys::Object;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::driver::{NoExtras, drive};
use super::host::Host;
use super::job::{JobHooks, WireExport, export_output, run_import};
use super::list::ListPager;
use super::parse::parse;
use super::requests::WireBatch;
use super::thrown::throw;
use crate::catalog::Catalog;
use crate::dmf::{Checkpoint, DataProject, Ensure, Export, ExportOptions, Import, ImportOptions};
use crate::error::Result;
use crate::fields::{Fields, FromValue};
use crate::http::{DEFAULT_IN_FLIGHT, Gate, Machine, Patience};
use crate::odata::batch::results_json;
use crate::odata::{self, Batch, Listing, Numbers, Op, Operation, OperationSpec, Query, Service};

struct Options {
    base_url: String,
    company: Option<String>,
    /// The tenant's own.
    schema: Option<Value>,
    numbers: Numbers,
    retry: Retry,
    timeout: Option<u64>,
    submit_timeout: Option<u64>,
    concurrency: Option<u32>,
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
            schema: of.value("schema"),
            numbers: of.not_null("numbers").read("numbers").unwrap_or_default(),
            retry: of.not_null("retry").read("retry").unwrap_or_default(),
            timeout: of.number("timeout"),
            submit_timeout: of.number("submitTimeout"),
            concurrency: of.small("concurrency"),
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

#[wasm_bindgen]
impl Client {
    /// `options` as JSON; `host` as an object of functions.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str, host: &Object) -> Result<Self, JsValue> {
        let options: Options = parse(options, "client options").map_err(throw)?;
        let mut service = Service::new(&options.base_url, options.company.as_deref()).map_err(throw)?;
        if let Some(schema) = options.schema {
            service = service.with_catalog(Arc::new(Catalog::from_value(schema).map_err(throw)?));
        }
        service.numbers = options.numbers;
        service.timeout = options.timeout.map_or(service.timeout, Duration::from_millis);
        service.submit_timeout = options.submit_timeout.map_or(service.submit_timeout, Duration::from_millis);
        let policy = &mut service.policy;
        policy.attempts = options.retry.attempts.unwrap_or(policy.attempts).max(1);
        policy.max_delay = options.retry.max_delay.map_or(policy.max_delay, Duration::from_millis);
        policy.budget = options.retry.budget.map_or(policy.budget, Duration::from_millis);
        service.patience = Patience::new(js_sys::Math::random().to_bits());
        let gate = Gate::new(options.concurrency.unwrap_or(DEFAULT_IN_FLIGHT));
        let host = Host::new(host, service.resource(), gate, options.page_origin, options.relay_origins);
        Ok(Self { service, host })
    }

    /// A list; nothing is sent yet.
    pub fn list(&self, collection: &str, query: &str) -> Result<ListPager, JsValue> {
        let query: Query = parse(query, "query").map_err(throw)?;
        let listing = Listing::new(&self.service, collection, &query).map_err(throw)?;
        ListPager::new(self.host.clone(), listing)
    }

    /// Number of rows.
    pub async fn count(
        &self,
        collection: &str,
        query: &str,
        signal: Option<AbortSignal>,
    ) -> Result<f64, JsValue> {
        let query: Query = parse(query, "query").map_err(throw)?;
        let count = self.drive(odata::count(&self.service, collection, &query), signal).await?;
        #[allow(clippy::cast_precision_loss)]
        Ok(count as f64)
    }

    /// One operation; its value as JSON, where it has one.
    pub async fn run(&self, operation: &str, signal: Option<AbortSignal>) -> Result<Option<String>, JsValue> {
        let spec: OperationSpec = parse(operation, "operation").map_err(throw)?;
        if spec.op == Op::Create {
            let create = odata::create(&self.service, &spec.entity, spec.value.as_deref().unwrap_or("null"));
            let create = create.map(|create| create.allow_repeat(spec.allow_repeat));
            return self.drive(create, signal).await.map(Some);
        }
        let operation = spec.shape(&self.service).map(|shaped| Operation::of(&self.service, shaped));
        let answer = self.drive(operation, signal).await?;
        answer.into_json(&self.service).map_err(throw)
    }

    /// Operations in as few requests as may be; a JSON list of their results.
    pub async fn batch(&self, batch: &str, signal: Option<AbortSignal>) -> Result<String, JsValue> {
        let WireBatch { operations, options } = parse(batch, "batch").map_err(throw)?;
        let results = self.drive(Batch::new(&self.service, &operations, options), signal).await?;
        Ok(results_json(&self.service, results))
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
        let done = self.drive(Ensure::new(&self.service, project, exact), signal).await?;
        Ok(serde_json::to_string(&done).unwrap_or_default())
    }

    /// Sees that there is an export project for exactly these entities; its name.
    #[wasm_bindgen(js_name = ensureAdHoc)]
    pub async fn ensure_ad_hoc(
        &self,
        entities: &str,
        signal: Option<AbortSignal>,
    ) -> Result<String, JsValue> {
        let project = DataProject::ad_hoc(entities).map_err(throw)?;
        let name = project.name.clone();
        self.drive(Ensure::new(&self.service, project, true), signal).await?;
        Ok(name)
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
    pub(super) async fn drive<M: Machine>(
        &self,
        machine: Result<M>,
        signal: Option<AbortSignal>,
    ) -> Result<M::Output, JsValue> {
        let mut machine = machine.map_err(throw)?;
        drive(&mut machine, &self.host, &NoExtras, signal).await.map_err(JsValue::from)
    }
}
