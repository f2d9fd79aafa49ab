//! Header and manifest: what the service's serializer would lose, and what its lines say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::nearest;
use crate::package::manifest::{Manifest, ManifestEntity};
use crate::package::xml::{IssueKind, ManifestIssue};
use crate::table::{SourceFormat, sheet_name};

use super::codes::{Code, Severity};
use super::levels::{self, Line};
use super::report::{Diagnostic, Report, shown};
use super::subject::{COMPANY, ColumnMap, EntityRules, Schema, Subject};

/// What the reader of the header noticed.
pub(super) fn header_issues(issues: &[ManifestIssue], report: &mut Report) {
    for issue in issues {
        let code = match &issue.kind {
            IssueKind::WrongRootNamespace => Code::HeaderNamespace,
            IssueKind::BadValue { .. } if issue.element == "PackageVersion" => Code::HeaderVersion,
            IssueKind::BadValue { .. } => Code::HeaderType,
            IssueKind::ForeignNamespace | IssueKind::Late { .. } | IssueKind::Twice => Code::HeaderElement,
        };
        // A value that is no number stops the serializer; a number that nobody knows is another finding.
        let severity = Severity::Error;
        report.add(
            Diagnostic::new(code, issue.to_string()).severity(severity).file(issue.file).line(issue.line),
        );
    }
}

/// What the reader of the manifest noticed.
pub(super) fn manifest_issues(issues: &[ManifestIssue], manifest: &Manifest, report: &mut Report) {
    for issue in issues {
        let code = match &issue.kind {
            IssueKind::WrongRootNamespace => Code::ManifestNamespace,
            IssueKind::ForeignNamespace => Code::ManifestForeign,
            IssueKind::Late { .. } => Code::ManifestOrder,
            IssueKind::Twice => Code::ManifestTwice,
            IssueKind::BadValue { .. } => Code::ManifestValue,
        };
        let mut finding = Diagnostic::new(code, issue.to_string()).file(issue.file).line(issue.line);
        if let Some(entity) = issue.entity.and_then(|index| manifest.entities.get(index)) {
            finding = finding.entity(&entity.label);
        }
        report.add(finding);
    }
}

/// What the manifest says, apart from its files.
pub(super) fn check(manifest: &Manifest, schema: &Schema, report: &mut Report) {
    let file = crate::package::MANIFEST_FILE;
    let mut add = |code, message: &str| report.add(Diagnostic::new(code, message).file(file));
    if manifest.project.trim().is_empty() {
        add(Code::ProjectName, "the manifest names no data project");
    } else if manifest.project.contains('\'') {
        add(Code::ProjectApostrophe, &format!("the data project is called {}", shown(&manifest.project)));
    }
    if manifest.entities.is_empty() {
        add(Code::NoEntities, "the manifest lists no entity");
    }
    let mut labels = HashSet::new();
    let mut composites = 0;
    for entity in &manifest.entities {
        check_entity(entity, schema, report);
        if !entity.label.is_empty() && !labels.insert(entity.label.as_str()) {
            let message = format!("{} is listed twice", shown(&entity.label));
            report.add(Diagnostic::new(Code::LabelTwice, message).file(file).entity(&entity.label));
        }
        if is_composite(entity, schema) {
            composites += 1;
            if composites == 2 {
                let message = format!("{} is the second composite entity", shown(&entity.label));
                report.add(Diagnostic::new(Code::CompositeTwo, message).file(file).entity(&entity.label));
            }
        }
    }
    let maps: Vec<Vec<ColumnMap>> = manifest.entities.iter().map(column_maps).collect();
    let running = manifest.entities.iter().zip(&maps).filter(|(entity, _)| !entity.disabled);
    let lines: Vec<Line<'_>> = running
        .map(|(entity, maps)| Line {
            label: &entity.label,
            unit: entity.execution_unit,
            level: entity.level,
            sequence: entity.sequence,
            maps,
        })
        .collect();
    levels::check(&lines, schema.catalog(), report);
}

fn check_entity(entity: &ManifestEntity, schema: &Schema, report: &mut Report) {
    let file = crate::package::MANIFEST_FILE;
    let mut add = |finding: Diagnostic| report.add(finding.file(file).entity(&entity.label));
    if let Some(finding) = label(&entity.label, schema) {
        add(finding);
    }
    if let Some(finding) = format(entity, schema) {
        add(finding);
    }
    if entity.disabled {
        add(Diagnostic::new(Code::EntityDisabled, format!("{} is not run", shown(&entity.label))));
    }
    if let Some(known) = schema.catalog().label(&entity.label).filter(|known| known.company == Some(false)) {
        add(shared_entity(entity, &known.label));
    }
    if is_composite(entity, schema) && !is_xml(&entity.format) {
        let message = format!("{} is in the format {}", shown(&entity.label), shown(entity.format.as_str()));
        add(Diagnostic::new(Code::CompositeCsv, message));
    }
    if entity.format == SourceFormat::Excel && !entity.sheet.is_empty() {
        let expected = sheet_name(&entity.label) + "$";
        if entity.sheet != expected {
            let message =
                format!("the sheet is {}, the service writes {}", shown(&entity.sheet), shown(&expected));
            add(Diagnostic::new(Code::SheetName, message));
        }
    }
    if entity.maps.is_empty() {
        // Told once the file has shown whether it has a header to make maps of.
        return;
    }
    let mut columns = HashMap::new();
    for map in &entity.maps {
        if map.field.is_empty() || (map.column.is_empty() && !filled(map)) {
            let named = if map.field.is_empty() { &map.column } else { &map.field };
            add(Diagnostic::new(
                Code::MapIncomplete,
                format!("the map of {} lacks its other side", shown(named)),
            ));
        } else if columns.insert(map.column.as_str(), ()).is_some() && !map.column.is_empty() {
            let message = format!("the column {} is mapped twice", shown(&map.column));
            add(Diagnostic::new(Code::MapColumnTwice, message).column(&map.column));
        }
    }
}

