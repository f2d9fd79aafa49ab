//! The doctor against services that are written down: each finding, and none where nothing is wrong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Code, Diagnosis, Finding, Token};
use crate::error::ErrorCode;
use crate::http::{
    Input, Machine, Method, Request, Response, Step, Timestamp, TransportError, TransportKind,
};
use crate::odata::Service;
use crate::package::Severity;

const BASE: &str = "https://contoso.operations.dynamics.com";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// 2026-03-02T10:15:07Z.
const NOW: Timestamp = Timestamp::from_millis(1_772_446_507_000);
const SECONDS: u64 = 1_772_446_507;
const BLOB: &str = "https://acct.blob.core.windows.net/dmf/d365-clm-check.zip?sig=SECRET";

type Answer<'a> = &'a dyn Fn(&Request) -> Option<Input>;

fn says(status: u16, body: &str) -> Input {
    Input::Response(Response::new(status, body).with_header("content-type", "application/json"))
}
fn lost(kind: TransportKind, words: &str) -> Input {
    Input::TransportError(TransportError::new(kind, words))
}
fn is(request: &Request, part: &str) -> bool {
    request.url.starts_with(&format!("{BASE}/data/{part}"))
}

/// A service without faults.
fn healthy(request: &Request) -> Input {
    const TRACKED: &str =
        r#""EntityIsEnabled":"Yes","StagingTableName":"S","ChangeTrackingType":"PrimaryTable""#;
    if !request.bearer && request.url == format!("{BASE}/data") {
        let location = format!("https://login.microsoftonline.com/{TENANT}/oauth2/authorize?x=1");
        return Input::Response(Response::new(302, "").with_header("location", &location));
    }
    if request.url.starts_with(BLOB) {
        return says(404, "");
    }
    if is(request, "CLMIntegrationServiceInstances") {
        return says(
            200,
            r#"{"value":[{"ID":0,"EstablishmentStatus":"Success","ConfigurationStatus":"Success"}]}"#,
        );
    }
    if is(request, "DataManagementEntities") {
        let rows: Vec<String> = super::management::labels()
            .iter()
            .map(|label| format!(r#"{{"EntityName":"{label}",{TRACKED}}}"#))
            .collect();
        return says(200, &format!(r#"{{"value":[{}]}}"#, rows.join(",")));
    }
    if request.method == Method::Post {
        assert!(is(
            request,
            "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl"
        ));
        return says(200, &format!(r#"{{"value":"{{\"BlobId\":\"1\",\"BlobUrl\":\"{BLOB}\"}}"}}"#));
    }
    says(200, r#"{"value":[]}"#)
}

struct Held {
    findings: Vec<Finding>,
    asked: Vec<Request>,
}

fn hold(base: &str, token: Option<&str>, answer: Answer<'_>) -> Held {
    let service = Service::new(base, None).unwrap();
    let mut diagnosis = Diagnosis::new(&service);
    let (mut now, mut asked) = (NOW, Vec::new());
    let seen = loop {
        assert!(asked.len() < 100, "it never ends");
        match diagnosis.next(now) {
            Step::Send(request) => {
                let input = answer(&request).unwrap_or_else(|| healthy(&request));
                asked.push(request);
                diagnosis.handle(input, now);
            }
            Step::Token(_) => diagnosis.handle(Input::TokenRenewed { expires: None }, now),
            Step::Wait(until) => now = until,
            Step::Emit(_) => {}
            Step::Done(seen) => break seen,
            Step::Failed(error) => panic!("{error}"),
            other => panic!("a doctor only asks: {other:?}"),
        }
    };
    let findings = seen.report(&Token::of(token), NOW);
    for finding in &findings {
        let told = finding.to_json().to_string();
        assert!(!told.contains("SECRET") && !told.contains("sIgNaTuRe"), "{told}");
    }
    Held { findings, asked }
}

fn token(claims: &str) -> String {
    format!("eyJ0.{}.sIgNaTuRe", URL_SAFE_NO_PAD.encode(claims))
}

fn good() -> String {
    token(&format!(
        r#"{{"aud":"{BASE}","tid":"{TENANT}","appid":"app-1","oid":"o","exp":{},"nbf":{}}}"#,
        SECONDS + 3_000,
        SECONDS - 100
    ))
}

fn codes(answer: Answer<'_>) -> Vec<&'static str> {
    codes_with(&good(), answer)
}

fn codes_with(token: &str, answer: Answer<'_>) -> Vec<&'static str> {
    hold(BASE, Some(token), answer).findings.iter().map(|finding| finding.code.info().code).collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let held = hold(BASE, Some(&good()), &|_| None);
    assert_eq!(held.findings, []);
    assert_eq!(held.asked.first().unwrap().url, format!("{BASE}/data"));
    assert!(!held.asked.first().unwrap().bearer && !held.asked.last().unwrap().bearer);
    let writes = held.asked.iter().filter(|request| request.method != Method::Get).count();
    assert_eq!(writes, 1, "the one that makes a URL");
}

#[test]
fn the_wrong_product_is_known_by_its_name() {
    for host in ["contoso.crm.dynamics.com", "contoso.crm4.dynamics.com", "contoso.api.crm11.dynamics.com"] {
        let held = hold(&format!("https://{host}"), None, &|_| panic!("asked"));
        assert_eq!(held.findings.len(), 1);
        assert_eq!(held.findings[0].code, Code::HostDataverse);
    }
    for host in ["crm.operations.dynamics.com", "contoso.crmx.dynamics.com", "crm.dynamics.com.example"] {
        let held = hold(&format!("https://{host}"), None, &|_| Some(says(404, "")));
        assert_eq!(held.findings[0].code, Code::NotFound, "{host}");
    }
}

#[test]
fn a_path_is_for_environments_on_premises() {
    let all = |_: &Request| Some(says(404, ""));
    let found = |base: &str| hold(base, None, &all).findings.iter().map(|one| one.code).collect::<Vec<_>>();
    assert_eq!(found("https://ax.example/namespaces/AXSF"), [Code::NotFound]);
    assert_eq!(found("https://ax.example/portal"), [Code::Path, Code::NotFound]);
}

#[test]
fn what_happened_on_the_way() {
    let cases: [(TransportKind, &str, &str); 8] = [
        (TransportKind::NotSent, "fetch failed (ENOTFOUND)", "CONN-DNS"),
        (TransportKind::NotSent, "fetch failed (EAI_AGAIN)", "CONN-DNS"),
        (TransportKind::NotSent, "fetch failed (ECONNREFUSED)", "CONN-UNREACHABLE"),
        (TransportKind::NoAnswer, "fetch failed (DEPTH_ZERO_SELF_SIGNED_CERT)", "CONN-TLS"),
        (TransportKind::NoAnswer, "fetch failed (UNABLE_TO_VERIFY_LEAF_SIGNATURE)", "CONN-TLS"),
        (TransportKind::NoAnswer, "fetch failed (ECONNRESET)", "CONN-UNREACHABLE"),
        (TransportKind::Timeout, "timeout", "CONN-TIMEOUT"),
        (TransportKind::NoAnswerCrossOrigin, "Failed to fetch", "CONN-CORS"),
    ];
    for (kind, words, code) in cases {
        let held = hold(BASE, None, &|_| Some(lost(kind, words)));
        assert_eq!(
            held.findings.iter().map(|one| one.code.info().code).collect::<Vec<_>>(),
            [code],
            "{words}"
        );
        assert_eq!(held.asked.len(), 2, "tried twice and no further");
    }
    for (status, code) in [(404, "CONN-NOT-FOUND"), (407, "CONN-PROXY"), (503, "CONN-UNAVAILABLE")] {
        assert_eq!(codes(&|_| Some(says(status, ""))), [code]);
    }
}

#[test]
fn a_relay_says_itself_why_it_refuses() {
    let relay = |code: &'static str, status: u16| {
        move |_: &Request| {
            Some(Input::Response(Response::new(status, "{}").with_header("x-d365-clm-relay", code)))
        }
    };
    let held = hold(BASE, None, &relay("RELAY_TARGET", 403));
    assert_eq!(held.findings[0].code, Code::Relay);
    assert!(held.findings[0].message.contains("RELAY_TARGET"));
    assert_eq!(held.findings.len(), 1);
    // What it makes of the sign-in page is the service's answer.
    let held = hold(BASE, None, &relay("RELAY_REDIRECT", 401));
    assert_eq!(held.findings.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::TokenRejected]);
    assert!(held.findings[0].message.contains("no token was sent"));
}

#[test]
fn clocks_that_differ() {
    for (date, expected) in [
        ("Mon, 02 Mar 2026 10:15:00 GMT", &[][..]),
        ("Mon, 02 Mar 2026 10:20:07 GMT", &[]),
        ("Mon, 02 Mar 2026 10:20:08 GMT", &["CONN-CLOCK"]),
        ("Mon, 02 Mar 2026 10:10:06 GMT", &["CONN-CLOCK"]),
    ] {
        let dated = |request: &Request| match healthy(request) {
            Input::Response(response) => Some(Input::Response(response.with_header("date", date))),
            other => Some(other),
        };
        assert_eq!(codes(&dated), expected, "{date}");
    }
}

#[test]
fn a_token_that_is_refused_is_looked_at() {
    let refused = |request: &Request| request.bearer.then(|| says(401, ""));
    let claims = |change: (&str, &str)| {
        let whole = format!(
            r#"{{"aud":"{BASE}","tid":"{TENANT}","oid":"o","exp":{},"nbf":{}}}"#,
            SECONDS + 3_000,
            SECONDS - 100
        );
        assert!(whole.contains(change.0), "{}", change.0);
        token(&whole.replace(change.0, change.1))
    };
    let (late, early) = (SECONDS + 3_000, SECONDS - 100);
    let cases: [(&str, String, &str); 8] = [
        (BASE, format!("{BASE}/"), "CONN-TOKEN-AUDIENCE"),
        (BASE, "00000015-0000-0000-c000-000000000000".into(), "CONN-TOKEN-AUDIENCE"),
        (BASE, "https://contoso-test.sandbox.operations.dynamics.com".into(), "CONN-TOKEN-AUDIENCE"),
        (BASE, "HTTPS://CONTOSO.operations.dynamics.com".into(), "CONN-TOKEN-AUDIENCE"),
        (TENANT, "99999999-2222-3333-4444-555555555555".into(), "CONN-TOKEN-TENANT"),
        (r#""oid":"o","#, String::new(), "CONN-TOKEN-PRINCIPAL"),
        (&late.to_string(), SECONDS.to_string(), "CONN-TOKEN-EXPIRED"),
        (&early.to_string(), (SECONDS + 301).to_string(), "CONN-TOKEN-EARLY"),
    ];
    for (from, to, code) in cases {
        let found = codes_with(&claims((from, &to)), &refused);
        assert_eq!(found, [code, "CONN-TOKEN-REJECTED"], "{to}");
    }
    assert_eq!(codes(&refused), ["CONN-TOKEN-REJECTED"], "nothing is wrong with the claims");
    for opaque in ["opaque", "a.b", "a.!.c", &token("[]"), "Bearer x"] {
        assert_eq!(
            codes_with(opaque, &refused),
            ["CONN-TOKEN-UNREADABLE", "CONN-TOKEN-REJECTED"],
            "{opaque}"
        );
    }
    // The limits themselves.
    assert_eq!(codes_with(&claims((&late.to_string(), &(SECONDS + 1).to_string())), &refused).len(), 1);
    assert_eq!(codes_with(&claims((&early.to_string(), &(SECONDS + 300).to_string())), &refused).len(), 1);
}

#[test]
fn what_the_service_accepts_is_only_doubted() {
    let foreign = token(&format!(r#"{{"aud":"{BASE}/","tid":"{TENANT}","exp":1}}"#));
    let held = hold(BASE, Some(&foreign), &|_| None);
    let found: Vec<_> = held.findings.iter().map(|one| (one.code, one.severity)).collect();
    let expected = [(Code::TokenAudience, Severity::Warning), (Code::TokenPrincipal, Severity::Warning)];
    assert_eq!(found, expected);
}

#[test]
fn a_sign_in_page_is_a_refused_token() {
    let page = |request: &Request| {
        let answer = Response::new(200, "<html>").with_header("content-type", "text/html; charset=utf-8");
        request.bearer.then_some(Input::Response(answer))
    };
    let held = hold(BASE, Some(&good()), &page);
    assert_eq!(held.findings.len(), 1);
    assert!(held.findings[0].message.contains(TENANT), "{}", held.findings[0].message);
    assert_eq!(held.asked.len(), 3, "asked once more with a fresh token, and nothing else");
}

#[test]
fn an_application_without_a_row() {
    let held = hold(BASE, Some(&good()), &|request| request.bearer.then(|| says(403, "{}")));
    assert_eq!(held.findings.len(), 1);
    let finding = &held.findings[0];
    assert_eq!(finding.code, Code::AppNotRegistered);
    for word in
        ["Microsoft Entra ID applications", "Client ID: app-1", "Name:", "User ID:", "CLM integration role"]
    {
        assert!(finding.hint.contains(word), "{word}");
    }
    assert_eq!(held.asked.len(), 3);
}

#[test]
fn an_application_without_a_row_may_be_told_by_401_too() {
    let held = hold(BASE, Some(&good()), &|request| {
        let document = request.url == format!("{BASE}/data");
        (request.bearer && !document).then(|| says(401, ""))
    });
    assert_eq!(held.findings.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::AppNotRegistered]);
    let last = held.asked.last().unwrap();
    assert!(last.bearer && last.url == format!("{BASE}/data"), "{last:?}");
}

#[test]
fn a_user_without_the_role() {
    let held = hold(BASE, Some(&good()), &|request| {
        let refused = is(request, "CLMIntegrationContracts?") || is(request, "LegalEntities?");
        refused.then(|| says(403, "{}"))
    });
    let found: Vec<_> = held.findings.iter().map(|one| (one.code, one.entity.as_deref())).collect();
    let expected = [(Code::Role, Some("LegalEntities")), (Code::Role, Some("CLMIntegrationContracts"))];
    assert_eq!(found, expected);
}

#[test]
fn a_feature_that_is_off_and_an_entity_that_is_missing() {
    let held = hold(BASE, Some(&good()), &|request| is(request, "CLM").then(|| says(404, "{}")));
    assert_eq!(held.findings.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::FeatureOff]);
    assert!(held.findings[0].message.contains("7 further"), "{}", held.findings[0].message);
    let held = hold(BASE, Some(&good()), &|request| {
        let missing = is(request, "PaymentTerms") || is(request, "CLMIntegrationReleasedProducts");
        missing.then(|| says(404, "{}"))
    });
    let found: Vec<_> = held.findings.iter().map(|one| (one.code, one.entity.as_deref())).collect();
    let expected = [
        (Code::EntityMissing, Some("CLMIntegrationReleasedProducts")),
        (Code::EntityMissing, Some("PaymentTerms")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn other_refusals_come_with_the_services_words() {
    let held = hold(BASE, Some(&good()), &|request| {
        is(request, "Currencies")
            .then(|| says(400, r#"{"error":{"code":"","message":"Licence is missing"}}"#))
    });
    assert_eq!(held.findings.len(), 1);
    assert_eq!(held.findings[0].code, Code::ReadFailed);
    assert!(held.findings[0].message.contains("Licence is missing"));
    let broken = |request: &Request| is(request, "Currencies").then(|| says(503, ""));
    assert_eq!(codes(&broken), ["CONN-UNAVAILABLE"]);
}

#[test]
fn a_handshake_that_is_not_done() {
    for (row, words) in [
        ("", "there is no service instance yet"),
        (
            r#"{"EstablishmentStatus":"Success","ConfigurationStatus":"Error"}"#,
            "establishment: Success, configuration: Error",
        ),
        (r#"{"EstablishmentStatus":"NotStarted"}"#, "establishment: NotStarted, configuration: NotStarted"),
    ] {
        let held = hold(BASE, Some(&good()), &|request| {
            let body = format!(r#"{{"value":[{row}]}}"#);
            is(request, "CLMIntegrationServiceInstances").then(|| says(200, &body))
        });
        assert_eq!(held.findings.len(), 1);
        assert_eq!((held.findings[0].code, held.findings[0].message.as_str()), (Code::NotEstablished, words));
    }
}

#[test]
fn no_rights_in_data_management() {
    let lists = |request: &Request| is(request, "DataManagement").then(|| says(403, "{}"));
    assert_eq!(codes(&lists), ["CONN-DATA-MANAGEMENT"]);
    let actions = |request: &Request| (request.method == Method::Post).then(|| says(403, "{}"));
    assert_eq!(codes(&actions), ["CONN-DATA-MANAGEMENT"]);
}

#[test]
fn entities_of_data_management() {
    let entities = |rows: &'static str| {
        move |request: &Request| is(request, "DataManagementEntities").then(|| says(200, rows))
    };
    let found = |rows: &'static str| {
        let held = hold(BASE, Some(&good()), &entities(rows));
        held.findings.into_iter().filter(|one| one.code != Code::EntityList).collect::<Vec<_>>()
    };
    assert_eq!(codes(&entities(r#"{"value":[]}"#)), ["CONN-ENTITY-LIST"], "one for all");
    let one = r#"{"value":[{"EntityName":"Vendors V2","ChangeTrackingType":"ALL"}]}"#;
    let listed = hold(BASE, Some(&good()), &entities(one)).findings;
    assert_eq!(listed.len(), 19);
    assert!(
        listed.iter().all(|one| one.code == Code::EntityList && one.entity.as_deref() != Some("Vendors V2"))
    );
    let disabled = found(r#"{"value":[{"EntityName":"Vendors V2","EntityIsEnabled":"No"}]}"#);
    assert_eq!((disabled[0].code, disabled.len()), (Code::Staging, 1));
    let unstaged = found(r#"{"value":[{"EntityName":"Vendors V2","StagingTableName":""}]}"#);
    assert_eq!(unstaged[0].message, "Vendors V2 has no staging table");
    let untracked = found(r#"{"value":[{"EntityName":"Vendors V2","ChangeTrackingType":"None"}]}"#);
    assert_eq!((untracked[0].code, untracked[0].severity), (Code::TrackingOff, Severity::Info));
}

#[test]
fn projects_that_want_what_is_not_there() {
    const PROJECTS: &str =
        r#"{"value":[{"Name":"Out","OperationType":"Export"},{"Name":"In","OperationType":"Import"}]}"#;
    let run = |project: &str, refresh: &str, status: &str| {
        let line = format!(
            r#"{{"value":[{{"DefinitionGroupId":"{project}","EntityName":"Vendors V2","DefaultRefreshType":"{refresh}","ValidationStatus":"{status}"}}]}}"#
        );
        let held = hold(BASE, Some(&good()), &|request| {
            if is(request, "DataManagementEntities") {
                let rows: Vec<String> = super::management::labels()
                    .iter()
                    .map(|label| format!(r#"{{"EntityName":"{label}","ChangeTrackingType":"None"}}"#))
                    .collect();
                return Some(says(200, &format!(r#"{{"value":[{}]}}"#, rows.join(","))));
            }
            if is(request, "DataManagementDefinitionGroupDetails") {
                return Some(says(200, &line));
            }
            is(request, "DataManagementDefinitionGroups?").then(|| says(200, PROJECTS))
        });
        let errors = held.findings.into_iter().filter(|one| one.severity == Severity::Error);
        errors.map(|one| (one.code, one.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        run("Out", "IncrementalPush", "Yes"),
        [(
            Code::TrackingOff,
            "the data project Out exports changes of Vendors V2, which are not tracked".into()
        )]
    );
    assert_eq!(run("Out", "FullPush", "Yes"), []);
    assert_eq!(run("In", "IncrementalPush", "Yes"), [], "imports have that word too");
    assert_eq!(
        run("In", "FullPush", "No"),
        [(Code::ProjectMap, "the line \"Vendors V2\" of the data project In has no valid mapping".into())]
    );
}

#[test]
fn storage_behind_the_service() {
    let blob = |input: fn() -> Input| move |request: &Request| request.url.starts_with(BLOB).then(input);
    let unreachable = blob(|| lost(TransportKind::NotSent, "fetch failed (ENOTFOUND)"));
    let held = hold(BASE, Some(&good()), &unreachable);
    assert_eq!(held.findings[0].code, Code::StorageUnreachable);
    assert!(
        held.findings[0].message.starts_with("acct.blob.core.windows.net: "),
        "{}",
        held.findings[0].message
    );
    assert_eq!(codes(&blob(|| lost(TransportKind::NoAnswerCrossOrigin, "x"))), ["CONN-STORAGE-UNREACHABLE"]);
    assert_eq!(codes(&blob(|| says(403, "<Error/>"))), ["CONN-STORAGE-REFUSED"]);
    assert_eq!(codes(&blob(|| says(503, ""))), ["CONN-STORAGE-UNREACHABLE"]);
    let ticket =
        blob(|| Input::Response(Response::new(403, "{}").with_header("x-d365-clm-relay", "RELAY_TICKET")));
    assert_eq!(codes(&ticket), ["CONN-RELAY"]);
    let none = |request: &Request| (request.method == Method::Post).then(|| says(200, r#"{"value":""}"#));
    assert_eq!(codes(&none), ["CONN-STORAGE-REFUSED"]);
}

#[test]
fn a_host_without_a_token() {
    let service = Service::new(BASE, None).unwrap();
    let mut diagnosis = Diagnosis::new(&service);
    let seen = loop {
        match diagnosis.next(NOW) {
            Step::Send(request) => diagnosis.handle(healthy(&request), NOW),
            Step::Token(_) => {
                let message = "AADSTS7000215: invalid secret".to_owned();
                diagnosis.handle(Input::TokenFailed { message }, NOW);
            }
            Step::Done(seen) => break seen,
            other => panic!("{other:?}"),
        }
    };
    let findings = seen.report(&Token::Absent, NOW);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, Code::TokenNone);
    assert!(findings[0].message.contains("AADSTS7000215"));
}

#[test]
fn giving_up_is_an_error_and_no_finding() {
    let service = Service::new(BASE, None).unwrap();
    let mut diagnosis = Diagnosis::new(&service);
    assert!(matches!(diagnosis.next(NOW), Step::Send(_)));
    diagnosis.handle(Input::Cancelled, NOW);
    let Step::Failed(error) = diagnosis.next(NOW) else { panic!("it went on") };
    assert_eq!(error.code, ErrorCode::Aborted);
}
