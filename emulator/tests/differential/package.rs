//! A package as parts that can be mutated, and its bytes. Written with the `zip` crate and strings, with neither the library's
//! nor the sandbox's writer.

use std::collections::HashSet;
use std::io::{Cursor, Write as _};

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::random::Random;
use crate::workbooks::BookForm;

pub(crate) const NAMESPACE: &str = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement";
const TYPE: &str =
    "Microsoft.Dynamics.AX.Framework.Tools.DataManagement.Serialization.DataManagementPackageManifest";

/// Elements in the order in which they are written.
pub(crate) type Members = Vec<(String, String)>;

#[derive(Clone)]
pub(crate) struct Package {
    pub(crate) header: Members,
    pub(crate) header_root: String,
    pub(crate) header_namespace: String,
    pub(crate) manifest: Members,
    pub(crate) manifest_root: String,
    pub(crate) manifest_namespace: String,
    pub(crate) entities: Vec<Entity>,
    /// Text of the two XML files is replaced last.
    pub(crate) header_edits: Vec<(String, String)>,
    pub(crate) manifest_edits: Vec<(String, String)>,
    pub(crate) header_name: Option<String>,
    pub(crate) manifest_name: Option<String>,
    pub(crate) xml: XmlForm,
    /// Further entries.
    pub(crate) extra: Vec<(String, Vec<u8>)>,
    pub(crate) zip: ZipForm,
    /// Changes the finished bytes.
    pub(crate) damage: Option<fn(&mut Random, &mut Vec<u8>)>,
    pub(crate) project: String,
    /// Rows that arrive where nothing is wrong, or where everything was repaired.
    pub(crate) company: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum XmlForm {
    Utf16,
    Utf16Declared,
    Utf8,
    Utf8Marked,
    Utf8Indented,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ZipForm {
    Deflated,
    Stored,
    Zip64,
    Streamed,
}

#[derive(Clone)]
pub(crate) struct Entity {
    pub(crate) label: String,
    pub(crate) collection: String,
    pub(crate) aot: String,
    pub(crate) of_company: bool,
    /// Fields of the key, without the company.
    pub(crate) keys: Vec<String>,
    pub(crate) members: Members,
    /// (column, field)
    pub(crate) maps: Vec<(String, String)>,
    pub(crate) maps_text: Option<String>,
    pub(crate) file: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) form: FileForm,
}

#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) edm: String,
    pub(crate) members: Vec<String>,
    pub(crate) max_length: Option<usize>,
}

/// How the rows become bytes.
#[derive(Clone)]
pub(crate) struct FileForm {
    pub(crate) encoding: Encoding,
    pub(crate) line_end: String,
    pub(crate) final_line_end: bool,
    pub(crate) quote_all: bool,
    /// Text that is put in, by the number of the line that it precedes.
    pub(crate) insert: Vec<(usize, String)>,
    pub(crate) text_edits: Vec<(String, String)>,
    pub(crate) bytes_after: Vec<u8>,
    /// The whole text.
    pub(crate) whole: Option<String>,
    pub(crate) style: Style,
    /// Columns that the record of that index lacks, in XML.
    pub(crate) lacking: Vec<(usize, String)>,
    /// The rows are a workbook.
    pub(crate) book: Option<BookForm>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    Csv,
    Element,
    Attribute,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Encoding {
    Utf16,
    Utf16Unmarked,
    Utf16Big,
    Utf8,
    Utf8Marked,
    Ansi,
}

impl Package {
    /// A package that the service takes: one to three entities of the schema, with their keys and some further columns.
    pub(crate) fn good(random: &mut Random, schema: &Schema) -> Self {
        let mut entities: Vec<Entity> = Vec::new();
        let count = 1 + random.below(3);
        let mut labels = HashSet::new();
        while entities.len() < count {
            let index = random.below(schema.entities.len());
            let entity = Entity::good(random, &schema.entities[index], schema);
            if labels.insert(entity.label.clone()) {
                entities.push(entity);
            }
        }
        Self::of(entities)
    }

