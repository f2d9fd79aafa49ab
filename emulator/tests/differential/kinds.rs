//! The named kinds of mutations.

use crate::package::{
    Column, Encoding, Entity, Package, Schema, Style, XmlForm, ZipForm, element, key_value,
};
use crate::random::Random;
use crate::{composites, large, workbooks};

/// What the service does with a package of a kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Outcome {
    /// Every row arrives.
    Taken,
    /// Refused as a whole or in part, or read short; the doctor names this code.
    Refused(&'static str),
}

use Outcome::{Refused, Taken};

pub(crate) type Make = fn(&mut Random, &Schema) -> Package;

/// Name, outcome, how to make one.
pub(crate) type Kind = (&'static str, Outcome, Make);

/// All of them; a kind keeps its place, from which the numbers of its packages come.
pub(crate) fn all() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(composites::KINDS).chain(workbooks::KINDS).chain(large::KINDS)
}

const KINDS: &[Kind] = &[
    // ── taken ──
    ("plain", Taken, good),
    ("columns in another order", Taken, |r, s| {
        edit(r, s, |_, e| {
            e.columns.reverse();
            e.rows.iter_mut().for_each(|row| row.reverse());
        })
    }),
    ("maps in another order", Taken, |r, s| edit(r, s, |_, e| e.maps.sort())),
    ("every cell quoted", Taken, |r, s| edit(r, s, |_, e| e.form.quote_all = true)),
    ("empty optional values", Taken, |r, s| {
        edit(r, s, |_, e| {
            for i in 0..e.columns.len() {
                if !is_key(e, i) {
                    e.rows.iter_mut().for_each(|row| row[i].clear());
                }
            }
        })
    }),
    ("a further file", Taken, |r, s| {
        with(r, s, |_, p| p.extra.push(("Notes.txt".into(), b"hello".to_vec())))
    }),
    ("files in Resources", Taken, |r, s| {
        with(r, s, |_, p| {
            p.extra.push(("Resources/a.xslt".into(), b"<a/>".to_vec()));
            p.extra.push(("Resources/deeper/b.bin".into(), vec![0, 1, 2]));
        })
    }),
    ("other levels", Taken, |r, s| {
        with(r, s, |r, p| {
            for e in &mut p.entities {
                e.set("ExecutionUnit", &(1 + r.below(3)).to_string());
                e.set("LevelInExecutionUnit", &(1 + r.below(5)).to_string());
                e.set("SequenceInLevel", &r.below(9).to_string());
            }
        })
    }),
    ("UTF-8 with declaration", Taken, |r, s| with(r, s, |_, p| p.xml = XmlForm::Utf8)),
    ("UTF-8 with mark", Taken, |r, s| with(r, s, |_, p| p.xml = XmlForm::Utf8Marked)),
    ("UTF-8 indented", Taken, |r, s| with(r, s, |_, p| p.xml = XmlForm::Utf8Indented)),
    ("UTF-16 with declaration", Taken, |r, s| with(r, s, |_, p| p.xml = XmlForm::Utf16Declared)),
    ("manifest of version 1", Taken, |r, s| {
        with(r, s, |_, p| {
            p.header[3].1 = "1".into();
            p.entities.iter_mut().for_each(|e| {
                e.members.retain(|(name, _)| name != "DefaultRefreshType" && name != "Disable")
            });
        })
    }),
    ("manifest of version 2", Taken, |r, s| {
        with(r, s, |_, p| {
            p.manifest.push(("ProjectCategory".into(), "1".into()));
            for e in &mut p.entities {
                let aot = e.aot.clone();
                e.members.push(("TargetEntity".into(), aot));
                e.members.push(("ValidationStatus".into(), "Yes".into()));
            }
        })
    }),
    ("header of version 7", Taken, |r, s| with(r, s, |_, p| p.header[3].1 = "7".into())),
    ("stored entries", Taken, |r, s| with(r, s, |_, p| p.zip = ZipForm::Stored)),
    ("ZIP64 entries", Taken, |r, s| with(r, s, |_, p| p.zip = ZipForm::Zip64)),
    ("data descriptors", Taken, |r, s| with(r, s, |_, p| p.zip = ZipForm::Streamed)),
    ("CSV in Windows-1252", Taken, |r, s| edit(r, s, |_, e| e.ansi())),
    ("CSV that looks like UTF-8", Taken, |r, s| text_value(r, s, "Ã¤", |e| e.ansi())),
    ("no line end at the end", Taken, |r, s| edit(r, s, |_, e| e.form.final_line_end = false)),
    ("blank lines at the end", Taken, |r, s| edit(r, s, |_, e| e.form.insert.push((99, "\r\n\r\n".into())))),
    ("a lone carriage return", Taken, |r, s| {
        edit(r, s, |_, e| {
            // In a value without quotes.
            let width = e.columns.len();
            let row: Vec<String> = (0..width)
                .map(|i| if is_key(e, i) { key_value(&e.columns[i], 50) } else { String::new() })
                .collect();
            if let Some(i) = e.columns.iter().position(|c| c.edm == "Edm.String" && c.max_length.is_none()) {
                let mut row = row;
                row[i] = format!("x\ry{}", row[i]);
                e.form.insert.push((1, row.join(",") + "\r\n"));
            }
        })
    }),
    ("a disabled entity", Taken, |r, s| with(r, s, |_, p| p.entities[0].set("Disable", "true"))),
    ("other names of files", Taken, |r, s| {
        with(r, s, |_, p| {
            for (i, e) in p.entities.iter_mut().enumerate() {
                e.file = format!("Währung {i} (neu).CSV");
                let file = e.file.clone();
                e.set("InputFilePath", &file);
            }
        })
    }),
    ("unknown elements in the manifest", Taken, |r, s| {
        with(r, s, |_, p| {
            p.entities[0].members.insert(3, ("EntityMood".into(), "good".into()));
        })
    }),
    ("enums by number and in other case", Taken, |r, s| {
        with_column(
            r,
            s,
            |c| !c.members.is_empty() && c.edm != "Edm.String",
            |r, e, i| {
                if !is_key(e, i) {
                    let members = e.columns[i].members.clone();
                    for row in &mut e.rows {
                        let at = r.below(members.len());
                        row[i] = if r.chance(50) { at.to_string() } else { members[at].to_uppercase() };
                    }
                }
            },
        )
    }),
    ("no project in the manifest", Taken, |r, s| {
        with(r, s, |_, p| p.manifest.retain(|(name, _)| name != "DefinitionGroupName"))
    }),
    ("contract, agreement and lines", Taken, |_, s| chain(s, [1, 2, 3])),
    ("five hundred rows", Taken, |r, s| {
        edit(r, s, |_, e| {
            let numbers =
                e.keys.len() == 1 && e.columns.iter().any(|c| c.name == e.keys[0] && c.edm == "Edm.String");
            if numbers {
                let row = e.rows[0].clone();
                e.rows = (0..500).map(|n| key_changed(e, &row, &format!("R{n}"))).collect();
            }
        })
    }),
    ("XML-Element", Taken, |r, s| xml(r, s, |_, _| {})),
    ("XML-Attribute", Taken, |r, s| edit(r, s, |_, e| e.xml(Style::Attribute))),
    ("XML in other encodings", Taken, |r, s| {
        xml(r, s, |r, e| {
            e.form.encoding = *r.pick(&[Encoding::Utf8Marked, Encoding::Utf16, Encoding::Utf16Big])
        })
    }),
    ("an XML record without a field that others have", Taken, |r, s| {
        with_column(
            r,
            s,
            |_| true,
            |_, e, column| {
                let again = e.rows[0].clone();
                e.rows.push(key_changed_by_type(e, &again, e.rows.len()));
                let name = e.columns[column].name.clone();
                e.form.lacking.push((0, name));
                e.xml(Style::Element);
            },
        )
    }),
    // ── the zip ──
    ("a data file in a folder", Refused("PKG-ZIP-FOLDER"), |r, s| {
        with(r, s, |_, p| p.entities[0].file.insert_str(0, "data/"))
    }),
    ("a data file in a folder that is named", Refused("PKG-ZIP-FOLDER"), |r, s| {
        with(r, s, |_, p| {
            let e = &mut p.entities[0];
            e.file.insert_str(0, "data/");
            let file = e.file.clone();
            e.set("InputFilePath", &file);
        })
    }),
    ("everything in a folder", Refused("PKG-ZIP-FOLDER"), |r, s| {
        with(r, s, |_, p| {
            p.entities.iter_mut().for_each(|e| e.file.insert_str(0, "package/"));
            p.header_name = Some("package/PackageHeader.xml".into());
            p.manifest_name = Some("package/Manifest.xml".into());
        })
    }),
    ("a further file in a folder", Refused("PKG-ZIP-FOLDER"), |r, s| {
        with(r, s, |_, p| p.extra.push(("docs/Notes.txt".into(), vec![])))
    }),
    ("names that differ by case", Refused("PKG-ZIP-DUPLICATE-NAME"), |r, s| {
        with(r, s, |_, p| {
            let name = p.entities[0].file.to_uppercase();
            p.extra.push((name, vec![]));
        })
    }),
    ("a name that Windows can't have", Refused("PKG-ZIP-UNSAFE-NAME"), |r, s| {
        with(r, s, |r, p| {
            let name = *r.pick(&["a?.txt", "b:c.txt", "d*.txt", "e|.txt", "f\u{1}.txt"]);
            p.extra.push((name.into(), vec![]));
        })
    }),
    ("an encrypted entry", Refused("PKG-ZIP-ENCRYPTED"), |r, s| {
        with(r, s, |_, p| p.damage = Some(|_, bytes| flag(bytes, 6, 8, 1)))
    }),
    ("an unknown method", Refused("PKG-ZIP-METHOD"), |r, s| {
        with(r, s, |_, p| {
            p.damage = Some(|_, bytes| {
                let central = central(bytes);
                (bytes[8], bytes[central + 10]) = (12, 12);
            })
        })
    }),
    ("a zip that is cut off", Refused("PKG-CORRUPT"), |r, s| {
        with(r, s, |_, p| {
            p.damage = Some(|r, bytes| {
                let length = bytes.len() - 1 - r.below(bytes.len() - 40);
                bytes.truncate(length);
            })
        })
    }),
    ("a changed byte of content", Refused("PKG-CORRUPT"), |r, s| {
        with(r, s, |_, p| {
            p.zip = ZipForm::Stored;
            p.damage = Some(|r, bytes| {
                let name = usize::from(bytes[26]) + 256 * usize::from(bytes[27]);
                bytes[30 + name + 4 + r.below(8)] ^= 0x11;
            });
        })
    }),
    ("no zip", Refused("PKG-NOT-A-PACKAGE"), |r, s| {
        with(r, s, |_, p| p.damage = Some(|_, bytes| *bytes = b"CURRENCYCODE,NAME\r\nEUR,Euro\r\n".to_vec()))
    }),
    // ── PackageHeader.xml ──
    ("no header", Refused("PKG-HEADER-MISSING"), |r, s| with(r, s, |_, p| p.header_name = None)),
    ("header in other spelling", Refused("PKG-HEADER-NAME"), |r, s| {
        with(r, s, |r, p| {
            p.header_name =
                Some(r.pick(&["packageheader.xml", "PackageHeader.XML", "Packageheader.xml"]).to_string())
        })
    }),
    ("header not well-formed", Refused("PKG-HEADER-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.header_edits.push(("</PackageType>".into(), String::new())))
    }),
    ("header with document type", Refused("PKG-HEADER-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.header_edits.push(("<Data".into(), "<!DOCTYPE a><Data".into())))
    }),
    ("header of another root", Refused("PKG-HEADER-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.header_root = "PackageHeader".into())
    }),
    ("header in another namespace", Refused("PKG-HEADER-NAMESPACE"), |r, s| {
        with(r, s, |_, p| {
            p.header_namespace = "http://schemas.microsoft.com/dynamics/2016/01/DataManagement".into()
        })
    }),
    ("header out of order", Refused("PKG-HEADER-ELEMENT"), |r, s| {
        with(r, s, |r, p| {
            let at = r.below(3);
            p.header.swap(at, at + 1);
        })
    }),
    ("header element missing", Refused("PKG-HEADER-ELEMENT"), |r, s| {
        with(r, s, |r, p| drop(p.header.remove(1 + r.below(2))))
    }),
    ("header element twice", Refused("PKG-HEADER-ELEMENT"), |r, s| {
        with(r, s, |r, p| {
            let at = r.below(4);
            let again = p.header[at].clone();
            p.header.insert(at + 1, again);
        })
    }),
    ("header element of another namespace", Refused("PKG-HEADER-ELEMENT"), |r, s| {
        with(r, s, |_, p| {
            p.header_edits.push(("<PackageType>".into(), "<PackageType xmlns=\"urn:x\">".into()))
        })
    }),
    ("another package type", Refused("PKG-HEADER-TYPE"), |r, s| {
        with(r, s, |r, p| p.header[2].1 = r.pick(&["Definition", "definitiongroup", "Group"]).to_string())
    }),
    ("another manifest type", Refused("PKG-HEADER-TYPE"), |r, s| {
        with(r, s, |_, p| p.header[1].1 = "DataManagementPackageManifest".into())
    }),
    ("header version that is no number", Refused("PKG-HEADER-VERSION"), |r, s| {
        with(r, s, |_, p| p.header[3].1 = "two".into())
    }),
    ("header of a template", Refused("PKG-TEMPLATE"), |r, s| {
        with(r, s, |_, p| p.header[1].1 = p.header[1].1.replace("PackageManifest", "TemplatePackageManifest"))
    }),
    // ── Manifest.xml ──
    ("no manifest", Refused("PKG-MANIFEST-MISSING"), |r, s| with(r, s, |_, p| p.manifest_name = None)),
    ("manifest in other spelling", Refused("PKG-MANIFEST-NAME"), |r, s| {
        with(r, s, |r, p| {
            p.manifest_name = Some(r.pick(&["manifest.xml", "Manifest.XML", "MANIFEST.xml"]).to_string())
        })
    }),
    ("manifest not well-formed", Refused("PKG-MANIFEST-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.manifest_edits.push(("</EntityName>".into(), String::new())))
    }),
    ("manifest with document type", Refused("PKG-MANIFEST-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.manifest_edits.push(("<Data".into(), "<!DOCTYPE a><Data".into())))
    }),
    ("manifest of another root", Refused("PKG-MANIFEST-UNREADABLE"), |r, s| {
        with(r, s, |_, p| p.manifest_root = "Manifest".into())
    }),
    ("manifest of a template", Refused("PKG-TEMPLATE"), |r, s| {
        with(r, s, |_, p| p.manifest_root = "DataManagementTemplatePackageManifest".into())
    }),
    ("manifest in another namespace", Refused("PKG-MANIFEST-NAMESPACE"), |r, s| {
        with(r, s, |_, p| p.manifest_namespace = "urn:x".into())
    }),
    ("elements of an entity out of order", Refused("PKG-MANIFEST-ORDER"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.members.len() - 1);
            e.members.swap(at, at + 1);
        })
    }),
    ("elements of the manifest out of order", Refused("PKG-MANIFEST-ORDER"), |r, s| {
        with(r, s, |_, p| p.manifest.swap(0, 1))
    }),
    ("elements of a map out of order", Refused("PKG-MANIFEST-ORDER"), |r, s| {
        with(r, s, |_, p| {
            let name = &p.entities[0].maps[0].1;
            let field = element("EntityField", name);
            p.manifest_edits.push((
                format!("<ArrayIndex>0</ArrayIndex>{field}"),
                format!("{field}<ArrayIndex>0</ArrayIndex>"),
            ));
        })
    }),
    ("an element twice", Refused("PKG-MANIFEST-TWICE"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.members.len());
            if e.members[at].0 != "EntityMapList" {
                let again = e.members[at].clone();
                e.members.insert(at + 1, again);
            } else {
                e.members.insert(1, e.members[0].clone());
            }
        })
    }),
    ("an element of another namespace", Refused("PKG-MANIFEST-FOREIGN"), |r, s| {
        with(r, s, |r, p| {
            let name = *r.pick(&[
                "EntityName",
                "InputFilePath",
                "SourceFormat",
                "ExecutionUnit",
                "XMLField",
                "PackageEntityList",
            ]);
            p.manifest_edits.push((format!("<{name}>"), format!("<{name} xmlns=\"urn:x\">")));
        })
    }),
    ("a flag that is none", Refused("PKG-MANIFEST-VALUE"), |r, s| {
        edit(r, s, |r, e| {
            let name = *r.pick(&["Disable", "RunBusinessLogic", "RunBusinessValidation"]);
            e.set(name, r.word(&["True", "yes", "-1", "ja"]));
        })
    }),
    ("a number that is none", Refused("PKG-MANIFEST-VALUE"), |r, s| {
        edit(r, s, |r, e| {
            let name = *r.pick(&["ExecutionUnit", "LevelInExecutionUnit", "SequenceInLevel"]);
            e.set(name, r.word(&["one", "1.5", "99999999999", "1 2"]));
        })
    }),
    ("no entities", Refused("PKG-NO-ENTITIES"), |r, s| with(r, s, |_, p| p.entities.clear())),
    ("an apostrophe in the project's name", Refused("PKG-PROJECT-APOSTROPHE"), |r, s| {
        with(r, s, |_, p| {
            p.project = "Bob's".into();
            p.manifest[0].1 = "Bob's".into();
        })
    }),
    ("an entity without name", Refused("PKG-LABEL-MISSING"), |r, s| {
        edit(r, s, |_, e| e.members.retain(|(name, _)| name != "EntityName"))
    }),
    ("an entity twice", Refused("PKG-LABEL-TWICE"), |r, s| {
        with(r, s, |_, p| {
            let mut again = p.entities[0].clone();
            again.file = "Again.csv".into();
            again.set("InputFilePath", "Again.csv");
            p.entities.push(again);
        })
    }),
    ("an OData name as label", Refused("PKG-LABEL-ODATA"), |r, s| {
        edit_if(
            r,
            s,
            |e| !e.collection.is_empty() && e.collection != e.label,
            |_, e| {
                let name = e.collection.clone();
                e.set("EntityName", &name);
            },
        )
    }),
    ("an AOT name as label", Refused("PKG-LABEL-AOT"), |r, s| {
        edit(r, s, |_, e| {
            let name = e.aot.clone();
            e.set("EntityName", &name);
        })
    }),
    ("an unknown label", Refused("PKG-LABEL-UNKNOWN"), |r, s| {
        edit(r, s, |r, e| {
            let label = e.label.clone();
            let name = match r.below(4) {
                0 => label.to_uppercase(),
                1 => label[..label.len() - 1].to_owned(),
                2 => format!("{label} "),
                _ => "Things of nobody".to_owned(),
            };
            e.set("EntityName", &name);
        })
    }),
    ("an entity without format", Refused("PKG-FORMAT-MISSING"), |r, s| {
        edit(r, s, |_, e| e.set("SourceFormat", ""))
    }),
    ("an unknown format", Refused("PKG-FORMAT-UNKNOWN"), |r, s| {
        edit(r, s, |r, e| e.set("SourceFormat", r.word(&["csv-unicode", "CSV-UTF8", "Package", "CSV "])))
    }),
    ("an entity without file", Refused("PKG-FILE-UNNAMED"), |r, s| {
        edit(r, s, |_, e| e.set("InputFilePath", ""))
    }),
    ("a data file is missing", Refused("PKG-FILE-MISSING"), |r, s| {
        edit(r, s, |_, e| e.set("InputFilePath", "Elsewhere.csv"))
    }),
    ("a data file in other spelling", Refused("PKG-FILE-MISSING"), |r, s| {
        edit(r, s, |r, e| {
            let file = match r.below(3) {
                0 => e.file.to_uppercase(),
                1 => format!("data/{}", e.file),
                _ => format!("{} ", e.file),
            };
            e.set("InputFilePath", &file);
        })
    }),
    // ── maps and columns ──
    ("no maps", Refused("PKG-MAP-MISSING"), |r, s| {
        edit(r, s, |_, e| e.maps_text = Some("<EntityMapList></EntityMapList>".into()))
    }),
    ("nil maps", Refused("PKG-MAP-MISSING"), |r, s| {
        edit(r, s, |_, e| e.maps_text = Some("<EntityMapList i:nil=\"true\" />".into()))
    }),
    ("no list of maps", Refused("PKG-MAP-MISSING"), |r, s| {
        edit(r, s, |_, e| e.maps_text = Some(String::new()))
    }),
    ("a map without field", Refused("PKG-MAP-INCOMPLETE"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.maps.len());
            e.maps[at].1.clear();
        })
    }),
    ("a map without column", Refused("PKG-MAP-INCOMPLETE"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.maps.len());
            e.maps[at].0.clear();
        })
    }),
    ("a column mapped twice", Refused("PKG-MAP-COLUMN-TWICE"), |r, s| {
        edit(r, s, |r, e| {
            let again = r.pick(&e.maps).clone();
            e.maps.push(again);
        })
    }),
    ("a field mapped twice", Refused("PKG-MAP-FIELD-TWICE"), |r, s| {
        with_columns(r, s, 2, |_, e| {
            let field = e.maps[0].1.clone();
            e.maps[1].1 = field;
        })
    }),
    ("a column without name", Refused("PKG-COLUMN-UNNAMED"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.columns.len());
            e.columns[at].name.clear();
        })
    }),
    ("a column twice", Refused("PKG-COLUMN-TWICE"), |r, s| {
        edit(r, s, |_, e| {
            let again = e.columns[0].clone();
            e.columns.push(again);
            e.rows.iter_mut().for_each(|row| row.push(row[0].clone()));
        })
    }),
    ("a mapped column is missing", Refused("PKG-COLUMN-MISSING"), |r, s| {
        with_columns(r, s, 2, |_, e| {
            if let Some(at) = (0..e.columns.len()).find(|at| !is_key(e, *at)) {
                e.columns.remove(at);
                e.rows.iter_mut().for_each(|row| drop(row.remove(at)));
            } else {
                e.maps.push(("ELSEWHERE".into(), "ELSEWHERE".into()));
            }
        })
    }),
    ("a column without map", Refused("PKG-COLUMN-UNMAPPED"), |r, s| {
        edit(r, s, |r, e| drop(e.maps.remove(r.below(e.maps.len().max(1)))))
    }),
    ("a column in other case", Refused("PKG-COLUMN-CASE"), |r, s| {
        edit(r, s, |r, e| {
            let at = r.below(e.columns.len());
            let name = e.columns[at].name.to_lowercase();
            if r.chance(50) {
                e.columns[at].name = name;
            } else {
                e.maps[at].0 = name;
            }
        })
    }),
    ("an unknown field", Refused("PKG-FIELD-UNKNOWN"), |r, s| {
        edit(r, s, |_, e| {
            e.columns.push(Column {
                name: "HAPPINESS".into(),
                edm: "Edm.String".into(),
                members: vec![],
                max_length: None,
            });
            e.maps.push(("HAPPINESS".into(), "HAPPINESS".into()));
            e.rows.iter_mut().for_each(|row| row.push("1".into()));
        })
    }),
    ("a column of the company", Refused("PKG-COMPANY-COLUMN"), |r, s| {
        edit_if(
            r,
            s,
            |e| e.of_company,
            |_, e| {
                e.columns.push(Column {
                    name: "DATAAREAID".into(),
                    edm: "Edm.String".into(),
                    members: vec![],
                    max_length: None,
                });
                e.maps.push(("DATAAREAID".into(), "DATAAREAID".into()));
                e.rows.iter_mut().for_each(|row| row.push("usmf".into()));
            },
        )
    }),
    ("a key column is missing", Refused("PKG-KEY-MISSING"), |r, s| {
        with_columns(r, s, 2, |_, e| {
            let at = (0..e.columns.len()).find(|at| is_key(e, *at)).unwrap();
            e.maps.retain(|(name, _)| *name != e.columns[at].name);
            e.columns.remove(at);
            e.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        })
    }),
    // ── values ──
    ("a row without key", Refused("PKG-KEY-EMPTY"), |r, s| {
        edit_if(
            r,
            s,
            |e| e.columns.iter().filter(|c| e.keys.contains(&c.name)).all(|c| c.edm == "Edm.String"),
            |r, e| {
                let row = r.below(e.rows.len());
                for at in 0..e.columns.len() {
                    if is_key(e, at) {
                        e.rows[row][at].clear();
                    }
                }
            },
        )
    }),
    ("a row twice", Refused("PKG-KEY-DUPLICATE"), |r, s| {
        edit(r, s, |r, e| {
            let again = r.pick(&e.rows).clone();
            e.rows.push(again);
        })
    }),
    ("a key in other case", Refused("PKG-KEY-DUPLICATE"), |r, s| {
        edit_if(
            r,
            s,
            |e| string_key(e).is_some(),
            |r, e| {
                let again = r.pick(&e.rows).clone();
                let at = string_key(e).unwrap();
                let key = if r.chance(50) { again[at].to_lowercase() } else { format!("{} ", again[at]) };
                let mut again = again;
                again[at] = key;
                e.rows.push(again);
            },
        )
    }),
    ("a key in other digits", Refused("PKG-KEY-DUPLICATE"), |r, s| {
        let mut package = chain(s, [1, 2, 3]);
        let lines = &mut package.entities[2];
        let mut again = lines.rows[0].clone();
        again[1] = r.word(&["1.00", "01", "+1", "1e0", "10e-1"]).to_owned();
        lines.rows.push(again);
        package
    }),
    ("text in a number", Refused("PKG-VALUE-TYPE"), |r, s| {
        bad_value(
            r,
            s,
            &["Edm.Int32", "Edm.Int64", "Edm.Decimal"],
            &["one", "1,5", "1.2.3", "--1", "0x10", "1 000", "NaN"],
        )
    }),
    ("a fraction in an integer", Refused("PKG-VALUE-TYPE"), |r, s| {
        bad_value(r, s, &["Edm.Int32", "Edm.Int64"], &["1.5", "1e3", "99999999999999999999"])
    }),
    ("no date", Refused("PKG-VALUE-TYPE"), |r, s| {
        bad_value(
            r,
            s,
            &["Edm.DateTimeOffset"],
            &[
                "31.01.2026",
                "1/31/2026",
                "2026-02-30",
                "2026-13-01",
                "today",
                "2026-01-31T25:00:00",
                "20260131",
            ],
        )
    }),
    ("neither yes nor no", Refused("PKG-VALUE-TYPE"), |r, s| {
        bad_value(r, s, &["NoYes"], &["true", "maybe", "2", "Y", "Yes "])
    }),
    ("no member of the enum", Refused("PKG-VALUE-ENUM"), |r, s| {
        with_column(
            r,
            s,
            |c| c.members.len() > 2,
            |r, e, i| {
                let row = r.below(e.rows.len());
                e.rows[row][i] = r.pick(&["Unheard", "99999", "-1", " "]).to_string();
            },
        )
    }),
    ("text that is too long", Refused("PKG-VALUE-LENGTH"), |r, s| {
        with_column(
            r,
            s,
            |c| c.max_length.is_some(),
            |r, e, i| {
                let row = r.below(e.rows.len());
                e.rows[row][i] = "ü".repeat(e.columns[i].max_length.unwrap() + 1);
            },
        )
    }),
    // ── text of data files ──
    ("UTF-8 under CSV-Unicode", Refused("PKG-UTF8-IN-UNICODE"), |r, s| {
        edit(r, s, |r, e| e.form.encoding = *r.pick(&[Encoding::Utf8, Encoding::Utf8Marked]))
    }),
    ("Windows-1252 under CSV-Unicode", Refused("PKG-ANSI-IN-UNICODE"), |r, s| {
        text_value(r, s, "Zoë", |e| e.form.encoding = Encoding::Ansi)
    }),
    ("UTF-16 without mark", Refused("PKG-UNICODE-NO-BOM"), |r, s| {
        edit(r, s, |_, e| e.form.encoding = Encoding::Utf16Unmarked)
    }),
    ("UTF-16BE", Refused("PKG-UTF16BE-IN-UNICODE"), |r, s| {
        edit(r, s, |_, e| e.form.encoding = Encoding::Utf16Big)
    }),
    ("CSV with UTF-8 mark", Refused("PKG-CSV-UTF8-BOM"), |r, s| {
        edit(r, s, |_, e| {
            e.ansi();
            e.form.encoding = Encoding::Utf8Marked;
        })
    }),
    ("CSV in UTF-16", Refused("PKG-CSV-UTF16"), |r, s| {
        edit(r, s, |r, e| {
            e.ansi();
            e.form.encoding = *r.pick(&[Encoding::Utf16, Encoding::Utf16Big]);
        })
    }),
    ("line feeds alone", Refused("PKG-CSV-LINE-FEED"), |r, s| {
        edit(r, s, |r, e| {
            e.form.line_end = "\n".into();
            e.form.final_line_end = r.chance(80);
        })
    }),
    ("one line feed alone", Refused("PKG-CSV-LINE-FEED"), |r, s| {
        edit(r, s, |r, e| {
            let row = plain_row(e);
            let at = 1 + r.below(e.rows.len());
            e.form.insert.push((at, row + "\n"));
        })
    }),
    ("an empty file", Refused("PKG-CSV-NO-HEADER"), |r, s| {
        edit(r, s, |_, e| e.form.whole = Some(String::new()))
    }),
    ("a blank line before the header", Refused("PKG-CSV-BLANK-LINE"), |r, s| {
        edit(r, s, |_, e| e.form.insert.push((0, "\r\n".into())))
    }),
    ("a blank line between rows", Refused("PKG-CSV-BLANK-LINE"), |r, s| {
        edit(r, s, |r, e| {
            let at = 1 + r.below(e.rows.len());
            e.form.insert.push((at, "\r\n".into()));
        })
    }),
    ("a short row", Refused("PKG-CSV-RAGGED"), |r, s| {
        with_columns(r, s, 2, |_, e| {
            let key = (0..e.columns.len())
                .find(|at| is_key(e, *at))
                .map(|at| key_value(&e.columns[at], 70))
                .unwrap();
            e.form.insert.push((1, key + "\r\n"));
        })
    }),
    ("a long row", Refused("PKG-CSV-RAGGED"), |r, s| {
        edit(r, s, |_, e| {
            let row = plain_row(e);
            e.form.insert.push((1, row + ",x\r\n"));
        })
    }),
    ("text after a quote", Refused("PKG-CSV-QUOTING"), |r, s| {
        edit(r, s, |_, e| {
            let row = plain_row(e);
            e.form.insert.push((1, format!("\"x\"y{row}\r\n")));
        })
    }),
    ("an open quote", Refused("PKG-CSV-QUOTING"), |r, s| {
        edit(r, s, |_, e| e.form.insert.push((99, "\"open\r\n".into())))
    }),
    ("a NUL", Refused("PKG-NUL"), |r, s| text_value(r, s, "a\0b", |_| {})),
    ("half a character", Refused("PKG-UNDECODABLE"), |r, s| {
        edit(r, s, |r, e| {
            e.form.bytes_after = r.pick(&[vec![0x00, 0xdc], vec![0x41], vec![0x3d, 0xd8]]).clone()
        })
    }),
    ("no data row", Refused("PKG-NO-ROW"), |r, s| edit(r, s, |_, e| e.rows.clear())),
    // ── XML ──
    ("XML that is not well-formed", Refused("PKG-XML-MALFORMED"), |r, s| {
        xml(r, s, |r, e| {
            let edit = [
                ("</Document>", ""),
                ("<Document>", "<Document>&nothing;"),
                ("</Document>", "</Document></a>"),
            ];
            let (from, to) = *r.pick(&edit);
            e.form.text_edits.push((from.into(), to.into()));
        })
    }),
    ("XML with document type", Refused("PKG-XML-DOCTYPE"), |r, s| {
        xml(r, s, |_, e| {
            e.form.text_edits.push(("<Document>".into(), "<!DOCTYPE Document><Document>".into()))
        })
    }),
    ("XML with a control character", Refused("PKG-XML-CHARACTER"), |r, s| {
        xml(r, s, |r, e| {
            let row = r.below(e.rows.len());
            e.rows[row][0] = "a\u{1}b".into();
        })
    }),
    ("XML of another root", Refused("PKG-XML-RECORD"), |r, s| {
        xml(r, s, |_, e| {
            e.form.text_edits.push(("<Document>".into(), "<Documents>".into()));
            e.form.text_edits.push(("</Document>".into(), "</Documents>".into()));
        })
    }),
    ("XML of other records", Refused("PKG-XML-RECORD"), |r, s| xml(r, s, |_, e| e.aot.push('X'))),
    ("XML without records", Refused("PKG-NO-ROW"), |r, s| xml(r, s, |_, e| e.rows.clear())),
    ("a mapped field in no XML record", Refused("PKG-COLUMN-MISSING"), |r, s| {
        xml(r, s, |_, e| e.maps.push(("ELSEWHERE".into(), "ELSEWHERE".into())))
    }),
    ("an XML field without map", Refused("PKG-COLUMN-UNMAPPED"), |r, s| {
        with_columns(r, s, 2, |_, e| {
            // An empty element that is not mapped could be a record as well.
            let filled = key_value(&e.columns[0], 1);
            e.rows.iter_mut().filter(|row| row[0].is_empty()).for_each(|row| row[0] = filled.clone());
            e.maps.retain(|(column, _)| *column != e.columns[0].name);
            e.xml(Style::Element);
        })
    }),
    ("an XML row twice", Refused("PKG-KEY-DUPLICATE"), |r, s| {
        xml(r, s, |r, e| {
            let again = r.pick(&e.rows).clone();
            e.rows.push(again);
        })
    }),
    ("a bad value in XML", Refused("PKG-VALUE-TYPE"), |r, s| {
        let mut package = bad_value(r, s, &["Edm.DateTimeOffset", "Edm.Decimal"], &["one", "31.01.2026"]);
        package.entities.iter_mut().for_each(|e| e.xml(Style::Attribute));
        package
    }),
    // ── order ──
    ("lines before their header", Refused("PKG-LEVEL-ORDER"), |r, s| {
        chain(s, *r.pick(&[[1, 3, 2], [2, 1, 3], [3, 2, 1], [2, 1, 1]]))
    }),
    // ── several at once, each repairable ──
    ("many repairable faults", Refused("PKG-UTF8-IN-UNICODE"), |r, s| {
        with(r, s, |_, p| {
            p.header_name = None;
            p.manifest_name = Some("manifest.xml".into());
            for e in &mut p.entities {
                e.form.encoding = Encoding::Utf8;
                e.form.line_end = "\n".into();
                e.form.insert.push((1, "\n".into()));
                e.maps_text = Some(String::new());
                let (file, aot) = (e.file.to_uppercase(), e.aot.clone());
                e.set("InputFilePath", &file);
                e.set("EntityName", &aot);
                e.members.reverse();
            }
        })
    }),
];

