//! Business logic: thin, but what is here refuses and fills as the service does, for OData and imports alike. Each
//! rule names where its words come from when they are not the service's.

use super::error::ODataError;
use crate::catalog::{COMPANY, Entity};
use crate::dmf::definitions::Definitions;
use crate::dmf::formats::is_source_format;
use crate::environment::Environment;
use crate::store::{Db, Key, StoreError};
use crate::value::{Row, Value};

/// What is about to happen to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Update,
    Delete,
}

/// Why a rule refuses.
#[derive(Debug)]
pub(crate) enum Log {
    /// Messages of the Infolog.
    Messages(Vec<String>),
    /// The database failed.
    Store(StoreError),
}

impl Log {
    /// As an OData answer.
    pub(crate) fn into_error(self, entity: &Entity) -> ODataError {
        match self {
            Self::Messages(messages) => {
                let infolog: Vec<String> = messages.iter().map(|text| format!("Warning: {text}")).collect();
                ODataError::write(format!(
                    "Write failed for table row of type '{0}'. Infolog: {1}; Warning: validateWrite failed on data source '{0} ({0})'.",
                    entity.aot,
                    infolog.join("; ")
                ))
            }
            Self::Store(error) => error.into(),
        }
    }

    /// As the message of a row in an import.
    pub(crate) fn into_text(self) -> Result<String, StoreError> {
        match self {
            Self::Messages(messages) => Ok(messages.join("\r\n ")),
            Self::Store(error) => Err(error),
        }
    }
}

