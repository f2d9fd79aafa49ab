use super::*;
use crate::catalog::builtin;
use crate::error::{ErrorCode, Result};

fn tree(collection: &str, json: &str) -> Result<String> {
    let filter: Filter = serde_json::from_str(json).unwrap();
    filter.render(builtin().find(collection), builtin())
}
fn text(collection: &str, text: &str) -> Result<String> {
    Filter::parse(text).unwrap().render(builtin().find(collection), builtin())
}

#[test]
fn trees_become_the_text_of_the_service() {
    let json = r#"{"op":"and","x":[{"op":"eq","p":"ContractStatus","v":{"t":"s","v":"Executed"}},
        {"op":"or","x":[{"op":"ge","p":"ExpirationDate","v":{"t":"d","v":"2026-03-01T00:00:00.000Z"}},
        {"op":"not","x":[{"op":"like","p":"ContractName","v":{"t":"s","v":"*NDA*"}}]}]}]}"#;
    assert_eq!(
        tree("CLMIntegrationContracts", json).unwrap(),
        "ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed' and \
         (ExpirationDate ge 2026-03-01T00:00:00.000Z or not (ContractName eq '*NDA*'))"
    );
    let any = r#"{"op":"anyOf","p":"CurrencyCode","v":[{"t":"s","v":"EUR"},{"t":"s","v":"USD"}]}"#;
    assert_eq!(tree("Currencies", any).unwrap(), "CurrencyCode eq 'EUR' or CurrencyCode eq 'USD'");
    let within = format!(r#"{{"op":"and","x":[{any},{{"op":"ne","p":"Name","v":{{"t":"z"}}}}]}}"#);
    assert_eq!(
        tree("Currencies", &within).unwrap(),
        "(CurrencyCode eq 'EUR' or CurrencyCode eq 'USD') and Name ne null"
    );
}

#[test]
fn texts_are_completed_and_checked_as_trees_are() {
    let contracts = "CLMIntegrationContracts";
    let executed = "ContractStatus eq Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Executed'";
    for given in
        [executed, "ContractStatus eq 'Executed'", "ContractStatus eq CLMIntegrationContractStatus'Executed'"]
    {
        assert_eq!(text(contracts, given).unwrap(), executed);
    }
    assert_eq!(
        text(contracts, "AmendmentInProcess eq true").unwrap(),
        "AmendmentInProcess eq Microsoft.Dynamics.DataEntities.NoYes'Yes'"
    );
    assert_eq!(
        text(contracts, "EffectiveDate ge 2026-03-31 and EffectiveDate lt 2026-04-01T01:00+02:00").unwrap(),
        "EffectiveDate ge 2026-03-31T12:00:00Z and EffectiveDate lt 2026-03-31T23:00:00Z"
    );
    let lines = "CLMIntegrationPurchaseAgreementLines";
    assert_eq!(
        text(lines, "(Price sub LineDiscountAmount) mul 2 ge -(Price) divby 3").unwrap(),
        "(Price sub LineDiscountAmount) mul 2 ge -Price divby 3"
    );
    for (given, code) in [
        ("ContractNmae eq 'x'", ErrorCode::UnknownProperty),
        ("ContractStatus eq 'Excuted'", ErrorCode::InvalidArgument),
        ("ContractStatus eq NoYes'Yes'", ErrorCode::InvalidArgument),
        ("ContractStatus gt 'Draft'", ErrorCode::UnsupportedQuery),
        ("ContractName eq 1", ErrorCode::InvalidArgument),
        ("ContractName gt null", ErrorCode::UnsupportedQuery),
        ("EffectiveDate eq 'soon'", ErrorCode::InvalidArgument),
        ("EffectiveDate eq -10000-01-01", ErrorCode::InvalidArgument),
        ("EffectiveDate eq '2026*'", ErrorCode::InvalidArgument),
        ("ContractStatus eq 'Ex*'", ErrorCode::InvalidArgument),
        ("ContractName eq EffectiveDate", ErrorCode::InvalidArgument),
        ("ContractStatus gt AccountType", ErrorCode::UnsupportedQuery),
        ("ContractName add 1 eq 2", ErrorCode::InvalidArgument),
        ("'a' eq 'b*'", ErrorCode::UnsupportedQuery),
    ] {
        let error = text(contracts, given).expect_err(given);
        assert_eq!(error.code, code, "{given}: {error}");
    }
    let error = text(contracts, "ContractNmae eq 'x'").unwrap_err();
    assert!(error.hint.as_deref().unwrap().contains("\"ContractName\""));
}

#[test]
fn what_the_service_would_misread_is_refused() {
    for exact in ["false", "true"] {
        let star = format!(r#"{{"op":"eq","p":"Name","v":{{"t":"s","v":"50*60"}},"exact":{exact}}}"#);
        assert_eq!(tree("Currencies", &star).unwrap_err().code, ErrorCode::UnsupportedQuery);
    }
    let injected = r#"{"op":"eq","p":"Name eq '' or Name","v":{"t":"s","v":"x"}}"#;
    assert_eq!(tree("Unknown", injected).unwrap_err().code, ErrorCode::InvalidArgument);
    let injected = r#"{"op":"eq","p":"Kind","v":{"t":"e","enum":"X'' or true eq Y","v":"x"}}"#;
    assert_eq!(tree("Unknown", injected).unwrap_err().code, ErrorCode::InvalidArgument);
    for empty in [r#"{"op":"anyOf","p":"Name","v":[]}"#, r#"{"op":"and","x":[]}"#] {
        assert_eq!(tree("Currencies", empty).unwrap_err().code, ErrorCode::InvalidArgument);
    }
    assert!(serde_json::from_str::<Filter>(r#"{"op":"not","x":[]}"#).is_err());
}

#[test]
fn an_unknown_entity_is_filtered_by_the_value_alone() {
    let json = r#"{"op":"eq","p":"Kind","v":{"t":"e","enum":"NoYes","v":"Yes"}}"#;
    assert_eq!(tree("Unknown", json).unwrap(), "Kind eq Microsoft.Dynamics.DataEntities.NoYes'Yes'");
    assert_eq!(text("Unknown", "Kind eq Other.Space.K'A'").unwrap(), "Kind eq Other.Space.K'A'");
}
