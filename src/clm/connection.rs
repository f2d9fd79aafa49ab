//! The handshake: the one service instance, its statuses, and the links by which people come from Supply Chain Management to the
//! contract system.
//!
//! # If the process dies
//!
//! [`establish`] looks first, then does what is missing, one write after another; after any of them the same call goes on with the
//! rest. While links are missing or differ the configuration status is not `Success`, so the administrator sees a half-made connection
//! as *Connection established*, not as *Ready*.
//!
//! Links and their values have keys with an enum, which the service may answer with 404 although the row is there (field report). They
//! are listed and compared here. What is missing is created; a row that differs is changed by its key, and where the service does not
//! find it by that, the error says so: it has to be changed by hand, or by data package.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::talk::{After, NOT_HERE, Next, Told, ask, done, holds, is_refusal, rows, same_text, spec, text};
use crate::catalog::{EdmType, NAMESPACE};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Method, Repeat, Request};
use crate::odata::dialogue::{Row, Then};
use crate::odata::{Answer, Dialogue, Op, Service, encode_segment, quote};

const INSTANCES: &str = "CLMIntegrationServiceInstances";
const LINKS: &str = "CLMIntegrationExternalNavigationLinks";
const VALUES: &str = "CLMIntegrationExternalNavigationLinkKeyValues";
const TYPE: &str = "NavigationType";
const CONFIGURED: &str = "ConfigurationStatus";
const ESTABLISHED: &str = "EstablishmentStatus";

/// What the connection is to be.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Setup {
    /// Shown as *Connection name*.
    pub instance_name: String,
    /// Of the contract system's service.
    pub base_url: String,
    /// Where people are led; default: `base_url`.
    pub navigation_base_url: Option<String>,
    /// Buttons in Supply Chain Management. Links of other types stay as they are.
    pub links: Vec<Link>,
}

/// A button in Supply Chain Management.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Link {
    /// `ViewContract`, `EditContract`, `NewContract`, `NewContractFromPurchAgreement` or `AmendContract`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Path behind the navigation base URL.
    pub relative_url: String,
    /// `OpenInNewTab` or `OpenInExistingTab`.
    pub open: String,
    /// Parameters of the URL; a value may hold placeholders (`%CLMIntegrationContractTable.ExternalContractId%`).
    pub query: Vec<(String, String)>,
}

deserialize!(Setup, Link);

impl FromValue for Setup {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let setup = Self {
            instance_name: of.required("instanceName", Fields::text),
            base_url: of.required("baseUrl", Fields::text),
            navigation_base_url: of.text("navigationBaseUrl"),
            links: of.required("links", Fields::list),
        };
        of.finish(setup)
    }
}

impl FromValue for Link {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let query: Map<String, Value> = of.read("query").unwrap_or_default();
        let mut pairs = Vec::new();
        for (name, value) in query {
            let value = String::from_value(value).map_err(|why| format!("{name}: {why}"))?;
            pairs.push((name, value));
        }
        let link = Self {
            kind: of.required("type", Fields::text),
            name: of.required("name", Fields::text),
            relative_url: of.required("relativeUrl", Fields::text),
            open: of.required("open", Fields::text),
            query: pairs,
        };
        of.finish(link)
    }
}

/// How the connection stands: `{"establishment":…,"configuration":…,"instanceName":…}`, each status `NotStarted`, `Success` or
/// `Error`; both `NotStarted`, and no name, where there is no instance yet.
///
/// # Errors
/// From the conversation `NOT_FOUND` where the feature is off or the version too old, `FORBIDDEN` without the role.
#[must_use]
pub fn status(service: &Service) -> Told {
    let first = instances(
        service,
        Box::new(|rows| {
            let Some(row) = instance(&rows) else {
                return Ok(done(json!({ "establishment": "NotStarted", "configuration": "NotStarted" })));
            };
            let told = |name| Some(text(row, name)).filter(|word| !word.is_empty()).unwrap_or("NotStarted");
            let status = json!({
                "establishment": told(ESTABLISHED),
                "configuration": told(CONFIGURED),
                "instanceName": text(row, "InstanceName"),
            });
            Ok(done(status))
        }),
    );
    Dialogue::new(service, first)
}

fn instance(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| super::talk::number(row, "ID") == "0")
}

