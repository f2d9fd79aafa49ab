//! Small structured values come in as JSON.

use serde::Deserialize;

use crate::error::{Error, Result};

/// `what` names the value in the error.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        // Places in the boundary's JSON mean nothing to the caller.
        let why = e.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
        Error::argument(format!("the {what} can't be understood: {why}"))
    })
}
