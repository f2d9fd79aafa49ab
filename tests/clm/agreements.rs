use d365_clm::ErrorCode;
use d365_clm::clm::{Draft, RecordRef, agreements};
use serde_json::{Value, json};

use crate::world::{Fate, World, killed_everywhere, row, service};

const HEADERS: &str = "CLMIntegrationPurchaseAgreements";
const LINES: &str = "CLMIntegrationPurchaseAgreementLines";

fn draft(value: Value) -> Draft {
    serde_json::from_value(value).unwrap()
}

fn planned() -> Value {
    json!({
        "header": { "ExternalContractId": "PA-7f0c", "AgreementVendorAccountNumber": "1001", "CurrencyCode": "USD" },
        "lines": [
            { "CommitmentType": "ProductQuantity", "ItemNumber": "1000", "CommittedQuantity": "10.00" },
            { "CommitmentType": "ProductQuantity", "ItemNumber": "1001", "CommittedQuantity": "1234.25" },
        ],
    })
}

/// An agreement that is there and effective.
fn effective() -> World {
    let mut world = World::new();
    world.ends(agreements::create(&service(), draft(planned())).unwrap()).unwrap();
    world.log.clear();
    world
}

fn good() -> Value {
    json!({ "valid": true, "unchecked": [], "findings": [] })
}

