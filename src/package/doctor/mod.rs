//! The package doctor: everything that makes the service reject, misread or silently skip a package, and its repair.
//!
//! What belongs here: the codes, the rules behind them, and the corrections that are safe. What does not: reading zips and
//! the two XML files (`package`), decoding and splitting text (`table`). A rule names its source in the table of codes.

mod codes;
mod columns;
mod csv;
mod csv_file;
mod file;
mod keys;
mod layout;
mod levels;
mod machine;
mod manifest_rules;
mod repair;
mod report;
mod rewrite_csv;
mod rows;
mod sheet_check;
mod subject;
mod workbook_file;
mod xml_file;

pub use codes::{Code, CodeInfo, Repair, Severity};
pub use machine::{Doctor, refusal};
pub use repair::Repairer;
pub use report::Diagnostic;
pub use workbook_file::WorkbookExam;

#[cfg(test)]
mod passes_tests;
#[cfg(test)]
mod tests;
