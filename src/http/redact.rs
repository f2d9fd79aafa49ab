//! The one redactor. It works by an allow-list: of a URL only what is known to be harmless is shown.

/// Names of query options whose presence may be shown; values never are.
const SHOWN_OPTIONS: [&str; 13] = [
    "$filter",
    "$select",
    "$orderby",
    "$top",
    "$skip",
    "$count",
    "$expand",
    "$format",
    "cross-company",
    "entity",
    "company",
    "comp",
    "restype",
];

/// Scheme, host, path, and the names of known query options: `https://contoso…/data/VendorsV2?$filter=…&$top=…`.
#[must_use]
pub fn redact_url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((path, query)) = url.split_once('?') else {
        return without_user_info(url);
    };
    let mut shown = without_user_info(path);
    let mut separator = '?';
    let mut hidden = false;
    for option in query.split('&') {
        let name = option.split('=').next().unwrap_or_default();
        if SHOWN_OPTIONS.contains(&name) {
            shown.push(separator);
            shown.push_str(name);
            shown.push_str("=…");
            separator = '&';
        } else {
            hidden = true;
        }
    }
    if hidden {
        shown.push(separator);
        shown.push_str("<redacted>");
    }
    shown
}

/// Text of a service or a transport with every URL in it redacted, and everything cut that looks like a token.
#[must_use]
pub fn redact_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ',' | ';') {
            push_word(&mut shown, &word);
            word.clear();
            shown.push(c);
        } else {
            word.push(c);
        }
    }
    push_word(&mut shown, &word);
    shown
}

fn push_word(shown: &mut String, word: &str) {
    match word.find("://") {
        Some(_) => shown.push_str(&redact_url(word)),
        None if is_secret(word) => shown.push_str("<redacted>"),
        None => shown.push_str(word),
    }
}

/// A JSON web token begins with the base64 of `{"`; a SAS query has a signature.
fn is_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    (word.contains("eyJ") && word.len() > 40) || lower.contains("sig=") || lower.contains("client_secret=")
}

fn without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = authority.rsplit('@').next().unwrap_or_default();
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sas_query_is_never_shown() {
        let url = "https://acct.blob.core.windows.net/dmf/x.zip?sv=2014-02-14&sr=b&sig=abc%3D&se=2026&sp=rw";
        assert_eq!(redact_url(url), "https://acct.blob.core.windows.net/dmf/x.zip?<redacted>");
    }

    #[test]
    fn names_of_options_are_shown_and_values_are_not() {
        let url = "https://c.operations.dynamics.com/data/VendorsV2?$filter=Name%20eq%20'x'&$top=3&token=1";
        assert_eq!(
            redact_url(url),
            "https://c.operations.dynamics.com/data/VendorsV2?$filter=…&$top=…&<redacted>"
        );
        assert_eq!(redact_url("https://user:pw@host/x"), "https://host/x");
    }

    #[test]
    fn tokens_and_urls_inside_text_are_cut() {
        let token = format!("eyJ{}", "a".repeat(60));
        let text = format!("fetch of https://h/x?sig=1 failed (Bearer {token}); se=1&sig=2");
        let shown = redact_text(&text);
        assert_eq!(shown, "fetch of https://h/x?<redacted> failed (Bearer <redacted>); <redacted>");
    }
}
