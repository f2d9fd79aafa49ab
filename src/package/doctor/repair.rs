//! The package written anew with what is safe to correct corrected: first the examination, then the output, entry by entry.
//! Entries that need no correction are copied compressed as they are.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::package::data_package::{HeaderPart, Parts};
use crate::package::header;
use crate::package::manifest::Map;
use crate::package::pull::Pull;
use crate::package::rewriter::{Change, Part, Rewriter};
use crate::package::zip::Directory;
use crate::package::{HEADER_FILE, MANIFEST_FILE};
use crate::table::upper;

use super::codes::{Code, Severity};
use super::layout::{self, EntryFacts};
use super::machine::{Doctor, Facts};
use super::report::Diagnostic;
use super::rewrite_csv::CsvRewrite;
use super::workbook_file::WorkbookExam;

/// Writes a corrected package; made by [`DataPackage::repair`](crate::package::DataPackage::repair).
///
/// What is not safe to correct stays as it is, and is found again by an examination of the result. Memory stays at that of the
/// examination, one piece of a file, and the held output of one entry, 4 MiB.
pub struct Repairer {
    directory: Directory,
    parts: Arc<Parts>,
    schema: Option<Arc<Catalog>>,
    state: State,
    changes: Vec<Diagnostic>,
}

enum State {
    Examining(Box<Doctor>),
    Writing(Box<Rewriter>),
    Failed,
}

impl Repairer {
    pub(in crate::package) fn new(
        directory: Directory,
        parts: Arc<Parts>,
        schema: Option<Arc<Catalog>>,
        workbook: u64,
    ) -> Self {
        let doctor = Doctor::new(directory.clone(), Arc::clone(&parts), schema.clone(), workbook);
        Self { directory, parts, schema, state: State::Examining(Box::new(doctor)), changes: Vec::new() }
    }

    /// As [`Doctor::workbooks_elsewhere`], for the examination; before the first [`read`](Self::read).
    pub fn workbooks_elsewhere(&mut self) {
        if let State::Examining(doctor) = &mut self.state {
            doctor.workbooks_elsewhere();
        }
    }

    /// The workbook that the caller has to read before the next [`read`](Self::read).
    pub fn workbook(&mut self) -> Option<WorkbookExam<'_>> {
        match &mut self.state {
            State::Examining(doctor) => doctor.workbook(),
            State::Writing(_) | State::Failed => None,
        }
    }

    /// The bytes of the package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        match &self.state {
            State::Examining(doctor) => doctor.want(),
            State::Writing(rewriter) => rewriter.want(),
            State::Failed => None,
        }
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number than wanted, and for damage of the package.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        match &mut self.state {
            State::Examining(doctor) => doctor.give(bytes),
            State::Writing(rewriter) => rewriter.give(bytes),
            State::Failed => Err(Error::argument("no bytes of the package are wanted now")),
        }
    }

    /// The next bytes of the corrected package, none of them while it is examined; `End` when it is complete.
    ///
    /// # Errors
    /// `MANIFEST_INVALID` where no safe correction exists. `PACKAGE_CORRUPT` for damage of the package. `INVALID_ARGUMENT` while
    /// [`workbook`](Self::workbook) has one that was not read to its end. No call after an error gives more.
    pub fn read(&mut self) -> Result<Pull<Vec<u8>>> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Examining(mut doctor) => {
                let pull = match doctor.step()? {
                    Pull::Want => Pull::Want,
                    Pull::Have(()) => Pull::Have(Vec::new()),
                    Pull::End => {
                        let parts = self.plan(&doctor)?;
                        self.state = State::Writing(Box::new(Rewriter::new(parts)));
                        return Ok(Pull::Have(Vec::new()));
                    }
                };
                self.state = State::Examining(doctor);
                Ok(pull)
            }
            State::Writing(mut rewriter) => {
                let pull = rewriter.read()?;
                self.state = State::Writing(rewriter);
                Ok(pull)
            }
            State::Failed => Err(Error::argument("the repair failed before")),
        }
    }

    /// What was corrected, as the findings that are gone; complete once the first bytes came.
    #[must_use]
    pub fn changes(&self) -> &[Diagnostic] {
        &self.changes
    }

    /// Decides what becomes of each entry.
    fn plan(&mut self, doctor: &Doctor) -> Result<Vec<Part>> {
        let names = new_names(&self.directory, &self.parts);
        let header = corrected_header(&self.parts)?;
        let manifest = corrected_manifest(&self.parts, &doctor.plan, &names, self.schema.as_deref())?;
        let mut rewrites = rewrites(&self.parts, &doctor.plan);
        let header_entry = self.parts.header.entry();
        let mut parts = Vec::new();
        for entry in self.directory.entries() {
            let Some(name) = names.get(&entry.name).cloned() else { continue };
            parts.push(if header_entry == Some(entry.name.as_str()) {
                Part::Content { name, bytes: header.clone() }
            } else if entry.name == self.parts.manifest_entry {
                Part::Content { name, bytes: manifest.clone() }
            } else if let Some(change) = rewrites.remove(&entry.name) {
                Part::Changed { entry: entry.clone(), name, change }
            } else {
                Part::Copy { entry: entry.clone(), name }
            });
        }
        if header_entry.is_none() {
            parts.push(Part::Content { name: HEADER_FILE.to_owned(), bytes: header });
        }
        let repairable = doctor.result().iter().filter(|finding| finding.repairable);
        self.changes = repairable.map(|finding| done(finding.clone())).collect();
        Ok(parts)
    }
}

