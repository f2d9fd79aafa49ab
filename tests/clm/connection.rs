use std::sync::Arc;

use d365_clm::ErrorCode;
use d365_clm::catalog::Catalog;
use d365_clm::clm::{Setup, connection};
use serde_json::{Value, json};

use crate::world::{Fate, World, killed_everywhere, row, service};

const INSTANCES: &str = "CLMIntegrationServiceInstances";
const LINKS: &str = "CLMIntegrationExternalNavigationLinks";
const VALUES: &str = "CLMIntegrationExternalNavigationLinkKeyValues";

fn setup() -> Value {
    json!({
        "instanceName": "Acme CLM", "baseUrl": "https://acme-clm.example", "navigationBaseUrl": "https://app.acme-clm.example",
        "links": [{ "type": "ViewContract", "name": "View contract", "relativeUrl": "/contracts/view", "open": "OpenInNewTab",
            "query": { "id": "%CLMIntegrationContractTable.ExternalContractId%" } }],
    })
}

fn establish(world: &mut World, setup: &Value) -> Result<Value, d365_clm::Error> {
    let setup: Setup = serde_json::from_value(setup.clone()).unwrap();
    world.ends(connection::establish(&service(), setup).unwrap())
}

#[test]
fn the_handshake_killed_after_any_step_ends_the_same() {
    killed_everywhere(
        World::new,
        &|| connection::establish(&service(), serde_json::from_value(setup()).unwrap()).unwrap(),
        &|world, _| {
            assert_eq!(
                world.sets[4].1,
                [row(json!({ "InstanceName": "Acme CLM", "BaseURL": "https://acme-clm.example",
                    "ExternalNavigationBaseURL": "https://app.acme-clm.example", "ID": 0,
                    "EstablishmentStatus": "Success", "ConfigurationStatus": "Success" }))]
            );
            assert_eq!(
                world.sets[5].1,
                [row(
                    json!({ "ServiceInstanceName": "Acme CLM", "NavigationType": "ViewContract", "NavigationName": "View contract",
                    "RelativeURL": "/contracts/view", "Action": "OpenInNewTab" })
                )]
            );
            assert_eq!(
                world.sets[6].1,
                [row(json!({ "NavigationType": "ViewContract", "KeyValueType": "QueryString", "Key": "id",
                    "Value": "%CLMIntegrationContractTable.ExternalContractId%" }))]
            );
        },
    );
}

#[test]
fn it_says_what_it_changed_and_then_changes_nothing() {
    let mut world = World::new();
    let none = world.ends(connection::status(&service())).unwrap();
    assert_eq!(none, json!({ "establishment": "NotStarted", "configuration": "NotStarted" }));
    let told = establish(&mut world, &setup()).unwrap();
    assert_eq!(
        told["changed"],
        json!([
            "instance",
            "EstablishmentStatus",
            "ViewContract (new)",
            "ViewContract?id (new)",
            "ConfigurationStatus"
        ])
    );
    world.log.clear();
    assert_eq!(establish(&mut world, &setup()).unwrap(), json!({ "changed": [] }));
    assert!(world.writes().is_empty());
    let mut moved = setup();
    moved["baseUrl"] = "https://new.example".into();
    assert_eq!(establish(&mut world, &moved).unwrap(), json!({ "changed": ["BaseURL"] }));
    let status = world.ends(connection::status(&service())).unwrap();
    assert_eq!(
        status,
        json!({ "establishment": "Success", "configuration": "Success", "instanceName": "Acme CLM" })
    );
}

#[test]
fn while_links_are_missing_the_connection_is_not_ready() {
    let mut world = World::new();
    establish(&mut world, &setup()).unwrap();
    let mut more = setup();
    more["links"][0]["query"]["x"] = "1".into();
    // Three looks, the status, the value.
    let more: Setup = serde_json::from_value(more).unwrap();
    let died = world.hold(connection::establish(&service(), more.clone()).unwrap(), Fate::DiesAfter(5));
    assert!(died.is_none());
    assert_eq!(world.rows(VALUES).len(), 2);
    assert_eq!(world.rows(INSTANCES)[0]["ConfigurationStatus"], "NotStarted");
    let told = world.ends(connection::establish(&service(), more).unwrap()).unwrap();
    assert_eq!(told, json!({ "changed": ["ConfigurationStatus"] }));
}

