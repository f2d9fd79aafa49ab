//! Data packages: build one from rows, open one that somebody else wrote.
//!
//! What belongs here: the zip container, `PackageHeader.xml`, `Manifest.xml`, which file belongs to which entity, and the
//! limits that keep a hostile package harmless. What does not: how rows become bytes (`table`), what the entities are
//! (`catalog`), and everything that talks to a service (`dmf`).
//!
//! Nothing here holds a package. What reads one asks for ranges of its bytes ([`Pull`]), so that it may lie in a file, behind a
//! URL or in a browser's Blob; what writes one hands over its bytes as they come. [`LocalPackage`] reads one that is at hand.
//!
//! ```
//! use d365_clm::package::{EntitySpec, Limits, LocalPackage, PackageSpec, PackageWriter};
//!
//! let mut spec = PackageSpec::new("CLM-Currencies-Import");
//! spec.entities.push(EntitySpec::new("Currencies"));
//! let mut writer = PackageWriter::new(spec)?;
//! writer.begin_entity(0, &["CurrencyCode".into(), "Name".into()])?;
//! writer.write_rows("EUREuro", &[3, 7], &[0, 0])?;
//! writer.end_entity()?;
//! let bytes = writer.finish()?;
//!
//! let package = LocalPackage::open(bytes, Limits::default())?;
//! let mut rows = package.rows(0)?;
//! assert_eq!(rows.columns(), ["CURRENCYCODE", "NAME"]);
//! let batch = rows.next(1000)?.expect("one row");
//! assert_eq!(batch.cells().collect::<Vec<_>>(), ["EUR", "Euro"]);
//! # Ok::<(), d365_clm::Error>(())
//! ```

mod data_package;
mod doctor;
mod foreign;
// Subsets, repairs and the package doctor use the rest of these three.
#[cfg_attr(not(test), allow(dead_code))]
mod header;
mod limits;
mod local;
#[cfg_attr(not(test), allow(dead_code))]
mod manifest;
mod names;
mod opener;
mod parser;
mod pull;
mod read_at;
mod resolved;
mod rewriter;
mod row_file;
mod row_reader;
mod spec;
mod writer;
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod xml;
mod zip;

pub use data_package::{DataPackage, FileInfo, FileReader, PackageEntity};
pub use doctor::{Code, CodeInfo, Diagnostic, Doctor, Repair, Repairer, Severity, WorkbookExam, refusal};
pub use limits::Limits;
pub use local::{LocalPackage, LocalRows};
pub use opener::Opener;
pub use pull::Pull;
pub use read_at::ReadAt;
pub use rewriter::Rewriter;
pub use row_reader::{RecordMember, RowReader};
pub use spec::{EntitySpec, MemberSpec, PackageSpec, RefreshType};
pub use writer::PackageWriter;
#[cfg(feature = "full")]
pub(crate) use zip::crc32;
pub use zip::{Block, BlockDeflater};

pub use crate::table::{CellKind, CodePage, ColumnBatch, ColumnText, RowBatch, SourceFormat, WorkbookPlan};

/// Name of the entry that makes a zip a package.
const HEADER_FILE: &str = "PackageHeader.xml";
/// Name of the entry that lists the entities.
const MANIFEST_FILE: &str = "Manifest.xml";
