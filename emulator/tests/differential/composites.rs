//! Packages with a composite entity, and kinds of mutations of them.

use crate::kinds::Kind;
use crate::kinds::Outcome::{Refused, Taken};
use crate::package::{Column, Encoding, Entity, Package, Schema, Style, element};
use crate::random::Random;

/// What the environment defines, as its settings have it. The doctor knows composites by the word in their label alone.
pub(crate) const DEFINITIONS: &str = r#"[
    {"label": "CLM contracts composite", "root": {"entity": "CLM integration contract", "children": [
        {"entity": "CLM integration purchase agreements", "join": {"ContractId": "ContractId"}, "children": [
            {"entity": "CLM integration purchase agreement lines",
             "join": {"PurchaseAgreementId": "PurchaseAgreementId"}}]}]}},
    {"label": "Units composite V2", "root": {"entity": "Units", "children": [{"entity": "Currencies"}]}}
]"#;

const CONTRACT: &str = "CLMINTEGRATIONCONTRACTENTITY";
const AGREEMENT: &str = "CLMINTEGRATIONPURCHASEAGREEMENTHEADERENTITY";
const LINE: &str = "CLMINTEGRATIONPURCHASEAGREEMENTLINEENTITY";

pub(crate) const KINDS: &[Kind] = &[
    ("a composite of elements", Taken, |r, s| composite(r, s, |_, c| c.style = Style::Element)),
    ("a composite of attributes", Taken, |r, s| composite(r, s, |_, c| c.style = Style::Attribute)),
    ("a composite beside other entities", Taken, |r, s| {
        let mut package = Package::good(r, s);
        let at = r.below(package.entities.len() + 1);
        let composite = Composite::good(r, s).entity();
        package.entities.insert(at, composite);
        package
    }),
    ("a composite in other encodings", Taken, |r, s| {
        let mut package = composite(r, s, |_, _| {});
        package.entities[0].form.encoding =
            *r.pick(&[Encoding::Utf8Marked, Encoding::Utf16, Encoding::Utf16Big]);
        package
    }),
    ("a composite whose last member has no row", Taken, |r, s| composite(r, s, |r, c| c.empty_last(r))),
    ("two composites", Refused("PKG-COMPOSITE-TWO"), |r, s| {
        let mut both = vec![Composite::contracts(r).entity(), Composite::units(r, s).entity()];
        if r.chance(50) {
            both.reverse();
        }
        if r.chance(50) {
            both.extend(Package::good(r, s).entities);
        }
        Package::of(both)
    }),
    ("a composite in CSV", Refused("PKG-COMPOSITE-CSV"), |r, s| {
        let mut package = composite(r, s, |_, _| {});
        let entity = &mut package.entities[0];
        flat(entity);
        entity.form.style = Style::Csv;
        if r.chance(50) {
            entity.set("SourceFormat", "CSV-Unicode");
            entity.form.encoding = Encoding::Utf16;
        } else {
            entity.set("SourceFormat", "CSV");
            entity.form.encoding = Encoding::Ansi;
        }
        package
    }),
    ("a composite in a workbook", Refused("PKG-COMPOSITE-CSV"), |r, s| {
        let mut package = composite(r, s, |_, _| {});
        flat(&mut package.entities[0]);
        package.entities[0].excel();
        package
    }),
    ("a composite that lacks a member", Refused("PKG-COMPOSITE-MEMBER"), |r, s| {
        composite(r, s, |_, c| c.records.iter_mut().for_each(|record| drop_last(record, c.depth)))
    }),
    ("a composite of its first member alone", Refused("PKG-COMPOSITE-MEMBER"), |r, s| {
        composite(r, s, |_, c| c.records.iter_mut().for_each(|record| record.children.clear()))
    }),
    ("a mapped field in no member of a composite", Refused("PKG-COMPOSITE-MEMBER"), |r, s| {
        composite(r, s, |r, c| {
            let of = if c.depth == 3 {
                *r.pick(&["CONTRACTTYPE", "DOCUMENTTITLE", "CATEGORYNAME"])
            } else {
                "CURRENCYGENDER"
            };
            c.maps.push(of.to_owned());
        })
    }),
    ("a composite without a row", Refused("PKG-NO-ROW"), |r, s| composite(r, s, |_, c| c.records.clear())),
    ("a composite without maps", Refused("PKG-MAP-MISSING"), |r, s| composite(r, s, |_, c| c.maps.clear())),
    ("a field of a composite without map", Refused("PKG-COLUMN-UNMAPPED"), |r, s| {
        composite(r, s, |r, c| drop(c.maps.remove(r.below(c.maps.len()))))
    }),
    ("a composite with an element of nobody", Refused("PKG-COLUMN-UNMAPPED"), |r, s| {
        composite(r, s, |_, c| {
            c.style = Style::Element;
            c.records[0].fields.push(("HAPPINESS".into(), "1".into()));
        })
    }),
    ("a composite that is not well-formed", Refused("PKG-XML-MALFORMED"), |r, s| {
        let mut package = composite(r, s, |_, _| {});
        let edits =
            [("</Document>", ""), ("<Document>", "<Document>&nothing;"), ("</Document>", "</Documents>")];
        let (from, to) = *r.pick(&edits);
        package.entities[0].form.text_edits.push((from.into(), to.into()));
        package
    }),
    ("a composite with document type", Refused("PKG-XML-DOCTYPE"), |r, s| {
        let mut package = composite(r, s, |_, _| {});
        let edit = ("<Document>".to_owned(), "<!DOCTYPE Document><Document>".to_owned());
        package.entities[0].form.text_edits.push(edit);
        package
    }),
];

