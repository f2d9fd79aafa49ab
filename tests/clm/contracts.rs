use std::sync::Arc;

use d365_clm::ErrorCode;
use d365_clm::catalog::Catalog;
use d365_clm::clm::{RecordRef, contracts};
use d365_clm::http::{Input, Machine, Step, Timestamp};
use serde_json::{Value, json};

use crate::world::{World, killed_everywhere, row, service};

const SET: &str = "CLMIntegrationContracts";

fn nda() -> Value {
    json!({ "ContractId": "C00001", "ExternalContractId": "7f0c", "ContractType": "NDA", "ContractStatus": "Draft",
        "ContractName": "NDA Acme", "EffectiveDate": "2026-04-01" })
}

#[test]
fn a_create_killed_anywhere_and_repeated_makes_one_contract() {
    killed_everywhere(World::new, &|| contracts::create(&service(), row(nda())).unwrap(), &|world, told| {
        assert_eq!(told["ContractId"], "C00001");
        // The company in both places; the date at noon UTC.
        assert_eq!(
            world.sets[0].1,
            [row(json!({ "ContractId": "C00001", "ExternalContractId": "7f0c", "ContractType": "NDA",
                    "ContractStatus": "Draft", "ContractName": "NDA Acme", "EffectiveDate": "2026-04-01T12:00:00Z",
                    "dataAreaId": "usmf", "LegalEntityId": "usmf" }))]
        );
    });
}

#[test]
fn a_contract_is_found_by_its_number_or_else_by_the_other_systems_id() {
    let mut world = World::new();
    world
        .rows(SET)
        .push(row(json!({ "dataAreaId": "usmf", "ContractId": "OLD", "ExternalContractId": "7F0C" })));
    let told = world.ends(contracts::create(&service(), row(nda())).unwrap()).unwrap();
    assert_eq!(told["ContractId"], "OLD");
    assert_eq!(world.log, ["GET CLMIntegrationContracts", "GET CLMIntegrationContracts"]);
    // Of another company: not it.
    world.rows(SET)[0].insert("dataAreaId".into(), "demf".into());
    let told = world.ends(contracts::create(&service(), row(nda())).unwrap()).unwrap();
    assert_eq!(told["ContractId"], "C00001");
    assert_eq!(world.rows(SET).len(), 2);
}

#[test]
fn a_contract_that_another_process_made_meanwhile_counts_as_found() {
    let mut world = World::new();
    world.meanwhile = Some(Box::new(|world| {
        let other = json!({ "dataAreaId": "usmf", "ContractId": "C00001", "ContractName": "Theirs" });
        world.rows(SET).push(row(other));
    }));
    let told = world.ends(contracts::create(&service(), row(nda())).unwrap()).unwrap();
    assert_eq!(told["ContractName"], "Theirs");
}

#[test]
fn what_is_missing_or_misspelt_is_told_before_anything_is_sent() {
    let create = |value: Value| contracts::create(&service(), row(value)).unwrap_err();
    assert_eq!(create(json!({ "ContractName": "x" })).code, ErrorCode::InvalidArgument);
    assert_eq!(create(json!({ "ContractId": "C", "ContractNam": "x" })).code, ErrorCode::UnknownProperty);
    assert!(create(json!({ "ContractId": "C", "ContractStatus": "Signed" })).message.contains("Draft"));
    let status =
        |status: &str| contracts::set_status(&service(), &RecordRef::number("C"), status, None).unwrap_err();
    assert!(status("Excuted").message.contains("Executed"));
    let external = RecordRef::external("7f0c");
    assert_eq!(
        contracts::update(&service(), &external, row(json!({})), None).unwrap_err().code,
        ErrorCode::InvalidArgument
    );
    let agreement: RecordRef = serde_json::from_value(json!({ "agreementId": "000001" })).unwrap();
    assert!(contracts::get(&service(), &agreement).unwrap_err().message.contains("ContractId is needed"));
}

#[test]
fn a_wildcard_in_an_id_finds_no_other_contract() {
    let mut world = World::new();
    world.rows(SET).push(row(json!({ "dataAreaId": "usmf", "ContractId": "C1" })));
    world.rows(SET).push(row(json!({ "dataAreaId": "usmf", "ContractId": "C*" })));
    let got = world.ends(contracts::get(&service(), &RecordRef::number("C*")).unwrap()).unwrap();
    assert_eq!(got["ContractId"], "C*");
}

