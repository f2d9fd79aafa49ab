//! Batches carried through every kind of answer.

use super::*;
use crate::http::{TransportError, TransportKind};

fn service() -> Service {
    Service::new("https://c.example", Some("usmf")).unwrap()
}
fn spec(json: &str) -> OperationSpec {
    serde_json::from_str(json).unwrap()
}
fn create(code: &str) -> OperationSpec {
    spec(&format!(r#"{{"op":"create","entity":"Currencies","value":{{"CurrencyCode":"{code}"}}}}"#))
}
fn read_one() -> OperationSpec {
    spec(r#"{"op":"get","entity":"Currencies","key":{"CurrencyCode":"EUR"}}"#)
}
fn options() -> BatchOptions {
    BatchOptions::default()
}

/// Answers one batch after another; also yields how many were sent.
fn run(
    operations: &[OperationSpec],
    options: BatchOptions,
    answers: Vec<Input>,
) -> (Result<Vec<BatchResult>>, Vec<Request>) {
    let mut batch = Batch::new(&service(), operations, options).unwrap();
    let (mut now, mut sent, mut answers) = (Timestamp::from_millis(0), Vec::new(), answers.into_iter());
    for _ in 0..100 {
        match batch.next(now) {
            Step::Send(request) => {
                sent.push(request);
                batch.handle(answers.next().expect("no more requests than answers"), now);
            }
            Step::Token(_) => batch.handle(Input::TokenRenewed { expires: None }, now),
            Step::Wait(until) => now = until,
            Step::Done(results) => return (Ok(results), sent),
            Step::Failed(error) => return (Err(*error), sent),
            _ => {}
        }
    }
    panic!("never ended");
}

fn part(id: Option<u32>, message: &str) -> String {
    let id = id.map(|id| format!("Content-ID: {id}\r\n")).unwrap_or_default();
    format!("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n{message}\r\n")
}
fn change_set(parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--cs\r\n{part}")).collect();
    format!("Content-Type: multipart/mixed; boundary=cs\r\n\r\n{parts}--cs--\r\n")
}
fn answer(items: &[String]) -> Input {
    let items: String = items.iter().map(|item| format!("--b\r\n{item}")).collect();
    let response = Response::new(200, format!("{items}--b--\r\n"));
    Input::Response(response.with_header("Content-Type", "multipart/mixed; boundary=b"))
}
fn created(id: Option<u32>, code: &str) -> String {
    part(
        id,
        &format!(
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{{\"CurrencyCode\":\"{code}\"}}"
        ),
    )
}
fn refused(id: Option<u32>) -> String {
    part(
        id,
        "HTTP/1.1 400 Bad Request\r\nms-dyn-aid: A1\r\n\r\n{\"error\":{\"message\":\"The code is too long.\"}}",
    )
}
fn lost() -> Input {
    Input::TransportError(TransportError::new(TransportKind::NoAnswer, "reset"))
}
fn record(result: &BatchResult) -> (u16, &str) {
    match result {
        Ok(BatchAnswer { status, value: Answer::Record(Some(text)) }) => (*status, text),
        other => panic!("{other:?}"),
    }
}
fn code(result: &BatchResult) -> ErrorCode {
    result.as_ref().unwrap_err().code
}

#[test]
fn each_answer_goes_to_its_operation() {
    let list = part(None, "HTTP/1.1 200 OK\r\n\r\n{\"value\":[{\"CurrencyCode\":\"EUR\"}]}");
    let gone = part(None, "HTTP/1.1 404 Not Found\r\n\r\n");
    let changed = change_set(&[part(Some(4), "HTTP/1.1 204 No Content\r\n\r\n")]);
    let operations = [
        create("EUR"),
        spec(r#"{"op":"get","entity":"Currencies"}"#),
        read_one(),
        spec(r#"{"op":"update","entity":"Currencies","key":{"CurrencyCode":"EUR"},"value":{"Name":"Euro"}}"#),
    ];
    let answers = answer(&[change_set(&[created(Some(1), "EUR")]), list, gone, changed]);
    let go_on = BatchOptions { continue_on_error: true, ..options() };
    let (results, sent) = run(&operations, go_on, vec![answers]);
    let results = results.unwrap();
    assert_eq!((record(&results[0]), sent.len()), ((201, r#"{"CurrencyCode":"EUR"}"#), 1));
    assert!(matches!(&results[1], Ok(BatchAnswer { value: Answer::Page(page), .. }) if page.rows == 1));
    assert!(matches!(results[2], Ok(BatchAnswer { status: 404, value: Answer::Record(None) })));
    assert!(matches!(results[3], Ok(BatchAnswer { status: 204, value: Answer::Done })));
    assert_eq!(
        results_json(&service(), results),
        r#"[{"ok":true,"status":201,"value":{"CurrencyCode":"EUR"}},{"ok":true,"status":200,"value":{"items":[{"CurrencyCode":"EUR"}]}},{"ok":true,"status":404},{"ok":true,"status":204}]"#
    );
}

#[test]
fn in_a_change_set_the_content_id_counts_and_the_order_where_there_is_none() {
    let atomic = BatchOptions { atomic: true, ..options() };
    let operations = [create("AAA"), create("BBB"), create("CCC")];
    let shuffled = change_set(&[created(Some(3), "CCC"), created(None, "AAA"), created(Some(2), "BBB")]);
    let (results, _) = run(&operations, atomic, vec![answer(&[shuffled])]);
    let results = results.unwrap();
    let codes: Vec<&str> = results.iter().map(|result| record(result).1).collect();
    assert_eq!(
        codes,
        [r#"{"CurrencyCode":"AAA"}"#, r#"{"CurrencyCode":"BBB"}"#, r#"{"CurrencyCode":"CCC"}"#]
    );
}

#[test]
fn a_failed_change_set_is_told_of_each_of_its_operations_and_who_failed() {
    let atomic = BatchOptions { atomic: true, ..options() };
    let operations = [create("AAA"), create("BBBBB")];
    for item in [change_set(&[refused(Some(2))]), refused(Some(2))] {
        let (results, _) = run(&operations, atomic, vec![answer(&[item])]);
        let results = results.unwrap();
        let (first, second) = (results[0].as_ref().unwrap_err(), results[1].as_ref().unwrap_err());
        assert_eq!((first.code, second.code), (ErrorCode::ValidationFailed, ErrorCode::ValidationFailed));
        assert_eq!(second.message, "The code is too long.");
        assert_eq!(first.message, "rolled back, because operation 2 failed: The code is too long.");
        assert_eq!(first.at.as_deref().unwrap().line, Some(2));
        assert_eq!(first.service.as_deref().unwrap().activity_id.as_deref(), Some("A1"));
    }
    let (results, _) = run(&operations, atomic, vec![answer(&[refused(None)])]);
    let results = results.unwrap();
    let message = &results[1].as_ref().unwrap_err().message;
    assert_eq!(message, "rolled back, because an operation of its change set failed: The code is too long.");
}

#[test]
fn after_a_failure_the_rest_is_not_carried_out_unless_asked_for() {
    let operations = [create("AAA"), create("BBB"), create("CCC")];
    let two = BatchOptions { size: Some(2), ..options() };
    let (results, sent) = run(&operations, two, vec![answer(&[refused(Some(1))])]);
    let results = results.unwrap();
    let codes: Vec<ErrorCode> = results.iter().map(code).collect();
    assert_eq!(codes, [ErrorCode::ValidationFailed, ErrorCode::Aborted, ErrorCode::Aborted]);
    assert_eq!(sent.len(), 1);
    assert!(!sent[0].headers.iter().any(|(name, _)| *name == "prefer"));

    let go_on = BatchOptions { continue_on_error: true, ..two };
    let answers = vec![
        answer(&[refused(Some(1)), change_set(&[created(Some(2), "BBB")])]),
        answer(&[change_set(&[created(Some(3), "CCC")])]),
    ];
    let (results, sent) = run(&operations, go_on, answers);
    let results = results.unwrap();
    assert_eq!(
        (code(&results[0]), results[1].is_ok(), results[2].is_ok()),
        (ErrorCode::ValidationFailed, true, true)
    );
    assert!(sent[1].headers.contains(&("prefer", "odata.continue-on-error".to_owned())));
}

#[test]
fn what_has_no_answer_is_unknown_and_never_taken_for_done() {
    let cut = Response::new(
        200,
        format!("--b\r\n{}--b\r\n{}", change_set(&[created(None, "AAA")]), "Content-Type: appl"),
    )
    .with_header("Content-Type", "multipart/mixed; boundary=\"b\"; charset=utf-8");
    let (results, _) =
        run(&[create("AAA"), create("BBB"), read_one()], options(), vec![Input::Response(cut)]);
    let results = results.unwrap();
    assert!(results[0].is_ok());
    assert_eq!((code(&results[1]), code(&results[2])), (ErrorCode::OutcomeUnknown, ErrorCode::ServiceError));
}

#[test]
fn a_lost_batch_with_writes_is_sent_once_and_one_of_reads_again() {
    let (outcome, sent) = run(&[create("AAA"), read_one()], options(), vec![lost()]);
    let error = outcome.unwrap_err();
    assert_eq!((error.code, sent.len()), (ErrorCode::Network, 1));
    assert!(error.hint.as_deref().unwrap().contains("read the records"), "{error:?}");
    let found = answer(&[part(None, "HTTP/1.1 200 OK\n\n{\"CurrencyCode\":\"EUR\"}")]);
    let (outcome, sent) = run(&[read_one()], options(), vec![lost(), found]);
    assert_eq!((outcome.unwrap().len(), sent.len()), (1, 2));
}

#[test]
fn a_later_batch_that_is_lost_does_not_cost_the_results_before_it() {
    let one = BatchOptions { size: Some(1), ..options() };
    let answers = vec![answer(&[change_set(&[created(None, "AAA")])]), lost()];
    let (results, sent) = run(&[create("AAA"), create("BBB"), create("CCC")], one, answers);
    let results = results.unwrap();
    assert!(results[0].is_ok());
    assert_eq!((code(&results[1]), code(&results[2])), (ErrorCode::OutcomeUnknown, ErrorCode::Aborted));
    assert_eq!(sent.len(), 2);
}

#[test]
fn what_is_no_multipart_is_an_error() {
    let json = Response::new(200, "{}").with_header("Content-Type", "application/json");
    let (outcome, _) = run(&[create("AAA")], options(), vec![Input::Response(json)]);
    assert_eq!(outcome.unwrap_err().code, ErrorCode::ServiceError);
    let (outcome, _) = run(&[create("AAA")], options(), vec![answer(&[part(None, "no message")])]);
    assert_eq!(code(&outcome.unwrap()[0]), ErrorCode::ServiceError);
}

#[test]
fn a_host_may_send_it_and_have_the_answer_read() {
    let operations = [create("AAA"), create("BBB"), read_one()];
    let atomic = BatchOptions { atomic: true, ..options() };
    let request = batch_request(&service(), &operations, atomic).unwrap();
    let (_, sent) = run(&operations, atomic, vec![answer(&[refused(Some(2))])]);
    assert_eq!(sent[0].body, request.body);
    let Input::Response(response) =
        answer(&[change_set(&[created(Some(2), "BBB"), created(Some(1), "AAA")])])
    else {
        unreachable!()
    };
    let Answer::Batch(results) = super::super::read_answer(&service(), &request, &response).unwrap() else {
        panic!("no batch")
    };
    assert_eq!(record(&results[0]).1, r#"{"CurrencyCode":"AAA"}"#);
    assert_eq!(code(&results[2]), ErrorCode::ServiceError);
    // Without headers, as a log may have kept it.
    let mut bare = request.clone();
    bare.headers.clear();
    assert!(super::super::read_answer(&service(), &bare, &response).is_ok());
    let refusal = Response::new(403, "");
    assert_eq!(
        super::super::read_answer(&service(), &request, &refusal).unwrap_err().code,
        ErrorCode::Forbidden
    );
    let mut empty = request.clone();
    empty.body.clear();
    assert_eq!(
        super::super::read_answer(&service(), &empty, &response).unwrap_err().code,
        ErrorCode::InvalidArgument
    );
    bare.body = b"GET x".to_vec();
    assert_eq!(
        super::super::read_answer(&service(), &bare, &response).unwrap_err().code,
        ErrorCode::InvalidArgument
    );
}

#[test]
fn an_operation_that_can_not_be_meant_is_named_before_anything_is_sent() {
    let wrong = spec(r#"{"op":"create","entity":"Currencies","value":{"CurrencyCod":"EUR"}}"#);
    let error = Batch::new(&service(), &[create("AAA"), wrong], options()).unwrap_err();
    assert_eq!((error.code, error.at.as_deref().unwrap().line), (ErrorCode::UnknownProperty, Some(2)));
    for json in [
        r#"{"op":"create","entity":"Currencies","key":{"CurrencyCode":"EUR"},"value":{}}"#,
        r#"{"op":"get","entity":"Currencies","ifMatch":"x"}"#,
        r#"{"op":"upsert","entity":"Currencies"}"#,
    ] {
        assert!(serde_json::from_str::<OperationSpec>(json).is_err(), "{json}");
    }
    let etag =
        r#"{"op":"delete","entity":"Currencies","key":{"CurrencyCode":"EUR"},"ifMatch":"x\r\nHost: y"}"#;
    let error = Batch::new(&service(), &[spec(etag)], options()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidArgument);
    assert_eq!(batch_request(&service(), &[], options()).unwrap_err().code, ErrorCode::InvalidArgument);
}

#[test]
fn giving_up_ends_it() {
    let mut batch = Batch::new(&service(), &[create("AAA")], options()).unwrap();
    batch.handle(Input::Cancelled, Timestamp::from_millis(0));
    let Step::Failed(error) = batch.next(Timestamp::from_millis(0)) else { panic!("it goes on") };
    assert_eq!(error.code, ErrorCode::Aborted);
}
