//! Tokens of `$filter` and of keys in URLs.

use super::error::ODataError;
use crate::catalog::NAMESPACE;
use crate::value::{Decimal, date_time};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Open,
    Close,
    Comma,
    Equals,
    /// A minus sign that is not part of a number.
    Minus,
    /// Property, operator or function name.
    Word(String),
    Literal(Literal),
}

/// A literal, not yet fitted to a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    /// Digits as given.
    Number(String),
    /// Canonical UTC text.
    Date(String),
    Guid(String),
    /// Enum type without namespace, and member.
    Enum(String, String),
}

impl Literal {
    /// Type name in error texts.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "<null>",
            Self::Bool(_) => "Edm.Boolean",
            Self::Text(_) => "Edm.String",
            Self::Number(digits) if digits.contains(['.', 'e', 'E']) => "Edm.Decimal",
            Self::Number(digits) if digits.parse::<i32>().is_ok() => "Edm.Int32",
            Self::Number(_) => "Edm.Int64",
            Self::Date(_) => "Edm.DateTimeOffset",
            Self::Guid(_) => "Edm.Guid",
            Self::Enum(..) => "an enumeration",
        }
    }
}

/// Takes `text` apart.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, ODataError> {
    tokens_in(text, NAMESPACE)
}

/// Takes `text` apart; enum types are those of `namespace`.
pub(crate) fn tokens_in(text: &str, namespace: &str) -> Result<Vec<Token>, ODataError> {
    let mut rest = text;
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            '=' => Some(Token::Equals),
            '-' if !after(rest, 1).starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                Some(Token::Minus)
            }
            _ => None,
        };
        if let Some(token) = single {
            found.push(token);
            rest = after(rest, first.len_utf8());
        } else if first == '\'' {
            let (value, used) = quoted(rest).ok_or_else(|| unterminated(text))?;
            found.push(Token::Literal(Literal::Text(value)));
            rest = after(rest, used);
        } else {
            let end = rest.find(|c: char| "(),='".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or_default();
            let tail = after(rest, end);
            if tail.starts_with('\'') {
                let (value, used) = quoted(tail).ok_or_else(|| unterminated(text))?;
                found.push(Token::Literal(enum_literal(word, value, namespace)?));
                rest = after(tail, used);
            } else {
                found.push(word_or_literal(word, text)?);
                rest = tail;
            }
        }
    }
}

fn after(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn unterminated(text: &str) -> ODataError {
    ODataError::bad_request(format!(
        "There is an unterminated string literal at position {} in '{text}'.",
        text.len()
    ))
}

/// The value of a quoted string at the start of `text`, and its length.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            value.push('\'');
        } else {
            return Some((value, at + 1));
        }
    }
    None
}

fn enum_literal(prefix: &str, member: String, namespace: &str) -> Result<Literal, ODataError> {
    match prefix.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.')) {
        Some(name) => Ok(Literal::Enum(name.to_owned(), member)),
        None => Err(ODataError::bad_request(format!(
            "Unrecognized '{prefix}'{member}'' literal: enumeration literals are written {namespace}.<EnumType>'<Member>'."
        ))),
    }
}

fn word_or_literal(word: &str, text: &str) -> Result<Token, ODataError> {
    let literal = match word {
        "null" => Literal::Null,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        _ if uuid::Uuid::parse_str(word).is_ok() && word.len() == 36 => {
            Literal::Guid(word.to_ascii_lowercase())
        }
        _ if word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            let digits = word.trim_end_matches(['L', 'M', 'l', 'm']);
            if Decimal::parse(digits).is_some() {
                Literal::Number(digits.to_owned())
            } else if let Some(date) = date_time(word) {
                Literal::Date(date)
            } else {
                return Err(ODataError::bad_request(format!(
                    "Syntax error: '{word}' in '{text}' is no literal."
                )));
            }
        }
        _ => return Ok(Token::Word(word.to_owned())),
    };
    Ok(Token::Literal(literal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_every_kind() {
        let text = "A eq 'O''Neil' 9007199254740993 -1.50 2026-03-01T00:00:00Z null Microsoft.Dynamics.DataEntities.NoYes'Yes'";
        assert_eq!(
            tokens(text).unwrap(),
            [
                Token::Word("A".into()),
                Token::Word("eq".into()),
                Token::Literal(Literal::Text("O'Neil".into())),
                Token::Literal(Literal::Number("9007199254740993".into())),
                Token::Literal(Literal::Number("-1.50".into())),
                Token::Literal(Literal::Date("2026-03-01T00:00:00Z".into())),
                Token::Literal(Literal::Null),
                Token::Literal(Literal::Enum("NoYes".into(), "Yes".into())),
            ]
        );
        assert!(tokens("A eq 'open").is_err());
        assert!(tokens("A eq NoYes'Yes'").is_err());
        assert!(tokens("A eq 2026-13-01").is_err());
    }
}
