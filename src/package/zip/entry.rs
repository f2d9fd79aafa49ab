//! The content of one entry, piece by piece.

use std::ops::Range;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::error::{Error, Result};
use crate::package::pull::{Pull, Wanted};

use super::directory::Entry;
use super::records::Local;
use super::{DEFLATED, FLAG_DESCRIPTOR, FLAG_ENCRYPTED, STORED, corrupt};

/// Bytes of content that one call adds at most.
pub(crate) const PIECE: usize = 128 << 10;
/// Bytes of the archive that are wanted at once. More than the largest header of an entry.
const CHUNK: u64 = 256 << 10;

/// Reads an entry forwards. Size and checksum are known to be right only when it has ended.
pub(crate) struct EntryReader {
    entry: Entry,
    wanted: Wanted,
    /// Where the next bytes of the archive are wanted from, and where the entry's data stops, once its header was read.
    next: u64,
    stop: Option<u64>,
    input: Vec<u8>,
    used: usize,
    inflate: Option<Decompress>,
    crc: Crc,
    done: u64,
    ended: bool,
    /// Whether the compressed bytes are handed over as they are.
    raw: bool,
}

impl EntryReader {
    pub(crate) fn new(entry: &Entry) -> Result<Self> {
        let name = &entry.name;
        if entry.flags & FLAG_ENCRYPTED != 0 {
            return Err(corrupt(format!("\"{name}\" is encrypted"))
                .in_file(name)
                .hint("Write the package again without a password: the service can't read it either."));
        }
        if entry.method != STORED && entry.method != DEFLATED {
            return Err(corrupt(format!("\"{name}\" is compressed by method {}", entry.method))
                .in_file(name)
                .hint("Write the package again with deflate, the ordinary method of zip."));
        }
        Ok(Self::over(entry, false))
    }

    /// For the entry's bytes as they stand in the archive, of any method.
    pub(crate) fn raw(entry: &Entry) -> Self {
        Self::over(entry, true)
    }

    /// The same entry from its beginning.
    pub(crate) fn again(&self) -> Self {
        Self::over(&self.entry, self.raw)
    }

    fn over(entry: &Entry, raw: bool) -> Self {
        Self {
            wanted: Wanted::default(),
            next: entry.offset,
            stop: None,
            input: Vec::new(),
            used: 0,
            inflate: (entry.method == DEFLATED && !raw).then(|| Decompress::new(false)),
            crc: Crc::new(),
            done: 0,
            ended: false,
            raw,
            entry: entry.clone(),
        }
    }

    /// The bytes of the archive that are wanted, after a [`Pull::Want`].
    pub(crate) fn want(&self) -> Option<Range<u64>> {
        self.wanted.range()
    }

    /// Takes them.
    pub(crate) fn give(&mut self, bytes: Vec<u8>) -> Result<()> {
        let range = self.wanted.take(&bytes)?;
        self.next = range.end;
        self.input = bytes;
        self.used = 0;
        if self.stop.is_none() {
            self.header()?;
        }
        // What was read beyond the entry's own data is not its content.
        if let Some(stop) = self.stop.filter(|stop| *stop < self.next) {
            let own =
                self.input.len().saturating_sub(usize::try_from(self.next - stop).unwrap_or(usize::MAX));
            self.input.truncate(own);
            self.next = stop;
        }
        Ok(())
    }

    /// Appends up to 128 KiB to `out`; at the end, size and checksum have been found right.
    pub(crate) fn read(&mut self, out: &mut Vec<u8>) -> Result<Pull<()>> {
        if self.ended {
            return Ok(Pull::End);
        }
        if self.is_short() {
            return Ok(self.ask());
        }
        let before = out.len();
        let ended = match self.inflate.take() {
            None => {
                let rest = self.input.get(self.used..).unwrap_or_default();
                let piece = rest.get(..PIECE).unwrap_or(rest);
                out.extend_from_slice(piece);
                self.used += piece.len();
                self.is_at_stop()
            }
            Some(mut inflate) => {
                let ended = self.inflate(&mut inflate, out)?;
                self.inflate = Some(inflate);
                ended
            }
        };
        let piece = out.get(before..).unwrap_or_default();
        self.done += piece.len() as u64;
        if !self.raw {
            self.crc.update(piece);
            if self.done > self.entry.size {
                return Err(
                    self.damaged(&format!("it has more than the {} bytes that it promises", self.entry.size))
                );
            }
        }
        if ended {
            self.end()?;
        } else if out.len() == before {
            return Ok(self.ask());
        }
        Ok(Pull::Have(()))
    }

