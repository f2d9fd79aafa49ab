//! The records of the zip format, read from bytes; nothing here trusts a length.

/// Little-endian fields, one after the other; none at the end of the bytes.
#[derive(Clone)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn at(bytes: &'a [u8], offset: usize) -> Option<Self> {
        bytes.get(offset..).map(Self)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn signature(&mut self, expected: &[u8; 4]) -> Option<()> {
        (self.array::<4>()? == *expected).then_some(())
    }
}

/// End of central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    pub(super) directory_size: u64,
    pub(super) directory_offset: u64,
    /// Where the end records begin: the directory must lie before.
    pub(super) position: u64,
    pub(super) one_volume: bool,
    /// Where the ZIP64 record stands that replaces this one, where there is one.
    pub(super) record_64: Option<u64>,
}

/// Bytes of an end record without its comment.
const END_SIZE: usize = 22;
const LOCATOR_SIZE: usize = 20;
/// As many bytes at the end of an archive as an end record with its comment can have.
pub(super) const TAIL: u64 = (END_SIZE + u16::MAX as usize) as u64;
/// Bytes of a ZIP64 end record as far as they are needed.
pub(super) const RECORD_64: u64 = 56;

impl End {
    /// Looks for the record backwards from the end of `tail`, which begins at `base` and reaches to the end of the archive.
    /// Its comment must reach to the end of the file, padding aside: text that merely looks like the record, inside a comment
    /// or in data, does not pass.
    pub(super) fn find(tail: &[u8], base: u64) -> Option<Self> {
        let last = tail.len().checked_sub(END_SIZE)?;
        let first = last.saturating_sub(usize::from(u16::MAX));
        let find = |padded| (first..=last).rev().find_map(|at| Self::read(tail, at, base, padded));
        find(false).or_else(|| find(true))
    }

    fn read(bytes: &[u8], at: usize, base: u64, padded: bool) -> Option<Self> {
        let mut fields = Fields::at(bytes, at)?;
        fields.signature(b"PK\x05\x06")?;
        let disk = fields.u16()?;
        let directory_disk = fields.u16()?;
        let entries_here = fields.u16()?;
        let entries = fields.u16()?;
        let directory_size = fields.u32()?;
        let directory_offset = fields.u32()?;
        let comment = fields.u16()?;
        // Zeros may follow: what is written to a tape or a pipe is padded to whole blocks.
        let rest = bytes.get(at + END_SIZE + usize::from(comment)..)?;
        let padding = padded && rest.iter().all(|&byte| byte == 0);
        if !rest.is_empty() && !padding {
            return None;
        }
        let needs_64 = entries == u16::MAX
            || directory_size == u32::MAX
            || directory_offset == u32::MAX
            || disk == u16::MAX;
        Some(Self {
            entries: entries.into(),
            directory_size: directory_size.into(),
            directory_offset: directory_offset.into(),
            position: base + at as u64,
            one_volume: disk == 0 && directory_disk == 0 && entries_here == entries,
            record_64: if needs_64 { locate_64(bytes, at, base) } else { None },
        })
    }

    /// The end as the ZIP64 record at `at` tells it; none where it is no such record.
    pub(super) fn read_64(bytes: &[u8], at: u64) -> Option<Self> {
        let mut fields = Fields::at(bytes, 0)?;
        fields.signature(b"PK\x06\x06")?;
        // Size of the record, versions.
        fields.bytes(8 + 2 + 2)?;
        let disk = fields.u32()?;
        let directory_disk = fields.u32()?;
        let entries_here = fields.u64()?;
        let entries = fields.u64()?;
        Some(Self {
            entries,
            directory_size: fields.u64()?,
            directory_offset: fields.u64()?,
            position: at,
            one_volume: disk == 0 && directory_disk == 0 && entries_here == entries,
            record_64: None,
        })
    }
}

/// Where the locator before the end record says that the ZIP64 record is.
fn locate_64(bytes: &[u8], end_at: usize, base: u64) -> Option<u64> {
    let locator_at = end_at.checked_sub(LOCATOR_SIZE)?;
    let mut locator = Fields::at(bytes, locator_at)?;
    locator.signature(b"PK\x06\x07")?;
    let disk = locator.u32()?;
    let at = locator.u64()?;
    let disks = locator.u32()?;
    let fits = at.checked_add(RECORD_64).is_some_and(|end| end <= base + locator_at as u64);
    (disk == 0 && disks <= 1 && fits).then_some(at)
}

/// One line of the central directory, ZIP64 already applied.
#[derive(Debug)]
pub(super) struct Central<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) name: &'a [u8],
}

impl<'a> Central<'a> {
    /// Reads the next line.
    pub(super) fn read(fields: &mut Fields<'a>) -> Option<Self> {
        fields.signature(b"PK\x01\x02")?;
        // Versions.
        fields.bytes(4)?;
        let flags = fields.u16()?;
        let method = fields.u16()?;
        let time = fields.u16()?;
        let date = fields.u16()?;
        let crc = fields.u32()?;
        let compressed = fields.u32()?;
        let size = fields.u32()?;
        let name_length = fields.u16()?;
        let extra_length = fields.u16()?;
        let comment_length = fields.u16()?;
        // Volume, attributes.
        fields.bytes(2 + 2 + 4)?;
        let offset = fields.u32()?;
        let name = fields.bytes(name_length.into())?;
        let extra = fields.bytes(extra_length.into())?;
        fields.bytes(comment_length.into())?;
        // The extra field has only those values whose short form is all ones, in this order.
        let mut large = zip64_extra(extra);
        let mut widen = |short: u32| match (short, &mut large) {
            (u32::MAX, Some(fields)) => fields.u64(),
            _ => Some(u64::from(short)),
        };
        let size = widen(size)?;
        let compressed = widen(compressed)?;
        let offset = widen(offset)?;
        Some(Self { flags, method, crc, compressed, size, offset, time, date, name })
    }
}

/// The header before an entry's data.
#[derive(Debug)]
pub(super) struct Local<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    /// None: all ones, so the extra field has it, or the data descriptor.
    pub(super) compressed: Option<u32>,
    pub(super) size: Option<u32>,
    pub(super) name: &'a [u8],
    /// Length of the whole header, to where the data begins.
    pub(super) length: usize,
}

/// Bytes of a local header without name and extra field.
pub(super) const LOCAL_SIZE: u64 = 30;

impl<'a> Local<'a> {
    pub(super) fn read(bytes: &'a [u8], offset: usize) -> Option<Self> {
        let mut fields = Fields::at(bytes, offset)?;
        fields.signature(b"PK\x03\x04")?;
        fields.bytes(2)?;
        let flags = fields.u16()?;
        let method = fields.u16()?;
        fields.bytes(4)?;
        let crc = fields.u32()?;
        let compressed = fields.u32()?;
        let size = fields.u32()?;
        let name_length = usize::from(fields.u16()?);
        let extra_length = usize::from(fields.u16()?);
        let name = fields.bytes(name_length)?;
        fields.bytes(extra_length)?;
        let short = |value: u32| (value != u32::MAX).then_some(value);
        Some(Self {
            flags,
            method,
            crc,
            compressed: short(compressed),
            size: short(size),
            name,
            length: LOCAL_SIZE as usize + name_length + extra_length,
        })
    }
}

fn zip64_extra(extra: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Fields(extra);
    loop {
        let id = fields.u16()?;
        let length = fields.u16()?;
        let body = fields.bytes(length.into())?;
        if id == 1 {
            return Some(Fields(body));
        }
    }
}
