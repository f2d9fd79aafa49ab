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
    fn origins_are_compared_without_case_and_default_port() {
        assert!(same_origin("HTTPS://C.example:443/data", "https://c.example/x?y"));
        assert!(!same_origin("https://c.example", "http://c.example"));
        assert!(!same_origin("https://c.example", "https://c.example:8443"));
        assert!(!same_origin("https://c.example", "https://c.example@evil.example/"));
        assert_eq!(origin("ftp://c.example"), None);
        assert_eq!(origin("https:///x"), None);
    }
}
