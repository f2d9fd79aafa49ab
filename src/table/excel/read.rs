//! A workbook → rows.

use crate::error::{Error, ErrorCode, Result};

use super::super::check::{Checked, check_header};
use super::super::csv_read::RowSink;
use super::super::{BatchBuilder, RowBatch};
use super::MAX_COLUMNS;
use super::container::Container;
use super::names::column_name;
use super::parts::{self, OpenElements, SharedStrings, SheetRef, Workbook, damaged};
use super::sheet::{Sheet, SheetRow};

/// How a workbook is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkbookOptions {
    /// Name of the sheet, with or without the `$` of the manifest. Without one the first sheet is read; one that is not
    /// there is an error unless the workbook has a single sheet.
    pub(crate) sheet: Option<String>,
    /// Columns of a sheet that is empty, not even with a header.
    pub(crate) mapped: Vec<String>,
    /// Bytes of the file, and bytes of what is read of it when inflated, all parts together.
    pub(crate) limit: u64,
}

/// Reads the rows of one sheet forwards, every cell as text.
///
/// The first row that is not empty has the names of the columns. Rows that are empty up to the end of the sheet are left out,
/// one between others is a row of empty cells. What types become texts is told with the conversions of cells.
pub(crate) struct WorkbookReader {
    columns: Vec<String>,
    /// Row of the header; 0 where there is none.
    header: u64,
    sheet: Sheet,
    /// A row that was read and not handed on yet.
    ahead: Option<SheetRow>,
    /// Number of the row that is handed on next.
    next: u64,
    failed: Option<Box<Error>>,
}

impl WorkbookReader {
    pub(crate) fn new(bytes: Vec<u8>, options: &WorkbookOptions) -> Result<Self> {
        let mut container = Container::open(bytes, options.limit)?;
        let mut sheet = open_sheet(&mut container, options.sheet.as_deref())?;
        let (columns, header) = match sheet.next()? {
            Some(header) => (columns_of(&header)?, header.number),
            None => (options.mapped.clone(), 0),
        };
        Ok(Self { columns, header, next: header + 1, sheet, ahead: None, failed: None })
    }

    /// Names of the columns, in the order of the cells.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// 1-based row of the header; 0 for a sheet without any text.
    pub(crate) fn header_row(&self) -> u64 {
        self.header
    }

    /// Name of the sheet that is read.
    pub(crate) fn sheet_name(&self) -> &str {
        &self.sheet.name
    }

    /// Hands on rows until the sink is full; false after the last. After an error every call repeats it.
    pub(crate) fn read(&mut self, sink: &mut dyn RowSink) -> Result<bool> {
        if let Some(error) = &self.failed {
            return Err((**error).clone());
        }
        self.try_read(sink).inspect_err(|error| self.failed = Some(Box::new(error.clone())))
    }

    /// Up to `max` rows; none after the last. An error comes after the rows before it.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "for the bindings"))]
    pub(crate) fn batch(&mut self, max: usize) -> Result<Option<RowBatch>> {
        let mut sink = BatchBuilder::new(max.max(1));
        let read = self.read(&mut sink);
        match (sink.into_batch(), read) {
            (Some(mut batch), _) => {
                // Without those of the row that the error is in.
                batch.ends.truncate(batch.rows * self.columns.len());
                Ok(Some(batch))
            }
            (None, read) => read.map(|_| None),
        }
    }

    /// Reads the rest of a workbook that goes into a package as it is, and refuses what the service would refuse: no row,
    /// more than 255 columns (DMF2009). What a cell may not hold is refused as by [`read`](Self::read).
    pub(crate) fn check(mut self) -> Result<Checked> {
        if self.columns.len() > MAX_COLUMNS {
            return Err(invalid(format!(
                "the sheet has {} columns, the service takes {MAX_COLUMNS} at most (DMF2009)",
                self.columns.len()
            ))
            .hint("Leave out columns, or use CSV-Unicode."));
        }
        let mut rows = Counter(0);
        self.read(&mut rows)?;
        if rows.0 == 0 {
            return Err(invalid("the sheet has no row below its header").hint(
                "The service refuses a file without data (DMF2053): leave the entity out of the package.",
            ));
        }
        Ok(Checked { columns: self.columns, rows: rows.0 })
    }

    fn try_read(&mut self, sink: &mut dyn RowSink) -> Result<bool> {
        while !sink.is_full() {
            let Some(row) = self.ahead.take().map_or_else(|| self.sheet.next(), |row| Ok(Some(row)))? else {
                return Ok(false);
            };
            let gap = self.next < row.number;
            self.next += 1;
            if gap {
                self.columns.iter().for_each(|_| sink.end_cell());
                self.ahead = Some(row);
            } else {
                self.emit(&row, sink)?;
            }
            sink.end_row();
        }
        Ok(true)
    }

