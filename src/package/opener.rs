//! Opens a package: its end, its directory, and its two XML files are read, and nothing else.

use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};

use super::data_package::{DataPackage, HeaderPart, Parts};
use super::header::HeaderDoc;
use super::limits::Limits;
use super::manifest::ManifestDoc;
use super::pull::{Pull, Wanted};
use super::zip::{Directory, DirectoryReader, EntryReader};
use super::{HEADER_FILE, MANIFEST_FILE, foreign};

/// As much of a file's beginning as it takes to tell what it is.
const HEAD: u64 = 512;

/// Opens a package by ranges of its bytes. While [`want`](Self::want) gives one, [`give`](Self::give) takes its bytes; then
/// [`finish`](Self::finish) hands over the package.
///
/// ```
/// use d365_clm::package::{Limits, Opener};
/// # use d365_clm::package::{EntitySpec, PackageSpec, PackageWriter};
/// # let mut spec = PackageSpec::new("P");
/// # spec.entities.push(EntitySpec::new("Currencies"));
/// # let mut writer = PackageWriter::new(spec)?;
/// # writer.begin_entity(0, &["CurrencyCode".into()])?;
/// # writer.write_rows("EUR", &[3], &[0])?;
/// # writer.end_entity()?;
/// # let bytes = writer.finish()?;
/// let mut opener = Opener::new(bytes.len() as u64, Limits::default());
/// while let Some(range) = opener.want() {
///     opener.give(bytes[range.start as usize..range.end as usize].to_vec())?;
/// }
/// assert_eq!(opener.finish()?.entities()[0].entity, "Currencies");
/// # Ok::<(), d365_clm::Error>(())
/// ```
pub struct Opener {
    limits: Limits,
    directory: DirectoryReader,
    state: State,
    lenient: bool,
    schema: Option<Arc<Catalog>>,
}

enum State {
    Directory,
    /// No zip: its first bytes tell what it is.
    Head(Wanted),
    Header {
        directory: Directory,
        entry: String,
        reader: EntryReader,
        text: Vec<u8>,
    },
    Manifest {
        directory: Directory,
        header: HeaderPart,
        entry: String,
        reader: EntryReader,
        text: Vec<u8>,
    },
    Done(Box<DataPackage>),
    Failed,
}

impl Opener {
    /// For a package of that many bytes.
    #[must_use]
    pub fn new(size: u64, limits: Limits) -> Self {
        let directory = DirectoryReader::new(size, &limits);
        Self { directory, limits, state: State::Directory, lenient: false, schema: None }
    }

    /// For the package doctor: `PackageHeader.xml` may be missing or unreadable, and it and `Manifest.xml` may lie in a folder
    /// or be spelled differently, as long as only one entry can be meant.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// The tenant's own schema, against which the package doctor holds the package; by default the built-in catalogue.
    #[must_use]
    pub fn schema(mut self, schema: Arc<Catalog>) -> Self {
        self.schema = Some(schema);
        self
    }

