//! The test cases of the OData grammar (OASIS), where a copy of them is at hand: in the folder that `ODATA_ABNF` names, or in
//! `shared/corpus/odata-abnf` beside the repository.
//!
//! Every case of a rule in [`HOW`] is read. A good one must be read, or be refused by name where it has one of the constructs of
//! [`refused`]; a bad one must not be read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use d365_clm::ErrorCode;
use d365_clm::error::Error;
use d365_clm::odata::Scalar;
use d365_clm::odata::filter::{Filter, parse_expand, parse_key, parse_orderby, parse_select};

/// What becomes of the cases of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// As a filter.
    Condition,
    /// As one side of a comparison.
    Side,
    /// Behind a path.
    Lambda,
    OrderBy,
    Select,
    Expand,
    Literal,
    /// As the payload writes it: nothing is percent-decoded.
    Value,
    /// The same, where a URL needs a prefix.
    Prefixed(&'static str),
    /// A path; its keys are read.
    Path,
    /// A URL; its options are read that have a rule here.
    Options,
    /// Headers, context URLs, search, places on a map, options that are never sent as text.
    Outside,
}

const HOW: [(&str, How); 68] = [
    ("anyExpr", How::Lambda),
    ("binaryLiteral", How::Literal),
    ("boolCommonExpr", How::Condition),
    ("boolcommonExpr", How::Condition),
    ("boolean", How::Literal),
    ("booleanValue", How::Value),
    ("commonExpr", How::Side),
    ("compute", How::Outside),
    ("context", How::Outside),
    ("customQueryOption", How::Outside),
    ("date", How::Literal),
    ("dateTimeOffsetLiteral", How::Literal),
    ("dateTimeOffsetValue", How::Value),
    ("dateValue", How::Value),
    ("decimalLiteral", How::Literal),
    ("decimalValue", How::Value),
    ("doubleLiteral", How::Literal),
    ("doubleValue", How::Value),
    ("durationLiteral", How::Literal),
    ("durationValue", How::Prefixed("duration")),
    ("enumLiteral", How::Literal),
    ("enumValue", How::Prefixed("Sales.Pattern")),
    ("expand", How::Expand),
    ("filter", How::Condition),
    ("firstMemberExpr", How::Side),
    ("geographyLineString", How::Literal),
    ("geographyMultiPoint", How::Literal),
    ("geographyMultiPolygon", How::Literal),
    ("geographyPoint", How::Literal),
    ("geographyPolygon", How::Literal),
    ("geographyCollection", How::Literal),
    ("geographyMultiLineString", How::Literal),
    ("geometryLineString", How::Literal),
    ("geometryMultiPoint", How::Literal),
    ("geometryMultiPolygon", How::Literal),
    ("geometryPolygon", How::Literal),
    ("geometryCollection", How::Literal),
    ("geometryPoint", How::Literal),
    ("guid", How::Literal),
    ("header", How::Outside),
    ("includeAnnotationsPreference", How::Outside),
    ("int16Literal", How::Literal),
    ("int32Literal", How::Literal),
    ("int64Literal", How::Literal),
    ("isofExpr", How::Condition),
    ("maxpagesizePreference", How::Outside),
    ("notExpr", How::Condition),
    ("null", How::Literal),
    ("odataIdentifier", How::Side),
    ("odataRelativeUri", How::Options),
    ("odataUri", How::Outside),
    ("orderBy", How::OrderBy),
    ("orderby", How::OrderBy),
    ("prefer", How::Outside),
    ("preference", How::Outside),
    ("primitiveLiteral", How::Literal),
    ("primitiveValue", How::Outside),
    ("propertyPathExpr", How::Side),
    ("queryOptions", How::Options),
    ("request-id", How::Outside),
    ("resourcePath", How::Path),
    ("sbyteLiteral", How::Literal),
    ("search", How::Outside),
    ("select", How::Select),
    ("singleValue", How::Value),
    ("skiptoken", How::Outside),
    ("stringLiteral", How::Literal),
    ("systemQueryOption", How::Outside),
];