/// The instances: the one list that tells whether the integration is there at all.
fn instances(service: &Service, then: After<Vec<Row>>) -> Next {
    let shaped = match spec(Op::Get, INSTANCES, None, None).shape(service) {
        Ok(shaped) => shaped,
        Err(error) => return Then::later(Duration::ZERO, move || Err(error)),
    };
    ask(
        service,
        shaped,
        Box::new(|outcome| match outcome {
            Ok(Answer::Page(page)) => then(parsed_list(&page.items)?),
            Ok(_) => Err(Error::new(ErrorCode::ServiceError, "the answer is no list")),
            Err(failure) if failure.error.code == ErrorCode::NotFound => Err(failure.error.hint(NOT_HERE)),
            Err(failure) => Err(failure.error),
        }),
    )
}

fn parsed_list(items: &str) -> Result<Vec<Row>> {
    serde_json::from_str(items)
        .map_err(|why| Error::new(ErrorCode::ServiceError, format!("the answer can't be read: {why}")))
}

/// Establishes the connection, or corrects what differs; yields `{"changed":[…]}`, of this call alone: `"instance"` (made),
/// `"BaseURL"`, `"EstablishmentStatus"`, `"ViewContract (new)"`, `"ViewContract.RelativeURL"`, `"ViewContract?id (new)"`,
/// `"ViewContract?id"`, `"ViewContract?old (deleted)"`, `"ConfigurationStatus"`. Values which a link of the setup has beyond it are
/// deleted. Where the service refuses a link, the configuration status becomes `Error`.
///
/// # Errors
/// `INVALID_ARGUMENT` for an empty name, a base URL without `https://`, two links of a type, or a word that the service does not know,
/// before anything is sent. From the conversation `NOT_FOUND` where the feature is off or the version too old, `FORBIDDEN` without the
/// role, `VALIDATION_FAILED`, `CONFLICT` for a row that can't be reached by its key.
pub fn establish(service: &Service, setup: Setup) -> Result<Told> {
    check_setup(service, &setup)?;
    let (owned, setup) = (service.clone(), Rc::new(setup));
    let first = instances(
        service,
        Box::new(move |instances| {
            let service = owned.clone();
            Ok(rows(
                &service,
                LINKS,
                "",
                Box::new(move |links| {
                    let service = owned.clone();
                    Ok(rows(
                        &service,
                        VALUES,
                        "",
                        Box::new(move |values| {
                            let writes = plan(&owned, &setup, instance(&instances), &links, &values)?;
                            Writing { service: owned, writes, changed: Vec::new() }.next()
                        }),
                    ))
                }),
            ))
        }),
    );
    Ok(Dialogue::new(service, first))
}

fn check_setup(service: &Service, setup: &Setup) -> Result<()> {
    if setup.instance_name.trim().is_empty() {
        return Err(Error::argument("the connection needs an instanceName"));
    }
    for url in std::iter::once(&setup.base_url).chain(&setup.navigation_base_url) {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Error::argument(format!("\"{url}\" is no base URL"))
                .hint("It begins with https:// and leads to the contract system."));
        }
    }
    for (at, link) in setup.links.iter().enumerate() {
        let twice = setup.links.iter().take(at).any(|other| other.kind == link.kind);
        if twice || link.name.trim().is_empty() {
            let why = if twice { "stands twice in the setup" } else { "has no name" };
            return Err(Error::argument(format!("the link {} {why}", link.kind)).at_line(at as u64 + 1));
        }
        shaped_link(service, setup, link).map_err(|error| error.at_line(at as u64 + 1))?;
    }
    Ok(())
}

fn link_row(setup: &Setup, link: &Link) -> Row {
    object(&[
        ("ServiceInstanceName", &setup.instance_name),
        (TYPE, &link.kind),
        ("NavigationName", &link.name),
        ("RelativeURL", &link.relative_url),
        ("Action", &link.open),
    ])
}

fn shaped_link(service: &Service, setup: &Setup, link: &Link) -> Result<Request> {
    Ok(spec(Op::Create, LINKS, None, Some(link_row(setup, link))).shape(service)?.request().clone())
}

