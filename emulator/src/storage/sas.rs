//! Shared access signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

/// Storage version that the signatures follow.
const VERSION: &str = "2018-11-09";

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The query of a service SAS for one blob (`sr=b`).
pub(crate) fn blob_query(
    account: &str,
    key: &[u8],
    resource: &str,
    permissions: &str,
    minutes: i64,
) -> String {
    let (start, expiry) = window(minutes);
    // Identifier, address range, protocol, …, snapshot and the five response headers are empty.
    let to_sign = format!(
        "{permissions}\n{start}\n{expiry}\n/blob/{account}/{resource}\n\n\n\n{VERSION}\nb\n\n\n\n\n\n"
    );
    query(
        &[("sv", VERSION), ("st", &start), ("se", &expiry), ("sr", "b"), ("sp", permissions)],
        key,
        &to_sign,
    )
}

/// The query of an account SAS that may create containers.
pub(crate) fn account_query(account: &str, key: &[u8]) -> String {
    let (start, expiry) = window(5);
    let to_sign = format!("{account}\nc\nb\nc\n{start}\n{expiry}\n\n\n{VERSION}\n");
    let parts = [("sv", VERSION), ("ss", "b"), ("srt", "c"), ("sp", "c"), ("st", &start), ("se", &expiry)];
    query(&parts, key, &to_sign)
}

fn window(minutes: i64) -> (String, String) {
    let now = OffsetDateTime::now_utc();
    (stamp(now), stamp(now + Duration::minutes(minutes)))
}

fn stamp(at: OffsetDateTime) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second())
}

fn query(parts: &[(&str, &str)], key: &[u8], to_sign: &str) -> String {
    let mut out: Vec<String> =
        parts.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY))).collect();
    let signature = STANDARD.encode(sign(key, to_sign));
    out.push(format!("sig={}", utf8_percent_encode(&signature, QUERY)));
    out.join("&")
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length, so there is no error to handle.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}
