//! Builds a package: rows or files of each entity, further files, then the two XML files.

use std::collections::HashSet;

use crate::error::{Error, Result};

use super::manifest::{Manifest, Map};
use super::resolved::{Plan, Resolved};
use super::row_file::{FileCheck, Layout, RowFile};
use super::spec::PackageSpec;
use super::zip::{Block, ZipWriter};
use super::{HEADER_FILE, MANIFEST_FILE, header, names};
use super::{Limits, WorkbookPlan};

/// Writes a data package, whose bytes are taken as they come.
///
/// For each entity of the specification, in any order: [`begin_entity`](Self::begin_entity), then either
/// [`write_rows`](Self::write_rows) or [`write_data`](Self::write_data) as often as needed, then
/// [`end_entity`](Self::end_entity). Further files go in between. [`finish`](Self::finish)
/// hands over the rest. Memory holds no more than what was not taken yet, and up to 4 MiB of the file that is being written.
///
/// The same calls with the same content give the same bytes, however the rows or files are cut into chunks. After an error
/// the writer is of no use any more: every later call is `INVALID_ARGUMENT`.
pub struct PackageWriter {
    manifest: Manifest,
    plans: Vec<Plan>,
    zip: ZipWriter,
    names: HashSet<String>,
    written: Vec<bool>,
    state: State,
}

enum State {
    Between,
    /// An entity was begun; what it gets is not known yet.
    Begun {
        index: usize,
        columns: Vec<String>,
    },
    Rows {
        index: usize,
        file: Box<RowFile>,
    },
    Data {
        index: usize,
        columns: Vec<String>,
        checker: Box<FileCheck>,
    },
    /// A further file.
    File,
    /// Of no use any more.
    Failed,
}

impl PackageWriter {
    /// Resolves the specification against the catalogue: collections and AOT names become labels, other names are taken as
    /// labels.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a data project name that is empty or has an apostrophe, no entity, an entity or file name
    /// twice, a format other than CSV-Unicode and CSV, a sheet, a file name that Windows or the zip can't hold, and a
    /// level above 9.
    pub fn new(spec: PackageSpec) -> Result<Self> {
        let resolved = Resolved::new(spec)?;
        let names =
            resolved.manifest.entities.iter().map(|entity| entity.file.to_ascii_lowercase()).collect();
        Ok(Self {
            written: vec![false; resolved.plans.len()],
            manifest: resolved.manifest,
            plans: resolved.plans,
            zip: ZipWriter::new(resolved.level),
            names,
            state: State::Between,
        })
    }

    /// Begins the file of the entity with that 0-based index in the specification.
    ///
    /// `columns` is the header in order; empty: the columns of the specification, or those of the file that
    /// [`write_data`](Self::write_data) brings. In the file, headers are upper case.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: the entity before was not ended, there is no such index, or it was written already.
    pub fn begin_entity(&mut self, index: usize, columns: &[String]) -> Result<()> {
        self.guard(|writer| {
            if !matches!(writer.state, State::Between) {
                return Err(Error::argument("the entity before was not ended"));
            }
            let (Some(plan), Some(entity)) = (writer.plans.get(index), writer.manifest.entities.get(index))
            else {
                return Err(Error::argument(format!("there is no entity {index} in the specification")));
            };
            if writer.written.get(index).copied().unwrap_or(true) {
                return Err(Error::argument(format!("\"{}\" was written already", entity.label)));
            }
            let columns = if columns.is_empty() { plan.columns.clone() } else { columns.to_vec() };
            writer.zip.begin(&entity.file)?;
            writer.state = State::Begun { index, columns };
            Ok(())
        })
    }

    /// Adds whole rows, cell after cell. `ends` is where each cell ends in `text`, in UTF-16 code units; `kinds` is the
    /// number of each cell's [`CellKind`](super::CellKind). How a cell is written for its field is described there.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, with the 1-based row in `at.line` and the column in `at.column`: a cell that can't be written for
    /// its field or in the format's encoding; ends that do not fit the text; columns that are missing, twice, or not
    /// possible for the entity.
    pub fn write_rows(&mut self, text: &str, ends: &[u32], kinds: &[u8]) -> Result<()> {
        self.guard(|writer| {
            writer.begin_rows()?;
            match &mut writer.state {
                State::Rows { file, .. } => {
                    let zip = &mut writer.zip;
                    file.write(text, ends, kinds, &mut |bytes| zip.write(bytes))
                }
                State::Data { .. } => Err(Error::argument("an entity gets either rows or a file, not both")),
                _ => Err(Error::argument("no entity was begun")),
            }
        })
    }

