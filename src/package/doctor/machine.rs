//! The examination as a machine: it asks for ranges of the package and reads every data file once, a piece at a time.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};
use crate::package::data_package::{HeaderPart, Parts};
use crate::package::manifest::Manifest;
use crate::package::pull::Pull;
use crate::package::zip::{Directory, EntryReader};
use crate::package::{HEADER_FILE, MANIFEST_FILE};
use crate::table::{SourceFormat, upper};

use super::codes::{Code, Severity};
use super::csv_file::CsvFacts;
use super::file::DataFile;
use super::keys::Next;
use super::layout::{self, EntryFacts};
use super::manifest_rules as rules;
use super::report::{Diagnostic, Report, shown};
use super::subject::{Schema, Subject};
use super::workbook_file::{Reading, WorkbookExam};

/// Examines a package; made by [`DataPackage::doctor`](crate::package::DataPackage::doctor).
///
/// Memory stays at one piece of a file, one row, and about 24 MiB for finding duplicate keys; a workbook is held whole, up to the limit. Each data
/// file is read once, again where two rows seem to have the same key, and once more for each further 500,000 to 1,000,000 rows.
///
/// Measured on two cores of an AMD EPYC, CSV-Unicode of 13 columns, without findings: 450,000 rows (70 MB as UTF-8) take 1.1 s
/// and 7 MiB natively (`opt-level = 3`), 4.2 to 5.3 s in Node with a WebAssembly memory of 12 MiB in all; 2,500,000 rows (390 MB)
/// take 14 s and 17 MiB, in Node 46 s and 20 MiB.
///
/// Workbooks are examined with the feature `excel`, or by [`workbooks_elsewhere`](Self::workbooks_elsewhere); else they get
/// PKG-NOT-EXAMINED.
pub struct Doctor {
    directory: Directory,
    report: Report,
    waiting: VecDeque<(usize, Subject)>,
    current: Option<Current>,
    buffer: Vec<u8>,
    pub(super) plan: Facts,
    result: Option<Vec<Diagnostic>>,
    workbook: u64,
    elsewhere: bool,
}

/// What a repair needs to know.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By the index of the entity in the manifest.
    pub(super) entities: Vec<EntityFacts>,
}

/// What was learned of one entity's file.
#[derive(Debug, Clone, Default)]
pub(super) struct EntityFacts {
    /// The entry that has its rows.
    pub(super) entry: Option<String>,
    pub(super) csv: CsvFacts,
}

struct Current {
    index: usize,
    subject: Subject,
    reader: EntryReader,
    file: DataFile,
}

impl Doctor {
    pub(in crate::package) fn new(
        directory: Directory,
        parts: Arc<Parts>,
        schema: Option<Arc<Catalog>>,
        workbook: u64,
    ) -> Self {
        let schema = Schema::new(schema);
        let mut report = Report::default();
        let entries: Vec<EntryFacts> = directory
            .entries()
            .iter()
            .map(|entry| EntryFacts {
                name: entry.name.clone(),
                encrypted: entry.is_encrypted(),
                readable: entry.has_known_method(),
            })
            .collect();
        let manifest = parts.manifest.manifest();
        check_header(&parts.header, &mut report);
        if layout::base_name(&parts.manifest_entry) != MANIFEST_FILE {
            let message = format!("the manifest is called {}", shown(&parts.manifest_entry));
            report.add(Diagnostic::new(Code::ManifestName, message).file(&parts.manifest_entry));
        }
        rules::manifest_issues(&parts.manifest.issues(), &manifest, &mut report);
        rules::check(&manifest, &schema, &mut report);
        let mut facts = Facts::default();
        let mut waiting = VecDeque::new();
        for (index, entity) in manifest.entities.iter().enumerate() {
            let entry = layout::resolve(&entity.file, &entries).map(|entry| entry.name.clone());
            if let Some(entry) = entry.as_deref().filter(|_| !entity.disabled) {
                waiting.push_back((index, rules::subject(entity, entry, &schema)));
            }
            facts.entities.push(EntityFacts { entry, csv: CsvFacts::default() });
        }
        check_files(&manifest, &facts, &mut report);
        let mut used: HashSet<&str> = facts.entities.iter().filter_map(|it| it.entry.as_deref()).collect();
        used.insert(&parts.manifest_entry);
        used.extend(parts.header.entry());
        layout::check(&entries, &used, &mut report);
        Self {
            directory,
            report,
            waiting,
            current: None,
            buffer: Vec::new(),
            plan: facts,
            result: None,
            workbook,
            elsewhere: false,
        }
    }

    /// From now on the caller reads the rows of workbooks: whenever [`workbook`](Self::workbook) has one after a step. The
    /// findings are the same.
    pub fn workbooks_elsewhere(&mut self) {
        self.elsewhere = true;
    }

