//! What is sent in place of an exact comparison, and what is left to be compared here.

use super::tree::{Compare, Filter, Operand};
use crate::odata::literal::Scalar;

impl Filter {
    /// Whether there is an `eq` of a text with `*` that is meant as it stands.
    pub(crate) fn has_exact(&self) -> bool {
        match self {
            Self::Compare { .. } => self.is_exact(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_exact),
            Self::Not(part) => part.has_exact(),
            Self::Always(_) | Self::AnyOf { .. } => false,
        }
    }

    /// A filter that the service knows and that lets all rows of this one through, perhaps more.
    pub(crate) fn superset(&self) -> Self {
        self.bound(true)
    }

    /// What the superset leaves undecided: only the parts with an exact comparison, since the service decides the rest.
    pub(crate) fn residue(&self) -> Self {
        match self {
            Self::And(parts) => Self::and(parts.iter().filter(|part| part.has_exact()).cloned().collect()),
            other => other.clone(),
        }
    }

    /// Every exact comparison as its pattern, to be checked.
    pub(crate) fn patterns(&self) -> Self {
        match self {
            Self::Compare { .. } => self.bound(true),
            Self::And(parts) => Self::And(parts.iter().map(Self::patterns).collect()),
            Self::Or(parts) => Self::Or(parts.iter().map(Self::patterns).collect()),
            Self::Not(part) => Self::Not(Box::new(part.patterns())),
            same => same.clone(),
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self, Self::Compare { op: Compare::Eq, right: Operand::Value(Scalar::Text(text)), exact: true, .. }
            if text.contains('*'))
    }

    /// No narrower than the filter where `wide`, else no wider.
    fn bound(&self, wide: bool) -> Self {
        match self {
            Self::Compare { left, right, .. } if self.is_exact() => {
                if wide {
                    Self::Compare {
                        left: left.clone(),
                        op: Compare::Like,
                        right: right.clone(),
                        exact: false,
                    }
                } else {
                    // The pattern finds more than the text itself, so that only "none" is surely within.
                    Self::Always(false)
                }
            }
            Self::And(parts) => Self::join(parts, wide, false),
            Self::Or(parts) => Self::join(parts, wide, true),
            Self::Not(part) => match part.bound(!wide) {
                Self::Always(flag) => Self::Always(!flag),
                part => Self::Not(Box::new(part)),
            },
            same => same.clone(),
        }
    }

    /// An `or` where `any`, else an `and`; what is always so decides it or is left out.
    fn join(parts: &[Self], wide: bool, any: bool) -> Self {
        let mut left = Vec::with_capacity(parts.len());
        for part in parts {
            match part.bound(wide) {
                Self::Always(flag) if flag == any => return Self::Always(any),
                Self::Always(_) => {}
                part => left.push(part),
            }
        }
        if any { Self::or(left) } else { Self::and(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(p: &str, text: &str) -> Filter {
        Filter::Compare {
            left: Operand::Property(p.to_owned()),
            op: Compare::Eq,
            right: Operand::Value(Scalar::Text(text.to_owned())),
            exact: true,
        }
    }
    fn plain(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_is_sent_in_its_place() {
        assert_eq!(exact("A", "x*").superset(), plain("A eq 'x*'"));
        assert!(!exact("A", "x").has_exact(), "the service compares that exactly");
    }

    #[test]
    fn under_not_nothing_is_sent_that_would_lose_rows() {
        let not = |filter| Filter::Not(Box::new(filter));
        assert_eq!(not(exact("A", "x*")).superset(), Filter::Always(true));
        assert_eq!(not(not(exact("A", "x*"))).superset(), not(not(plain("A eq 'x*'"))));
        let both = Filter::And(vec![plain("B eq 1"), not(exact("A", "x*"))]);
        assert_eq!(both.superset(), plain("B eq 1"));
        let either = Filter::Or(vec![plain("B eq 1"), not(exact("A", "x*"))]);
        assert_eq!(either.superset(), Filter::Always(true));
        let de_morgan = not(Filter::Or(vec![plain("B eq 1"), exact("A", "x*")]));
        assert_eq!(de_morgan.superset(), plain("not (B eq 1)"));
    }

    #[test]
    fn only_what_the_service_can_not_decide_is_left() {
        let both = Filter::And(vec![plain("B eq 1"), exact("A", "x*")]);
        assert_eq!(both.residue(), exact("A", "x*"));
    }
}
