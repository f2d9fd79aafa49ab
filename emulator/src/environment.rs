//! The part of an environment that needs no network: entities, what is defined beyond them, and rows. Business logic
//! and the steps of an import work on it alone, so that they run without a server too.

use std::sync::{Arc, Mutex};

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::store::Store;

/// Handle; copies share everything.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Held by the one run that may read or write workbooks.
    pub(crate) workbooks: Arc<Mutex<()>>,
}

impl Environment {
    pub(crate) fn new(catalog: Catalog, store: Store) -> Self {
        Self { catalog: Arc::new(catalog), store, clock: Clock::default(), workbooks: Arc::default() }
    }
}
