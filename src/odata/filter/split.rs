//! A filter in parts, each of which fits a request. Every row that fits the filter fits exactly one part.

use super::eval::folded;
use super::ratio::Ratio;
use super::tree::Filter;
use crate::odata::literal::Scalar;
use crate::odata::moment::Moment;

/// The filter in two, by the values of its longest `anyOf`; nothing where it has none that can be divided. Only what every row
/// must fit is looked at: under `or` and `not` two halves would not be disjoint.
pub(crate) fn halves(filter: &Filter) -> Option<(Filter, Filter)> {
    match filter {
        Filter::AnyOf { p, v } => {
            let (left, right) = apart(v)?;
            Some((Filter::any_of(p, left), Filter::any_of(p, right)))
        }
        Filter::And(parts) => {
            let longest = parts
                .iter()
                .enumerate()
                .filter(|(_, part)| halves(part).is_some())
                .max_by_key(|(_, part)| values(part))
                .map(|(at, _)| at)?;
            let (left, right) = parts.get(longest).and_then(halves)?;
            let with = |half: Filter| {
                let swap =
                    |(at, part): (usize, &Filter)| if at == longest { half.clone() } else { part.clone() };
                Filter::And(parts.iter().enumerate().map(swap).collect())
            };
            Some((with(left), with(right)))
        }
        _ => None,
    }
}

fn values(filter: &Filter) -> usize {
    match filter {
        Filter::AnyOf { v, .. } => v.len(),
        Filter::And(parts) => parts.iter().map(values).max().unwrap_or(0),
        _ => 0,
    }
}

/// Two halves of the values. Repeated ones are dropped, and what the service may take for equal stays in one half, or a row
/// would come twice.
fn apart(values: &[Scalar]) -> Option<(Vec<Scalar>, Vec<Scalar>)> {
    let mut keyed: Vec<(String, &Scalar)> = values.iter().map(|value| (likeness(value), value)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.dedup_by(|a, b| a.1 == b.1);
    let middle = keyed.len() / 2;
    let at_middle = &keyed.get(middle)?.0;
    let mut cut = keyed.partition_point(|(key, _)| key < at_middle);
    if cut == 0 {
        cut = keyed.partition_point(|(key, _)| key <= at_middle);
    }
    if cut == keyed.len() {
        return None;
    }
    let plain = |part: &[(String, &Scalar)]| part.iter().map(|(_, value)| (*value).clone()).collect();
    Some((plain(keyed.get(..cut)?), plain(keyed.get(cut..)?)))
}

/// The same for all values that the service may take for equal: without case and blanks around, numbers and dates by value.
fn likeness(value: &Scalar) -> String {
    let text = match value {
        Scalar::Text(text)
        | Scalar::Number(text)
        | Scalar::Date(text)
        | Scalar::Guid(text)
        | Scalar::Binary(text)
        | Scalar::TimeOfDay(text)
        | Scalar::Duration(text)
        | Scalar::Enum { member: text, .. } => text,
        Scalar::Bool(flag) => {
            if *flag {
                "yes"
            } else {
                "no"
            }
        }
        // Null, the empty text and "no date" may be one.
        Scalar::Null => "",
    };
    if let Some(number) = Ratio::parse(text) {
        return number.key();
    }
    match Moment::parse(text) {
        Some(moment) if moment.to_utc() == "1900-01-01T00:00:00Z" => String::new(),
        Some(moment) => moment.to_utc(),
        None => folded(text.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_of(values: &[&str]) -> Filter {
        Filter::any_of("A", values.iter().map(|v| Scalar::Text((*v).to_owned())).collect())
    }
    fn split(filter: &Filter) -> (Filter, Filter) {
        halves(filter).unwrap()
    }

    #[test]
    fn values_are_divided_and_repeated_ones_dropped() {
        assert_eq!(split(&any_of(&["a", "b", "c", "a"])), (any_of(&["a"]), any_of(&["b", "c"])));
        assert_eq!(halves(&any_of(&["a", "a", "a"])), None);
        assert_eq!(halves(&Filter::parse("A eq 'x'").unwrap()), None);
    }

    #[test]
    fn what_may_be_equal_stays_together() {
        assert_eq!(halves(&any_of(&["ab", "AB", "Ab "])), None);
        assert_eq!(split(&any_of(&["x", "b", "X", "B"])), (any_of(&["b", "B"]), any_of(&["x", "X"])));
        let numbers = Filter::parse("A eq 1 or A eq 1.0 or A eq 10e-1").unwrap();
        assert_eq!(halves(&numbers), None);
        let dates = Filter::parse("A eq 2026-01-01T12:00:00Z or A eq 2026-01-01").unwrap();
        assert_eq!(halves(&dates), None);
        let none = Filter::parse("A eq null or A eq '' or A eq 1900-01-01T00:00:00Z").unwrap();
        assert_eq!(halves(&none), None);
    }

    #[test]
    fn only_what_every_row_must_fit_is_divided() {
        let (left, right) = split(&Filter::And(vec![Filter::parse("B eq 1").unwrap(), any_of(&["a", "b"])]));
        assert_eq!(left, Filter::parse("B eq 1 and A eq 'a'").unwrap());
        assert_eq!(right, Filter::parse("B eq 1 and A eq 'b'").unwrap());
        assert_eq!(halves(&Filter::Or(vec![Filter::parse("B eq 1").unwrap(), any_of(&["a", "b"])])), None);
        assert_eq!(halves(&Filter::Not(Box::new(any_of(&["a", "b"])))), None);
    }
}
