//! Source → staging: a data file becomes staged rows, or says why not. The codes are the service's; where the
//! reference gives no words for a code, the words are ours.

use std::collections::{HashMap, HashSet};

use super::formats::{Format, unsupported};
use crate::catalog::{COMPANY, Catalog, Entity, Property};
use crate::odata::key_of;
use crate::package::csv::{Reader, Record, write_record};
use crate::package::{ManifestEntity, text};
use crate::value::{Row, Value, from_cell};

/// Staged rows of an entity.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// (key text, values)
    pub(crate) rows: Vec<(String, Row)>,
    pub(crate) rejected: Vec<Rejected>,
    /// Rows that the file has.
    pub(crate) total: usize,
    /// The rejected rows as a file in the layout of the source, header included; empty without any.
    pub(crate) error_file: String,
}

/// A row that could not be staged.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) key: String,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// Reads the file of `line`. An error concerns the whole file: nothing is staged.
pub(crate) fn stage(
    line: &ManifestEntity,
    data: &[u8],
    entity: &Entity,
    company: &str,
    catalog: &Catalog,
) -> Result<Staged, String> {
    let text = match Format::parse(&line.format) {
        Some(Format::CsvUnicode) => text::decode_unicode(data).ok_or("Selected file is not Unicode")?,
        Some(Format::Csv) => text::decode_ansi(data),
        None => return Err(unsupported(&line.format)),
    };
    let mut records = Reader::new(&text).map(|record| record.map_err(|error| format!("DMF1999: {error}.")));
    let header = match records.next().transpose()? {
        Some(header) if !header.blank => header.fields,
        Some(_) => return Err("FF004: The file has a blank line before the header row.".to_owned()),
        None => return Err("DMF2050: The file has no header row.".to_owned()),
    };
    let columns = columns(line, &header, entity)?;
    let mut staged = Staged::default();
    let mut seen = HashSet::new();
    let mut blank = None;
    for record in records {
        let record = record?;
        if record.blank {
            blank.get_or_insert(record.line);
            continue;
        }
        if let Some(at) = blank {
            return Err(format!("FF004 DMF2050: The file has a blank line between rows (line {at})."));
        }
        if record.fields.len() != header.len() {
            return Err(format!(
                "DMF1999: Line {} has {} columns, the header row has {}. Check delimiter and text qualifier.",
                record.line,
                record.fields.len(),
                header.len()
            ));
        }
        staged.total += 1;
        let (key, row) = match row(&record, &columns, entity, company, catalog) {
            Ok(row) => row,
            Err(rejected) => {
                if staged.error_file.is_empty() {
                    write_record(&mut staged.error_file, header.iter().map(String::as_str));
                }
                write_record(&mut staged.error_file, record.fields.iter().map(String::as_str));
                staged.rejected.push(rejected);
                continue;
            }
        };
        if !seen.insert(key.clone()) {
            return Err(format!(
                "DMF1959: The file has duplicate records for the entity key ({key}, line {}).",
                record.line
            ));
        }
        staged.rows.push((key, row));
    }
    if staged.total == 0 {
        return Err("DMF2053: The file has no data rows.".to_owned());
    }
    Ok(staged)
}

/// The property of each column. File and map must name the same columns; their order does not matter.
fn columns<'a>(
    line: &ManifestEntity,
    header: &[String],
    entity: &'a Entity,
) -> Result<Vec<&'a Property>, String> {
    let maps: HashMap<&str, &str> =
        line.maps.iter().map(|(column, field)| (column.as_str(), field.as_str())).collect();
    for (column, _) in &line.maps {
        if !header.contains(column) {
            return Err(format!(
                "DMF2022: The mapped field {column} does not exist in the file {}.",
                line.file
            ));
        }
    }
    let mut named = HashSet::new();
    let mut columns = Vec::new();
    for column in header {
        let Some(field) = maps.get(column.as_str()) else {
            return Err(format!("DMF2025: The column {column} of the file {} is not mapped.", line.file));
        };
        let property = entity
            .field(&field.to_uppercase())
            .filter(|property| !(entity.company && property.name == COMPANY));
        let Some(property) = property else {
            return Err(format!(
                "The mapping is incorrect: the field {field} does not exist in the staging table of {}.",
                entity.label
            ));
        };
        if !named.insert(&property.name) {
            return Err(format!("DMF1966: The field {field} of {} is mapped more than once.", entity.label));
        }
        columns.push(property);
    }
    Ok(columns)
}

