//! The one error of the library: a stable code, a place, what the service said, and what to do about it.
//!
//! What belongs here: the codes, the carrier, its rendering. What does not: the decision whether an error is worth a
//! retry (`http::retry`) and the reading of a service's answer (`odata::fault`).

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// Stable, public names of everything that can go wrong. They are API: never reused, never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A call came before the module was loaded.
    NotInitialized,
    /// The WebAssembly module could not be fetched or compiled.
    WasmLoadFailed,
    /// The host's security policy forbids WebAssembly.
    WasmBlocked,
    /// A bug in this library; the instance is replaced.
    InternalPanic,
    /// The object was disposed of before.
    Disposed,
    /// The caller handed over something that can't be meant.
    InvalidArgument,
    /// No entity of that name is known.
    UnknownEntity,
    /// The entity has no property of that name.
    UnknownProperty,
    /// The service would refuse or misread this query.
    UnsupportedQuery,
    /// The bytes are no data package.
    NotAPackage,
    /// The package is damaged.
    PackageCorrupt,
    /// A limit for packages was exceeded; the message has both numbers.
    PackageLimit,
    /// Header or manifest of the package can't be understood.
    ManifestInvalid,
    /// A data file can't be understood.
    DataInvalid,
    /// The service refuses the token.
    AuthRejected,
    /// The token is good, but the application is not registered in the environment.
    AppNotRegistered,
    /// The user behind the application lacks a right.
    Forbidden,
    /// There is no such record, entity set or project.
    NotFound,
    /// The state in the service contradicts the request.
    Conflict,
    /// The record changed since it was read.
    PreconditionFailed,
    /// Business logic of the service refused the data.
    ValidationFailed,
    /// The service is busy and asks to wait.
    Throttled,
    /// The service failed.
    ServiceError,
    /// No answer came: the network failed.
    Network,
    /// No answer came in a page, where CORS and network failures look alike.
    CorsOrNetwork,
    /// No answer came in time.
    Timeout,
    /// The caller gave up.
    Aborted,
    /// The run ended as failed.
    JobFailed,
    /// The run was cancelled in the service.
    JobCanceled,
    /// The run makes no progress.
    JobStalled,
    /// It could not be found out whether the service took the submission.
    OutcomeUnknown,
    /// To go on, the job needs its source again.
    SourceRequired,
    /// The source is not the one that the job began with.
    SourceChanged,
    /// Another process saved a newer checkpoint.
    CheckpointConflict,
    /// The checkpoint can't be understood.
    CheckpointInvalid,
    /// More deletions than allowed.
    ReconcileRefused,
}

impl ErrorCode {
    /// Every code, in the order of this list.
    pub const ALL: [Self; 36] = [
        Self::NotInitialized,
        Self::WasmLoadFailed,
        Self::WasmBlocked,
        Self::InternalPanic,
        Self::Disposed,
        Self::InvalidArgument,
        Self::UnknownEntity,
        Self::UnknownProperty,
        Self::UnsupportedQuery,
        Self::NotAPackage,
        Self::PackageCorrupt,
        Self::PackageLimit,
        Self::ManifestInvalid,
        Self::DataInvalid,
        Self::AuthRejected,
        Self::AppNotRegistered,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::ValidationFailed,
        Self::Throttled,
        Self::ServiceError,
        Self::Network,
        Self::CorsOrNetwork,
        Self::Timeout,
        Self::Aborted,
        Self::JobFailed,
        Self::JobCanceled,
        Self::JobStalled,
        Self::OutcomeUnknown,
        Self::SourceRequired,
        Self::SourceChanged,
        Self::CheckpointConflict,
        Self::CheckpointInvalid,
        Self::ReconcileRefused,
    ];

    /// The code of that public spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The public spelling, for example `NOT_A_PACKAGE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotInitialized => "NOT_INITIALIZED",
            Self::WasmLoadFailed => "WASM_LOAD_FAILED",
            Self::WasmBlocked => "WASM_BLOCKED",
            Self::InternalPanic => "INTERNAL_PANIC",
            Self::Disposed => "DISPOSED",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::UnknownEntity => "UNKNOWN_ENTITY",
            Self::UnknownProperty => "UNKNOWN_PROPERTY",
            Self::UnsupportedQuery => "UNSUPPORTED_QUERY",
            Self::NotAPackage => "NOT_A_PACKAGE",
            Self::PackageCorrupt => "PACKAGE_CORRUPT",
            Self::PackageLimit => "PACKAGE_LIMIT",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::DataInvalid => "DATA_INVALID",
            Self::AuthRejected => "AUTH_REJECTED",
            Self::AppNotRegistered => "APP_NOT_REGISTERED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::ValidationFailed => "VALIDATION_FAILED",
            Self::Throttled => "THROTTLED",
            Self::ServiceError => "SERVICE_ERROR",
            Self::Network => "NETWORK",
            Self::CorsOrNetwork => "CORS_OR_NETWORK",
            Self::Timeout => "TIMEOUT",
            Self::Aborted => "ABORTED",
            Self::JobFailed => "JOB_FAILED",
            Self::JobCanceled => "JOB_CANCELED",
            Self::JobStalled => "JOB_STALLED",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::SourceRequired => "SOURCE_REQUIRED",
            Self::SourceChanged => "SOURCE_CHANGED",
            Self::CheckpointConflict => "CHECKPOINT_CONFLICT",
            Self::CheckpointInvalid => "CHECKPOINT_INVALID",
            Self::ReconcileRefused => "RECONCILE_REFUSED",
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the service itself said, without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceWords {
    /// The service's own error code, mostly empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason, without noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The inner message as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner: Option<String>,
    /// `x-ms-request-id` of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `ms-dyn-aid` of the answer, asked for by support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_id: Option<String>,
}

/// A place in a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// Name of the entry in the zip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Label of the data entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// 1-based line of the file; for rows handed over by a caller, the 1-based row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// The error of every fallible function of this crate: a [`Failure`], behind a pointer because results are handed through many
/// functions and seldom hold one.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(transparent)]
#[error("{}", self.message)]
pub struct Error(Box<Failure>);

impl Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Failure {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// One sentence for a person, without secrets.
    pub message: String,
    /// HTTP status where a service answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the service itself said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<ServiceWords>>,
    /// Milliseconds after which the same call is worth repeating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Where in a package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Box<Place>>,
    /// One sentence that tells the person what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What is known of a failed run; only where there are runs, with the feature `full`.
    #[cfg(feature = "full")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<serde_json::Value>>,
}

impl Error {
    /// A failure without any context yet.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            code,
            message: message.into(),
            status: None,
            service: None,
            retry_after: None,
            at: None,
            hint: None,
            #[cfg(feature = "full")]
            result: None,
        }))
    }

    /// `INVALID_ARGUMENT`.
    #[must_use]
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn place(&mut self) -> &mut Place {
        self.at.get_or_insert_with(Box::default)
    }

    /// Names the file of the package.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place().file = Some(file.into());
        self
    }

    /// Names the entity.
    #[must_use]
    pub fn in_entity(mut self, entity: impl Into<String>) -> Self {
        self.place().entity = Some(entity.into());
        self
    }

    /// Names the 1-based line of the file, or the 1-based row of the caller.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.place().line = Some(line);
        self
    }

    /// Names the column.
    #[must_use]
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.place().column = Some(column.into());
        self
    }

    /// Attaches what is known of a run.
    #[cfg(feature = "full")]
    #[must_use]
    pub fn with_result(mut self, result: serde_json::Value) -> Self {
        self.result = Some(Box::new(result));
        self
    }
}

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
