//! A package at hand, for native callers: drives the machines over something that can be read in any order.

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};
use crate::table::RowBatch;

use super::data_package::{DataPackage, FileInfo, PackageEntity};
use super::doctor::Diagnostic;
use super::limits::Limits;
use super::opener::Opener;
use super::pull::Pull;
use super::read_at::ReadAt;
use super::rewriter::Rewriter;
use super::row_reader::{RecordMember, RowReader};

/// An open package together with its bytes: a `Vec<u8>`, a `&[u8]` or a [`std::fs::File`].
#[derive(Debug, Clone)]
pub struct LocalPackage<S> {
    source: S,
    package: DataPackage,
}

impl<S: ReadAt> LocalPackage<S> {
    /// Opens a package. A manifest without maps, or one that names files that the zip lacks, opens too.
    ///
    /// # Errors
    /// Those of [`Opener::give`]; `PACKAGE_CORRUPT` where the source can't be read.
    pub fn open(source: S, limits: Limits) -> Result<Self> {
        let size = source.size().map_err(|error| unreadable(&error))?;
        let mut opener = Opener::new(size, limits);
        while let Some(range) = opener.want() {
            opener.give(bytes_of(&source, range)?)?;
        }
        Ok(Self { package: opener.finish()?, source })
    }

    /// Opens a package for the package doctor: see [`Opener::lenient`]; `schema` is the tenant's own, where there is one.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`refusal`](super::refusal) makes a finding of the error.
    pub fn open_leniently(source: S, limits: Limits, schema: Option<Arc<Catalog>>) -> Result<Self> {
        let size = source.size().map_err(|error| unreadable(&error))?;
        let mut opener = Opener::new(size, limits).lenient();
        if let Some(schema) = schema {
            opener = opener.schema(schema);
        }
        while let Some(range) = opener.want() {
            opener.give(bytes_of(&source, range)?)?;
        }
        Ok(Self { package: opener.finish()?, source })
    }

    /// Everything that makes the service reject, misread or silently skip the package.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` where the source can't be read.
    pub fn diagnose(&self) -> Result<Vec<Diagnostic>> {
        let mut doctor = self.package.doctor();
        loop {
            match doctor.step()? {
                Pull::Have(()) => {}
                Pull::End => return Ok(doctor.result().to_vec()),
                Pull::Want => {
                    if let Some(range) = doctor.want() {
                        doctor.give(bytes_of(&self.source, range)?)?;
                    }
                }
            }
        }
    }

    /// Hands the corrected package to `write`, piece by piece, and says what was corrected.
    ///
    /// # Errors
    /// Those of [`Repairer::step`](super::Repairer::read), and those of `write`.
    pub fn repair(&self, mut write: impl FnMut(&[u8]) -> Result<()>) -> Result<Vec<Diagnostic>> {
        let mut repairer = self.package.repair();
        loop {
            match repairer.read()? {
                Pull::Have(bytes) => write(&bytes)?,
                Pull::End => return Ok(repairer.changes().to_vec()),
                Pull::Want => {
                    if let Some(range) = repairer.want() {
                        repairer.give(bytes_of(&self.source, range)?)?;
                    }
                }
            }
        }
    }

    /// The package without its bytes.
    pub fn package(&self) -> &DataPackage {
        &self.package
    }

    /// Name of its data project.
    pub fn name(&self) -> &str {
        self.package.name()
    }

    /// Its description; empty where there is none.
    pub fn description(&self) -> &str {
        self.package.description()
    }

    /// The entities in the order of the manifest.
    pub fn entities(&self) -> &[PackageEntity] {
        self.package.entities()
    }

    /// The files in the order of the zip's directory, the two XML files included.
    pub fn files(&self) -> impl Iterator<Item = FileInfo> {
        self.package.files()
    }

