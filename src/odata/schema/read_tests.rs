use serde_json::json;

use super::*;
use crate::ErrorCode;
use crate::catalog::{Binding, EdmType, Schema};
use crate::error::Result;
use crate::http::{Input, Machine, Request, Response, Step, Timestamp};
use crate::odata::Service;

const DOCUMENT: &str = include_str!("../../../fuzz/seeds/metadata/contoso");

fn options(collections: Option<&[&str]>, labels: Option<&str>) -> MetadataOptions {
    MetadataOptions {
        collections: collections.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
        labels: labels.map(str::to_owned),
    }
}

/// Answers every request by its path, and tells the paths.
fn run(
    options: MetadataOptions,
    answer: impl Fn(&str, &Request) -> Response,
) -> (Result<Schema>, Vec<String>) {
    let mut service = Service::new("https://c.example", None).unwrap();
    service.policy.attempts = 1;
    let mut machine = ReadMetadata::new(&service, options).unwrap();
    let (mut now, mut paths) = (Timestamp::from_millis(0), Vec::new());
    for _ in 0..500 {
        match machine.next(now) {
            Step::Send(request) => {
                assert!(request.bearer);
                let path = request.url.strip_prefix("https://c.example/").unwrap().to_owned();
                let response = answer(&path, &request);
                paths.push(path);
                machine.handle(Input::Response(response), now);
            }
            Step::Token(_) => machine.handle(Input::TokenRenewed { expires: None }, now),
            Step::Wait(until) => now = until,
            Step::Done(metadata) => return (Ok(metadata.into_schema()), paths),
            Step::Failed(error) => return (Err(*error), paths),
            _ => {}
        }
    }
    panic!("never ended");
}

fn service(path: &str) -> Response {
    let body = if path.starts_with("Metadata/DataEntities?$filter=PublicCollectionName%20eq%20'Things'") {
        json!({ "value": [{ "Name": "ContosoThingEntity", "PublicEntityName": "Thing",
            "PublicCollectionName": "Things", "LabelId": "@Contoso:Things" }] })
    } else if path.starts_with("Metadata/DataEntities?") {
        json!({ "value": [] })
    } else if path == "Metadata/PublicEntities('Thing')" {
        json!({ "Name": "Thing", "EntitySetName": "Things", "Properties": [
                { "Name": "dataAreaId", "TypeName": "Edm.String", "DataType": "String", "IsKey": true },
                { "Name": "Id", "TypeName": "Edm.Int64", "DataType": "Int64", "IsKey": true },
                { "Name": "Open", "TypeName": "Microsoft.Dynamics.DataEntities.NoYes", "DataType": "Enum" },
                { "Name": "Hidden", "TypeName": "Microsoft.Dynamics.DataEntities.Secret", "DataType": "Enum" },
                { "Name": "At", "TypeName": "Edm.DateTimeOffset", "DataType": "Date" }],
            "NavigationProperties": [
                { "Name": "Vendor", "RelatedEntity": "VendorV2", "Cardinality": "Single" },
                { "Name": "Owners", "RelatedEntity": "Owner", "Cardinality": "Multiple" }],
            "Actions": [
                { "Name": "Open", "BindingKind": "BoundToEntity",
                  "Parameters": [{ "Name": "sure", "Type": { "TypeName": "Edm.Boolean", "IsCollection": false } }],
                  "ReturnType": { "TypeName": "Edm.String", "IsCollection": true } },
                { "Name": "Count", "BindingKind": "BoundToEntitySet", "Parameters": [], "ReturnType": null },
                { "Name": "Free", "BindingKind": "Unbound", "Parameters": [] }] })
    } else if path == "Metadata/PublicEntities('Owner')?$select=Name,EntitySetName" {
        json!({ "Name": "Owner", "EntitySetName": "Owners" })
    } else if path == "Metadata/PublicEnumerations('NoYes')" {
        json!({ "Name": "NoYes", "Members": [{ "Name": "No", "Value": 0 }, { "Name": "Yes", "Value": 1 }] })
    } else if path == "Metadata/Labels(Id='@Contoso:Things',Language='de')" {
        json!({ "Id": "@Contoso:Things", "Language": "de", "Value": "Dinge" })
    } else {
        return Response::new(404, "");
    };
    Response::new(200, body.to_string())
}

