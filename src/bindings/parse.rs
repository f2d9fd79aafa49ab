//! Small structured values come in as JSON.

use crate::error::{Error, Result};
use crate::fields::FromValue;

/// `what` names the value in the error.
pub(super) fn parse<T: FromValue>(text: &str, what: &str) -> Result<T> {
    tree(text)
        .and_then(T::from_value)
        .map_err(|why| Error::argument(format!("the {what} can't be understood: {why}")))
}

fn tree(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|e| {
        // Places in the boundary's JSON mean nothing to the caller.
        let why = e.to_string();
        why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why).to_owned()
    })
}
