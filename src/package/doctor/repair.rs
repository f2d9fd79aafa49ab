//! The package written anew with what is safe to correct corrected: first the examination, then the output, entry by entry.
//! Entries that need no correction are copied compressed as they are.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::package::data_package::{HeaderPart, Parts};
use crate::package::header;
use crate::package::manifest::Map;
use crate::package::pull::Pull;
use crate::package::zip::{Directory, Entry, EntryReader, ZipWriter};
use crate::package::{HEADER_FILE, MANIFEST_FILE};

use super::codes::{Code, Severity};
use super::layout::{self, EntryFacts};
use super::machine::{Doctor, Facts};
use super::report::Diagnostic;
use super::rewrite_csv::CsvRewrite;

/// Deflate level of entries that are written anew.
const LEVEL: u8 = 6;

/// Writes a corrected package; made by [`DataPackage::repair`](crate::package::DataPackage::repair).
///
/// What is not safe to correct stays as it is, and is found again by an examination of the result. Memory stays at that of the
/// examination, one piece of a file, and 4 MiB of output.
pub struct Repairer {
    directory: Directory,
    parts: Arc<Parts>,
    schema: Option<Arc<Catalog>>,
    doctor: Doctor,
    examined: bool,
    output: VecDeque<Output>,
    current: Option<Current>,
    zip: ZipWriter,
    buffer: Vec<u8>,
    written: Vec<u8>,
    changes: Vec<Diagnostic>,
    finished: bool,
}

/// An entry of the result.
enum Output {
    Copy { entry: Entry, name: String },
    Bytes { name: String, bytes: Vec<u8> },
    Rewrite { entry: Entry, name: String, rewrite: Box<CsvRewrite> },
}

struct Current {
    reader: EntryReader,
    rewrite: Option<Box<CsvRewrite>>,
}

impl Repairer {
    pub(in crate::package) fn new(directory: Directory, parts: Arc<Parts>, schema: Option<Arc<Catalog>>) -> Self {
        Self {
            doctor: Doctor::new(directory.clone(), Arc::clone(&parts), schema.clone()),
            directory,
            parts,
            schema,
            examined: false,
            output: VecDeque::new(),
            current: None,
            zip: ZipWriter::new(LEVEL),
            buffer: Vec::new(),
            written: Vec::new(),
            changes: Vec::new(),
            finished: false,
        }
    }

