//! The conversation that finds out what an environment has.
//!
//! Few collections are asked of the metadata service, a small request for each entity and enum. Many, or all, are read from
//! `$metadata`, one answer of tens of megabytes. Where one way is closed, the other is taken.

use std::collections::VecDeque;

use serde_json::Value;

use super::csdl::MetadataReader;
use super::document::{Metadata, unknown};
use super::public::{self, Listed};
use crate::catalog::{EdmType, Schema, builtin};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize};
use crate::http::{Input, Machine, Method, Polled, Repeat, Request, Response, Session, Step, Timestamp};
use crate::odata::uri::{encode_query, encode_segment, quote};
use crate::odata::{Call, Service};

/// More collections than these are read from `$metadata`.
const FEW: usize = 16;
/// Bytes of `$metadata` that are read before others have a turn.
const AT_ONCE: usize = 2 << 20;

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataOptions {
    /// These collections only. Default: all of them.
    pub collections: Option<Vec<String>>,
    /// Language of labels, for example `en-us`. Default: labels and names in the application are not asked for (the names come
    /// along where the metadata service is asked anyhow). Takes a request for each entity, so it needs `collections`.
    pub labels: Option<String>,
}

deserialize!(MetadataOptions);

impl FromValue for MetadataOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let options = Self { collections: of.texts("collections"), labels: of.text("labels") };
        of.finish(options)
    }
}

/// Finds out what an environment has.
#[derive(Debug)]
pub struct ReadMetadata {
    service: Service,
    session: Session,
    options: MetadataOptions,
    jobs: VecDeque<Job>,
    call: Option<(Job, Call)>,
    parsing: Option<Parsing>,
    found: Schema,
    /// What was asked for already, so that nothing is asked twice.
    asked: Vec<Job>,
    /// Both ways were tried, or there is only one.
    last_way: bool,
    cancelled: bool,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Job {
    /// `$metadata`.
    Document,
    /// The row of this collection in `DataEntities`; for an entity that is known already only label and name count.
    Find(String),
    /// The entity at this place of `found.entities`, or the next one.
    Describe {
        aot: String,
        kind: String,
        collection: String,
        label: String,
    },
    /// The collection of this type.
    Target(String),
    Enum(String),
    Label {
        collection: String,
        id: String,
    },
}

#[derive(Debug)]
struct Parsing {
    reader: MetadataReader,
    body: Vec<u8>,
    at: usize,
}

impl ReadMetadata {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for labels without collections, `UNKNOWN_ENTITY` for a name that no collection can have.
    pub fn new(service: &Service, options: MetadataOptions) -> Result<Self> {
        if options.labels.is_some() && options.collections.is_none() {
            return Err(Error::argument("labels are asked for entity by entity: name the collections"));
        }
        for name in options.collections.iter().flatten() {
            service.entity(name)?;
        }
        let mut reading = Self {
            service: service.clone(),
            session: service.session(),
            found: Schema { collections: options.collections.clone(), ..Schema::default() },
            options,
            jobs: VecDeque::new(),
            call: None,
            parsing: None,
            asked: Vec::new(),
            last_way: false,
            cancelled: false,
        };
        let few = reading.options.collections.as_ref().is_some_and(|names| names.len() <= FEW);
        reading.last_way = reading.options.collections.is_none();
        reading.begin(!few);
        Ok(reading)
    }

    fn begin(&mut self, document: bool) {
        self.jobs.clear();
        self.asked.clear();
        self.found.entities.clear();
        self.found.enums.clear();
        if document {
            return self.ask(Job::Document);
        }
        for name in self.options.collections.clone().unwrap_or_default() {
            self.ask(Job::Find(name));
        }
    }

    fn ask(&mut self, job: Job) {
        if !self.asked.contains(&job) {
            self.asked.push(job.clone());
            self.jobs.push_back(job);
        }
    }

