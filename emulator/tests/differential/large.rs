//! Kinds of mutations whose packages are large, or pretend to be.

use crate::kinds::Outcome::Refused;
use crate::kinds::{Kind, edit, with};
use crate::package::ZipForm;

/// Most entries that either side looks at.
const ENTRIES: usize = 10_000;
/// Beyond what a row may have: with three bytes of UTF-8 for each of these bytes it comes to 16 MiB.
const ROW: usize = (16 << 20) / 3 + 1;

pub(crate) const KINDS: &[Kind] = &[
    ("more entries than anyone reads", Refused("PKG-LIMIT"), |r, s| {
        with(r, s, |r, p| {
            p.zip = ZipForm::Stored;
            let wanted = ENTRIES + 1 + r.below(3);
            let there = p.entities.len() + 2;
            p.extra.extend((there..wanted).map(|number| (format!("Resources/{number}"), vec![])));
        })
    }),
    ("a manifest that nests too deeply", Refused("PKG-LIMIT"), |r, s| {
        with(r, s, |r, p| {
            let depth = 65 + r.below(100);
            let nested = format!("{}{}", "<Deep>".repeat(depth), "</Deep>".repeat(depth));
            p.manifest_edits.push(("<Description />".into(), format!("<Description />{nested}")));
        })
    }),
    ("an open quote in a large file", Refused("PKG-ROW-SIZE"), |r, s| {
        edit(r, s, |r, e| {
            e.ansi();
            let at = 1 + r.below(e.rows.len());
            // One byte in the file, three in memory.
            e.form.insert.push((at, format!("\"{}\r\n", "\u{20ac}".repeat(ROW))));
        })
    }),
];