    /// True at the end of the compressed data.
    fn inflate(&mut self, inflate: &mut Decompress, out: &mut Vec<u8>) -> Result<bool> {
        let before = out.len();
        out.reserve(PIECE);
        loop {
            let input = self.input.get(self.used..).unwrap_or_default();
            let (in_before, out_before) = (inflate.total_in(), out.len());
            let status = inflate.decompress_vec(input, out, FlushDecompress::None);
            let used = usize::try_from(inflate.total_in() - in_before).unwrap_or(input.len());
            self.used += used;
            match status {
                Ok(Status::StreamEnd) => return Ok(true),
                Ok(_) if out.len() - before >= PIECE || out.len() == out.capacity() => return Ok(false),
                Ok(_) if self.is_short() => return Ok(false),
                Ok(_) if used > 0 || out.len() > out_before => {}
                _ => return Err(self.damaged("its compressed data is damaged or cut off")),
            }
        }
    }

    /// Whether more bytes of the archive are there and needed to go on.
    fn is_short(&self) -> bool {
        self.used >= self.input.len() && self.stop.is_none_or(|stop| self.next < stop)
    }

    fn is_at_stop(&self) -> bool {
        self.used >= self.input.len() && self.stop.is_some_and(|stop| self.next >= stop)
    }

    fn ask(&mut self) -> Pull<()> {
        let end = self.stop.unwrap_or(self.entry.limit);
        self.wanted.ask(self.next..end.min(self.next.saturating_add(CHUNK)));
        Pull::Want
    }

    fn header(&mut self) -> Result<()> {
        let local = Local::read(&self.input, 0).ok_or_else(|| self.damaged("its header is damaged"))?;
        if !agrees(&local, &self.entry) {
            return Err(self.damaged("its header and the zip's directory disagree"));
        }
        let stop = self
            .entry
            .offset
            .checked_add(local.length as u64)
            .and_then(|at| at.checked_add(self.entry.compressed))
            .filter(|stop| *stop <= self.entry.limit)
            .ok_or_else(|| self.damaged("it overlaps what follows it in the zip"))?;
        self.used = local.length;
        self.stop = Some(stop);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        if !self.is_at_stop() {
            return Err(self.damaged("there are bytes left after its compressed data"));
        }
        self.input = Vec::new();
        if self.raw {
            return Ok(());
        }
        if self.done != self.entry.size {
            return Err(self.damaged(&format!("it has {} bytes and promises {}", self.done, self.entry.size)));
        }
        let found = self.crc.sum();
        if found != self.entry.crc {
            return Err(
                self.damaged(&format!("its checksum is {found:08x} and should be {:08x}", self.entry.crc))
            );
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> Error {
        corrupt(format!("\"{}\": {what}", self.entry.name)).in_file(&self.entry.name)
    }
}

fn agrees(local: &Local<'_>, entry: &Entry) -> bool {
    let same = |short: Option<u32>, value: u64| short.is_none_or(|short| u64::from(short) == value);
    let may_be_silent = local.flags & FLAG_DESCRIPTOR != 0;
    local.name == entry.raw_name
        && local.method == entry.method
        && local.flags & FLAG_ENCRYPTED == 0
        // With a data descriptor the header may be silent, since it was written before the data; but it may not say another thing.
        && (may_be_silent && local.crc == 0 || local.crc == entry.crc)
        && (may_be_silent && local.compressed == Some(0) || same(local.compressed, entry.compressed))
        && (may_be_silent && local.size == Some(0) || same(local.size, entry.size))
}
