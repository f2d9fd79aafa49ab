//! Which texts the service takes as a value of a field: the counterpart of `cell`, for files that others wrote.
//!
//! | field | takes |
//! |---|---|
//! | text, binary | everything |
//! | any other | nothing at all: the default of the type |
//! | Int32, Int64 | digits with a sign, in range |
//! | Decimal, Double | digits with a sign, a decimal point (also first, `.000000`) and an exponent |
//! | date, date-time | `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SS` with fractions, a zone, or a blank in place of the T |
//! | enum, `NoYes` | a member's name in any case, or its number |
//! | GUID | 32 hexadecimal digits, with hyphens and braces or without |
//!
//! Blanks around numbers and dates are taken. Dates in the form of a language (`1/31/2026`) depend on the format's record in
//! the environment; they are not taken for values here.

use crate::catalog::{Catalog, EdmType, Property};

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepts {
    Anything,
    Int32,
    Int64,
    Real,
    Date,
    /// Members in lower case, in the order of their numbers.
    Enum(Vec<String>),
    Guid,
}

impl Accepts {
    pub(crate) fn of(property: &Property, catalog: &Catalog) -> Self {
        let members = |names: &[String]| match names {
            [] => Self::Anything,
            names => Self::Enum(names.iter().map(|name| name.to_ascii_lowercase()).collect()),
        };
        match &property.edm {
            EdmType::Int32 => Self::Int32,
            EdmType::Int64 => Self::Int64,
            EdmType::Decimal | EdmType::Double => Self::Real,
            EdmType::DateTimeOffset => Self::Date,
            EdmType::Guid => Self::Guid,
            EdmType::Boolean => Self::no_yes(),
            EdmType::Enum(name) => match catalog.enum_members(name) {
                Some(names) => members(names),
                None if name == "NoYes" => Self::no_yes(),
                None => Self::Anything,
            },
            EdmType::UnnamedEnum => members(&property.members),
            _ => Self::Anything,
        }
    }

    fn no_yes() -> Self {
        Self::Enum(vec!["no".to_owned(), "yes".to_owned()])
    }

    /// Whether it is the enum of two members that no tenant extends.
    pub(crate) fn is_no_yes(&self) -> bool {
        matches!(self, Self::Enum(members) if members == &["no", "yes"])
    }

    /// Name for messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Anything => "text",
            Self::Int32 => "a 32-bit integer",
            Self::Int64 => "a 64-bit integer",
            Self::Real => "a decimal number",
            Self::Date => "a date or date-time",
            Self::Enum(_) if self.is_no_yes() => "Yes or No",
            Self::Enum(_) => "a member of its enum",
            Self::Guid => "a GUID",
        }
    }

    /// Whether the service takes the text.
    pub(crate) fn takes(&self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        match self {
            Self::Anything => true,
            Self::Int32 => text.trim().parse::<i32>().is_ok(),
            Self::Int64 => text.trim().parse::<i64>().is_ok(),
            Self::Real => Real::parse(text.trim()).is_some(),
            Self::Date => DateTime::parse(text.trim()).is_some(),
            Self::Enum(members) => member(members, text).is_some(),
            Self::Guid => guid(text).is_some(),
        }
    }

    /// Whether the text has a time of day, for a field that takes one.
    pub(crate) fn has_time(&self, text: &str) -> bool {
        matches!(self, Self::Date)
            && DateTime::parse(text.trim()).is_some_and(|it| it.seconds.is_some_and(|seconds| seconds != 0))
    }

    /// Appends the text in a form in which equal values look the same. What is no value stays as it is.
    pub(crate) fn normalise(&self, text: &str, out: &mut String) {
        match self {
            Self::Int32 | Self::Int64 | Self::Real => match Real::parse(text.trim()) {
                Some(real) => real.write(out),
                None => fold(text, out),
            },
            Self::Date => match DateTime::parse(text.trim()) {
                Some(date) => out.push_str(&date.instant()),
                None => fold(text, out),
            },
            Self::Enum(members) => match member(members, text) {
                Some(number) => out.push_str(&number.to_string()),
                None => fold(text, out),
            },
            Self::Guid => match guid(text) {
                Some(digits) => out.push_str(&digits),
                None => fold(text, out),
            },
            Self::Anything => fold(text, out),
        }
    }
}

