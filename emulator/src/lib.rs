//! A Dynamics 365 Supply Chain Management that runs on a laptop, for developing and testing integrations of contract
//! lifecycle management: token endpoint, OData, data management with real packages, change tracking, on a real blob
//! storage (Azurite). It fails where the service fails, with the service's words as far as they are public.

//!
//! The binary serves it; [`check`] asks it about one package in the process of the caller.

mod answer_headers;
mod auth;
mod catalog;
pub mod check;
mod cli;
mod clock;
mod control;
mod dmf;
mod environment;
mod fault;
mod host_guard;
mod http;
mod listen;
mod meta;
mod odata;
mod package;
mod queue;
mod server;
mod storage;
mod store;
mod throttle;
mod value;

pub use cli::run;