    /// The workbook that the caller has to read before the next step.
    pub fn workbook(&mut self) -> Option<WorkbookExam<'_>> {
        let Current { subject, file, .. } = self.current.as_mut()?;
        match file {
            DataFile::Workbook(file) if file.reading() == Reading::Wanted => {
                Some(WorkbookExam { file, subject, report: &mut self.report })
            }
            _ => None,
        }
    }

    /// The bytes of the package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        self.current.as_ref().and_then(|current| current.reader.want())
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number than wanted. Damage of the package is a finding, not an error.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        let Some(current) = &mut self.current else {
            return Err(Error::argument("no bytes of the package are wanted now"));
        };
        let wanted = current.reader.want().map(|range| range.end - range.start);
        let given = bytes.len() as u64;
        match current.reader.give(bytes) {
            Err(error) if wanted == Some(given) => {
                self.damaged(&error);
                Ok(())
            }
            done => done,
        }
    }

    /// Goes on: `Have` after a piece of a file, so that a caller can show progress; `End` when all is examined.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` while [`workbook`](Self::workbook) has one that was not read to its end. Damage of the package is a
    /// finding.
    pub fn step(&mut self) -> Result<Pull<()>> {
        loop {
            let Some(current) = &mut self.current else {
                if let Some((index, subject)) = self.waiting.pop_front() {
                    self.begin(index, subject);
                    continue;
                }
                if self.result.is_none() {
                    self.forget_shared_files();
                    self.result = Some(std::mem::take(&mut self.report).finish());
                }
                return Ok(Pull::End);
            };
            match current.file.reading() {
                Some(Reading::Wanted) => {
                    return Err(Error::argument("the rows of a workbook are wanted first")
                        .in_file(&current.subject.file));
                }
                Some(Reading::Over) => {
                    self.end_of_file();
                    continue;
                }
                _ => {}
            }
            self.buffer.clear();
            let more = match current.reader.read(&mut self.buffer) {
                Ok(Pull::Want) => return Ok(Pull::Want),
                Ok(Pull::Have(())) => current.file.push(&self.buffer, &current.subject, &mut self.report),
                Ok(Pull::End) => false,
                Err(error) => {
                    self.damaged(&error);
                    continue;
                }
            };
            if more {
                return Ok(Pull::Have(()));
            }
            match current.file.end_of_file(&current.subject, &mut self.report) {
                Next::Again => current.reader = current.reader.again(),
                Next::Rows => return Ok(Pull::Have(())),
                Next::Done => self.end_of_file(),
            }
        }
    }

    /// The findings, once [`step`](Self::step) has answered `End`; empty before.
    #[must_use]
    pub fn result(&self) -> &[Diagnostic] {
        self.result.as_deref().unwrap_or_default()
    }

    fn begin(&mut self, index: usize, subject: Subject) {
        let Some(entry) = self.directory.find(&subject.file) else { return };
        let Some(file) = DataFile::new(&subject, self.workbook, self.elsewhere) else {
            if !subject.format.as_str().is_empty() {
                let finding = not_examined(&subject.format);
                self.report.add(finding.file(&subject.file).entity(&subject.label));
            }
            if subject.maps.is_empty() {
                self.report.add(no_maps(&subject.label, false));
            }
            return;
        };
        // What can't be unpacked has been told of.
        let Ok(reader) = self.directory.reader(entry) else { return };
        self.current = Some(Current { index, subject, reader, file });
    }

    fn end_of_file(&mut self) {
        let Some(current) = self.current.take() else { return };
        let facts = current.file.into_facts();
        if current.subject.maps.is_empty() {
            let header = facts.header.as_deref().is_some_and(is_usable);
            self.report.add(no_maps(&current.subject.label, header));
        }
        if let Some(entity) = self.plan.entities.get_mut(current.index) {
            entity.csv = facts;
        }
    }

    fn damaged(&mut self, error: &Error) {
        let Some(current) = self.current.take() else { return };
        let finding = Diagnostic::new(Code::Corrupt, error.message.clone());
        self.report.forget_repairs(&current.subject.file, true);
        self.report.add(finding.file(&current.subject.file).entity(&current.subject.label));
        if current.subject.maps.is_empty() {
            self.report.add(no_maps(&current.subject.label, false));
        }
    }

    /// Two entities may want different things of one file, so it stays as it is.
    fn forget_shared_files(&mut self) {
        let mut seen = HashSet::new();
        let shared: HashSet<String> = self
            .plan
            .entities
            .iter()
            .filter_map(|it| it.entry.clone())
            .filter(|it| !seen.insert(it.clone()))
            .collect();
        for facts in &mut self.plan.entities {
            if facts.entry.as_ref().is_some_and(|entry| shared.contains(entry)) {
                facts.csv.rewrite = false;
            }
        }
        shared.iter().for_each(|entry| self.report.forget_repairs(entry, false));
    }
}

fn not_examined(format: &SourceFormat) -> Diagnostic {
    if *format == SourceFormat::Excel {
        let message = "workbooks are not examined: this build of the library has no reader for them";
        let hint = "Build it with the feature `excel`, or read them elsewhere (`workbooks_elsewhere`).";
        return Diagnostic::new(Code::NotExamined, message).hint(hint);
    }
    let message = format!("the format {} is not examined", shown(format.as_str()));
    Diagnostic::new(Code::NotExamined, message)
}

