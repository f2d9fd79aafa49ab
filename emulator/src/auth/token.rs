//! The token endpoint: client credentials with a secret, in the v2 and the older v1 form.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use time::OffsetDateTime;

use super::keys::{Claims, issuer};
use super::{Client, Directory, same_secret};
use crate::http::{decode_form, html, json_reply};
use crate::server::App;

/// `POST /{tenant}/oauth2/v2.0/token`
pub(crate) async fn token_v2(
    State(app): State<App>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&app, &tenant, &headers, &body, Version::V2)
}

/// `POST /{tenant}/oauth2/token`
pub(crate) async fn token_v1(
    State(app): State<App>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&app, &tenant, &headers, &body, Version::V1)
}

/// What a browser would see after the redirect: HTML with 200, the trap for clients that follow redirects.
pub(crate) async fn sign_in_page() -> Response {
    html(
        "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body>Sign in</body></html>",
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

struct Refused {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

fn answer(app: &App, tenant: &str, headers: &HeaderMap, body: &[u8], version: Version) -> Response {
    match issue(&app.directory, &app.base_url, tenant, headers, body, version) {
        Ok((token, lifetime, audience)) => success(&token, lifetime, &audience, version),
        Err(refused) => refusal(&refused),
    }
}

fn issue(
    directory: &Directory,
    base_url: &str,
    tenant: &str,
    headers: &HeaderMap,
    body: &[u8],
    version: Version,
) -> Result<(String, i64, String), Refused> {
    let refused =
        |status, error, number, text: &str| Refused { status, error, number, text: text.to_owned() };
    let bad = |error, number, text: &str| refused(StatusCode::BAD_REQUEST, error, number, text);
    let form = decode_form(body);
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());

    if tenant != directory.tenant {
        return Err(bad(
            "invalid_request",
            90002,
            "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        ));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or("(unreadable)");
        return Err(Refused {
            status: StatusCode::BAD_REQUEST,
            error: "invalid_request",
            number: 9_002_326,
            text: format!(
                "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{origin}'."
            ),
        });
    }
    if field("grant_type") != "client_credentials" {
        return Err(bad("unsupported_grant_type", 70003, "The app requested an unsupported grant type."));
    }
    let Some(client) =
        [&directory.registered, &directory.unregistered].into_iter().find(|c| c.id == field("client_id"))
    else {
        return Err(bad(
            "unauthorized_client",
            700_016,
            "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant.",
        ));
    };
    if field("client_secret").is_empty() {
        return Err(refused(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    }
    if !same_secret(field("client_secret"), &client.secret) {
        return Err(refused(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
        ));
    }
    let audience = match version {
        // As in the field, a doubled slash gives an audience with a slash at its end, which the service refuses.
        Version::V2 => field("scope").strip_suffix("/.default").ok_or_else(|| {
            bad("invalid_scope", 1_002_012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).")
        })?,
        Version::V1 => field("resource"),
    };
    if !audience.trim_end_matches('/').eq_ignore_ascii_case(base_url) {
        return Err(bad(
            "invalid_resource",
            500_011,
            "The resource principal was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant.",
        ));
    }
    let claims = claims(directory, client, audience);
    let token = directory.keys.sign(&claims).map_err(|_| {
        refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            90033,
            "A transient error has occurred. Please try again.",
        )
    })?;
    Ok((token, directory.token_lifetime, audience.to_owned()))
}

fn claims(directory: &Directory, client: &Client, audience: &str) -> Claims {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    Claims {
        aud: audience.to_owned(),
        iss: issuer(&directory.tenant),
        tid: directory.tenant.clone(),
        appid: client.id.clone(),
        oid: client.object_id.clone(),
        iat: now,
        nbf: now,
        exp: now + directory.token_lifetime,
    }
}

fn success(token: &str, lifetime: i64, audience: &str, version: Version) -> Response {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let body = match version {
        Version::V2 => json!({
            "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token,
        }),
        Version::V1 => json!({
            "token_type": "Bearer", "expires_in": lifetime.to_string(), "ext_expires_in": lifetime.to_string(),
            "expires_on": (now + lifetime).to_string(), "not_before": now.to_string(),
            "resource": audience, "access_token": token,
        }),
    };
    json_reply(StatusCode::OK, body.to_string())
}

fn refusal(refused: &Refused) -> Response {
    let now = OffsetDateTime::now_utc();
    let timestamp = format!("{} {:02}:{:02}:{:02}Z", now.date(), now.hour(), now.minute(), now.second());
    let (trace, correlation) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    let number = refused.number;
    let body = json!({
        "error": refused.error,
        "error_description": format!(
            "AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}", refused.text
        ),
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace.to_string(),
        "correlation_id": correlation.to_string(),
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    json_reply(refused.status, body.to_string())
}
