//! Deflate block by block.
//!
//! The content of an entry is cut into blocks of 1 MiB. Each is compressed by itself, with the 32 KiB before it as
//! dictionary, and ends at a byte boundary (a sync flush), so that the blocks put together are one deflate stream. Any number
//! of workers can compress them at the same time, and the bytes are the same as those of one.

use std::collections::{BTreeMap, VecDeque};

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::error::{Error, Result};

use super::corrupt;

/// Bytes of content in a block.
pub(crate) const BLOCK: usize = 1 << 20;
/// How far back deflate can refer.
const WINDOW: usize = 32 << 10;

/// Content of one block, to be compressed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// Counts from 0 through the whole package; what comes back is told by it.
    pub id: u64,
    /// Deflate level, 0–9.
    pub level: u8,
    /// Whether the stream ends with it.
    pub last: bool,
    /// Up to 32 KiB before it.
    pub dictionary: Vec<u8>,
    /// Up to 1 MiB.
    pub data: Vec<u8>,
}

/// Compresses blocks, one after the other.
pub struct BlockDeflater {
    level: u8,
    compress: Option<Compress>,
}

impl BlockDeflater {
    /// `level` is 0 (no compression) to 9 (smallest).
    #[must_use]
    pub const fn new(level: u8) -> Self {
        Self { level, compress: None }
    }

    /// Appends the compressed block to `out`.
    ///
    /// # Errors
    /// `PACKAGE_CORRUPT` where the compressor fails, which it has no reason to.
    pub fn deflate(&mut self, dictionary: &[u8], data: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let failed = || corrupt("a block could not be compressed");
        let level = Compression::new(self.level.into());
        let compress = self.compress.get_or_insert_with(|| Compress::new(level, false));
        compress.reset();
        if !dictionary.is_empty() {
            compress.set_dictionary(dictionary).map_err(|_| failed())?;
        }
        let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
        // Enough even for what can't be compressed, so one call does it, and never a second flush mark.
        out.reserve(data.len() + data.len() / 64 + 1024);
        let mut rest = data;
        loop {
            let before = compress.total_in();
            let status = compress.compress_vec(rest, out, flush).map_err(|_| failed())?;
            let used = usize::try_from(compress.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(used..).unwrap_or_default();
            let room = out.len() < out.capacity();
            match status {
                Status::StreamEnd => return Ok(()),
                Status::Ok if !last && rest.is_empty() && room => return Ok(()),
                Status::Ok | Status::BufError if !room => out.reserve(BLOCK / 8),
                _ => return Err(failed()),
            }
        }
    }
}

/// Gathers content into blocks and compressed blocks into a stream; compresses here, or has it done elsewhere.
pub(super) struct Blocks {
    level: u8,
    /// The dictionary, then the content of the block.
    window: Vec<u8>,
    dictionary: usize,
    next: u64,
    work: Work,
}

enum Work {
    Here(BlockDeflater),
    Elsewhere {
        queue: VecDeque<Block>,
        /// Came back before one that precedes them.
        early: BTreeMap<u64, Vec<u8>>,
        /// The block whose result is appended next.
        expected: u64,
    },
}

impl Blocks {
    pub(super) fn new(level: u8) -> Self {
        let work = Work::Here(BlockDeflater::new(level));
        Self { level, window: Vec::new(), dictionary: 0, next: 0, work }
    }

    /// From now on blocks are queued.
    pub(super) fn elsewhere(&mut self) {
        if matches!(self.work, Work::Here(_)) {
            self.work =
                Work::Elsewhere { queue: VecDeque::new(), early: BTreeMap::new(), expected: self.next };
        }
    }

    /// From now on blocks are compressed here again; none may be pending.
    pub(super) fn here(&mut self) -> Result<()> {
        if self.pending() > 0 {
            return Err(Error::argument("blocks are still being compressed elsewhere"));
        }
        self.work = Work::Here(BlockDeflater::new(self.level));
        Ok(())
    }

    /// Adds content of the stream; compressed blocks are appended to `out` as they come.
    pub(super) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let held = self.window.len() - self.dictionary;
            // Only what follows shows that a full block is not the last.
            if held == BLOCK {
                self.block(false, out)?;
                continue;
            }
            let (head, tail) = rest.split_at_checked(BLOCK - held).unwrap_or((rest, &[]));
            self.window.extend_from_slice(head);
            rest = tail;
        }
        Ok(())
    }

    /// Ends the stream.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.block(true, out)?;
        self.window.clear();
        self.dictionary = 0;
        Ok(())
    }

    /// The next block to be compressed elsewhere.
    pub(super) fn take(&mut self) -> Option<Block> {
        match &mut self.work {
            Work::Here(_) => None,
            Work::Elsewhere { queue, .. } => queue.pop_front(),
        }
    }

    /// Takes a compressed block back, in any order.
    pub(super) fn give(&mut self, id: u64, bytes: Vec<u8>, out: &mut Vec<u8>) -> Result<()> {
        let unknown = || Error::argument(format!("block {id} is not being compressed elsewhere"));
        let Work::Elsewhere { queue, early, expected } = &mut self.work else { return Err(unknown()) };
        let queued = queue.iter().any(|block| block.id == id);
        if id < *expected || id >= self.next || queued || early.insert(id, bytes).is_some() {
            return Err(unknown());
        }
        while let Some(bytes) = early.remove(expected) {
            out.extend_from_slice(&bytes);
            *expected += 1;
        }
        Ok(())
    }

    /// Blocks whose compressed form has not been appended yet.
    pub(super) fn pending(&self) -> u64 {
        match &self.work {
            Work::Here(_) => 0,
            Work::Elsewhere { expected, .. } => self.next - expected,
        }
    }

    fn block(&mut self, last: bool, out: &mut Vec<u8>) -> Result<()> {
        let (dictionary, data) = self.window.split_at_checked(self.dictionary).unwrap_or((&self.window, &[]));
        match &mut self.work {
            Work::Here(deflater) => deflater.deflate(dictionary, data, last, out)?,
            Work::Elsewhere { queue, .. } => queue.push_back(Block {
                id: self.next,
                level: self.level,
                last,
                dictionary: dictionary.to_vec(),
                data: data.to_vec(),
            }),
        }
        self.next += 1;
        let length = self.window.len();
        let keep = length.min(WINDOW);
        self.window.copy_within(length - keep.., 0);
        self.window.truncate(keep);
        self.dictionary = keep;
        Ok(())
    }
}

impl std::fmt::Debug for BlockDeflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockDeflater").field("level", &self.level).finish_non_exhaustive()
    }
}
