//! Errors in the shapes of the service.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use crate::http::odata_reply;
use crate::store::StoreError;

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct ODataError {
    status: StatusCode,
    message: String,
    inner: Option<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    message: String,
    kind: &'static str,
    stack: &'static str,
}

impl ODataError {
    /// An error whose text is at the top: URLs, queries and payloads that cannot be understood.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), inner: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A query that the service's own data layer refuses: the text is in `innererror`.
    pub(crate) fn query(message: impl Into<String>) -> Self {
        Self::with_inner(
            StatusCode::BAD_REQUEST,
            message.into(),
            "System.InvalidOperationException",
            "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Query.QueryBuilder.Visit()",
        )
    }

    /// A write that business logic refuses.
    pub(crate) fn write(message: impl Into<String>) -> Self {
        Self::with_inner(
            StatusCode::BAD_REQUEST,
            message.into(),
            "Microsoft.Dynamics.Platform.Integration.Services.OData.ODataWriteException",
            "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.UpdateProcessor.SaveChanges()",
        )
    }

    /// An action that fails.
    pub(crate) fn action(action: &str, cause: &str) -> Self {
        Self::with_inner(
            StatusCode::BAD_REQUEST,
            format!(
                "Exception occurred while executing action {action} on Entity DataManagementDefinitionGroup: {cause}"
            ),
            "System.InvalidOperationException",
            "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Action.ActionInvokable.Invoke()",
        )
    }

    /// Known in the service, not in the sandbox.
    pub(crate) fn not_here(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{what} is not implemented by this sandbox."))
    }

    pub(crate) fn no_resource(uri: &Uri) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("No HTTP resource was found that matches the request URI '{}'.", uri.path()),
        )
    }

    /// A fault of the sandbox itself.
    pub(crate) fn internal(what: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("Sandbox fault: {what}."))
    }

    /// The text that tells what is wrong.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        self.inner.as_ref().map_or(&self.message, |inner| &inner.message)
    }

    pub(crate) fn into_response(self) -> Response {
        let mut error = json!({ "code": "", "message": self.message });
        if let (Some(inner), Some(object)) = (self.inner, error.as_object_mut()) {
            object.insert(
                "innererror".to_owned(),
                json!({ "message": inner.message, "type": inner.kind, "stacktrace": inner.stack }),
            );
        }
        odata_reply(self.status, json!({ "error": error }).to_string())
    }

    fn with_inner(status: StatusCode, message: String, kind: &'static str, stack: &'static str) -> Self {
        Self {
            status,
            message: "An error has occurred.".to_owned(),
            inner: Some(Inner { message, kind, stack }),
        }
    }
}

impl From<StoreError> for ODataError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error.to_string())
    }
}
