//! Puts the parts together: state, routes, start and end.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::auth::{Client, Directory, TokenKeys, random_secret, sign_in_page, token_v1, token_v2};
use crate::catalog::Catalog;
use crate::environment::Environment;
use crate::fault::Faults;
use crate::listen::listen;
use crate::queue::Turns;
use crate::storage::{Azurite, AzuriteError, Proxy, Storage, forward, locate};
use crate::store::{Store, StoreError};
use crate::throttle::Throttle;
use crate::{answer_headers, control, fault, host_guard, meta, odata, queue};

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
    pub(crate) faults: Option<PathBuf>,
    /// Environments to serve.
    pub(crate) tenants: u16,
}

/// State of one environment that every handler shares.
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
    pub(crate) faults: Faults,
    pub(crate) turns: Turns,
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
    /// More environments than there are ports above the first.
    #[error("there are not as many ports from the first one upwards")]
    Ports,
    /// The fault plan.
    #[error("{0}")]
    Faults(String),
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
    let faults = match &settings.faults {
        Some(file) => Some(plan(file)?),
        None => None,
    };
    let stop = stop_signal(settings.exit_with_stdin);
    let mut places = Vec::new();
    for number in 0..settings.tenants.max(1) {
        places.push(Place::open(&settings, number).await?);
    }
    let storage_listener = bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).await?;
    let storage_port = storage_listener.local_addr()?.port();

    let keys = tokio::task::spawn_blocking(TokenKeys::generate);
    let accounts: Vec<Storage> = places.iter().map(|place| place.storage.clone()).collect();
    let azurite = Azurite::start(&script, &accounts).await?;
    let result = async {
        let keys = keys.await.map_err(|error| ServeError::Key(error.to_string()))?;
        let keys = Arc::new(keys.map_err(|error| ServeError::Key(error.to_string()))?);
        let mut apps = Vec::new();
        let mut servers = JoinSet::new();
        for place in places {
            let storage = place.storage.at(azurite.port, storage_port);
            storage.create_container().await.map_err(AzuriteError::from)?;
            let app = place.app(&settings, storage, keys.clone())?;
            if let Some(folder) = &settings.seed {
                let (of_worker, folder) = (app.clone(), folder.clone());
                let seeded = tokio::task::spawn_blocking(move || control::seed(&of_worker, &folder)).await;
                seeded.map_err(|error| ServeError::Io(std::io::Error::other(error)))??;
            }
            if let Some(plan) = &faults {
                app.faults.set(plan).map_err(ServeError::Faults)?;
            }
            servers.spawn(listen(place.listener, routes(app.clone())));
            servers.spawn(queue::recur(app.clone()));
            apps.push(app);
        }
        let storage = Router::new().fallback(forward).with_state(Proxy::new(&apps));
        servers.spawn(listen(storage_listener, storage));
        announce(&apps)?;
        stop.await;
        Ok(())
    }
    .await;
    azurite.stop().await;
    result
}

/// An environment that does not serve yet: its port, data and account.
struct Place {
    listener: TcpListener,
    address: SocketAddr,
    environment: Environment,
    storage: Storage,
}

impl Place {
    async fn open(settings: &Settings, number: u16) -> Result<Self, ServeError> {
        let mut address = settings.address;
        if address.port() != 0 {
            let port = address.port().checked_add(number).ok_or(ServeError::Ports)?;
            address.set_port(port);
        }
        // The first keeps the name of the file.
        let database = settings.database.as_ref().map(|file| {
            let mut name = file.clone().into_os_string();
            if number > 0 {
                name.push(format!(".{}", number + 1));
            }
            PathBuf::from(name)
        });
        let listener = bind(address).await?;
        let catalog = Catalog::embedded().map_err(ServeError::Catalog)?;
        let store = Store::open(database.as_deref())?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            environment: Environment::new(catalog, store),
            storage: Storage::random(),
        })
    }

    fn app(&self, settings: &Settings, storage: Storage, keys: Arc<TokenKeys>) -> Result<App, ServeError> {
        Ok(Arc::new(Shared {
            address: self.address,
            base_url: format!("http://{}", named(self.address)),
            environment: self.environment.clone(),
            storage,
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
            faults: Faults::default(),
            turns: Turns::default(),
        }))
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// A fault plan that can be used.
fn plan(file: &Path) -> Result<Vec<u8>, ServeError> {
    let unreadable = |error: std::io::Error| ServeError::Faults(format!("{}: {error}", file.display()));
    let bytes = std::fs::read(file).map_err(unreadable)?;
    fault::read_plan(&bytes).map_err(ServeError::Faults)?;
    Ok(bytes)
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
                .route("/api/connector/{call}/{activity}", any(queue::handle))
                .route("/{tenant}/api/connector/{call}/{activity}", any(queue::handle_with_locale))
                .layer(DefaultBodyLimit::max(queue::MAX_BODY)),
        )
        .merge(
            Router::new()
                .route("/_sandbox/load/{name}", post(control::load))
                .route("/_sandbox/settings", post(control::settings))
                .route("/_sandbox/runs", get(control::runs))
                .route("/_sandbox/throttle", post(control::throttle))
                .route("/_sandbox/faults", get(control::faults).post(control::set_faults))
                .route("/_sandbox/clock", post(control::advance))
                .route("/_sandbox/purge", post(control::purge))
                .route("/_sandbox/expire", post(control::expire))
                .route("/_sandbox/queues/{activity}/run", post(control::queue_run))
                .layer(DefaultBodyLimit::max(control::MAX_BODY)),
        )
        .layer(axum::middleware::from_fn_with_state(app.clone(), answer_headers::add))
        .layer(axum::middleware::from_fn_with_state(app.clone(), fault::inject))
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

/// The one line on stdout: the first environment, and all of them where there are several.
fn announce(apps: &[App]) -> std::io::Result<()> {
    let environments: Vec<Json> = apps.iter().map(described).collect();
    let mut line = environments.first().cloned().unwrap_or_default();
    if let (true, Some(line)) = (environments.len() > 1, line.as_object_mut()) {
        line.insert("environments".to_owned(), environments.into());
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn described(app: &App) -> Json {
    let directory = &app.directory;
    json!({
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
        "azuriteUrl": app.storage.azurite_url(),
    })
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
