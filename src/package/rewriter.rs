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
    /// As it stands in the source, compressed.
    Copy(Entry),
    /// This content.
    Content { name: String, bytes: Vec<u8> },
}

/// Writes a package out of an open one, piece by piece. Memory holds a piece, and never a data file.
pub struct Rewriter {
    parts: VecDeque<Part>,
    zip: ZipWriter,
    copying: Option<EntryReader>,
    piece: Vec<u8>,
    finished: bool,
}

impl Rewriter {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self {
            parts: parts.into(),
            zip: ZipWriter::new(LEVEL),
            copying: None,
            piece: Vec::new(),
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
                Pull::Have(()) => self.zip.write_raw(&self.piece)?,
                Pull::End => self.copying = None,
            }
            return Ok(true);
        }
        match self.parts.pop_front() {
            Some(Part::Copy(entry)) => {
                self.zip.begin_raw(entry.to_raw())?;
                self.copying = Some(EntryReader::raw(&entry));
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