    /// The bytes of the package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        if self.examined {
            self.current.as_ref().and_then(|current| current.reader.want())
        } else {
            self.doctor.want()
        }
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number than wanted, and for damage of the package.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        if !self.examined {
            return self.doctor.give(bytes);
        }
        match &mut self.current {
            Some(current) => current.reader.give(bytes),
            None => Err(Error::argument("no bytes of the package are wanted now")),
        }
    }

    /// The next bytes of the corrected package, perhaps none; `End` when it is complete.
    ///
    /// # Errors
    /// `MANIFEST_INVALID` where no safe correction exists. `PACKAGE_CORRUPT` for damage of the package.
    pub fn step(&mut self) -> Result<Pull<Vec<u8>>> {
        if !self.examined {
            return Ok(match self.doctor.step()? {
                Pull::Want => Pull::Want,
                Pull::Have(()) => Pull::Have(Vec::new()),
                Pull::End => {
                    self.examined = true;
                    self.plan()?;
                    Pull::Have(Vec::new())
                }
            });
        }
        if self.finished {
            return Ok(Pull::End);
        }
        let Some(current) = &mut self.current else { return self.next_entry() };
        self.buffer.clear();
        match current.reader.read(&mut self.buffer)? {
            Pull::Want => return Ok(Pull::Want),
            Pull::Have(()) => match &mut current.rewrite {
                None => self.zip.write_raw(&self.buffer)?,
                Some(rewrite) => {
                    self.written.clear();
                    rewrite.push(&self.buffer, &mut self.written)?;
                    self.zip.write(&self.written)?;
                }
            },
            Pull::End => {
                if let Some(rewrite) = &mut current.rewrite {
                    self.written.clear();
                    rewrite.finish(&mut self.written)?;
                    self.zip.write(&self.written)?;
                    self.zip.end()?;
                }
                self.current = None;
            }
        }
        Ok(Pull::Have(self.zip.take()))
    }

    /// What was corrected, as the findings that are gone; complete once the first bytes came.
    #[must_use]
    pub fn changes(&self) -> &[Diagnostic] {
        &self.changes
    }

    fn next_entry(&mut self) -> Result<Pull<Vec<u8>>> {
        match self.output.pop_front() {
            None => {
                self.zip.finish()?;
                self.finished = true;
            }
            Some(Output::Bytes { name, bytes }) => self.zip.add(&name, &bytes)?,
            Some(Output::Copy { entry, name }) => {
                let mut raw = entry.to_raw();
                if name != entry.name {
                    raw.utf8 |= !name.is_ascii();
                    raw.name = name.into_bytes();
                }
                self.zip.begin_raw(raw)?;
                self.current = Some(Current { reader: EntryReader::raw(&entry), rewrite: None });
            }
            Some(Output::Rewrite { entry, name, rewrite }) => {
                self.zip.begin(&name)?;
                let reader = self.directory.reader(&entry)?;
                self.current = Some(Current { reader, rewrite: Some(rewrite) });
            }
        }
        Ok(Pull::Have(self.zip.take()))
    }

    /// Decides what becomes of each entry.
    fn plan(&mut self) -> Result<()> {
        let facts = std::mem::take(&mut self.doctor.plan);
        let names = new_names(&self.directory, &self.parts);
        let header = corrected_header(&self.parts)?;
        let manifest = corrected_manifest(&self.parts, &facts, &names, self.schema.as_deref())?;
        let mut rewrites = rewrites(&self.parts, &facts);
        let header_entry = match &self.parts.header {
            HeaderPart::Missing => None,
            HeaderPart::Read { entry, .. } | HeaderPart::Unreadable { entry, .. } => Some(entry.as_str()),
        };
        for entry in self.directory.entries() {
            let Some(name) = names.get(&entry.name).cloned() else { continue };
            let bytes = if header_entry == Some(entry.name.as_str()) {
                header.clone()
            } else if entry.name == self.parts.manifest_entry {
                manifest.clone()
            } else {
                None
            };
            self.output.push_back(match (bytes, rewrites.remove(&entry.name)) {
                (Some(bytes), _) => Output::Bytes { name, bytes },
                (None, Some(rewrite)) => Output::Rewrite { entry: entry.clone(), name, rewrite },
                (None, None) => Output::Copy { entry: entry.clone(), name },
            });
        }
        if header_entry.is_none() {
            let name = HEADER_FILE.to_owned();
            let bytes = header::write(&self.parts.manifest.manifest().project)?;
            self.output.push_back(Output::Bytes { name, bytes });
        }
        let repairable = self.doctor.result().iter().filter(|finding| finding.repairable);
        self.changes = repairable.map(|finding| done(finding.clone())).collect();
        Ok(())
    }
}

/// A finding that was corrected.
fn done(finding: Diagnostic) -> Diagnostic {
    let message = format!("corrected: {}", finding.message);
    let hint = "Nothing is left to do; write the next package so.";
    Diagnostic { message, ..finding }.severity(Severity::Info).hint(hint)
}

/// The name of each entry in the result; folders have none.
fn new_names(directory: &Directory, parts: &Parts) -> HashMap<String, String> {
    let entries: Vec<EntryFacts> = directory
        .entries()
        .iter()
        .map(|entry| EntryFacts { name: entry.name.clone(), encrypted: false, readable: true })
        .collect();
    let mut names = HashMap::new();
    for entry in &entries {
        let name = entry.name.as_str();
        let is_header = matches!(&parts.header,
            HeaderPart::Read { entry, .. } | HeaderPart::Unreadable { entry, .. } if entry == name);
        let new = if is_header {
            HEADER_FILE
        } else if name == parts.manifest_entry {
            MANIFEST_FILE
        } else if layout::in_folder(name) && layout::base_name(name).is_empty() {
            continue;
        } else {
            layout::moved_to_root(name, &entries).unwrap_or(name)
        };
        names.insert(name.to_owned(), new.to_owned());
    }
    names
}

