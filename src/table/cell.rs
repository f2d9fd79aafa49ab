//! How a typed cell is written into a data file: the one place that decides.
//!
//! | cell | text, unknown | `NoYes` | other enum | Int32, Int64 | Decimal, Double | date, date-time |
//! |---|---|---|---|---|---|---|
//! | text | as it is | as it is | as it is | as it is | as it is | as it is |
//! | number | plain digits | 0 or 1 | whole | whole, in range | plain digits | refused |
//! | bigint | digits | 0 or 1 | digits | in range | digits | refused |
//! | boolean | unknown only: `Yes`, `No` | `Yes`, `No` | refused | refused | refused | refused |
//! | date | unknown only: as for dates | refused | refused | refused | refused | see below |
//! | empty | nothing | nothing | nothing | nothing | nothing | nothing |
//!
//! - A text is never reinterpreted: the caller's `"true"`, `"1,5"` or `"2026-01-31"` reaches the service as it stands.
//! - Numbers have no exponent and no thousands separator, and a decimal point. NaN and the infinities are refused.
//! - A date at midnight UTC is written `YYYY-MM-DD`, any other `YYYY-MM-DDTHH:MM:SS`, in UTC and without a zone. The
//!   catalogue does not tell dates from date-times (both are `Edm.DateTimeOffset`, dates at noon), and this form loses
//!   nothing of either; that the service drops the time for a field that is a date only is *unverified*. The language and
//!   time zone of the source format in the environment apply: UTC and en-US are what the vendor advises. Fractions of a
//!   second are cut, the service keeps whole seconds (*unverified*). Years are 0001–9999.
//! - NUL is refused everywhere: no format of the service can carry it. Other control characters pass in CSV (XML formats
//!   can't carry them). Line breaks inside a value are kept as they are, within quotes.
//!
//! Reading gives texts: CSV and XML have nothing else. A workbook has typed cells, which are read in the forms of the table
//! above ([`stored`]), so that what is read can be written again:
//!
//! | cell of a workbook | text |
//! |---|---|
//! | text | as it is |
//! | number | plain digits: no exponent, no format of the cell; whole numbers with every digit, fractions rounded to the 15 significant digits that Excel works with |
//! | number with the format of a date or a time of day | `YYYY-MM-DD` at midnight, else `YYYY-MM-DDTHH:MM:SS`, rounded to seconds; below one day `HH:MM:SS` |
//! | truth value | `Yes`, `No` |
//! | error such as `#N/A` | refused |

use serde::Serialize;

use crate::catalog::{Catalog, EdmType};

use super::number;

/// How a cell was typed by the caller; the numbers are those of the JavaScript boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellKind {
    /// Text, written as it is.
    Text = 0,
    /// A number, given as JavaScript prints it.
    Number = 1,
    /// A whole number of any size, in digits.
    Bigint = 2,
    /// `true` or `false`.
    Boolean = 3,
    /// A point in time as `toISOString()` gives it.
    Date = 4,
    /// No value.
    Empty = 5,
}

impl CellKind {
    /// The kind of that number, 0 to 5.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Text,
            1 => Self::Number,
            2 => Self::Bigint,
            3 => Self::Boolean,
            4 => Self::Date,
            5 => Self::Empty,
            _ => return None,
        })
    }
}

/// What the field of a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Target {
    /// Nothing is known of the field: an entity or extension field that the catalogue lacks.
    Unknown,
    Text,
    NoYes,
    Enum,
    Int32,
    Int64,
    Real,
    Date,
    /// GUIDs and binary data: text only.
    TextOnly,
}

impl Target {
    pub(crate) fn of(edm: &EdmType, catalog: &Catalog) -> Self {
        match edm {
            EdmType::String => Self::Text,
            EdmType::Boolean => Self::NoYes,
            EdmType::Int32 => Self::Int32,
            EdmType::Int64 => Self::Int64,
            EdmType::Decimal | EdmType::Double => Self::Real,
            EdmType::DateTimeOffset => Self::Date,
            EdmType::Guid | EdmType::Binary => Self::TextOnly,
            EdmType::Enum(name) => match catalog.enum_members(name) {
                Some([no, yes]) if no == "No" && yes == "Yes" => Self::NoYes,
                None if name == "NoYes" => Self::NoYes,
                _ => Self::Enum,
            },
            EdmType::UnnamedEnum => Self::Enum,
            _ => Self::Unknown,
        }
    }

