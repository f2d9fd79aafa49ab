//! Manifests with something changed somewhere, for property tests: mostly still XML, in any encoding.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;

use super::samples::{INDENTED, V1, utf16, v2};

/// One of the samples after up to six changes.
pub(super) fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let place = any::<Index>;
    let step = prop_oneof![
        3 => (place(), place()).prop_map(|(a, b)| Mutation::Swap(a, b)),
        2 => place().prop_map(Mutation::Remove),
        2 => (place(), place()).prop_map(|(a, b)| Mutation::Repeat(a, b)),
        3 => (place(), 0..SNIPPETS.len()).prop_map(|(a, i)| Mutation::Insert(a, SNIPPETS[i])),
        1 => (place(), 0..REPLACED.len()).prop_map(|(_, i)| Mutation::Replace(REPLACED[i].0, REPLACED[i].1)),
        1 => place().prop_map(Mutation::Cut),
    ];
    let base = prop_oneof![Just(V1.to_owned()), Just(v2()), Just(INDENTED.to_owned())];
    (base, prop::collection::vec(step, 0..6), 0..4usize).prop_map(|(mut text, steps, form)| {
        for step in steps {
            text = step.on(&text);
        }
        match form {
            0 => text.into_bytes(),
            1 => format!("\u{feff}{text}").into_bytes(),
            2 => utf16(&text),
            _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    })
}

const SNIPPETS: &[&str] = &[
    "<Disable>true</Disable>",
    "<EntityName i:nil='true'/>",
    "<EntityName xmlns='urn:x'>x</EntityName>",
    "<x:EntityMap xmlns:x='urn:x'><x:XMLField>A</x:XMLField></x:EntityMap>",
    "<!-- c -->",
    "<![CDATA[ <b> ]]>",
    "<?pi x?>",
    "&#x41;&lt;",
    "<ExecutionUnit>x</ExecutionUnit>",
    "<Unknown><Deep a=\"1\">\r\n</Deep></Unknown>",
    "text\u{feff}",
    "&bomb;",
    "]]>",
    "<!DOCTYPE a>",
    "\u{0}",
];

const REPLACED: &[(&str, &str)] = &[
    ("http://schemas.microsoft.com/dynamics/2015/01/DataManagement", "urn:other"),
    (" xmlns=\"http://schemas.microsoft.com/dynamics/2015/01/DataManagement\"", ""),
    ("<EntityMapList>", "<EntityMapList xmlns=''>"),
    ("<DataManagementPackageEntityData>", "<DataManagementPackageEntityData xmlns=\"urn:y\" a='b'>"),
    ("false", "no"),
    (" />", "/>"),
    ("i:nil=\"true\"", "i:nil = '1' "),
];

#[derive(Debug, Clone)]
enum Mutation {
    Swap(Index, Index),
    Remove(Index),
    Repeat(Index, Index),
    Insert(Index, &'static str),
    Replace(&'static str, &'static str),
    Cut(Index),
}

impl Mutation {
    /// Works on whole elements, so that the result is mostly well-formed.
    fn on(&self, text: &str) -> String {
        let elements = elements(text);
        if elements.is_empty() {
            return text.to_owned();
        }
        let pick = |index: &Index| elements[index.index(elements.len())].clone();
        match self {
            Self::Swap(a, b) => {
                let (a, b) = (pick(a), pick(b));
                let (a, b) = if a.start <= b.start { (a, b) } else { (b, a) };
                if a.end > b.start {
                    return text.to_owned();
                }
                let turned =
                    [part(text, b.clone()), part(text, a.end..b.start), part(text, a.clone())].concat();
                splice(text, a.start..b.end, &turned)
            }
            Self::Remove(a) => splice(text, pick(a), ""),
            Self::Repeat(a, b) => {
                let at = pick(b).start;
                splice(text, at..at, part(text, pick(a)))
            }
            Self::Insert(a, snippet) => {
                let at = pick(a).start;
                splice(text, at..at, snippet)
            }
            Self::Replace(from, to) => text.replacen(from, to, 1),
            Self::Cut(a) => {
                let at = pick(a).start;
                splice(text, at..at + 1, "")
            }
        }
    }
}

fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap()
}

fn splice(text: &str, range: Range<usize>, by: &str) -> String {
    [part(text, 0..range.start), by, part(text, range.end..text.len())].concat()
}

/// The elements, as far as tags can be paired by counting.
fn elements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    for (start, _) in text.match_indices('<') {
        let rest = part(text, start..text.len());
        let Some(end) = rest.find('>').map(|end| start + end + 1) else { continue };
        let tag = part(text, start..end);
        if tag.starts_with("</") {
            found.extend(open.pop().map(|start| start..end));
        } else if tag.ends_with("/>") {
            found.push(start..end);
        } else if !tag.starts_with("<!") && !tag.starts_with("<?") {
            open.push(start);
        }
    }
    found
}
