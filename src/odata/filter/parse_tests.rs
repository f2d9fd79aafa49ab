use super::*;
use crate::error::{Error, ErrorCode};
use crate::odata::literal::Scalar;

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}
fn number(text: &str) -> Scalar {
    Scalar::Number(text.to_owned())
}
fn property(name: &str) -> Operand {
    Operand::Property(name.to_owned())
}
fn eq(p: &str, v: Scalar) -> Filter {
    Filter::compare(p, Compare::Eq, v)
}
fn refused(text: &str) -> Error {
    let error = Filter::parse(text).expect_err(text);
    assert_eq!(error.code, ErrorCode::UnsupportedQuery, "{text}: {error}");
    assert!(error.hint.is_some(), "{text}");
    error
}
fn faulty(text: &str) -> String {
    let error = Filter::parse(text).expect_err(text);
    assert_eq!(error.code, ErrorCode::InvalidArgument, "{text}: {error}");
    error.message.clone()
}

#[test]
fn operators_bind_as_in_the_standard() {
    let (a, b, c) = (eq("A", number("1")), eq("B", number("2")), eq("C", number("3")));
    let tree = Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()])]);
    assert_eq!(parse("A eq 1 or B eq 2 and C eq 3"), tree);
    let tree = Filter::And(vec![Filter::Or(vec![a.clone(), b.clone()]), c.clone()]);
    assert_eq!(parse("(A eq 1 or B eq 2) and C eq 3"), tree);
    let tree = Filter::And(vec![Filter::Not(Box::new(a.clone())), b.clone()]);
    assert_eq!(parse("not A eq 1 and B eq 2"), tree);
    assert_eq!(parse("not (A eq 1) and B eq 2"), tree);
    assert_eq!(parse("A Eq 1 AND B eQ 2 And ( C eq 3 )"), Filter::And(vec![a, b, c]));
    assert_eq!(parse("A eq\t1"), eq("A", number("1")));
    let calc = |op, left, right| Operand::Calc { op, left: Box::new(left), right: Box::new(right) };
    let value = |text| Operand::Value(number(text));
    let tree = Filter::Compare {
        left: calc(
            Arithmetic::Sub,
            calc(Arithmetic::Add, property("A"), calc(Arithmetic::Mul, value("2"), value("3"))),
            value("1"),
        ),
        op: Compare::Ge,
        right: Operand::Negate(Box::new(property("B"))),
        exact: false,
    };
    assert_eq!(parse("A add 2 mul 3 sub 1 ge -B"), tree);
    assert_eq!(
        parse("true and not false"),
        Filter::And(vec![Filter::Always(true), Filter::Not(Box::new(Filter::Always(false)))])
    );
}

