//! How a workbook is to be written, told by who knows the entities to who knows workbooks.

use serde::Serialize;

use crate::error::{Error, Result};

use super::cell::Target;
use super::csv_write::Column;

/// Sheet and columns of a workbook that is written elsewhere; its JSON is a matter between the two sides.
#[derive(Debug, Clone, Serialize)]
pub struct WorkbookPlan {
    pub(crate) sheet: String,
    pub(crate) columns: Vec<Column>,
}

impl WorkbookPlan {
    /// The plan as the other side was told it: of each column its name, its header and its target.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where these are no such triples.
    pub fn new(sheet: &str, columns: &[String]) -> Result<Self> {
        let (triples, rest) = columns.as_chunks::<3>();
        let column = |[name, header, target]: &[String; 3]| {
            let target = Target::of_name(target)?;
            Some(Column { name: name.clone(), header: header.clone(), target })
        };
        let all: Option<Vec<Column>> = triples.iter().map(column).collect();
        match all {
            Some(columns) if rest.is_empty() => Ok(Self { sheet: sheet.to_owned(), columns }),
            _ => Err(Error::argument("the plan of the workbook can't be understood")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let all = [
            Target::Unknown,
            Target::Text,
            Target::NoYes,
            Target::Enum,
            Target::Int32,
            Target::Int64,
            Target::Real,
            Target::Date,
            Target::TextOnly,
        ];
        let column = |target| Column { name: "n".to_owned(), header: "N".to_owned(), target };
        let plan = WorkbookPlan { sheet: "S".to_owned(), columns: all.into_iter().map(column).collect() };
        let json = serde_json::to_value(&plan).unwrap();
        let told: Vec<String> = json["columns"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|column| {
                ["name", "header", "target"].map(|part| column[part].as_str().unwrap().to_owned())
            })
            .collect();
        let read = WorkbookPlan::new(json["sheet"].as_str().unwrap(), &told).unwrap();
        assert_eq!((read.sheet.as_str(), read.columns.len()), ("S", 9));
        for (column, target) in read.columns.iter().zip(all) {
            assert_eq!((column.name.as_str(), column.header.as_str(), column.target), ("n", "N", target));
        }
    }
    #[test]
    fn what_is_no_plan_is_refused() {
        let plan = |columns: &[&str]| {
            WorkbookPlan::new("S", &columns.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        assert!(plan(&["n", "N", "Text"]).is_ok());
        assert!(plan(&["n", "N"]).is_err());
        assert!(plan(&["n", "N", "text"]).is_err());
    }
}