/// As the database compares texts: without regard to case and to blanks at the end (*unverified*).
fn fold(text: &str, out: &mut String) {
    let text = text.trim_end_matches(' ');
    if text.is_ascii() {
        out.extend(text.chars().map(|c| c.to_ascii_uppercase()));
    } else {
        out.push_str(&upper(text));
    }
}

/// In upper case. Unlike the function of the standard library it brings one table of letters and no more, which a module pays
/// for by the byte; no letter's upper case depends on its neighbours.
pub(crate) fn upper(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).collect()
}

fn member(members: &[String], text: &str) -> Option<usize> {
    if let Ok(number) = text.parse::<usize>() {
        return (number < members.len()).then_some(number);
    }
    let text = text.to_ascii_lowercase();
    members.iter().position(|name| *name == text)
}

fn guid(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let hyphens = inner.len() == 36;
    let digits: String = inner
        .bytes()
        .enumerate()
        .filter(|(i, b)| !(hyphens && *b == b'-' && matches!(i, 8 | 13 | 18 | 23)))
        .map(|(_, b)| char::from(b.to_ascii_lowercase()))
        .collect();
    (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

/// A number in digits.
struct Real<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

/// Larger exponents are refused: no field holds such numbers.
const MAX_EXPONENT: i32 = 64;

impl<'a> Real<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let some = !whole.is_empty() || !fraction.is_empty();
        (some && digits(whole) && digits(fraction) && exponent.abs() <= MAX_EXPONENT && mantissa.len() <= 64)
            .then_some(Self { negative, whole, fraction, exponent })
    }

    /// Digits and the place of the point, without zeros at either end.
    fn write(&self, out: &mut String) {
        let digits = [self.whole, self.fraction].concat();
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            out.push('0');
            return;
        }
        let point = i64::try_from(self.whole.len()).unwrap_or(0) - i64::try_from(leading).unwrap_or(0)
            + i64::from(self.exponent);
        if self.negative {
            out.push('-');
        }
        out.push_str("0.");
        out.push_str(significant);
        out.push('e');
        out.push_str(&point.to_string());
    }
}

/// A date or date-time as the service's OData writes it, in UTC; a date alone is noon. None where the text is neither.
#[cfg(feature = "full")]
pub(crate) fn utc_text(text: &str) -> Option<String> {
    DateTime::parse(text).map(|time| time.utc_text())
}

/// Milliseconds since 1970 in the same spelling, whole seconds.
#[cfg(feature = "full")]
pub(crate) fn utc_of_millis(millis: u64) -> String {
    const FIRST_OF_1970: i64 = 719_468;
    let seconds = i64::try_from(millis / 1_000).unwrap_or(i64::MAX);
    let (days, seconds) = (FIRST_OF_1970 + seconds / 86_400, seconds % 86_400);
    DateTime { days, seconds: Some(seconds), offset_minutes: 0, nanos: 0 }.utc_text()
}

/// A day of the proleptic Gregorian calendar, perhaps with a time.
struct DateTime {
    days: i64,
    /// Of the day; none where there is no time.
    seconds: Option<i64>,
    offset_minutes: i64,
    nanos: u32,
}

