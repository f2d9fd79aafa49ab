//! Multipart bodies, read while they come.
//!
//! Tolerant where senders differ (bare line feeds, text before the first part, blanks behind a boundary, no `Content-Length`) and
//! strict where it matters: a part counts only once the boundary behind it was seen, so what was cut off is never taken for whole.

use crate::error::{Error, ErrorCode, Result};

/// Longest header line, in bytes, and most header lines of a part.
const LINE: usize = 16 * 1024;
const HEADERS: usize = 100;

/// One part: headers by lower-case name, and the body between the boundaries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Part {
    /// Headers by lower-case name, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, without the line break before the next boundary.
    pub body: Vec<u8>,
}

impl Part {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a multipart body that comes in pieces of any size; holds one part at a time.
#[derive(Debug)]
pub struct Multipart {
    /// `--boundary`.
    delimiter: Vec<u8>,
    /// What came of the present line.
    line: Vec<u8>,
    /// The line break before the present line; part of the body unless a boundary follows.
    before: &'static [u8],
    part: Part,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Preamble,
    Headers,
    Body,
    /// The last boundary was seen; what follows is nobody's.
    Over,
}

impl Multipart {
    /// For the boundary of a `Content-Type`, see [`boundary_of`].
    #[must_use]
    pub fn new(boundary: &str) -> Self {
        Self {
            delimiter: [b"--", boundary.as_bytes()].concat(),
            line: Vec::new(),
            before: b"",
            part: Part::default(),
            state: State::Preamble,
        }
    }

    /// The parts that are whole with this piece.
    ///
    /// # Errors
    /// `SERVICE_ERROR` where a header is no header, or longer than 16 KiB, or there are more than 100 in a part.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Part>> {
        let mut whole = Vec::new();
        for some in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.state == State::Over {
                break;
            }
            if self.state == State::Headers && self.line.len() + some.len() > LINE {
                return Err(unreadable("a header is too long"));
            }
            self.line.extend_from_slice(some);
            if some.ends_with(b"\n") {
                whole.extend(self.end_of_line()?);
            }
        }
        Ok(whole)
    }

    /// Ends the body: the last part, where its boundary has no line break behind it, and whether the last boundary was seen.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn finish(mut self) -> Result<(Option<Part>, bool)> {
        let last = if self.state == State::Over { None } else { self.end_of_line()? };
        Ok((last, self.state == State::Over))
    }

    fn end_of_line(&mut self) -> Result<Option<Part>> {
        let line = std::mem::take(&mut self.line);
        let (content, ending): (&[u8], &'static [u8]) = match line.as_slice() {
            [content @ .., b'\r', b'\n'] => (content, b"\r\n"),
            [content @ .., b'\n'] => (content, b"\n"),
            content => (content, b""),
        };
        if let Some(last) = self.is_boundary(content) {
            let part = std::mem::take(&mut self.part);
            let part = match self.state {
                State::Preamble | State::Over => None,
                // A part without body, or without headers: nothing was between the boundaries.
                State::Headers if part.headers.is_empty() => None,
                State::Headers | State::Body => Some(part),
            };
            self.state = if last { State::Over } else { State::Headers };
            return Ok(part);
        }
        match self.state {
            State::Preamble | State::Over => {}
            State::Headers if content.is_empty() => {
                self.state = State::Body;
                self.before = b"";
            }
            State::Headers => self.header(content)?,
            State::Body => {
                self.part.body.extend_from_slice(self.before);
                self.part.body.extend_from_slice(content);
                self.before = ending;
            }
        }
        Ok(None)
    }

    /// Whether it is the last one, if it is one.
    fn is_boundary(&self, line: &[u8]) -> Option<bool> {
        let rest = line.strip_prefix(self.delimiter.as_slice())?;
        match rest.trim_ascii_end() {
            b"" => Some(false),
            b"--" => Some(true),
            // Begins alike: the boundary of something inside.
            _ => None,
        }
    }

    fn header(&mut self, line: &[u8]) -> Result<()> {
        if self.part.headers.len() >= HEADERS {
            return Err(unreadable("a part has too many headers"));
        }
        let (name, value) = header(line).ok_or_else(|| unreadable("a header has no name"))?;
        self.part.headers.push((name, value));
        Ok(())
    }
}

/// Name in lower case, and value.
pub(super) fn header(line: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(line);
    let (name, value) = line.split_once(':')?;
    let name = name.trim();
    let valid = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    valid.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// The boundary that a `Content-Type` of `multipart/…` names, quoted or not.
#[must_use]
pub fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, mut parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let rest = rest.trim_start();
        let (value, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let value = rest.split(';').next().unwrap_or_default();
                (value.trim_end(), rest.strip_prefix(value).unwrap_or_default())
            }
        };
        if name.trim().eq_ignore_ascii_case("boundary") {
            return (!value.is_empty()).then(|| value.to_owned());
        }
        parameters = behind.trim_start().strip_prefix(';')?;
    }
}

