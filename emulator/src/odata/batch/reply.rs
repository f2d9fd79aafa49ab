//! The answer to a batch.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use crate::http::odata_reply;
use crate::odata::error::ODataError;

/// An answer to an operation.
pub(super) struct Answer {
    /// Content-ID of the operation.
    pub(super) id: Option<String>,
    pub(super) response: Response,
}

/// An answer to an item.
pub(super) enum Reply {
    /// Also the failure of a whole change set.
    Single(Answer),
    ChangeSet(Vec<Answer>),
}

impl Reply {
    pub(super) fn failed(&self) -> bool {
        let status = |answer: &Answer| answer.response.status();
        match self {
            Self::Single(answer) => status(answer).is_client_error() || status(answer).is_server_error(),
            Self::ChangeSet(_) => false,
        }
    }
}

/// The multipart answer, always 200.
pub(super) async fn message(replies: Vec<Reply>) -> Result<Response, ODataError> {
    let boundary = format!("batchresponse_{}", Uuid::new_v4());
    let mut out = Vec::new();
    for reply in replies {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        match reply {
            Reply::Single(answer) => part(&mut out, answer).await?,
            Reply::ChangeSet(answers) => {
                let inner = format!("changesetresponse_{}", Uuid::new_v4());
                let head = format!("Content-Type: multipart/mixed; boundary={inner}\r\n\r\n");
                out.extend_from_slice(head.as_bytes());
                for answer in answers {
                    out.extend_from_slice(format!("--{inner}\r\n").as_bytes());
                    part(&mut out, answer).await?;
                }
                out.extend_from_slice(format!("--{inner}--\r\n").as_bytes());
            }
        }
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let mut response = odata_reply(StatusCode::OK, String::new());
    let kind = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}"));
    let kind = kind.map_err(|_| ODataError::internal("a boundary is no header"))?;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    *response.body_mut() = out.into();
    Ok(response)
}

async fn part(out: &mut Vec<u8>, answer: Answer) -> Result<(), ODataError> {
    let (parts, body) = answer.response.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ODataError::internal("an answer cannot be read"))?;
    let mut head = String::from("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
    if let Some(id) = answer.id {
        head.push_str(&format!("Content-ID: {id}\r\n"));
    }
    let reason = parts.status.canonical_reason().unwrap_or_default();
    head.push_str(&format!("\r\nHTTP/1.1 {} {reason}\r\n", parts.status.as_u16()));
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(b"\r\n");
    Ok(())
}