    fn emit(&self, row: &SheetRow, sink: &mut dyn RowSink) -> Result<()> {
        let mut cells = row.cells.iter().peekable();
        for index in 0..self.columns.len() {
            if let Some((_, text)) = cells.next_if(|(column, _)| *column == index) {
                sink.text(text);
            }
            sink.end_cell();
        }
        match cells.next() {
            None => Ok(()),
            Some((column, _)) => {
                let (cell, number) = (column_name(*column), row.number);
                Err(invalid(format!("cell {cell}{number} has a value, but its column has no name"))
                    .at_line(number)
                    .at_column(cell)
                    .hint("Give the column the name of a field in the first row, or clear it."))
            }
        }
    }
}

/// Counts rows; never full, so one reading goes to the end.
struct Counter(u64);

impl RowSink for Counter {
    fn text(&mut self, _part: &str) {}

    fn end_cell(&mut self) {}

    fn end_row(&mut self) {
        self.0 += 1;
    }

    fn is_full(&self) -> bool {
        false
    }
}

fn columns_of(header: &SheetRow) -> Result<Vec<String>> {
    let width = header.cells.last().map_or(0, |(column, _)| column + 1);
    let mut columns = vec![String::new(); width];
    for (column, text) in &header.cells {
        if let Some(name) = columns.get_mut(*column) {
            name.clone_from(text);
        }
    }
    check_header(&columns).map_err(|error| error.at_line(header.number))?;
    Ok(columns)
}

fn open_sheet(container: &mut Container, wanted: Option<&str>) -> Result<Sheet> {
    let path = main_part(container)?;
    let Some(bytes) = container.part(&path)? else {
        return Err(damaged(&path, "it is missing"));
    };
    let workbook = parts::workbook(&parts::decode(&bytes, &path)?, &path)?;
    let (base, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let relations_path = join(base, &format!("_rels/{name}.rels"));
    let relations = match container.part(&relations_path)? {
        Some(bytes) => parts::decode(&bytes, &relations_path)?,
        None => return Err(damaged(&relations_path, "it is missing")),
    };
    let related =
        |wanted: &dyn Fn(&str, &str) -> bool| parts::relation(&relations, &relations_path, base, wanted);
    let chosen = choose(&workbook, wanted)?;
    let part = related(&|id, _| id == chosen.relation)?
        .ok_or_else(|| damaged(&relations_path, "the sheet is missing in it"))?;
    let mut optional = |kind: &str| match related(&|_, found| found.ends_with(kind))? {
        Some(part) => match container.part(&part)? {
            Some(bytes) => parts::decode(&bytes, &part).map(|text| (text, part)),
            None => Ok((String::new(), part)),
        },
        None => Ok((String::new(), String::new())),
    };
    let (text, strings_part) = optional("/sharedStrings")?;
    let shared = SharedStrings::read(&text, &strings_part)?;
    let (text, styles_part) = optional("/styles")?;
    let formats = parts::number_formats(&text, &styles_part)?;
    let bytes = container.part(&part)?.ok_or_else(|| damaged(&part, "it is missing"))?;
    let text = parts::decode(&bytes, &part)?;
    let name = chosen.name.clone();
    Ok(Sheet {
        name,
        text,
        part,
        shared,
        formats,
        from_1904: workbook.from_1904,
        at: 0,
        row: 0,
        open: OpenElements::default(),
    })
}

fn main_part(container: &mut Container) -> Result<String> {
    const RELATIONS: &str = "_rels/.rels";
    let related = match container.part(RELATIONS)? {
        Some(bytes) => {
            let text = parts::decode(&bytes, RELATIONS)?;
            parts::relation(&text, RELATIONS, "", &|_, kind| kind.ends_with("/officeDocument"))?
        }
        None => None,
    };
    related.ok_or_else(|| {
        invalid("the zip file is no workbook (.xlsx)").hint("Save the file as an Excel workbook (.xlsx).")
    })
}

fn choose<'a>(workbook: &'a Workbook, wanted: Option<&str>) -> Result<&'a SheetRef> {
    let sheets = &workbook.sheets;
    let first = sheets
        .first()
        .ok_or_else(|| invalid("the workbook has no sheet").hint("Save it with Excel again."))?;
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Ok(first) };
    // The manifest's notation is that of the database driver: Sheet$, or 'My sheet$'.
    let bare = wanted.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')).unwrap_or(wanted);
    let bare = bare.strip_suffix('$').unwrap_or(bare);
    let named = |name: &str| sheets.iter().find(|sheet| sheet.name.eq_ignore_ascii_case(name));
    if let Some(sheet) = named(wanted).or_else(|| named(bare)) {
        return Ok(sheet);
    }
    if sheets.len() == 1 {
        return Ok(first);
    }
    let names: Vec<&str> = sheets.iter().take(10).map(|sheet| sheet.name.as_str()).collect();
    Err(invalid(format!("the workbook has no sheet \"{bare}\", only {}", names.join(", ")))
        .hint("Name one of them, or rename the sheet."))
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::DataInvalid, message)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
