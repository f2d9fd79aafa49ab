//! Numbers as fractions, so that nothing is rounded.

use std::cmp::Ordering;

/// A fraction; its denominator is positive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    above: i128,
    below: i128,
}

impl Ratio {
    pub(super) const ZERO: Self = Self { above: 0, below: 1 };

    /// `-12.50`, `1.5e3`. Nothing for what is no number or has more than 38 digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut above: i128 = format!("{whole}{fraction}").parse().ok()?;
        let mut below = 1;
        let exponent = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let power = 10_i128.checked_pow(exponent.unsigned_abs());
        match (power, exponent < 0) {
            _ if above == 0 => {}
            (Some(power), true) => below = power,
            (Some(power), false) => above = above.checked_mul(power)?,
            (None, _) => return None,
        }
        Some(Self { above, below }.reduced())
    }

    pub(super) fn negate(self) -> Option<Self> {
        Some(Self { above: self.above.checked_neg()?, ..self })
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let left = self.above.checked_mul(other.below)?;
        let right = other.above.checked_mul(self.below)?;
        Some(Self { above: left.checked_add(right)?, below: self.below.checked_mul(other.below)? }.reduced())
    }

    pub(super) fn mul(self, other: Self) -> Option<Self> {
        Some(
            Self { above: self.above.checked_mul(other.above)?, below: self.below.checked_mul(other.below)? }
                .reduced(),
        )
    }

    /// Nothing for a division by zero.
    pub(super) fn div(self, other: Self) -> Option<Self> {
        let sign = other.above.signum();
        self.mul(Self { above: other.below.checked_mul(sign)?, below: other.above.checked_abs()? })
            .filter(|_| sign != 0)
    }

    /// Without its fraction.
    pub(super) const fn truncated(self) -> Self {
        Self { above: self.above / self.below, below: 1 }
    }

    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        Some(self.above.checked_mul(other.below)?.cmp(&other.above.checked_mul(self.below)?))
    }

    /// The same text for the same number.
    pub(super) fn key(self) -> String {
        format!("{}/{}", self.above, self.below)
    }

    fn reduced(self) -> Self {
        let (mut a, mut b) = (self.above.unsigned_abs(), self.below.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        // The greatest common divisor divides the denominator, so it fits.
        match i128::try_from(a) {
            Ok(common) if common > 1 => Self { above: self.above / common, below: self.below / common },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        Ratio::parse(a).unwrap().order(Ratio::parse(b).unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_compared_without_rounding() {
        assert_eq!(order("1.10", "1.1"), Ordering::Equal);
        assert_eq!(order("9007199254740993", "9007199254740992"), Ordering::Greater);
        assert_eq!(order("0.1000000000000000000001", "0.1"), Ordering::Greater);
        assert_eq!(order("-2", "-10"), Ordering::Greater);
        assert_eq!(order("15e-1", "1.5"), Ordering::Equal);
        assert_eq!(order("0e99999", "0"), Ordering::Equal);
        for bad in ["", "x", "1,5", "1.5.2", "1e", "--1", "1e999", "NaN"] {
            assert!(Ratio::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn arithmetic_is_exact() {
        let n = |text: &str| Ratio::parse(text).unwrap();
        let is = |found: Option<Ratio>, text: &str| found.unwrap().order(n(text)) == Some(Ordering::Equal);
        assert!(is(n("0.1").add(n("0.2")), "0.3"));
        assert!(is(n("1").div(n("3")).unwrap().mul(n("3")), "1"));
        assert!(is(n("1").div(n("-4")), "-0.25"));
        assert!(is(n("7").negate(), "-7"));
        assert!(is(Some(n("-7.9").truncated()), "-7"));
        assert!(n("1").div(n("0")).is_none());
    }
}
