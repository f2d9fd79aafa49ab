//! Time as an argument: milliseconds since 1970, and the two spellings in which the wire writes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and a while.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// `2026-03-02T10:15:07Z` (a fraction of seconds is cut), as in a SAS query.
    #[must_use]
    pub fn parse_iso(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (date, time) = text.split_once('T')?;
        let mut date = date.splitn(3, '-');
        let (year, month, day) = (number(date.next()?)?, number(date.next()?)?, number(date.next()?)?);
        let time = time.split('.').next()?;
        let mut time = time.splitn(3, ':');
        let (hour, minute) = (number(time.next()?)?, number(time.next()?)?);
        let second = match time.next() {
            Some(second) => number(second)?,
            None => 0,
        };
        from_civil(year, month, day, hour, minute, second)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, as in `Retry-After` and `Date`.
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (_, rest) = text.trim().split_once(", ")?;
        let mut parts = rest.split(' ');
        let day = number(parts.next()?)?;
        let name = parts.next()?;
        let month = u64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
        let year = number(parts.next()?)?;
        let mut time = parts.next()?.splitn(3, ':');
        let (hour, minute, second) = (number(time.next()?)?, number(time.next()?)?, number(time.next()?)?);
        if parts.next()? != "GMT" {
            return None;
        }
        from_civil(year, month, day, hour, minute, second)
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn number(text: &str) -> Option<u64> {
    (text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The proleptic Gregorian calendar, counted in eras of 400 years.
fn from_civil(year: u64, month: u64, day: u64, hour: u64, minute: u64, second: u64) -> Option<Timestamp> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    Some(Timestamp(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_wire_are_read() {
        // 784111777 is the example of the HTTP specification's own date.
        let example = Timestamp::from_millis(784_111_777_000);
        assert_eq!(Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(example));
        assert_eq!(Timestamp::parse_iso("1994-11-06T08:49:37Z"), Some(example));
        assert_eq!(Timestamp::parse_iso("1994-11-06T08:49:37.1234567Z"), Some(example));
        assert_eq!(Timestamp::parse_iso("1970-01-01T00:00Z"), Some(Timestamp::from_millis(0)));
        assert_eq!(
            Timestamp::parse_iso("2000-02-29T00:00:00Z"),
            Some(Timestamp::from_millis(951_782_400_000))
        );
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in ["", "Z", "1994-11-06", "1994-13-06T08:49:37Z", "1994-11-06T24:00:00Z", "-1-1-1T1:1:1Z"] {
            assert_eq!(Timestamp::parse_iso(text), None, "{text}");
        }
        assert_eq!(Timestamp::parse_http_date("Sun, 06 Nov 1994 08:49:37 CET"), None);
    }
}
