//! What a sync is asked for, and the lines that follow from it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::catalog::{Catalog, Direction, Entity};
use crate::dmf::{Parallel, Polling};
use crate::error::{Error, Result};
use crate::fields::{Fields, FromValue, deserialize, mismatch, word};
use crate::odata::Service;

/// Rows of a batch where the host says nothing.
const BATCH: u32 = 1_000;
/// Longest name: it becomes part of store keys.
const NAME: usize = 40;
/// Longest beginning of the names of data projects: that of the longest name.
const PREFIX: usize = NAME + 4;
const DAY: Duration = Duration::from_secs(86_400);

/// What a sync is asked for; the spelling of the public API.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SyncOptions {
    /// Under this name the store keeps how far the sync is: 1 to 40 letters, digits, `-`, `_`, `.` and blanks.
    pub name: String,
    /// Default: all catalogued master data that flows from Supply Chain Management, in the order of the catalogue.
    pub entities: Vec<EntityChoice>,
    /// Companies of company-specific entities. Default: the client's.
    pub companies: Vec<String>,
    /// Most rows of a batch, 1 to 10,000. Default 1,000.
    pub batch_size: u32,
    /// Beginning of the names of its data projects. Default: `CLM-` and the name.
    pub project_prefix: String,
    /// What becomes of entities without change tracking.
    pub without_tracking: WithoutTracking,
    /// Whether records that are gone are told.
    pub deletes: Deletes,
    /// Most records that may be gone at once.
    pub max_deletes: MaxDeletes,
    /// Milliseconds between two looks for deleted records, 0 for one in each pass. Default a day.
    pub reconcile_every: Duration,
    /// How runs are watched.
    pub poll: Polling,
    /// As of an export, in milliseconds.
    pub outcome_grace: Option<u64>,
    /// As of an export.
    pub parallel: Parallel,
}

/// An entity and how it is read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EntityChoice {
    /// Collection or label.
    pub entity: String,
    /// By which way.
    pub transport: Transport,
    /// Properties wanted; keys always come. Empty for all.
    pub select: Vec<String>,
    /// A property that tells when the record was changed; OData only.
    pub modified_by: Option<String>,
    /// For an entity that the catalogue lacks: whether its records belong to no company. Default false.
    pub shared: bool,
}

/// By which way an entity is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Transport {
    /// As [`choose_pattern`](super::choose_pattern) says.
    #[default]
    Auto,
    /// Data packages.
    Package,
    /// Whole reads, compared with what was read before.
    Odata,
}

/// What becomes of entities without change tracking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WithoutTracking {
    /// An error before the first run of any line.
    #[default]
    Error,
    /// All records each time.
    Full,
    /// All records are read, and those that changed are handed over.
    Compare,
}

/// Whether records that are gone are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Deletes {
    /// No.
    #[default]
    Ignore,
    /// By a scan of the keys.
    Reconcile,
}

/// Most records that may be gone at once: the larger of the two; where neither is given, of 20 and 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct MaxDeletes {
    /// So many.
    pub rows: Option<u64>,
    /// So many of a hundred that were there.
    pub percent: Option<u64>,
}

impl MaxDeletes {
    pub(super) fn of(self, known: u64) -> u64 {
        let (rows, percent) = match (self.rows, self.percent) {
            (None, None) => (20, 5),
            (rows, percent) => (rows.unwrap_or(0), percent.unwrap_or(0)),
        };
        rows.max(known.saturating_mul(percent) / 100)
    }
}

deserialize!(SyncOptions);

