//! The service document and `$metadata`, both made from the catalogue.

use std::fmt::Write;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::catalog::{Catalog, Entity, NAMESPACE};
use crate::http::odata_reply;
use crate::server::App;

/// `GET /data`
pub(crate) fn service_document(app: &App) -> Response {
    let sets: Vec<_> = app
        .catalog
        .entities
        .iter()
        .filter_map(|entity| entity.collection.as_ref())
        .map(|name| json!({ "name": name, "kind": "EntitySet", "url": name }))
        .collect();
    let body = json!({ "@odata.context": format!("{}/data/$metadata", app.base_url), "value": sets });
    odata_reply(StatusCode::OK, body.to_string())
}

/// `GET /data/$metadata`: CSDL 4.0.
pub(crate) fn csdl(catalog: &Catalog) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>",
    );
    let _ =
        write!(out, "<Schema Namespace=\"{NAMESPACE}\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">");
    for (name, members) in &catalog.enums {
        let _ = write!(out, "<EnumType Name=\"{name}\">");
        for (value, member) in members.iter().enumerate() {
            let _ = write!(out, "<Member Name=\"{member}\" Value=\"{value}\"/>");
        }
        out.push_str("</EnumType>");
    }
    let public =
        || catalog.entities.iter().filter_map(|entity| entity.collection.as_ref().map(|set| (set, entity)));
    for (_, entity) in public() {
        entity_type(&mut out, entity, catalog);
    }
    for (_, entity) in public() {
        actions(&mut out, entity);
    }
    out.push_str("<EntityContainer Name=\"Resources\">");
    for (set, entity) in public() {
        let _ = write!(out, "<EntitySet Name=\"{set}\" EntityType=\"{NAMESPACE}.{}\">", entity.type_name);
        for navigation in &entity.navigation {
            if catalog.collection(&navigation.target).is_some() {
                let _ = write!(
                    out,
                    "<NavigationPropertyBinding Path=\"{}\" Target=\"{}\"/>",
                    navigation.name, navigation.target
                );
            }
        }
        out.push_str("</EntitySet>");
    }
    out.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    out
}

fn entity_type(out: &mut String, entity: &Entity, catalog: &Catalog) {
    let _ = write!(out, "<EntityType Name=\"{}\"><Key>", entity.type_name);
    for key in &entity.keys {
        let _ = write!(out, "<PropertyRef Name=\"{key}\"/>");
    }
    out.push_str("</Key>");
    for property in &entity.properties {
        let nullable = if property.nullable && !entity.keys.contains(&property.name) {
            ""
        } else {
            " Nullable=\"false\""
        };
        let scale = if property.kind == crate::catalog::Kind::Decimal { " Scale=\"Variable\"" } else { "" };
        let _ = write!(
            out,
            "<Property Name=\"{}\" Type=\"{}\"{nullable}{scale}/>",
            property.name,
            property.kind.edm()
        );
    }
    for navigation in &entity.navigation {
        if let Some(target) = catalog.collection(&navigation.target) {
            let name = format!("{NAMESPACE}.{}", target.type_name);
            let kind = if navigation.many { format!("Collection({name})") } else { name };
            let _ = write!(out, "<NavigationProperty Name=\"{}\" Type=\"{kind}\"/>", navigation.name);
        }
    }
    out.push_str("</EntityType>");
}

fn actions(out: &mut String, entity: &Entity) {
    for action in &entity.actions {
        let _ = write!(
            out,
            "<Action Name=\"{}\" IsBound=\"true\"><Parameter Name=\"{}\" Type=\"Collection({NAMESPACE}.{})\"/>",
            action.name, entity.type_name, entity.type_name
        );
        for parameter in &action.parameters {
            let _ = write!(out, "<Parameter Name=\"{}\" Type=\"{}\"/>", parameter.name, parameter.kind);
        }
        if let Some(kind) = &action.returns {
            let _ = write!(out, "<ReturnType Type=\"{kind}\"/>");
        }
        out.push_str("</Action>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_is_well_formed() {
        let xml = csdl(&Catalog::embedded().unwrap());
        let mut reader = quick_xml::Reader::from_str(&xml);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        assert!(xml.contains(
            "<EntitySet Name=\"VendorsV2\" EntityType=\"Microsoft.Dynamics.DataEntities.VendorV2\">"
        ));
        assert!(xml.contains("<Action Name=\"ImportFromPackage\" IsBound=\"true\">"));
        assert!(xml.contains("<EnumType Name=\"NoYes\"><Member Name=\"No\" Value=\"0\"/><Member Name=\"Yes\" Value=\"1\"/></EnumType>"));
    }
}