fn no_maps(label: &str, repairable: bool) -> Diagnostic {
    let message = format!("{} has no maps", shown(label));
    Diagnostic::new(Code::MapMissing, message).repairable(repairable).file(MANIFEST_FILE).entity(label)
}

/// Whether maps can be made of a header.
pub(super) fn is_usable(header: &[String]) -> bool {
    let mut seen = HashSet::new();
    header.iter().all(|name| !name.is_empty() && seen.insert(upper(name)))
}

fn check_header(header: &HeaderPart, report: &mut Report) {
    let (entry, doc) = match header {
        HeaderPart::Missing => {
            report
                .add(Diagnostic::new(Code::HeaderMissing, "there is no PackageHeader.xml").file(HEADER_FILE));
            return;
        }
        HeaderPart::Unreadable { entry, error } => {
            report.add(refusal(error).file(entry));
            (entry, None)
        }
        HeaderPart::Read { entry, doc } => (entry, Some(doc)),
    };
    if layout::base_name(entry) != HEADER_FILE {
        let message = format!("the header is called {}", shown(entry));
        report.add(Diagnostic::new(Code::HeaderName, message).file(entry));
    }
    let Some(doc) = doc else { return };
    rules::header_issues(&doc.issues(), report);
    for name in ["ManifestType", "PackageType"] {
        if doc.text(name).is_none() {
            let message = format!("<{name}> is missing");
            report.add(Diagnostic::new(Code::HeaderElement, message).file(entry));
        }
    }
    let version = doc.text("PackageVersion").unwrap_or_default();
    if version.trim().parse::<i32>().is_ok_and(|version| !matches!(version, 1 | 2)) {
        let message = format!("the package version is {}", shown(version.trim()));
        report.add(Diagnostic::new(Code::HeaderVersion, message).file(entry));
    }
}

fn check_files(manifest: &Manifest, facts: &Facts, report: &mut Report) {
    let mut used = HashSet::new();
    for (entity, facts) in manifest.entities.iter().zip(&facts.entities) {
        let mut add = |finding: Diagnostic| report.add(finding.file(MANIFEST_FILE).entity(&entity.label));
        if entity.file.is_empty() {
            add(Diagnostic::new(Code::FileUnnamed, format!("{} has no file", shown(&entity.label))));
        } else if facts.entry.as_deref() != Some(entity.file.as_str()) {
            let finding =
                Diagnostic::new(Code::FileMissing, format!("there is no entry {}", shown(&entity.file)));
            add(match &facts.entry {
                Some(near) => {
                    finding.hint(format!("There is {}: write it so.", shown(near))).repairable(true)
                }
                None => finding,
            });
        }
        if let Some(entry) = &facts.entry
            && !used.insert(entry)
        {
            add(Diagnostic::new(Code::FileTwice, format!("two entities have the file {}", shown(entry))));
        }
        // Of a file that is read it is told whether it has a header to make maps of.
        if entity.maps.is_empty() && (facts.entry.is_none() || entity.disabled) {
            add(no_maps(&entity.label, false));
        }
    }
}

/// The finding behind an error that a package could not be opened with.
#[must_use]
pub fn refusal(error: &Error) -> Diagnostic {
    let at = error.at.as_deref();
    let file = at.and_then(|at| at.file.clone());
    let hint = error.hint.clone().unwrap_or_default();
    let header = file.as_deref() == Some(HEADER_FILE);
    let code = match error.code {
        _ if hint.contains("data template") || error.message.contains("data template") => Code::Template,
        ErrorCode::PackageCorrupt if error.message.contains("is encrypted") => Code::ZipEncrypted,
        ErrorCode::PackageCorrupt if error.message.contains("compressed by method") => Code::ZipMethod,
        ErrorCode::PackageCorrupt if error.message.contains("two entries named") => Code::ZipDuplicateName,
        ErrorCode::PackageCorrupt if error.message.contains("an entry named") => Code::ZipUnsafeName,
        ErrorCode::PackageCorrupt => Code::Corrupt,
        ErrorCode::PackageLimit => Code::Limit,
        ErrorCode::ManifestInvalid if header => Code::HeaderUnreadable,
        ErrorCode::ManifestInvalid if error.message.contains("zip has no") => Code::ManifestMissing,
        ErrorCode::ManifestInvalid => Code::ManifestUnreadable,
        _ => Code::NotAPackage,
    };
    let mut finding = Diagnostic::new(code, error.message.clone()).severity(Severity::Error);
    if !hint.is_empty() {
        finding.hint = hint;
    }
    finding.file = file;
    finding.line = at.and_then(|at| at.line);
    finding
}

impl std::fmt::Debug for Doctor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doctor").field("want", &self.want()).finish_non_exhaustive()
    }
}