/// The types of the enums are not published; an environment tells them.
fn of_tenant() -> d365_clm::odata::Service {
    let catalog = json!({ "enums": { "NavType": ["ViewContract"], "ValueType": ["QueryString"] }, "entities": [
        { "aot": "CLMIntegrationExternalNavigationLinkEntity", "label": "L", "collection": LINKS, "direction": "clmToScm",
          "keys": ["NavigationType"], "properties": [
            { "name": "NavigationType", "type": "NavType" }, { "name": "ServiceInstanceName", "type": "Edm.String" },
            { "name": "NavigationName", "type": "Edm.String" }, { "name": "RelativeURL", "type": "Edm.String" },
            { "name": "Action", "type": "Edm.String" }] },
        { "aot": "CLMIntegrationServiceInstanceEntity", "label": "I", "collection": INSTANCES, "direction": "clmToScm",
          "keys": ["ID"], "properties": [
            { "name": "ID", "type": "Edm.Int32" }, { "name": "InstanceName", "type": "Edm.String" },
            { "name": "BaseURL", "type": "Edm.String" }, { "name": "ExternalNavigationBaseURL", "type": "Edm.String" },
            { "name": "EstablishmentStatus", "type": "Edm.String" }, { "name": "ConfigurationStatus", "type": "Edm.String" }] },
        { "aot": "CLMIntegrationExternalNavigationLinkKeyValueEntity", "label": "V", "collection": VALUES, "direction": "clmToScm",
          "keys": ["NavigationType", "KeyValueType", "Key"], "properties": [
            { "name": "NavigationType", "type": "NavType" }, { "name": "KeyValueType", "type": "ValueType" },
            { "name": "Key", "type": "Edm.String" }, { "name": "Value", "type": "Edm.String" }] }] });
    service().with_catalog(Arc::new(Catalog::from_json(&catalog.to_string()).unwrap()))
}

#[test]
fn links_are_corrected_by_the_documented_key_where_its_type_is_known() {
    let mut world = World::new();
    establish(&mut world, &setup()).unwrap();
    world.enum_keys = true;
    let mut other = setup();
    other["links"][0]["relativeUrl"] = "/v2".into();
    other["links"][0]["query"] = json!({ "contract": "%CLMIntegrationContractTable.ExternalContractId%" });
    let other: Setup = serde_json::from_value(other).unwrap();
    let told = world.ends(connection::establish(&of_tenant(), other).unwrap()).unwrap();
    assert_eq!(
        told["changed"],
        json!([
            "ViewContract.RelativeURL",
            "ViewContract?contract (new)",
            "ViewContract?id (deleted)",
            "ConfigurationStatus"
        ])
    );
    assert_eq!(world.rows(LINKS)[0]["RelativeURL"], "/v2");
    assert_eq!(world.rows(VALUES).len(), 1);
    assert_eq!(world.rows(INSTANCES)[0]["ConfigurationStatus"], "Success");
}

#[test]
fn a_link_that_its_key_does_not_reach_is_an_error_and_the_connection_not_ready() {
    let mut world = World::new();
    establish(&mut world, &setup()).unwrap();
    let mut other = setup();
    other["links"][0]["relativeUrl"] = "/v2".into();
    let other: Setup = serde_json::from_value(other).unwrap();
    let error = world.ends(connection::establish(&of_tenant(), other).unwrap()).unwrap_err();
    assert_eq!((error.code, error.status), (ErrorCode::Conflict, Some(404)));
    assert!(error.hint.as_deref().unwrap().contains("Contract management parameters"));
    assert_eq!(world.rows(INSTANCES)[0]["ConfigurationStatus"], "Error");
    assert_eq!(world.rows(LINKS)[0]["RelativeURL"], "/contracts/view");
}

#[test]
fn a_refused_link_is_told_to_the_administrator_too() {
    let mut world = World::new();
    let mut bad = setup();
    bad["links"][0]["relativeUrl"] = "bad".into();
    let error = establish(&mut world, &bad).unwrap_err();
    assert_eq!(error.code, ErrorCode::ValidationFailed);
    let instance = &world.rows(INSTANCES)[0];
    assert_eq!(
        (&instance["EstablishmentStatus"], &instance["ConfigurationStatus"]),
        (&json!("Success"), &json!("Error"))
    );
}

#[test]
fn a_missing_set_says_that_the_feature_is_off() {
    let mut world = World::new();
    world.sets.retain(|(name, _)| *name != INSTANCES);
    let error = world.ends(connection::status(&service())).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(error.hint.as_deref().unwrap().contains("10.0.42"));
    let wrong = |change: fn(&mut Value)| {
        let mut wrong = setup();
        change(&mut wrong);
        connection::establish(&service(), serde_json::from_value(wrong).unwrap()).unwrap_err().code
    };
    assert_eq!(wrong(|setup| setup["baseUrl"] = "acme".into()), ErrorCode::InvalidArgument);
    assert_eq!(wrong(|setup| setup["links"][0]["type"] = "SeeContract".into()), ErrorCode::InvalidArgument);
    assert_eq!(wrong(|setup| setup["links"][0]["open"] = "New".into()), ErrorCode::InvalidArgument);
}