/// Packages that are made in search of one that a mutation fits.
pub(crate) const TRIES: usize = 1_000;

fn good(random: &mut Random, schema: &Schema) -> Package {
    Package::good(random, schema)
}

pub(crate) fn with(random: &mut Random, schema: &Schema, change: fn(&mut Random, &mut Package)) -> Package {
    let mut package = good(random, schema);
    change(random, &mut package);
    package
}

/// Changes one of the entities.
fn edit(random: &mut Random, schema: &Schema, change: fn(&mut Random, &mut Entity)) -> Package {
    edit_if(random, schema, |_| true, change)
}

/// Changes one of the entities, whose file is XML-Element.
fn xml(random: &mut Random, schema: &Schema, change: fn(&mut Random, &mut Entity)) -> Package {
    let mut package = good(random, schema);
    let at = random.below(package.entities.len());
    package.entities[at].xml(Style::Element);
    change(random, &mut package.entities[at]);
    package
}

/// The row under another key.
fn key_changed_by_type(entity: &Entity, row: &[String], number: usize) -> Vec<String> {
    let cells = row.iter().enumerate();
    cells
        .map(
            |(at, cell)| {
                if is_key(entity, at) { key_value(&entity.columns[at], number) } else { cell.clone() }
            },
        )
        .collect()
}

