//! What is written and read again is the same: literals of every type, and whole trees.

use d365_clm::catalog::builtin;
use d365_clm::odata::Scalar;
use d365_clm::odata::filter::{Arithmetic, Compare, Filter, Operand};
use proptest::prelude::*;

/// Texts that hold what could end or change a filter.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("'".to_owned()),
            Just(" eq ".to_owned()),
            Just("%27".to_owned()),
            Just("&$top=1".to_owned()),
            "\\PC{0,6}"
        ],
        0..4,
    )
    .prop_map(|parts| parts.concat())
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_]{0,12}".prop_filter("words that are literals or operators", |name| {
        let word = name.to_ascii_lowercase();
        !["null", "true", "false", "not", "nan", "inf"].contains(&word.as_str())
    })
}

fn number() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<i32>().prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        "-?(0|[1-9][0-9]{0,30})\\.[0-9]{1,12}",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,4})?[eE][-+]?[0-9]{1,3}",
    ]
    .prop_map(Scalar::Number)
}

fn date() -> impl Strategy<Value = Scalar> {
    let day = (1_i32..=9999, 1_u32..=12, 1_u32..=28);
    let clock = (0_u32..24, 0_u32..60, 0_u32..60, proptest::option::of("[0-9]{1,12}"));
    (day, clock).prop_map(|((year, month, day), (hour, minute, second, fraction))| {
        let fraction = fraction.map_or(String::new(), |digits| format!(".{digits}"));
        Scalar::Date(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
    })
}

fn symbol() -> impl Strategy<Value = Scalar> {
    let member = "[A-Za-z_][A-Za-z0-9_]{0,12}";
    let kind = name().prop_filter("words of other literals", |name| {
        let word = name.to_ascii_lowercase();
        !["binary", "duration", "geography", "geometry"].contains(&word.as_str())
    });
    (kind, member).prop_map(|(name, member)| Scalar::Enum { name, member })
}

fn guid() -> impl Strategy<Value = Scalar> {
    "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}".prop_map(Scalar::Guid)
}

fn literal() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        text().prop_map(Scalar::Text),
        number(),
        date(),
        guid(),
        symbol(),
        any::<bool>().prop_map(Scalar::Bool),
        Just(Scalar::Null),
        prop_oneof![Just("INF"), Just("-INF"), Just("NaN")].prop_map(|n| Scalar::Number(n.to_owned())),
        "([A-Za-z0-9_-]{4}){0,4}([A-Za-z0-9_-][AQgw]==|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048]=)?"
            .prop_map(Scalar::Binary),
        "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,12})?)?".prop_map(Scalar::TimeOfDay),
        "-?P([0-9]{1,3}D)?(T[0-9]{1,2}H([0-9]{1,2}M)?([0-9]{1,2}(\\.[0-9]{1,4})?S)?)?"
            .prop_map(Scalar::Duration),
    ]
}

/// A value that some property can have and that is compared exactly.
fn value() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        text().prop_map(|text| Scalar::Text(text.replace('*', ""))),
        number(),
        date(),
        guid(),
        symbol(),
        any::<bool>().prop_map(Scalar::Bool),
        Just(Scalar::Null),
    ]
}

fn comparison() -> impl Strategy<Value = Filter> {
    let equal = prop_oneof![Just(Compare::Eq), Just(Compare::Ne)];
    let order = prop_oneof![Just(Compare::Gt), Just(Compare::Ge), Just(Compare::Lt), Just(Compare::Le)];
    prop_oneof![
        4 => (name(), equal.clone(), value()).prop_map(|(p, op, v)| Filter::compare(&p, op, v)),
        2 => (name(), order, prop_oneof![number(), date(), text().prop_map(Scalar::Text)])
            .prop_map(|(p, op, v)| Filter::compare(&p, op, v)),
        1 => (name(), text()).prop_map(|(p, t)| Filter::compare(&p, Compare::Like, Scalar::Text(format!("{t}*")))),
        2 => (name(), proptest::collection::vec(value(), 1..4)).prop_map(|(p, v)| Filter::any_of(&p, v)),
        1 => any::<bool>().prop_map(Filter::Always),
        2 => (calculation(), equal, number().prop_map(Operand::Value))
            .prop_map(|(left, op, right)| Filter::Compare { left, op, right, exact: false }),
        1 => (name(), name()).prop_map(|(a, b)| Filter::Compare {
            left: Operand::Property(a), op: Compare::Ge, right: Operand::Property(b), exact: false }),
    ]
}

/// Arithmetic that is no literal, so that it stays on the left side.
fn calculation() -> impl Strategy<Value = Operand> {
    let leaf = prop_oneof![name().prop_map(Operand::Property), number().prop_map(Operand::Value)];
    let op = prop_oneof![
        Just(Arithmetic::Add),
        Just(Arithmetic::Sub),
        Just(Arithmetic::Mul),
        Just(Arithmetic::Div),
        Just(Arithmetic::DivBy),
        Just(Arithmetic::Mod),
    ];
    leaf.prop_recursive(3, 8, 2, move |inner| {
        prop_oneof![
            (op.clone(), inner.clone(), inner.clone()).prop_map(|(op, left, right)| Operand::Calc {
                op,
                left: Box::new(left),
                right: Box::new(right)
            }),
            inner.prop_map(|inner| Operand::Negate(Box::new(inner))),
        ]
    })
    .prop_filter("a literal alone", |operand| !matches!(operand, Operand::Value(_)))
}

fn filter() -> impl Strategy<Value = Filter> {
    comparison().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::and),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_literal_of_any_type_is_read_back(value in literal()) {
        let text = value.to_literal().unwrap();
        prop_assert_eq!(Scalar::parse(&text).unwrap(), value, "{}", text);
    }

    #[test]
    fn a_tree_is_read_back(tree in filter()) {
        let text = tree.render(None, builtin()).unwrap();
        prop_assert_eq!(Filter::parse(&text).unwrap(), tree, "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        if let Ok(tree) = Filter::parse(&text) {
            // What is read can be written, but for values that no property of the service has.
            if let Ok(again) = tree.render(None, builtin()) {
                prop_assert_eq!(Filter::parse(&again).unwrap(), tree);
            }
        }
    }
}
