//! Data management: the actions on data projects, imports and exports as background runs, change tracking. Packages as
//! files are in the folder `package`; data projects and their lines are ordinary rows with rules in `odata::rules`.

mod actions;
pub(crate) mod behaviour;
mod data_file;
pub(crate) mod definitions;
mod entities;
mod errors;
mod execute;
mod export;
mod export_composite;
pub(crate) mod formats;
mod import;
mod load_composite;
mod load_file;
mod prepare;
pub(crate) mod projects;
pub(crate) mod records;
mod source;
mod summary;

pub(crate) use actions::action;
pub(crate) use entities::virtual_rows;
pub(crate) use execute::drive;
pub(crate) use export::{Extent, Request as ExportRequest, begin as begin_export};
pub(crate) use import::{Cause, Job, Submission};
pub(crate) use prepare::Prepared;
pub(crate) use source::{Source, rows_in};