fn edit_if(
    random: &mut Random,
    schema: &Schema,
    fits: fn(&Entity) -> bool,
    change: fn(&mut Random, &mut Entity),
) -> Package {
    for _ in 0..TRIES {
        let mut package = good(random, schema);
        let fitting: Vec<usize> =
            (0..package.entities.len()).filter(|at| fits(&package.entities[*at])).collect();
        if !fitting.is_empty() {
            let at = *random.pick(&fitting);
            change(random, &mut package.entities[at]);
            return package;
        }
    }
    panic!("{TRIES} packages, and none that fits")
}

fn with_columns(
    random: &mut Random,
    schema: &Schema,
    count: usize,
    change: fn(&mut Random, &mut Entity),
) -> Package {
    for _ in 0..TRIES {
        let mut package = good(random, schema);
        if let Some(entity) = package.entities.iter_mut().find(|entity| entity.columns.len() >= count) {
            change(random, entity);
            return package;
        }
    }
    panic!("{TRIES} packages, and none that fits")
}

/// Changes an entity with such a column, which is no part of the key.
fn with_column(
    random: &mut Random,
    schema: &Schema,
    fits: fn(&Column) -> bool,
    change: impl Fn(&mut Random, &mut Entity, usize),
) -> Package {
    for _ in 0..TRIES {
        let mut package = good(random, schema);
        for entity in &mut package.entities {
            let column =
                (0..entity.columns.len()).find(|at| !is_key(entity, *at) && fits(&entity.columns[*at]));
            if let Some(column) = column {
                change(random, entity, column);
                return package;
            }
        }
    }
    panic!("{TRIES} packages, and none that fits")
}