    /// The bytes that are wanted next; none when the package is open, or a call failed.
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        match &self.state {
            State::Directory => self.directory.want(),
            State::Head(wanted) => wanted.range(),
            State::Header { reader, .. } | State::Manifest { reader, .. } => reader.want(),
            State::Done(_) | State::Failed => None,
        }
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// - `NOT_A_PACKAGE`: no zip, or a zip without `PackageHeader.xml` at its root; the message says what it is instead.
    /// - `PACKAGE_CORRUPT`: a damaged, cut or contradictory zip; entries that overlap, share a name, or lead out; bytes of
    ///   another number than wanted.
    /// - `PACKAGE_LIMIT`: more than the limits allow, with both numbers.
    /// - `MANIFEST_INVALID`: no `Manifest.xml`, a data template, another root, XML that is not well-formed or has a document
    ///   type; with file and line. What the service would misread, because it comes too late or is in another namespace,
    ///   opens.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        let state = std::mem::replace(&mut self.state, State::Failed);
        self.state = self.step(state, bytes)?;
        Ok(())
    }

    /// The package.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` while bytes are wanted, and after a failure.
    pub fn finish(self) -> Result<DataPackage> {
        match self.state {
            State::Done(package) => Ok(*package),
            _ => Err(Error::argument("the package is not open yet")),
        }
    }

    fn step(&mut self, state: State, bytes: Vec<u8>) -> Result<State> {
        match state {
            State::Directory => {
                self.directory.give(bytes)?;
                if self.directory.want().is_some() {
                    return Ok(State::Directory);
                }
                match self.directory.directory_read().cloned() {
                    Some(directory) => self.header(directory),
                    None => self.head(),
                }
            }
            State::Head(_) => Err(foreign::not_a_zip(&bytes)),
            State::Header { directory, entry, mut reader, text } => {
                reader.give(bytes)?;
                self.read_header(directory, entry, reader, text)
            }
            State::Manifest { directory, header, entry, mut reader, text } => {
                reader.give(bytes)?;
                self.read_manifest(directory, header, entry, reader, text)
            }
            State::Done(_) | State::Failed => Err(Error::argument("no bytes of the package are wanted now")),
        }
    }

    fn head(&self) -> Result<State> {
        let range = 0..self.directory.size().min(HEAD);
        if let Some(head) = self.directory.in_tail(range.clone()) {
            return Err(foreign::not_a_zip(head));
        }
        let mut wanted = Wanted::default();
        wanted.ask(range);
        Ok(State::Head(wanted))
    }

    fn header(&self, directory: Directory) -> Result<State> {
        let Some(entry) = self.entry_of(&directory, HEADER_FILE) else {
            return if self.lenient && self.entry_of(&directory, MANIFEST_FILE).is_some() {
                self.manifest(directory, HeaderPart::Missing)
            } else {
                Err(foreign::no_header(&directory))
            };
        };
        let reader = xml_reader(&directory, &entry, &self.limits)?;
        self.read_header(directory, entry, reader, Vec::new())
    }

    fn read_header(
        &self,
        directory: Directory,
        entry: String,
        mut reader: EntryReader,
        mut text: Vec<u8>,
    ) -> Result<State> {
        if self.wants_more(&mut reader, &mut text)? {
            return Ok(State::Header { directory, entry, reader, text });
        }
        let header = match HeaderDoc::parse(&text, self.limits.xml_depth) {
            Ok(doc) => HeaderPart::Read { entry, doc },
            Err(error) if self.lenient => HeaderPart::Unreadable { entry, error },
            Err(error) => return Err(error),
        };
        self.manifest(directory, header)
    }

    fn manifest(&self, directory: Directory, header: HeaderPart) -> Result<State> {
        let entry = self.entry_of(&directory, MANIFEST_FILE).unwrap_or_else(|| MANIFEST_FILE.to_owned());
        let reader = xml_reader(&directory, &entry, &self.limits)?;
        self.read_manifest(directory, header, entry, reader, Vec::new())
    }

    fn read_manifest(
        &self,
        directory: Directory,
        header: HeaderPart,
        entry: String,
        mut reader: EntryReader,
        mut text: Vec<u8>,
    ) -> Result<State> {
        if self.wants_more(&mut reader, &mut text)? {
            return Ok(State::Manifest { directory, header, entry, reader, text });
        }
        let manifest = ManifestDoc::parse(&text, self.limits.xml_depth)?;
        let parts = Parts { header, manifest, manifest_entry: entry };
        let package = DataPackage::new(directory, parts, self.limits, self.schema.clone());
        Ok(State::Done(Box::new(package)))
    }

    /// The entry of that name; a lenient opener takes one that only looks like it.
    fn entry_of(&self, directory: &Directory, name: &str) -> Option<String> {
        if directory.find(name).is_some() {
            return Some(name.to_owned());
        }
        let mut near = directory.entries().iter().filter(|entry| foreign::looks_like(&entry.name, name));
        let found = near.next().filter(|_| self.lenient && near.next().is_none())?;
        Some(found.name.clone())
    }

    /// Reads on; true where bytes are wanted that the end of the package does not have.
    fn wants_more(&self, reader: &mut EntryReader, text: &mut Vec<u8>) -> Result<bool> {
        loop {
            match reader.read(text)? {
                Pull::Have(()) => {}
                Pull::End => return Ok(false),
                Pull::Want => {
                    let Some(range) = reader.want() else { return Ok(true) };
                    let Some(bytes) = self.directory.in_tail(range).map(<[u8]>::to_vec) else {
                        return Ok(true);
                    };
                    reader.give(bytes)?;
                }
            }
        }
    }
}

fn xml_reader(directory: &Directory, name: &str, limits: &Limits) -> Result<EntryReader> {
    let Some(entry) = directory.find(name) else {
        return Err(foreign::misplaced(directory, name, ErrorCode::ManifestInvalid).unwrap_or_else(|| {
            Error::new(ErrorCode::ManifestInvalid, format!("the zip has no {name}"))
                .in_file(name)
                .hint("A data package needs PackageHeader.xml and Manifest.xml at the root of the zip.")
        }));
    };
    if entry.size > limits.spool {
        let message = format!("{name} has {} bytes, the limit is {}", entry.size, limits.spool);
        return Err(Error::new(ErrorCode::PackageLimit, message)
            .in_file(name)
            .hint("If the package comes from a source that you trust, open it with a higher limit spool."));
    }
    directory.reader(entry)
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("want", &self.want()).finish_non_exhaustive()
    }
}