fn document(path: &str) -> Response {
    match path {
        "data/$metadata" => Response::new(200, DOCUMENT),
        _ => Response::new(404, ""),
    }
}

#[test]
fn few_collections_are_asked_of_the_metadata_service() {
    let (schema, paths) = run(options(Some(&["Things", "VendorsV2"]), None), |path, _| service(path));
    let schema = schema.unwrap();
    assert_eq!(
        paths,
        [
            "Metadata/DataEntities?$filter=PublicCollectionName%20eq%20'Things'&$select=Name,PublicEntityName,PublicCollectionName,LabelId",
            "Metadata/DataEntities?$filter=PublicCollectionName%20eq%20'VendorsV2'&$select=Name,PublicEntityName,PublicCollectionName,LabelId",
            "Metadata/PublicEntities('Thing')",
            "Metadata/PublicEntities('Owner')?$select=Name,EntitySetName",
            "Metadata/PublicEnumerations('NoYes')",
            "Metadata/PublicEnumerations('Secret')",
        ]
    );
    assert_eq!(schema.entities.len(), 1, "VendorsV2 is missing there");
    let things = &schema.entities[0];
    assert_eq!((things.aot.as_str(), things.label.as_str()), ("ContosoThingEntity", ""));
    assert_eq!((things.type_name.as_deref(), things.company), (Some("Thing"), Some(true)));
    assert_eq!(things.keys, ["dataAreaId", "Id"]);
    let types: Vec<_> = things.properties.iter().map(|it| (it.edm.clone(), it.nullable)).collect();
    assert_eq!(
        types,
        [
            (EdmType::String, Some(false)),
            (EdmType::Int64, Some(false)),
            (EdmType::Enum("NoYes".into()), None),
            (EdmType::Other("Microsoft.Dynamics.DataEntities.Secret".into()), None),
            (EdmType::DateTimeOffset, None),
        ]
    );
    let navigation: Vec<_> = things.navigation.iter().map(|it| (it.target.as_str(), it.many)).collect();
    assert_eq!(navigation, [("VendorsV2", false), ("Owners", true)]);
    let actions: Vec<_> = things.actions.iter().map(|it| (it.name.as_str(), it.binding)).collect();
    assert_eq!(actions, [("Open", Binding::Entity), ("Count", Binding::Collection)]);
    assert_eq!(things.actions[0].returns.as_deref(), Some("Collection(Edm.String)"));
    assert_eq!(things.actions[1].returns, None);
    assert_eq!(schema.enums, [("NoYes".to_owned(), vec!["No".to_owned(), "Yes".to_owned()])]);
    let missing: Vec<_> = drift(&schema).into_iter().map(|it| it.collection).collect();
    assert_eq!(missing, ["VendorsV2", "Things"]);
}

#[test]
fn labels_are_asked_for_where_they_are_wanted() {
    let (schema, paths) = run(options(Some(&["Things"]), Some("de")), |path, _| service(path));
    assert_eq!(schema.unwrap().entities[0].label, "Dinge");
    assert_eq!(paths.iter().filter(|path| path.starts_with("Metadata/Labels")).count(), 1);
    let error =
        ReadMetadata::new(&Service::new("https://c.example", None).unwrap(), options(None, Some("de")));
    assert_eq!(error.unwrap_err().code, ErrorCode::InvalidArgument);
}

#[test]
fn all_collections_are_read_from_the_document() {
    let (schema, paths) = run(options(None, None), |path, request| {
        assert!(request.headers.contains(&("accept", "application/xml".to_owned())));
        assert_eq!(request.timeout.as_secs(), 600);
        document(path)
    });
    assert_eq!(schema.unwrap().entities.len(), 3);
    assert_eq!(paths, ["data/$metadata"]);
}