impl From<StoreError> for Log {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Log> {
    Err(Log::Messages(vec![message.into()]))
}

/// Asks the rules of an entity about a row, which they may complete.
pub(crate) fn apply(
    environment: &Environment,
    db: &Db<'_>,
    entity: &Entity,
    operation: Operation,
    key: &Key,
    row: &mut Row,
) -> Result<(), Log> {
    if entity.company && operation == Operation::Insert && !company_exists(db, &key.company)? {
        return refuse(format!("Company {} does not exist.", key.company));
    }
    match entity.aot.as_str() {
        "DataManagementEntity"
        | "DataManagementExecutionJobEntity"
        | "DataManagementExecutionJobDetailEntity" => refuse(format!("{} is read-only.", entity.label)),
        "DataManagementDefinitionGroupEntity" => project(db, operation, row),
        "DataManagementDefinitionGroupDetailEntity" => project_line(environment, db, operation, row),
        "CLMIntegrationContractEntity" if operation != Operation::Delete => contract(db, row),
        "CLMIntegrationServiceInstanceEntity" if text(row, "ID") != "0" => refuse("ID must be 0."),
        "CLMIntegrationPurchaseAgreementHeaderEntity" if operation != Operation::Delete => agreement(db, row),
        "CLMIntegrationPurchaseAgreementLineEntity" if operation != Operation::Delete => line(db, row),
        "CLMIntegrationValidationPurchaseAgreementHeaderEntity" => match operation {
            Operation::Update => agreement(db, row),
            _ => refuse("Only updates of purchase agreements can be validated."),
        },
        "CLMIntegrationValidateInsertPurchaseAgreementLineEntity" => match operation {
            Operation::Insert => validate_insert(db, key, row),
            _ => refuse("Only inserts can be validated here."),
        },
        "CLMIntegrationValidateUpdateDeletePurchaseAgreementLineEntity" => match operation {
            Operation::Insert => refuse("Only updates and deletes can be validated here."),
            Operation::Update => line(db, row),
            Operation::Delete => Ok(()),
        },
        "CLMIntegrationValidationPurchaseAgreementLineEntity" => match operation {
            Operation::Insert => validate_insert(db, key, row),
            Operation::Update => line(db, row),
            Operation::Delete => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether writes to the entity are only checked, never stored.
pub(crate) fn is_dry_run(entity: &Entity) -> bool {
    entity.aot.starts_with("CLMIntegrationValidat")
}

/// Whether a refused insert is told in the answer's field `ValidationResult`: in the older generation, where the documentation says
/// "in the field or as an exception". Which of both is unverified; here inserts do the one, changes the other.
pub(crate) fn tells_in_field(entity: &Entity) -> bool {
    entity.aot == "CLMIntegrationValidationPurchaseAgreementLineEntity"
}

/// The entity whose rows an update or delete of a validation entity is checked against.
pub(crate) fn dry_run_of<'a>(environment: &'a Environment, entity: &Entity) -> Option<&'a Entity> {
    let real = match entity.aot.as_str() {
        "CLMIntegrationValidationPurchaseAgreementHeaderEntity" => "CLMIntegrationPurchaseAgreements",
        "CLMIntegrationValidateInsertPurchaseAgreementLineEntity"
        | "CLMIntegrationValidateUpdateDeletePurchaseAgreementLineEntity"
        | "CLMIntegrationValidationPurchaseAgreementLineEntity" => "CLMIntegrationPurchaseAgreementLines",
        _ => return None,
    };
    environment.catalog.collection(real)
}

/// Numbers that the service gives: the id of an agreement (unverified), and the agreement of a line that names the
/// contract system's id instead.
pub(crate) fn number_sequence(db: &Db<'_>, entity: &Entity, row: &mut Row) -> Result<(), StoreError> {
    if !text(row, "PurchaseAgreementId").is_empty() {
        return Ok(());
    }
    if entity.aot == "CLMIntegrationPurchaseAgreementHeaderEntity" {
        let next =
            db.setting("sequence:agreement")?.and_then(|text| text.parse::<u32>().ok()).unwrap_or(0) + 1;
        db.set_setting("sequence:agreement", &next.to_string())?;
        row.insert("PurchaseAgreementId".to_owned(), Value::text(format!("{next:06}")));
    } else if entity.aot.ends_with("PurchaseAgreementLineEntity")
        && !text(row, "ExternalContractId").is_empty()
    {
        let external = text(row, "ExternalContractId").to_owned();
        let company = text(row, COMPANY).to_owned();
        let mut found = None;
        db.scan(AGREEMENT, Some(&company), 0, |stored| -> Result<(), StoreError> {
            if text(&stored.row, "ExternalContractId") == external {
                found = stored.row.get("PurchaseAgreementId").cloned();
            }
            Ok(())
        })?;
        row.extend(found.map(|id| ("PurchaseAgreementId".to_owned(), id)));
    }
    Ok(())
}

/// Whether a company exists: it is a row of `LegalEntities`.
pub(crate) fn company_exists(db: &Db<'_>, company: &str) -> Result<bool, StoreError> {
    db.exists("OMLegalEntity", &Key { company: String::new(), key: company.to_ascii_lowercase() })
}

/// Properties whose values must name a row of another entity: (label, property, label of the other entity). Empty
/// values name nothing; those of the lines' `PurchaseAgreementId` are refused too.
pub(crate) const REFERENCES: [(&str, &str, &str); 12] = [
    ("CLM integration contract", "ContractType", "CLM integration contract types"),
    ("CLM integration purchase agreements", "ContractId", "CLM integration contract"),
    ("CLM integration purchase agreements", "ContractLegalEntityId", "Legal entities"),
    ("CLM integration purchase agreements", "AgreementVendorAccountNumber", "Vendors V2"),
    (
        "CLM integration purchase agreement lines",
        "PurchaseAgreementId",
        "CLM integration purchase agreements",
    ),
    ("CLM integration purchase agreement lines", "ItemNumber", "CLM integration released products"),
    // Decides whether an item must be named at all.
    ("CLM integration purchase agreement lines", "CommitmentType", "CLM integration released products"),
    // Must be 0.
    ("CLM integration service instance", "ID", "CLM integration service instance"),
    ("Entities for a processing group", "DefinitionGroupId", "Definition Groups"),
    ("Entities for a processing group", "EntityName", "Data management"),
    ("Entities for a processing group", "SourceFormat", "Entities for a processing group"),
    ("Entities for a processing group", "SkipStaging", "Entities for a processing group"),
];

const AGREEMENT: &str = "CLMIntegrationPurchaseAgreementHeaderEntity";
const LINE: &str = "CLMIntegrationPurchaseAgreementLineEntity";
const PROJECT: &str = "DataManagementDefinitionGroupEntity";
const PROJECT_LINE: &str = "DataManagementDefinitionGroupDetailEntity";

/// Entities that this environment refuses to run without staging.
const STAGING_NEEDED: [&str; 2] = ["Contacts V2", "Released product variants V2"];

fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).map_or("", Value::as_text)
}

fn contract(db: &Db<'_>, row: &Row) -> Result<(), Log> {
    let kind = text(row, "ContractType");
    let known = kind.is_empty() || db.exists("CLMIntegrationContractTypeEntity", &shared(kind))?;
    if known { Ok(()) } else { refuse(format!("Contract type {kind} was not found.")) }
}