fn row(
    record: &Record,
    columns: &[&Property],
    entity: &Entity,
    company: &str,
    catalog: &Catalog,
) -> Result<(String, Row), Rejected> {
    let mut row = Row::new();
    let mut bad = None;
    for (property, cell) in columns.iter().zip(&record.fields) {
        match from_cell(property, cell, catalog) {
            Some(value) => {
                row.insert(property.name.clone(), value);
            }
            None => bad = bad.or(Some((*property, cell))),
        }
    }
    if entity.company {
        row.insert(COMPANY.to_owned(), Value::text(company));
    }
    let key: Vec<&str> = entity.own_keys().map(|name| row.get(name).map_or("", Value::as_text)).collect();
    let key = key.join(", ");
    let rejected =
        |field: &str, message: String| Rejected { key: key.clone(), field: field.to_owned(), message };
    if let Some((property, cell)) = bad {
        return Err(rejected(
            &property.field,
            format!(
                "DMF2016: The value '{cell}' in line {} cannot be converted to the type {} of the field {}.",
                record.line,
                property.kind.edm(),
                property.field
            ),
        ));
    }
    if let Err(name) = key_of(entity, &row) {
        let field = name.to_uppercase();
        return Err(rejected(&field, format!("The key field {field} has no value in line {}.", record.line)));
    }
    Ok((key, row))
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
        let catalog = Catalog::embedded().unwrap();
        let entity = catalog.label("Currencies").unwrap();
        stage(&line("CSV-Unicode", columns), &encode_unicode(text), entity, "usmf", &catalog)
    }

    #[test]
    fn order_of_columns_does_not_matter() {
        let staged =
            run(&["NAME", "CURRENCYCODE"], "CURRENCYCODE,NAME\r\nEUR,\"Euro, \"\"€\"\"\"\r\n").unwrap();
        assert_eq!(staged.rows[0].0, "EUR");
        assert_eq!(staged.rows[0].1["Name"], Value::text("Euro, \"€\""));
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
        let good: Vec<&str> = staged.rows.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(good, ["EUR", "CHF"]);
        assert_eq!(staged.rows[1].1["GeneralRoundingRule"], Value::number("0.5"));
        assert_eq!(staged.rows[1].1["ReferenceCurrencyForTriangulation"], Value::text("Yes"));
        let bad: Vec<&str> = staged.rejected.iter().map(|rejected| rejected.field.as_str()).collect();
        assert_eq!(bad, ["GENERALROUNDINGRULE", "REFERENCECURRENCYFORTRIANGULATION", "CURRENCYCODE"]);
        assert!(
            staged.rejected[0].message.contains("DMF2016") && staged.rejected[0].message.contains("line 3")
        );
        assert!(staged.error_file.starts_with(
            "CURRENCYCODE,GENERALROUNDINGRULE,REFERENCECURRENCYFORTRIANGULATION\r\nUSD,one,No\r\n"
        ));
    }

    #[test]
    fn encodings_are_told_apart() {
        let catalog = Catalog::embedded().unwrap();
        let entity = catalog.label("Currencies").unwrap();
        let utf8 = "CURRENCYCODE\r\nEUR\r\n".as_bytes();
        let error =
            stage(&line("CSV-Unicode", &["CURRENCYCODE"]), utf8, entity, "usmf", &catalog).unwrap_err();
        assert_eq!(error, "Selected file is not Unicode");
        let ansi = b"CURRENCYCODE,NAME\r\nEUR,Euro \x80\r\n";
        let staged = stage(&line("CSV", &["CURRENCYCODE", "NAME"]), ansi, entity, "usmf", &catalog).unwrap();
        assert_eq!(staged.rows[0].1["Name"], Value::text("Euro €"));
        let error =
            stage(&line("XML-Element", &["CURRENCYCODE"]), utf8, entity, "usmf", &catalog).unwrap_err();
        assert!(error.contains("not implemented by this sandbox"));
    }
}