#[test]
fn many_collections_are_read_from_the_document_and_named_by_the_service() {
    let mut names: Vec<&str> = crate::catalog::builtin()
        .entities()
        .iter()
        .filter_map(|it| it.collection.as_deref())
        .take(16)
        .collect();
    names.push("Things");
    let (schema, paths) = run(options(Some(&names), Some("de")), |path, _| {
        if path.starts_with("data/") { document(path) } else { service(path) }
    });
    let schema = schema.unwrap();
    assert_eq!(schema.entities.len(), 1);
    assert_eq!(
        (schema.entities[0].aot.as_str(), schema.entities[0].label.as_str()),
        ("ContosoThingEntity", "Dinge")
    );
    assert_eq!(schema.entities[0].properties.len(), 6, "as the document has them");
    assert_eq!((paths[0].as_str(), paths.len()), ("data/$metadata", 3));
}

#[test]
fn where_one_way_is_closed_the_other_is_taken() {
    for status in [400, 403, 404, 500] {
        let (schema, paths) = run(options(Some(&["Things"]), None), |path, _| {
            if path.starts_with("Metadata/") {
                return Response::new(status, "");
            }
            if path.starts_with("data/LegalEntities") { Response::new(200, "{}") } else { document(path) }
        });
        assert_eq!(schema.unwrap().entity("Things").unwrap().properties.len(), 6, "{status}");
        assert_eq!(paths.last().unwrap(), "data/$metadata");
    }
    // The answer is no metadata: a page of a gateway, a document that is cut.
    let names: Vec<String> =
        (0..17).map(|i| if i == 0 { "Things".into() } else { format!("Things{i}") }).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (schema, paths) = run(options(Some(&names), None), |path, _| {
        if path.starts_with("data/") {
            Response::new(200, DOCUMENT.get(..900).unwrap())
        } else {
            service(path)
        }
    });
    assert_eq!(schema.unwrap_err().code, ErrorCode::UnknownEntity, "only one of them exists");
    assert!(paths[1].starts_with("Metadata/DataEntities"));
    let (schema, paths) = run(options(Some(&["Things"]), None), |_, _| Response::new(500, "no"));
    assert_eq!((schema.unwrap_err().code, paths.len()), (ErrorCode::ServiceError, 2), "each way once");
    let (schema, _) = run(options(None, None), |_, _| Response::new(200, "{}"));
    assert_eq!(schema.unwrap_err().at.as_deref().unwrap().line, Some(1));
}

#[test]
fn a_misspelt_collection_is_told() {
    let (schema, _) = run(options(Some(&["VendorV2"]), None), |path, _| service(path));
    let error = schema.unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownEntity);
    assert!(error.hint.as_deref().unwrap().contains("\"VendorsV2\""));
    let service = Service::new("https://c.example", None).unwrap();
    let error = ReadMetadata::new(&service, options(Some(&["Vendors V2"]), None)).unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownEntity);
}

#[test]
fn a_long_document_leaves_turns_and_can_be_given_up() {
    let padded = format!("{DOCUMENT}{}", " ".repeat(7 << 20));
    let service = Service::new("https://c.example", None).unwrap();
    for cancel in [false, true] {
        let mut machine = ReadMetadata::new(&service, MetadataOptions::default()).unwrap();
        let now = Timestamp::from_millis(7);
        let mut turns = 0;
        let outcome = loop {
            match machine.next(now) {
                Step::Send(_) => machine.handle(Input::Response(Response::new(200, padded.as_str())), now),
                Step::Token(_) => machine.handle(Input::TokenRenewed { expires: None }, now),
                Step::Wait(until) => {
                    assert_eq!(until, now);
                    turns += 1;
                    if cancel {
                        machine.handle(Input::Cancelled, now);
                    }
                }
                Step::Done(metadata) => break Ok(metadata.into_schema().entities.len()),
                Step::Failed(error) => break Err(error.code),
                _ => {}
            }
        };
        if cancel {
            assert_eq!((outcome, turns), (Err(ErrorCode::Aborted), 1));
        } else {
            assert_eq!((outcome, turns), (Ok(3), 3), "7 MiB and a bit, 2 MiB at once");
        }
    }
}
