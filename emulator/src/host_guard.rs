//! Refuses requests that name another host than the sandbox listens as, so that a web page cannot reach it through a
//! host name that it points at the loopback address (DNS rebinding).

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::json_reply;
use crate::server::App;

/// Middleware in front of every route.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    if allowed(named, app.address) && authority.is_none_or(|name| allowed(name, app.address)) {
        return next.run(request).await;
    }
    json_reply(
        StatusCode::MISDIRECTED_REQUEST,
        r#"{"Message":"This sandbox does not listen as the host that the request names."}"#.to_owned(),
    )
}

/// A name in a Host header is taken when it is the address listened on, or `localhost` where that is a loopback
/// address. When listening on every interface any IP address is taken: rebinding needs a name.
fn allowed(host: &str, address: SocketAddr) -> bool {
    let suffix = format!(":{}", address.port());
    let name = host.strip_suffix(&suffix).unwrap_or(if address.port() == 80 { host } else { "" });
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip == address.ip() || address.ip().is_unspecified(),
        Err(_) => {
            name.eq_ignore_ascii_case("localhost")
                && (address.ip().is_loopback() || address.ip().is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_taken() {
        let loopback = "127.0.0.1:8080".parse().unwrap();
        for good in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"] {
            assert!(allowed(good, loopback), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1",
            "127.0.0.1:80",
            "evil.example:8080",
            "127.0.0.2:8080",
            "localhost.evil.example:8080",
            "[::1]:8080",
        ] {
            assert!(!allowed(bad, loopback), "{bad}");
        }
        let six = "[::1]:8080".parse().unwrap();
        assert!(allowed("[::1]:8080", six));
        let all = "0.0.0.0:8080".parse().unwrap();
        assert!(allowed("192.168.1.9:8080", all));
        assert!(!allowed("evil.example:8080", all));
    }
}
