//! Query options over objects. The filter is what the field uses: `contains(tolower(Name),'x')`, `eq` and `ne` with
//! texts, Booleans and enum literals, `and`, `or`, `not`, parentheses. Anything else is refused, with words of ours.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use crate::http::odata_reply;
use crate::odata::error::ODataError;
use crate::odata::lexer::{Literal, Token, tokens_in};
use crate::odata::url::Options;

/// Namespace of the enum types of the metadata service.
const NAMESPACE: &str = "Microsoft.Dynamics.Metadata";

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 100;

/// The answer to a list: whole, without next links.
pub(super) fn list(
    objects: Vec<Map<String, Json>>,
    options: &Options,
    context: &str,
) -> Result<Response, ODataError> {
    let tokens = options.filter.as_deref().map(|text| tokens_in(text, NAMESPACE)).transpose()?;
    let mut found = Vec::new();
    for object in objects {
        let passes = match &tokens {
            Some(tokens) => Filter { tokens, at: 0, object: &object, depth: 0 }.whole()?,
            None => true,
        };
        if passes {
            found.push(object);
        }
    }
    let total = found.len();
    let shown = found.into_iter().skip(options.skip).take(options.top.unwrap_or(usize::MAX));
    let value = shown.map(|object| selected(object, &options.select)).collect::<Result<Vec<_>, _>>()?;
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(context));
    if options.count {
        body.insert("@odata.count".to_owned(), json!(total));
    }
    body.insert("value".to_owned(), json!(value));
    Ok(odata_reply(StatusCode::OK, Json::Object(body).to_string()))
}

/// An object with what `$select` names.
pub(super) fn selected(
    mut object: Map<String, Json>,
    select: &[String],
) -> Result<Map<String, Json>, ODataError> {
    if select.is_empty() {
        return Ok(object);
    }
    let mut shown = Map::new();
    for name in select {
        let value = object.remove(name).ok_or_else(|| unknown(name))?;
        shown.insert(name.clone(), value);
    }
    Ok(shown)
}

/// Parses and asks at once: every branch is read, whatever the one before it said.
struct Filter<'a> {
    tokens: &'a [Token],
    at: usize,
    object: &'a Map<String, Json>,
    depth: usize,
}

impl Filter<'_> {
    fn whole(mut self) -> Result<bool, ODataError> {
        let found = self.or()?;
        if self.peek().is_some() { Err(self.syntax()) } else { Ok(found) }
    }

    fn or(&mut self) -> Result<bool, ODataError> {
        let mut found = self.and()?;
        while self.word("or") {
            found |= self.and()?;
        }
        Ok(found)
    }

    fn and(&mut self) -> Result<bool, ODataError> {
        let mut found = self.condition()?;
        while self.word("and") {
            found &= self.condition()?;
        }
        Ok(found)
    }

    fn condition(&mut self) -> Result<bool, ODataError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ODataError::bad_request("The node count limit of the filter has been exceeded."));
        }
        let found = if self.word("not") {
            !self.condition()?
        } else if self.take(&Token::Open) {
            let found = self.or()?;
            self.expect(&Token::Close)?;
            found
        } else if self.word("contains") {
            self.expect(&Token::Open)?;
            let whole = self.text()?;
            self.expect(&Token::Comma)?;
            let part = self.text()?;
            self.expect(&Token::Close)?;
            whole.contains(&part)
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn comparison(&mut self) -> Result<bool, ODataError> {
        let left = self.value()?;
        let equal = match self.peek() {
            Some(Token::Word(word)) if word == "eq" => true,
            Some(Token::Word(word)) if word == "ne" => false,
            Some(Token::Word(word)) if !["and", "or"].contains(&word.as_str()) => {
                return Err(ODataError::bad_request(format!(
                    "The query operator '{word}' is not supported."
                )));
            }
            _ => return left.as_bool().ok_or_else(|| self.syntax()),
        };
        self.at += 1;
        let right = self.value()?;
        if std::mem::discriminant(&left) != std::mem::discriminant(&right) {
            return Err(ODataError::bad_request("A binary operator with incompatible types was detected."));
        }
        Ok((left == right) == equal)
    }

    fn text(&mut self) -> Result<String, ODataError> {
        match self.value()? {
            Json::String(text) => Ok(text),
            _ => Err(self.syntax()),
        }
    }

    fn value(&mut self) -> Result<Json, ODataError> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Literal(Literal::Text(text) | Literal::Enum(_, text))) => Ok(Json::String(text)),
            Some(Token::Literal(Literal::Bool(value))) => Ok(Json::Bool(value)),
            Some(Token::Word(word)) if word == "tolower" && self.take(&Token::Open) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.syntax());
                }
                let text = self.text()?.to_lowercase();
                self.depth -= 1;
                self.expect(&Token::Close)?;
                Ok(Json::String(text))
            }
            Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => {
                Err(ODataError::bad_request(format!("The query function '{word}' is not supported.")))
            }
            Some(Token::Word(name)) => match self.object.get(&name) {
                Some(value @ (Json::String(_) | Json::Bool(_))) => Ok(value.clone()),
                Some(_) => Err(self.syntax()),
                None => Err(unknown(&name)),
            },
            _ => Err(self.syntax()),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.at += 1;
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn expect(&mut self, token: &Token) -> Result<(), ODataError> {
        if self.take(token) { Ok(()) } else { Err(self.syntax()) }
    }

    fn syntax(&self) -> ODataError {
        ODataError::bad_request(format!("Syntax error in the filter, at token {}.", self.at))
    }
}

fn unknown(name: &str) -> ODataError {
    ODataError::bad_request(format!("Could not find a property named '{name}'."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str) -> Result<bool, String> {
        let object = json!({ "Name": "VendVendorV2Entity", "EntityCategory": "Master", "IsReadOnly": false, "Members": [] });
        let tokens = tokens_in(filter, NAMESPACE).map_err(|error| error.text().to_owned())?;
        let filter = Filter { tokens: &tokens, at: 0, object: object.as_object().unwrap(), depth: 0 };
        filter.whole().map_err(|error| error.text().to_owned())
    }

    #[test]
    fn the_filters_of_the_field_pass() {
        for good in [
            "contains(tolower(Name),'vendor')",
            "EntityCategory eq Microsoft.Dynamics.Metadata.EntityCategory'Master'",
            "IsReadOnly eq false and not contains(Name,'vendor')",
            "IsReadOnly or (Name ne 'x' and EntityCategory eq 'Master')",
            "not IsReadOnly",
        ] {
            assert_eq!(passes(good), Ok(true), "{good}");
        }
        assert_eq!(passes("contains(Name,'vendor') or IsReadOnly eq true"), Ok(false));
        for (bad, words) in [
            ("startswith(Name,'V')", "'startswith' is not supported"),
            ("Name gt 'a'", "'gt' is not supported"),
            ("Nope eq 'a'", "'Nope'"),
            ("IsReadOnly eq 'a'", "incompatible"),
            ("Members eq 'a'", "Syntax"),
            ("Name eq 'a' Name", "Syntax"),
            (
                "EntityCategory eq Microsoft.Dynamics.DataEntities.EntityCategory'Master'",
                "Microsoft.Dynamics.Metadata.",
            ),
        ] {
            let error = passes(bad).unwrap_err();
            assert!(error.contains(words), "{bad}: {error}");
        }
        assert!(passes(&"not ".repeat(200)).is_err());
    }
}