/// A finding that was corrected.
fn done(finding: Diagnostic) -> Diagnostic {
    let message = format!("corrected: {}", finding.message);
    let hint = "Nothing is left to do; write the next package so.";
    Diagnostic { message, ..finding }.severity(Severity::Info).hint(hint)
}

/// The name of each entry in the result.
fn new_names(directory: &Directory, parts: &Parts) -> HashMap<String, String> {
    let entries: Vec<EntryFacts> = directory
        .entries()
        .iter()
        .map(|entry| EntryFacts { name: entry.name.clone(), encrypted: false, readable: true })
        .collect();
    let mut names = HashMap::new();
    for entry in &entries {
        let name = entry.name.as_str();
        let new = if parts.header.entry() == Some(name) {
            HEADER_FILE
        } else if name == parts.manifest_entry {
            MANIFEST_FILE
        } else {
            layout::moved_to_root(name, &entries).unwrap_or(name)
        };
        names.insert(name.to_owned(), new.to_owned());
    }
    names
}

/// The bytes of the header; the same as before where nothing in it is corrected.
fn corrected_header(parts: &Parts) -> Result<Vec<u8>> {
    let doc = match &parts.header {
        HeaderPart::Missing => return header::write(&parts.manifest.manifest().project),
        HeaderPart::Unreadable { error, .. } => {
            if super::refusal(error).code == Code::Template {
                return Err(error.clone());
            }
            return header::write(&parts.manifest.manifest().project);
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
    corrected.write()
}

/// The bytes of the manifest; the same as before where nothing in it is corrected.
fn corrected_manifest(
    parts: &Parts,
    facts: &Facts,
    names: &HashMap<String, String>,
    schema: Option<&Catalog>,
) -> Result<Vec<u8>> {
    let mut doc = parts.manifest.clone();
    doc.correct()?;
    let catalog = schema.unwrap_or_else(|| crate::catalog::builtin());
    let manifest = parts.manifest.manifest();
    for (index, (entity, facts)) in manifest.entities.iter().zip(&facts.entities).enumerate() {
        if catalog.label(&entity.label).is_none()
            && let Some(known) = catalog.find(&entity.label).filter(|known| !known.label.is_empty())
        {
            doc.set_entity_text(index, "EntityName", &known.label)?;
        }
        if let Some(name) = facts.entry.as_ref().and_then(|entry| names.get(entry))
            && *name != entity.file
        {
            doc.set_entity_text(index, "InputFilePath", name)?;
        }
        if let Some(maps) =
            facts.csv.header.as_deref().and_then(|header| corrected_maps(&entity.maps, header))
        {
            doc.set_maps(index, &maps)?;
        }
    }
    doc.write()
}

/// Maps made of the header, or with columns spelled as in it; none where they stay.
fn corrected_maps(maps: &[Map], header: &[String]) -> Option<Vec<Map>> {
    if maps.is_empty() {
        let made =
            header.iter().map(|name| Map { column: name.clone(), field: upper(name), ..Map::default() });
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

fn rewrites(parts: &Parts, facts: &Facts) -> HashMap<String, Box<dyn Change>> {
    let manifest = parts.manifest.manifest();
    let formats = manifest.entities.iter().map(|entity| &entity.format);
    let mut rewrites: HashMap<String, Box<dyn Change>> = HashMap::new();
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
