//! The entries of the zip: names, folders, and what can be unpacked.

use std::collections::{HashMap, HashSet};

use super::codes::Code;
use super::report::{Diagnostic, Report, shown};

/// An entry as the directory of the zip tells it.
#[derive(Debug, Clone)]
pub(super) struct EntryFacts {
    pub(super) name: String,
    pub(super) encrypted: bool,
    /// Stored or deflated.
    pub(super) readable: bool,
}

/// Folder of XSLT and attachments, the only one that may be.
const RESOURCES: &str = "Resources/";

/// What comes after the last separator.
pub(super) fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Whether the service would look for it in vain.
pub(super) fn in_folder(name: &str) -> bool {
    name.contains(['/', '\\']) && !name.starts_with(RESOURCES)
}

/// Which entry is meant by a name: the one of that name, else the only one that differs by case, blanks or folder.
pub(super) fn resolve<'a>(name: &str, entries: &'a [EntryFacts]) -> Option<&'a EntryFacts> {
    if let Some(exact) = entries.iter().find(|entry| entry.name == name) {
        return Some(exact);
    }
    let wanted = base_name(name).trim().to_ascii_lowercase();
    let mut near = entries.iter().filter(|entry| {
        !wanted.is_empty()
            && !entry.name.starts_with(RESOURCES)
            && base_name(&entry.name).trim().to_ascii_lowercase() == wanted
    });
    let first = near.next()?;
    near.next().is_none().then_some(first)
}

/// Where a repair puts an entry: at the root, if its name is free there. None: it stays where it is.
pub(super) fn moved_to_root<'a>(name: &'a str, entries: &[EntryFacts]) -> Option<&'a str> {
    let base = base_name(name);
    if !in_folder(name) || base.is_empty() || name.to_ascii_lowercase().starts_with("resources") {
        return None;
    }
    let same = |entry: &&EntryFacts| {
        !entry.name.starts_with(RESOURCES) && base_name(&entry.name).eq_ignore_ascii_case(base)
    };
    (entries.iter().filter(same).count() == 1).then_some(base)
}

/// Tells of every entry that can't be unpacked where it is looked for; `used` are those that somebody looks for.
pub(super) fn check(entries: &[EntryFacts], used: &HashSet<&str>, report: &mut Report) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for entry in entries {
        let name = entry.name.as_str();
        let mut add = |code, message: String| report.add(Diagnostic::new(code, message).file(name));
        if let Some(first) = seen.insert(name.to_ascii_lowercase(), name) {
            add(Code::ZipDuplicateName, format!("there are {} and {}", shown(first), shown(name)));
        }
        if is_unsafe(name) {
            add(Code::ZipUnsafeName, format!("Windows can't have a file {}", shown(name)));
        }
        if entry.encrypted {
            add(Code::ZipEncrypted, format!("{} is encrypted", shown(name)));
        } else if !entry.readable {
            add(Code::ZipMethod, format!("{} is compressed by an unusual method", shown(name)));
        }
        if base_name(name).is_empty() {
            if !name.starts_with(RESOURCES) {
                add(Code::ZipExtraFile, format!("{} is a folder", shown(name)));
            }
        } else if in_folder(name) {
            let repairable = moved_to_root(name, entries).is_some();
            let finding = Diagnostic::new(Code::ZipFolder, format!("{} lies in a folder", shown(name)));
            report.add(finding.repairable(repairable).file(name));
        } else if !used.contains(name) && !name.starts_with(RESOURCES) {
            add(Code::ZipExtraFile, format!("no entity uses {}", shown(name)));
        }
    }
}

fn is_unsafe(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|');
    name.is_empty()
        || name.starts_with(['/', '\\'])
        || name.contains(forbidden)
        || name.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Vec<EntryFacts> {
        names
            .iter()
            .map(|name| EntryFacts { name: (*name).to_owned(), encrypted: false, readable: true })
            .collect()
    }

    fn found(names: &[&str]) -> Vec<(&'static str, String, bool)> {
        let mut report = Report::default();
        check(&entries(names), &HashSet::from(["Manifest.xml", "a.csv"]), &mut report);
        let told = |it: Diagnostic| (it.code.as_str(), it.file.unwrap_or_default(), it.repairable);
        report.finish().into_iter().map(told).collect()
    }

    #[test]
    fn what_lies_at_the_root_is_good() {
        assert_eq!(found(&["a.csv", "Manifest.xml", "Resources/", "Resources/a.xslt"]), []);
        assert_eq!(found(&["Notes.txt"]), [("PKG-ZIP-EXTRA-FILE", "Notes.txt".to_owned(), false)]);
    }

    #[test]
    fn folders_are_repairable_where_the_name_is_free() {
        let folder = |name: &str, repairable| ("PKG-ZIP-FOLDER", name.to_owned(), repairable);
        let empty = ("PKG-ZIP-EXTRA-FILE", "x/".to_owned(), false);
        assert_eq!(found(&["x/", "x/a.csv"]), [empty, folder("x/a.csv", true)]);
        assert_eq!(found(&["a.csv", "x/A.csv"]), [folder("x/A.csv", false)]);
        assert_eq!(found(&["resources/a.xslt"]), [folder("resources/a.xslt", false)]);
        assert_eq!(found(&["x\\a.csv"]), [folder("x\\a.csv", true)]);
    }

    #[test]
    fn names_that_can_not_be_unpacked() {
        assert_eq!(found(&["a.csv", "A.CSV"])[0], ("PKG-ZIP-DUPLICATE-NAME", "A.CSV".to_owned(), false));
        for name in ["a?.csv", "../a.csv", "/a.csv", "a\u{1}.csv"] {
            assert_eq!(found(&[name])[0].0, "PKG-ZIP-UNSAFE-NAME", "{name}");
        }
        let locked = [EntryFacts { name: "a.csv".into(), encrypted: true, readable: true }];
        let mut report = Report::default();
        check(&locked, &HashSet::from(["a.csv"]), &mut report);
        assert_eq!(report.finish()[0].code, Code::ZipEncrypted);
    }

    #[test]
    fn a_name_means_its_entry_or_the_only_one_that_looks_like_it() {
        let meant = |name, names: &[&str]| resolve(name, &entries(names)).map(|entry| entry.name.clone());
        assert_eq!(meant("a.csv", &["A.csv", "a.csv"]).as_deref(), Some("a.csv"));
        assert_eq!(meant("a.csv", &["x/A.CSV"]).as_deref(), Some("x/A.CSV"));
        assert_eq!(meant("a.csv", &["x/a.csv", "y/a.csv"]), None);
        assert_eq!(meant("x/a.csv", &["a.csv"]).as_deref(), Some("a.csv"));
        assert_eq!(meant("", &["x/"]), None);
    }
}
