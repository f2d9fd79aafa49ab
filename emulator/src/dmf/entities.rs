//! The list of data entities, `DataManagementEntities`: made from the catalogue and the settings, never stored.

use crate::catalog::Entity;
use crate::server::App;
use crate::store::{Db, StoreError, Stored};
use crate::value::{Row, Value};

/// Change tracking option of an entity, `None` unless an administrator set another.
pub(crate) fn change_tracking(db: &Db<'_>, label: &str) -> Result<String, StoreError> {
    Ok(db.setting(&format!("tracking:{label}"))?.unwrap_or_else(|| "None".to_owned()))
}

/// The rows of a collection that is not stored; `None` for all others.
pub(crate) fn virtual_rows(
    app: &App,
    db: &Db<'_>,
    entity: &Entity,
) -> Result<Option<Vec<Stored>>, StoreError> {
    if entity.aot != "DataManagementEntity" {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for (id, listed) in (1..).zip(&app.catalog.entities) {
        let staging = listed.aot.strip_suffix("Entity").unwrap_or(&listed.aot);
        let values = [
            ("EntityName", listed.label.clone()),
            ("TargetName", listed.aot.clone()),
            ("StagingTableName", format!("{staging}Staging")),
            ("EntityIsEnabled", "Yes".to_owned()),
            ("IsShared", if listed.company { "No" } else { "Yes" }.to_owned()),
            ("ChangeTrackingType", change_tracking(db, &listed.label)?),
            ("Category", "Master".to_owned()),
            ("EntityKey", listed.own_keys().collect::<Vec<_>>().join(",")),
        ];
        let row: Row =
            values.into_iter().map(|(name, value)| (name.to_owned(), Value::Text(value))).collect();
        rows.push(Stored { id, version: 1, row });
    }
    rows.sort_by(|a, b| {
        a.row.get("EntityName").map(Value::as_text).cmp(&b.row.get("EntityName").map(Value::as_text))
    });
    Ok(Some(rows))
}