    /// The same for cells in one text, each followed by a character that tells its kind: U+001F text, U+001E number, U+001D
    /// bigint, U+001C boolean, U+001B date, U+001A empty. False, and nothing is written, where there are not exactly `cells`
    /// such characters: a cell has one in its own text, and [`write_rows`](Self::write_rows) takes the rows instead.
    ///
    /// # Errors
    /// Those of [`write_rows`](Self::write_rows).
    pub fn write_joined(&mut self, text: &str, cells: usize) -> Result<bool> {
        self.guard(|writer| {
            writer.begin_rows()?;
            match &mut writer.state {
                State::Rows { file, .. } => {
                    let zip = &mut writer.zip;
                    file.write_joined(text, cells, &mut |bytes| zip.write(bytes))
                }
                State::Data { .. } => Err(Error::argument("an entity gets either rows or a file, not both")),
                _ => Err(Error::argument("no entity was begun")),
            }
        })
    }

    /// Adds whole records of a composite entity, each before those within it. `members` has the member of each record, counted
    /// through the specification's `composite` from 0 in the order in which it is written down; a record has a cell for each
    /// column of its member.
    ///
    /// # Errors
    /// Those of [`write_rows`](Self::write_rows), and `INVALID_ARGUMENT` for a record whose parent is not open.
    pub fn write_records(&mut self, text: &str, ends: &[u32], kinds: &[u8], members: &[u8]) -> Result<()> {
        self.guard(|writer| {
            writer.begin_rows()?;
            match &mut writer.state {
                State::Rows { file, .. } => {
                    let zip = &mut writer.zip;
                    file.write_records(text, ends, kinds, members, &mut |bytes| zip.write(bytes))
                }
                State::Data { .. } => Err(Error::argument("an entity gets either rows or a file, not both")),
                _ => Err(Error::argument("no entity was begun")),
            }
        })
    }

    /// How a workbook has to be written for the rows of that entity, for whoever writes it elsewhere: the sheet, and the
    /// columns with their headers and what their fields take. The maps are then those of these headers. Without columns the
    /// plan is that of the specification, and the maps are made of the file.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an entity that there is not or that is no workbook, and for columns that are not possible.
    pub fn workbook(&mut self, index: usize, columns: &[String]) -> Result<WorkbookPlan> {
        let plan = self.plan(index)?;
        let Layout::Workbook { sheet } = &plan.layout else {
            return Err(Error::argument(format!("entity {index} is no workbook")));
        };
        let sheet = sheet.clone();
        if columns.is_empty() && plan.columns.is_empty() {
            return Ok(WorkbookPlan { sheet, columns: Vec::new() });
        }
        let of_file = columns.is_empty();
        let (columns, maps) = plan.columns_to_write(if of_file { &plan.columns } else { columns })?;
        if !of_file {
            self.set_maps(index, maps);
        }
        Ok(WorkbookPlan { sheet, columns })
    }

    /// Adds the next part of a file that is in the entity's format already. It goes into the package as it is; its header
    /// is read for the maps.
    ///
    /// # Errors
    /// `DATA_INVALID`, here or at [`end_entity`](Self::end_entity), for what the service would refuse or misread: another
    /// encoding than the format's, lines ending with LF alone, no header, blank lines, rows of another length than the
    /// header, no data row. `INVALID_ARGUMENT` for columns that are not those of the specification.
    pub fn write_data(&mut self, bytes: &[u8]) -> Result<()> {
        self.guard(|writer| {
            if matches!(writer.state, State::File) {
                return writer.zip.write(bytes);
            }
            writer.begin_data()?;
            match &mut writer.state {
                State::Data { checker, .. } => {
                    checker.push(bytes)?;
                    writer.zip.write(bytes)
                }
                State::Rows { .. } => Err(Error::argument("an entity gets either rows or a file, not both")),
                _ => Err(Error::argument("no entity was begun")),
            }
        })
    }

