//! Data management: the list of data entities, and the lines of data projects over them.

use serde_json::{Map, Value};

use super::codes::Code;
use super::finding::Finding;
use crate::odata::{encode_query, quote};
use crate::package::Severity;

pub(super) const PROJECTS: &str = "DataManagementDefinitionGroups?$select=Name,OperationType";
pub(super) const LINES: &str = "DataManagementDefinitionGroupDetails?$select=DefinitionGroupId,EntityName,DefaultRefreshType,ValidationStatus";
pub(super) const ENTITIES: &str =
    "DataManagementEntities?$select=EntityName,EntityIsEnabled,StagingTableName,ChangeTrackingType";

/// What travels by packages.
const LABELS: [&str; 20] = [
    "CLM integration contract",
    "CLM integration contract types",
    "CLM integration purchase agreements",
    "CLM integration purchase agreement lines",
    "CLM integration released products",
    "CLM integration country/regions",
    "Vendors V2",
    "Contacts V2",
    "Purchase agreement classification",
    "Sites V2",
    "Warehouses",
    "Procurement product categories",
    "Released product variants V2",
    "Units",
    "Terms of payment",
    "Currencies",
    "Vendor payment method",
    "Payment schedule",
    "Terms of delivery",
    "Projects",
];
/// Lines of projects that are told one by one.
const TOLD: usize = 20;

type Row = Map<String, Value>;

/// Names one of the labels.
pub(super) fn entity_filter() -> String {
    let terms = LABELS.map(|label| format!("EntityName eq {}", quote(label)));
    encode_query(&terms.join(" or "))
}

/// What is wrong with the entities, and with the projects that move them. All three lists are first pages (10,000 rows).
pub(super) fn judge(projects: &[Row], lines: &[Row], entities: &[Row]) -> Vec<Finding> {
    let mut found = unlisted(entities);
    for row in entities {
        let label = text(row, "EntityName");
        if text(row, "EntityIsEnabled") == "No" {
            found.push(Finding::new(Code::Staging, format!("{label} is disabled")).entity(label));
        } else if row.contains_key("StagingTableName") && text(row, "StagingTableName").is_empty() {
            found.push(Finding::new(Code::Staging, format!("{label} has no staging table")).entity(label));
        }
        if text(row, "ChangeTrackingType") == "None" {
            found.push(untracked(label, projects, lines));
        }
    }
    let broken = |row: &&Row| matches!(text(row, "ValidationStatus"), "No" | "Error");
    found.extend(lines.iter().filter(broken).take(TOLD).map(|row| {
        let (project, label) = (text(row, "DefinitionGroupId"), text(row, "EntityName"));
        let message = format!("the line \"{label}\" of the data project {project} has no valid mapping");
        Finding::new(Code::ProjectMap, message).entity(label)
    }));
    found
}

fn unlisted(entities: &[Row]) -> Vec<Finding> {
    let listed =
        |label: &&str| entities.iter().any(|row| text(row, "EntityName").eq_ignore_ascii_case(label));
    if entities.is_empty() {
        let message = "data management lists none of the entities by their English names";
        return vec![Finding::new(Code::EntityList, message).severity(Severity::Info)];
    }
    let missing = LABELS.into_iter().filter(|label| !listed(label));
    missing
        .map(|label| {
            Finding::new(Code::EntityList, format!("data management does not list {label}")).entity(label)
        })
        .collect()
}

/// Imports have the word of incremental exports too: it is the first of its kind, and means nothing there.
fn untracked(label: &str, projects: &[Row], lines: &[Row]) -> Finding {
    let exports = |name: &str| {
        projects.iter().any(|row| text(row, "Name") == name && text(row, "OperationType") == "Export")
    };
    let wanting = lines.iter().find(|row| {
        text(row, "EntityName").eq_ignore_ascii_case(label)
            && text(row, "DefaultRefreshType") == "IncrementalPush"
            && exports(text(row, "DefinitionGroupId"))
    });
    let finding = match wanting {
        Some(line) => {
            let project = text(line, "DefinitionGroupId");
            let message =
                format!("the data project {project} exports changes of {label}, which are not tracked");
            Finding::new(Code::TrackingOff, message).severity(Severity::Error)
        }
        None => Finding::new(Code::TrackingOff, format!("changes of {label} are not tracked")),
    };
    finding.entity(label)
}

fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
pub(super) const fn labels() -> [&'static str; 20] {
    LABELS
}
