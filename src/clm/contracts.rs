//! Contracts, of which the contract system is the master.
//!
//! # If the process dies
//!
//! | call | after | the same call again |
//! |---|---|---|
//! | `create` | the looks | nothing has happened: creates |
//! | | the creation, answered or not | finds the contract, by its number or by `ExternalContractId`, and yields it |
//! | `set_status` | the read | nothing has happened |
//! | | the change | the status is there: with a life cycle nothing is sent, without one the same once more |
//! | `sync_types` | any type | the types that are right by now are left alone |
//! | `update` | the change | the same change once more |

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::talk::{
    After, COMPANY, EXTERNAL, Next, RecordRef, Told, ask, company, done, find, key, make, not_found, rows,
    same_text, spec, tell, text, without_notes,
};
use crate::error::{Error, ErrorCode, Result};
use crate::odata::dialogue::{Row, Then};
use crate::odata::{Dialogue, Op, Service, Shaped};

const CONTRACTS: &str = "CLMIntegrationContracts";
const TYPES: &str = "CLMIntegrationContractTypes";
const ID: &str = "ContractId";
const STATUS: &str = "ContractStatus";

/// Creates a contract; yields it as stored. One that is there already, by `ContractId` or else by `ExternalContractId`, is yielded as
/// it is: a repeated create gives what the first one made. `LegalEntityId` becomes the company where it is not given.
///
/// # Errors
/// `INVALID_ARGUMENT` without `ContractId` or company; `UNKNOWN_PROPERTY`; all before anything is sent. From the conversation
/// `VALIDATION_FAILED` with the service's reason, `OUTCOME_UNKNOWN` where the answer was lost and the contract is not to be seen.
pub fn create(service: &Service, contract: Map<String, Value>) -> Result<Told> {
    let mut contract = without_notes(contract);
    let company = company(service, Some(text(&contract, COMPANY)))?;
    for name in [COMPANY, "LegalEntityId"] {
        if text(&contract, name).is_empty() {
            contract.insert(name.to_owned(), company.as_str().into());
        }
    }
    let (id, external) = (text(&contract, ID).to_owned(), text(&contract, EXTERNAL).to_owned());
    if id.trim().is_empty() {
        return Err(Error::argument("a contract needs a ContractId").at_column(ID).hint(
            "It is the number of the contract in the contract system, and its key in Supply Chain Management.",
        ));
    }
    let shaped = spec(Op::Create, CONTRACTS, None, Some(contract)).shape(service)?;
    let (owned, looked) = (service.clone(), Looked { service: service.clone(), company, id, external });
    let first = looked.clone().look(Box::new(move |found| match found {
        Some(record) => Ok(done(record.into())),
        None => {
            let look = Box::new(move |then| looked.look(then));
            Ok(make(&owned, shaped, look, Box::new(|record| Ok(done(record.into())))))
        }
    }));
    Ok(Dialogue::new(service, first))
}

/// Where a contract may be.
#[derive(Clone)]
struct Looked {
    service: Service,
    company: String,
    id: String,
    external: String,
}

impl Looked {
    fn look(self, then: After<Option<Row>>) -> Next {
        let Self { service, company, id, external } = self;
        let by_id = service.clone();
        let of = company.clone();
        find(
            &by_id,
            CONTRACTS,
            &of,
            ID,
            &id,
            Box::new(move |found| {
                if found.is_some() || external.is_empty() {
                    return then(found);
                }
                Ok(find(&service, CONTRACTS, &company, EXTERNAL, &external, then))
            }),
        )
    }
}

/// One contract as it is stored, with its etag; or nothing.
///
/// # Errors
/// `INVALID_ARGUMENT` without id or company; from the conversation `NOT_FOUND` where the environment has no such entity set.
pub fn get(service: &Service, of: &RecordRef) -> Result<Told> {
    let company = company(service, of.company.as_deref())?;
    let found: After<Option<Row>> =
        Box::new(|found| Ok(found.map_or(Then::Done(None), |row| done(row.into()))));
    Ok(Dialogue::new(service, find(service, CONTRACTS, &company, of.property(ID)?, &of.id, found)))
}

/// Changes the named properties; with `if_match` only where the etag is still that.
///
/// # Errors
/// `INVALID_ARGUMENT`, `UNKNOWN_PROPERTY` before anything is sent; from the conversation `NOT_FOUND`, `VALIDATION_FAILED`,
/// `PRECONDITION_FAILED`.
pub fn update(
    service: &Service,
    of: &RecordRef,
    patch: Map<String, Value>,
    if_match: Option<String>,
) -> Result<Told> {
    let shaped = change(service, of, patch, if_match)?;
    Ok(Dialogue::new(service, tell(service, shaped, || Ok(Then::Done(None)))))
}

fn change(
    service: &Service,
    of: &RecordRef,
    patch: Map<String, Value>,
    if_match: Option<String>,
) -> Result<Shaped> {
    let company = company(service, of.company.as_deref())?;
    of.property(ID)?;
    if of.external {
        return Err(Error::argument("a contract is changed by its ContractId"));
    }
    let key = key(service, CONTRACTS, &company, &[(ID, of.id.as_str().into())]);
    let mut update = spec(Op::Update, CONTRACTS, Some(key), Some(without_notes(patch)));
    update.if_match = if_match;
    update.shape(service)
}

/// A host's own life cycle: each status with those that may follow it.
pub type LifeCycle = Vec<(String, Vec<String>)>;