    /// Ends the entity.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an entity without rows, `DATA_INVALID` for a file without: the service refuses it (DMF2053).
    pub fn end_entity(&mut self) -> Result<()> {
        self.guard(|writer| {
            let (index, maps) = match std::mem::replace(&mut writer.state, State::Failed) {
                State::Rows { index, file } if file.rows_written() > 0 => {
                    let zip = &mut writer.zip;
                    file.finish(&mut |bytes| zip.write(bytes))?;
                    (index, None)
                }
                State::Data { index, columns, checker } => {
                    let (header, nested) = checker.finish()?;
                    let plan = writer.plan(index)?;
                    if nested && plan.composite.is_none() {
                        return Err(Error::argument("the file has records within records")
                            .hint("Say in `composite` which members the entity has."));
                    }
                    if plan.composite.is_none() {
                        check_same(&columns, &header)?;
                    }
                    let planned = writer.manifest.entities.get(index).is_some_and(|it| !it.maps.is_empty());
                    (index, if planned { None } else { Some(plan.maps_of_header(&header)?) })
                }
                State::Begun { index, columns: _ } | State::Rows { index, .. } => {
                    let label =
                        writer.manifest.entities.get(index).map_or("", |entity| entity.label.as_str());
                    return Err(Error::argument(format!("\"{label}\" has no rows"))
                        .hint("The service refuses a file without data (DMF2053): leave the entity out."));
                }
                State::Between | State::File | State::Failed => {
                    return Err(Error::argument("no entity was begun"));
                }
            };
            if let Some(maps) = maps {
                writer.set_maps(index, maps);
            }
            writer.zip.end()?;
            if let Some(written) = writer.written.get_mut(index) {
                *written = true;
            }
            writer.state = State::Between;
            Ok(())
        })
    }