fn bad_value(
    random: &mut Random,
    schema: &Schema,
    types: &'static [&str],
    values: &'static [&str],
) -> Package {
    for _ in 0..TRIES {
        let mut package = good(random, schema);
        for entity in &mut package.entities {
            let fits = |at: &usize| types.contains(&entity.columns[*at].edm.as_str());
            if let Some(column) = (0..entity.columns.len()).find(fits) {
                let row = random.below(entity.rows.len());
                entity.rows[row][column] = random.pick(values).to_string();
                return package;
            }
        }
    }
    panic!("{TRIES} packages, and none that fits")
}

/// Puts a text into the first row of an entity.
fn text_value(random: &mut Random, schema: &Schema, text: &'static str, change: fn(&mut Entity)) -> Package {
    with_column(
        random,
        schema,
        |column| column.edm == "Edm.String" && column.max_length.is_none(),
        |_, entity, column| {
            entity.rows[0][column] = text.to_owned();
            change(entity);
        },
    )
}

pub(crate) fn is_key(entity: &Entity, column: usize) -> bool {
    entity.keys.contains(&entity.columns[column].name)
}

fn string_key(entity: &Entity) -> Option<usize> {
    (0..entity.columns.len()).find(|at| is_key(entity, *at) && entity.columns[*at].edm == "Edm.String")
}