impl DateTime {
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_at_checked(10)? {
            (date, "") => (date, None),
            (date, rest) => (date, Some(rest.strip_prefix(['T', 't', ' '])?)),
        };
        let days = day(date)?;
        let Some(time) = time else { return Some(Self { days, seconds: None, offset_minutes: 0, nanos: 0 }) };
        let (clock, rest) = time.split_at_checked(8)?;
        let [h1, h2, b':', m1, m2, b':', s1, s2] = clock.as_bytes().first_chunk::<8>()? else { return None };
        let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (nanos, rest) = fraction(rest)?;
        let offset_minutes = zone(rest)?;
        Some(Self { days, seconds: Some(hour * 3600 + minute * 60 + second), offset_minutes, nanos })
    }

    #[cfg(feature = "full")]
    fn utc_text(&self) -> String {
        let seconds = self.seconds.unwrap_or(43_200) - self.offset_minutes * 60;
        let (days, seconds) = (self.days + seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // The inverse of `day`: years begin in March, eras have 400 of them.
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year + era * 400 + i64::from(month < 3);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if self.nanos != 0 {
            out.push_str(format!(".{:09}", self.nanos).trim_end_matches('0'));
        }
        out.push('Z');
        out
    }

    /// For comparing; a date alone is noon, as the service shows it.
    fn instant(&self) -> String {
        let seconds = self.days * 86_400 + self.seconds.unwrap_or(43_200) - self.offset_minutes * 60;
        format!("{seconds}.{:09}", self.nanos)
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Days since 0000-03-01.
fn day(text: &str) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes().first_chunk::<10>()? else {
        return None;
    };
    let (year, month, day) = (two(*y1, *y2)? * 100 + two(*y3, *y4)?, two(*m1, *m2)?, two(*d1, *d2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > length {
        return None;
    }
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1)
}

/// `.123`, or nothing; returns what follows.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = rest.split_at_checked(length)?;
    if digits.is_empty() {
        return None;
    }
    let nanos =
        digits.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    Some((nanos, rest))
}

/// Minutes east of UTC.
fn zone(text: &str) -> Option<i64> {
    match text.as_bytes() {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            (hours <= 23 && minutes <= 59)
                .then(|| (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(accepts: &Accepts, text: &str) -> String {
        let mut out = String::new();
        accepts.normalise(text, &mut out);
        out
    }

    // Kills mutants in ranges, signs, calendars and the table above.
    #[test]
    fn what_each_type_takes() {
        let colours = Accepts::Enum(vec!["red".into(), "green".into()]);
        let cases: [(&Accepts, &[&str], &[&str]); 7] = [
            (&Accepts::Anything, &["", "x", "\u{1}"], &[]),
            (
                &Accepts::Int32,
                &["", "0", "-2147483648", "+7", " 12 ", "2147483647"],
                &["2147483648", "1.0", "x", "1 2", " "],
            ),
            (&Accepts::Int64, &["9223372036854775807", "-1"], &["9223372036854775808", "1e3"]),
            (
                &Accepts::Real,
                &["1", "-1.5", ".000000", "5.", "1e3", "2E-2", "+0.1"],
                &["1,5", "1.2.3", ".", "-", "e5", "1e99", "NaN", "1 000"],
            ),
            (
                &Accepts::Date,
                &[
                    "2026-02-28",
                    "2024-02-29",
                    "1900-01-01",
                    "2026-01-31T23:59:59",
                    "2026-01-31 08:30:00",
                    "2026-01-31T08:30:00Z",
                    "2026-01-31T08:30:00.5+02:00",
                ],
                &[
                    "2026-02-29",
                    "1900-02-29",
                    "2026-13-01",
                    "2026-00-10",
                    "2026-04-31",
                    "31.01.2026",
                    "1/31/2026",
                    "2026-1-3",
                    "2026-01-31T24:00:00",
                    "2026-01-31T08:30",
                    "2026-01-31T08:30:00+2",
                    "2026-01-31x08:30:00",
                    "0000-01-01",
                    "2026-01-3é",
                ],
            ),
            (&colours, &["Red", "GREEN", "0", "1"], &["2", "blue", "-1", "re d"]),
            (
                &Accepts::Guid,
                &[
                    "0f8fad5b-d9cb-469f-a165-70867728950e",
                    "{0F8FAD5B-D9CB-469F-A165-70867728950E}",
                    "0f8fad5bd9cb469fa16570867728950e",
                ],
                &["0f8fad5b", "{0f8fad5bd9cb469fa16570867728950e", "0f8fad5b-d9cb-469f-a165-70867728950g"],
            ),
        ];
        for (accepts, good, bad) in cases {
            for text in good {
                assert!(accepts.takes(text), "{accepts:?} takes {text:?}");
            }
            for text in bad {
                assert!(!accepts.takes(text), "{accepts:?} refuses {text:?}");
            }
        }
    }

    #[test]
    fn equal_values_look_the_same() {
        for (a, b) in [("1.50", "1.5"), ("0", "-0.00"), ("12e2", "1200"), ("5e-3", ".005"), ("007", "7")] {
            assert_eq!(normal(&Accepts::Real, a), normal(&Accepts::Real, b), "{a} {b}");
        }
        for (a, b) in [("1.5", "15"), ("1", "-1"), ("10", "100"), ("0.1", "0.01")] {
            assert_ne!(normal(&Accepts::Real, a), normal(&Accepts::Real, b), "{a} {b}");
        }
        assert_eq!(
            normal(&Accepts::Date, "2026-04-01T02:00:00+02:00"),
            normal(&Accepts::Date, "2026-04-01 00:00:00")
        );
        assert_eq!(normal(&Accepts::Date, "2026-04-01"), normal(&Accepts::Date, "2026-04-01T12:00:00Z"));
        assert_ne!(normal(&Accepts::Date, "2026-03-01"), normal(&Accepts::Date, "2026-02-28"));
        assert_eq!(normal(&Accepts::Anything, "Zoë "), "ZOË");
        assert_ne!(normal(&Accepts::Anything, " a"), normal(&Accepts::Anything, "a"));
        let colours = Accepts::Enum(vec!["red".into(), "green".into()]);
        assert_eq!(normal(&colours, "Green"), normal(&colours, "1"));
    }

    #[test]
    #[cfg(feature = "full")]
    fn times_are_told_in_utc() {
        for (text, utc) in [
            ("2026-04-01", "2026-04-01T12:00:00Z"),
            ("2026-04-01T00:00:00", "2026-04-01T00:00:00Z"),
            ("2026-03-01T01:30:00+02:00", "2026-02-28T23:30:00Z"),
            ("2024-02-29T23:00:00-01:30", "2024-03-01T00:30:00Z"),
            ("1900-01-01T00:00:00", "1900-01-01T00:00:00Z"),
            ("2154-12-31T23:59:59.120Z", "2154-12-31T23:59:59.12Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc_text(text).as_deref(), Some(utc), "{text}");
        }
        assert_eq!(utc_text("31.01.2026"), None);
        assert_eq!(utc_of_millis(784_111_777_999), "1994-11-06T08:49:37Z");
    }

    #[test]
    fn days_follow_one_another() {
        let days: Vec<i64> =
            ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"].map(|text| day(text).unwrap()).to_vec();
        assert_eq!(days.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(day("2001-01-01").unwrap() - day("2000-01-01").unwrap(), 366);
        assert_eq!(day("1901-01-01").unwrap() - day("1900-01-01").unwrap(), 365);
    }

    #[test]
    fn types_of_the_catalogue_are_known() {
        let catalog = crate::catalog::builtin();
        let lines = catalog.find("CLMIntegrationPurchaseAgreementLines").unwrap();
        assert_eq!(Accepts::of(lines.property("LineNumber").unwrap(), catalog), Accepts::Real);
        let fixed = Accepts::of(lines.property("IsPriceAndDiscountFixed").unwrap(), catalog);
        assert!(fixed.is_no_yes());
        assert!(
            Accepts::Date.has_time("2026-01-31T08:30:00") && !Accepts::Date.has_time("2026-01-31T00:00:00")
        );
    }
}
