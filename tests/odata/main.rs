//! OData's texts by its grammar: the cases of the standard, arbitrary trees and values, the fuzz target over its seeds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an error here is the failure of a test")]

mod abnf;
mod printed;
mod seeds;
