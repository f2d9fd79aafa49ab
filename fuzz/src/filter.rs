//! The body of the target `filter`. Not in `lib.rs`, which is for packages alone.

use d365_clm::catalog::builtin;
use d365_clm::odata::Scalar;
use d365_clm::odata::filter::{Filter, Row, parse_expand, parse_key, parse_orderby, parse_select};

/// Any text: what is read can be written and read again, and is the same; whatever else the grammar is used for ends in an
/// answer or an error.
pub fn filter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (parse_orderby(&text), parse_select(&text), parse_expand(&text), parse_key(&text));
    if let Ok(value) = Scalar::parse(&text)
        && let Ok(literal) = value.to_literal()
    {
        let again = Scalar::parse(&literal).expect("we wrote it");
        assert_eq!(again.to_literal().expect("it was read"), literal);
    }
    let Ok(tree) = Filter::parse(&text) else { return };
    for entity in [None, builtin().find("CLMIntegrationContracts")] {
        if let Ok(written) = tree.render(entity, builtin()) {
            let again = Filter::parse(&written).expect("we wrote it");
            assert_eq!(again.render(entity, builtin()).expect("it was read"), written);
        }
        let row = Row::parse(ROW).expect("it is an object");
        let answer = tree.matches(&row, entity, builtin());
        let opposite = Filter::Not(Box::new(tree.clone())).matches(&row, entity, builtin());
        match (answer, opposite) {
            (Ok(answer), Ok(opposite)) => assert_ne!(answer, opposite),
            (answer, opposite) => assert_eq!(answer.is_err(), opposite.is_err()),
        }
    }
}

const ROW: &str = r#"{"dataAreaId":"usmf","ContractId":"C1","ContractName":"Retail*","ContractStatus":"Draft","A":1.5,"B":null,
    "AmendmentInProcess":"Yes","EffectiveDate":"2026-04-01T12:00:00Z","ExpirationDate":"1900-01-01T00:00:00Z","PartyNumber":""}"#;
