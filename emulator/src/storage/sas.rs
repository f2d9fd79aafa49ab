//! Shared access signatures: those that callers get, in the old version that the field has seen, and those that go to
//! Azurite.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use crate::auth::same_secret;
use crate::clock::stamp;

/// Storage version of the URLs that callers get.
pub(crate) const OLD_VERSION: &str = "2014-02-14";

/// Storage version of the URLs that go to Azurite.
const VERSION: &str = "2018-11-09";

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No signature at all.
    Anonymous,
    /// Another version, or a signature that does not fit the rest.
    Signature,
    /// Too early or too late.
    Time { start: String, expiry: String },
    /// Not for this.
    Permission,
}

/// The query of a URL for callers: one blob, from now on.
pub(crate) fn old_query(
    key: &[u8],
    resource: &str,
    permissions: &str,
    now: OffsetDateTime,
    seconds: u32,
) -> String {
    let (start, expiry) = (stamp(now), stamp(now + Duration::seconds(i64::from(seconds))));
    query(
        &[("sv", OLD_VERSION), ("sr", "b"), ("st", &start), ("se", &expiry), ("sp", permissions)],
        key,
        &old_to_sign(resource, permissions, &start, &expiry),
    )
}

/// Checks the query of such a URL; `permission` is what the request needs.
pub(crate) fn check(
    key: &[u8],
    resource: &str,
    query: &[(String, String)],
    permission: char,
    now: OffsetDateTime,
) -> Result<(), Denied> {
    let part = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (start, expiry, permissions) = (part("st"), part("se"), part("sp"));
    if part("sig").is_empty() {
        return Err(Denied::Anonymous);
    }
    let wanted = STANDARD.encode(sign(key, &old_to_sign(resource, permissions, start, expiry)));
    if part("sv") != OLD_VERSION || part("sr") != "b" || !same_secret(part("sig"), &wanted) {
        return Err(Denied::Signature);
    }
    // Both are our own text by now, and of one length, so that they compare as times.
    let now = stamp(now);
    if now.as_str() < start || now.as_str() >= expiry {
        return Err(Denied::Time { start: start.to_owned(), expiry: expiry.to_owned() });
    }
    if permissions.contains(permission) { Ok(()) } else { Err(Denied::Permission) }
}

/// Identifier and the five response headers are empty.
fn old_to_sign(resource: &str, permissions: &str, start: &str, expiry: &str) -> String {
    format!("{permissions}\n{start}\n{expiry}\n/{resource}\n\n{OLD_VERSION}\n\n\n\n\n")
}

/// The query of a service SAS for one blob (`sr=b`), for five minutes of the machine's clock.
pub(crate) fn blob_query(account: &str, key: &[u8], resource: &str, permissions: &str) -> String {
    let (start, expiry) = window();
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
    let (start, expiry) = window();
    let to_sign = format!("{account}\nc\nb\nc\n{start}\n{expiry}\n\n\n{VERSION}\n");
    let parts = [("sv", VERSION), ("ss", "b"), ("srt", "c"), ("sp", "c"), ("st", &start), ("se", &expiry)];
    query(&parts, key, &to_sign)
}

fn window() -> (String, String) {
    let now = OffsetDateTime::now_utc();
    (stamp(now), stamp(now + Duration::minutes(5)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::decode_form;

    #[test]
    fn a_url_is_for_its_blob_its_time_and_its_permissions() {
        let now = OffsetDateTime::from_unix_timestamp(1_772_446_507).unwrap();
        let query = old_query(b"key", "acct/dmf/a b.zip", "rw", now, 60);
        assert!(
            query.starts_with(
                "sv=2014-02-14&sr=b&st=2026-03-02T10%3A15%3A07Z&se=2026-03-02T10%3A16%3A07Z&sp=rw&sig="
            ),
            "{query}"
        );
        let check = |query: &str, resource: &str, permission, later: i64| {
            let now = now + Duration::seconds(later);
            check(b"key", resource, &decode_form(query.as_bytes()), permission, now)
        };
        let blob = "acct/dmf/a b.zip";
        assert_eq!(check(&query, blob, 'w', 0), Ok(()));
        assert_eq!(check(&query, blob, 'r', 59), Ok(()));
        assert_eq!(check(&query, blob, 'd', 0), Err(Denied::Permission));
        assert_eq!(check(&query, "acct/dmf/b.zip", 'r', 0), Err(Denied::Signature));
        assert_eq!(check(&query.replace("10%3A16", "10%3A17"), blob, 'r', 0), Err(Denied::Signature));
        assert_eq!(
            check(&query.replace("sv=2014-02-14", "sv=2019-12-12"), blob, 'r', 0),
            Err(Denied::Signature)
        );
        assert_eq!(check("", blob, 'r', 0), Err(Denied::Anonymous));
        for later in [-1, 60, 3600] {
            assert!(matches!(check(&query, blob, 'r', later), Err(Denied::Time { .. })), "{later}");
        }
    }
}
