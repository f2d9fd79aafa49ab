//! Percent-encoding and origins.

/// Encodes everything that could mean something in a query, and keeps what makes a filter readable.
pub(crate) fn encode_query(text: &str) -> String {
    encode(text, b"-_.~'()*,:/@$!;")
}

/// Encodes a part of a path: a slash in a key must not end the segment.
pub(crate) fn encode_segment(text: &str) -> String {
    encode(text, b"-_.~'(),=$!*@:")
}

fn encode(text: &str, kept: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A string literal: single quotes, doubled inside.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `scheme://host:port` in lower case without a default port.
pub(crate) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
    if authority.contains('@') {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(default).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}"))
}

/// Whether both lead to the same scheme, host and port.
pub(crate) fn same_origin(a: &str, b: &str) -> bool {
    matches!((origin(a), origin(b)), (Some(a), Some(b)) if a == b)
}

/// Whether the origin is on this machine.
pub(crate) fn is_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let host =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.contains(']') { host } else { name });
    let ipv4 =
        host.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    ipv4 || host == "localhost" || host == "[::1]" || host.ends_with(".localhost")
}

/// Why a request that may carry a token must not go to a rewritten URL. It may stay on the page's own origin, or go to a listed one.
#[cfg(any(test, all(feature = "wasm", target_arch = "wasm32", target_os = "unknown")))]
pub(crate) fn refuse_relay<'a>(
    url: &str,
    allowed: impl IntoIterator<Item = &'a str>,
) -> Option<&'static str> {
    // Browsers read a backslash as a slash and leave control characters out.
    if url.contains('\\') || url.chars().any(char::is_control) {
        return Some("it has a backslash or a control character");
    }
    if url.starts_with('/') && !url.starts_with("//") {
        return None;
    }
    let Some(origin) = origin(url) else { return Some("it is neither a path nor an http or https URL") };
    if origin.starts_with("http://") && !is_loopback(&origin) {
        return Some("plain http is for loopback only");
    }
    match allowed.into_iter().any(|other| same_origin(other, url)) {
        true => None,
        false => Some("it leads to an origin that is not the page's own and not in relayOrigins"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_or_change_a_query_is_encoded() {
        assert_eq!(encode_query("Name eq 'R&D + 50% #1='"), "Name%20eq%20'R%26D%20%2B%2050%25%20%231%3D'");
        assert_eq!(encode_query("ü"), "%C3%BC");
        assert_eq!(encode_segment("'a/b?c'"), "'a%2Fb%3Fc'");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for own in [
            "http://localhost:80",
            "http://127.0.0.1",
            "http://127.9.9.9:8",
            "http://[::1]:5",
            "http://a.localhost",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "http://127.evil",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn a_rewritten_request_stays_or_goes_where_it_was_told() {
        let refused =
            |url| refuse_relay(url, ["https://page.example", "https://relay.example:8443"]).is_some();
        for fine in ["/relay?u=1", "https://PAGE.example/x", "https://relay.example:8443/data"] {
            assert!(!refused(fine), "{fine}");
        }
        for wrong in [
            "https://relay.example/data",
            "//evil.example/x",
            "/\\evil.example/x",
            "/\t/evil.example/x",
            "http://page.example/x",
            "https://page.example@evil.example/",
            "relay",
            "ftp://page.example/",
            "",
        ] {
            assert!(refused(wrong), "{wrong:?}");
        }
        assert!(refuse_relay("http://localhost:3000/x", ["http://localhost:3000"]).is_none());
        assert!(refuse_relay("https://page.example/x", []).is_some(), "no origin is allowed by itself");
    }

    #[test]
    fn origins_are_compared_without_case_and_default_port() {
        assert!(same_origin("HTTPS://C.example:443/data", "https://c.example/x?y"));
        assert!(!same_origin("https://c.example", "http://c.example"));
        assert!(!same_origin("https://c.example", "https://c.example:8443"));
        assert!(!same_origin("https://c.example", "https://c.example@evil.example/"));
        assert_eq!(origin("ftp://c.example"), None);
        assert_eq!(origin("https:///x"), None);
    }
}
