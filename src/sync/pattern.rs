//! Which of the two integration patterns suits a need.

use serde::Serialize;
use serde_json::Value;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue, deserialize};

/// "More than a few hundred thousand records" (integration overview of the vendor) is taken to begin here.
const LARGE: u64 = 200_000;
/// Up to so many rows a whole read is a few pages of 10,000.
const SMALL: u64 = 50_000;

/// What an integration needs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Need {
    /// Collection or label.
    pub entity: Option<String>,
    /// Rows that travel at a time.
    pub rows: Option<u64>,
    /// Whether the outcome is wanted at once.
    pub real_time: bool,
    /// Whether each record's error is wanted with its record.
    pub row_errors: bool,
    /// Whether only what changed shall travel.
    pub incremental: bool,
}

deserialize!(Need);

impl FromValue for Need {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let need = Self {
            entity: of.text("entity"),
            rows: of.number("rows"),
            real_time: of.not_null("realTime").flag("realTime").unwrap_or_default(),
            row_errors: of.not_null("rowErrors").flag("rowErrors").unwrap_or_default(),
            incremental: of.not_null("incremental").flag("incremental").unwrap_or_default(),
        };
        of.finish(need)
    }
}

/// One of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Pattern {
    /// Single requests, answered at once.
    Odata,
    /// Data packages, asynchronous.
    Package,
}

/// A pattern and the rule behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// The way to go.
    pub pattern: Pattern,
    /// The rule that decided.
    pub reason: &'static str,
}

/// Chooses by entity, immediacy and volume, in this order; the first rule that fits decides.
///
/// | rule | pattern |
/// |---|---|
/// | not public: the entity has no OData collection | package |
/// | large volume: more than 200,000 rows | package |
/// | real time: the outcome or each record's error is wanted at once | OData |
/// | incremental: only what changed | package |
/// | high volume: more than 50,000 rows, or a number that is not known | package |
/// | low volume: either would do | OData |
///
/// # Errors
/// `INVALID_ARGUMENT` where real time is wanted of an entity that is not public: there is no way.
pub fn choose_pattern(catalog: &Catalog, need: &Need) -> Result<Choice> {
    let entity = need.entity.as_deref().and_then(|name| catalog.find(name));
    let chosen = |pattern, reason| Ok(Choice { pattern, reason });
    if let Some(hidden) = entity.filter(|entity| entity.collection.is_none()) {
        if need.real_time {
            return Err(Error::argument(format!(
                "{} can't be reached in real time: it has no OData collection",
                hidden.label
            ))
            .in_entity(hidden.label.clone())
            .hint("Export it as a data package, and keep what came."));
        }
        return chosen(Pattern::Package, "not public: the entity has no OData collection");
    }
    let rows = need.rows;
    if rows.is_some_and(|rows| rows > LARGE) {
        return chosen(Pattern::Package, "large volume: more than 200,000 rows travel in packages");
    }
    if need.real_time || need.row_errors {
        return chosen(Pattern::Odata, "real time: OData answers at once, record by record");
    }
    if need.incremental {
        return chosen(Pattern::Package, "incremental: change tracking works for packages only");
    }
    match rows {
        Some(rows) if rows <= SMALL => {
            chosen(Pattern::Odata, "low volume: either would do, and OData needs no data project")
        }
        _ => chosen(Pattern::Package, "high volume: master data travels in packages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    /// Each row of the vendor's advice, with what it says.
    #[test]
    fn every_situation_of_the_advice_has_its_pattern_and_the_reason_names_the_rule() {
        let cases = [
            // high-volume master data
            (r#"{"entity":"VendorsV2","rows":120000}"#, Pattern::Package, "high volume"),
            (r#"{"entity":"VendorsV2"}"#, Pattern::Package, "high volume"),
            // low-volume master data: either
            (r#"{"entity":"Currencies","rows":180}"#, Pattern::Odata, "low volume"),
            (r#"{"entity":"Currencies","rows":50000}"#, Pattern::Odata, "low volume"),
            (r#"{"entity":"Currencies","rows":50001}"#, Pattern::Package, "high volume"),
            // real time and immediate error handling
            (r#"{"entity":"CLMIntegrationContracts","realTime":true}"#, Pattern::Odata, "real time"),
            (
                r#"{"entity":"CLMIntegrationPurchaseAgreements","rows":500,"rowErrors":true}"#,
                Pattern::Odata,
                "real time",
            ),
            (r#"{"entity":"VendorsV2","realTime":true,"incremental":true}"#, Pattern::Odata, "real time"),
            // large volumes of anything
            (r#"{"rows":200001}"#, Pattern::Package, "large volume"),
            (
                r#"{"entity":"CLMIntegrationContracts","rows":300000,"realTime":true}"#,
                Pattern::Package,
                "large volume",
            ),
            (r#"{"rows":200000,"realTime":true}"#, Pattern::Odata, "real time"),
            // not public
            (r#"{"entity":"Purchase agreement classification","rows":5}"#, Pattern::Package, "not public"),
            (
                r#"{"entity":"PurchAgreementClassificationEntity","rowErrors":true}"#,
                Pattern::Package,
                "not public",
            ),
            // incremental master data
            (r#"{"entity":"Vendors V2","incremental":true}"#, Pattern::Package, "incremental"),
            (r#"{"entity":"Currencies","rows":180,"incremental":true}"#, Pattern::Package, "incremental"),
        ];
        for (need, pattern, rule) in cases {
            let choice = choose_pattern(builtin(), &serde_json::from_str(need).unwrap()).unwrap();
            assert_eq!(choice.pattern, pattern, "{need}");
            assert!(choice.reason.starts_with(rule), "{need}: {}", choice.reason);
        }
    }

    #[test]
    fn what_no_pattern_can_do_is_said() {
        let need = serde_json::from_str(r#"{"entity":"Purchase agreement classification","realTime":true}"#)
            .unwrap();
        assert!(choose_pattern(builtin(), &need).unwrap_err().message.contains("real time"));
        assert!(serde_json::from_str::<Need>(r#"{"realtime":true}"#).is_err());
    }
}
