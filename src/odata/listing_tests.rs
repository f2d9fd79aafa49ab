use super::*;
use crate::http::{Input, Machine, Response, Step, Timestamp};

/// Carries out one request with an answer of our own.
fn answer(mut operation: Operation<Page>, body: &str) -> Result<Page> {
    let now = Timestamp::from_millis(0);
    loop {
        match operation.next(now) {
            Step::Send(_) => operation.handle(Input::Response(Response::new(200, body)), now),
            Step::Token(_) => operation.handle(Input::TokenRenewed { expires: None }, now),
            Step::Done(page) => return Ok(page),
            Step::Failed(error) => return Err(*error),
            other => panic!("{other:?}"),
        }
    }
}

/// All pages, each answered by URL; and the URLs that were asked for.
fn all(listing: &mut Listing, service: impl Fn(&str) -> String) -> (Vec<(String, Option<u64>)>, Vec<String>) {
    let (mut pages, mut urls) = (Vec::new(), Vec::new());
    while let Some(operation) = listing.page() {
        urls.push(operation.request().url.clone());
        let body = service(&operation.request().url);
        let page = answer(operation, &body).unwrap();
        if let Some(page) = listing.take(page).unwrap() {
            pages.push((page.items, page.count));
        }
        assert!(urls.len() < 50, "endless");
    }
    (pages, urls)
}

fn listing(collection: &str, json: &str) -> Result<Listing> {
    let service = Service::new("https://c.example", None).unwrap();
    Listing::new(&service, collection, &serde_json::from_str(json).unwrap())
}

fn items(pages: &[(String, Option<u64>)]) -> Vec<serde_json::Value> {
    pages
        .iter()
        .flat_map(|(items, _)| serde_json::from_str::<Vec<serde_json::Value>>(items).unwrap())
        .collect()
}

const EXACT: &str = r#"{"op":"eq","p":"Name","v":{"t":"s","v":"50*60"},"exact":true}"#;