    fn request(&self, job: &Job) -> Request {
        let base = self.service.base();
        let at = |path: String, accept: &str| {
            let mut request = Request::new(Method::Get, format!("{base}/{path}")).header("accept", accept);
            request.timeout = self.service.timeout;
            request
        };
        let by_name = |set: &str, name: &str| format!("Metadata/{set}({})", encode_segment(&quote(name)));
        let json = "application/json";
        match job {
            Job::Document => {
                let mut request = at("data/$metadata".to_owned(), "application/xml");
                request.timeout = self.service.submit_timeout.max(self.service.timeout);
                request
            }
            Job::Find(name) => {
                let filter = encode_query(&format!("PublicCollectionName eq {}", quote(name)));
                let select = "Name,PublicEntityName,PublicCollectionName,LabelId";
                at(format!("Metadata/DataEntities?$filter={filter}&$select={select}"), json)
            }
            Job::Describe { kind, .. } => at(by_name("PublicEntities", kind), json),
            Job::Target(kind) => {
                at(format!("{}?$select=Name,EntitySetName", by_name("PublicEntities", kind)), json)
            }
            Job::Enum(name) => at(by_name("PublicEnumerations", name), json),
            Job::Label { id, .. } => {
                let language = self.options.labels.as_deref().unwrap_or("en-us");
                let key = format!("(Id={},Language={})", quote(id), quote(language));
                at(format!("Metadata/Labels{}", encode_segment(&key)), json)
            }
        }
    }

    fn answered(&mut self, job: Job, response: Response) -> Result<()> {
        match job {
            Job::Document => {
                let reader = MetadataReader::new(self.options.collections.clone());
                self.parsing = Some(Parsing { reader, body: response.body, at: 0 });
            }
            Job::Find(name) => self.listed(&name, &public::listed(&response)?)?,
            Job::Describe { aot, kind, collection, label } => {
                let listed = Listed { aot, kind, collection, label };
                let entity = public::entity(&response, &listed)?;
                for navigation in &entity.navigation {
                    if builtin().entities().iter().all(|it| it.type_name.as_ref() != Some(&navigation.target))
                    {
                        self.ask(Job::Target(navigation.target.clone()));
                    }
                }
                let parameters = entity.actions.iter().flat_map(|action| &action.parameters);
                let types = entity.properties.iter().map(|it| &it.edm).chain(parameters.map(|it| &it.edm));
                for edm in types {
                    if let EdmType::Enum(name) = edm {
                        self.ask(Job::Enum(name.clone()));
                    }
                }
                self.ask_label(&listed);
                self.found.entities.push(entity);
            }
            Job::Target(kind) => {
                let set = public::set_name(&response)?;
                self.point(&kind, &set);
            }
            Job::Enum(name) => self.found.enums.push((name, public::members(&response)?)),
            Job::Label { collection, id } => {
                let text = public::label(&response)?;
                // A label that nobody translated comes back as its number.
                if text != id {
                    let named =
                        |it: &&mut crate::catalog::Entity| it.collection.as_deref() == Some(&*collection);
                    if let Some(entity) = self.found.entities.iter_mut().find(named) {
                        entity.label = text;
                    }
                }
            }
        }
        Ok(())
    }

    fn listed(&mut self, name: &str, rows: &[Listed]) -> Result<()> {
        let Some(row) = rows.iter().find(|row| row.collection == name) else {
            if self.found.entity(name).is_some() || builtin().collection(name).is_some() {
                return Ok(());
            }
            // The service compares without case.
            let near = rows.iter().map(|row| row.collection.as_str());
            let known = builtin().entities().iter().filter_map(|it| it.collection.as_deref());
            return Err(unknown(name, near.chain(known)));
        };
        let named = |it: &&mut crate::catalog::Entity| it.collection.as_deref() == Some(name);
        if let Some(entity) = self.found.entities.iter_mut().find(named) {
            entity.aot.clone_from(&row.aot);
            self.ask_label(row);
            return Ok(());
        }
        let Listed { aot, kind, collection, label } = row.clone();
        self.ask(Job::Describe { aot, kind, collection, label });
        Ok(())
    }

    fn ask_label(&mut self, row: &Listed) {
        if self.options.labels.is_some() && !row.label.is_empty() {
            self.ask(Job::Label { collection: row.collection.clone(), id: row.label.clone() });
        }
    }

    /// Navigation to a type leads to this collection.
    fn point(&mut self, kind: &str, set: &str) {
        for navigation in self.found.entities.iter_mut().flat_map(|it| &mut it.navigation) {
            if navigation.target == kind && !set.is_empty() {
                set.clone_into(&mut navigation.target);
            }
        }
    }

