//! The loop that accepts connections: like axum's own, but an answer can be to hang up.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::fault::HangUp;

/// Why a connection closes without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed as ordered")]
struct HungUp;

/// Serves until it is dropped.
pub(crate) async fn listen(listener: TcpListener, router: Router) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles, most likely: others may be given back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let router = router.clone();
            async move {
                let answered: Result<_, Infallible> = router.oneshot(request.map(Body::new)).await;
                let Ok(response) = answered;
                if response.extensions().get::<HangUp>().is_some() { Err(HungUp) } else { Ok(response) }
            }
        });
        tokio::spawn(async move {
            // Broken connections concern nobody here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
