//! Literals as they stand in a URL, of every primitive type.

use super::cursor::{Cursor, in_name};
use crate::catalog::NAMESPACE;
use crate::error::Result;
use crate::odata::literal::Scalar;

impl Scalar {
    /// Reads one literal, percent-decoded, as it stands in `$filter` and in keys: `'O''Neil'`, `1.5`, `2026-03-31T10:15:07Z`,
    /// `true`, `null`, a GUID, `Microsoft.Dynamics.DataEntities.NoYes'Yes'`, `binary'Zg=='`, `duration'P1D'`, `23:59:00`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the character where the text is no literal, `UNSUPPORTED_QUERY` for literals that no property of
    /// the service takes: places on a map, several members of an enum, or a member by its number.
    pub fn parse(text: &str) -> Result<Self> {
        let mut cursor = Cursor::new(text, "literal")?;
        let found = literal(&mut cursor)?.ok_or_else(|| cursor.expected("a literal"))?;
        cursor.finish("the end")?;
        Ok(found)
    }
}

/// The literal that stands here, or nothing where none begins.
pub(super) fn literal(cursor: &mut Cursor<'_>) -> Result<Option<Scalar>> {
    let first = cursor.byte(0);
    if first == b'\'' {
        return string(cursor).map(|text| Some(Scalar::Text(text)));
    }
    if let Some(length) = ends(cursor, guid(cursor.rest().as_bytes())) {
        return Ok(Some(Scalar::Guid(cursor.take(length).to_owned())));
    }
    if first.is_ascii_digit() || (matches!(first, b'-' | b'+') && cursor.byte(1).is_ascii_digit()) {
        return Ok(Some(digits(cursor)));
    }
    if cursor.rest().starts_with("-INF") && ends(cursor, Some(4)).is_some() {
        return Ok(Some(Scalar::Number(cursor.take(4).to_owned())));
    }
    word(cursor)
}

/// `null`, `true`, `INF`, and literals with a prefix.
fn word(cursor: &mut Cursor<'_>) -> Result<Option<Scalar>> {
    let from = cursor.at();
    let name = qualified(cursor)?;
    if !name.is_empty() && cursor.byte(0) == b'\'' {
        return prefixed(cursor, name).map(Some);
    }
    // What goes on is a path or a function.
    let alone = !matches!(cursor.byte(0), b'/' | b'(');
    let found = match name {
        "null" => Some(Scalar::Null),
        "NaN" | "INF" => Some(Scalar::Number(name.to_owned())),
        _ if name.eq_ignore_ascii_case("true") => Some(Scalar::Bool(true)),
        _ if name.eq_ignore_ascii_case("false") => Some(Scalar::Bool(false)),
        _ => None,
    };
    if found.is_none() || !alone {
        cursor.back_to(from);
        return Ok(None);
    }
    Ok(found)
}

fn prefixed(cursor: &mut Cursor<'_>, name: &str) -> Result<Scalar> {
    let from = cursor.at();
    let text = string(cursor)?;
    let fault = |cursor: &mut Cursor<'_>, expected: &str| {
        cursor.back_to(from);
        Err(cursor.expected(expected))
    };
    if name.eq_ignore_ascii_case("binary") {
        return if base64(&text) { Ok(Scalar::Binary(text)) } else { fault(cursor, "a text in base64url") };
    }
    if name.eq_ignore_ascii_case("duration") {
        return if duration(&text) {
            Ok(Scalar::Duration(text))
        } else {
            fault(cursor, "a duration such as P1DT12H30M5.5S")
        };
    }
    if name.eq_ignore_ascii_case("geography") || name.eq_ignore_ascii_case("geometry") {
        let srid = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("SRID="));
        if !srid || !text.contains(';') || !text.ends_with(')') {
            return fault(cursor, "a place such as SRID=0;Point(142.1 64.1)");
        }
        cursor.refuse("a geography or geometry literal", "No property of this service holds a place.");
        return Ok(Scalar::Null);
    }
    let members: Vec<&str> = text.split(',').collect();
    let by_number = |member: &str| member.strip_prefix(['+', '-']).unwrap_or(member).parse::<u64>().is_ok();
    let by_name = |member: &str| {
        member.starts_with(|c: char| c == '_' || c.is_alphabetic()) && member.chars().all(in_name)
    };
    if !members.iter().all(|member| by_name(member) || by_number(member)) {
        return fault(cursor, "a member of the enum");
    }
    if members.len() > 1 {
        cursor.refuse("several members in one enum literal", "Name the members with anyOf, or with or.");
    } else if by_number(&text) {
        cursor.refuse("an enum member by its number", "Use the symbol of the member.");
    }
    let short = name.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    Ok(Scalar::Enum { name: short.to_owned(), member: text })
}

/// Identifiers with points between; nothing is read where none stands here.
pub(super) fn qualified<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str> {
    let from = cursor.at();
    let rest = cursor.rest();
    let Some(_) = cursor.identifier()? else { return Ok("") };
    loop {
        let end = cursor.at();
        if !cursor.eat(b'.') {
            break;
        }
        if cursor.identifier()?.is_none() {
            cursor.back_to(end);
            break;
        }
    }
    Ok(rest.get(..cursor.at() - from).unwrap_or_default())
}

fn string(cursor: &mut Cursor<'_>) -> Result<String> {
    cursor.skip(1);
    let mut text = String::new();
    loop {
        let rest = cursor.rest();
        let Some(end) = rest.find('\'') else {
            cursor.skip(rest.len());
            return Err(cursor.expected("the quote that ends the text"));
        };
        text.push_str(cursor.take(end));
        cursor.skip(1);
        if !cursor.eat(b'\'') {
            return Ok(text);
        }
        text.push('\'');
    }
}