    pub(crate) fn of(entities: Vec<Entity>) -> Self {
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            header: vec![
                text("Description", "Check"),
                text("ManifestType", TYPE),
                text("PackageType", "DefinitionGroup"),
                text("PackageVersion", "2"),
            ],
            header_root: "DataManagementPackageHeader".into(),
            header_namespace: NAMESPACE.into(),
            manifest: vec![text("DefinitionGroupName", "Check"), text("Description", "")],
            manifest_root: "DataManagementPackageManifest".into(),
            manifest_namespace: NAMESPACE.into(),
            entities,
            header_edits: vec![],
            manifest_edits: vec![],
            header_name: Some("PackageHeader.xml".into()),
            manifest_name: Some("Manifest.xml".into()),
            xml: XmlForm::Utf16,
            extra: vec![],
            zip: ZipForm::Deflated,
            damage: None,
            project: "Check".into(),
            company: "usmf",
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.entities.iter().map(|entity| entity.rows.len()).sum()
    }

    pub(crate) fn header_text(&self) -> String {
        let members: String = self.header.iter().map(|(name, value)| element(name, value)).collect();
        edited(root(&self.header_root, &self.header_namespace, &members), &self.header_edits)
    }

    pub(crate) fn manifest_text(&self) -> String {
        let entities: String = self.entities.iter().map(Entity::manifest).collect();
        let mut members = String::new();
        let mut listed = false;
        for (name, value) in &self.manifest {
            if !listed && name.as_str() > "PackageEntityList" {
                members += &format!("<PackageEntityList>{entities}</PackageEntityList>");
                listed = true;
            }
            members += &element(name, value);
        }
        if !listed {
            members += &format!("<PackageEntityList>{entities}</PackageEntityList>");
        }
        edited(root(&self.manifest_root, &self.manifest_namespace, &members), &self.manifest_edits)
    }

    pub(crate) fn entries(&self) -> Vec<(String, Vec<u8>)> {
        let mut entries: Vec<(String, Vec<u8>)> =
            self.entities.iter().map(|entity| (entity.file.clone(), entity.bytes())).collect();
        if let Some(name) = &self.manifest_name {
            entries.push((name.clone(), self.xml.bytes(&self.manifest_text())));
        }
        if let Some(name) = &self.header_name {
            entries.push((name.clone(), self.xml.bytes(&self.header_text())));
        }
        entries.extend(self.extra.iter().cloned());
        entries
    }