#[test]
fn literals_of_every_kind_are_told_apart() {
    let value = |text: &str| match parse(&format!("A ne {text}")) {
        Filter::Compare { right: Operand::Value(value), .. } => value,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(value("'O''Neil'"), text("O'Neil"));
    assert_eq!(value("''"), text(""));
    assert_eq!(value("'2026-01-01'"), text("2026-01-01"));
    assert_eq!(value("-12.50"), number("-12.50"));
    assert_eq!(value("+7"), number("7"));
    assert_eq!(value("007"), number("7"));
    assert_eq!(value("1E-5"), number("1E-5"));
    assert_eq!(value("INF"), number("INF"));
    assert_eq!(value("2026-03-31"), Scalar::Date("2026-03-31".into()));
    assert_eq!(value("2026-03-31T10:15:07.5+02:00"), Scalar::Date("2026-03-31T10:15:07.5+02:00".into()));
    assert_eq!(
        value("12345678-89ab-cdef-0123-456789ABCDEF"),
        Scalar::Guid("12345678-89ab-cdef-0123-456789ABCDEF".into())
    );
    assert_eq!(value("TRUE"), Scalar::Bool(true));
    assert_eq!(value("null"), Scalar::Null);
    let yes = Scalar::Enum { name: "NoYes".into(), member: "Yes".into() };
    assert_eq!(value("Microsoft.Dynamics.DataEntities.NoYes'Yes'"), yes);
    assert_eq!(value("NoYes'Yes'"), yes);
    assert_eq!(
        value("Other.Space.Kind'A'"),
        Scalar::Enum { name: "Other.Space.Kind".into(), member: "A".into() }
    );
    // Words that only begin like a literal are properties.
    for name in ["nullable", "trueish", "INFO", "notes", "NULL", "inf", "abcdef01"] {
        assert_eq!(parse(&format!("{name} eq 1")), eq(name, number("1")));
    }
}

#[test]
fn a_text_out_of_a_url_is_decoded() {
    let tree = parse("Name eq 'O''Neil 50% ü'");
    assert_eq!(parse("Name%20eq%20%27O%27%27Neil%2050%25%20%c3%BC%27"), tree);
    assert_eq!(tree, eq("Name", text("O'Neil 50% ü")));
    assert_eq!(parse("Name eq '%20'"), eq("Name", text("%20")), "within quotes it is text");
    assert!(faulty("A%zz eq 1").contains("character 2:"));
    assert!(faulty("A%20eq%20%27%FF%27").contains("character 2:"));
}

#[test]
fn a_star_makes_a_pattern_on_either_side() {
    let like = Filter::compare("Name", Compare::Like, text("*rent*"));
    assert_eq!(parse("Name eq '*rent*'"), like);
    assert_eq!(parse("'*rent*' eq Name"), like);
    assert_eq!(parse("Name ne '*rent*'"), Filter::Not(Box::new(like)));
    assert_eq!(
        parse("Name gt 'a*'"),
        Filter::compare("Name", Compare::Gt, text("a*")),
        "order knows no pattern"
    );
}

#[test]
fn a_literal_on_the_left_changes_sides() {
    assert_eq!(parse("5 lt A"), Filter::compare("A", Compare::Gt, number("5")));
    assert_eq!(parse("5 ge A"), Filter::compare("A", Compare::Le, number("5")));
    assert_eq!(parse("'x' eq A"), eq("A", text("x")));
}

#[test]
fn equalities_of_one_property_become_any_of() {
    let any = Filter::AnyOf { p: "A".into(), v: vec![number("1"), number("2"), number("3")] };
    assert_eq!(parse("A eq 1 or A eq 2 or A eq 3"), any);
    assert!(matches!(parse("A eq 1 or B eq 2"), Filter::Or(_)));
    assert!(matches!(parse("A eq 'x' or A eq 'y*'"), Filter::Or(_)));
}

#[test]
fn what_the_service_lacks_is_refused_by_name() {
    for (text, what) in [
        ("A has NS.Kind'B'", "has"),
        ("A in (1,2)", "the operator in"),
        ("A in [1,2]", "the operator in"),
        ("startswith(A,'x')", "startswith"),
        ("contains(tolower(A), 'x') eq true", "contains"),
        ("EndsWith(A/B,'x')", "endswith"),
        ("year(A) eq 2026", "year"),
        ("A eq now()", "now"),
        ("geo.distance(A,B) lt 5", "geo.distance"),
        ("isof(A,Edm.String)", "isof"),
        ("cast(A,Collection(NS.T)) eq 1", "cast"),
        ("case(A eq 1:2,true:3) eq 2", "case"),
        ("NS.Own(P=1,Q=@x) eq 1", "NS.Own"),
        ("Lines/any(x:x/A eq 1)", "any"),
        ("Lines/all(x:x/A eq $it/A)", "all"),
        ("Lines/$count gt 1", "$count"),
        ("Lines/$count($filter=A eq 1;$search=x (y)) gt 1", "$count"),
        ("Lines/$filter(A eq 1)/$count gt 1", "$filter"),
        ("$it/A eq 1", "$it"),
        ("$this eq 1", "$this"),
        ("$root/Sets('x')/A eq 1", "$root"),
        ("A eq @p", "alias"),
        ("A/@NS.Term#Q eq 1", "annotation"),
        ("Vendor/Name eq 'x'", "path"),
        ("Lines(1)/A eq 1", "key"),
        ("NS.Type/A eq 1", "cast"),
        ("A eq binary'Zg=='", "binary"),
        ("A eq duration'P1D'", "duration"),
        ("A eq 10:30:00", "time of day"),
        ("A eq geography'SRID=0;Point(1 2)'", "geography"),
        ("A eq NS.Kind'B,C'", "several members"),
        ("A eq NS.Kind'1'", "number"),
        ("A eq {\"b\":[1,{\"c\":\"\\u0041\"}]}", "object"),
        ("[1] eq A", "list"),
        ("A", "A as a condition"),
        ("A eq 1 or B", "B as a condition"),
        ("not 5", "a value"),
        ("A eq 1 eq true", "comparison with a condition"),
        ("(A eq 1) add 1 eq 2", "arithmetic with a condition"),
    ] {
        let error = refused(text);
        assert!(error.message.contains(what), "{text}: {error}");
    }
    assert!(refused("A in (1,2)").hint.as_deref().unwrap().contains("anyOf"));
    assert!(refused("contains(A,'x')").hint.as_deref().unwrap().contains("like"));
}

#[test]
fn faults_are_told_with_their_place() {
    for (text, at, expected) in [
        ("", 1, "a property"),
        (" A eq 1", 1, "a property"),
        ("A eq 1 ", 7, "an operator or the end"),
        ("A eq", 2, "an operator or the end"),
        ("A eq 'x", 8, "quote"),
        ("A eq 'O'Neil'", 9, "an operator or the end"),
        ("(A eq 1", 8, "\")\""),
        ("A eq 1)", 7, "an operator or the end"),
        ("A = 1", 2, "an operator or the end"),
        ("A eq 1 und B eq 2", 7, "an operator or the end"),
        ("Größe eq 'ä' x", 13, "an operator or the end"),
        ("not(A eq 1)", 4, "blank behind not"),
        ("any()", 4, "path"),
        ("startswith(A,'x'", 17, "\")\""),
        ("startswith(A)", 11, "number of arguments"),
        ("Lines/any(x x/A eq 1)", 13, "\":\""),
        ("A in (1,2", 8, "\")\""),
        ("A has 5", 7, "enum literal"),
        ("$me eq 1", 1, "$it"),
        ("A eq NS.Kind'-'", 13, "member"),
        ("A eq 2026-13-01", 10, "an operator or the end"),
        ("A eq 1.", 7, "an operator or the end"),
        ("A eq .5", 6, "a property"),
        ("NS.A eq 1", 5, "slash"),
    ] {
        let message = faulty(text);
        assert!(message.contains(&format!("character {at}:")), "{text}: {message}");
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn limits_are_kept() {
    let nested = |levels: usize| format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&nested(MAX_DEPTH - 1)).is_ok());
    assert!(faulty(&nested(MAX_DEPTH)).contains("64 levels"));
    for endless in ["(", "not ", "-", "[", "A/any(x:", "f(p="] {
        assert!(Filter::parse(&endless.repeat(50_000)).is_err(), "{endless}");
    }
    let sum = |operators: usize| format!("A{} eq 1", " add 1".repeat(operators));
    assert!(Filter::parse(&sum(MAX_ARITHMETIC)).is_ok());
    assert!(faulty(&sum(MAX_ARITHMETIC + 1)).contains("64 arithmetic"));
    let long = "A eq 1 or ".repeat(20_000) + "A eq 1";
    assert!(matches!(parse(&long), Filter::AnyOf { v, .. } if v.len() == 20_001));
    assert!(faulty(&"x".repeat(MAX_TEXT + 1)).contains("1000000 is the limit"));
    assert!(faulty(&format!("{} eq 1", "x".repeat(129))).contains("128"));
}

#[test]
fn orders_names_and_keys_are_read() {
    let orders = parse_orderby("Name desc,dataAreaId,X asc").unwrap();
    let found: Vec<(&str, bool)> = orders.iter().map(|o| (o.name.as_str(), o.descending)).collect();
    assert_eq!(found, [("Name", true), ("dataAreaId", false), ("X", false)]);
    assert_eq!(parse_select("A,B").unwrap(), ["A", "B"]);
    assert_eq!(parse_select("*").unwrap(), [""; 0]);
    assert_eq!(parse_expand("Lines").unwrap(), ["Lines"]);
    assert_eq!(
        parse_key("dataAreaId='usmf',LineNumber=1.5").unwrap(),
        [(Some("dataAreaId".to_owned()), text("usmf")), (Some("LineNumber".to_owned()), number("1.5"))]
    );
    assert_eq!(parse_key("'O''Neil'").unwrap(), [(None, text("O'Neil"))]);
    for (found, code) in [
        (parse_orderby("A/B").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_orderby("A add 1").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_orderby("A up").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_orderby("A,").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_select("A/B").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_select("A B").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_select("A($top=1)").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_expand("A/B").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_expand("A($select=B,C)").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_expand("A($select=B").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_expand("*").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_expand("").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_key("@k").map(|_| ()), ErrorCode::UnsupportedQuery),
        (parse_key("A=1,2").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_key("A=b").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_key("1,2").map(|_| ()), ErrorCode::InvalidArgument),
        (parse_key("null").map(|_| ()), ErrorCode::InvalidArgument),
    ] {
        assert_eq!(found.unwrap_err().code, code);
    }
}
