//! Kinds of mutations whose packages are large, or pretend to be.

use crate::kinds::Outcome::Refused;
use crate::kinds::{Kind, with};
use crate::package::ZipForm;

/// Most entries that either side looks at.
const ENTRIES: usize = 10_000;
/// Beyond what a row may have, which is 16 MiB: a cell has three bytes of UTF-8 and eight for its end.
const CELLS: usize = (16 << 20) / 11 + 1;

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
    ("a row of a million cells", Refused("PKG-ROW-SIZE"), |r, s| {
        with(r, s, |r, p| {
            p.zip = ZipForm::Stored;
            let e = &mut p.entities[0];
            e.ansi();
            let at = 1 + r.below(e.rows.len());
            // Two bytes in the file, eleven in memory.
            e.form.insert.push((at, "\u{20ac},".repeat(CELLS) + "\r\n"));
        })
    }),
];