fn agreement(db: &Db<'_>, row: &Row) -> Result<(), Log> {
    let contract = text(row, "ContractId");
    if !contract.is_empty() {
        let company = match text(row, "ContractLegalEntityId") {
            "" => text(row, COMPANY),
            company => company,
        };
        let key = Key { company: company.to_ascii_lowercase(), key: contract.to_owned() };
        if !db.exists("CLMIntegrationContractEntity", &key)? {
            return refuse(format!("Contract {contract} was not found."));
        }
    }
    let vendor = text(row, "AgreementVendorAccountNumber");
    let key = Key { company: text(row, COMPANY).to_ascii_lowercase(), key: vendor.to_owned() };
    if !vendor.is_empty() && !db.exists("VendVendorV2Entity", &key)? {
        return refuse(format!("Vendor account {vendor} was not found."));
    }
    Ok(())
}

fn line(db: &Db<'_>, row: &Row) -> Result<(), Log> {
    let company = text(row, COMPANY).to_ascii_lowercase();
    let key = |id: &str| Key { company: company.clone(), key: id.to_owned() };
    let agreement = text(row, "PurchaseAgreementId");
    if !db.exists(AGREEMENT, &key(agreement))? {
        return refuse(format!("Purchase agreement {agreement} was not found."));
    }
    let item = text(row, "ItemNumber");
    let by_item = matches!(text(row, "CommitmentType"), "" | "ProductQuantity" | "ProductVolume");
    if by_item && item.is_empty() {
        return refuse("Item number must be specified.");
    }
    if !item.is_empty() && !db.exists("CLMIntegrationReleasedProductEntity", &key(item))? {
        return refuse(format!("Item number {item} was not found."));
    }
    Ok(())
}

fn validate_insert(db: &Db<'_>, key: &Key, row: &Row) -> Result<(), Log> {
    if db.exists(LINE, key)? {
        return refuse("The record already exists.");
    }
    line(db, row)
}

fn project(db: &Db<'_>, operation: Operation, row: &Row) -> Result<(), Log> {
    if operation != Operation::Delete {
        return Ok(());
    }
    // The lines go with their project, and so do the markers.
    let name = text(row, "Name");
    let mut lines = Vec::new();
    db.scan(PROJECT_LINE, None, 0, |stored| -> Result<(), StoreError> {
        if text(&stored.row, "DefinitionGroupId") == name {
            lines.push(format!("{name}\u{1f}{}", text(&stored.row, "EntityName")));
        }
        Ok(())
    })?;
    for line in lines {
        db.remove(PROJECT_LINE, &shared(&line))?;
    }
    db.clear_markers(Some(name), None)?;
    Ok(())
}

fn project_line(
    environment: &Environment,
    db: &Db<'_>,
    operation: Operation,
    row: &mut Row,
) -> Result<(), Log> {
    let (name, label) = (text(row, "DefinitionGroupId").to_owned(), text(row, "EntityName").to_owned());
    if operation == Operation::Delete {
        db.clear_markers(Some(&name), Some(&label))?;
        return Ok(());
    }
    if !db.exists(PROJECT, &shared(&name))? {
        return refuse(format!("Data project {name} does not exist."));
    }
    let known =
        environment.catalog.label(&label).is_some() || Definitions::read(db)?.composite(&label).is_some();
    if !known {
        return refuse(format!(
            "The value '{label}' in field 'Entity' is not found in the related table 'Data management'."
        ));
    }
    let format = text(row, "SourceFormat");
    if !is_source_format(format) {
        return refuse(format!(
            "The value '{format}' in field 'Source data format' is not found in the related table 'Configure data sources'."
        ));
    }
    if text(row, "SkipStaging") == "Yes" && STAGING_NEEDED.contains(&label.as_str()) {
        return refuse(format!("Staging cannot be skipped for entity {label}."));
    }
    // A command, not a state: it makes the mapping and reads back as No.
    let generate = text(row, "AutoGenerateMapping") == "Yes";
    row.insert("AutoGenerateMapping".to_owned(), Value::text("No"));
    if generate {
        row.insert("ValidationStatus".to_owned(), Value::text("Yes"));
    } else if operation == Operation::Insert {
        row.insert("ValidationStatus".to_owned(), Value::text("No"));
    }
    if operation == Operation::Insert {
        // What a line without a refresh type becomes is not documented; full is the harmless one.
        row.entry("DefaultRefreshType".to_owned()).or_insert_with(|| Value::text("FullPush"));
        for number in ["ExecutionUnit", "LevelInExecutionUnit", "SequenceInLevel"] {
            row.entry(number.to_owned()).or_insert_with(|| Value::number(1));
        }
    }
    Ok(())
}

/// Key of a row of a shared entity.
fn shared(key: &str) -> Key {
    Key { company: String::new(), key: key.to_owned() }
}