    pub(crate) fn bytes(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = zipped(&self.entries(), self.zip);
        if let Some(damage) = self.damage {
            damage(random, &mut bytes);
        }
        bytes
    }
}

pub(crate) fn zipped(entries: &[(String, Vec<u8>)], form: ZipForm) -> Vec<u8> {
    let method =
        if form == ZipForm::Stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    let options = SimpleFileOptions::default().compression_method(method).large_file(form == ZipForm::Zip64);
    if form == ZipForm::Streamed {
        let mut zip = ZipWriter::new_stream(Vec::new());
        for (name, bytes) in entries {
            zip.start_file(name.as_str(), options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        return zip.finish().unwrap().into_inner();
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

impl Entity {
    fn good(random: &mut Random, known: &Value, schema: &Schema) -> Self {
        let text = |name: &str| known[name].as_str().unwrap_or_default().to_owned();
        let label = text("label");
        let keys: Vec<String> =
            strings(&known["keys"]).into_iter().filter(|key| key != "dataAreaId").collect();
        let mut columns: Vec<Column> = Vec::new();
        let properties = known["properties"].as_array().unwrap();
        for property in properties {
            let name = property["name"].as_str().unwrap();
            let is_key = keys.iter().any(|key| key == name);
            let wanted = is_key || random.chance(700 / properties.len().max(1));
            if name == "dataAreaId"
                || schema.references.contains(&(label.clone(), name.to_owned())) && !is_key
                || !wanted
            {
                continue;
            }
            columns.push(schema.column(property));
        }
        for i in (1..columns.len()).rev() {
            columns.swap(i, random.below(i + 1));
        }
        let rows = (0..1 + random.below(5))
            .map(|row| {
                let cell = |column: &Column, random: &mut Random| {
                    let is_key = keys.iter().any(|key| key.eq_ignore_ascii_case(&column.name));
                    if is_key { key_value(column, row) } else { value(column, random) }
                };
                columns.iter().map(|column| cell(column, random)).collect()
            })
            .collect();
        let mut entity = Self::new(&label, &text("collection"), &text("aot"), keys, columns, rows);
        entity.of_company = known["company"] == true;
        entity
    }

    /// As [`good`](Self::good), of one entity of the schema.
    pub(crate) fn of_label(random: &mut Random, schema: &Schema, label: &str) -> Self {
        let known = schema.entities.iter().find(|entity| entity["label"] == label).unwrap();
        Self::good(random, known, schema)
    }

    /// Rows that were put in as text.
    pub(crate) fn further_rows(&self) -> usize {
        self.form.insert.iter().filter(|(at, text)| *at > 0 && !text.trim().is_empty()).count()
    }

    pub(crate) fn new(
        label: &str,
        collection: &str,
        aot: &str,
        keys: Vec<String>,
        columns: Vec<Column>,
        rows: Vec<Vec<String>>,
    ) -> Self {
        let file = format!("{}.csv", label.replace(['/', ':'], ""));
        let member = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            label: label.to_owned(),
            collection: collection.to_owned(),
            aot: aot.to_owned(),
            of_company: false,
            keys: keys.iter().map(|key| key.to_uppercase()).collect(),
            members: vec![
                member("DefaultRefreshType", "FullPush"),
                member("Disable", "false"),
                member("EntityMapList", ""),
                member("EntityName", label),
                member("ExecutionUnit", "1"),
                member("InputFilePath", &file),
                member("LevelInExecutionUnit", "1"),
                member("RunBusinessLogic", "true"),
                member("RunBusinessValidation", "true"),
                member("SequenceInLevel", "1"),
                member("SourceFormat", "CSV-Unicode"),
            ],
            maps: columns.iter().map(|column| (column.name.clone(), column.name.clone())).collect(),
            maps_text: None,
            file,
            columns,
            rows,
            form: FileForm {
                encoding: Encoding::Utf16,
                line_end: "\r\n".into(),
                final_line_end: true,
                quote_all: false,
                insert: vec![],
                text_edits: vec![],
                bytes_after: vec![],
                whole: None,
                style: Style::Csv,
                lacking: vec![],
                book: None,
            },
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.members
            .iter_mut()
            .filter(|(there, _)| there == name)
            .for_each(|(_, old)| *old = value.to_owned());
    }

    /// Format and encoding of a file in Windows-1252.
    pub(crate) fn ansi(&mut self) {
        self.set("SourceFormat", "CSV");
        self.form.encoding = Encoding::Ansi;
    }

    fn manifest(&self) -> String {
        let members = self.members.iter().map(|(name, value)| match (name.as_str(), &self.maps_text) {
            ("EntityMapList", Some(text)) => text.clone(),
            ("EntityMapList", None) => format!("<EntityMapList>{}</EntityMapList>", self.maps_xml()),
            _ => element(name, value),
        });
        let members: String = members.collect();
        format!("<DataManagementPackageEntityData>{members}</DataManagementPackageEntityData>")
    }

    pub(crate) fn maps_xml(&self) -> String {
        self.maps
            .iter()
            .map(|(column, field)| {
                format!(
                    "<EntityMap><ArrayIndex>0</ArrayIndex>{}<EntityFieldConversionList i:nil=\"true\" />\
                     <IsAutoDefault>false</IsAutoDefault><IsAutoGenerated>false</IsAutoGenerated>\
                     <IsDefaultValueEqualNull>false</IsDefaultValueEqualNull><UseTextQualifier>false</UseTextQualifier>{}\
                     </EntityMap>",
                    element("EntityField", field),
                    element("XMLField", column)
                )
            })
            .collect()
    }

    /// The same rows in one of the XML formats.
    pub(crate) fn xml(&mut self, style: Style) {
        self.set("SourceFormat", if style == Style::Element { "XML-Element" } else { "XML-Attribute" });
        self.form.style = style;
        self.form.encoding = Encoding::Utf8;
        self.file = self.file.replace(".csv", ".xml");
        let file = self.file.clone();
        self.set("InputFilePath", &file);
    }

    fn xml_text(&self) -> String {
        let record = self.aot.to_uppercase();
        let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Document>\r\n".to_owned();
        for (number, row) in self.rows.iter().enumerate() {
            let has = |name: &String| !self.form.lacking.contains(&(number, name.clone()));
            let cells = self.columns.iter().zip(row).filter(|(column, _)| has(&column.name));
            if self.form.style == Style::Element {
                let fields: String = cells.map(|(column, cell)| element(&column.name, cell)).collect();
                text += &format!("<{record}>{fields}</{record}>\r\n");
            } else {
                let escape = |cell: &str| {
                    cell.replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('"', "&quot;")
                        .replace('\n', "&#10;")
                };
                let fields: String =
                    cells.map(|(column, cell)| format!(" {}=\"{}\"", column.name, escape(cell))).collect();
                text += &format!("<{record}{fields} />\r\n");
            }
        }
        text + "</Document>\r\n"
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(book) = &self.form.book {
            return book.bytes(&self.columns, &self.rows);
        }
        if self.form.style != Style::Csv {
            let text =
                edited(self.form.whole.clone().unwrap_or_else(|| self.xml_text()), &self.form.text_edits);
            return [self.form.encoding.bytes(&text), self.form.bytes_after.clone()].concat();
        }
        let header: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let lines: Vec<String> =
            std::iter::once(&header).chain(&self.rows).map(|cells| self.form.line(cells)).collect();
        let mut text = String::new();
        for (number, line) in lines.iter().enumerate() {
            for (_, insert) in self.form.insert.iter().filter(|(at, _)| *at == number) {
                text += insert;
            }
            text += line;
            if number + 1 < lines.len() || self.form.final_line_end {
                text += &self.form.line_end;
            }
        }
        for (_, insert) in self.form.insert.iter().filter(|(at, _)| *at >= lines.len()) {
            text += insert;
        }
        let text = edited(self.form.whole.clone().unwrap_or(text), &self.form.text_edits);
        let mut bytes = self.form.encoding.bytes(&text);
        bytes.extend(&self.form.bytes_after);
        bytes
    }
}

impl FileForm {
    fn line(&self, cells: &[String]) -> String {
        let cell = |cell: &String| {
            if self.quote_all
                || cell.contains([',', '"', '\r', '\n'])
                || (cells.len() == 1 && cell.is_empty())
            {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        };
        cells.iter().map(cell).collect::<Vec<_>>().join(",")
    }
}

impl Encoding {
    pub(crate) fn bytes(self, text: &str) -> Vec<u8> {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        match self {
            Self::Utf16 => [vec![0xff, 0xfe], utf16(text)].concat(),
            Self::Utf16Unmarked => utf16(text),
            Self::Utf16Big => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8Marked => format!("\u{feff}{text}").into_bytes(),
            Self::Ansi => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        }
    }
}

impl XmlForm {
    fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf16 => Encoding::Utf16.bytes(text),
            Self::Utf16Declared => {
                Encoding::Utf16.bytes(&format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{text}"))
            }
            Self::Utf8 => format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{text}").into_bytes(),
            Self::Utf8Marked => Encoding::Utf8Marked.bytes(text),
            Self::Utf8Indented => format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{}\r\n",
                text.replace("><", ">\r\n  <").replace(">\r\n  </EntityName", "></EntityName")
            )
            .into_bytes(),
        }
    }
}

fn root(name: &str, namespace: &str, members: &str) -> String {
    format!(
        "<{name} xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"{namespace}\">{members}</{name}>"
    )
}

pub(crate) fn element(name: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("<{name} />");
    }
    let value = value.replace('&', "&amp;").replace('<', "&lt;");
    format!("<{name}>{value}</{name}>")
}

pub(crate) fn edited(mut text: String, edits: &[(String, String)]) -> String {
    for (from, to) in edits {
        assert!(text.contains(from.as_str()), "{from} is not in {text}");
        text = text.replacen(from.as_str(), to, 1);
    }
    text
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|it| it.as_str()).map(str::to_owned).collect()
}

/// The sandbox's own schema, as far as packages are made of it.
pub(crate) struct Schema {
    pub(crate) entities: Vec<Value>,
    pub(crate) all: Value,
    pub(crate) references: HashSet<(String, String)>,
}

impl Schema {
    pub(crate) fn column(&self, property: &Value) -> Column {
        let edm = property["type"].as_str().unwrap().to_owned();
        let mut members = strings(&property["members"]);
        if members.is_empty() {
            members = strings(&self.all["enums"][&edm]);
        }
        if members.is_empty() && edm == "NoYes" {
            members = vec!["No".into(), "Yes".into()];
        }
        Column {
            name: property["name"].as_str().unwrap().to_uppercase(),
            edm,
            members,
            max_length: property["maxLength"].as_u64().map(|length| length as usize),
        }
    }

    /// A column of the entity by its field.
    pub(crate) fn field(&self, label: &str, field: &str) -> Column {
        let entities = self.all["entities"].as_array().unwrap();
        let entity = entities.iter().find(|entity| entity["label"] == label).unwrap();
        let properties = entity["properties"].as_array().unwrap();
        let is = |property: &&Value| property["name"].as_str().unwrap().eq_ignore_ascii_case(field);
        self.column(properties.iter().find(is).unwrap())
    }
}

/// Key values differ from row to row.
pub(crate) fn key_value(column: &Column, row: usize) -> String {
    match column.edm.as_str() {
        "Edm.String" => format!("K{row}"),
        "Edm.Int32" | "Edm.Int64" | "Edm.Decimal" | "Edm.Double" => (row + 1).to_string(),
        "Edm.DateTimeOffset" => format!("2026-01-{:02}", row + 1),
        "Edm.Guid" => format!("0f8fad5b-d9cb-469f-a165-7086772895{row:02}"),
        _ => column.members[row % column.members.len()].clone(),
    }
}

pub(crate) fn value(column: &Column, random: &mut Random) -> String {
    if random.chance(15) {
        return String::new();
    }
    match column.edm.as_str() {
        "Edm.Int32" | "Edm.Int64" => (random.below(2000) as i64 - 1000).to_string(),
        "Edm.Decimal" | "Edm.Double" => {
            random.pick(&["0", "1.50", "-12.25", ".5", "1000000", "0.000001"]).to_string()
        }
        "Edm.DateTimeOffset" => random
            .pick(&[
                "2026-01-31",
                "2024-02-29",
                "1900-01-01",
                "2026-01-31T08:30:00",
                "2026-12-24 18:00:00",
                "2026-01-31T00:00:00Z",
            ])
            .to_string(),
        "Edm.Guid" => "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
        "Edm.String" | "Edm.Binary" => {
            let text = *random.pick(&[
                "A",
                "Nut, bolt",
                "say \"hi\"",
                "Zoë",
                "two\r\nlines",
                "a\nb",
                " x ",
                "1,5",
                "Straße 7",
                "=1",
            ]);
            text.chars().take(column.max_length.unwrap_or(60)).collect()
        }
        _ if column.members.is_empty() => String::new(),
        _ if random.chance(20) => random.below(column.members.len()).to_string(),
        _ => random.pick(&column.members).clone(),
    }
}
