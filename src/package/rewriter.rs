//! Another package out of one: entries copied as they are, and others written anew.

use std::collections::VecDeque;
use std::ops::Range;

use crate::error::Result;

use super::pull::Pull;
use super::zip::{Entry, EntryReader, ZipWriter};

/// Deflate level of what is written anew.
const LEVEL: u8 = 5;
/// Bytes of output gathered before they are handed over.
const PIECE: usize = 256 << 10;

/// One entry of the package that is written.
pub(super) enum Part {
    /// As it stands in the source, compressed, under this name.
    Copy { entry: Entry, name: String },
    /// An entry of the source whose content is changed on the way.
    Changed { entry: Entry, name: String, change: Box<dyn Change> },
    /// This content.
    Content { name: String, bytes: Vec<u8> },
}

impl Part {
    /// As it stands in the source.
    pub(super) fn copy(entry: &Entry) -> Self {
        Self::Copy { entry: entry.clone(), name: entry.name.clone() }
    }
}

/// Changes the content of an entry while it passes.
pub(super) trait Change: Send {
    /// Takes the next bytes, and appends what becomes of them.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()>;
    /// Appends what is left after the last bytes.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<()>;
}

/// Writes a package out of an open one, piece by piece. Memory holds a piece, and never a data file.
pub struct Rewriter {
    parts: VecDeque<Part>,
    zip: ZipWriter,
    copying: Option<EntryReader>,
    /// What happens to the content that is copied; none: it stays compressed as it is.
    change: Option<Box<dyn Change>>,
    piece: Vec<u8>,
    changed: Vec<u8>,
    finished: bool,
}

impl Rewriter {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self {
            parts: parts.into(),
            zip: ZipWriter::new(LEVEL),
            copying: None,
            change: None,
            piece: Vec::new(),
            changed: Vec::new(),
            finished: false,
        }
    }

    /// The bytes of the source package that are wanted, after a [`Pull::Want`].
    #[must_use]
    pub fn want(&self) -> Option<Range<u64>> {
        self.copying.as_ref().and_then(EntryReader::want)
    }

    /// Takes exactly the bytes that were wanted.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` for bytes of another number, and where an entry's header contradicts the directory.
    pub fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.copying.as_mut().map_or(Ok(()), |reader| reader.give(bytes))
    }

    /// The next bytes of the new package.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` where the source is damaged.
    pub fn read(&mut self) -> Result<Pull<Vec<u8>>> {
        while !self.finished {
            if !self.step()? {
                return Ok(Pull::Want);
            }
            if self.zip.waiting() >= PIECE {
                return Ok(Pull::Have(self.zip.take()));
            }
        }
        let rest = self.zip.take();
        Ok(if rest.is_empty() { Pull::End } else { Pull::Have(rest) })
    }

    /// False where bytes of the source are wanted.
    fn step(&mut self) -> Result<bool> {
        if let Some(reader) = &mut self.copying {
            self.piece.clear();
            match reader.read(&mut self.piece)? {
                Pull::Want => return Ok(false),
                Pull::Have(()) => match &mut self.change {
                    None => self.zip.write_raw(&self.piece)?,
                    Some(change) => {
                        self.changed.clear();
                        change.push(&self.piece, &mut self.changed)?;
                        self.zip.write(&self.changed)?;
                    }
                },
                Pull::End => {
                    self.copying = None;
                    if let Some(mut change) = self.change.take() {
                        self.changed.clear();
                        change.finish(&mut self.changed)?;
                        self.zip.write(&self.changed)?;
                        self.zip.end()?;
                    }
                }
            }
            return Ok(true);
        }
        match self.parts.pop_front() {
            Some(Part::Copy { entry, name }) => {
                let mut raw = entry.to_raw();
                if name != entry.name {
                    raw.utf8 |= !name.is_ascii();
                    raw.name = name.into_bytes();
                }
                self.zip.begin_raw(raw)?;
                self.copying = Some(EntryReader::raw(&entry));
            }
            Some(Part::Changed { entry, name, change }) => {
                let reader = EntryReader::new(&entry)?;
                self.zip.begin(&name)?;
                self.copying = Some(reader);
                self.change = Some(change);
            }
            Some(Part::Content { name, bytes }) => self.zip.add(&name, &bytes)?,
            None => {
                self.zip.finish()?;
                self.finished = true;
            }
        }
        Ok(true)
    }
}

impl std::fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}