impl FromValue for SyncOptions {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let name = of.required("name", Fields::text);
        let options = Self {
            project_prefix: of.text("projectPrefix").unwrap_or_else(|| format!("CLM-{name}")),
            name,
            entities: of.not_null("entities").list("entities").unwrap_or_default(),
            companies: of.not_null("companies").texts("companies").unwrap_or_default(),
            batch_size: of.not_null("batchSize").small("batchSize").unwrap_or(BATCH),
            without_tracking: of.not_null("withoutTracking").read("withoutTracking").unwrap_or_default(),
            deletes: of.not_null("deletes").read("deletes").unwrap_or_default(),
            max_deletes: of.not_null("maxDeletes").read("maxDeletes").unwrap_or_default(),
            reconcile_every: of.number("reconcileEvery").map_or(DAY, Duration::from_millis),
            poll: of.not_null("poll").read("poll").unwrap_or_default(),
            outcome_grace: of.number("outcomeGrace"),
            parallel: of.read("parallel").unwrap_or_default(),
        };
        of.finish(options)
    }
}

impl FromValue for EntityChoice {
    fn from_value(value: Value) -> Result<Self, String> {
        if let Value::String(entity) = value {
            return Ok(Self {
                entity,
                transport: Transport::Auto,
                select: Vec::new(),
                modified_by: None,
                shared: false,
            });
        }
        if !value.is_object() {
            return Err(mismatch(&value, "a name or an object"));
        }
        let mut of = Fields::of(value);
        let choice = Self {
            entity: of.required("entity", Fields::text),
            transport: of.not_null("transport").read("transport").unwrap_or_default(),
            select: of.not_null("select").texts("select").unwrap_or_default(),
            modified_by: of.text("modifiedBy"),
            shared: of.not_null("shared").flag("shared").unwrap_or_default(),
        };
        of.finish(choice)
    }
}

impl FromValue for Transport {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("auto", Self::Auto), ("package", Self::Package), ("odata", Self::Odata)])
    }
}

impl FromValue for WithoutTracking {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("error", Self::Error), ("full", Self::Full), ("compare", Self::Compare)])
    }
}

impl FromValue for Deletes {
    fn from_value(value: Value) -> Result<Self, String> {
        word(&value, &[("ignore", Self::Ignore), ("reconcile", Self::Reconcile)])
    }
}

impl FromValue for MaxDeletes {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let most = Self { rows: of.number("rows"), percent: of.number("percent") };
        of.finish(most)
    }
}

/// One entity in one company.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) entity: Option<Arc<Entity>>,
    /// As the host wrote it; none for a shared entity.
    pub(super) company: Option<String>,
    pub(super) by_odata: bool,
    /// Whether exports of changed records alone are possible; known after the look at the entities.
    pub(super) tracked: bool,
    /// Whether records are compared with those of before.
    pub(super) compare: bool,
    /// Whether keys are scanned for records that are gone.
    pub(super) reconcile: bool,
    pub(super) select: Vec<String>,
    pub(super) modified_by: Option<String>,
}

impl Line {
    /// Where the store keeps its state.
    pub(super) fn key(&self, name: &str) -> String {
        let company = self.company.as_deref().map_or_else(|| "-".to_owned(), str::to_ascii_lowercase);
        format!("sync/{name}/{}/{company}", self.label)
    }

    /// Name of its data project.
    pub(super) fn project(&self, prefix: &str, full: bool) -> String {
        let short: String = self.label.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut name = format!("{prefix}-{short}");
        if let Some(company) = &self.company {
            name.push('-');
            name.push_str(&company.to_ascii_uppercase());
        }
        if full {
            name.push_str("-Full");
        }
        name
    }

    pub(super) fn collection(&self) -> Option<&str> {
        self.entity.as_ref()?.collection.as_deref()
    }

    pub(super) fn keys(&self) -> &[String] {
        self.entity.as_ref().map_or(&[], |entity| &entity.keys)
    }

    /// Whether keys of its records have to be kept.
    pub(super) const fn keeps_rows(&self) -> bool {
        self.compare || self.reconcile
    }
}

