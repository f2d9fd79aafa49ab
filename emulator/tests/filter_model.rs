//! The library's model of a filter against the sandbox: both are asked about the same random rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;

use common::Sandbox;
use d365_clm::catalog::builtin;
use d365_clm::odata::Scalar;
use d365_clm::odata::filter::{Compare, Filter, Row};
use serde_json::{Value, json};

const COLLECTION: &str = "CLMIntegrationPurchaseAgreementLines";
const TYPES: [&str; 4] = ["ProductQuantity", "ProductVolume", "ProductCategory", "ProductRootCategory"];

/// Numbers that are the same in every run (an xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())].clone()
    }
    /// Short texts of few letters, so that they are often equal or found in each other.
    fn text(&mut self, letters: &[&str]) -> String {
        (0..self.roll(4)).map(|_| self.of(letters)).collect()
    }
    fn number(&mut self) -> String {
        self.of(&["0", "1", "-1", "1.1", "1.10", "2.5", "7", "100.0625", "-3.5", "12345678901234.5678"])
            .to_owned()
    }
    fn date(&mut self) -> String {
        let (month, day) = (1 + self.roll(2), 1 + self.roll(3));
        let clock = self.of(&["12:00:00Z", "00:00:00Z", "13:00:00+01:00"]);
        self.of(&["1900-01-01T00:00:00Z".to_owned(), format!("2026-{month:02}-{day:02}T{clock}")])
    }
}

const LETTERS: [&str; 8] = ["a", "B", "b", "ä", "Ä", "'", " ", "9"];
const PATTERN: [&str; 6] = ["a", "B", "ä", "*", "*", "'"];
const TEXTS: [&str; 2] = ["ItemNumber", "UnitSymbol"];
const NUMBERS: [&str; 3] = ["LineNumber", "Price", "CommittedQuantity"];
const DATES: [&str; 2] = ["EffectiveDate", "ExpirationDate"];

fn row(dice: &mut Dice, number: usize) -> Value {
    json!({
        "dataAreaId": "usmf", "PurchaseAgreementId": format!("{number:04}"), "LineNumber": 1 + dice.roll(3),
        "ItemNumber": dice.text(&LETTERS), "UnitSymbol": dice.text(&LETTERS),
        "Price": serde_json::from_str::<Value>(&dice.number()).unwrap(),
        "CommittedQuantity": serde_json::from_str::<Value>(&dice.number()).unwrap(),
        "CommitmentType": dice.of(&TYPES), "IsPriceAndDiscountFixed": dice.of(&["No", "Yes"]),
        "EffectiveDate": dice.date(), "ExpirationDate": dice.date(),
    })
}

fn comparison(dice: &mut Dice) -> Filter {
    let op = dice.of(&[Compare::Eq, Compare::Ne, Compare::Gt, Compare::Ge, Compare::Lt, Compare::Le]);
    let equal = dice.of(&[Compare::Eq, Compare::Ne]);
    let text = dice.text(&LETTERS);
    match dice.roll(9) {
        0 | 1 => Filter::compare(dice.of(&TEXTS), op, Scalar::Text(text)),
        2 => Filter::compare(dice.of(&TEXTS), Compare::Like, Scalar::Text(dice.text(&PATTERN) + "*")),
        3 => Filter::compare(dice.of(&NUMBERS), op, Scalar::Number(dice.number())),
        4 => Filter::compare(dice.of(&DATES), op, Scalar::Date(dice.date())),
        5 => Filter::compare("CommitmentType", equal, Scalar::Text(dice.of(&TYPES).to_owned())),
        6 => {
            let values = (0..2 + dice.roll(2)).map(|_| Scalar::Text(dice.text(&LETTERS))).collect();
            Filter::any_of(dice.of(&TEXTS), values)
        }
        7 => Filter::compare(dice.of(&["ItemNumber", "Price", "EffectiveDate"]), equal, Scalar::Null),
        _ => {
            let right = dice.number();
            // What these divide by ends after few digits, so that neither side has to round.
            let calc =
                dice.of(&["add 1.1", "sub 2.5", "mul -3", "div 4", "divby 2", "mod 3", "mod -2", "sub 0"]);
            let word = dice.of(&["eq", "ne", "gt", "le"]);
            Filter::parse(&format!("{} {calc} {word} {right}", dice.of(&NUMBERS))).unwrap()
        }
    }
}

fn filter(dice: &mut Dice, depth: usize) -> Filter {
    let parts = |dice: &mut Dice| (0..2 + dice.roll(2)).map(|_| filter(dice, depth - 1)).collect();
    match if depth == 0 { 9 } else { dice.roll(10) } {
        0 | 1 => Filter::and(parts(dice)),
        2 | 3 => Filter::or(parts(dice)),
        4 => Filter::Not(Box::new(filter(dice, depth - 1))),
        _ => comparison(dice),
    }
}

#[tokio::test]
async fn the_model_answers_as_the_sandbox_does() {
    let Some(s) = Sandbox::start(&[]).await else { return };
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let rows: Vec<Value> = (0..60).map(|number| row(&mut dice, number)).collect();
    s.load(COLLECTION, &rows).await;
    let ask = async |filter: &str| {
        let path = format!("/data/{COLLECTION}?cross-company=true&$filter={}", common::encode(filter));
        s.get(&path).await
    };
    // The rows as the service gives them.
    let all = s.get(&format!("/data/{COLLECTION}?cross-company=true")).await;
    let all: Vec<Value> = all.json()["value"].as_array().unwrap().clone();
    assert_eq!(all.len(), 60);
    // A sandbox that lacks arithmetic says so; then those filters are left out.
    let arithmetic = ask("Price add 1 ge 0").await.status == 200;
    let keys = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter().map(|row| row["PurchaseAgreementId"].as_str().unwrap().to_owned()).collect()
    };
    let entity = builtin().find(COLLECTION);
    let (mut compared, mut some) = (0, 0);
    for _ in 0..400 {
        let filter = filter(&mut dice, 3);
        let text = filter.render(entity, builtin()).unwrap();
        if !arithmetic
            && ["add", "sub", "mul", "div", "divby", "mod"]
                .iter()
                .any(|word| text.contains(&format!(" {word} ")))
        {
            continue;
        }
        let answer = ask(&text).await;
        assert_eq!(answer.status, 200, "{text}: {}", answer.text);
        let found = keys(answer.json()["value"].as_array().unwrap());
        let expected: Vec<Value> = all
            .iter()
            .filter(|row| filter.matches(&Row::parse(&row.to_string()).unwrap(), entity, builtin()).unwrap())
            .cloned()
            .collect();
        let expected = keys(&expected);
        let differing: Vec<&Value> = all
            .iter()
            .filter(|row| {
                let key = row["PurchaseAgreementId"].as_str().unwrap();
                found.contains(key) != expected.contains(key)
            })
            .collect();
        assert!(differing.is_empty(), "{text}\nfound by one of both only: {differing:#?}");
        compared += 1;
        some += usize::from(!found.is_empty() && found.len() < all.len());
    }
    println!("{compared} filters compared, {some} of which split the rows; arithmetic: {arithmetic}");
    assert!(compared > 200 && some > 150, "{compared} {some}");
}