#[derive(Default)]
struct Counts {
    read: usize,
    refused: usize,
    bad: usize,
    outside: usize,
}

#[test]
fn cases_of_the_standard_are_read_refused_by_name_or_bad() {
    let folder = std::env::var_os("ODATA_ABNF").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/odata-abnf"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("testcases.json")) else {
        println!("skipped: no test cases of the OData grammar (name their folder in ODATA_ABNF)");
        return;
    };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in all["TestCases"].as_array().unwrap() {
        let (rule, input) = (case["Rule"].as_str().unwrap(), case["Input"].as_str().unwrap());
        // A number, or the text of one.
        let fails: Option<u64> =
            case.get("FailAt").map(|at| at.to_string().trim_matches('"').parse().unwrap());
        let how = if rule.starts_with("timeOfDay") {
            if rule.ends_with("Value") { How::Value } else { How::Literal }
        } else {
            match HOW.iter().find(|(known, _)| *known == rule) {
                Some((_, how)) => *how,
                None => panic!("no entry for the rule {rule}"),
            }
        };
        let count = counts.entry(rule.to_owned()).or_default();
        let pieces = pieces(how, input, fails);
        if pieces.is_empty() {
            count.outside += 1;
        }
        for (how, piece) in pieces {
            let found = read(how, rule, &piece);
            let expected = if fails.is_some() {
                count.bad += 1;
                "bad"
            } else if refused(how, &piece) {
                count.refused += 1;
                "refused"
            } else {
                count.read += 1;
                "read"
            };
            let right = match (&found, expected) {
                (Ok(()), "read") => true,
                (Err(error), "refused") => error.code == ErrorCode::UnsupportedQuery && error.hint.is_some(),
                (Err(_), "bad") => true,
                _ => false,
            };
            if !right {
                wrong.push(format!("{rule} {how:?} {piece:?}: {expected} was expected, found {found:?}"));
            }
        }
    }
    println!("{:30} {:>5} {:>8} {:>4} {:>8}", "rule", "read", "refused", "bad", "outside");
    let mut sum = Counts::default();
    for (rule, count) in &counts {
        println!("{rule:30} {:5} {:8} {:4} {:8}", count.read, count.refused, count.bad, count.outside);
        sum.read += count.read;
        sum.refused += count.refused;
        sum.bad += count.bad;
        sum.outside += count.outside;
    }
    println!("{:30} {:5} {:8} {:4} {:8}", "all", sum.read, sum.refused, sum.bad, sum.outside);
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(sum.read > 50 && sum.refused > 80 && sum.bad > 15, "the table no longer covers the cases");
}

/// What of the case is read here, percent-decoded.
fn pieces(how: How, input: &str, fails: Option<u64>) -> Vec<(How, String)> {
    match how {
        How::Outside => Vec::new(),
        How::Value => vec![(How::Literal, input.to_owned())],
        How::Prefixed(prefix) => vec![(How::Literal, format!("{prefix}'{input}'"))],
        How::Condition | How::OrderBy | How::Select | How::Expand => {
            let text = input.split_once('=').filter(|(name, _)| !name.contains([' ', '(', '\''])).map_or(
                input,
                |(name, value)| {
                    let name = name.trim_start_matches('$').to_ascii_lowercase();
                    if ["filter", "orderby", "select", "expand"].contains(&name.as_str()) {
                        value
                    } else {
                        input
                    }
                },
            );
            vec![(how, decoded(text))]
        }
        How::Side | How::Lambda | How::Literal => vec![(how, decoded(input))],
        How::Path => {
            let input = decoded(input);
            let key = input.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
            let slash = fails.is_some() && key.is_some_and(|(key, _)| key.contains('/'));
            // A slash in a key ends the segment: that is found where the URL is divided, not in the key.
            key.filter(|_| !slash).map(|(key, _)| (how, key.to_owned())).into_iter().collect()
        }
        How::Options => {
            let options =
                input.split_once('?').map_or(if input.contains('=') { input } else { "" }, |(_, o)| o);
            let offset = input.len() - options.len();
            let mut at = offset;
            let mut found = Vec::new();
            for option in options.split('&') {
                let end = at + option.len();
                let (name, value) = option.split_once('=').unwrap_or((option, ""));
                let how = match name.trim_start_matches('$') {
                    "filter" => Some(How::Condition),
                    "orderby" => Some(How::OrderBy),
                    "select" => Some(How::Select),
                    "expand" => Some(How::Expand),
                    _ => None,
                };
                let concerned = fails
                    .is_none_or(|fails| (at..=end).contains(&usize::try_from(fails).unwrap_or(usize::MAX)));
                if let Some(how) = how.filter(|_| concerned && !value.is_empty()) {
                    found.push((how, decoded(value)));
                }
                at = end + 1;
            }
            found
        }
    }
}

