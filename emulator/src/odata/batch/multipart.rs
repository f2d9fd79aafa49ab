//! The multipart message of a batch, taken apart as RFC 2046 describes it: delimiters at the beginning of lines, text
//! before the first and after the last one ignored, lines that end with CRLF. What cannot be read refuses the batch.

use std::collections::HashSet;

/// What a batch consists of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Single(Operation),
    ChangeSet(Vec<Operation>),
}

type Headers = Vec<(String, String)>;

/// A request in a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its Content-ID.
    pub(super) id: Option<String>,
    pub(super) method: String,
    pub(super) url: String,
    /// Names in lower case.
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Item {
    /// Number of operations.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::ChangeSet(operations) => operations.len(),
        }
    }
}

/// The boundary in a content type; the error is the service's answer to another content type.
pub(super) fn boundary(content_type: &str) -> Result<String, String> {
    let mut parameters = content_type.split(';');
    let kind = parameters.next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("multipart/mixed") {
        return Err("The batch request must be of media type 'multipart/mixed'.".to_owned());
    }
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .filter(|value| (1..=70).contains(&value.len()))
        .ok_or_else(|| {
            "The batch request must have a boundary specification in the \"Content-Type\" header.".to_owned()
        })
}

/// Reads the whole message.
pub(super) fn items(body: &[u8], boundary: &str) -> Result<Vec<Item>, String> {
    parts(body, boundary)?.into_iter().map(item).collect()
}

fn item(part: &[u8]) -> Result<Item, String> {
    let (headers, content) = head(part)?;
    let content_type = value(&headers, "content-type");
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        return operation(&headers, content).map(Item::Single);
    }
    let mut ids = HashSet::new();
    let mut operations = Vec::new();
    for part in parts(content, &boundary(content_type)?)? {
        let (headers, content) = head(part)?;
        if value(&headers, "content-type").to_ascii_lowercase().starts_with("multipart/") {
            return Err("A change set cannot contain another change set.".to_owned());
        }
        let operation = operation(&headers, content)?;
        if !["POST", "PUT", "PATCH", "DELETE"].contains(&operation.method.as_str()) {
            return Err(format!(
                "An invalid HTTP method '{}' was detected for a request in a change set. Requests in change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'.",
                operation.method
            ));
        }
        let Some(id) = &operation.id else {
            return Err("The header with name 'Content-ID' was not present in the header collection of the batch operation.".to_owned());
        };
        if !ids.insert(id.clone()) {
            return Err(format!(
                "The content ID '{id}' was found more than once in the same change set. Content IDs have to be unique across all operations of a change set."
            ));
        }
        operations.push(operation);
    }
    Ok(Item::ChangeSet(operations))
}

fn operation(headers: &[(String, String)], content: &[u8]) -> Result<Operation, String> {
    let kind = value(headers, "content-type");
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/http") {
        return Err(format!("The content type '{kind}' of a batch operation is not 'application/http'."));
    }
    if !value(headers, "content-transfer-encoding").eq_ignore_ascii_case("binary") {
        return Err(
            "A batch operation must have the header 'Content-Transfer-Encoding' with the value 'binary'."
                .to_owned(),
        );
    }
    let (line, rest) = line(content)?;
    let words: Vec<&str> = line.split(' ').collect();
    let [method, url, "HTTP/1.1"] = words.as_slice() else {
        return Err(format!("The request line '{line}' of a batch operation is invalid."));
    };
    let (own, mut body) = head(rest)?;
    if let Ok(length) = value(&own, "content-length").parse::<usize>() {
        body = body.get(..length).ok_or_else(|| {
            format!("The body of '{line}' ends before the {length} bytes that its Content-Length says.")
        })?;
    }
    Ok(Operation {
        id: headers.iter().find(|(name, _)| name == "content-id").map(|(_, id)| id.clone()),
        method: (*method).to_owned(),
        url: (*url).to_owned(),
        headers: own,
        body: body.to_vec(),
    })
}

/// What stands between the delimiters.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, String> {
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    // Where the part begins that is being read.
    let mut begin = None;
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(after) = rest.strip_prefix(delimiter.as_bytes()) {
            let close = after.starts_with(b"--");
            let blank = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if close || after.get(blank..).is_some_and(|tail| tail.starts_with(b"\r\n")) {
                if let Some(begin) = begin {
                    // The line end before a delimiter belongs to it.
                    found.push(body.get(begin..at.saturating_sub(2)).unwrap_or_default());
                }
                if close {
                    return Ok(found);
                }
                at += delimiter.len() + blank + 2;
                begin = Some(at);
                continue;
            }
        }
        match rest.windows(2).position(|pair| pair == b"\r\n") {
            Some(end) => at += end + 2,
            None => break,
        }
    }
    Err(match begin {
        None => format!("The batch has no line '--{boundary}' (lines end with CRLF)."),
        Some(_) => format!("The batch ends before the line '--{boundary}--' (lines end with CRLF)."),
    })
}

