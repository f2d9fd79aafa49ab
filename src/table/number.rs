//! Numbers as JavaScript prints them, written without an exponent.

use std::borrow::Cow;

/// More digits than any number of JavaScript needs (the smallest is 5e-324, the largest 1.8e308).
const MAX_EXPONENT: i32 = 400;

/// The same number in plain digits with a decimal point; none where the text is no finite number.
pub(super) fn plain(text: &str) -> Option<Cow<'_, str>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else {
        return split(digits).map(|_| Cow::Borrowed(text));
    };
    let (whole, fraction) = split(mantissa)?;
    let exponent: i32 = exponent.parse().ok().filter(|e: &i32| e.abs() <= MAX_EXPONENT)?;
    Some(Cow::Owned(shift(negative, whole, fraction, exponent)))
}

/// Whether a plain number has no fraction.
pub(super) fn is_whole(plain: &str) -> bool {
    plain.split_once('.').is_none_or(|(_, fraction)| fraction.bytes().all(|b| b == b'0'))
}

/// A number as a workbook stores it, in plain digits, as Excel would show it with all its digits: it stores 1.1 as
/// 1.1000000000000001 and works with 15 significant digits. Whole numbers keep every digit.
#[cfg_attr(not(feature = "excel"), allow(dead_code))]
pub(super) fn displayed(text: &str) -> Option<String> {
    const SIGNIFICANT: usize = 15;
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    if digits.starts_with('-') {
        return None;
    }
    let zero = if digits.starts_with('.') { "0" } else { "" };
    let plain = plain(&format!("{zero}{digits}"))?.into_owned();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let all = [whole, fraction].concat();
    let leading = all.bytes().take_while(|&b| b == b'0').count();
    let kept = (leading + SIGNIFICANT).clamp(whole.len(), all.len().max(whole.len()));
    let mut rounded: Vec<u8> = all.bytes().take(kept).collect();
    if all.as_bytes().get(kept).is_some_and(|&b| b >= b'5') {
        increment(&mut rounded);
    }
    let rounded = String::from_utf8(rounded).ok()?;
    let point = rounded.len() - (kept - whole.len());
    let (whole, fraction) = rounded.split_at_checked(point)?;
    Some(join(sign == "-", whole, fraction))
}

/// Adds one to a row of digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

fn split(digits: &str) -> Option<(&str, &str)> {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => (all_digits(whole) && all_digits(fraction)).then_some((whole, fraction)),
        None => all_digits(digits).then_some((digits, "")),
    }
}

/// `whole.fraction × 10^exponent`.
fn shift(negative: bool, whole: &str, fraction: &str, exponent: i32) -> String {
    let digits: String = [whole, fraction].concat();
    let steps = exponent.unsigned_abs() as usize;
    let (left, right) = if exponent >= 0 {
        let cut = (whole.len() + steps).min(digits.len());
        let zeros = (whole.len() + steps).saturating_sub(digits.len());
        let (left, right) = digits.split_at_checked(cut).unwrap_or((&digits, ""));
        (left.to_owned() + &"0".repeat(zeros), right.to_owned())
    } else {
        let cut = whole.len().saturating_sub(steps);
        let zeros = steps.saturating_sub(whole.len());
        let (left, right) = digits.split_at_checked(cut).unwrap_or((&digits, ""));
        (left.to_owned(), "0".repeat(zeros) + right)
    };
    join(negative, &left, &right)
}

fn join(negative: bool, left: &str, right: &str) -> String {
    let left = left.trim_start_matches('0');
    let right = right.trim_end_matches('0');
    let sign = if negative && !(left.is_empty() && right.is_empty()) { "-" } else { "" };
    let left = if left.is_empty() { "0" } else { left };
    if right.is_empty() { format!("{sign}{left}") } else { format!("{sign}{left}.{right}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_stay_as_they_are() {
        for text in ["0", "-1", "12.50", "0.000001", "123456789012345680000"] {
            assert_eq!(plain(text).unwrap(), text);
        }
    }

    // Kills the mutants that drop the sign, move the point the wrong way, or by one too many.
    #[test]
    fn exponents_become_digits() {
        assert_eq!(plain("1e+21").unwrap(), "1000000000000000000000");
        assert_eq!(plain("-1.5e+3").unwrap(), "-1500");
        assert_eq!(plain("1.2345e+2").unwrap(), "123.45");
        assert_eq!(plain("1.5e-7").unwrap(), "0.00000015");
        assert_eq!(plain("-2.25e-1").unwrap(), "-0.225");
        assert_eq!(plain("12.5e-1").unwrap(), "1.25");
        assert_eq!(plain("0e+5").unwrap(), "0");
        assert_eq!(plain("5e-324").unwrap().len(), "0.".len() + 324);
        assert_eq!(plain("1.7976931348623157e+308").unwrap().len(), 309);
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for text in [
            "NaN",
            "Infinity",
            "-Infinity",
            "",
            "-",
            ".5",
            "5.",
            "1e",
            "1e999",
            "1e99999999999",
            "0x10",
            "1 ",
            "١",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_workbooks_have_fifteen_digits() {
        for (stored, shown) in [
            ("1.1000000000000001", "1.1"),
            ("0.30000000000000004", "0.3"),
            ("0.99999999999999989", "1"),
            ("9.9999999999999996E-2", "0.1"),
            ("123456789012345.67", "123456789012346"),
            ("999999999999999.9", "1000000000000000"),
            ("1234567890123456.9", "1234567890123457"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.000123456789012345649", "0.000123456789012346"),
            ("0.1234567890123455", "0.123456789012346"),
            ("-12.50", "-12.5"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("007", "7"),
            ("-0.0", "0"),
        ] {
            assert_eq!(displayed(stored).as_deref(), Some(shown), "{stored}");
        }
        for text in ["", ".", "-", "--1", "1.", "1,5", "x"] {
            assert_eq!(displayed(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_told_from_fractions() {
        assert!(is_whole("12") && is_whole("-0.00"));
        assert!(!is_whole("0.1"));
    }
}