fn key_changed(entity: &Entity, row: &[String], key: &str) -> Vec<String> {
    let cells = row.iter().enumerate();
    cells.map(|(at, cell)| if is_key(entity, at) { key.to_owned() } else { cell.clone() }).collect()
}

/// A further row with a key and nothing else, as text without quotes.
fn plain_row(entity: &Entity) -> String {
    let cell =
        |at: usize| if is_key(entity, at) { key_value(&entity.columns[at], 60) } else { String::new() };
    (0..entity.columns.len()).map(cell).collect::<Vec<_>>().join(",")
}

/// Contract, agreement and lines that refer to one another, at these levels.
fn chain(schema: &Schema, levels: [usize; 3]) -> Package {
    let entity = |label: &str, collection: &str, aot: &str, keys: &[&str], fields: &[(&str, &str)]| {
        let columns = fields.iter().map(|(field, _)| schema.field(label, field)).collect();
        let row = fields.iter().map(|(_, value)| (*value).to_owned()).collect();
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Entity::new(label, collection, aot, keys, columns, vec![row])
    };
    let mut entities = vec![
        entity(
            "CLM integration contract",
            "CLMIntegrationContracts",
            "CLMIntegrationContractEntity",
            &["ContractId"],
            &[("CONTRACTID", "C1"), ("CONTRACTNAME", "Paper")],
        ),
        entity(
            "CLM integration purchase agreements",
            "CLMIntegrationPurchaseAgreements",
            "CLMIntegrationPurchaseAgreementHeaderEntity",
            &["PurchaseAgreementId"],
            &[("PURCHASEAGREEMENTID", "A1"), ("CONTRACTID", "C1")],
        ),
        entity(
            "CLM integration purchase agreement lines",
            "CLMIntegrationPurchaseAgreementLines",
            "CLMIntegrationPurchaseAgreementLineEntity",
            &["PurchaseAgreementId", "LineNumber"],
            &[("PURCHASEAGREEMENTID", "A1"), ("LINENUMBER", "1"), ("COMMITMENTTYPE", "ProductCategory")],
        ),
    ];
    for (entity, level) in entities.iter_mut().zip(levels) {
        entity.set("LevelInExecutionUnit", &level.to_string());
    }
    Package::of(entities)
}

/// Sets a bit of the flags of the first entry in both of its headers.
fn flag(bytes: &mut [u8], local: usize, in_central: usize, bit: u8) {
    let central = central(bytes);
    bytes[local] |= bit;
    bytes[central + in_central] |= bit;
}

fn central(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap()
}
