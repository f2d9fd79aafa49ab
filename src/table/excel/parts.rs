//! The small parts of a workbook that is read: which sheets there are, shared strings, and which formats are dates.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::{Error, ErrorCode, Result};

use super::super::encoding::{Decoder, Encoding};
use super::super::markup;

/// A sheet by its name, and the part that holds it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SheetRef {
    pub(super) name: String,
    pub(super) relation: String,
}

/// What the part `workbook.xml` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Workbook {
    pub(super) sheets: Vec<SheetRef>,
    pub(super) from_1904: bool,
}

/// What a number stands for, by its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFormat {
    Plain,
    Date,
}

/// The text of a part. White space and line ends inside of values are kept as they are.
pub(super) fn decode(bytes: &[u8], part: &str) -> Result<String> {
    let sniffed = Encoding::sniff(bytes);
    let mut decoder = Decoder::new(sniffed.encoding.unwrap_or(Encoding::Utf8));
    let mut text = String::new();
    let decoded = decoder.push(bytes.get(sniffed.mark..).unwrap_or_default(), &mut text);
    decoded.and_then(|()| decoder.finish()).map_err(|_| damaged(part, "its bytes are no text"))?;
    Ok(text)
}

pub(super) fn workbook(text: &str, part: &str) -> Result<Workbook> {
    let mut workbook = Workbook::default();
    each_element(text, part, &mut |tag, _| {
        match tag.local_name().as_ref() {
            "workbookPr" => {
                workbook.from_1904 =
                    matches!(attribute(tag, "date1904", part)?.as_deref(), Some("1" | "true" | "on"));
            }
            "sheet" => {
                if let (Some(name), Some(relation)) =
                    (attribute(tag, "name", part)?, attribute(tag, "id", part)?)
                {
                    workbook.sheets.push(SheetRef { name, relation });
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(workbook)
}

/// The part that the first relation points to that `wanted` takes by its id and type. `base` is the folder of the part
/// whose relations these are, without slash at its end.
pub(super) fn relation(
    text: &str,
    part: &str,
    base: &str,
    wanted: &dyn Fn(&str, &str) -> bool,
) -> Result<Option<String>> {
    let mut found = None;
    each_element(text, part, &mut |tag, _| {
        if found.is_none() && tag.local_name().as_ref() == "Relationship" {
            let read = |name| attribute(tag, name, part).map(Option::unwrap_or_default);
            if wanted(&read("Id")?, &read("Type")?) {
                found = Some(resolve(base, &read("Target")?));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// A target such as `worksheets/sheet1.xml`, `../x.xml` or `/xl/x.xml`, seen from a folder.
fn resolve(base: &str, target: &str) -> String {
    let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { base.split('/').collect() };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

/// The format of each cell style.
pub(super) fn number_formats(text: &str, part: &str) -> Result<Vec<NumberFormat>> {
    let mut custom = std::collections::HashMap::new();
    let mut formats = Vec::new();
    each_element(text, part, &mut |tag, path| {
        let parent = path.last().map(String::as_str);
        match (parent, tag.local_name().as_ref()) {
            (Some("numFmts"), "numFmt") => {
                if let (Some(id), Some(code)) =
                    (attribute(tag, "numFmtId", part)?, attribute(tag, "formatCode", part)?)
                {
                    custom.insert(id, format_of(&code));
                }
            }
            (Some("cellXfs"), "xf") => {
                let id = attribute(tag, "numFmtId", part)?.unwrap_or_default();
                let built_in = || match id.parse() {
                    // Dates and times of day; the gaps are for other languages.
                    Ok(14..=22 | 27..=36 | 45 | 47 | 50..=58) => NumberFormat::Date,
                    _ => NumberFormat::Plain,
                };
                formats.push(custom.get(&id).copied().unwrap_or_else(built_in));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(formats)
}

/// Whether a format code shows a date or a time of day. Literals, colours and the sections for other signs are no part of
/// it; an elapsed time such as `[h]:mm` is a number.
fn format_of(code: &str) -> NumberFormat {
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => drop(chars.by_ref().find(|&c| c == '"')),
            '\\' | '_' | '*' => drop(chars.next()),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                let letters = inside.to_ascii_lowercase();
                let elapsed = ['h', 'm', 's']
                    .iter()
                    .any(|unit| !letters.is_empty() && letters.chars().all(|c| c == *unit));
                if elapsed {
                    return NumberFormat::Plain;
                }
            }
            ';' => return NumberFormat::Plain,
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return NumberFormat::Date,
            // "General" has none of these letters, "E" belongs to an exponent.
            _ => {}
        }
    }
    NumberFormat::Plain
}

/// Texts that cells refer to by number.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    text: String,
    ends: Vec<usize>,
}

impl SharedStrings {
    pub(super) fn read(text: &str, part: &str) -> Result<Self> {
        let mut shared = Self::default();
        let mut phonetic = 0u32;
        let mut value = 0u32;
        each_event(text, part, &mut OpenElements::default(), &mut |event| {
            match event {
                XmlEvent::Open(tag) => match tag.local_name().as_ref() {
                    "rPh" => phonetic += 1,
                    "t" => value += 1,
                    _ => {}
                },
                XmlEvent::Close(name) => match name {
                    "rPh" => phonetic = phonetic.saturating_sub(1),
                    "t" => value = value.saturating_sub(1),
                    "si" => shared.ends.push(shared.text.len()),
                    _ => {}
                },
                XmlEvent::Text(text) => {
                    if value > 0 && phonetic == 0 {
                        shared.text.push_str(text);
                    }
                }
            }
            Ok(true)
        })?;
        Ok(shared)
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..end)
    }
}

/// The elements around a place, to see that each is closed by its own name.
#[derive(Debug, Default)]
pub(super) struct OpenElements {
    /// Their names, one behind the other, and where each begins.
    names: String,
    starts: Vec<usize>,
    /// Whether there was a root element.
    begun: bool,
}

impl OpenElements {
    /// False for a second root.
    fn enter(&mut self, name: &str) -> bool {
        let second = self.starts.is_empty() && self.begun;
        self.begun = true;
        self.starts.push(self.names.len());
        self.names.push_str(name);
        !second
    }

    /// False where another element is open, or none.
    fn leave(&mut self, name: &str) -> bool {
        let closes = self.innermost() == Some(name);
        self.names.truncate(self.starts.pop().unwrap_or_default());
        closes
    }

    fn innermost(&self) -> Option<&str> {
        self.names.get(*self.starts.last()?..)
    }
}

/// A piece of a part.
pub(super) enum XmlEvent<'a> {
    Open(&'a BytesStart<'a>),
    /// Local name of the element that ends.
    Close(&'a str),
    /// Text with references resolved.
    Text(&'a str),
}

/// Walks through a part until `each` returns false; gives the number of bytes read.
///
/// The callback is not generic, nor are those below: the loop would be there once for each of them.
///
/// `open` has the elements that are open at the start and, afterwards, at the end: a part may be walked through in several goes.
pub(super) fn each_event(
    text: &str,
    part: &str,
    open: &mut OpenElements,
    each: &mut dyn FnMut(XmlEvent<'_>) -> Result<bool>,
) -> Result<usize> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // `open` is what tells, for this reader sees a part of the text only.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let ill_formed = |what: String| damaged(part, &format!("its XML is not well-formed: {what}"));
    loop {
        let go_on = match reader.read_event() {
            Err(error) => return Err(ill_formed(error.to_string())),
            Ok(Event::Eof) => match open.innermost() {
                Some(name) => return Err(ill_formed(format!("<{name}> is not closed"))),
                None => break,
            },
            Ok(Event::DocType(_)) => return Err(damaged(part, "its XML has a document type definition")),
            Ok(Event::Start(tag)) => {
                if !open.enter(tag.name().as_ref()) {
                    return Err(ill_formed("it has a second root element".to_owned()));
                }
                each(XmlEvent::Open(&tag))?
            }
            Ok(Event::Empty(tag)) => {
                each(XmlEvent::Open(&tag))? && each(XmlEvent::Close(tag.local_name().as_ref()))?
            }
            Ok(Event::End(tag)) => {
                if !open.leave(tag.name().as_ref()) {
                    return Err(ill_formed(format!("</{}> closes nothing", tag.name().as_ref())));
                }
                each(XmlEvent::Close(tag.local_name().as_ref()))?
            }
            Ok(Event::Text(text)) => each(XmlEvent::Text(&text.xml10_content()))?,
            Ok(Event::CData(text)) => each(XmlEvent::Text(&text.xml10_content()))?,
            Ok(Event::GeneralRef(reference)) => {
                let c = markup::resolve(&reference.into_inner())
                    .ok_or_else(|| damaged(part, "its XML has a reference that is not defined"))?;
                each(XmlEvent::Text(c.encode_utf8(&mut [0; 4])))?
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => true,
        };
        if !go_on {
            break;
        }
    }
    Ok(usize::try_from(reader.buffer_position()).unwrap_or(text.len()))
}

/// Calls `each` with every element and the local names of those around it.
fn each_element(
    text: &str,
    part: &str,
    each: &mut dyn FnMut(&BytesStart<'_>, &[String]) -> Result<()>,
) -> Result<()> {
    const DEEPEST: usize = 64;
    let mut path: Vec<String> = Vec::new();
    each_event(text, part, &mut OpenElements::default(), &mut |event| {
        match event {
            XmlEvent::Open(tag) => {
                each(tag, &path)?;
                path.push(tag.local_name().as_ref().to_owned());
                if path.len() > DEEPEST {
                    return Err(damaged(part, &format!("its XML is nested more than {DEEPEST} deep")));
                }
            }
            XmlEvent::Close(_) => drop(path.pop()),
            XmlEvent::Text(_) => {}
        }
        Ok(true)
    })?;
    Ok(())
}

/// The value of an attribute by its local name.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str, part: &str) -> Result<Option<String>> {
    for attribute in tag.attributes().with_checks(false) {
        let attribute =
            attribute.map_err(|error| damaged(part, &format!("its XML is not well-formed: {error}")))?;
        if attribute.key.local_name().as_ref() == name {
            return unescape(&attribute.value)
                .map(Some)
                .ok_or_else(|| damaged(part, "its XML has a reference that is not defined"));
        }
    }
    Ok(None)
}

fn unescape(raw: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (reference, after) = after.split_once(';')?;
        out.push(markup::resolve(reference)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

pub(super) fn damaged(part: &str, what: &str) -> Error {
    Error::new(ErrorCode::DataInvalid, format!("the part {part} of the workbook is damaged: {what}"))
        .hint("Open the workbook in Excel and save it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_and_epoch() {
        let text = "<x:workbook xmlns:x='m' xmlns:r='n'><x:workbookPr date1904=\"1\"/><x:sheets>\
                    <x:sheet name=\"A &amp; B\" sheetId=\"1\" r:id=\"rId7\"/><x:sheet name='C' r:id='rId8'/></x:sheets></x:workbook>";
        let sheet = |name: &str, relation: &str| SheetRef { name: name.into(), relation: relation.into() };
        let expected = Workbook { sheets: vec![sheet("A & B", "rId7"), sheet("C", "rId8")], from_1904: true };
        assert_eq!(workbook(text, "w").unwrap(), expected);
        assert!(!workbook("<workbook><workbookPr date1904='0'/></workbook>", "w").unwrap().from_1904);
        assert!(workbook("<workbook><sheet name=\"&x;\"/></workbook>", "w").is_err());
        assert!(workbook("<!DOCTYPE x><workbook/>", "w").is_err());
        assert!(workbook(&"<a>".repeat(65), "w").unwrap_err().message.contains("nested"));
    }

    #[test]
    fn relations_are_found_and_resolved() {
        let text = "<Relationships><Relationship Id='1' Type='a/styles' Target='styles.xml'/>\
                    <Relationship Id='2' Type='b/worksheet' Target='/xl/w/s.xml'/></Relationships>";
        let find = |id: &str| relation(text, "r", "xl", &|found, _| found == id).unwrap();
        assert_eq!(find("1").as_deref(), Some("xl/styles.xml"));
        assert_eq!(find("2").as_deref(), Some("xl/w/s.xml"));
        assert_eq!(find("3"), None);
        assert_eq!(resolve("xl/a", "../b/./c.xml"), "xl/b/c.xml");
        assert_eq!(resolve("xl", "../../../c.xml"), "c.xml");
        assert_eq!(resolve("", "xl/workbook.xml"), "xl/workbook.xml");
    }

    #[test]
    fn formats_tell_dates_from_numbers() {
        for code in ["yyyy\\-mm\\-dd", "[$-409]d/m/yy h:mm", "h:mm AM/PM", "DD.MM.YYYY", "[Red]mm:ss;@"] {
            assert_eq!(format_of(code), NumberFormat::Date, "{code}");
        }
        for code in [
            "General",
            "0.00E+00",
            "#,##0.00",
            "\"days\" 0",
            "[h]:mm:ss",
            "[MM]:ss",
            "0;yyyy",
            "[Red]0",
            "0\\d",
            "_d0",
            "@",
        ] {
            assert_eq!(format_of(code), NumberFormat::Plain, "{code}");
        }
        let text = "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy\"/></numFmts>\
                    <cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>\
                    <cellXfs><xf numFmtId=\"0\"/><xf numFmtId='14'/><xf numFmtId='164'/><xf numFmtId='46'/></cellXfs></styleSheet>";
        use NumberFormat::{Date, Plain};
        assert_eq!(number_formats(text, "s").unwrap(), [Plain, Date, Date, Plain]);
    }

    #[test]
    fn shared_strings_leave_out_how_they_are_spoken() {
        let text = "<sst>\n<si><t>a&lt;</t></si><si><r><t>b</t></r><r><t xml:space='preserve'> c</t></r>\
                    <rPh><t>spoken</t></rPh></si><si/><si><t>d</t></si></sst>";
        let shared = SharedStrings::read(text, "s").unwrap();
        assert_eq!(
            [0, 1, 2, 3, 4].map(|i| shared.get(i)),
            [Some("a<"), Some("b c"), Some(""), Some("d"), None]
        );
    }
}
