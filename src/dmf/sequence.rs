//! In which order the entities of an import are taken where the host does not say.
//!
//! Units run side by side, the levels of a unit one after another ("Data management overview"). So an entity stands one level
//! below whatever its rows refer to: contract types, then contracts, then agreements, then their lines. What refers to what is read
//! off the catalogue's navigation to single records, and off the references below that it has no navigation for. Exports, and
//! entities that the catalogue does not know, have no order: unit 1, level 1.

use super::project::{DataProject, Line, OperationType};
use crate::catalog::Catalog;

/// References between entities that the metadata has no navigation for.
const REFERENCES: [(&str, &str); 5] = [
    ("CLMIntegrationContracts", "CLMIntegrationContractTypes"),
    ("CLMIntegrationContracts", "ContactPersons"),
    ("CLMIntegrationContracts", "VendorsV2"),
    ("CLMIntegrationPurchaseAgreements", "CLMIntegrationContracts"),
    ("CLMIntegrationExternalNavigationLinkKeyValues", "CLMIntegrationExternalNavigationLinks"),
];

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) unit: u32,
    pub(super) level: u32,
    pub(super) sequence: u32,
}

/// The places of all lines. What the host names counts, then what is `stored` of the line (unit and level), then the references.
pub(super) fn places(
    project: &DataProject,
    catalog: &Catalog,
    stored: &dyn Fn(&Line) -> Option<(u32, u32)>,
) -> Vec<Place> {
    let lines = &project.entities;
    let collections: Vec<Option<&str>> = lines
        .iter()
        .map(|line| catalog.find(&line.entity).and_then(|entity| entity.collection.as_deref()))
        .collect();
    let refers = |from: usize, to: usize| match (collections.get(from), collections.get(to)) {
        (Some(Some(from)), Some(Some(to))) if project.operation == OperationType::Import => {
            reaches(catalog, from, to)
        }
        _ => false,
    };
    let fixed: Vec<(Option<u32>, Option<u32>)> = lines
        .iter()
        .map(|line| {
            let stored = stored(line);
            let unit = line.execution_unit.or(stored.map(|(unit, _)| unit));
            (unit, line.level.or(stored.map(|(_, level)| level)))
        })
        .collect();
    let mut found: Vec<(u32, u32)> =
        fixed.iter().map(|(unit, level)| (unit.unwrap_or(1), level.unwrap_or(1))).collect();
    // Each round lets what refers sink below what it refers to; more rounds than lines would be a circle.
    for _ in 0..lines.len() {
        let before = found.clone();
        for (index, (unit, level)) in fixed.iter().enumerate() {
            let above: Vec<(u32, u32)> = before
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index && refers(index, *other))
                .map(|(_, place)| *place)
                .collect();
            let unit = unit.or(above.iter().map(|(unit, _)| *unit).max()).unwrap_or(1);
            let below = above
                .iter()
                .filter(|(other, _)| *other == unit)
                .map(|(_, level)| level.saturating_add(1))
                .max();
            if let Some(place) = found.get_mut(index) {
                *place = (unit, level.or(below).unwrap_or(1));
            }
        }
        if found == before {
            break;
        }
    }
    let mut places: Vec<Place> = Vec::with_capacity(lines.len());
    for (line, (unit, level)) in lines.iter().zip(found) {
        let same = places.iter().filter(|place| (place.unit, place.level) == (unit, level));
        let next = same.map(|place| place.sequence).max().unwrap_or(0).saturating_add(1);
        places.push(Place { unit, level, sequence: line.sequence.unwrap_or(next) });
    }
    places
}

/// Whether rows of `from` refer to rows of `to`, directly or by way of others.
fn reaches(catalog: &Catalog, from: &str, to: &str) -> bool {
    let mut met: Vec<&str> = vec![from];
    let mut at = 0;
    while let Some(here) = met.get(at).copied() {
        at += 1;
        let navigation =
            catalog.collection(here).map(|entity| entity.navigation.as_slice()).unwrap_or_default();
        let single = navigation
            .iter()
            .filter(|navigation| !navigation.many)
            .map(|navigation| navigation.target.as_str());
        let further = REFERENCES.iter().filter(|(from, _)| *from == here).map(|(_, to)| *to);
        for target in single.chain(further) {
            if target == to && target != from {
                return true;
            }
            if !met.contains(&target) {
                met.push(target);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn of(json: &str) -> Vec<(u32, u32, u32)> {
        let project: DataProject = serde_json::from_str(json).unwrap();
        places(&project, builtin(), &|_| None).iter().map(|p| (p.unit, p.level, p.sequence)).collect()
    }

    #[test]
    fn contract_types_contracts_agreements_lines_in_whatever_order_they_are_named() {
        let json = r#"{"name":"P","operation":"Import","entities":[
            {"entity":"CLM integration purchase agreement lines"},{"entity":"CLMIntegrationPurchaseAgreements"},
            {"entity":"Currencies"},{"entity":"CLMIntegrationContracts"},{"entity":"CLMIntegrationContractTypes"},
            {"entity":"An entity of the tenant"}]}"#;
        assert_eq!(of(json), [(1, 4, 1), (1, 3, 1), (1, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 3)]);
    }

    #[test]
    fn a_reference_counts_although_what_lies_between_is_elsewhere() {
        let json = r#"{"name":"P","operation":"Import","entities":[
            {"entity":"CLMIntegrationPurchaseAgreementLines"},{"entity":"CLMIntegrationContractTypes"}]}"#;
        assert_eq!(of(json), [(1, 2, 1), (1, 1, 1)]);
    }

    #[test]
    fn what_the_host_names_counts() {
        let json = r#"{"name":"P","operation":"Import","entities":[
            {"entity":"CLMIntegrationContractTypes","executionUnit":3,"level":5},
            {"entity":"CLMIntegrationContracts"},{"entity":"Currencies","sequence":9},{"entity":"UnitsOfMeasure"}]}"#;
        assert_eq!(of(json), [(3, 5, 1), (3, 6, 1), (1, 1, 9), (1, 1, 10)]);
    }

    #[test]
    fn exports_have_no_order() {
        let json = r#"{"name":"P","operation":"Export","entities":[
            {"entity":"CLMIntegrationContracts"},{"entity":"CLMIntegrationContractTypes"}]}"#;
        assert_eq!(of(json), [(1, 1, 1), (1, 1, 2)]);
    }

    #[test]
    fn the_catalogue_has_no_circle_of_references() {
        let names: Vec<&str> =
            builtin().entities().iter().filter_map(|entity| entity.collection.as_deref()).collect();
        for a in &names {
            for b in &names {
                assert!(
                    !(reaches(builtin(), a, b) && reaches(builtin(), b, a)),
                    "{a} and {b} refer to each other"
                );
            }
        }
        let lines: Vec<String> = names.iter().map(|name| format!(r#"{{"entity":"{name}"}}"#)).collect();
        let json = format!(r#"{{"name":"P","operation":"Import","entities":[{}]}}"#, lines.join(","));
        assert_eq!(of(&json).len(), names.len());
    }
}
