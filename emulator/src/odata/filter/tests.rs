//! What passes and what is refused.

use super::*;
use crate::odata::behaviour::{DateFunctions, EqEmpty, EqNull};

fn row(json: &str) -> Row {
    serde_json::from_str(json).unwrap()
}

fn parsed(filter: &str, set: &str, behaviour: &Behaviour) -> Result<Filter, ODataError> {
    let catalog = Catalog::embedded().unwrap();
    Filter::parse(filter, catalog.collection(set).unwrap(), &catalog, behaviour)
}

fn passes_with(behaviour: &Behaviour, filter: &str, json: &str) -> bool {
    parsed(filter, "CLMIntegrationContracts", behaviour).unwrap().matches(&row(json)).unwrap()
}

fn passes(filter: &str, json: &str) -> bool {
    passes_with(&Behaviour::default(), filter, json)
}

fn refused_with(behaviour: &Behaviour, filter: &str) -> String {
    parsed(filter, "CLMIntegrationPurchaseAgreementLines", behaviour).unwrap_err().text().to_owned()
}

fn refused(filter: &str) -> String {
    refused_with(&Behaviour::default(), filter)
}

/// Lines, for numbers.
fn line(filter: &str) -> bool {
    let json = r#"{"LineNumber":3,"CommittedQuantity":7.50,"ItemNumber":"1000"}"#;
    parsed(filter, "CLMIntegrationPurchaseAgreementLines", &Behaviour::default())
        .unwrap()
        .matches(&row(json))
        .unwrap()
}

const ROW: &str = r#"{"dataAreaId":"usmf","ContractId":"C1","ContractName":"Retail lease","ContractStatus":"Executed","EffectiveDate":"2026-04-01T12:00:00Z"}"#;

#[test]
fn operators_bind_as_in_odata() {
    assert!(passes("ContractId eq 'C1' or ContractId eq 'C2' and ContractName eq 'x'", ROW));
    assert!(!passes("(ContractId eq 'C1' or ContractId eq 'C2') and ContractName eq 'x'", ROW));
    assert!(passes("not (ContractId eq 'C2')", ROW));
    assert!(passes("'C0' lt ContractId", ROW));
    assert!(passes("dataAreaId eq 'USMF'", ROW));
    // `not` binds more tightly than `eq`.
    let words = "A unary operator with an incompatible type was detected. Found operand type 'Edm.String' for operator kind 'Not'.";
    assert_eq!(refused("not ItemNumber eq 'x'"), words);
    assert!(passes("(ContractId eq 'C1') eq true and (ContractId eq 'C2') ne true and true", ROW));
}

#[test]
fn a_star_is_a_wildcard_in_eq_and_ne() {
    for good in ["*lease", "Retail*", "*tail*", "R*l*e", "*"] {
        assert!(passes(&format!("ContractName eq '{good}'"), ROW), "{good}");
        assert!(!passes(&format!("ContractName ne '{good}'"), ROW), "{good}");
    }
    for bad in ["*retaill*", "lease*", "R*x*e", "Retail lease*e"] {
        assert!(!passes(&format!("ContractName eq '{bad}'"), ROW), "{bad}");
    }
}

#[test]
fn dates_enums_and_absent_values() {
    assert!(passes("EffectiveDate ge 2026-04-01T00:00:00Z and EffectiveDate lt 2026-04-02T00:00:00Z", ROW));
    assert!(passes("EffectiveDate eq 2026-04-01T14:00:00+02:00", ROW));
    assert!(passes(
        "ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed'",
        ROW
    ));
    assert!(passes("PartyNumber eq '' and PartyNumber eq null", ROW));
    assert!(passes("ExpirationDate eq 1900-01-01T00:00:00Z", ROW));
}

#[test]
fn what_the_service_lacks_is_refused() {
    let words = "The type System.String for the query operator is not Queryable!";
    for text in [
        "startswith(ItemNumber,'A')",
        "contains(ItemNumber,'A') eq true",
        "tolower(ItemNumber) eq 'a'",
        "'a' eq tolower(ItemNumber)",
    ] {
        assert_eq!(refused(text), words, "{text}");
    }
    assert_eq!(refused("ItemNumber in ('A','B')"), "The query operator 'in' is not supported.");
    assert_eq!(
        refused("Nope eq 1"),
        "Could not find a property named 'Nope' on type 'Microsoft.Dynamics.DataEntities.CLMIntegrationPurchaseAgreementLine'."
    );
    assert!(refused("ItemNumber eq 1").contains("incompatible types"));
    assert!(refused("LineNumber eq '1'").contains("incompatible types"));
    assert!(refused("CommitmentType eq 'ProductQuantity'").contains("incompatible types"));
    assert!(
        refused("CommitmentType gt Microsoft.Dynamics.DataEntities.CommitmentType'ProductQuantity'")
            .contains("incompatible types")
    );
    assert!(refused("LineNumber eq 1 LineNumber").contains("Syntax error"));
    assert!(refused(&"(".repeat(5000)).contains("limit"));
}