fn unreadable(why: &str) -> Error {
    Error::new(ErrorCode::ServiceError, format!("the answer to the batch can't be read: {why}"))
        .hint("A proxy on the way may have changed the answer or cut it short.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(boundary: &str, body: &str) -> (Vec<(String, String)>, bool) {
        let mut parser = Multipart::new(boundary);
        let mut parts = parser.push(body.as_bytes()).unwrap();
        let (last, whole) = parser.finish().unwrap();
        parts.extend(last);
        let text = |part: Part| {
            let headers: Vec<String> =
                part.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (headers.join(","), String::from_utf8(part.body).unwrap())
        };
        (parts.into_iter().map(text).collect(), whole)
    }
    fn pair(headers: &str, body: &str) -> (String, String) {
        (headers.to_owned(), body.to_owned())
    }

    #[test]
    fn parts_are_what_is_between_the_boundaries() {
        let body = "who reads this\r\n--b\r\nContent-Type: a/b\r\nX-Y:  z \r\n\r\none\r\ntwo\r\n\r\n--b\r\n\r\n--b-c\r\n--b--\r\n--b\r\nA: b\r\n\r\nx\r\n--b";
        assert_eq!(
            read("b", body),
            (vec![pair("content-type=a/b,x-y=z", "one\r\ntwo\r\n"), pair("", "--b-c")], true)
        );
    }

    #[test]
    fn bare_line_feeds_blanks_and_a_missing_last_line_break_are_taken() {
        let body = "--b \t\nA: 1\n\nx\ny\n--b\nB: 2\n\n\n--b--";
        assert_eq!(read("b", body), (vec![pair("a=1", "x\ny"), pair("b=2", "")], true));
    }

    #[test]
    fn what_was_cut_off_is_no_part() {
        let body = "--b\r\nA: 1\r\n\r\nx\r\n--b\r\nB: 2\r\n\r\n{\"cut";
        assert_eq!(read("b", body), (vec![pair("a=1", "x")], false));
        assert_eq!(read("b", "--b\r\nA: 1\r\n\r\nx\r\n--b-"), (vec![], false));
        assert_eq!(read("b", ""), (vec![], false));
    }

    #[test]
    fn headers_are_bounded() {
        let push = |body: String| Multipart::new("b").push(body.as_bytes()).unwrap_err().code;
        assert_eq!(push(format!("--b\nA: {}\n", "x".repeat(LINE))), ErrorCode::ServiceError);
        assert_eq!(push(format!("--b\n{}", "A: b\n".repeat(HEADERS + 1))), ErrorCode::ServiceError);
        assert_eq!(push("--b\nno header\n".to_owned()), ErrorCode::ServiceError);
    }

    #[test]
    fn the_boundary_is_found_among_the_parameters() {
        for (content_type, boundary) in [
            ("multipart/mixed; boundary=batch_1", Some("batch_1")),
            ("Multipart/Mixed;charset=utf-8; Boundary=\"a;b c\" ; x=y", Some("a;b c")),
            ("multipart/mixed; a=\"boundary=x\"; boundary = b ; c=d", Some("b")),
            ("multipart/mixed; charset=utf-8", None),
            ("multipart/mixed; boundary=", None),
            ("multipart/mixed; boundary=\"x", None),
            ("application/json; boundary=x", None),
            ("multipart/mixed", None),
        ] {
            assert_eq!(boundary_of(content_type).as_deref(), boundary, "{content_type}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod chunks {
        use super::*;
        use proptest::prelude::*;

        fn in_pieces(body: &[u8], cuts: &[usize]) -> (Vec<Part>, bool) {
            let mut parser = Multipart::new("b");
            let (mut parts, mut at) = (Vec::new(), 0);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
            cuts.sort_unstable();
            for cut in cuts.into_iter().chain([body.len()]) {
                parts.extend(parser.push(&body[at..cut]).unwrap());
                at = cut;
            }
            let (last, whole) = parser.finish().unwrap();
            parts.extend(last);
            (parts, whole)
        }

        proptest! {
            #[test]
            fn any_parts_come_back_however_they_are_cut(
                bodies in prop::collection::vec(prop::collection::vec(
                    prop::sample::select(&b"-b\r\n{}"[..]), 0..24), 0..5),
                cuts in prop::collection::vec(any::<usize>(), 0..12),
                lf in any::<bool>(),
            ) {
                // A line that is a boundary ends a part, wherever it stands: a sender takes another boundary then.
                let ends = |body: &[u8]| body.split(|b| *b == b'\n').any(|line| {
                    let line = line.trim_ascii_end();
                    line == b"--b" || line == b"--b--"
                });
                let bodies: Vec<Vec<u8>> = bodies.into_iter().filter(|body| !ends(body)).collect();
                // Before a bare line feed a carriage return at the end is one line break with it.
                let bodies: Vec<Vec<u8>> = bodies.into_iter().filter(|body| !(lf && body.ends_with(b"\r"))).collect();
                let eol: &[u8] = if lf { b"\n" } else { b"\r\n" };
                let mut text = Vec::new();
                for body in &bodies {
                    for piece in [b"--b", eol, b"N: v", eol, eol, body, eol] {
                        text.extend_from_slice(piece);
                    }
                }
                text.extend_from_slice(b"--b--");
                let (parts, whole) = in_pieces(&text, &cuts);
                prop_assert!(whole);
                let found: Vec<Vec<u8>> = parts.into_iter().map(|part| part.body).collect();
                prop_assert_eq!(found, bodies);
            }
        }
    }
}