/// Moves a contract to a status. The service documents no rules between its statuses. With a `life_cycle` the present status is read
/// first: a move outside of it is refused before anything is changed, the status that is there already is left alone, and the change
/// is bound to the etag that was read.
///
/// # Errors
/// `INVALID_ARGUMENT` for a status that the service does not know, in the life cycle too; from the conversation `CONFLICT` with the
/// statuses that may follow, `NOT_FOUND`, `PRECONDITION_FAILED` where another process changed the contract in between.
pub fn set_status(
    service: &Service,
    of: &RecordRef,
    status: &str,
    life_cycle: Option<LifeCycle>,
) -> Result<Told> {
    let patch = || Map::from_iter([(STATUS.to_owned(), Value::from(status))]);
    let shaped = change(service, of, patch(), None)?;
    let Some(life_cycle) = life_cycle else {
        return Ok(Dialogue::new(service, tell(service, shaped, || Ok(Then::Done(None)))));
    };
    for name in life_cycle.iter().flat_map(|(from, to)| std::iter::once(from).chain(to)) {
        change(service, of, Map::from_iter([(STATUS.to_owned(), Value::from(name.as_str()))]), None)
            .map_err(|error| Error::argument(format!("the life cycle: {error}")))?;
    }
    let company = company(service, of.company.as_deref())?;
    let (owned, of_contract, wanted, patch) = (service.clone(), of.clone(), status.to_owned(), patch());
    let first = find(
        service,
        CONTRACTS,
        &company,
        ID,
        &of.id,
        Box::new(move |found| {
            let company = of_contract.company.as_deref().or(owned.company.as_deref()).unwrap_or_default();
            let found = found.ok_or_else(|| not_found("contract", &of_contract.id, company))?;
            let present = text(&found, STATUS);
            if present == wanted {
                return Ok(Then::Done(None));
            }
            check_move(&life_cycle, present, &wanted)?;
            let etag = found.get("@odata.etag").and_then(Value::as_str).map(str::to_owned);
            let shaped = change(&owned, &of_contract, patch, etag)?;
            Ok(tell(&owned, shaped, || Ok(Then::Done(None))))
        }),
    );
    Ok(Dialogue::new(service, first))
}

fn check_move(life_cycle: &LifeCycle, present: &str, wanted: &str) -> Result<()> {
    let after =
        life_cycle.iter().find(|(from, _)| from == present).map(|(_, to)| to.as_slice()).unwrap_or_default();
    if after.iter().any(|allowed| allowed == wanted) {
        return Ok(());
    }
    let allowed = if after.is_empty() { "nothing".to_owned() } else { after.join(", ") };
    Err(Error::new(
        ErrorCode::Conflict,
        format!("the life cycle does not lead from {present} to {wanted}; {allowed} may follow"),
    )
    .at_column(STATUS))
}

/// Creates the contract types that are missing and corrects descriptions that differ, one after another; further types stay. A type
/// without description keeps the one that it has. Yields `{"created":…,"updated":…}`, of this call alone.
///
/// # Errors
/// `INVALID_ARGUMENT` for a type without name, or twice in the list (line = its number); from the conversation what the service says.
pub fn sync_types(service: &Service, types: Vec<(String, Option<String>)>) -> Result<Told> {
    for (at, (name, _)) in types.iter().enumerate() {
        let why = match name.trim().is_empty() {
            true => "a contract type needs a name",
            false if types.iter().take(at).any(|(other, _)| same_text(other, name)) => {
                "the contract type stands twice in the list"
            }
            false => continue,
        };
        return Err(Error::argument(format!("{why}: \"{name}\"")).at_line(at as u64 + 1));
    }
    let owned = service.clone();
    let first = rows(
        service,
        TYPES,
        "",
        Box::new(move |there| {
            let sync = Rc::new(Sync { service: owned, types, there });
            sync.from(0, [0, 0])
        }),
    );
    Ok(Dialogue::new(service, first))
}

struct Sync {
    service: Service,
    types: Vec<(String, Option<String>)>,
    there: Vec<Row>,
}

impl Sync {
    /// From the type of that number on. `[created, updated]` so far.
    fn from(self: Rc<Self>, at: usize, [created, updated]: [u32; 2]) -> Result<Next> {
        let Some((name, description)) = self.types.get(at) else {
            return Ok(done(json!({ "created": created, "updated": updated })));
        };
        let row = self.there.iter().find(|row| same_text(text(row, "Name"), name));
        let fields = |named: bool| {
            let name = named.then(|| ("Name".to_owned(), Value::from(name.as_str())));
            let description =
                description.as_ref().map(|text| ("Description".to_owned(), Value::from(text.as_str())));
            Map::from_iter(name.into_iter().chain(description))
        };
        match (row, description) {
            (None, _) => {
                let shaped = spec(Op::Create, TYPES, None, Some(fields(true))).shape(&self.service)?;
                let (service, name) = (self.service.clone(), name.clone());
                let look = Box::new({
                    let service = service.clone();
                    move |then: After<Option<Row>>| {
                        rows(
                            &service,
                            TYPES,
                            "",
                            Box::new(move |rows| {
                                then(rows.into_iter().find(|row| same_text(text(row, "Name"), &name)))
                            }),
                        )
                    }
                });
                Ok(make(&service, shaped, look, Box::new(move |_| self.from(at + 1, [created + 1, updated]))))
            }
            (Some(row), Some(description)) if text(row, "Description") != description => {
                let key = Map::from_iter([("Name".to_owned(), Value::from(text(row, "Name")))]);
                let shaped = spec(Op::Update, TYPES, Some(key), Some(fields(false))).shape(&self.service)?;
                let service = self.service.clone();
                let next: After<_> = Box::new(move |outcome: Result<_, crate::http::Failure>| {
                    outcome.map_err(|failure| failure.error)?;
                    self.from(at + 1, [created, updated + 1])
                });
                Ok(ask(&service, shaped, next))
            }
            _ => self.from(at + 1, [created, updated]),
        }
    }
}
