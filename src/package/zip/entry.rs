//! The content of one entry, piece by piece.

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::Result;

use super::reader::Entry;
use super::records::Local;
use super::{DEFLATED, FLAG_DESCRIPTOR, FLAG_ENCRYPTED, STORED, corrupt};

/// Bytes of content that one call adds at most.
const PIECE: usize = 64 << 10;

/// Reads an entry forwards. Size and checksum are known to be right only when `read` has returned false.
pub(crate) struct EntryReader {
    bytes: Arc<Vec<u8>>,
    name: String,
    /// What is left of the compressed data.
    at: usize,
    stop: usize,
    inflate: Option<Decompress>,
    crc: crc32fast::Hasher,
    expected_crc: u32,
    size: u64,
    done: u64,
    ended: bool,
}

impl EntryReader {
    pub(super) fn new(bytes: Arc<Vec<u8>>, entry: &Entry) -> Result<Self> {
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
        let damaged = |what: &str| corrupt(format!("\"{name}\": {what}")).in_file(name);
        let offset = usize::try_from(entry.offset).map_err(|_| damaged("its header lies beyond the file"))?;
        let local = Local::read(&bytes, offset).ok_or_else(|| damaged("its header is damaged"))?;
        if !agrees(&local, entry) {
            return Err(damaged("its header and the zip's directory disagree"));
        }
        let range = offset.checked_add(local.length).and_then(|at| {
            let stop = at.checked_add(usize::try_from(entry.compressed).ok()?)?;
            (stop as u64 <= entry.limit && stop <= bytes.len()).then_some((at, stop))
        });
        let (at, stop) = range.ok_or_else(|| damaged("it overlaps what follows it in the zip"))?;
        Ok(Self {
            name: name.clone(),
            at,
            stop,
            inflate: (entry.method == DEFLATED).then(|| Decompress::new(false)),
            crc: crc32fast::Hasher::new(),
            expected_crc: entry.crc,
            size: entry.size,
            done: 0,
            ended: false,
            bytes,
        })
    }

    /// Appends up to 64 KiB to `out`; false at the end, when size and checksum have been found right.
    pub(crate) fn read(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let before = out.len();
        let ended = match &mut self.inflate {
            None => {
                let rest = self.bytes.get(self.at..self.stop).unwrap_or_default();
                let piece = rest.get(..PIECE).unwrap_or(rest);
                out.extend_from_slice(piece);
                self.at += piece.len();
                self.at == self.stop
            }
            Some(inflate) => {
                out.reserve(PIECE);
                loop {
                    let input = self.bytes.get(self.at..self.stop).unwrap_or_default();
                    let (in_before, out_before) = (inflate.total_in(), out.len());
                    let status = inflate.decompress_vec(input, out, FlushDecompress::None);
                    let used = usize::try_from(inflate.total_in() - in_before).unwrap_or(input.len());
                    self.at += used;
                    match status {
                        Ok(Status::StreamEnd) => break true,
                        Ok(_) if out.len() - before >= PIECE || out.len() == out.capacity() => break false,
                        Ok(_) if used > 0 || out.len() > out_before => {}
                        _ => return Err(self.damaged("its compressed data is damaged or cut off")),
                    }
                }
            }
        };
        let piece = out.get(before..).unwrap_or_default();
        self.crc.update(piece);
        self.done += piece.len() as u64;
        if self.done > self.size {
            return Err(self.damaged(&format!("it has more than the {} bytes that it promises", self.size)));
        }
        if ended {
            self.end()?;
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        if self.at != self.stop {
            return Err(self.damaged("there are bytes left after its compressed data"));
        }
        if self.done != self.size {
            return Err(self.damaged(&format!("it has {} bytes and promises {}", self.done, self.size)));
        }
        let found = self.crc.clone().finalize();
        if found != self.expected_crc {
            return Err(
                self.damaged(&format!("its checksum is {found:08x} and should be {:08x}", self.expected_crc))
            );
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> crate::error::Error {
        corrupt(format!("\"{}\": {what}", self.name)).in_file(&self.name)
    }
}

fn agrees(local: &Local<'_>, entry: &Entry) -> bool {
    let same = |short: Option<u32>, value: u64| short.is_none_or(|short| u64::from(short) == value);
    local.name == entry.raw_name
        && local.method == entry.method
        && local.flags & FLAG_ENCRYPTED == 0
        // With a data descriptor the header may be silent, since it was written before the data.
        && (local.flags & FLAG_DESCRIPTOR != 0
            || (local.crc == entry.crc
                && same(local.compressed, entry.compressed)
                && same(local.size, entry.size)))
}
