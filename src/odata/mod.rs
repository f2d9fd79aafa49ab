//! OData as this service speaks it: URLs, typed literals, filters, bodies, answers and errors.
//!
//! What belongs here: everything that is true of `/data` for any entity, known or unknown to the catalogue. What does not:
//! data projects, imports and exports, which are conversations made of these requests (`dmf`), and repetition (`http`).

pub mod filter;

pub mod batch;
mod body;
mod call;
mod company;
mod create;
pub(crate) mod dialogue;
mod exact;
mod fault;
mod key;
mod listing;
mod literal;
mod moment;
mod operation;
mod page;
mod query;
mod schema;
mod service;
mod shape;
mod stream;
mod uri;

pub use batch::{Batch, BatchAnswer, BatchOptions, BatchResult, batch_request};
pub use call::Call;
pub use create::{Create, create};
pub use dialogue::Dialogue;
pub use fault::{failure_of, words_of};
pub use filter::{Compare, Filter};
pub use listing::{Listing, MAX_PARTS};
pub use literal::Scalar;
pub(crate) use operation::list_request;
pub use operation::{Operation, action, count, delete, get, update};
pub use page::{Page, Pager};
pub use query::{FilterInput, Query, URL_LIMIT};
pub use schema::{
    Change, Drift, Metadata, MetadataOptions, MetadataReader, ReadMetadata, drift, schema_json, typescript,
};
pub use service::{Numbers, Service};
pub use shape::{Answer, Op, OperationSpec, Shaped, read_answer, request_json};
pub use stream::PageStream;

pub(crate) use body::{action_value, inner_text};
pub(crate) use create::leaves_open;
pub(crate) use page::items_of;
#[cfg(all(feature = "wasm", target_arch = "wasm32", target_os = "unknown"))]
pub(crate) use uri::refuse_relay;
pub(crate) use uri::{encode_query, encode_segment, quote, same_origin};