impl SyncOptions {
    /// The lines, in the order of the entities, each entity's companies together.
    pub(super) fn lines(&self, service: &Service) -> Result<Vec<Line>> {
        check_name("name", &self.name, NAME)?;
        check_name("projectPrefix", &self.project_prefix, PREFIX)?;
        if self.batch_size == 0 || self.batch_size > 10_000 {
            return Err(Error::argument(format!(
                "batchSize is {}, and 1 to 10,000 are possible",
                self.batch_size
            )));
        }
        let companies = match (self.companies.as_slice(), &service.company) {
            ([], Some(own)) => vec![own.clone()],
            (named, _) => named.to_vec(),
        };
        for (index, company) in companies.iter().enumerate() {
            if company.is_empty() || !company.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(Error::argument(format!("\"{company}\" is no company")));
            }
            if companies.iter().take(index).any(|other| other.eq_ignore_ascii_case(company)) {
                return Err(Error::argument(format!("the company {company} is named twice")));
            }
        }
        let Some(any) = companies.first() else {
            return Err(Error::argument("a sync needs a company").hint(
                "Set `companies` of the sync or `company` of the client; for shared entities any company will do.",
            ));
        };
        let chosen = if self.entities.is_empty() {
            default_entities(service.catalog())
        } else {
            self.entities.clone()
        };
        let mut lines: Vec<Line> = Vec::new();
        for choice in &chosen {
            let line = self.line(service.catalog(), choice)?;
            if lines.iter().any(|other| other.label == line.label) {
                return Err(Error::argument("the entity is named twice").in_entity(line.label));
            }
            let same = |other: &Line| other.project("", false) == line.project("", false);
            if lines.iter().any(|other| same(&Line { company: None, ..other.clone() })) {
                return Err(Error::argument("two entities would have data projects of the same name")
                    .in_entity(line.label));
            }
            let shared = line.entity.as_ref().map_or(choice.shared, |entity| !entity.is_company_specific());
            for company in if shared { std::slice::from_ref(any) } else { &companies } {
                lines.push(Line { company: (!shared).then(|| company.clone()), ..line.clone() });
            }
        }
        Ok(lines)
    }

    fn line(&self, catalog: &Catalog, choice: &EntityChoice) -> Result<Line> {
        let names = |entity: &&Arc<Entity>| {
            entity.label == choice.entity
                || entity.collection.as_ref() == Some(&choice.entity)
                || entity.aot == choice.entity
        };
        let entity = catalog.entities().iter().find(names).cloned();
        let label = entity.as_ref().map_or_else(|| choice.entity.clone(), |entity| entity.label.clone());
        if label.trim().is_empty() || label.len() > 200 || label.chars().any(char::is_control) {
            return Err(Error::argument("an entity has no name, or none that data management could have"));
        }
        let by_odata = choice.transport == Transport::Odata;
        let public =
            entity.as_ref().is_some_and(|entity| entity.collection.is_some() && !entity.keys.is_empty());
        if by_odata && !public {
            return Err(Error::argument(format!(
                "\"{label}\" can't be compared by OData: its collection or key is not known"
            ))
            .in_entity(label)
            .hint("Leave out transport, and it is exported in packages."));
        }
        if choice.modified_by.is_some() && !by_odata {
            return Err(Error::argument("modifiedBy goes with the transport odata").in_entity(label));
        }
        if let Some(name) = &choice.modified_by
            && (name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        {
            return Err(Error::argument(format!("modifiedBy \"{name}\" is no property")).in_entity(label));
        }
        if let Some(entity) = &entity {
            for name in &choice.select {
                entity.require(name).map_err(|error| error.in_entity(label.clone()))?;
            }
        }
        Ok(Line {
            label,
            entity,
            company: None,
            by_odata,
            tracked: !by_odata,
            compare: by_odata,
            reconcile: public && self.deletes == Deletes::Reconcile,
            select: choice.select.clone(),
            modified_by: choice.modified_by.clone(),
        })
    }
}

/// All master data of the catalogue that flows out of Supply Chain Management.
fn default_entities(catalog: &Catalog) -> Vec<EntityChoice> {
    let flows_out = |entity: &&Arc<Entity>| entity.direction == Direction::ScmToClm;
    let choice = |entity: &Arc<Entity>| EntityChoice {
        entity: entity.label.clone(),
        transport: Transport::Auto,
        select: Vec::new(),
        modified_by: None,
        shared: false,
    };
    catalog.entities().iter().filter(flows_out).map(choice).collect()
}

