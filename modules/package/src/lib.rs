//! The WebAssembly module `package.wasm`: data packages and nothing else. Its exports are the library's `bindings`, by the features chosen in this crate's
//! manifest. It is a crate of its own because cargo keeps one file per library name: three feature sets of one crate would
//! overwrite each other, whereas these lie side by side and share what is compiled below them.

use d365_clm as _;