#[test]
fn arithmetic_keeps_its_order_and_its_types() {
    for good in [
        "CommittedQuantity mul 2 add 1 eq 16",
        "CommittedQuantity mul (2 add 1) eq 22.5",
        "LineNumber add 1 mul 2 eq 5",
        "10 sub 4 sub 3 eq LineNumber",
        "CommittedQuantity mod 2 eq 1.5",
        "CommittedQuantity div 3 eq 2.5",
        "7 div 2 eq 3",
        "7 divby 2 eq 3.5",
        "-LineNumber eq -3",
        "-(LineNumber sub 5) eq 2",
        "LineNumber sub -1 eq 4",
        "CommittedQuantity gt LineNumber",
        "ItemNumber eq ItemNumber",
        "2 mul LineNumber lt 6.01 and 5.99 lt 2 mul LineNumber",
    ] {
        assert!(line(good), "{good}");
    }
    assert!(!line("CommittedQuantity mul 2 add 1 eq 22.5"));
    assert_eq!(
        refused("ItemNumber add 1 eq 2"),
        "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Add'."
    );
    assert!(refused("-ItemNumber eq 'x'").contains("'Negate'"));
    assert!(refused("LineNumber add 1").contains("boolean"));
    let zero = parsed(
        "1 div (LineNumber sub 3) eq 1",
        "CLMIntegrationPurchaseAgreementLines",
        &Behaviour::default(),
    );
    assert_eq!(
        zero.unwrap().matches(&row(r#"{"LineNumber":3}"#)).unwrap_err().text(),
        "Attempted to divide by zero."
    );
}

#[test]
fn what_is_unverified_has_two_modes() {
    let plain = Behaviour::default();
    let exact = Behaviour { text_case: TextCase::Exact, ..Behaviour::default() };
    for filter in
        ["ContractId eq 'c1'", "ContractName eq '*LEASE'", "ContractId gt 'b9'", "ContractName ne '*x*'"]
    {
        assert!(passes_with(&plain, filter, ROW), "{filter}");
    }
    assert!(!passes_with(&exact, "ContractId eq 'c1'", ROW));
    assert!(!passes_with(&exact, "ContractName eq '*LEASE'", ROW));
    assert!(!passes_with(&exact, "ContractId gt 'b9'", ROW));
    // Companies never mind the case.
    assert!(passes_with(&exact, "'UsMf' eq dataAreaId", ROW));

    let no_null = Behaviour { eq_null: EqNull::Refused, ..Behaviour::default() };
    assert!(passes_with(&plain, "null eq PartyNumber and ContractId ne null", ROW));
    assert!(refused_with(&no_null, "ItemNumber eq null").contains("null is not supported"));
    let no_empty = Behaviour { eq_empty: EqEmpty::Refused, ..Behaviour::default() };
    assert!(passes_with(&plain, "PartyNumber eq ''", ROW));
    assert!(refused_with(&no_empty, "'' ne ItemNumber").contains("empty text is not supported"));

    let dates = Behaviour { date_functions: DateFunctions::Supported, ..Behaviour::default() };
    assert_eq!(refused("year(EffectiveDate) eq 2026"), "The query function 'year' is not supported.");
    assert!(passes_with(
        &dates,
        "year(EffectiveDate) eq 2026 and month(EffectiveDate) eq 4 and hour(EffectiveDate) eq 12",
        ROW
    ));
    assert!(refused_with(&dates, "year(ItemNumber) eq 2026").contains("No function signature"));
    assert!(refused_with(&dates, "date(EffectiveDate) eq 2026").contains("'date' is not supported"));
}

#[test]
fn chains_are_long_but_bounded() {
    let of = |part: &str, count: usize, joint: &str| vec![part; count].join(joint);
    assert!(line(&format!("{} eq 201", of("1", 201, " add "))));
    assert!(line(&of("LineNumber eq 3", 999, " and ")));
    assert!(line(&format!("{}LineNumber eq 3{}", "(".repeat(98), ")".repeat(98))));
    assert!(refused(&of("LineNumber eq 3", 1_001, " or ")).contains("limit"));
    assert!(line(&of("LineNumber eq 4", 998, " or ")) == line("LineNumber eq 4"));
    assert!(refused(&format!("{} eq 1", of("1", 202, " add "))).contains("limit"));
    assert!(refused(&of("true", 300, " eq ")).contains("limit"));
}
