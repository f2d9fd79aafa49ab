//! Contracts, agreements, the connection and links. As in `manage`, one export takes them all.

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::client::Client;
use super::files::{Output, hold};
use super::parse::parse;
use super::thrown::throw;
use crate::clm::{Draft, RecordRef, Setup, Told, agreements, connection, contracts, links};
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue};
use crate::odata::Service;

/// What the calls are about.
struct Arguments {
    of: Option<RecordRef>,
    row: Option<Map<String, Value>>,
    if_match: Option<String>,
    status: Option<String>,
    life_cycle: Option<contracts::LifeCycle>,
    types: Vec<ContractType>,
    draft: Option<Draft>,
    setup: Option<Setup>,
    account: Option<String>,
    company: Option<String>,
}

impl FromValue for Arguments {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let life_cycle: Option<Map<String, Value>> = of.read("lifeCycle");
        let life_cycle = life_cycle.map(|map| {
            let follow = |(from, to)| Vec::from_value(to).map(|to| (from, to));
            map.into_iter().map(follow).collect::<Result<Vec<_>, String>>()
        });
        let arguments = Self {
            of: of.read("of"),
            row: of.read("row"),
            if_match: of.text("ifMatch"),
            status: of.text("status"),
            life_cycle: life_cycle.transpose()?,
            types: of.list("types").unwrap_or_default(),
            draft: of.read("draft"),
            setup: of.read("setup"),
            account: of.text("account"),
            company: of.text("company"),
        };
        of.finish(arguments)
    }
}

struct ContractType(String, Option<String>);

impl FromValue for ContractType {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let (name, description) = (of.required("name", Fields::text), of.text("description"));
        of.finish(Self(name, description))
    }
}

#[wasm_bindgen]
impl Client {
    /// The answer as JSON, or nothing.
    pub async fn clm(
        &self,
        call: &str,
        arguments: &str,
        signal: Option<AbortSignal>,
    ) -> Result<Option<String>, JsValue> {
        let arguments = parse(arguments, "arguments").map_err(throw)?;
        let told = told(&self.service, call, arguments).map_err(throw)?;
        match hold(&self.host, told.map(Output::Text), signal).await? {
            Output::Text(answer) => Ok(answer),
            _ => Ok(None),
        }
    }
}

fn told(service: &Service, call: &str, about: Arguments) -> Result<Told> {
    let Arguments { of, row, if_match, status, life_cycle, types, draft, setup, account, company } = about;
    let missing = |what: &str| Error::argument(format!("{what} is missing"));
    let record = || of.as_ref().ok_or_else(|| missing("the reference"));
    let row = || row.ok_or_else(|| missing("the record"));
    let draft = || draft.ok_or_else(|| missing("the draft"));
    match call {
        "contracts.create" => contracts::create(service, row()?),
        "contracts.get" => contracts::get(service, record()?),
        "contracts.update" => contracts::update(service, record()?, row()?, if_match),
        "contracts.setStatus" => {
            contracts::set_status(service, record()?, &status.unwrap_or_default(), life_cycle)
        }
        "contracts.syncTypes" => {
            let types = types.into_iter().map(|ContractType(name, description)| (name, description));
            contracts::sync_types(service, types.collect())
        }
        "agreements.validate" => agreements::validate(service, draft()?, of.as_ref()),
        "agreements.create" => agreements::create(service, draft()?),
        "agreements.amend" => agreements::amend(service, record()?, draft()?),
        "agreements.get" => agreements::get(service, record()?),
        "agreements.close" => agreements::close(service, record()?),
        "connection.status" => Ok(connection::status(service)),
        "connection.establish" => connection::establish(service, setup.ok_or_else(|| missing("the setup"))?),
        "links.vendor" => links::vendor(service, &account.unwrap_or_default(), company.as_deref()),
        "links.contract" => links::contract(service, record()?),
        "links.agreement" => links::agreement(service, record()?),
        _ => Err(Error::argument(format!("there is no call {call}"))),
    }
}
