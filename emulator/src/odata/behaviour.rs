//! Behaviour of the service that no public source settles: each has a default and another mode, so that a client can
//! be tested against both. Set by the control path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::{Db, StoreError};

/// The mode of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Behaviour {
    pub(crate) if_match: IfMatch,
    pub(crate) eq_null: EqNull,
    pub(crate) eq_empty: EqEmpty,
    pub(crate) date_functions: DateFunctions,
    pub(crate) text_case: TextCase,
    pub(crate) max_page_size: MaxPageSize,
    #[serde(default)]
    pub(crate) enum_keys: EnumKeys,
    #[serde(default)]
    pub(crate) validation: Validation,
    /// Headers that carry the activity id of an answer.
    pub(crate) support_id_headers: Vec<String>,
    /// Label id → language → text, beyond the labels that the sandbox makes up.
    pub(crate) labels: Labels,
}

/// Label id → language → text.
pub(crate) type Labels = BTreeMap<String, BTreeMap<String, String>>;

/// What an `If-Match` that does not fit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IfMatch {
    /// 412.
    Enforce,
    /// Nothing: the last write wins.
    Ignore,
}

/// What `eq null` and `ne null` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EqNull {
    /// Null is the default of the type.
    Accepted,
    Refused,
}

/// What `eq ''` and `ne ''` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EqEmpty {
    /// Empty texts are equal to it.
    Matches,
    Refused,
}

/// What `year(…)` and its like do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DateFunctions {
    Refused,
    Supported,
}

/// How texts compare in `$filter` and `$orderby`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TextCase {
    /// As their lower-case forms (Unicode, without regard to a language).
    Ignore,
    Exact,
}

/// What `Prefer: odata.maxpagesize` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MaxPageSize {
    Ignored,
    Honoured,
}

/// What a key with an enum part finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EnumKeys {
    /// Nothing: 404 although the row is there, as measured in the field.
    #[default]
    Missing,
    /// The row, as the documentation has it.
    Found,
}

/// Which validation entities of agreement lines there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Validation {
    /// Both generations, which no environment is known to have.
    #[default]
    Both,
    /// One entity for inserts, one for updates and deletes; a refusal is an error.
    Newer,
    /// One entity for all three; a refused insert is told in its `ValidationResult`.
    Older,
    /// None.
    Absent,
}

impl Validation {
    /// Whether the collection is missing.
    pub(crate) fn hides(self, collection: &str) -> bool {
        match collection {
            "CLMIntegrationValidateInsertPurchaseAgreementLines"
            | "CLMIntegrationValidateUpdateDeletePurchaseAgreementLines" => {
                matches!(self, Self::Older | Self::Absent)
            }
            "CLMIntegrationValidationPurchaseAgreementLines" => matches!(self, Self::Newer | Self::Absent),
            "CLMIntegrationValidationPurchaseAgreements" => self == Self::Absent,
            _ => false,
        }
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            if_match: IfMatch::Enforce,
            eq_null: EqNull::Accepted,
            eq_empty: EqEmpty::Matches,
            date_functions: DateFunctions::Refused,
            text_case: TextCase::Ignore,
            max_page_size: MaxPageSize::Ignored,
            enum_keys: EnumKeys::default(),
            validation: Validation::default(),
            support_id_headers: vec!["ms-dyn-aid".to_owned()],
            labels: Labels::new(),
        }
    }
}

impl Behaviour {
    pub(crate) fn read(db: &Db<'_>) -> Result<Self, StoreError> {
        let stored = db.setting(SETTING)?.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(stored.unwrap_or_default())
    }

    pub(crate) fn write(&self, db: &Db<'_>) -> Result<(), StoreError> {
        db.set_setting(SETTING, &serde_json::to_string(self)?)
    }
}

const SETTING: &str = "behaviour";

impl TextCase {
    /// The form in which texts compare.
    pub(crate) fn form(self, text: &str) -> String {
        match self {
            Self::Ignore => text.to_lowercase(),
            Self::Exact => text.to_owned(),
        }
    }
}