#[test]
fn a_plain_list_is_handed_through() {
    let mut list = listing("Currencies", r#"{"top":5,"skip":1,"count":true}"#).unwrap();
    let (pages, urls) = all(&mut list, |_| r#"{"@odata.count":9,"value":[{"Name":"a"}]}"#.to_owned());
    assert_eq!(urls, ["https://c.example/data/Currencies?$top=5&$skip=1&$count=true"]);
    assert_eq!(pages, [(r#"[{"Name":"a"}]"#.to_owned(), Some(9))]);
}

#[test]
fn an_exact_comparison_is_made_here_and_counts_what_is_left() {
    let query = format!(r#"{{"filter":{EXACT},"top":2,"skip":1,"select":["CurrencyCode"]}}"#);
    let mut list = listing("Currencies", &query).unwrap();
    let next = "https://c.example/data/Currencies?$skiptoken=1";
    let (pages, urls) = all(&mut list, |url| {
        if url.contains("skiptoken") {
            return r#"{"value":[{"CurrencyCode":"E","Name":"50*60"},{"CurrencyCode":"F","Name":"50*60"},
                {"CurrencyCode":"G","Name":"50*60"}]}"#
                .to_owned();
        }
        format!(
            r#"{{"@odata.nextLink":"{next}","value":[{{"CurrencyCode":"A","Name":"50*60"}},
            {{"CurrencyCode":"B","Name":"50 x 60"}},{{"CurrencyCode":"C","Name":"50*60"}},{{"CurrencyCode":"D","Name":"5060"}}]}}"#
        )
    });
    let first = "https://c.example/data/Currencies?$filter=Name%20eq%20'50*60'&$select=CurrencyCode,Name";
    assert_eq!(urls, [first, next], "top and skip count rows after the comparison, so they are not sent");
    assert_eq!(
        pages,
        [(r#"[{"CurrencyCode":"C"}]"#.to_owned(), None), (r#"[{"CurrencyCode":"E"}]"#.to_owned(), None)]
    );
}

#[test]
fn what_can_not_be_right_is_refused() {
    let counted = format!(r#"{{"filter":{EXACT},"count":true}}"#);
    assert_eq!(listing("Currencies", &counted).unwrap_err().code, ErrorCode::UnsupportedQuery);
    let unknown =
        r#"{"filter":{"op":"not","x":[{"op":"eq","p":"Nmae","v":{"t":"s","v":"*"},"exact":true}]}}"#;
    assert_eq!(listing("Currencies", unknown).unwrap_err().code, ErrorCode::UnknownProperty);
    let long = format!(r#"{{"filter":"Name eq '{}'"}}"#, "x".repeat(9000));
    let error = listing("Currencies", &long).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnsupportedQuery);
    assert!(error.message.contains("8000 is the limit"), "{error}");
    let either = format!(r#"{{"filter":"Name eq 'x' or ({})"}}"#, codes(2000));
    assert_eq!(listing("Currencies", &either).unwrap_err().code, ErrorCode::UnsupportedQuery);
    let endless = format!(r#"{{"filter":"{}"}}"#, codes(30_000));
    let error = listing("Currencies", &endless).unwrap_err();
    assert!(error.hint.as_deref().unwrap().contains("100 requests"), "{error:?}");
    let order = format!(r#"{{"filter":"{}","orderBy":"Kind"}}"#, codes(1000));
    assert_eq!(listing("Unknown", &order).unwrap_err().code, ErrorCode::UnsupportedQuery);
}

/// `CurrencyCode eq 'C0000' or …`
fn codes(number: usize) -> String {
    let all: Vec<String> = (0..number).map(|n| format!("CurrencyCode eq 'C{n:04}'")).collect();
    all.join(" or ")
}

/// The codes that a URL asks for.
fn asked(url: &str) -> Vec<usize> {
    url.split("CurrencyCode%20eq%20'C").skip(1).map(|rest| rest.get(..4).unwrap().parse().unwrap()).collect()
}

#[test]
fn a_long_filter_is_sent_in_parts_whose_rows_come_once() {
    let query = format!(r#"{{"filter":"GeneralRoundingRule gt 0 and ({})","count":true}}"#, codes(600));
    let mut list = listing("Currencies", &query).unwrap();
    let (pages, urls) = all(&mut list, |url| {
        let rows: Vec<String> =
            asked(url).iter().map(|n| format!(r#"{{"CurrencyCode":"C{n:04}"}}"#)).collect();
        format!(r#"{{"@odata.count":{},"value":[{}]}}"#, rows.len(), rows.join(","))
    });
    assert!(urls.len() > 2, "{}", urls.len());
    for url in &urls {
        assert!(url.len() <= URL_LIMIT, "{}", url.len());
        assert!(url.contains("$filter=GeneralRoundingRule%20gt%200%20and%20(CurrencyCode"), "{url}");
    }
    let found: Vec<String> =
        items(&pages).iter().map(|row| row["CurrencyCode"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, (0..600).map(|n| format!("C{n:04}")).collect::<Vec<_>>());
    assert_eq!(pages[0].1, Some(600), "the count comes with the first rows");
    assert!(pages[1..].iter().all(|(_, count)| count.is_none()));
}

#[test]
fn parts_are_merged_in_the_order_asked_for() {
    let query = format!(
        r#"{{"filter":"{}","orderBy":["RoundingRulePrices desc","CurrencyCode"],"select":["CurrencyCode"],"top":5,"skip":2}}"#,
        codes(600)
    );
    let mut list = listing("Currencies", &query).unwrap();
    // The rule is the code modulo 200, so that it falls within each part; two pages of each.
    let (pages, urls) = all(&mut list, |url| {
        let (url, second) = url.strip_suffix("&$skiptoken=2").map_or((url, false), |url| (url, true));
        let mut codes = asked(url);
        codes.sort_by_key(|n| (200 - n % 200, *n));
        let half = codes.len() / 2;
        let rows: Vec<String> = if second { &codes[half..] } else { &codes[..half] }
            .iter()
            .map(|n| format!(r#"{{"CurrencyCode":"c{n:04}","RoundingRulePrices":{}.00}}"#, n % 200))
            .collect();
        let next = if second { String::new() } else { format!(r#","@odata.nextLink":"{url}&$skiptoken=2""#) };
        format!(r#"{{"value":[{}]{next}}}"#, rows.join(","))
    });
    assert!(urls[0].contains(
        "&$select=CurrencyCode,RoundingRulePrices&$orderby=RoundingRulePrices%20desc,CurrencyCode&$top=7"
    ));
    assert!(!urls[0].contains("$skip="));
    let found: Vec<serde_json::Value> = items(&pages);
    let expected: Vec<serde_json::Value> = ["c0599", "c0198", "c0398", "c0598", "c0197"]
        .map(|code| serde_json::json!({ "CurrencyCode": code }))
        .into();
    assert_eq!(found, expected);
}

#[test]
fn rows_in_another_order_than_asked_for_are_an_error() {
    let query = format!(r#"{{"filter":"{}","orderBy":"CurrencyCode"}}"#, codes(600));
    let mut list = listing("Currencies", &query).unwrap();
    let page =
        answer(list.page().unwrap(), r#"{"value":[{"CurrencyCode":"b"},{"CurrencyCode":"A"}]}"#).unwrap();
    assert_eq!(list.take(page).unwrap_err().code, ErrorCode::UnsupportedQuery);
}

#[test]
fn exact_comparisons_are_divided_too() {
    let query = format!(
        r#"{{"filter":{{"op":"and","x":[{EXACT},{{"op":"anyOf","p":"CurrencyCode","v":[{}]}}]}}}}"#,
        (0..600).map(|n| format!(r#"{{"t":"s","v":"C{n:04}"}}"#)).collect::<Vec<_>>().join(",")
    );
    let mut list = listing("Currencies", &query).unwrap();
    let (pages, urls) = all(&mut list, |url| {
        let name = |n: &usize| if n.is_multiple_of(100) { "50*60" } else { "50,60" };
        let rows: Vec<String> = asked(url)
            .iter()
            .map(|n| format!(r#"{{"CurrencyCode":"C{n:04}","Name":"{}"}}"#, name(n)))
            .collect();
        format!(r#"{{"value":[{}]}}"#, rows.join(","))
    });
    assert!(urls.len() > 2 && urls[0].contains("Name%20eq%20'50*60'"));
    assert_eq!(items(&pages).len(), 6);
}
