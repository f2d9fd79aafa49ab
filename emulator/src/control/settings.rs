//! Settings that an administrator would change in the client.

use std::collections::BTreeMap;

use axum::http::HeaderName;
use serde::Deserialize;

use crate::dmf::behaviour::Behaviour as DataManagement;
use crate::dmf::definitions::{Composite, Lengths, set_composites, set_lengths};
use crate::environment::Environment;
use crate::odata::behaviour::{
    Behaviour, DateFunctions, EnumKeys, EqEmpty, EqNull, IfMatch, Labels, MaxPageSize, TextCase, Validation,
};
use crate::queue::{Queue, set_queues};
use crate::store::StoreError;

/// Why settings were not taken. Nothing of that call was stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// Not the JSON that is expected.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// No such label.
    #[error("'{0}' is not the label of a data entity")]
    UnknownEntity(String),
    /// No such option.
    #[error("'{0}' is no change tracking option; these are: None, ALL, CustomQuery, PrimaryTable")]
    UnknownOption(String),
    /// Composite entities, lengths, queues or behaviour that do not fit the catalogue.
    #[error("{0}")]
    Definition(String),
    /// A header name for support ids that is none.
    #[error("'{0}' cannot be the name of a header for support ids")]
    Header(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// Entity label → option.
    #[serde(default)]
    change_tracking: BTreeMap<String, String>,
    default_company: Option<String>,
    composites: Option<Vec<Composite>>,
    max_lengths: Option<Lengths>,
    if_match: Option<IfMatch>,
    eq_null: Option<EqNull>,
    eq_empty: Option<EqEmpty>,
    date_functions: Option<DateFunctions>,
    text_case: Option<TextCase>,
    max_page_size: Option<MaxPageSize>,
    enum_keys: Option<EnumKeys>,
    validation: Option<Validation>,
    support_id_headers: Option<Vec<String>>,
    labels: Option<Labels>,
    data_management: Option<serde_json::Map<String, serde_json::Value>>,
    queues: Option<Vec<Queue>>,
}

impl Settings {
    /// `before` with what is given.
    fn behaviour(&self, before: Behaviour) -> Behaviour {
        Behaviour {
            if_match: self.if_match.unwrap_or(before.if_match),
            eq_null: self.eq_null.unwrap_or(before.eq_null),
            eq_empty: self.eq_empty.unwrap_or(before.eq_empty),
            date_functions: self.date_functions.unwrap_or(before.date_functions),
            text_case: self.text_case.unwrap_or(before.text_case),
            max_page_size: self.max_page_size.unwrap_or(before.max_page_size),
            enum_keys: self.enum_keys.unwrap_or(before.enum_keys),
            validation: self.validation.unwrap_or(before.validation),
            support_id_headers: self.support_id_headers.clone().unwrap_or(before.support_id_headers),
            labels: self.labels.clone().unwrap_or(before.labels),
        }
    }
}

/// Applies a settings document. Switching change tracking off and on again loses the markers of the entity.
pub(crate) fn change(environment: &Environment, bytes: &[u8]) -> Result<(), SettingsError> {
    let settings: Settings = serde_json::from_slice(bytes)?;
    let mut headers = settings.support_id_headers.iter().flatten();
    if let Some(bad) = headers.find(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        return Err(SettingsError::Header(bad.clone()));
    }
    environment.store.with(|db| {
        settings.behaviour(Behaviour::read(db)?).write(db)?;
        for (label, option) in &settings.change_tracking {
            let entity = environment
                .catalog
                .label(label)
                .ok_or_else(|| SettingsError::UnknownEntity(label.clone()))?;
            if !environment.catalog.members("DMFChangeTrackingType").contains(option) {
                return Err(SettingsError::UnknownOption(option.clone()));
            }
            if option == "None" {
                db.clear_markers(None, Some(&entity.label))?;
            }
            db.set_setting(&format!("tracking:{label}"), option)?;
        }
        if let Some(composites) = &settings.composites {
            set_composites(db, composites, &environment.catalog)?.map_err(SettingsError::Definition)?;
        }
        if let Some(lengths) = &settings.max_lengths {
            set_lengths(db, lengths, &environment.catalog)?.map_err(SettingsError::Definition)?;
        }
        if let Some(changes) = &settings.data_management {
            DataManagement::change(db, changes)?.map_err(SettingsError::Definition)?;
        }
        if let Some(queues) = &settings.queues {
            set_queues(db, queues, &environment.catalog)?.map_err(SettingsError::Definition)?;
        }
        if let Some(company) = &settings.default_company {
            db.set_setting("defaultCompany", &company.to_ascii_lowercase())?;
        }
        Ok(())
    })
}