/// Worth knowing of every such entity; a risk where the file pretends that its rows belong to a company.
fn shared_entity(entity: &ManifestEntity, label: &str) -> Diagnostic {
    let company = |name: &str| name.eq_ignore_ascii_case(COMPANY);
    match entity.maps.iter().find(|map| company(&map.field) || company(&map.column)) {
        Some(map) => {
            let column = if map.column.is_empty() { &map.field } else { &map.column };
            let message = format!(
                "the rows of {} have no company and go to all of them, whatever the column {} says",
                shown(label),
                shown(column)
            );
            Diagnostic::new(Code::SharedEntity, message).severity(Severity::Warning).column(column)
        }
        None => Diagnostic::new(Code::SharedEntity, format!("the rows of {} have no company", shown(label))),
    }
}

fn label(label: &str, schema: &Schema) -> Option<Diagnostic> {
    let catalog = schema.catalog();
    if label.is_empty() {
        return Some(Diagnostic::new(Code::LabelMissing, "an entity has no name"));
    }
    if catalog.label(label).is_some() {
        return None;
    }
    if let Some(known) = catalog.find(label) {
        let odata = known.collection.as_deref() == Some(label);
        let code = if odata { Code::LabelOdata } else { Code::LabelAot };
        let what = if odata { "an OData collection" } else { "a name in the application object tree" };
        let message = format!("{} is {what}, not a label", shown(label));
        let finding = Diagnostic::new(code, message);
        return Some(match known.label.as_str() {
            "" => finding,
            known => finding.hint(format!("Write the label {}.", shown(known))),
        });
    }
    let known_to_lack = schema.is_whole() && !names_composite(label);
    let severity = if known_to_lack { Severity::Error } else { Severity::Warning };
    let finding = Diagnostic::new(Code::LabelUnknown, format!("there is no entity {}", shown(label)));
    let finding = finding.severity(severity);
    let labels = catalog.entities().iter().map(|entity| entity.label.as_str());
    Some(match nearest(label, labels.filter(|label| !label.is_empty())) {
        Some(near) => finding.hint(format!("Did you mean {}?", shown(near))),
        None => finding,
    })
}

fn format(entity: &ManifestEntity, schema: &Schema) -> Option<Diagnostic> {
    const KNOWN: [&str; 5] = ["CSV-Unicode", "CSV", "XML-Element", "XML-Attribute", "EXCEL"];
    let SourceFormat::Other(name) = &entity.format else { return None };
    if name.is_empty() {
        let message = format!("{} has no source data format", shown(&entity.label));
        return Some(Diagnostic::new(Code::FormatMissing, message));
    }
    if schema.catalog().formats().contains(name) {
        return None;
    }
    let severity = if schema.is_whole() { Severity::Error } else { Severity::Warning };
    let finding = Diagnostic::new(Code::FormatUnknown, format!("the format {} is not known", shown(name)));
    let finding = finding.severity(severity);
    Some(match nearest(name, KNOWN) {
        Some(near) => finding.hint(format!("Did you mean {}?", shown(near))),
        None => finding,
    })
}

/// Composites are in no catalogue; the vendor's carry the word in their label.
fn is_composite(entity: &ManifestEntity, schema: &Schema) -> bool {
    schema.catalog().label(&entity.label).is_none() && names_composite(&entity.label)
}

fn names_composite(label: &str) -> bool {
    label.to_ascii_lowercase().contains("composite")
}

fn is_xml(format: &SourceFormat) -> bool {
    matches!(format, SourceFormat::XmlElement | SourceFormat::XmlAttribute)
}

fn filled(map: &crate::package::manifest::Map) -> bool {
    map.auto_default || map.auto_generated
}

fn column_maps(entity: &ManifestEntity) -> Vec<ColumnMap> {
    let maps = entity.maps.iter().map(|map| ColumnMap {
        column: map.column.clone(),
        field: map.field.clone(),
        filled: filled(map),
        plain: !filled(map) && map.conversions == 0,
    });
    maps.collect()
}

/// What the rows of the entity are held against; `file` is the entry that has them.
pub(super) fn subject(entity: &ManifestEntity, file: &str, schema: &Schema) -> Subject {
    let catalog = schema.catalog();
    let known = catalog.label(&entity.label).or_else(|| catalog.find(&entity.label));
    Subject {
        label: entity.label.clone(),
        file: file.to_owned(),
        format: entity.format.clone(),
        sheet: entity.sheet.clone(),
        maps: column_maps(entity),
        rules: known.map(|known| Arc::new(EntityRules::of(known, catalog))),
        whole_schema: schema.is_whole() || known.is_some_and(|known| known.of_tenant),
        composite: is_composite(entity, schema),
    }
}
