//! The package API: bound actions of the data projects' collection ("Data management package REST API").

use serde_json::{Map, Value, json};

use crate::catalog::NAMESPACE;
use crate::http::{Method, Request};
use crate::odata::Service;

fn action(service: &Service, name: &str, body: Value) -> Request {
    service
        .request(Method::Post, &format!("DataManagementDefinitionGroups/{NAMESPACE}.{name}"))
        .json(body.to_string())
}

/// Where a package may be put. Makes nothing but a URL, so it may be repeated.
pub(crate) fn azure_write_url(service: &Service, unique_file_name: &str) -> Request {
    action(service, "GetAzureWriteUrl", json!({ "uniqueFileName": unique_file_name }))
}

/// What an import is asked for.
#[derive(Debug, Clone)]
pub(super) struct ImportCall<'a> {
    pub(super) package_url: &'a str,
    pub(super) project: &'a str,
    pub(super) execution_id: &'a str,
    pub(super) execute: bool,
    pub(super) overwrite: bool,
    pub(super) company: &'a str,
}

/// Starts an import; must never be sent twice.
pub(super) fn import_from_package(service: &Service, call: &ImportCall<'_>) -> Request {
    let body = json!({
        "packageUrl": call.package_url,
        "definitionGroupId": call.project,
        "executionId": call.execution_id,
        "execute": call.execute,
        "overwrite": call.overwrite,
        "legalEntityId": call.company,
    });
    late(service, action(service, "ImportFromPackage", body))
}

/// What an export is asked for.
#[derive(Debug, Clone)]
pub(super) struct ExportCall<'a> {
    pub(super) project: &'a str,
    pub(super) package_name: &'a str,
    pub(super) execution_id: &'a str,
    pub(super) company: &'a str,
    /// At most this many records of each entity.
    pub(super) preview: Option<u64>,
}

/// Starts an export; must never be sent twice: the marker of changed records moves with the run.
pub(super) fn export_to_package(service: &Service, call: &ExportCall<'_>) -> Request {
    let mut body = json!({
        "definitionGroupId": call.project,
        "packageName": call.package_name,
        "executionId": call.execution_id,
        "reExecute": false,
        "legalEntityId": call.company,
    });
    let name = match (call.preview, body.as_object_mut()) {
        (Some(count), Some(body)) => {
            body.insert(preview_parameter(service), count.into());
            "ExportToPackagePreview"
        }
        _ => "ExportToPackage",
    };
    late(service, action(service, name, body))
}

/// The documentation calls it `count`, the metadata of environments `exportPreviewCount`: the schema in force decides.
fn preview_parameter(service: &Service) -> String {
    let projects = service.catalog().collection("DataManagementDefinitionGroups");
    let preview = projects.and_then(|entity| entity.action("ExportToPackagePreview"));
    let count = preview.and_then(|action| {
        action.parameters.iter().find(|parameter| parameter.name.to_ascii_lowercase().ends_with("count"))
    });
    count.map_or_else(|| "exportPreviewCount".to_owned(), |parameter| parameter.name.clone())
}

/// An action that takes the execution id alone.
pub(super) fn of_execution(service: &Service, name: &str, execution_id: &str) -> Request {
    with(service, name, &[("executionId", execution_id)])
}

/// An action on one entity of a run.
pub(super) fn of_entity(service: &Service, name: &str, execution_id: &str, label: &str) -> Request {
    with(service, name, &[("executionId", execution_id), ("entityName", label)])
}

/// An action that takes a queue's message; the two spell their parameter differently.
pub(super) fn of_message(service: &Service, name: &str, parameter: &str, message_id: &str) -> Request {
    with(service, name, &[(parameter, message_id)])
}

/// Resets the marker of changed records of one line.
pub(super) fn reset_version_token(service: &Service, project: &str, label: &str, source: &str) -> Request {
    let parameters = [("definitionGroupId", project), ("entityName", label), ("sourceName", source)];
    with(service, "ResetVersionToken", &parameters)
}

fn with(service: &Service, name: &str, parameters: &[(&str, &str)]) -> Request {
    let body: Map<String, Value> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    action(service, name, Value::Object(body))
}

/// Import and export answer when the package is unpacked, which takes minutes.
fn late(service: &Service, mut request: Request) -> Request {
    request.timeout = service.submit_timeout;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_import_call_has_the_six_documented_parameters() {
        let service = Service::new("https://c.example", None).unwrap();
        let call = ImportCall {
            package_url: "https://b.example/dmf/x.zip?sig=s",
            project: "P",
            execution_id: "E",
            execute: true,
            overwrite: true,
            company: "USMF",
        };
        let request = import_from_package(&service, &call);
        assert_eq!(
            request.url,
            "https://c.example/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.ImportFromPackage"
        );
        assert_eq!(
            String::from_utf8(request.body).unwrap(),
            r#"{"packageUrl":"https://b.example/dmf/x.zip?sig=s","definitionGroupId":"P","executionId":"E","execute":true,"overwrite":true,"legalEntityId":"USMF"}"#
        );
        assert_eq!(request.timeout.as_secs(), 600);
    }
}