/// The bytes of the header where it is written anew; none where it stays.
fn corrected_header(parts: &Parts) -> Result<Option<Vec<u8>>> {
    let doc = match &parts.header {
        HeaderPart::Missing => return Ok(None),
        HeaderPart::Unreadable { error, .. } => {
            if super::refusal(error).code == Code::Template {
                return Err(error.clone());
            }
            return header::write(&parts.manifest.manifest().project).map(Some);
        }
        HeaderPart::Read { doc, .. } => doc,
    };
    let mut corrected = doc.clone();
    corrected.correct()?;
    for (name, value) in header::FIXED {
        if corrected.text(name).is_none() {
            corrected.set_text(name, value)?;
        }
    }
    let version = corrected.text("PackageVersion");
    if version.is_some_and(|version| !matches!(version.trim(), "1" | "2")) {
        corrected.set_text("PackageVersion", "2")?;
    }
    corrected.write().map(Some)
}

/// The bytes of the manifest; the same as before where nothing in it is corrected.
fn corrected_manifest(
    parts: &Parts,
    facts: &Facts,
    names: &HashMap<String, String>,
    schema: Option<&Catalog>,
) -> Result<Option<Vec<u8>>> {
    let mut doc = parts.manifest.clone();
    doc.correct()?;
    let catalog = schema.unwrap_or_else(|| crate::catalog::builtin());
    let manifest = parts.manifest.manifest();
    for (index, (entity, facts)) in manifest.entities.iter().zip(&facts.entities).enumerate() {
        if catalog.label(&entity.label).is_none() {
            if let Some(known) = catalog.find(&entity.label) {
                doc.set_entity_text(index, "EntityName", &known.label)?;
            }
        }
        if let Some(name) = facts.entry.as_ref().and_then(|entry| names.get(entry)) {
            if *name != entity.file {
                doc.set_entity_text(index, "InputFilePath", name)?;
            }
        }
        if let Some(maps) = facts.csv.header.as_deref().and_then(|header| corrected_maps(&entity.maps, header)) {
            doc.set_maps(index, &maps)?;
        }
    }
    doc.write().map(Some)
}

/// Maps made of the header, or with columns spelled as in it; none where they stay.
fn corrected_maps(maps: &[Map], header: &[String]) -> Option<Vec<Map>> {
    if maps.is_empty() {
        let made = header.iter().map(|name| Map {
            column: name.clone(),
            field: name.to_uppercase(),
            ..Map::default()
        });
        return super::machine::is_usable(header).then(|| made.collect());
    }
    let twins = super::columns::twins(maps.iter().map(|map| map.column.as_str()), header);
    if twins.is_empty() {
        return None;
    }
    let mut corrected = maps.to_vec();
    for map in &mut corrected {
        let plain = !map.auto_default && !map.auto_generated && map.conversions == 0;
        if let Some((name, _)) = twins.iter().find(|(_, column)| plain && *column == map.column) {
            map.column = (*name).to_owned();
        }
    }
    Some(corrected)
}

fn rewrites(parts: &Parts, facts: &Facts) -> HashMap<String, Box<CsvRewrite>> {
    let manifest = parts.manifest.manifest();
    let formats = manifest.entities.iter().map(|entity| &entity.format);
    let mut rewrites = HashMap::new();
    for (format, facts) in formats.zip(&facts.entities) {
        let Some(entry) = facts.entry.as_ref().filter(|_| facts.csv.rewrite) else { continue };
        if let Some(rewrite) = CsvRewrite::new(&facts.csv, format) {
            rewrites.insert(entry.clone(), Box::new(rewrite));
        }
    }
    rewrites
}

impl std::fmt::Debug for Repairer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repairer").field("want", &self.want()).finish_non_exhaustive()
    }
}
