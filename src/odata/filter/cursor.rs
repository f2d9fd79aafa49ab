//! A place in a text, and the small steps forward.

use super::{MAX_DEPTH, MAX_TEXT};
use crate::error::{Error, ErrorCode, Result};

/// Reads a text from the front. Refusals are kept, so that the rest is read for faults of the grammar first.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    what: &'static str,
    depth: usize,
    pub(super) arithmetic: usize,
    refused: Option<Error>,
}

impl<'a> Cursor<'a> {
    /// `what` names the text in errors: "filter", "key".
    pub(super) fn new(text: &'a str, what: &'static str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return Err(Error::argument(format!(
                "the {what} has {} bytes; {MAX_TEXT} is the limit",
                text.len()
            )));
        }
        Ok(Self { text, at: 0, what, depth: 0, arithmetic: 0, refused: None })
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The byte so many places ahead; 0 behind the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    /// The next bytes, and past them.
    pub(super) fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte(0) == byte && self.at < self.text.len();
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.eat(byte) { Ok(()) } else { Err(self.expected(&format!("\"{}\"", char::from(byte)))) }
    }

    /// Whether the text ends here.
    pub(super) fn end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Skips blanks; whether there were any.
    pub(super) fn blanks(&mut self) -> bool {
        let from = self.at;
        while matches!(self.byte(0), b' ' | b'\t') {
            self.at += 1;
        }
        self.at > from
    }

    /// Past the letters of the word, in any case, if it stands here.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.rest().get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word))
            && !self.rest().get(word.len()..).and_then(|rest| rest.chars().next()).is_some_and(in_name);
        if found {
            self.skip(word.len());
        }
        found
    }

    /// Blanks, the word in any case, blanks; nothing is read where that is not so.
    pub(super) fn operator<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        let from = self.at;
        let found = if self.blanks() { words.iter().find(|(word, _)| self.eat_word(word)) } else { None };
        if found.is_none() || !self.blanks() {
            self.at = from;
            return None;
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// An identifier of up to 128 characters, if one stands here.
    pub(super) fn identifier(&mut self) -> Result<Option<&'a str>> {
        let rest = self.rest();
        if !rest.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic()) {
            return Ok(None);
        }
        let length = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        if rest.get(..length).is_some_and(|name| name.chars().count() > 128) {
            return Err(self.expected("a name of at most 128 characters"));
        }
        Ok(Some(self.take(length)))
    }

    /// Runs `read` one level deeper.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::argument(format!("the {} nests deeper than {MAX_DEPTH} levels", self.what))
                .hint("A long list of alternatives needs no parentheses; see anyOf."));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// `INVALID_ARGUMENT` at this place.
    pub(super) fn expected(&self, expected: &str) -> Error {
        let before = self.text.get(..self.at).unwrap_or_default().chars().count();
        let found = match self.peek() {
            Some(c) => format!("\"{c}\" stands there"),
            None => "the text ends".to_owned(),
        };
        Error::argument(format!(
            "the {}, character {}: {expected} is expected, {found}",
            self.what,
            before + 1
        ))
    }

    /// Keeps the first thing that the service does not support.
    pub(super) fn refuse(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        if self.refused.is_none() {
            let error = Error::new(
                ErrorCode::UnsupportedQuery,
                format!("the {} has what the service does not support: {}", self.what, what.into()),
            );
            self.refused = Some(error.hint(hint));
        }
    }

    /// The whole text is read: the refusal, if there was one.
    pub(super) fn finish(mut self, expected: &str) -> Result<()> {
        if !self.end() {
            return Err(self.expected(expected));
        }
        self.refused.take().map_or(Ok(()), Err)
    }
}

pub(super) fn in_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
