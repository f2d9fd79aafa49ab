//! The body of a batch.

use std::fmt::Write as _;

use super::group::Group;
use crate::http::{Method, Request};
use crate::odata::service::Service;
use crate::odata::shape::{CROSS_COMPANY, Shaped};

/// One request for all the operations.
pub(super) fn request(
    service: &Service,
    groups: &[Group],
    operations: &[Shaped],
    continue_on_error: bool,
) -> Request {
    let inner = |index: &usize| operations.get(*index).map(|operation| part(*index, &operation.request));
    let parts: Vec<Vec<String>> =
        groups.iter().map(|group| group.operations.iter().filter_map(inner).collect()).collect();
    let all: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    // The same operations make the same bytes: a request can be compared with one that was kept.
    let seed = all.iter().flat_map(|part| part.bytes()).fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let id = identifier(seed, &all);
    let mut body = String::new();
    for (number, (group, parts)) in groups.iter().zip(&parts).enumerate() {
        let _ = write!(body, "--batch_{id}\r\n");
        if !group.change_set {
            body.push_str(&parts.concat());
            continue;
        }
        let set = format!("changeset_{id}_{}", number + 1);
        let _ = write!(body, "Content-Type: multipart/mixed; boundary={set}\r\n\r\n");
        for part in parts {
            let _ = write!(body, "--{set}\r\n{part}");
        }
        let _ = write!(body, "--{set}--\r\n");
    }
    let _ = write!(body, "--batch_{id}--\r\n");
    let mut request = service.request(Method::Post, "$batch");
    for header in &mut request.headers {
        if header.0 == "accept" {
            "multipart/mixed".clone_into(&mut header.1);
        }
    }
    request.body = body.into_bytes();
    request = request.header("content-type", format!("multipart/mixed; boundary=batch_{id}"));
    if continue_on_error { request.header("prefer", "odata.continue-on-error") } else { request }
}

/// Sixteen digits that occur in none of the texts. From the seed, not from chance: nothing here is random.
pub(super) fn identifier(mut seed: u64, texts: &[&str]) -> String {
    loop {
        let id = format!("{seed:016x}");
        if !texts.iter().any(|text| text.contains(&id)) {
            return id;
        }
        seed = seed.wrapping_add(1);
    }
}

/// Headers of the part, request line, headers and body, each with its line break.
fn part(index: usize, request: &Request) -> String {
    // A field report: without the option a row of another company is not found. A list without it is another list.
    let option = match request.method {
        Method::Get => "",
        _ if request.url.contains('?') => "",
        _ => CROSS_COMPANY,
    };
    let mut out = String::from("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if request.method != Method::Get {
        let _ = write!(out, "Content-ID: {}\r\n", index + 1);
    }
    let _ = write!(
        out,
        "\r\n{} {}{option} HTTP/1.1\r\nOData-Version: 4.0\r\nOData-MaxVersion: 4.0\r\n",
        request.method.as_str(),
        request.url,
    );
    for (name, value) in &request.headers {
        let _ = match *name {
            "accept" => write!(out, "Accept: {value}\r\n"),
            "if-match" => write!(out, "If-Match: {value}\r\n"),
            _ => Ok(()),
        };
    }
    if !request.body.is_empty() {
        out.push_str("Content-Type: application/json;odata.metadata=minimal;charset=UTF-8\r\n");
    }
    out.push_str("\r\n");
    out.push_str(&String::from_utf8_lossy(&request.body));
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_occurs_nowhere_in_what_it_bounds() {
        assert_eq!(identifier(0xAB, &["x"]), "00000000000000ab");
        assert_eq!(identifier(0xAB, &["x 00000000000000ab", "00000000000000ac"]), "00000000000000ad");
        assert_eq!(identifier(u64::MAX, &["ffffffffffffffff"]), "0000000000000000");
    }
}