    /// The target of that name, as it is told to the module for workbooks.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "Unknown" => Self::Unknown,
            "Text" => Self::Text,
            "NoYes" => Self::NoYes,
            "Enum" => Self::Enum,
            "Int32" => Self::Int32,
            "Int64" => Self::Int64,
            "Real" => Self::Real,
            "Date" => Self::Date,
            "TextOnly" => Self::TextOnly,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Text => "text",
            Self::NoYes => "NoYes",
            Self::Enum => "an enum",
            Self::Int32 => "a 32-bit integer",
            Self::Int64 => "a 64-bit integer",
            Self::Real => "a decimal number",
            Self::Date => "a date",
            Self::TextOnly => "an identifier or binary text",
        }
    }
}

/// Why a cell can't be written, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellFault {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// The text of the cell as it goes into the file, before quoting; `scratch` is reused room for it.
pub(crate) fn convert<'a>(
    kind: CellKind,
    text: &'a str,
    target: Target,
    scratch: &'a mut String,
) -> Result<&'a str, CellFault> {
    match kind {
        CellKind::Text => text_cell(text),
        CellKind::Empty => {
            if text.is_empty() {
                Ok(text)
            } else {
                Err(malformed("an empty cell", text))
            }
        }
        CellKind::Boolean => boolean_cell(text, target),
        CellKind::Number => number_cell(text, target, scratch),
        CellKind::Bigint => bigint_cell(text, target),
        CellKind::Date => date_cell(text, target),
    }
}

/// A cell of a workbook that is no text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stored<'a> {
    /// In digits, perhaps with an exponent.
    Number(&'a str),
    Boolean(bool),
    /// Days since the beginning of 1900, or with `from_1904` of 1904, as Excel counts them.
    Days {
        number: &'a str,
        from_1904: bool,
    },
}

/// The text of a typed cell.
pub(crate) fn stored(cell: Stored<'_>) -> Result<String, CellFault> {
    match cell {
        Stored::Boolean(true) => Ok("Yes".to_owned()),
        Stored::Boolean(false) => Ok("No".to_owned()),
        Stored::Number(text) => number::displayed(text).ok_or_else(|| malformed("a number", text)),
        Stored::Days { number, from_1904 } => date_of(number, from_1904).ok_or_else(|| {
            fault(
                format!("{:?} is the number of no day of the years 1900 to 9999", shown(number)),
                "Correct the date, or give the cell the format of a number or a text.",
            )
        }),
    }
}

fn date_of(number: &str, from_1904: bool) -> Option<String> {
    const SECONDS: u64 = 86_400;
    /// 9999-12-31, counted from 1900.
    const LAST_DAY: u64 = 2_958_465;
    const DIGITS: usize = 12;
    let plain = number::plain(number)?;
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    // Twelve digits of a day are far below a second, and times the seconds of a day they fit.
    let fraction: u64 = format!("{fraction:0<DIGITS$}").get(..DIGITS)?.parse().ok()?;
    let unit = 10u64.pow(DIGITS as u32);
    let seconds = (fraction * SECONDS + unit / 2) / unit;
    let whole = whole.parse::<u64>().ok().filter(|&day| day <= LAST_DAY)?;
    let (day, second) = (whole + seconds / SECONDS, seconds % SECONDS);
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if day == 0 && !(from_1904 && second == 0) {
        return Some(time);
    }
    // Days since 1970-01-01. Excel takes 1900 for a leap year: day 60 is the 29th of February that never was.
    let since_1970 = i64::try_from(day).ok()?
        - match (from_1904, day) {
            (true, _) => 24_107,
            (false, 0..60) => 25_568,
            (false, 60) => return None,
            (false, _) => 25_569,
        };
    let (year, month, day) = civil(since_1970);
    let date = format!("{year:04}-{month:02}-{day:02}");
    (year <= 9999).then(|| if second == 0 { date } else { format!("{date}T{time}") })
}

/// Year, month and day of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn civil(since_1970: i64) -> (i64, i64, i64) {
    let days = since_1970 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

