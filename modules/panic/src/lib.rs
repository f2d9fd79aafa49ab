//! A module for a test, which is not published: `package.wasm` with an export that panics.

use d365_clm as _;