/// A composite before it is text.
struct Composite {
    label: &'static str,
    style: Style,
    maps: Vec<String>,
    records: Vec<Record>,
    /// Members; each is nested in the one before.
    depth: usize,
}

#[derive(Clone)]
struct Record {
    element: String,
    fields: Vec<(String, String)>,
    children: Vec<Record>,
}

impl Composite {
    fn good(random: &mut Random, schema: &Schema) -> Self {
        if random.chance(60) { Self::contracts(random) } else { Self::units(random, schema) }
    }

    /// Contracts with agreements with lines; what a record shares with the one around it is left to the join.
    fn contracts(random: &mut Random) -> Self {
        let cell = |name: &str, value: String| (name.to_owned(), value);
        let (mut agreements, mut lines) = (0, 0);
        let mut records = Vec::new();
        let contracts = 1 + random.below(3);
        for number in 1..=contracts {
            let mut contract = Record::new(CONTRACT, vec![cell("CONTRACTID", format!("C{number}"))]);
            let title = *random.pick(&["Paper", "Nut & bolt <M6>", "Zoë \"one\"", ""]);
            contract.fields.push(cell("CONTRACTNAME", title.to_owned()));
            // The first of each has a child, so that every member has rows.
            for _ in 0..random.below(3).max(usize::from(number == 1)) {
                agreements += 1;
                let id = cell("PURCHASEAGREEMENTID", format!("A{agreements}"));
                let mut agreement = Record::new(AGREEMENT, vec![id]);
                if random.chance(50) {
                    agreement.fields.push(cell("CONTRACTID", format!("C{number}")));
                }
                for line in 1..=random.below(4).max(usize::from(lines == 0)) {
                    lines += 1;
                    let number = cell("LINENUMBER", line.to_string());
                    let kind = cell("COMMITMENTTYPE", "ProductCategory".to_owned());
                    agreement.children.push(Record::new(LINE, vec![number, kind]));
                }
                contract.children.push(agreement);
            }
            records.push(contract);
        }
        let maps = ["CONTRACTID", "CONTRACTNAME", "PURCHASEAGREEMENTID", "LINENUMBER", "COMMITMENTTYPE"];
        Self {
            label: "CLM contracts composite",
            style: *random.pick(&[Style::Element, Style::Attribute]),
            maps: maps.map(str::to_owned).to_vec(),
            records,
            depth: 3,
        }
    }

