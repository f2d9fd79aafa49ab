//! Small parts of HTTP that several folders need: answers, and forms and query strings taken apart.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode;

/// A JSON answer.
pub(crate) fn json_reply(status: StatusCode, body: String) -> Response {
    reply(status, "application/json; charset=utf-8", body)
}

/// A JSON answer of the OData layer.
pub(crate) fn odata_reply(status: StatusCode, body: String) -> Response {
    let mut response = reply(status, "application/json; odata.metadata=minimal; odata.streaming=true", body);
    response.headers_mut().insert("odata-version", HeaderValue::from_static("4.0"));
    response
}

/// An HTML page.
pub(crate) fn html(body: &str) -> Response {
    reply(StatusCode::OK, "text/html; charset=utf-8", body.to_owned())
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer of the given type.
pub(crate) fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// `a=b&c=d` → pairs, decoded; `+` is a space.
pub(crate) fn decode_form(bytes: &[u8]) -> Vec<(String, String)> {
    bytes
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            (decode(parts.next().unwrap_or_default()), decode(parts.next().unwrap_or_default()))
        })
        .collect()
}

fn decode(bytes: &[u8]) -> String {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        assert_eq!(
            decode_form(b"a=x+y&%24filter=Name%20eq%20%27%2B%27&flag"),
            [
                ("a".to_owned(), "x y".to_owned()),
                ("$filter".to_owned(), "Name eq '+'".to_owned()),
                ("flag".to_owned(), String::new()),
            ]
        );
    }
}
