//! Source → staging: a data file becomes staged rows, or says why not. The codes are the service's; where the
//! reference gives no words for a code, the words are ours.

use std::collections::HashSet;

use super::data_file::DataFile;
use super::definitions::Definitions;
use super::formats::Format;
use super::source::{NO_ROWS, Source};
use crate::catalog::{COMPANY, Catalog, Entity, Kind, Property};
use crate::odata::key_of;
use crate::package::ManifestEntity;
use crate::value::{Row, Value, from_cell};

/// Staged rows of a line of a data project.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    pub(crate) rows: Vec<StagedRow>,
    pub(crate) rejected: Vec<Rejected>,
    /// Rows that the file has, those included that were not recognised.
    pub(crate) total: usize,
    /// The rejected rows as a file in the layout of the source.
    pub(crate) error_file: Option<Vec<u8>>,
}

/// A row that was staged.
#[derive(Debug)]
pub(crate) struct StagedRow {
    /// AOT name of its entity: the one of the line, or a member of it.
    pub(crate) aot: String,
    /// Key as text.
    pub(crate) key: String,
    pub(crate) row: Row,
    /// Index of the row that it is nested in.
    pub(crate) parent: Option<usize>,
}

/// A row that could not be staged.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) key: String,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// Where rows go: what reading a value depends on beside the file.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// Lower case.
    pub(crate) company: &'a str,
    pub(crate) catalog: &'a Catalog,
    pub(crate) definitions: &'a Definitions,
}

/// Reads the file of `line`. An error concerns the whole file: nothing is staged.
pub(crate) fn stage(
    line: &ManifestEntity,
    data: &[u8],
    entity: &Entity,
    context: Context<'_>,
) -> Result<Staged, String> {
    let source = Source::open(line, data, entity)?;
    let columns = columns(line, &source, entity)?;
    let mut staged = Staged::default();
    let mut seen = HashSet::new();
    let mut errors = Format::parse(&line.format)
        .map(|format| DataFile::new(format, &entity.aot, &entity.label, source.columns.clone()));
    staged.total = source.each(&mut |number, cells| {
        let fields = columns.iter().copied().zip(cells.iter().map(String::as_str));
        match stage_row(fields, number, entity, Row::new(), context) {
            Ok((key, row)) => {
                if !seen.insert(row_key(entity, &row)) {
                    return Err(duplicate(&key, number));
                }
                staged.rows.push(StagedRow { aot: entity.aot.clone(), key, row, parent: None });
            }
            Err(rejected) => {
                staged.rejected.push(rejected);
                if let Some(file) = &mut errors {
                    file.push(cells);
                }
            }
        }
        Ok(())
    })?;
    if staged.total == 0 {
        return Err(NO_ROWS.to_owned());
    }
    if !staged.rejected.is_empty() {
        // What cannot be written in the format has no error file.
        staged.error_file = errors.and_then(|file| file.finish(&entity.label).ok());
    }
    Ok(staged)
}

pub(super) fn duplicate(key: &str, line: usize) -> String {
    format!("DMF1959: The file has duplicate records for the entity key ({key}, line {line}).")
}

/// Identity of a row within its entity, as the database compares: numbers by value, texts without regard to case and to
/// blanks at the end (unverified).
pub(super) fn row_key(entity: &Entity, row: &Row) -> (String, String) {
    let fold = |part: &str| part.trim_end_matches(' ').to_uppercase();
    let key = |text: String| text.split('\u{1f}').map(fold).collect::<Vec<_>>().join("\u{1f}");
    key_of(entity, row).map(|found| (found.company, key(found.key))).unwrap_or_default()
}

/// The property of each column. File and map must name the same columns; their order does not matter.
fn columns<'a>(
    line: &ManifestEntity,
    source: &Source,
    entity: &'a Entity,
) -> Result<Vec<&'a Property>, String> {
    check_maps(line)?;
    if let Some((column, _)) = line.maps.iter().find(|(column, _)| !source.columns.contains(column)) {
        return Err(source.missing(column, &line.file));
    }
    let mut named = HashSet::new();
    let mut columns = Vec::new();
    for column in &source.columns {
        let Some((_, field)) = line.maps.iter().find(|(mapped, _)| mapped == column) else {
            return Err(not_mapped(column, line));
        };
        let Some(property) = staging_field(entity, field) else {
            return Err(no_field(field, entity));
        };
        if !named.insert(&property.name) {
            return Err(format!("DMF1966: The field {field} of {} is mapped more than once.", entity.label));
        }
        columns.push(property);
    }
    Ok(columns)
}

