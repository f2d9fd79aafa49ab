//! The storage account: a real Azurite as a child process, SAS URLs signed here, and the few calls that the sandbox
//! makes itself. What is in the blobs does not concern this folder.

mod azurite;
mod blobs;
mod sas;

pub(crate) use azurite::{Azurite, AzuriteError, locate};
pub(crate) use blobs::{BlobError, Storage};
