//! The three scenarios of the documentation, as a contract system goes through them.

use d365_clm::clm::{RecordRef, agreements, contracts};
use serde_json::{Value, json};

use crate::world::{World, row, service};

fn status(world: &mut World, id: &str, status: &str) {
    world.ends(contracts::set_status(&service(), &RecordRef::number(id), status, None).unwrap()).unwrap();
}

fn contract(world: &mut World, id: &str, kind: &str) {
    world.ends(contracts::sync_types(&service(), vec![(kind.to_owned(), None)]).unwrap()).unwrap();
    let value = json!({ "ContractId": id, "ExternalContractId": format!("ext-{id}"), "ContractType": kind,
        "ContractStatus": "Draft", "EffectiveDate": "2026-04-01", "ExpirationDate": null, "AccountType": "Vend",
        "AccountRelationId": "1001", "AmendmentInProcess": false });
    world.ends(contracts::create(&service(), row(value)).unwrap()).unwrap();
}

fn stored(world: &mut World, set: &str, property: &str) -> Value {
    world.rows(set)[0].get(property).cloned().unwrap_or_default()
}

#[test]
fn a_non_disclosure_agreement() {
    let mut world = World::new();
    contract(&mut world, "C00001", "NDA");
    let set = "CLMIntegrationContracts";
    assert_eq!(stored(&mut world, set, "ExpirationDate"), "1900-01-01T00:00:00Z");
    assert_eq!(stored(&mut world, set, "AmendmentInProcess"), "No");
    for next in ["WaitingForApproval", "Approved", "WaitingForSignatures", "Executed"] {
        status(&mut world, "C00001", next);
        assert_eq!(stored(&mut world, set, "ContractStatus"), next);
    }
}

#[test]
fn a_purchase_contract_its_amendment_and_its_termination() {
    let mut world = World::new();
    contract(&mut world, "C00002", "Purchase");
    let mut draft = json!({
        "header": { "ExternalContractId": "ext-PA", "ContractId": "C00002", "ContractLegalEntityId": "usmf",
            "AgreementVendorAccountNumber": "1001", "DefaultCommitmentType": "ProductQuantity", "AgreementStatus": "OnHold" },
        "lines": [{ "CommitmentType": "ProductQuantity", "ItemNumber": "1000", "CommittedQuantity": 10 }],
    });
    let parse = |draft: &Value| serde_json::from_value(draft.clone()).unwrap();
    // On hold until it is signed: the lines are validated against it.
    let made = world.ends(agreements::create(&service(), parse(&draft)).unwrap()).unwrap();
    assert_eq!(made["validation"]["valid"], true);
    let headers = "CLMIntegrationPurchaseAgreements";
    assert_eq!(stored(&mut world, headers, "AgreementStatus"), "OnHold");
    for next in ["WaitingForApproval", "Approved", "WaitingForSignatures", "Executed"] {
        status(&mut world, "C00002", next);
    }
    draft["header"]["AgreementStatus"] = "Effective".into();
    let made = world.ends(agreements::create(&service(), parse(&draft)).unwrap()).unwrap();
    assert_eq!(stored(&mut world, headers, "AgreementStatus"), "Effective");
    let agreement = RecordRef::number(made["agreementId"].as_str().unwrap());
    assert_eq!(world.rows("CLMIntegrationPurchaseAgreementLines").len(), 1);

    let patch = |world: &mut World, value: Value| {
        world
            .ends(contracts::update(&service(), &RecordRef::number("C00002"), row(value), None).unwrap())
            .unwrap()
    };
    patch(
        &mut world,
        json!({ "LatestAmendmentId": "A1", "LatestExternalAmendmentId": "ext-A1", "AmendmentInProcess": true }),
    );
    draft["lines"][0]["CommittedQuantity"] = 20.into();
    let checked =
        world.ends(agreements::validate(&service(), parse(&draft), Some(&agreement)).unwrap()).unwrap();
    assert_eq!(checked["valid"], true);
    let amended = world.ends(agreements::amend(&service(), &agreement, parse(&draft)).unwrap()).unwrap();
    assert_eq!(amended["changed"], json!(["line 1.CommittedQuantity"]));
    patch(&mut world, json!({ "AmendmentInProcess": false }));
    let contracts = "CLMIntegrationContracts";
    assert_eq!(stored(&mut world, contracts, "AmendmentInProcess"), "No");
    assert_eq!(stored(&mut world, contracts, "LatestAmendmentId"), "A1");

    status(&mut world, "C00002", "Terminated");
    for _ in 0..2 {
        world.ends(agreements::close(&service(), &agreement).unwrap()).unwrap();
    }
    assert_eq!(stored(&mut world, headers, "AgreementStatus"), "Closed");
}
