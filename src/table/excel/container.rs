//! The zip around a workbook, in memory.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::error::{Error, ErrorCode, Result};

/// Parts of a workbook that one may have.
const MAX_PARTS: u16 = 10_000;
const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;
const END_SIZE: usize = 22;

/// The parts of a workbook by name.
pub(super) struct Container {
    bytes: Vec<u8>,
    parts: Vec<Part>,
    limit: u64,
    /// What may still be inflated.
    left: u64,
}

struct Part {
    name: String,
    method: u16,
    checksum: u32,
    compressed: usize,
    header: usize,
}

impl Container {
    /// `limit` is for the bytes, and for all parts that are read, inflated, together.
    pub(super) fn open(bytes: Vec<u8>, limit: u64) -> Result<Self> {
        if bytes.len() as u64 > limit {
            return Err(Error::new(
                ErrorCode::PackageLimit,
                format!("the workbook has {} bytes, the limit is {limit}", bytes.len()),
            )
            .hint(RAISE));
        }
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err(invalid("the file is a workbook of the old kind (.xls), or one with a password")
                .hint("Save it as .xlsx without a password."));
        }
        let parts = directory(&bytes).ok_or_else(|| {
            invalid("the file is no workbook (.xlsx)").hint("Save the file as an Excel workbook (.xlsx).")
        })?;
        Ok(Self { bytes, parts, limit, left: limit })
    }

    /// The content of a part; none if there is no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(part) = self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let damaged = || {
            invalid(format!("the part {name} of the workbook is damaged"))
                .hint("Open the workbook in Excel and save it again.")
        };
        let data = data_of(&self.bytes, part).ok_or_else(damaged)?;
        let mut content = Vec::new();
        match part.method {
            0 => data.take(self.left + 1).read_to_end(&mut content),
            8 => DeflateDecoder::new(data).take(self.left + 1).read_to_end(&mut content),
            method => {
                return Err(invalid(format!(
                    "the part {name} of the workbook is compressed with method {method}"
                ))
                .hint("Save the workbook with Excel."));
            }
        }
        .map_err(|_| damaged())?;
        if content.len() as u64 > self.left {
            return Err(Error::new(
                ErrorCode::PackageLimit,
                format!("the workbook has more than {} bytes when inflated, which is the limit", self.limit),
            )
            .hint(RAISE));
        }
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        if crc.sum() != part.checksum {
            return Err(damaged());
        }
        self.left -= content.len() as u64;
        Ok(Some(content))
    }
}

const RAISE: &str = "Raise the limit workbook, or use CSV-Unicode, which is read piece by piece.";

fn directory(bytes: &[u8]) -> Option<Vec<Part>> {
    // The end record has a comment of 65,535 bytes at most after it.
    let last = bytes.len().checked_sub(END_SIZE)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    let end = (first..=last).rev().find(|&at| u32_at(bytes, at) == Some(END))?;
    let count = u16_at(bytes, end + 10)?;
    if count > MAX_PARTS {
        return None;
    }
    let mut at = usize::try_from(u32_at(bytes, end + 16)?).ok()?;
    let mut parts = Vec::new();
    for _ in 0..count {
        if u32_at(bytes, at)? != CENTRAL {
            return None;
        }
        let name_length = usize::from(u16_at(bytes, at + 28)?);
        let name = bytes.get(at + CENTRAL_SIZE..at + CENTRAL_SIZE + name_length)?;
        parts.push(Part {
            name: String::from_utf8_lossy(name).replace('\\', "/"),
            // An encrypted part has no method that we know.
            method: if u16_at(bytes, at + 8)? & 1 == 1 { u16::MAX } else { u16_at(bytes, at + 10)? },
            checksum: u32_at(bytes, at + 16)?,
            compressed: usize::try_from(u32_at(bytes, at + 20)?).ok()?,
            header: usize::try_from(u32_at(bytes, at + 42)?).ok()?,
        });
        at += CENTRAL_SIZE
            + name_length
            + usize::from(u16_at(bytes, at + 30)?)
            + usize::from(u16_at(bytes, at + 32)?);
    }
    Some(parts)
}

fn data_of<'a>(bytes: &'a [u8], part: &Part) -> Option<&'a [u8]> {
    if u32_at(bytes, part.header)? != LOCAL {
        return None;
    }
    let names = usize::from(u16_at(bytes, part.header.checked_add(26)?)?)
        + usize::from(u16_at(bytes, part.header + 28)?);
    let start = part.header + LOCAL_SIZE + names;
    bytes.get(start..start.checked_add(part.compressed)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::DataInvalid, message)
}

