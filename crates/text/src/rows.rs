//! Where rows go that are read.

use super::cells::{Cells, utf16_len};
use super::csv_read::{CsvFault, RowSink, Tokenizer};

/// A batch ends after the row that takes its text beyond this many bytes, however many rows were asked for. JavaScript engines
/// make strings up to this size several times faster, byte for byte, than larger ones.
const BATCH_BYTES: usize = 64 << 10;
/// The same for a batch of columns, each of which is a string of its own.
const COLUMNS_BYTES: usize = 512 << 10;

/// Some rows: one text, and where each cell ends in it.
///
/// Cell (r, c) of n columns is number `r * n + c`; it reaches from the end before it (0 for the first) to its own end.
/// An empty value is an empty text; CSV knows no null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RowBatch {
    /// Number of rows, at least 1.
    pub rows: usize,
    /// The cells, one after the other.
    pub text: String,
    /// Where each cell ends, row after row, in UTF-16 code units (as JavaScript counts).
    pub ends: Vec<u32>,
    /// The member of each row, for a composite entity: a row then has the cells of its member's columns. Else empty.
    pub members: Vec<u8>,
}

impl RowBatch {
    /// The cells in order, row after row.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        // Ends that do not fit the text can only be of the caller's making: the walk ends there.
        Cells::new(&self.text, &self.ends).map_while(Result::ok)
    }
}

/// Some rows, column by column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ColumnBatch {
    /// Number of rows, at least 1.
    pub rows: usize,
    /// The columns in the order of the file.
    pub columns: Vec<ColumnText>,
}

/// The cells of one column: one text, and where each cell ends in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ColumnText {
    /// The cells, one after the other.
    pub text: String,
    /// Where each cell ends, in UTF-16 code units.
    pub ends: Vec<u32>,
}

/// Gathers rows into a batch of columns.
pub struct ColumnBuilder {
    batch: ColumnBatch,
    max_rows: usize,
    bytes: usize,
    column: usize,
    /// UTF-16 length of each column's text.
    units: Vec<usize>,
}

impl ColumnBuilder {
    pub fn new(max_rows: usize, columns: usize) -> Self {
        let batch = ColumnBatch { rows: 0, columns: vec![ColumnText::default(); columns] };
        Self { batch, max_rows, bytes: 0, column: 0, units: vec![0; columns] }
    }

    pub fn into_batch(self) -> Option<ColumnBatch> {
        (self.batch.rows > 0).then_some(self.batch)
    }
}

impl RowSink for ColumnBuilder {
    fn text(&mut self, part: &str) {
        // Rows of another length than the header are refused before this sees more.
        let (Some(column), Some(unit)) =
            (self.batch.columns.get_mut(self.column), self.units.get_mut(self.column))
        else {
            return;
        };
        *unit += utf16_len(part);
        column.text.push_str(part);
        self.bytes += part.len();
    }

    fn end_cell(&mut self) {
        if let (Some(column), Some(unit)) =
            (self.batch.columns.get_mut(self.column), self.units.get(self.column))
        {
            column.ends.push(u32::try_from(*unit).unwrap_or(u32::MAX));
        }
        self.column += 1;
    }

    fn end_row(&mut self) {
        self.batch.rows += 1;
        self.column = 0;
    }

    #[inline(never)]
    fn feed_from(&mut self, tokenizer: &mut Tokenizer, text: &str) -> Result<usize, CsvFault> {
        tokenizer.feed(text, self)
    }

    fn is_full(&self) -> bool {
        self.batch.rows >= self.max_rows || self.bytes >= COLUMNS_BYTES
    }
}

impl ColumnBuilder {
    /// Takes rows that were read before.
    pub fn take_rows(&mut self, batch: &RowBatch) {
        let width = self.batch.columns.len().max(1);
        for (i, cell) in batch.cells().enumerate() {
            self.text(cell);
            self.end_cell();
            if (i + 1).is_multiple_of(width) {
                self.end_row();
            }
        }
    }
}

/// Gathers rows into a batch.
pub struct BatchBuilder {
    batch: RowBatch,
    max_rows: usize,
    /// UTF-16 length of the text.
    unit: usize,
    /// The member that the next row is of, where rows are records within records.
    member: Option<u8>,
}

impl BatchBuilder {
    /// A batch of at most so many rows.
    #[must_use]
    pub fn new(max_rows: usize) -> Self {
        Self { batch: RowBatch::default(), max_rows, unit: 0, member: None }
    }

    /// The same for records within records: the batch tells the member of each.
    #[must_use]
    pub fn nested(max_rows: usize) -> Self {
        Self { member: Some(0), ..Self::new(max_rows) }
    }

    /// The row that ends next is of this member.
    pub fn set_member(&mut self, index: u8) {
        self.member = self.member.map(|_| index);
    }

    /// None where no row came.
    #[must_use]
    pub fn into_batch(self) -> Option<RowBatch> {
        (self.batch.rows > 0).then_some(self.batch)
    }
}

impl RowSink for BatchBuilder {
    fn text(&mut self, part: &str) {
        self.unit += utf16_len(part);
        self.batch.text.push_str(part);
    }

    fn end_cell(&mut self) {
        // A row is at most 16 MiB and a batch ends at 1 MiB, so this never saturates.
        self.batch.ends.push(u32::try_from(self.unit).unwrap_or(u32::MAX));
    }

    fn end_row(&mut self) {
        self.batch.members.extend(self.member);
        self.batch.rows += 1;
    }

    #[inline(never)]
    fn feed_from(&mut self, tokenizer: &mut Tokenizer, text: &str) -> Result<usize, CsvFault> {
        tokenizer.feed(text, self)
    }

    fn is_full(&self) -> bool {
        self.batch.rows >= self.max_rows || self.batch.text.len() >= BATCH_BYTES
    }
}

/// Counts rows and keeps nothing.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CountSink {
    /// Rows so far.
    pub rows: u64,
}

impl RowSink for CountSink {
    fn text(&mut self, _part: &str) {}

    fn end_cell(&mut self) {}

    fn end_row(&mut self) {
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        false
    }
}