    /// Units, with currencies in some of them: any columns of two flat entities.
    fn units(random: &mut Random, schema: &Schema) -> Self {
        let units = Entity::of_label(random, schema, "Units");
        let currencies = Entity::of_label(random, schema, "Currencies");
        let records = |entity: &Entity| -> Vec<Record> {
            let names = || entity.columns.iter().map(|column| column.name.clone());
            let record = |row: &Vec<String>| {
                Record::new(&entity.aot.to_uppercase(), names().zip(row.iter().cloned()).collect())
            };
            entity.rows.iter().map(record).collect()
        };
        let mut parents = records(&units);
        for child in records(&currencies) {
            let at = random.below(parents.len());
            parents[at].children.push(child);
        }
        // GENDER and the like stay away, so that a map can name a field that no record has.
        let lacks = |(name, _): &(String, String)| name != "CURRENCYGENDER";
        for record in &mut parents {
            record.children.iter_mut().for_each(|child| child.fields.retain(lacks));
        }
        let mut maps: Vec<String> = Vec::new();
        for column in units.columns.iter().chain(&currencies.columns) {
            if !maps.contains(&column.name) && column.name != "CURRENCYGENDER" {
                maps.push(column.name.clone());
            }
        }
        let style = *random.pick(&[Style::Element, Style::Attribute]);
        Self { label: "Units composite V2", style, maps, records: parents, depth: 2 }
    }

    /// One empty element stands for the innermost member.
    fn empty_last(&mut self, random: &mut Random) {
        let depth = self.depth;
        self.records.iter_mut().for_each(|record| drop_last(record, depth));
        let mut at =
            self.records.iter_mut().find(|record| depth == 2 || !record.children.is_empty()).unwrap();
        if depth == 3 {
            at = &mut at.children[0];
        }
        let mut empty = Record::new(if depth == 3 { LINE } else { "CURRENCYENTITY" }, vec![]);
        if random.chance(50) {
            empty.fields.push(if depth == 3 {
                ("LINENUMBER".into(), String::new())
            } else {
                ("CURRENCYCODE".into(), String::new())
            });
        }
        at.children.push(empty);
    }

    fn entity(self) -> Entity {
        let rows = self.records.iter().map(Record::rows).sum();
        let mut entity = Entity::new(self.label, "", "", vec![], vec![], vec![vec![]; rows]);
        entity.maps = self.maps.iter().map(|name| (name.clone(), name.clone())).collect();
        entity.xml(self.style);
        let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Document>\r\n".to_owned();
        self.records.iter().for_each(|record| record.write(self.style, &mut text));
        entity.form.whole = Some(text + "</Document>\r\n");
        entity
    }
}

impl Record {
    fn new(element: &str, fields: Vec<(String, String)>) -> Self {
        Self { element: element.to_owned(), fields, children: vec![] }
    }

    /// Records in it, itself included; those without any value only stand for their member.
    fn rows(&self) -> usize {
        let own = !self.children.is_empty() || self.fields.iter().any(|(_, value)| !value.is_empty());
        usize::from(own) + self.children.iter().map(Self::rows).sum::<usize>()
    }

    fn write(&self, style: Style, out: &mut String) {
        *out += &format!("<{}", self.element);
        if style == Style::Attribute {
            for (name, value) in &self.fields {
                *out += &format!(" {name}=\"{}\"", escaped(value));
            }
        }
        *out += ">";
        if style == Style::Element {
            self.fields.iter().for_each(|(name, value)| *out += &element(name, value));
        }
        self.children.iter().for_each(|child| child.write(style, out));
        *out += &format!("</{}>\r\n", self.element);
    }
}

fn escaped(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;")
}

fn composite(random: &mut Random, schema: &Schema, change: fn(&mut Random, &mut Composite)) -> Package {
    let mut composite = Composite::good(random, schema);
    change(random, &mut composite);
    Package::of(vec![composite.entity()])
}

/// Removes the records of the innermost member.
fn drop_last(record: &mut Record, depth: usize) {
    if depth == 2 {
        record.children.clear();
    } else {
        record.children.iter_mut().for_each(|child| drop_last(child, depth - 1));
    }
}

/// One row with a column for each map.
fn flat(entity: &mut Entity) {
    let column = |(name, _): &(String, String)| Column {
        name: name.clone(),
        edm: "Edm.String".into(),
        members: vec![],
        max_length: None,
    };
    entity.columns = entity.maps.iter().map(column).collect();
    entity.rows = vec![vec!["1".to_owned(); entity.columns.len()]];
    entity.form.whole = None;
    entity.file = entity.file.replace(".xml", ".csv");
    let file = entity.file.clone();
    entity.set("InputFilePath", &file);
}
