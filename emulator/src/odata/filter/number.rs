//! Arithmetic of `$filter`, exact: a whole number and how many of its digits stand behind the point.

use crate::value::Decimal;

/// Digits after the point that a quotient has at most.
const QUOTIENT_DIGITS: u32 = 20;

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Of two integers without remainder.
    Divide,
    /// Always with decimals.
    DivideBy,
    Modulo,
}

/// Why there is no result, in the words of .NET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArithmeticError {
    #[error("Value was either too large or too small for a Decimal.")]
    Overflow,
    #[error("Attempted to divide by zero.")]
    Zero,
}

/// Computes; `whole` for two integers.
pub(super) fn compute(
    operator: Arithmetic,
    left: &Decimal,
    right: &Decimal,
    whole: bool,
) -> Result<Decimal, ArithmeticError> {
    use ArithmeticError::Overflow;
    let (a, b) = (Fixed::of(left).ok_or(Overflow)?, Fixed::of(right).ok_or(Overflow)?);
    let result = match operator {
        Arithmetic::Multiply => {
            a.units.checked_mul(b.units).map(|units| Fixed { units, scale: a.scale + b.scale })
        }
        _ => {
            let (x, y, scale) = a.aligned(b).ok_or(Overflow)?;
            match operator {
                Arithmetic::Add => x.checked_add(y).map(|units| Fixed { units, scale }),
                Arithmetic::Subtract => x.checked_sub(y).map(|units| Fixed { units, scale }),
                _ if y == 0 => return Err(ArithmeticError::Zero),
                Arithmetic::Modulo => x.checked_rem(y).map(|units| Fixed { units, scale }),
                Arithmetic::Divide if whole => x.checked_div(y).map(|units| Fixed { units, scale: 0 }),
                _ => quotient(x, y),
            }
        }
    };
    result.and_then(Fixed::decimal).ok_or(Overflow)
}

#[derive(Clone, Copy)]
struct Fixed {
    units: i128,
    scale: u32,
}

impl Fixed {
    fn of(number: &Decimal) -> Option<Self> {
        let text = number.to_text();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let units = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { units, scale: u32::try_from(fraction.len()).ok()? })
    }

    /// Both with as many digits behind the point.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let raised = |fixed: Self| fixed.units.checked_mul(10_i128.checked_pow(scale - fixed.scale)?);
        Some((raised(self)?, raised(other)?, scale))
    }

    fn decimal(self) -> Option<Decimal> {
        let digits = self.units.unsigned_abs().to_string();
        let scale = usize::try_from(self.scale).ok()?;
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at_checked(digits.len() - scale)?;
        let sign = if self.units < 0 { "-" } else { "" };
        Decimal::parse(&format!("{sign}{whole}.{fraction}"))
    }
}

/// As many digits as the numbers leave room for; the rest is cut off.
fn quotient(x: i128, y: i128) -> Option<Fixed> {
    (0..=QUOTIENT_DIGITS).rev().find_map(|scale| {
        let units = x.checked_mul(10_i128.checked_pow(scale)?)?.checked_div(y)?;
        Some(Fixed { units, scale })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(operator: Arithmetic, left: &str, right: &str, whole: bool) -> String {
        let (left, right) = (Decimal::parse(left).unwrap(), Decimal::parse(right).unwrap());
        compute(operator, &left, &right, whole)
            .map_or_else(|error| error.to_string(), |found| found.to_text())
    }

    #[test]
    fn results_are_exact() {
        assert_eq!(result(Arithmetic::Add, "0.1", "0.2", false), "0.3");
        assert_eq!(result(Arithmetic::Subtract, "1", "1.05", false), "-0.05");
        assert_eq!(result(Arithmetic::Multiply, "-1.5", "0.02", false), "-0.03");
        assert_eq!(result(Arithmetic::Divide, "7", "2", true), "3");
        assert_eq!(result(Arithmetic::Divide, "-7", "2", true), "-3");
        assert_eq!(result(Arithmetic::Divide, "7", "2", false), "3.5");
        assert_eq!(result(Arithmetic::DivideBy, "7", "2", true), "3.5");
        assert_eq!(result(Arithmetic::DivideBy, "1", "3", true), "0.33333333333333333333");
        assert_eq!(result(Arithmetic::Modulo, "7.5", "2", false), "1.5");
        assert_eq!(result(Arithmetic::Add, "9007199254740993", "1", true), "9007199254740994");
        assert_eq!(result(Arithmetic::Modulo, "1", "0.00", false), "Attempted to divide by zero.");
        let big = "9".repeat(38);
        assert!(result(Arithmetic::Multiply, &big, "10", false).contains("too large"));
    }
}