fn object(fields: &[(&str, &str)]) -> Row {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

/// One write.
struct Write {
    request: Request,
    changed: Vec<String>,
    /// Of a link: refused, the configuration has failed.
    of_link: bool,
    /// Addressed by a key with an enum.
    by_enum: bool,
}

/// Everything that is missing or differs, in the order of the handshake.
fn plan(
    service: &Service,
    setup: &Setup,
    there: Option<&Row>,
    links: &[Row],
    values: &[Row],
) -> Result<Vec<Write>> {
    let mut of_links = Vec::new();
    for link in &setup.links {
        plan_link(service, setup, link, links, &mut of_links)?;
        plan_values(service, link, values, &mut of_links)?;
    }
    let navigation = setup.navigation_base_url.as_deref().unwrap_or_default();
    let mut row = object(&[("InstanceName", &setup.instance_name), ("BaseURL", &setup.base_url)]);
    // Empty means the base URL: what an administrator set there is taken back.
    if !navigation.is_empty() || there.is_some_and(|row| !text(row, "ExternalNavigationBaseURL").is_empty()) {
        row.insert("ExternalNavigationBaseURL".to_owned(), navigation.into());
    }
    let mut writes = Vec::new();
    let status = |name: &str, word: &str| object(&[(name, word)]);
    match there {
        None => {
            row.insert("ID".to_owned(), 0.into());
            row.extend(status(ESTABLISHED, "NotStarted"));
            row.extend(status(CONFIGURED, "NotStarted"));
            let request = spec(Op::Create, INSTANCES, None, Some(row)).shape(service)?.request().clone();
            writes.push(Write {
                request,
                changed: vec!["instance".to_owned()],
                of_link: false,
                by_enum: false,
            });
        }
        Some(there) => {
            row.retain(|name, value| !holds(None, value, there.get(name)));
            let names = row.keys().cloned().collect();
            if !of_links.is_empty() && text(there, CONFIGURED) == "Success" {
                row.extend(status(CONFIGURED, "NotStarted"));
            }
            if !row.is_empty() {
                writes.push(instance_write(service, row, names)?);
            }
        }
    }
    let ends = |name: &str| there.is_none_or(|row| text(row, name) != "Success");
    if ends(ESTABLISHED) {
        writes.push(instance_write(service, status(ESTABLISHED, "Success"), vec![ESTABLISHED.to_owned()])?);
    }
    let configured = ends(CONFIGURED) || !of_links.is_empty();
    writes.append(&mut of_links);
    if configured {
        writes.push(instance_write(service, status(CONFIGURED, "Success"), vec![CONFIGURED.to_owned()])?);
    }
    Ok(writes)
}

fn instance_write(service: &Service, patch: Row, changed: Vec<String>) -> Result<Write> {
    let key = Map::from_iter([("ID".to_owned(), Value::from(0))]);
    let request = spec(Op::Update, INSTANCES, Some(key), Some(patch)).shape(service)?.request().clone();
    Ok(Write { request, changed, of_link: false, by_enum: false })
}

fn plan_link(
    service: &Service,
    setup: &Setup,
    link: &Link,
    links: &[Row],
    writes: &mut Vec<Write>,
) -> Result<()> {
    let kind = &link.kind;
    let wanted = link_row(setup, link);
    match links.iter().find(|row| text(row, TYPE) == kind) {
        None => {
            let request = shaped_link(service, setup, link)?;
            writes.push(Write {
                request,
                changed: vec![format!("{kind} (new)")],
                of_link: true,
                by_enum: false,
            });
        }
        Some(there) => {
            let mut patch = wanted;
            patch.retain(|name, value| !holds(None, value, there.get(name)));
            if !patch.is_empty() {
                let changed = patch.keys().map(|name| format!("{kind}.{name}")).collect();
                let request = by_key(service, Method::Patch, LINKS, &[(TYPE, kind)], Some(patch))?;
                writes.push(Write { request, changed, of_link: true, by_enum: true });
            }
        }
    }
    Ok(())
}

/// Only what stands in the query string works; a header may be written, and is left alone.
fn plan_values(service: &Service, link: &Link, values: &[Row], writes: &mut Vec<Write>) -> Result<()> {
    const OF_QUERY: (&str, &str) = ("KeyValueType", "QueryString");
    let kind = &link.kind;
    let own: Vec<&Row> =
        values.iter().filter(|row| text(row, TYPE) == kind && text(row, OF_QUERY.0) == OF_QUERY.1).collect();
    for (name, value) in &link.query {
        match own.iter().find(|row| same_text(text(row, "Key"), name)) {
            None => {
                let row = object(&[(TYPE, kind), OF_QUERY, ("Key", name), ("Value", value)]);
                let request = spec(Op::Create, VALUES, None, Some(row)).shape(service)?.request().clone();
                writes.push(Write {
                    request,
                    changed: vec![format!("{kind}?{name} (new)")],
                    of_link: true,
                    by_enum: false,
                });
            }
            Some(there) if text(there, "Value") != value => {
                let key = [(TYPE, kind.as_str()), OF_QUERY, ("Key", text(there, "Key"))];
                let request =
                    by_key(service, Method::Patch, VALUES, &key, Some(object(&[("Value", value)])))?;
                writes.push(Write {
                    request,
                    changed: vec![format!("{kind}?{name}")],
                    of_link: true,
                    by_enum: true,
                });
            }
            Some(_) => {}
        }
    }
    for row in own {
        let name = text(row, "Key");
        if !link.query.iter().any(|(wanted, _)| same_text(wanted, name)) {
            let key = [(TYPE, kind.as_str()), OF_QUERY, ("Key", name)];
            let request = by_key(service, Method::Delete, VALUES, &key, None)?;
            writes.push(Write {
                request,
                changed: vec![format!("{kind}?{name} (deleted)")],
                of_link: true,
                by_enum: true,
            });
        }
    }
    Ok(())
}

/// A record whose key holds enums, in the documented form where the schema in force names the enum's type.
fn by_key(
    service: &Service,
    method: Method,
    collection: &str,
    key: &[(&str, &str)],
    patch: Option<Row>,
) -> Result<Request> {
    let entity = service.catalog().collection(collection);
    let part = |(name, value): &(&str, &str)| {
        let literal = quote(value);
        match entity.and_then(|entity| entity.property(name)).map(|property| &property.edm) {
            Some(EdmType::Enum(kind)) => {
                format!("{name}={}", encode_segment(&format!("{NAMESPACE}.{kind}{literal}")))
            }
            _ => format!("{name}={}", encode_segment(&literal)),
        }
    };
    let key: Vec<String> = key.iter().map(part).collect();
    let request = service.request(method, &format!("{collection}({})", key.join(",")));
    let Some(patch) = patch else { return Ok(request) };
    // Checked and written as any other row is.
    let body = spec(Op::Create, collection, None, Some(patch)).shape(service)?.request().body.clone();
    Ok(request.json(String::from_utf8_lossy(&body).into_owned()))
}

/// One write after another.
struct Writing {
    service: Service,
    writes: Vec<Write>,
    changed: Vec<String>,
}

impl Writing {
    fn next(mut self) -> Result<Next> {
        if self.writes.is_empty() {
            return Ok(done(json!({ "changed": self.changed })));
        }
        let Write { request, changed, of_link, by_enum } = self.writes.remove(0);
        let repeat = if request.method == Method::Patch { Repeat::Always } else { Repeat::IfUnprocessed };
        let service = self.service.clone();
        Ok(Then::ask(&service, request, repeat, move |outcome| {
            let mut failure = match outcome {
                Ok(_) => {
                    self.changed.extend(changed);
                    return self.next();
                }
                Err(failure) => failure,
            };
            let unreached = by_enum && matches!(failure.error.status, Some(400 | 404));
            if unreached {
                let what = changed.join(", ");
                failure.error = unreachable(&failure.error, &what);
            }
            if !of_link || !(unreached || is_refusal(&failure.error)) {
                return Err(failure.error);
            }
            self.failed(failure.error)
        }))
    }

    /// Tells the administrator, then the caller.
    fn failed(self, error: Error) -> Result<Next> {
        let told = instance_write(&self.service, object(&[(CONFIGURED, "Error")]), Vec::new())?;
        Ok(Then::ask(&self.service, told.request, Repeat::Always, move |_| Err(error)))
    }
}

fn unreachable(said: &Error, what: &str) -> Error {
    let mut error = Error::new(
        ErrorCode::Conflict,
        format!("{what}: the row is there with another content, and the service does not find it by its key"),
    )
    .hint(
        "Its key holds an enum, which some environments answer with 404. Correct or delete it in Supply Chain Management under \
         Procurement and sourcing > Setup > CLM integration > Contract management parameters, tab External navigation links, and \
         call again; a client whose `schema` is the environment's own knows the type of the key.",
    );
    error.status = said.status;
    error.service.clone_from(&said.service);
    error
}
