//! Dates and times as the wire writes them, compared and moved to UTC without loss.

/// A moment: seconds since 1970 in UTC, and the digits of the fraction without zeros at their end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    seconds: i64,
    fraction: String,
}

impl Moment {
    /// `2026-03-31T10:15:07.5Z`, an offset in place of `Z`, without seconds too; or `2026-03-31`, which the service keeps at noon
    /// UTC. Years 1 to 9999.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let year = number(text.get(..4)?)?;
        let month = number(text.get(5..7)?)?;
        let day = number(text.get(8..10)?)?;
        let dashes = text.get(4..5)? == "-" && text.get(7..8)? == "-";
        if !dashes || year == 0 || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let midnight = days(year, month, day) * 86_400;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Some(Self { seconds: midnight + 43_200, fraction: String::new() });
        }
        let zone_at = rest.rfind(['Z', '+', '-'])?;
        let clock = rest.get(..zone_at)?.strip_prefix('T')?;
        let offset = match rest.get(zone_at..)? {
            "Z" => 0,
            zone => {
                let minutes = clock_minutes(zone.get(1..)?)?;
                if zone.starts_with('-') { -minutes } else { minutes }
            }
        };
        let minutes = clock_minutes(clock.get(..5)?)?;
        let (seconds, fraction) = match clock.get(5..)? {
            "" => (0, ""),
            rest => {
                let (seconds, fraction) =
                    rest.strip_prefix(':')?.split_once('.').unwrap_or((rest.get(1..)?, "0"));
                (number(seconds).filter(|s| seconds.len() == 2 && *s < 60)?, fraction)
            }
        };
        if !(fraction.is_empty() && clock.len() == 5 || digits(fraction)) {
            return None;
        }
        Some(Self {
            seconds: midnight + (minutes - offset) * 60 + seconds,
            fraction: fraction.trim_end_matches('0').to_owned(),
        })
    }

    /// With `Z`, the fraction as it is.
    pub(super) fn to_utc(&self) -> String {
        let (mut day, second) = (self.seconds.div_euclid(86_400), self.seconds.rem_euclid(86_400));
        // Days since 0000-03-01, in eras of 400 years.
        day += 719_468;
        let era = day.div_euclid(146_097);
        let of_era = day.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let point = if self.fraction.is_empty() { "" } else { "." };
        let fraction = &self.fraction;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}Z")
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| digits(text))
}

/// `hh:mm` in minutes.
fn clock_minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let fits = text.len() == 5 && hour.len() == 2;
    let (hour, minute) = (number(hour)?, number(minute)?);
    (fits && hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        Moment::parse(text).unwrap().seconds
    }

    #[test]
    fn moments_are_seconds_since_1970() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("1970-01-01"), 43_200, "a date is kept at noon");
        assert_eq!(seconds("2000-02-29T00:00Z"), 951_782_400);
        assert_eq!(seconds("1900-01-01T00:00:00Z"), -2_208_988_800);
        assert_eq!(seconds("2026-03-31T10:15:07Z"), 1_774_952_107);
    }

    #[test]
    fn offsets_and_fractions_are_kept() {
        let utc = |text: &str| Moment::parse(text).unwrap().to_utc();
        assert_eq!(utc("2026-01-01T00:30:00+01:00"), "2025-12-31T23:30:00Z");
        assert_eq!(utc("2024-02-28T23:59:59.120-00:30"), "2024-02-29T00:29:59.12Z");
        assert_eq!(utc("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
        assert_eq!(Moment::parse("2026-01-01T00:00:00.0Z"), Moment::parse("2026-01-01T01:00+01:00"));
        assert!(Moment::parse("2026-01-01T00:00:00.05Z") < Moment::parse("2026-01-01T00:00:00.1Z"));
    }

    #[test]
    fn what_is_no_moment() {
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-10",
            "0000-01-01",
            "2026-1-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T0:00Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:5Z",
            "٢٠٢٦-01-01",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }
}