/// Headers up to the blank line, and what follows it.
fn head(mut rest: &[u8]) -> Result<(Headers, &[u8]), String> {
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let (text, after) = line(rest)?;
        rest = after;
        if text.is_empty() {
            break;
        }
        let (name, value) =
            text.split_once(':').ok_or_else(|| format!("'{text}' is no header (Name: value)."))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok((headers, rest))
}

/// A line of text without its end, and the rest.
fn line(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n");
    let (line, rest) = match end {
        Some(end) => (bytes.get(..end), bytes.get(end + 2..)),
        None => (Some(bytes), Some(&[][..])),
    };
    let text = std::str::from_utf8(line.unwrap_or_default())
        .map_err(|_| "A header of the batch is not UTF-8.".to_owned())?;
    if text.contains(['\n', '\r']) {
        return Err("A line of the batch does not end with CRLF.".to_owned());
    }
    Ok((text, rest.unwrap_or_default()))
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINGLE: &str = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET VendorsV2?$top=1 HTTP/1.1\r\nAccept: application/json\r\n\r\n";

    fn read(text: &str) -> Result<Vec<Item>, String> {
        items(text.as_bytes(), "b_1")
    }

    #[test]
    fn preamble_epilogue_and_blanks_are_no_parts() {
        let text = format!(
            "pre\r\n--b_12\r\n--b_1 \t\r\n{SINGLE}\r\n--b_1\r\n{SINGLE}\r\n--b_1--\r\nepilogue\r\n--b_1\r\n"
        );
        let found = read(&text).unwrap();
        let expected = || {
            Item::Single(Operation {
                id: None,
                method: "GET".to_owned(),
                url: "VendorsV2?$top=1".to_owned(),
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                body: Vec::new(),
            })
        };
        assert_eq!(found, [expected(), expected()]);
    }

    #[test]
    fn bodies_keep_their_bytes() {
        let part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 7\r\n\r\nPOST A HTTP/1.1\r\n\r\n{\"a\":\"--b_1\"}\r\n--b_1x\r\n\r\n";
        let text = format!(
            "--b_1\r\nContent-Type: multipart/mixed; boundary=\"c\"\r\n\r\n--c\r\n{part}\r\n--c--\r\n--b_1--"
        );
        let Item::ChangeSet(operations) = read(&text).unwrap().remove(0) else { panic!("no change set") };
        assert_eq!(operations[0].id.as_deref(), Some("7"));
        assert_eq!(operations[0].body, b"{\"a\":\"--b_1\"}\r\n--b_1x\r\n\r\n");
        let sized = text.replace("HTTP/1.1\r\n\r\n{", "HTTP/1.1\r\nContent-Length: 13\r\n\r\n{");
        let Item::ChangeSet(operations) = read(&sized).unwrap().remove(0) else { panic!("no change set") };
        assert_eq!(operations[0].body, b"{\"a\":\"--b_1\"}");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let set = |part: &str| {
            format!("--b_1\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{part}\r\n--c--\r\n--b_1--")
        };
        let post = "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\nPOST A HTTP/1.1\r\n\r\n{}";
        for (text, words) in [
            (format!("--b_1\r\n{SINGLE}\r\n"), "ends before"),
            (format!("--b_1\n{SINGLE}\n--b_1--"), "has no line"),
            (format!("--b_1\r\n{}\r\n--b_1--", SINGLE.replace("\r\nAccept", "\nAccept")), "CRLF"),
            (
                format!("--b_1\r\n{}\r\n--b_1--", SINGLE.replace("application/http", "text/plain")),
                "application/http",
            ),
            (format!("--b_1\r\n{}\r\n--b_1--", SINGLE.replace("binary", "base64")), "Transfer-Encoding"),
            (format!("--b_1\r\n{}\r\n--b_1--", SINGLE.replace(" HTTP/1.1", "")), "request line"),
            (set(&post.replace("POST", "GET")), "HTTP method 'GET'"),
            (set(&post.replace("Content-ID: 1\r\n", "")), "'Content-ID' was not present"),
            (set(&format!("{post}\r\n{post}")), "more than once"),
            (set(&post.replace("application/http", "multipart/mixed; boundary=d")), "another change set"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
        assert_eq!(read(&set(post)).unwrap()[0].len(), 1);
        assert_eq!(boundary("Multipart/Mixed; charset=utf-8; boundary=\"x y\""), Ok("x y".to_owned()));
        assert_eq!(
            boundary("application/json"),
            Err("The batch request must be of media type 'multipart/mixed'.".to_owned())
        );
        assert!(boundary("multipart/mixed").unwrap_err().contains("boundary specification"));
    }
}
