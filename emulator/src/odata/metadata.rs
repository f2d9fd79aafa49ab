//! The service document and `$metadata`, both made from the catalogue.

use std::fmt::Write;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::behaviour::Behaviour;
use crate::catalog::{Catalog, Entity, Kind, NAMESPACE};
use crate::dmf::definitions::Definitions;
use crate::http::odata_reply;
use crate::server::App;

/// `GET /data`
pub(crate) fn service_document(app: &App, behaviour: &Behaviour) -> Response {
    let sets: Vec<_> = app
        .catalog
        .entities
        .iter()
        .filter_map(|entity| entity.collection.as_ref())
        .filter(|name| !behaviour.validation.hides(name))
        .map(|name| json!({ "name": name, "kind": "EntitySet", "url": name }))
        .collect();
    let body = json!({ "@odata.context": format!("{}/data/$metadata", app.base_url), "value": sets });
    odata_reply(StatusCode::OK, body.to_string())
}

/// `GET /data/$metadata`: CSDL 4.0. Lengths are those of the settings; the service seems to publish none.
pub(crate) fn csdl(catalog: &Catalog, definitions: &Definitions) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\"><edmx:DataServices>",
    );
    let _ =
        write!(out, "<Schema Namespace=\"{NAMESPACE}\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">");
    for (name, members) in &catalog.enums {
        let _ = write!(out, "<EnumType Name=\"{name}\">");
        for member in members {
            let value = catalog.value(name, member).unwrap_or_default();
            let _ = write!(out, "<Member Name=\"{member}\" Value=\"{value}\"/>");
        }
        out.push_str("</EnumType>");
    }
    let public =
        || catalog.entities.iter().filter_map(|entity| entity.collection.as_ref().map(|set| (set, entity)));
    for (_, entity) in public() {
        entity_type(&mut out, entity, catalog, definitions);
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

fn entity_type(out: &mut String, entity: &Entity, catalog: &Catalog, definitions: &Definitions) {
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
        let facet = match (&property.kind, definitions.length(&entity.label, &property.name)) {
            (Kind::Decimal, _) => " Scale=\"Variable\"".to_owned(),
            (Kind::String, Some(most)) => format!(" MaxLength=\"{most}\""),
            _ => String::new(),
        };
        let _ = write!(
            out,
            "<Property Name=\"{}\" Type=\"{}\"{nullable}{facet}/>",
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
    fn the_metadata_is_well_formed_and_refers_to_what_it_declares() {
        let catalog = Catalog::embedded().unwrap();
        let xml = csdl(&catalog, &Definitions::default());
        let mut reader = quick_xml::Reader::from_str(&xml);
        let (mut declared, mut used) = (Vec::new(), Vec::new());
        loop {
            use quick_xml::events::Event;
            let element = match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(element) | Event::Empty(element) => element,
                _ => continue,
            };
            let attribute = |name: &str| {
                let found = element.try_get_attribute(name).unwrap()?;
                Some(found.value.into_owned())
            };
            match element.name().as_ref() {
                "EntityType" | "EnumType" => declared.push(attribute("Name").unwrap()),
                "Property" | "NavigationProperty" | "Parameter" | "ReturnType" => {
                    used.push(attribute("Type").unwrap());
                }
                "EntitySet" => used.push(attribute("EntityType").unwrap()),
                _ => {}
            }
        }
        for name in used {
            let name = name.trim_start_matches("Collection(").trim_end_matches(')');
            let own = name.strip_prefix("Microsoft.Dynamics.DataEntities.");
            assert!(own.map_or(name.starts_with("Edm."), |own| declared.contains(&own.to_owned())), "{name}");
        }
    }

    #[test]
    fn its_parts_are_written_as_the_service_writes_them() {
        let catalog = Catalog::embedded().unwrap();
        let xml = csdl(&catalog, &Definitions::default());
        for part in [
            "<EntitySet Name=\"VendorsV2\" EntityType=\"Microsoft.Dynamics.DataEntities.VendorV2\"><NavigationPropertyBinding Path=\"Warehouses\" Target=\"Warehouses\"/>",
            "<EnumType Name=\"NoYes\"><Member Name=\"No\" Value=\"0\"/><Member Name=\"Yes\" Value=\"1\"/></EnumType>",
            "<EnumType Name=\"DMFOperationType\"><Member Name=\"Export\" Value=\"1\"/><Member Name=\"Import\" Value=\"0\"/>",
            "<EntityType Name=\"VendorV2\"><Key><PropertyRef Name=\"dataAreaId\"/><PropertyRef Name=\"VendorAccountNumber\"/></Key>",
            "<Property Name=\"VendorAccountNumber\" Type=\"Edm.String\" Nullable=\"false\"/>",
            "<NavigationProperty Name=\"Warehouses\" Type=\"Collection(Microsoft.Dynamics.DataEntities.Warehouse)\"/>",
            "<Action Name=\"GetAzureWriteUrl\" IsBound=\"true\"><Parameter Name=\"DataManagementDefinitionGroup\" Type=\"Collection(Microsoft.Dynamics.DataEntities.DataManagementDefinitionGroup)\"/><Parameter Name=\"uniqueFileName\" Type=\"Edm.String\"/><ReturnType Type=\"Edm.String\"/></Action>",
        ] {
            assert!(xml.contains(part), "{part}");
        }
        assert!(!xml.contains("MaxLength"));
        let store = crate::store::Store::open(None).unwrap();
        let lengths = serde_json::from_str(r#"{"Vendors V2":{"VendorAccountNumber":20}}"#).unwrap();
        let definitions = store
            .with(|db| {
                crate::dmf::definitions::set_lengths(db, &lengths, &catalog)?.unwrap();
                Definitions::read(db)
            })
            .unwrap();
        assert!(csdl(&catalog, &definitions).contains(
            "<Property Name=\"VendorAccountNumber\" Type=\"Edm.String\" Nullable=\"false\" MaxLength=\"20\"/>"
        ));
    }
}