#[test]
fn the_four_steps_killed_after_any_of_them_end_at_one_agreement() {
    killed_everywhere(
        World::new,
        &|| agreements::create(&service(), draft(planned())).unwrap(),
        &|world, told| {
            assert_eq!(*told, json!({ "agreementId": "000001", "validation": good() }));
            let header = &world.sets[2].1;
            assert_eq!(
                *header,
                [row(
                    json!({ "ExternalContractId": "PA-7f0c", "AgreementVendorAccountNumber": "1001", "CurrencyCode": "USD",
                    "AgreementStatus": "Effective", "dataAreaId": "usmf", "AgreementOwnership": "CLM", "PurchaseAgreementId": "000001" })
                )]
            );
            let lines: Vec<String> = world.sets[3].1.iter().map(|line| json!(line).to_string()).collect();
            assert_eq!(lines.len(), 2);
            assert!(
                lines[0].contains(r#""LineNumber":1"#)
                    && lines[0].contains(r#""PurchaseAgreementId":"000001""#),
                "{}",
                lines[0]
            );
            assert!(lines[1].contains(r#""ItemNumber":"1001""#) && lines[1].contains(r#""LineNumber":2"#));
        },
    );
}

#[test]
fn the_steps_are_these_and_a_repeat_sends_nothing() {
    let mut world = World::new();
    world.ends(agreements::create(&service(), draft(planned())).unwrap()).unwrap();
    assert_eq!(
        world.writes(),
        [
            "POST CLMIntegrationPurchaseAgreements",
            // Validated, without being stored.
            "POST $batch",
            "POST CLMIntegrationValidateInsertPurchaseAgreementLines",
            "POST CLMIntegrationValidateInsertPurchaseAgreementLines",
            // Made, all of them in one change set.
            "POST $batch",
            "POST CLMIntegrationPurchaseAgreementLines",
            "POST CLMIntegrationPurchaseAgreementLines",
            "PATCH CLMIntegrationPurchaseAgreements",
        ]
    );
    world.log.clear();
    world.ends(agreements::create(&service(), draft(planned())).unwrap()).unwrap();
    assert_eq!(world.log, ["GET CLMIntegrationPurchaseAgreements"]);
}

#[test]
fn refused_lines_leave_the_header_on_hold_and_a_corrected_draft_goes_on() {
    for older in [false, true] {
        let mut world = World::new();
        world.older = older;
        let mut wrong = planned();
        wrong["lines"][1]["ItemNumber"] = "1999".into();
        let told = world.ends(agreements::create(&service(), draft(wrong)).unwrap()).unwrap();
        assert_eq!(
            told["validation"],
            json!({ "valid": false, "unchecked": [], "findings": [
                { "line": 2, "field": "ItemNumber", "message": "Item number 1999 was not found." }] }),
            "older: {older}"
        );
        assert_eq!(world.rows(HEADERS)[0]["AgreementStatus"], "OnHold");
        assert!(world.rows(LINES).is_empty());
        let mut corrected = planned();
        corrected["header"]["CurrencyCode"] = "EUR".into();
        let told = world.ends(agreements::create(&service(), draft(corrected)).unwrap()).unwrap();
        assert_eq!(told, json!({ "agreementId": "000001", "validation": good() }));
        assert_eq!(world.rows(HEADERS).len(), 1);
        assert_eq!(world.rows(HEADERS)[0]["AgreementStatus"], "Effective");
        assert_eq!(world.rows(HEADERS)[0]["CurrencyCode"], "EUR");
        assert_eq!(world.rows(LINES).len(), 2);
    }
}

#[test]
fn a_refused_header_is_thrown_and_a_refused_correction_is_a_finding() {
    let mut world = World::new();
    let mut wrong = planned();
    wrong["header"]["AgreementVendorAccountNumber"] = "9999".into();
    let error = world.ends(agreements::create(&service(), draft(wrong.clone())).unwrap()).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (ErrorCode::ValidationFailed, "Vendor account 9999 was not found.")
    );
    let held = json!({ "dataAreaId": "usmf", "PurchaseAgreementId": "7", "ExternalContractId": "PA-7f0c", "AgreementStatus": "OnHold" });
    world.rows(HEADERS).push(row(held.clone()));
    let told = world.ends(agreements::create(&service(), draft(wrong)).unwrap()).unwrap();
    assert_eq!(told["agreementId"], "7");
    assert_eq!(told["validation"]["findings"][0]["message"], "Vendor account 9999 was not found.");
    assert_eq!(world.rows(HEADERS)[0], row(held));
    world.rows(HEADERS)[0].insert("AgreementStatus".into(), "Closed".into());
    let closed = world.ends(agreements::create(&service(), draft(planned())).unwrap()).unwrap_err();
    assert_eq!(closed.code, ErrorCode::Conflict);
}

#[test]
fn validation_without_a_header_says_what_it_could_not_check() {
    let mut world = World::new();
    let told = world.ends(agreements::validate(&service(), draft(planned()), None).unwrap()).unwrap();
    assert_eq!(told, json!({ "valid": false, "unchecked": ["header", "lines"], "findings": [] }));
    assert!(world.log.is_empty());
    let on = RecordRef::number("404");
    let error =
        world.ends(agreements::validate(&service(), draft(planned()), Some(&on)).unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    let mut misspelt = planned();
    misspelt["lines"][1]["ItemNumbr"] = "1".into();
    let error = agreements::validate(&service(), draft(misspelt), None).unwrap_err();
    assert_eq!((error.code, error.at.as_deref().unwrap().line), (ErrorCode::UnknownProperty, Some(2)));
}

#[test]
fn validation_on_a_header_stores_nothing_and_tells_of_all_lines() {
    for older in [false, true] {
        let mut world = effective();
        world.older = older;
        let before = world.state();
        let wrong = json!({
            "header": { "AgreementVendorAccountNumber": "9999" },
            "lines": [
                { "LineNumber": 1, "ItemNumber": "1999" },
                { "LineNumber": 3, "ItemNumber": "1999", "CommitmentType": "ProductQuantity" },
            ],
        });
        let on = RecordRef::number("000001");
        let told = world.ends(agreements::validate(&service(), draft(wrong), Some(&on)).unwrap()).unwrap();
        assert_eq!(
            told,
            json!({ "valid": false, "unchecked": [], "findings": [
                { "field": "AgreementVendorAccountNumber", "message": "Vendor account 9999 was not found." },
                { "line": 1, "field": "ItemNumber", "message": "Item number 1999 was not found." },
                { "line": 2, "field": "ItemNumber", "message": "Item number 1999 was not found." },
            ] }),
            "older: {older}"
        );
        assert_eq!(world.state(), before);
    }
}

#[test]
fn an_amendment_sends_only_what_differs() {
    let mut world = effective();
    let got = world.ends(agreements::get(&service(), &RecordRef::external("PA-7f0c")).unwrap()).unwrap();
    let on = RecordRef::number("000001");
    let same = world.ends(agreements::amend(&service(), &on, draft(got)).unwrap()).unwrap();
    assert_eq!(same, json!({ "changed": [], "validation": good() }));
    assert!(world.writes().is_empty());
    let wanted = json!({
        "header": { "CurrencyCode": "USD", "PaymentTermsName": "Net30" },
        "lines": [
            { "LineNumber": 1, "ItemNumber": "1000", "CommittedQuantity": 10 },
            { "LineNumber": 3, "ItemNumber": "1002", "CommitmentType": "ProductQuantity" },
        ],
    });
    let told = world.ends(agreements::amend(&service(), &on, draft(wanted)).unwrap()).unwrap();
    assert_eq!(
        told,
        json!({ "changed": ["header.PaymentTermsName", "line 3 (new)", "line 2 (deleted)"], "validation": good() })
    );
    assert_eq!(world.rows(HEADERS)[0]["PaymentTermsName"], "Net30");
    let items: Vec<Value> = world.rows(LINES).iter().map(|line| line["ItemNumber"].clone()).collect();
    assert_eq!(items, ["1000", "1002"]);
}

#[test]
fn an_amendment_killed_anywhere_is_there_once() {
    let wanted = || {
        draft(json!({ "header": { "CurrencyCode": "EUR" }, "lines": [
            { "LineNumber": 2, "CommittedQuantity": "5" }, { "LineNumber": 3, "ItemNumber": "1002" }] }))
    };
    killed_everywhere(
        effective,
        &|| agreements::amend(&service(), &RecordRef::number("000001"), wanted()).unwrap(),
        &|world, told| {
            assert_eq!(told["validation"], good());
            assert_eq!(world.sets[2].1[0]["CurrencyCode"], "EUR");
            assert_eq!(world.sets[3].1.len(), 2);
        },
    );
}

#[test]
fn a_refused_amendment_changes_nothing() {
    let mut world = effective();
    let before = world.state();
    let wanted =
        json!({ "header": { "CurrencyCode": "EUR" }, "lines": [{ "LineNumber": 1, "ItemNumber": "1999" }] });
    let told = world
        .ends(agreements::amend(&service(), &RecordRef::number("000001"), draft(wanted)).unwrap())
        .unwrap();
    assert_eq!(told["changed"], json!([]));
    assert_eq!(told["validation"]["findings"][0]["line"], 1);
    assert_eq!(world.state(), before);
}

#[test]
fn lines_have_one_number_each() {
    let twice = json!({ "header": { "ExternalContractId": "x" }, "lines": [{ "LineNumber": "2.0" }, {}] });
    let error = agreements::create(&service(), draft(twice)).unwrap_err();
    assert_eq!((error.code, error.at.as_deref().unwrap().line), (ErrorCode::InvalidArgument, Some(2)));
    let none = json!({ "header": {}, "lines": [] });
    assert_eq!(agreements::create(&service(), draft(none)).unwrap_err().code, ErrorCode::InvalidArgument);
}

#[test]
fn lines_that_are_refused_only_when_stored_are_all_left_out() {
    let mut world = World::new();
    let mut wrong = planned();
    wrong["lines"][1]["ItemNumber"] = "1998".into();
    let told = world.ends(agreements::create(&service(), draft(wrong)).unwrap()).unwrap();
    assert_eq!(
        told["validation"]["findings"],
        json!([{ "line": 2, "field": "ItemNumber", "message": "Item number 1998 is blocked." }])
    );
    assert!(world.rows(LINES).is_empty());
    assert_eq!(world.rows(HEADERS)[0]["AgreementStatus"], "OnHold");
}

#[test]
fn a_header_that_another_process_made_meanwhile_is_taken() {
    let mut world = World::new();
    let other = json!({ "dataAreaId": "usmf", "PurchaseAgreementId": "000001", "ExternalContractId": "PA-7f0c",
        "AgreementStatus": "OnHold" });
    let mut numbered = planned();
    numbered["header"]["PurchaseAgreementId"] = "000001".into();
    world.meanwhile = Some(Box::new(|world| world.rows(HEADERS).push(row(other))));
    let told = world.ends(agreements::create(&service(), draft(numbered)).unwrap()).unwrap();
    assert_eq!(told, json!({ "agreementId": "000001", "validation": good() }));
    assert_eq!(world.rows(HEADERS).len(), 1);
    assert_eq!(world.rows(HEADERS)[0]["CurrencyCode"], "USD");
}

#[test]
fn a_line_that_a_header_on_hold_has_beyond_the_draft_stays() {
    let mut world = World::new();
    world.rows(HEADERS).push(row(
        json!({ "dataAreaId": "usmf", "PurchaseAgreementId": "7", "ExternalContractId": "PA-7f0c",
        "AgreementStatus": "OnHold" }),
    ));
    world.rows(LINES).push(row(json!({ "dataAreaId": "usmf", "PurchaseAgreementId": "7", "LineNumber": 9 })));
    world.ends(agreements::create(&service(), draft(planned())).unwrap()).unwrap();
    let numbers: Vec<&Value> = world.sets[3].1.iter().map(|line| &line["LineNumber"]).collect();
    assert_eq!(numbers, [&json!(9), &json!(1), &json!(2)]);
}

#[test]
fn a_lost_answer_whose_work_is_there_is_no_failure() {
    // Header; look, header, lines, document, validation, change set.
    for request in [2, 6] {
        let mut world = World::new();
        let told =
            world.hold(agreements::create(&service(), draft(planned())).unwrap(), Fate::Loses(request));
        assert_eq!(
            told.unwrap().unwrap(),
            json!({ "agreementId": "000001", "validation": good() }),
            "{request}"
        );
        assert_eq!((world.rows(HEADERS).len(), world.rows(LINES).len()), (1, 2));
    }
}
