//! Packages at hand: in memory or in a file. Everything else reads by ranges, through the machines themselves.

use std::io::{Error, ErrorKind, Read as _, Result, Seek as _, SeekFrom};

/// Something of known size whose bytes can be had in any order.
pub trait ReadAt {
    /// Size in bytes.
    ///
    /// # Errors
    /// Those of the operating system.
    fn size(&self) -> Result<u64>;

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` where they reach beyond the end, and those of the operating system.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()>;
}

impl ReadAt for [u8] {
    fn size(&self) -> Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..from.checked_add(into.len())?))
            .ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> Result<u64> {
        self.as_slice().size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        self.as_slice().read_at(offset, into)
    }
}

impl ReadAt for std::fs::File {
    fn size(&self) -> Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(into)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size(&self) -> Result<u64> {
        (**self).size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, into)
    }
}
