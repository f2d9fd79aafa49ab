//! How a workbook is to be written, told by who knows the entities to who knows workbooks.

use serde::{Deserialize, Serialize};

use super::csv_write::Column;

/// Sheet and columns of a workbook that is written elsewhere; its JSON is a matter between the two sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkbookPlan {
    pub(crate) sheet: String,
    pub(crate) columns: Vec<Column>,
}