/// A number, date or time, whichever is longest.
fn digits(cursor: &mut Cursor<'_>) -> Scalar {
    let bytes = cursor.rest().as_bytes();
    if let Some(day) = date(bytes) {
        if let Some(length) = ends(cursor, moment(bytes, day)) {
            return Scalar::Date(cursor.take(length).to_ascii_uppercase());
        }
        if ends(cursor, Some(day)).is_some() {
            return Scalar::Date(cursor.take(day).to_owned());
        }
    }
    if let Some(length) = ends(cursor, time(bytes)) {
        return Scalar::TimeOfDay(cursor.take(length).to_owned());
    }
    cursor.eat(b'+');
    let text = cursor.take(number(cursor.rest().as_bytes()));
    // The grammar allows zeros in front; JSON, which the same numbers are written in, does not.
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let short = digits.trim_start_matches('0');
    let zero = if short.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    Scalar::Number(format!("{sign}{zero}{short}"))
}

/// The length, if no name goes on behind it.
fn ends(cursor: &Cursor<'_>, length: Option<usize>) -> Option<usize> {
    length.filter(|length| {
        !cursor.rest().get(*length..).and_then(|rest| rest.chars().next()).is_some_and(in_name)
    })
}

/// Length of the digits at the start.
fn run(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

fn from(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// Two digits of at most that value.
fn two(bytes: &[u8], most: u8) -> bool {
    let (a, b) = (byte(bytes, 0), byte(bytes, 1));
    a.is_ascii_digit() && b.is_ascii_digit() && (a - b'0') * 10 + (b - b'0') <= most
}

/// Length of the number that begins here.
fn number(bytes: &[u8]) -> usize {
    let mut at = usize::from(byte(bytes, 0) == b'-');
    at += run(from(bytes, at));
    let fraction = run(from(bytes, at + 1));
    if byte(bytes, at) == b'.' && fraction > 0 {
        at += 1 + fraction;
    }
    if matches!(byte(bytes, at), b'e' | b'E') {
        let sign = usize::from(matches!(byte(bytes, at + 1), b'+' | b'-'));
        let exponent = run(from(bytes, at + 1 + sign));
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

/// Length of the date that begins here.
fn date(bytes: &[u8]) -> Option<usize> {
    let sign = usize::from(byte(bytes, 0) == b'-');
    let year = run(from(bytes, sign));
    if year < 4 || (year > 4 && byte(bytes, sign) == b'0') {
        return None;
    }
    let at = sign + year;
    let month = from(bytes, at + 1);
    let day = from(bytes, at + 4);
    let fits = byte(bytes, at) == b'-'
        && two(month, 12)
        && !month.starts_with(b"00")
        && byte(bytes, at + 3) == b'-'
        && two(day, 31)
        && !day.starts_with(b"00");
    fits.then_some(at + 6)
}

/// Length of the time that begins here.
fn time(bytes: &[u8]) -> Option<usize> {
    if !(two(bytes, 23) && byte(bytes, 2) == b':' && two(from(bytes, 3), 59)) {
        return None;
    }
    if !(byte(bytes, 5) == b':' && two(from(bytes, 6), 60)) {
        return Some(5);
    }
    let fraction = run(from(bytes, 9));
    Some(if byte(bytes, 8) == b'.' && (1..=12).contains(&fraction) { 9 + fraction } else { 8 })
}

/// Length of the moment that begins with this date.
fn moment(bytes: &[u8], day: usize) -> Option<usize> {
    if !matches!(byte(bytes, day), b'T' | b't') {
        return None;
    }
    let at = day + 1 + time(from(bytes, day + 1))?;
    match byte(bytes, at) {
        b'Z' | b'z' => Some(at + 1),
        b'+' | b'-' => {
            let zone = from(bytes, at + 1);
            (two(zone, 23) && byte(zone, 2) == b':' && two(from(zone, 3), 59)).then_some(at + 6)
        }
        _ => None,
    }
}

fn guid(bytes: &[u8]) -> Option<usize> {
    let fits = (0..36).all(|at| {
        let b = byte(bytes, at);
        if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() }
    });
    fits.then_some(36)
}

/// Base64 with the letters for URLs; the last letter's unused bits are 0.
fn base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let letter = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let last = body.bytes().last().and_then(letter).unwrap_or(0);
    body.bytes().all(|b| letter(b).is_some())
        && match body.len() % 4 {
            0 => padding == 0,
            2 => matches!(padding, 0 | 2) && last.is_multiple_of(16),
            3 => matches!(padding, 0 | 1) && last.is_multiple_of(4),
            _ => false,
        }
}

/// `[-]P[nD][T[nH][nM][n[.n]S]]`
fn duration(text: &str) -> bool {
    let bytes = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let mut at = 1;
    let unit = |at: usize, unit: u8| {
        let digits = run(from(bytes, at));
        (digits > 0 && byte(bytes, at + digits).eq_ignore_ascii_case(&unit)).then_some(at + digits + 1)
    };
    at = unit(at, b'D').unwrap_or(at);
    if matches!(byte(bytes, at), b'T' | b't') {
        at += 1;
        at = unit(at, b'H').unwrap_or(at);
        at = unit(at, b'M').unwrap_or(at);
        let whole = run(from(bytes, at));
        let fraction = if byte(bytes, at + whole) == b'.' { 1 + run(from(bytes, at + whole + 1)) } else { 0 };
        if whole > 0 && fraction != 1 && matches!(byte(bytes, at + whole + fraction), b'S' | b's') {
            at += whole + fraction + 1;
        }
    }
    matches!(byte(bytes, 0), b'P' | b'p') && at == bytes.len()
}