fn read(how: How, rule: &str, text: &str) -> Result<(), Error> {
    match how {
        How::Condition => Filter::parse(text).map(|_| ()),
        // What is a condition already can't be compared.
        How::Side if text.contains(" eq ") || text.contains(" in ") => Filter::parse(text).map(|_| ()),
        How::Side => Filter::parse(&format!("{text} eq 1")).map(|_| ()),
        How::Lambda => Filter::parse(&format!("Products/{text}")).map(|_| ()),
        How::OrderBy => parse_orderby(text).map(|_| ()),
        How::Select => parse_select(text).map(|_| ()),
        How::Expand => parse_expand(text).map(|_| ()),
        How::Path => parse_key(text).map(|_| ()),
        _ => match Scalar::parse(text)? {
            value if of_rule(rule, &value) => Ok(()),
            value => Err(Error::argument(format!("{value:?} is of another type"))),
        },
    }
}

/// Whether the literal is of the type that the rule is for.
fn of_rule(rule: &str, value: &Scalar) -> bool {
    let rule = rule.trim_end_matches("Literal").trim_end_matches("Value");
    match value {
        Scalar::Text(_) => matches!(rule, "string" | "enum"),
        Scalar::Number(_) => {
            matches!(
                rule,
                "decimal"
                    | "double"
                    | "single"
                    | "sbyte"
                    | "byte"
                    | "int16"
                    | "int32"
                    | "int64"
                    | "primitive"
            )
        }
        Scalar::Date(text) if text.contains('T') => rule == "dateTimeOffset",
        Scalar::Date(_) => rule == "date",
        Scalar::Guid(_) => rule == "guid",
        Scalar::Binary(_) => rule == "binary",
        Scalar::TimeOfDay(_) => rule == "timeOfDay",
        Scalar::Duration(_) => rule == "duration",
        Scalar::Enum { .. } => rule == "enum",
        Scalar::Bool(_) => rule == "boolean",
        Scalar::Null => rule == "null",
        _ => false,
    }
}

/// Whether the text has a construct that the service is not known to support.
fn refused(how: How, text: &str) -> bool {
    let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    match how {
        How::Condition | How::Side | How::Lambda => {
            // A parenthesis right behind a letter is a function or a key.
            let call =
                text.as_bytes().windows(2).any(|pair| pair[1] == b'(' && pair[0].is_ascii_alphanumeric());
            // Several members of an enum.
            let members = text.contains("Pattern'") && text.contains(',');
            call || members || has(&["/", "$it", "$this", "$root", "@", "[", "{", " has ", " in "])
        }
        How::OrderBy => has(&["/", "@", " ge ", "("]),
        How::Select => has(&["/", "@", "(", "."]),
        How::Expand => has(&["/", "@", "(", "*"]),
        How::Path => has(&["@"]),
        _ => has(&["geography'", "geometry'"]) || (text.contains("Pattern'") && text.contains(',')),
    }
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        out.push(hex.unwrap_or(bytes[at]));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap()
}