/// A column of the file is mapped once.
fn check_maps(line: &ManifestEntity) -> Result<(), String> {
    let mut columns = HashSet::new();
    match line.maps.iter().find(|(column, _)| !columns.insert(column)) {
        Some((column, _)) => {
            Err(format!("DMF1966: The column {column} of {} is mapped more than once.", line.label))
        }
        None => Ok(()),
    }
}

pub(super) fn not_mapped(column: &str, line: &ManifestEntity) -> String {
    format!("DMF2025: The column {column} of the file {} is not mapped.", line.file)
}

pub(super) fn no_field(field: &str, entity: &Entity) -> String {
    format!(
        "The mapping is incorrect: the field {field} does not exist in the staging table of {}.",
        entity.label
    )
}

/// The property behind a staging field; the company of company-specific entities is none.
pub(super) fn staging_field<'a>(entity: &'a Entity, field: &str) -> Option<&'a Property> {
    entity.field(&field.to_uppercase()).filter(|property| !(entity.company && property.name == COMPANY))
}

/// Reads the cells of a row on top of `row`.
pub(super) fn stage_row<'a>(
    fields: impl Iterator<Item = (&'a Property, &'a str)>,
    line: usize,
    entity: &Entity,
    mut row: Row,
    context: Context<'_>,
) -> Result<(String, Row), Rejected> {
    let mut bad = None;
    for (property, cell) in fields {
        if let Some(message) = too_long(property, cell, line, entity, context.definitions) {
            bad = bad.or(Some((property.field.clone(), message)));
        }
        match from_cell(property, cell, context.catalog) {
            Some(value) => {
                row.insert(property.name.clone(), value);
            }
            None => {
                let message = format!(
                    "DMF2016: The value '{cell}' in line {line} cannot be converted to the type {} of the field {}.",
                    property.kind.edm(),
                    property.field
                );
                bad = bad.or(Some((property.field.clone(), message)));
            }
        }
    }
    if entity.company {
        row.insert(COMPANY.to_owned(), Value::text(context.company));
    }
    let key: Vec<&str> = entity.own_keys().map(|name| row.get(name).map_or("", Value::as_text)).collect();
    let key = key.join(", ");
    if let Some((field, message)) = bad {
        return Err(Rejected { key, field, message });
    }
    if let Err(name) = key_of(entity, &row) {
        let field = name.to_uppercase();
        let message = format!("The key field {field} has no value in line {line}.");
        return Err(Rejected { key, field, message });
    }
    Ok((key, row))
}