/// Writes a zip part by part: deflated, plain headers, no time, so that the same parts give the same bytes.
pub(super) struct ContainerWriter {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// A part that is being written.
pub(super) struct PartWriter {
    container: ContainerWriter,
    name: &'static str,
    header: usize,
    deflate: DeflateEncoder<Vec<u8>>,
    checksum: flate2::Crc,
    size: u64,
}

impl ContainerWriter {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), directory: Vec::new(), count: 0 }
    }

    pub(super) fn add(self, name: &'static str, content: &str) -> Result<Self> {
        let mut part = self.begin(name);
        part.write(content.as_bytes())?;
        part.finish()
    }

    pub(super) fn begin(mut self, name: &'static str) -> PartWriter {
        let header = self.bytes.len();
        // The header is filled in when checksum and sizes are known.
        self.bytes.resize(header + LOCAL_SIZE, 0);
        self.bytes.extend_from_slice(name.as_bytes());
        let bytes = std::mem::take(&mut self.bytes);
        PartWriter {
            container: self,
            name,
            header,
            deflate: DeflateEncoder::new(bytes, Compression::new(6)),
            checksum: flate2::Crc::new(),
            size: 0,
        }
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        let start = narrow(self.bytes.len() as u64)?;
        let size = narrow(self.directory.len() as u64)?;
        self.bytes.append(&mut self.directory);
        self.bytes.extend_from_slice(&END.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&self.count.to_le_bytes());
        self.bytes.extend_from_slice(&self.count.to_le_bytes());
        self.bytes.extend_from_slice(&size.to_le_bytes());
        self.bytes.extend_from_slice(&start.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 2]);
        Ok(self.bytes)
    }
}

impl PartWriter {
    pub(super) fn write(&mut self, content: &[u8]) -> Result<()> {
        self.checksum.update(content);
        self.size += content.len() as u64;
        self.deflate
            .write_all(content)
            .map_err(|error| Error::argument(format!("the workbook can't be written: {error}")))
    }

    pub(super) fn finish(self) -> Result<ContainerWriter> {
        let Self { mut container, name, header, deflate, checksum, size } = self;
        container.bytes = deflate
            .finish()
            .map_err(|error| Error::argument(format!("the workbook can't be written: {error}")))?;
        let compressed = narrow((container.bytes.len() - header - LOCAL_SIZE - name.len()) as u64)?;
        let length = u16::try_from(name.len()).unwrap_or_default();
        // Version 2.0, no flags, deflate, no extra field; the earliest date that a zip can hold.
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0];
        for number in [checksum.sum(), compressed, narrow(size)?] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&[0; 2]);
        let local: Vec<u8> = LOCAL.to_le_bytes().into_iter().chain(common.iter().copied()).collect();
        if let Some(room) = container.bytes.get_mut(header..header + LOCAL_SIZE) {
            room.copy_from_slice(&local);
        }
        let directory = &mut container.directory;
        directory.extend_from_slice(&CENTRAL.to_le_bytes());
        directory.extend_from_slice(&[20, 0]);
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&narrow(header as u64)?.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        container.count += 1;
        Ok(container)
    }
}

fn narrow(number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| {
        Error::new(
            ErrorCode::PackageLimit,
            format!("the workbook has a part of {number} bytes, the limit is 4 GiB"),
        )
        .hint("Use CSV-Unicode for that many rows.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_parts() -> Vec<u8> {
        let container =
            ContainerWriter::new().add("a.xml", "alpha").unwrap().add("xl/b.xml", &"beta ".repeat(1000));
        container.unwrap().finish().unwrap()
    }

    #[test]
    fn parts_come_back() {
        let mut container = Container::open(two_parts(), 10_000).unwrap();
        assert_eq!(container.part("a.xml").unwrap().unwrap(), b"alpha");
        assert_eq!(container.part("XL/B.xml").unwrap().unwrap(), "beta ".repeat(1000).into_bytes());
        assert_eq!(container.part("c.xml").unwrap(), None);
    }

    #[test]
    fn inflated_parts_count_together() {
        let mut container = Container::open(two_parts(), 5_004).unwrap();
        container.part("a.xml").unwrap();
        let error = container.part("xl/b.xml").unwrap_err();
        assert_eq!(error.code, ErrorCode::PackageLimit);
        assert!(error.message.contains("5004"));
        let bytes = two_parts();
        let error = Container::open(bytes.clone(), bytes.len() as u64 - 1).err().unwrap();
        assert_eq!(error.code, ErrorCode::PackageLimit);
    }

    #[test]
    fn damage_is_an_error() {
        for bytes in [vec![], b"PK".to_vec(), vec![0; 100], b"A,B\r\n1,2\r\n".repeat(10)] {
            assert!(Container::open(bytes, 1000).err().unwrap().message.contains("no workbook"));
        }
        let old = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].repeat(10);
        assert!(Container::open(old, 1000).err().unwrap().message.contains(".xls"));
        // Every byte in turn: an error or the same content, never a panic, never other content.
        let good = two_parts();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x41;
            if let Ok(mut container) = Container::open(bytes, 10_000) {
                if let Ok(Some(content)) = container.part("a.xml") {
                    assert_eq!(content, b"alpha", "byte {at}");
                }
                let _ = container.part("xl/b.xml");
            }
        }
    }
}