fn text_cell(text: &str) -> Result<&str, CellFault> {
    if text.as_bytes().contains(&0) {
        return Err(fault("the text has a NUL character", "Remove the character: no format can carry it."));
    }
    Ok(text)
}

fn boolean_cell(text: &str, target: Target) -> Result<&'static str, CellFault> {
    if !matches!(target, Target::NoYes | Target::Unknown) {
        return Err(mismatch("true or false", target));
    }
    match text {
        "true" => Ok("Yes"),
        "false" => Ok("No"),
        _ => Err(malformed("true or false", text)),
    }
}

fn number_cell<'a>(text: &'a str, target: Target, scratch: &'a mut String) -> Result<&'a str, CellFault> {
    if matches!(target, Target::Date | Target::TextOnly) {
        return Err(mismatch("a number", target));
    }
    let plain = number::plain(text).ok_or_else(|| malformed("a finite number", text))?;
    let needs_whole = matches!(target, Target::NoYes | Target::Enum | Target::Int32 | Target::Int64);
    if needs_whole && !number::is_whole(&plain) {
        return Err(fault(
            format!("{text} is no whole number, but the field is {}", target.name()),
            "Round the value first.",
        ));
    }
    let digits = plain.split_once('.').map_or(&*plain, |(whole, _)| whole);
    if needs_whole {
        check_range(digits, target)?;
    }
    // Beyond 2^53 a JavaScript number stands for several integers: which one was meant is lost already.
    if target == Target::Int64 && digits.parse::<i64>().is_ok_and(|n| n.unsigned_abs() > 1 << 53) {
        return Err(fault(
            format!("{text} is beyond what a number holds exactly"),
            "Give 64-bit integers as bigint or text.",
        ));
    }
    Ok(match plain {
        std::borrow::Cow::Borrowed(plain) => plain,
        std::borrow::Cow::Owned(plain) => {
            *scratch = plain;
            scratch
        }
    })
}

fn bigint_cell(text: &str, target: Target) -> Result<&str, CellFault> {
    if matches!(target, Target::Date | Target::TextOnly) {
        return Err(mismatch("a number", target));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed("a whole number", text));
    }
    check_range(text, target)?;
    Ok(text)
}

fn check_range(digits: &str, target: Target) -> Result<(), CellFault> {
    let fits = match target {
        Target::NoYes => matches!(digits, "0" | "1"),
        Target::Int32 => digits.parse::<i32>().is_ok(),
        // The service stores an enum as a 32-bit integer that is not negative.
        Target::Enum => digits.parse::<i32>().is_ok_and(|n| n >= 0),
        Target::Int64 => digits.parse::<i64>().is_ok(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(fault(
        format!("{} is out of range: the field is {}", shown(digits), target.name()),
        "Check the value; Yes and No are 1 and 0, other enums are best given by the symbol's name.",
    ))
}

fn date_cell(text: &str, target: Target) -> Result<&str, CellFault> {
    if !matches!(target, Target::Date | Target::Unknown) {
        return Err(mismatch("a date", target));
    }
    if !is_iso(text) {
        return Err(malformed("a date of the years 0001 to 9999 in the form YYYY-MM-DDTHH:MM:SS.sssZ", text));
    }
    // All ASCII by now, so these cuts exist.
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    let seconds = text.get(..19).unwrap_or(text);
    Ok(if time == "00:00:00.000Z" { day } else { seconds })
}

fn is_iso(text: &str) -> bool {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == FORM.len()
        && !text.starts_with("0000")
        && text.bytes().zip(FORM).all(|(b, form)| if *form == b'd' { b.is_ascii_digit() } else { b == *form })
}

fn fault(message: impl Into<String>, hint: &'static str) -> CellFault {
    CellFault { message: message.into(), hint }
}

fn mismatch(given: &str, target: Target) -> CellFault {
    fault(
        format!("the value is {given}, but the field is {}", target.name()),
        "Give a value of the field's type, or a text that is written as it is.",
    )
}

fn malformed(expected: &str, text: &str) -> CellFault {
    fault(format!("{:?} is not {expected}", shown(text)), "Leave the cell empty, or give a valid value.")
}

/// Enough of a value to recognise it.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().nth(LONGEST).is_none() {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