/// Only where a length is known.
fn too_long(
    property: &Property,
    cell: &str,
    line: usize,
    entity: &Entity,
    definitions: &Definitions,
) -> Option<String> {
    let most = definitions.length(&entity.label, &property.name).filter(|_| property.kind == Kind::String)?;
    let found = cell.encode_utf16().count();
    (found > most).then(|| {
        format!(
            "DMF2018: The value in line {line} has {found} characters, the field {} takes {most}.",
            property.field
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::text::encode_unicode;

    fn line(format: &str, columns: &[&str]) -> ManifestEntity {
        ManifestEntity {
            label: "Currencies".into(),
            file: "Currencies.csv".into(),
            format: format.into(),
            maps: columns.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect(),
            ..ManifestEntity::default()
        }
    }

    fn run(columns: &[&str], text: &str) -> Result<Staged, String> {
        run_bytes("CSV-Unicode", columns, &encode_unicode(text))
    }

    fn run_bytes(format: &str, columns: &[&str], data: &[u8]) -> Result<Staged, String> {
        let catalog = Catalog::embedded().unwrap();
        let definitions = Definitions::default();
        let context = Context { company: "usmf", catalog: &catalog, definitions: &definitions };
        stage(&line(format, columns), data, catalog.label("Currencies").unwrap(), context)
    }

    #[test]
    fn order_of_columns_does_not_matter() {
        let staged =
            run(&["NAME", "CURRENCYCODE"], "CURRENCYCODE,NAME\r\nEUR,\"Euro, \"\"€\"\"\"\r\n").unwrap();
        assert_eq!(staged.rows[0].key, "EUR");
        assert_eq!(staged.rows[0].row["Name"], Value::text("Euro, \"€\""));
    }

    #[test]
    fn each_pitfall_has_its_code() {
        let both = ["CURRENCYCODE", "NAME"];
        let cases = [
            (&both[..], "CURRENCYCODE\r\nEUR\r\n", "DMF2022"),
            (&both[..1], "CURRENCYCODE,NAME\r\nEUR,Euro\r\n", "DMF2025"),
            (&both[..], "CURRENCYCODE,NAME\r\n", "DMF2053"),
            (&both[..], "\r\nCURRENCYCODE,NAME\r\nEUR,Euro\r\n", "FF004"),
            (&both[..], "CURRENCYCODE,NAME\r\nEUR,Euro\r\n\r\nUSD,Dollar\r\n", "DMF2050"),
            (&both[..], "CURRENCYCODE,NAME\r\nEUR,Euro\r\nEUR,Euro\r\n", "DMF1959"),
            (&both[..], "CURRENCYCODE;NAME\r\nEUR;Euro\r\n", "DMF2022"),
            (&both[..], "CURRENCYCODE,NAME\r\nEUR,Euro,x\r\n", "DMF1999"),
            (&both[..], "CURRENCYCODE,NAME\r\nEUR,\"Euro\r\n", "DMF1999"),
            (&both[..], "", "DMF2050"),
            (
                &["CURRENCYCODE", "DATAAREAID"][..],
                "CURRENCYCODE,DATAAREAID\r\nEUR,usmf\r\n",
                "does not exist in the staging table",
            ),
        ];
        for (columns, text, code) in cases {
            let error = run(columns, text).unwrap_err();
            assert!(error.contains(code), "{text:?}: {error}");
        }
    }

    #[test]
    fn bad_values_concern_their_row_alone() {
        let staged = run(
            &["CURRENCYCODE", "GENERALROUNDINGRULE", "REFERENCECURRENCYFORTRIANGULATION"],
            "CURRENCYCODE,GENERALROUNDINGRULE,REFERENCECURRENCYFORTRIANGULATION\r\nEUR,0.01,Yes\r\nUSD,one,No\r\nGBP,1,Perhaps\r\n,1,No\r\nCHF,.5,1\r\n",
        )
        .unwrap();
        let good: Vec<&str> = staged.rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(good, ["EUR", "CHF"]);
        assert_eq!(staged.rows[1].row["GeneralRoundingRule"], Value::number("0.5"));
        assert_eq!(staged.rows[1].row["ReferenceCurrencyForTriangulation"], Value::text("Yes"));
        let bad: Vec<&str> = staged.rejected.iter().map(|rejected| rejected.field.as_str()).collect();
        assert_eq!(bad, ["GENERALROUNDINGRULE", "REFERENCECURRENCYFORTRIANGULATION", "CURRENCYCODE"]);
        assert!(
            staged.rejected[0].message.contains("DMF2016") && staged.rejected[0].message.contains("line 3")
        );
        let rejected = "CURRENCYCODE,GENERALROUNDINGRULE,REFERENCECURRENCYFORTRIANGULATION\r\nUSD,one,No\r\nGBP,1,Perhaps\r\n,1,No\r\n";
        assert_eq!(staged.error_file, Some(encode_unicode(rejected)));
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf8 = "CURRENCYCODE\r\nEUR\r\n".as_bytes();
        let error = run_bytes("CSV-Unicode", &["CURRENCYCODE"], utf8).unwrap_err();
        assert_eq!(error, "Selected file is not Unicode");
        let ansi = b"CURRENCYCODE,NAME\r\nEUR,Euro \x80\r\n";
        let staged = run_bytes("CSV", &["CURRENCYCODE", "NAME"], ansi).unwrap();
        assert_eq!(staged.rows[0].row["Name"], Value::text("Euro €"));
        let error = run_bytes("CSV-UTF8", &["CURRENCYCODE"], utf8).unwrap_err();
        assert_eq!(error, "The source data format 'CSV-UTF8' does not exist in this environment.");
    }
}
