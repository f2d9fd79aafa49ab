//! The connection doctor: why an environment can't be used, or not fully, and where that is put right.
//!
//! What belongs here: the questions that find it out, what their answers mean, and the table of findings. What does not: sending
//! (`http`), jobs and projects themselves (`dmf`), and any write; the one action that is called makes nothing but a URL.
//!
//! ```text
//! Diagnosis (asks) ──► Seen (what came) ──► report(token) ──► findings
//! ```

mod asks;
mod claims;
mod codes;
mod finding;
mod management;
mod report;

pub use asks::Diagnosis;
pub use claims::{Claims, Token};
pub use codes::{Code, CodeInfo};
pub use finding::Finding;
pub use report::Seen;

#[cfg(test)]
mod tests;
