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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn written(kind: CellKind, text: &str, target: Target) -> Result<String, CellFault> {
        convert(kind, text, target, &mut String::new()).map(str::to_owned)
    }

    fn refused(kind: CellKind, text: &str, target: Target) -> String {
        written(kind, text, target).unwrap_err().message
    }

    #[test]
    fn texts_pass_as_they_are() {
        for target in [Target::Text, Target::NoYes, Target::Int32, Target::Date, Target::Unknown] {
            assert_eq!(written(CellKind::Text, " tru\te\u{1}", target).unwrap(), " tru\te\u{1}");
        }
        assert!(refused(CellKind::Text, "a\0b", Target::Text).contains("NUL"));
    }

    #[test]
    fn booleans_are_yes_and_no() {
        assert_eq!(written(CellKind::Boolean, "true", Target::NoYes).unwrap(), "Yes");
        assert_eq!(written(CellKind::Boolean, "false", Target::Unknown).unwrap(), "No");
        for target in
            [Target::Text, Target::Enum, Target::Int32, Target::Real, Target::Date, Target::TextOnly]
        {
            assert!(refused(CellKind::Boolean, "true", target).contains("true or false"));
        }
        refused(CellKind::Boolean, "yes", Target::NoYes);
    }

    #[test]
    fn numbers_are_plain_digits_within_the_range_of_the_field() {
        assert_eq!(written(CellKind::Number, "1e+21", Target::Real).unwrap(), "1000000000000000000000");
        assert_eq!(written(CellKind::Number, "12.5", Target::Text).unwrap(), "12.5");
        assert_eq!(written(CellKind::Number, "2147483647", Target::Int32).unwrap(), "2147483647");
        assert!(refused(CellKind::Number, "2147483648", Target::Int32).contains("out of range"));
        assert!(refused(CellKind::Number, "1.5", Target::Int32).contains("whole"));
        assert_eq!(written(CellKind::Number, "9007199254740992", Target::Int64).unwrap(), "9007199254740992");
        assert!(refused(CellKind::Number, "9007199254740994", Target::Int64).contains("exactly"));
        assert_eq!(written(CellKind::Number, "1", Target::NoYes).unwrap(), "1");
        refused(CellKind::Number, "2", Target::NoYes);
        refused(CellKind::Number, "-1", Target::Enum);
        assert_eq!(written(CellKind::Number, "13", Target::Enum).unwrap(), "13");
        for text in ["NaN", "Infinity", "-Infinity"] {
            assert!(refused(CellKind::Number, text, Target::Real).contains("finite"));
        }
        assert!(refused(CellKind::Number, "45000", Target::Date).contains("a date"));
    }

    #[test]
    fn bigints_keep_every_digit() {
        assert_eq!(
            written(CellKind::Bigint, "9223372036854775807", Target::Int64).unwrap(),
            "9223372036854775807"
        );
        assert!(refused(CellKind::Bigint, "9223372036854775808", Target::Int64).contains("out of range"));
        assert_eq!(
            written(CellKind::Bigint, "-12345678901234567890", Target::Real).unwrap(),
            "-12345678901234567890"
        );
        refused(CellKind::Bigint, "1.0", Target::Real);
        refused(CellKind::Bigint, "-", Target::Real);
    }

    #[test]
    fn dates_lose_neither_day_nor_time() {
        let date = |text: &str| written(CellKind::Date, text, Target::Date);
        assert_eq!(date("2026-01-31T00:00:00.000Z").unwrap(), "2026-01-31");
        assert_eq!(date("2026-01-31T12:00:00.000Z").unwrap(), "2026-01-31T12:00:00");
        assert_eq!(date("2026-01-31T23:59:59.999Z").unwrap(), "2026-01-31T23:59:59");
        assert_eq!(date("2026-01-31T00:00:00.001Z").unwrap(), "2026-01-31T00:00:00");
        for text in [
            "+010000-01-01T00:00:00.000Z",
            "-000001-01-01T00:00:00.000Z",
            "0000-01-01T00:00:00.000Z",
            "2026-01-31",
            "",
        ] {
            refused(CellKind::Date, text, Target::Date);
        }
        refused(CellKind::Date, "2026-01-31T00:00:00.000Z", Target::Text);
    }

    #[test]
    fn empty_is_nothing_for_every_type() {
        for target in [Target::Text, Target::Int32, Target::Date, Target::NoYes] {
            assert_eq!(written(CellKind::Empty, "", target).unwrap(), "");
        }
        refused(CellKind::Empty, "x", Target::Text);
    }

    #[test]
    fn targets_come_from_the_catalogue() {
        let target = |entity: &str, property: &str| {
            Target::of(&builtin().find(entity).unwrap().property(property).unwrap().edm, builtin())
        };
        assert_eq!(target("CLMIntegrationContracts", "AmendmentInProcess"), Target::NoYes);
        assert_eq!(target("CLMIntegrationContracts", "ContractStatus"), Target::Enum);
        assert_eq!(target("CLMIntegrationContracts", "EffectiveDate"), Target::Date);
        assert_eq!(target("CLMIntegrationPurchaseAgreementLines", "LineNumber"), Target::Real);
        assert_eq!(target("CLMIntegrationExternalNavigationLinks", "NavigationType"), Target::Enum);
    }

    #[test]
    fn long_values_are_shown_cut() {
        let message = refused(CellKind::Number, &"9".repeat(200).replace('9', "x"), Target::Real);
        assert!(message.len() < 100 && message.contains('…'));
    }

    #[test]
    fn numbers_of_the_boundary() {
        let kinds = [
            CellKind::Text,
            CellKind::Number,
            CellKind::Bigint,
            CellKind::Boolean,
            CellKind::Date,
            CellKind::Empty,
        ];
        for (number, kind) in (0u8..).zip(kinds) {
            assert_eq!(CellKind::from_u8(number), Some(kind));
        }
        assert_eq!(CellKind::from_u8(6), None);
    }
}
