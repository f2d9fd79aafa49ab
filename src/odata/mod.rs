//! OData as this service speaks it: URLs, typed literals, filters, bodies, answers and errors.
//!
//! What belongs here: everything that is true of `/data` for any entity, known or unknown to the catalogue. What does not:
//! data projects, imports and exports, which are conversations made of these requests (`dmf`), and repetition (`http`).
//!
//! Not here yet, each with a clear error: `$batch`, `$expand`, filters checked when given as text, the splitting of long
//! filters, metadata of the tenant.

mod body;
mod call;
mod fault;
mod filter;
mod key;
mod literal;
mod operation;
mod page;
mod query;
mod service;
mod uri;

pub use call::Call;
pub use fault::{failure_of, words_of};
pub use filter::{Compare, Filter, Join};
pub use literal::Scalar;
pub(crate) use operation::list_request;
pub use operation::{Operation, action, count, create, delete, get, update};
pub use page::{Page, Pager};
pub use query::{FilterInput, Query};
pub use service::{Numbers, Service};

pub(crate) use body::{action_value, inner_text};
pub(crate) use page::items_of;
pub(crate) use uri::{encode_query, encode_segment, quote, same_origin};