    /// Begins a further file, passed through as it is; between entities only. Its content comes by
    /// [`write_data`](Self::write_data). Folders in the name are separated by `/`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a name that is taken (names are not told apart by case), absolute, or leads out of the package.
    pub fn begin_file(&mut self, name: &str) -> Result<()> {
        self.guard(|writer| {
            if !matches!(writer.state, State::Between) {
                return Err(Error::argument("the entity or file before was not ended"));
            }
            names::check_entry(name)?;
            if !writer.names.insert(name.to_ascii_lowercase()) {
                return Err(Error::argument(format!("two files are named \"{name}\"")).in_file(name));
            }
            writer.zip.begin(name)?;
            writer.state = State::File;
            Ok(())
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where none was begun.
    pub fn end_file(&mut self) -> Result<()> {
        self.guard(|writer| {
            if !matches!(writer.state, State::File) {
                return Err(Error::argument("no file was begun"));
            }
            writer.zip.end()?;
            writer.state = State::Between;
            Ok(())
        })
    }

    /// One whole further file. Errors as those of [`begin_file`](Self::begin_file).
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin_file(name)?;
        self.write_data(bytes)?;
        self.end_file()
    }

    /// Writes manifest and header, and hands over the bytes that were not taken before: all of the package where none were.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where an entity of the specification was not written, and while blocks are compressed elsewhere.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.guard(|writer| {
            if !matches!(writer.state, State::Between) {
                return Err(Error::argument("the last entity or file was not ended"));
            }
            let missing =
                writer.manifest.entities.iter().zip(&writer.written).find(|(_, written)| !**written);
            if let Some((entity, _)) = missing {
                return Err(Error::argument(format!("\"{}\" was not written", entity.label))
                    .in_entity(&entity.label)
                    .hint("Every entity of the specification needs rows or a file."));
            }
            writer.zip.deflate_here()?;
            writer.zip.add(MANIFEST_FILE, &writer.manifest.write()?)?;
            writer.zip.add(HEADER_FILE, &header::write(&writer.manifest.project)?)?;
            writer.zip.finish()
        })?;
        Ok(self.zip.take())
    }

    /// The bytes of the package since the last call; may be none.
    pub fn take(&mut self) -> Vec<u8> {
        self.zip.take()
    }

    /// From now on content is not compressed here but queued in blocks of up to 1 MiB, for others to compress side by side:
    /// [`take_block`](Self::take_block), [`BlockDeflater`](super::BlockDeflater), [`give_block`](Self::give_block). The
    /// package is the same, byte by byte. Before the next entity or file begins, and before [`finish`](Self::finish), none may
    /// be [`pending`](Self::pending).
    pub fn deflate_elsewhere(&mut self) {
        self.zip.deflate_elsewhere();
    }

    /// The next block to be compressed.
    pub fn take_block(&mut self) -> Option<Block> {
        self.zip.take_block()
    }

    /// Takes the compressed form of a block, in any order.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a block that was not handed out, or came before.
    pub fn give_block(&mut self, id: u64, bytes: Vec<u8>) -> Result<()> {
        self.zip.give_block(id, bytes)
    }

    /// Blocks whose compressed form has not come yet.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.zip.pending()
    }

    /// Turns a begun entity into one that gets rows.
    fn begin_rows(&mut self) -> Result<()> {
        let State::Begun { index, columns } = &self.state else { return Ok(()) };
        let index = *index;
        let plan = self.plan(index)?;
        let (file, maps) = match &plan.composite {
            Some(root) => {
                let (members, maps) = plan.members_to_write(root)?;
                (RowFile::composite(&plan.layout, members)?, maps)
            }
            None if columns.is_empty() => {
                return Err(Error::argument("rows need columns")
                    .hint("Name the columns in the specification, or when the entity is begun."));
            }
            None => {
                let (columns, maps) = plan.columns_to_write(columns)?;
                (RowFile::new(&plan.layout, columns)?, maps)
            }
        };
        self.set_maps(index, maps);
        self.state = State::Rows { index, file: Box::new(file) };
        Ok(())
    }

    /// Turns a begun entity into one that gets a file.
    fn begin_data(&mut self) -> Result<()> {
        let State::Begun { index, columns } = &self.state else { return Ok(()) };
        let plan = self.plan(*index)?;
        let checker =
            Box::new(FileCheck::new(&plan.layout, columns, &plan.elements(), Limits::default().xml_depth));
        self.state = State::Data { index: *index, columns: columns.clone(), checker };
        Ok(())
    }

    fn plan(&self, index: usize) -> Result<&Plan> {
        self.plans.get(index).ok_or_else(|| Error::argument(format!("there is no entity {index}")))
    }

    fn set_maps(&mut self, index: usize, maps: Vec<Map>) {
        if let Some(entity) = self.manifest.entities.get_mut(index) {
            entity.maps = maps;
        }
    }

    /// Runs a step. An error names entity and file, and ends the writer: what is half written must not be finished.
    fn guard<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if matches!(self.state, State::Failed) {
            return Err(failed());
        }
        let current = match &self.state {
            State::Begun { index, .. } | State::Rows { index, .. } | State::Data { index, .. } => {
                Some(*index)
            }
            State::Between | State::File | State::Failed => None,
        };
        step(self).map_err(|error| {
            self.state = State::Failed;
            match current.and_then(|index| self.manifest.entities.get(index)) {
                Some(entity) => error.in_entity(&entity.label).in_file(&entity.file),
                None => error,
            }
        })
    }
}

fn failed() -> Error {
    Error::argument("an earlier call failed, so the package can't be finished")
        .hint("Begin again with a new writer.")
}

/// The specification's columns, where it names some, must be those of the file.
fn check_same(wanted: &[String], header: &[String]) -> Result<()> {
    let same = |(a, b): (&String, &String)| a.eq_ignore_ascii_case(b);
    if wanted.is_empty() || (wanted.len() == header.len() && wanted.iter().zip(header).all(same)) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "the file has the columns {}, the specification names {}",
        header.join(", "),
        wanted.join(", ")
    ))
    .hint("Leave out columns where a file is handed over, or name its own."))
}

impl std::fmt::Debug for PackageWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageWriter").field("project", &self.manifest.project).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
