//! What a package may cost whoever opens it.

use serde::Serialize;
use serde_json::Value;

use crate::fields::{Fields, FromValue, deserialize};

/// Limits for opening a package; exceeding one is `PACKAGE_LIMIT` with both numbers. All in bytes unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Limits {
    /// Number of entries in the zip; default 10,000.
    pub entries: u64,
    /// Inflated size of one entry; default 64 GiB.
    pub entry_bytes: u64,
    /// Inflated size of all entries together; default 256 GiB.
    pub total_bytes: u64,
    /// How many times its compressed size an entry may have; default 1,032, which is all that deflate can do.
    pub ratio: u64,
    /// Depth of nested XML elements; default 64, in header and manifest at most 256.
    pub xml_depth: u32,
    /// What is held in memory of something that is needed as a whole: each of the two XML files, and in future versions a
    /// source that can only be read forwards; default 64 MiB.
    pub spool: u64,
    /// Size of a workbook, and of all that is read of it when inflated; default 64 MiB.
    pub workbook: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 10_000,
            entry_bytes: 64 * GIB,
            total_bytes: 256 * GIB,
            ratio: 1_032,
            xml_depth: 64,
            spool: 64 * MIB,
            workbook: 64 * MIB,
        }
    }
}

deserialize!(Limits);

impl FromValue for Limits {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let default = Self::default();
        let limits = Self {
            entries: of.not_null("entries").number("entries").unwrap_or(default.entries),
            entry_bytes: of.not_null("entryBytes").number("entryBytes").unwrap_or(default.entry_bytes),
            total_bytes: of.not_null("totalBytes").number("totalBytes").unwrap_or(default.total_bytes),
            ratio: of.not_null("ratio").number("ratio").unwrap_or(default.ratio),
            xml_depth: of.not_null("xmlDepth").small("xmlDepth").unwrap_or(default.xml_depth),
            spool: of.not_null("spool").number("spool").unwrap_or(default.spool),
            workbook: of.not_null("workbook").number("workbook").unwrap_or(default.workbook),
        };
        of.finish(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_keeps_its_default() {
        let limits: Limits = serde_json::from_str(r#"{"xmlDepth":5,"entryBytes":9007199254740991}"#).unwrap();
        assert_eq!((limits.xml_depth, limits.entry_bytes), (5, 9_007_199_254_740_991));
        assert_eq!(limits.total_bytes, 274_877_906_944);
        serde_json::from_str::<Limits>(r#"{"xml_depth":5}"#).unwrap_err();
    }
}
