//! The check of every call to the service.
//!
//! Without a bearer token, or with something that is no JWT, the service sends the caller to a sign-in page (302). A
//! JWT that is not valid (expired, other audience, other signature or algorithm) is 401: the reference names both
//! answers and does not draw the line; it is drawn here.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::keys::Refusal;
use crate::http::{empty, json_reply};
use crate::server::App;

/// A caller with a valid token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// Whether the application has a row in *Microsoft Entra ID applications*.
    pub(crate) registered: bool,
}

impl Caller {
    /// Refuses a caller without a row. The words are ours: the reference gives the status alone.
    pub(crate) fn must_be_registered(self) -> Result<(), Box<Response>> {
        if self.registered {
            return Ok(());
        }
        Err(Box::new(json_reply(
            StatusCode::FORBIDDEN,
            r#"{"Message":"Authorization has been denied for this request."}"#.to_owned(),
        )))
    }
}

/// Reads the token of a call, or answers it.
pub(crate) fn authorize(app: &App, headers: &HeaderMap) -> Result<Caller, Box<Response>> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else { return Err(Box::new(sign_in(app))) };
    match app.directory.keys.verify(token, &app.base_url, &app.directory.tenant) {
        Ok(claims) => Ok(Caller { registered: claims.appid == app.directory.registered.id }),
        Err(Refusal::Unreadable) => Err(Box::new(sign_in(app))),
        Err(Refusal::Invalid) => Err(Box::new(unauthorized(app))),
    }
}

fn sign_in(app: &App) -> Response {
    let mut response = empty(StatusCode::FOUND);
    if let Ok(location) = HeaderValue::from_str(&authorize_url(app)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn unauthorized(app: &App) -> Response {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    if let Ok(challenge) =
        HeaderValue::from_str(&format!("Bearer authorization_uri=\"{}\"", authorize_url(app)))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn authorize_url(app: &App) -> String {
    format!("{}/{}/oauth2/authorize", app.base_url, app.directory.tenant)
}
