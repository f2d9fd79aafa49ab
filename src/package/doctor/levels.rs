//! The order in which entities run: headers before lines.
//!
//! Which entity another one refers to is read off the keys: B needs A if A's key (without the company) is a part of B's key, or
//! if both are written by the contract system and A's key is a property of B whose name says whose key it is. Names like `Name`
//! say nothing, and neither do keys of enums alone.

use crate::catalog::{Catalog, Direction, EdmType, Entity};

use super::codes::Code;
use super::report::{Diagnostic, Report, shown};
use super::subject::ColumnMap;

/// A line of the manifest with its place in the run.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) label: &'a str,
    pub(super) unit: i32,
    pub(super) level: i32,
    pub(super) sequence: i32,
    pub(super) maps: &'a [ColumnMap],
}

/// Tells of lines that run before or beside their header.
pub(super) fn check(lines: &[Line<'_>], catalog: &Catalog, report: &mut Report) {
    let known: Vec<(usize, &Line<'_>, &Entity)> = lines
        .iter()
        .enumerate()
        .filter_map(|(i, line)| Some((i, line, catalog.label(line.label)?)))
        .collect();
    for (i, line, entity) in &known {
        for (j, header, target) in &known {
            if i == j || !needs(entity, target, line.maps) {
                continue;
            }
            let place = |at: usize, it: &Line<'_>| (it.unit, it.level, it.sequence, at);
            let code = if place(*i, line) < place(*j, header) {
                Code::LevelOrder
            } else if line.unit != header.unit || line.level == header.level {
                Code::LevelParallel
            } else {
                continue;
            };
            let when = if code == Code::LevelOrder { "before" } else { "beside" };
            let message =
                format!("{} runs {when} {}, to which it refers", shown(line.label), shown(header.label));
            report.add(Diagnostic::new(code, message).entity(line.label));
        }
    }
}

fn needs(entity: &Entity, target: &Entity, maps: &[ColumnMap]) -> bool {
    let own = own_keys(target);
    let keys = own_keys(entity);
    // A member of an enum is no record that must be there first.
    let is_enum = |key: &&str| {
        target.property(key).is_some_and(|it| matches!(it.edm, EdmType::Enum(_) | EdmType::UnnamedEnum))
    };
    if own.iter().all(is_enum) {
        return false;
    }
    // Entities that check others store nothing that could be referred to.
    if target.aot.contains("Validat")
        || own.is_empty()
        || own.len() >= keys.len() && own.iter().all(|key| keys.contains(key))
    {
        return false;
    }
    if own.iter().all(|key| keys.contains(key)) {
        return true;
    }
    let written = entity.direction == Direction::ClmToScm && target.direction == Direction::ClmToScm;
    let tells = |key: &&str| !matches!(*key, "Name" | "ID" | "Key");
    let mapped = |key: &&str| maps.is_empty() || maps.iter().any(|map| map.field.eq_ignore_ascii_case(key));
    written
        && own.iter().all(|key| tells(key) && entity.property(key).is_some() && mapped(key))
        && !keys.iter().any(|key| own.contains(key))
}

fn own_keys(entity: &Entity) -> Vec<&str> {
    entity.keys.iter().map(String::as_str).filter(|key| *key != "dataAreaId").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    const CONTRACT: &str = "CLM integration contract";
    const AGREEMENT: &str = "CLM integration purchase agreements";
    const LINES: &str = "CLM integration purchase agreement lines";

    fn found(lines: &[(&str, i32, i32)]) -> Vec<(&'static str, String)> {
        let lines: Vec<Line<'_>> = lines
            .iter()
            .map(|&(label, unit, level)| Line { label, unit, level, sequence: 1, maps: &[] })
            .collect();
        let mut report = Report::default();
        check(&lines, builtin(), &mut report);
        report.finish().into_iter().map(|it| (it.code.as_str(), it.entity.unwrap_or_default())).collect()
    }

    #[test]
    fn the_catalogue_tells_who_needs_whom() {
        let needs = |a: &str, b: &str| needs(builtin().label(a).unwrap(), builtin().label(b).unwrap(), &[]);
        assert!(needs(AGREEMENT, CONTRACT) && needs(LINES, AGREEMENT));
        assert!(!needs(CONTRACT, AGREEMENT) && !needs(AGREEMENT, LINES) && !needs(LINES, LINES));
        let links = "CLM integration external navigation links";
        assert!(
            !needs("CLM integration external navigation link key-value pairs", links),
            "its key is an enum"
        );
        assert!(!needs("Vendors V2", "Currencies") && !needs(AGREEMENT, "Vendors V2"));
        for a in builtin().entities() {
            for b in builtin().entities() {
                let both = super::needs(a, b, &[]) && super::needs(b, a, &[]);
                assert!(!both, "{} and {} need each other", a.label, b.label);
            }
        }
    }

    #[test]
    fn lines_come_after_their_header_in_the_same_unit() {
        assert_eq!(found(&[(CONTRACT, 1, 1), (AGREEMENT, 1, 2), (LINES, 1, 3)]), []);
        assert_eq!(
            found(&[(LINES, 1, 3), (AGREEMENT, 1, 2)]),
            [],
            "the order of the manifest is not that of the run"
        );
        assert_eq!(found(&[(AGREEMENT, 1, 2), (LINES, 1, 1)]), [("PKG-LEVEL-ORDER", LINES.to_owned())]);
        assert_eq!(found(&[(AGREEMENT, 1, 1), (LINES, 1, 1)]), [("PKG-LEVEL-PARALLEL", LINES.to_owned())]);
        assert_eq!(found(&[(AGREEMENT, 1, 1), (LINES, 2, 2)]), [("PKG-LEVEL-PARALLEL", LINES.to_owned())]);
        assert_eq!(found(&[(LINES, 1, 1), (AGREEMENT, 1, 1)]), [("PKG-LEVEL-ORDER", LINES.to_owned())]);
    }

    #[test]
    fn an_unmapped_reference_needs_nobody() {
        let number = [ColumnMap {
            column: "PURCHASEAGREEMENTID".into(),
            field: "PURCHASEAGREEMENTID".into(),
            filled: false,
            plain: true,
        }];
        let entity = |label| builtin().label(label).unwrap();
        assert!(!super::needs(entity(AGREEMENT), entity(CONTRACT), &number));
    }
}
