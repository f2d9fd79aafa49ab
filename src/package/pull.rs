//! How a machine that needs bytes of a package talks with whoever has them.

use std::ops::Range;

use crate::error::{Error, Result};

/// The answer of a machine that reads from a package by ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "every driver must handle all three")]
pub enum Pull<T> {
    /// Bytes are wanted: ask for the range, give its bytes, and ask again.
    Want,
    /// Something is there; ask again for more.
    Have(T),
    /// Nothing more will come.
    End,
}

/// A piece of the package that a machine waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Option<Range<u64>>);

impl Wanted {
    pub(super) fn ask(&mut self, range: Range<u64>) {
        self.0 = Some(range);
    }

    pub(super) fn range(&self) -> Option<Range<u64>> {
        self.0.clone()
    }

    /// Takes the bytes of the range that was asked for.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Range<u64>> {
        let range = self.0.take().ok_or_else(|| Error::argument("no bytes of the package are wanted now"))?;
        let wanted = range.end - range.start;
        if bytes.len() as u64 != wanted {
            return Err(super::zip::corrupt(format!(
                "{wanted} bytes were wanted at {} of the package, {} came",
                range.start,
                bytes.len()
            ))
            .hint("The package changed or was cut while it was read: fetch it again."));
        }
        Ok(range)
    }
}
