//! Opens a package: its end, its directory, and its two XML files are read, and nothing else.

use std::ops::Range;

use crate::error::{Error, ErrorCode, Result};

use super::data_package::DataPackage;
use super::limits::Limits;
use super::manifest::Manifest;
use super::pull::{Pull, Wanted};
use super::zip::{Directory, DirectoryReader, EntryReader};
use super::{HEADER_FILE, MANIFEST_FILE, foreign, header};

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
}

enum State {
    Directory,
    /// No zip: its first bytes tell what it is.
    Head(Wanted),
    Header {
        directory: Directory,
        reader: EntryReader,
        text: Vec<u8>,
    },
    Manifest {
        directory: Directory,
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
        Self { directory: DirectoryReader::new(size, &limits), limits, state: State::Directory }
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
    /// - `MANIFEST_INVALID`: no `Manifest.xml`, a data template, XML that can't be read; with file and line.
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
            State::Header { directory, mut reader, text } => {
                reader.give(bytes)?;
                self.read_header(directory, reader, text)
            }
            State::Manifest { directory, mut reader, text } => {
                reader.give(bytes)?;
                self.read_manifest(directory, reader, text)
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
        if directory.find(HEADER_FILE).is_none() {
            return Err(foreign::no_header(&directory));
        }
        let reader = xml_reader(&directory, HEADER_FILE, &self.limits)?;
        self.read_header(directory, reader, Vec::new())
    }

    fn read_header(&self, directory: Directory, mut reader: EntryReader, mut text: Vec<u8>) -> Result<State> {
        if self.wants_more(&mut reader, &mut text)? {
            return Ok(State::Header { directory, reader, text });
        }
        header::check(&text, self.limits.xml_depth)?;
        let reader = xml_reader(&directory, MANIFEST_FILE, &self.limits)?;
        self.read_manifest(directory, reader, Vec::new())
    }

    fn read_manifest(
        &self,
        directory: Directory,
        mut reader: EntryReader,
        mut text: Vec<u8>,
    ) -> Result<State> {
        if self.wants_more(&mut reader, &mut text)? {
            return Ok(State::Manifest { directory, reader, text });
        }
        let manifest = Manifest::read(&text, self.limits.xml_depth)?;
        Ok(State::Done(Box::new(DataPackage::new(directory, manifest, self.limits))))
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
        return Err(Error::new(ErrorCode::PackageLimit, message).in_file(name));
    }
    directory.reader(entry)
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("want", &self.want()).finish_non_exhaustive()
    }
}