    /// The content of a file, with size and checksum found right.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that the zip lacks, `PACKAGE_CORRUPT` for damage.
    pub fn read_file(&self, name: &str) -> Result<Vec<u8>> {
        let mut reader = self.package.file(name)?;
        let mut out = Vec::new();
        loop {
            match reader.read(&mut out)? {
                Pull::Have(()) => {}
                Pull::End => return Ok(out),
                Pull::Want => {
                    if let Some(range) = reader.want() {
                        reader.give(bytes_of(&self.source, range)?)?;
                    }
                }
            }
        }
    }

    /// Reads the rows of the entity with that 0-based index. The header has been read when this returns.
    ///
    /// # Errors
    /// Those of [`DataPackage::rows`], and those of [`RowReader::next`] for the header.
    pub fn rows(&self, index: usize) -> Result<LocalRows<'_, S>> {
        self.begun(self.package.rows(index)?)
    }

    /// Reads the records of the composite entity with that index, each before those within it.
    ///
    /// # Errors
    /// Those of [`DataPackage::records`], and those of [`RowReader::next`] for the first record.
    pub fn records(&self, index: usize) -> Result<LocalRows<'_, S>> {
        self.begun(self.package.records(index)?)
    }

    fn begun(&self, mut reader: RowReader) -> Result<LocalRows<'_, S>> {
        while !reader.begin()? {
            if let Some(range) = reader.want() {
                reader.give(bytes_of(&self.source, range)?)?;
            }
        }
        Ok(LocalRows { source: &self.source, reader })
    }

    /// A package with only these entities; see [`DataPackage::subset`].
    ///
    /// # Errors
    /// Those of [`DataPackage::subset`] and [`Rewriter::read`].
    pub fn subset(&self, entities: &[impl AsRef<str>]) -> Result<Vec<u8>> {
        self.rewritten(self.package.subset(entities)?)
    }

    fn rewritten(&self, mut rewriter: Rewriter) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            match rewriter.read()? {
                Pull::Have(mut piece) => out.append(&mut piece),
                Pull::End => return Ok(out),
                Pull::Want => {
                    if let Some(range) = rewriter.want() {
                        rewriter.give(bytes_of(&self.source, range)?)?;
                    }
                }
            }
        }
    }

    /// Counts the rows of that entity by reading its whole file. Errors as those of [`rows`](Self::rows) and
    /// [`LocalRows::next`].
    pub fn count_rows(&self, index: usize) -> Result<u64> {
        let mut rows = self.rows(index)?;
        let mut count = 0;
        while let Some(batch) = rows.next(usize::MAX)? {
            count += batch.rows as u64;
        }
        Ok(count)
    }

    /// What it was opened from.
    pub fn into_source(self) -> S {
        self.source
    }
}

/// Rows of a package at hand.
#[derive(Debug)]
pub struct LocalRows<'a, S> {
    source: &'a S,
    reader: RowReader,
}

impl<S: ReadAt> LocalRows<'_, S> {
    /// Names of the columns, in the order of the cells.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.reader.columns()
    }

    /// The members of a composite entity that were met so far.
    #[must_use]
    pub fn members(&self) -> Vec<RecordMember> {
        self.reader.members()
    }

    /// The next rows: at most `max_rows`, and fewer where the batch's text reaches 64 KiB. None after the last row.
    ///
    /// # Errors
    /// Those of [`RowReader::next`].
    pub fn next(&mut self, max_rows: usize) -> Result<Option<RowBatch>> {
        loop {
            match self.reader.next(max_rows)? {
                Pull::Have(batch) => return Ok(Some(batch)),
                Pull::End => return Ok(None),
                Pull::Want => {
                    if let Some(range) = self.reader.want() {
                        self.reader.give(bytes_of(self.source, range)?)?;
                    }
                }
            }
        }
    }
}

pub(super) fn bytes_of(source: &impl ReadAt, range: Range<u64>) -> Result<Vec<u8>> {
    let length = usize::try_from(range.end - range.start).map_err(|_| {
        Error::new(ErrorCode::PackageLimit, "the package has more bytes than memory can hold")
    })?;
    let mut bytes = vec![0; length];
    source.read_at(range.start, &mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(ErrorCode::PackageCorrupt, format!("the package can't be read: {error}"))
}