    /// Whether the conversation goes on all the same.
    fn failed(&mut self, job: Option<&Job>, error: Error) -> Result<(), Box<Error>> {
        match (job, error.code) {
            // What is not public has no collection and no members there: the schema says less then.
            (Some(Job::Target(_) | Job::Enum(_) | Job::Label { .. }), ErrorCode::NotFound) => Ok(()),
            (
                _,
                ErrorCode::NotFound
                | ErrorCode::Forbidden
                | ErrorCode::ServiceError
                | ErrorCode::ValidationFailed
                | ErrorCode::UnsupportedQuery
                | ErrorCode::Timeout,
            ) if !self.last_way => {
                self.last_way = true;
                let document = !matches!(job, None | Some(Job::Document));
                self.begin(document);
                Ok(())
            }
            _ => Err(Box::new(error)),
        }
    }

    /// Reads on in `$metadata`; the whole of it once it is read.
    fn parse(&mut self) -> Result<Option<Metadata>> {
        let Some(parsing) = &mut self.parsing else { return Ok(None) };
        let end = parsing.body.len().min(parsing.at + AT_ONCE);
        for piece in parsing.body.get(parsing.at..end).unwrap_or_default().chunks(64 << 10) {
            parsing.reader.push(piece)?;
        }
        parsing.at = end;
        if end < parsing.body.len() {
            return Ok(None);
        }
        let Some(Parsing { reader, body, .. }) = self.parsing.take() else { return Ok(None) };
        drop(body);
        reader.finish().map(Some)
    }

    /// Labels and names of what was read from `$metadata` are asked for now.
    fn name(&mut self, metadata: Metadata) {
        self.last_way = true;
        self.found = metadata.into_schema();
        for name in self.options.collections.clone().unwrap_or_default() {
            if self.found.entity(&name).is_some() {
                self.ask(Job::Find(name));
            }
        }
    }

    fn finish(&mut self) -> Metadata {
        for known in builtin().entities() {
            if let (Some(kind), Some(set)) = (&known.type_name, &known.collection) {
                self.point(kind, set);
            }
        }
        // A type that turned out to be no public enum keeps its full name.
        let Schema { entities, enums, .. } = &mut self.found;
        for property in entities.iter_mut().flat_map(|it| &mut it.properties) {
            if let EdmType::Enum(name) = &property.edm
                && enums.iter().all(|(known, _)| known != name)
            {
                property.edm = EdmType::Other(property.edm.name().into_owned());
            }
        }
        Metadata::of_schema(std::mem::take(&mut self.found))
    }
}

impl Machine for ReadMetadata {
    type Output = Metadata;

    fn next(&mut self, now: Timestamp) -> Step<Metadata> {
        loop {
            if self.cancelled {
                return Step::Failed(Box::new(Error::new(ErrorCode::Aborted, "the caller gave up")));
            }
            if self.parsing.is_some() {
                match self.parse() {
                    Ok(None) => return Step::Wait(now),
                    Ok(Some(metadata)) if self.options.labels.is_none() => return Step::Done(metadata),
                    Ok(Some(metadata)) => {
                        self.name(metadata);
                        continue;
                    }
                    Err(error) => {
                        self.parsing = None;
                        if let Err(error) = self.failed(None, error) {
                            return Step::Failed(error);
                        }
                        continue;
                    }
                }
            }
            let Some((job, call)) = &mut self.call else {
                let Some(job) = self.jobs.pop_front() else { return Step::Done(self.finish()) };
                let call = Call::new(&self.service, self.request(&job), Repeat::Always);
                self.call = Some((job, call));
                continue;
            };
            let outcome = match call.next(&self.session, now) {
                Polled::Io(io) => return io.into(),
                Polled::Ready(outcome) => outcome.map_err(|failure| failure.error),
            };
            let job = job.clone();
            self.call = None;
            let done = outcome.and_then(|response| self.answered(job.clone(), response));
            if let Err(error) = done
                && let Err(error) = self.failed(Some(&job), error)
            {
                return Step::Failed(error);
            }
        }
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        match &mut self.call {
            Some((_, call)) => call.handle(input, &mut self.session, now),
            None => self.cancelled |= matches!(input, Input::Cancelled),
        }
    }
}
