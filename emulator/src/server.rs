//! Puts the parts together: state, routes, start and end.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use serde_json::json;
use tokio::net::TcpListener;

use crate::auth::{Client, Directory, TokenKeys, random_secret, sign_in_page, token_v1, token_v2};
use crate::catalog::Catalog;
use crate::environment::Environment;
use crate::storage::{Azurite, AzuriteError, Storage, locate};
use crate::store::{Store, StoreError};
use crate::throttle::Throttle;
use crate::{answer_headers, control, host_guard, meta, odata};

/// What the command line asks for.
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) database: Option<PathBuf>,
    pub(crate) seed: Option<PathBuf>,
    pub(crate) azurite: Option<PathBuf>,
    pub(crate) step: Duration,
    pub(crate) token_lifetime: i64,
    pub(crate) exit_with_stdin: bool,
    pub(crate) page_size: usize,
}

/// State that every handler shares.
pub(crate) struct Shared {
    pub(crate) address: SocketAddr,
    /// Without trailing slash; also the audience of tokens.
    pub(crate) base_url: String,
    pub(crate) environment: Environment,
    pub(crate) storage: Storage,
    pub(crate) directory: Directory,
    pub(crate) control_key: String,
    pub(crate) step: Duration,
    pub(crate) page_size: usize,
    pub(crate) throttle: Throttle,
}

impl std::ops::Deref for Shared {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        &self.environment
    }
}

/// Handle of the state.
pub(crate) type App = Arc<Shared>;

/// Why the sandbox did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The embedded catalogue is damaged.
    #[error("the entity catalogue cannot be read: {0}")]
    Catalog(serde_json::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The storage.
    #[error(transparent)]
    Azurite(#[from] AzuriteError),
    /// The signing key.
    #[error("the signing key could not be made: {0}")]
    Key(String),
    /// The socket.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The seed directory.
    #[error("seed: {0}")]
    Seed(#[from] control::LoadError),
    /// The ready line, or the server itself.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Serves until a signal comes or stdin ends.
pub(crate) async fn serve(settings: Settings) -> Result<(), ServeError> {
    let script = locate(settings.azurite.as_deref(), &std::env::current_dir()?)?;
    let stop = stop_signal(settings.exit_with_stdin);
    let store = Store::open(settings.database.as_deref())?;
    let catalog = Catalog::embedded().map_err(ServeError::Catalog)?;
    let listener = TcpListener::bind(settings.address)
        .await
        .map_err(|error| ServeError::Listen(settings.address, error))?;
    let address = listener.local_addr()?;

    let keys = tokio::task::spawn_blocking(TokenKeys::generate);
    let azurite = Azurite::start(&script).await?;
    let result = async {
        let keys = keys.await.map_err(|error| ServeError::Key(error.to_string()))?;
        let keys = keys.map_err(|error| ServeError::Key(error.to_string()))?;
        let app: App = Arc::new(Shared {
            address,
            base_url: format!("http://{}", named(address)),
            environment: Environment::new(catalog, store),
            storage: azurite.storage.clone(),
            directory: Directory {
                tenant: uuid::Uuid::new_v4().to_string(),
                registered: Client::random(),
                unregistered: Client::random(),
                token_lifetime: settings.token_lifetime,
                keys,
            },
            control_key: random_secret(),
            step: settings.step,
            page_size: settings.page_size,
            throttle: Throttle::default(),
        });
        if let Some(folder) = &settings.seed {
            let (of_worker, folder) = (app.clone(), folder.clone());
            let seeded = tokio::task::spawn_blocking(move || control::seed(&of_worker, &folder)).await;
            seeded.map_err(|error| ServeError::Io(std::io::Error::other(error)))??;
        }
        announce(&app)?;
        let server = axum::serve(listener, routes(app));
        tokio::select! {
            ended = server.into_future() => ended?,
            () = stop => {}
        }
        Ok(())
    }
    .await;
    azurite.stop().await;
    result
}

fn routes(app: App) -> Router {
    // There is no CORS layer on purpose: the service sends no such headers, and neither does this.
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token_v2))
        .route("/{tenant}/oauth2/token", post(token_v1))
        .route("/{tenant}/oauth2/authorize", get(sign_in_page))
        .route("/data", any(odata::handle))
        .route("/data/", any(odata::handle))
        .route("/data/{*rest}", any(odata::handle))
        // A route cannot mind no case.
        .fallback(meta::handle)
        .layer(DefaultBodyLimit::max(odata::MAX_BODY))
        .merge(
            Router::new()
                .route("/_sandbox/load/{name}", post(control::load))
                .route("/_sandbox/settings", post(control::settings))
                .route("/_sandbox/runs", get(control::runs))
                .route("/_sandbox/throttle", post(control::throttle))
                .layer(DefaultBodyLimit::max(control::MAX_BODY)),
        )
        .layer(axum::middleware::from_fn_with_state(app.clone(), answer_headers::add))
        .layer(axum::middleware::from_fn_with_state(app.clone(), host_guard::guard))
        .with_state(app)
}

/// The address that callers use: loopback where the sandbox listens on every interface.
fn named(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

/// The one line on stdout.
fn announce(app: &App) -> std::io::Result<()> {
    let directory = &app.directory;
    let line = json!({
        "baseUrl": app.base_url,
        "tokenUrl": format!("{}/{}/oauth2/v2.0/token", app.base_url, directory.tenant),
        "tenant": directory.tenant,
        "clientId": directory.registered.id,
        "clientSecret": directory.registered.secret,
        "unregisteredClientId": directory.unregistered.id,
        "unregisteredClientSecret": directory.unregistered.secret,
        "controlUrl": format!("{}/_sandbox", app.base_url),
        "controlKey": app.control_key,
        "storageUrl": app.storage.url(),
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Resolves on SIGINT, SIGTERM, or the end of stdin where that was asked for. Listening begins at once.
fn stop_signal(with_stdin: bool) -> impl Future<Output = ()> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<()>(1);
    if with_stdin {
        let sender = sender.clone();
        // A thread of its own: a blocking read of stdin must not hold up the end of the runtime.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = sender.blocking_send(());
        });
    }
    tokio::spawn(async move {
        interrupted().await;
        let _ = sender.send(()).await;
    });
    async move {
        let _ = receiver.recv().await;
    }
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