fn check_name(what: &str, name: &str, most: usize) -> Result<()> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b' ');
    if !name.trim().is_empty() && name.len() <= most && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Error::argument(format!(
        "{what} \"{name}\": 1 to {most} letters, digits, - _ . and blanks are possible"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Result<Vec<(String, Option<String>)>> {
        let service = Service::new("https://c.example", None).unwrap();
        let options: SyncOptions = serde_json::from_str(json).unwrap();
        Ok(options.lines(&service)?.into_iter().map(|line| (line.label, line.company)).collect())
    }

    #[test]
    fn all_master_data_comes_by_default_and_shared_entities_once() {
        let lines = lines(r#"{"name":"n","companies":["USMF","demf"]}"#).unwrap();
        let labels: Vec<&str> = lines.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels.first(), Some(&"Legal entities"));
        assert_eq!(labels.iter().filter(|label| **label == "Legal entities").count(), 1);
        assert_eq!(labels.iter().filter(|label| **label == "Vendors V2").count(), 2);
        assert!(!labels.contains(&"CLM integration contract types"), "the contract system writes these");
        let mut once = labels.clone();
        once.dedup();
        assert_eq!(once.len(), 18, "{once:?}");
    }

    #[test]
    fn names_of_projects_and_keys_are_one_for_each_company() {
        let service = Service::new("https://c.example", Some("usmf")).unwrap();
        let options: SyncOptions =
            serde_json::from_str(r#"{"name":"n","entities":["VendorsV2","Currencies"]}"#).unwrap();
        let lines = options.lines(&service).unwrap();
        assert_eq!(lines[0].project("CLM", false), "CLM-VendorsV2-USMF");
        assert_eq!(lines[0].project("CLM", true), "CLM-VendorsV2-USMF-Full");
        assert_eq!(lines[0].key("n"), "sync/n/Vendors V2/usmf");
        assert_eq!(lines[1].project("CLM", false), "CLM-Currencies");
        assert_eq!(lines[1].key("n"), "sync/n/Currencies/-");
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for (json, why) in [
            (r#"{"name":"n"}"#, "needs a company"),
            (r#"{"name":"a/b","companies":["usmf"]}"#, "name"),
            (r#"{"name":"n","companies":["usmf","USMF"]}"#, "twice"),
            (r#"{"name":"n","companies":["us'mf"]}"#, "no company"),
            (r#"{"name":"n","companies":["usmf"],"batchSize":0}"#, "batchSize"),
            (r#"{"name":"n","companies":["usmf"],"batchSize":10001}"#, "batchSize"),
            (r#"{"name":"n","companies":["usmf"],"entities":["VendorsV2","Vendors V2"]}"#, "twice"),
            (
                r#"{"name":"n","companies":["usmf"],"entities":[{"entity":"Purchase agreement classification","transport":"odata"}]}"#,
                "OData",
            ),
            (
                r#"{"name":"n","companies":["usmf"],"entities":[{"entity":"VendorsV2","modifiedBy":"M"}]}"#,
                "modifiedBy",
            ),
            (
                r#"{"name":"n","companies":["usmf"],"entities":[{"entity":"VendorsV2","select":["Nmae"]}]}"#,
                "Nmae",
            ),
        ] {
            let error = lines(json).unwrap_err();
            assert!(error.message.contains(why), "{json}: {error}");
        }
    }

    #[test]
    fn the_larger_bound_of_deletions_counts() {
        let of = |rows, percent, known| MaxDeletes { rows, percent }.of(known);
        assert_eq!(of(None, None, 100), 20);
        assert_eq!(of(None, None, 1_000), 50);
        assert_eq!(of(Some(3), None, 1_000), 3);
        assert_eq!(of(None, Some(10), 1_000), 100);
        assert_eq!(of(Some(0), Some(0), 1_000), 0);
    }
}