#[test]
fn a_life_cycle_of_the_host_decides_before_anything_is_changed() {
    let mut world = World::new();
    let etag = r#"W/"1""#;
    world.rows(SET).push(row(
        json!({ "@odata.etag": etag, "dataAreaId": "usmf", "ContractId": "C1", "ContractStatus": "Draft" }),
    ));
    let set = |to: &str, cycle: Value| {
        let cycle = cycle.as_object().unwrap().iter();
        let cycle =
            cycle.map(|(from, to)| (from.clone(), serde_json::from_value(to.clone()).unwrap())).collect();
        contracts::set_status(&service(), &RecordRef::number("C1"), to, Some(cycle))
    };
    let cycle = json!({ "Draft": ["WaitingForReview", "Cancelled"], "WaitingForReview": ["Approved"] });
    let error = world.ends(set("Executed", cycle.clone()).unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict);
    assert!(
        error.message.contains("from Draft to Executed; WaitingForReview, Cancelled may follow"),
        "{error}"
    );
    assert!(world.writes().is_empty());
    world.ends(set("WaitingForReview", cycle.clone()).unwrap()).unwrap();
    assert_eq!(world.rows(SET)[0]["ContractStatus"], "WaitingForReview");
    world.ends(set("WaitingForReview", cycle).unwrap()).unwrap();
    assert_eq!(world.writes().len(), 1, "it is there already");
    assert!(set("Draft", json!({ "Draft": ["Sined"] })).unwrap_err().message.contains("the life cycle"));
    // Another process is faster.
    world.meanwhile = Some(Box::new(|world| {
        world.rows(SET)[0].insert("@odata.etag".into(), "W/\"2\"".into());
    }));
    let cycle = json!({ "WaitingForReview": ["Approved"] });
    assert_eq!(world.ends(set("Approved", cycle).unwrap()).unwrap_err().code, ErrorCode::PreconditionFailed);
    let missing = contracts::set_status(&service(), &RecordRef::number("C2"), "Draft", Some(vec![])).unwrap();
    assert_eq!(world.ends(missing).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn the_key_is_made_of_what_the_schema_in_force_names() {
    // The documentation's key, where an environment had it.
    let catalog = json!({ "enums": {}, "entities": [{ "aot": "CLMIntegrationContractEntity", "label": "C", "collection": SET,
        "direction": "clmToScm", "company": true, "keys": ["ContractId", "LegalEntityId"], "properties": [
            { "name": "dataAreaId", "type": "Edm.String" }, { "name": "ContractId", "type": "Edm.String" },
            { "name": "LegalEntityId", "type": "Edm.String" }, { "name": "ContractName", "type": "Edm.String" }] }] });
    let tenant = service().with_catalog(Arc::new(Catalog::from_json(&catalog.to_string()).unwrap()));
    let mut told =
        contracts::update(&tenant, &RecordRef::number("C1"), row(json!({ "ContractName": "New" })), None)
            .unwrap();
    let now = Timestamp::from_millis(0);
    assert!(matches!(told.next(now), Step::Token(_)));
    told.handle(Input::TokenRenewed { expires: None }, now);
    let Step::Send(request) = told.next(now) else { panic!("it sends") };
    assert_eq!(
        request.url,
        "https://c.example/data/CLMIntegrationContracts(ContractId='C1',LegalEntityId='usmf')?cross-company=true"
    );
    // That of the metadata.
    let mut told = contracts::update(&service(), &RecordRef::number("C1"), row(json!({})), None).unwrap();
    told.next(now);
    told.handle(Input::TokenRenewed { expires: None }, now);
    let Step::Send(request) = told.next(now) else { panic!("it sends") };
    assert!(
        request.url.ends_with("(dataAreaId='usmf',ContractId='C1')?cross-company=true"),
        "{}",
        request.url
    );
}

#[test]
fn types_are_made_and_corrected_and_further_ones_stay() {
    let before = || {
        let mut world = World::new();
        world.rows("CLMIntegrationContractTypes").extend([
            row(json!({ "Name": "nda", "Description": "old" })),
            row(json!({ "Name": "Lease", "Description": "stays" })),
        ]);
        world
    };
    let call = || {
        let types = [("NDA", Some("Non-disclosure agreement")), ("Purchase", None), ("Lease", None)];
        let types = types.map(|(name, text)| (name.to_owned(), text.map(str::to_owned))).to_vec();
        contracts::sync_types(&service(), types).unwrap()
    };
    assert_eq!(before().ends(call()).unwrap(), json!({ "created": 1, "updated": 1 }));
    killed_everywhere(before, &call, &|world, _| {
        assert_eq!(
            world.sets[1].1,
            [
                row(json!({ "Name": "nda", "Description": "Non-disclosure agreement" })),
                row(json!({ "Name": "Lease", "Description": "stays" })),
                row(json!({ "Name": "Purchase" })),
            ]
        );
    });
    let twice = vec![("A".to_owned(), None), ("a".to_owned(), None)];
    assert_eq!(contracts::sync_types(&service(), twice).unwrap_err().at.as_deref().unwrap().line, Some(2));
}
