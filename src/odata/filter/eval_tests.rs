use super::*;
use crate::catalog::builtin;
use crate::error::{ErrorCode, Result};

const CONTRACT: &str = r#"{"ContractName":"Retail Lease Ä*","ContractId":"C-1","PartyNumber":"","ContractStatus":"Executed",
    "AmendmentInProcess":"Yes","EffectiveDate":"2026-04-01T12:00:00Z","ExpirationDate":"1900-01-01T00:00:00Z","ContractType":null}"#;
const LINE: &str =
    r#"{"LineNumber":"1.10","Price":12345678901234567890.25,"CommittedQuantity":7,"ItemNumber":"007"}"#;

fn ask(collection: &str, row: &str, text: &str) -> Result<bool> {
    Filter::parse(text)?.matches(&Row::parse(row)?, builtin().find(collection), builtin())
}
fn fits(text: &str) -> bool {
    ask("CLMIntegrationContracts", CONTRACT, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
fn line(text: &str) -> bool {
    ask("CLMIntegrationPurchaseAgreementLines", LINE, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn text_is_compared_without_case_and_by_pattern() {
    for yes in [
        "ContractId eq 'c-1'",
        "ContractName eq '*lease ä*'",
        "ContractName eq 'R*L*'",
        "ContractName eq '*'",
        "ContractName ne 'x*'",
        "ContractId lt 'D'",
        "ContractId gt 'b'",
        "PartyNumber eq ''",
    ] {
        assert!(fits(yes), "{yes}");
    }
    for no in [
        "ContractName eq 'Lease*'",
        "ContractName eq '*Retail'",
        "ContractId eq 'C-1*1'",
        "ContractId ne 'c-1'",
    ] {
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn an_exact_text_has_its_star() {
    let exact = |text: &str| {
        let json = format!(r#"{{"op":"eq","p":"ContractName","v":{{"t":"s","v":"{text}"}},"exact":true}}"#);
        let filter: Filter = serde_json::from_str(&json).unwrap();
        filter.matches(&Row::parse(CONTRACT).unwrap(), None, builtin()).unwrap()
    };
    assert!(exact("Retail lease ä*"));
    assert!(!exact("Retail*"));
}

#[test]
fn enums_dates_and_nothing() {
    for yes in [
        "ContractStatus eq 'Executed'",
        "ContractStatus ne 'Draft'",
        "AmendmentInProcess eq true",
        "EffectiveDate eq 2026-04-01T14:00:00+02:00",
        "EffectiveDate eq 2026-04-01",
        "EffectiveDate gt 2026-04-01T11:59:59.999Z",
        "EffectiveDate gt ExpirationDate",
        "PartyNumber eq null",
        "ExpirationDate eq null",
        "ContractType eq null and ContractType eq ''",
        "ContractName ne null",
        "not (ContractStatus eq 'Draft') and (false or true)",
    ] {
        assert!(fits(yes), "{yes}");
    }
    for no in ["ContractStatus eq 'Draft'", "AmendmentInProcess eq false", "EffectiveDate eq null", "false"] {
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn numbers_lose_nothing() {
    for yes in [
        "LineNumber eq 1.1",
        "Price eq 12345678901234567890.25",
        "Price gt 12345678901234567890.2499",
        "CommittedQuantity div 2 eq 3.5",
        "7 div 2 eq 3",
        "7 divby 2 eq 3.5",
        "CommittedQuantity mod 4 eq 3",
        "-7 mod 4 eq -3",
        "LineNumber mul 10 sub 11 eq 0",
        "-CommittedQuantity lt -(6) add 0",
        "ItemNumber eq '007'",
    ] {
        assert!(line(yes), "{yes}");
    }
    for no in ["Price eq 12345678901234567890.26", "LineNumber lt 1.1", "ItemNumber eq '7'"] {
        assert!(!line(no), "{no}");
    }
}

#[test]
fn an_int64_marked_for_a_bigint_is_a_number() {
    let row = r#"{"RecId":{"$int64":"9007199254740993"}}"#;
    assert!(ask("Unknown", row, "RecId eq 9007199254740993").unwrap());
    assert!(!ask("Unknown", row, "RecId eq 9007199254740992").unwrap());
}

#[test]
fn what_can_not_be_decided_is_an_error() {
    let code = |text| ask("CLMIntegrationPurchaseAgreementLines", LINE, text).unwrap_err().code;
    assert_eq!(code("UnitSymbol eq 'x'"), ErrorCode::InvalidArgument, "the row lacks it");
    assert_eq!(code("Nope eq 1"), ErrorCode::UnknownProperty);
    assert_eq!(code("Price div 0 eq 1"), ErrorCode::InvalidArgument);
    assert_eq!(code("Price mul Price mul Price eq 1"), ErrorCode::UnsupportedQuery);
    assert!(Row::parse("[1]").is_err());
}

#[test]
fn an_unknown_entity_is_compared_by_the_literal() {
    for yes in ["LineNumber eq 1.1", "LineNumber eq '1.10'", "CommittedQuantity gt 6"] {
        assert!(ask("Unknown", LINE, yes).unwrap(), "{yes}");
    }
    assert!(
        ask("Unknown", CONTRACT, "EffectiveDate lt 2026-04-02 and AmendmentInProcess eq NoYes'Yes'").unwrap()
    );
}
