//! The storage account: a real Azurite as a child process, and before it a proxy that has the limits of the old storage
//! version that the service's URLs name, and its own SAS. What is in the blobs does not concern this folder.

mod access;
mod azurite;
mod blobs;
mod proxy;
mod sas;

pub(crate) use access::{BLOB, keep, read_url, write_url};
pub(crate) use azurite::{Azurite, AzuriteError, locate};
pub(crate) use blobs::{BlobError, Storage};
pub(crate) use proxy::{Proxy, forward};
