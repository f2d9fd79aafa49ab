//! The company rule: whose rows a query asks for.
//!
//! Without `cross-company=true` the service answers with rows of the service user's default company only, silently. So
//! whenever a company is meant, both the option and a condition on `dataAreaId` are sent ("Cross-company behavior of data
//! entities" and field reports disagree on when the option alone filters), and what could only be answered with nothing is an
//! error.

use super::filter::Filter;
use super::literal::Scalar;
use super::query::Query;
use super::service::Service;
use crate::catalog::Entity;
use crate::error::{Error, Result};

impl Query {
    /// What would be an empty answer without a word: rows of a company that is not asked, or of two companies at once.
    pub(super) fn check_companies(
        &self,
        tree: Option<&Filter>,
        service: &Service,
        entity: Option<&Entity>,
    ) -> Result<()> {
        if let (Some(company), Some(entity)) = (&self.company, entity)
            && !entity.is_company_specific()
        {
            let name = entity.collection.as_deref().unwrap_or(&entity.label);
            return Err(Error::argument(format!(
                "{name} is shared: its rows belong to no company ({company})"
            ))
            .hint("Leave out `company` for this entity."));
        }
        let named = tree.map(companies).unwrap_or_default();
        if let Some(company) = &self.company
            && !named.is_empty()
            && !named.iter().any(|named| named.eq_ignore_ascii_case(company))
        {
            return Err(Error::argument(format!(
                "the query is for the company {company}, its filter for {}: no row belongs to both",
                named.join(", ")
            ))
            .hint("Name the company once."));
        }
        let own =
            |company: &str| service.company.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(company));
        let foreign = self.company.as_deref().into_iter().chain(named).find(|company| !own(company));
        foreign.filter(|_| self.stays_within()).map_or(Ok(()), |foreign| Err(unanswered(foreign)))
    }

    /// The same for a record that is read by its key.
    pub(super) fn check_company_of_key(&self, key: &str, service: &Service) -> Result<()> {
        let key = super::key::object(key, "key")?;
        let named = key.get("dataAreaId").and_then(serde_json::Value::as_str);
        let own =
            |company: &str| service.company.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(company));
        let foreign = named.filter(|company| self.stays_within() && !own(company));
        foreign.map_or(Ok(()), |foreign| Err(unanswered(foreign)))
    }

    const fn stays_within(&self) -> bool {
        self.within_company && !self.cross_company
    }

    /// The company whose rows are meant: the query's, else the client's where the query says nothing of companies.
    pub(super) fn effective_company<'a>(
        &'a self,
        tree: Option<&Filter>,
        service: &'a Service,
        entity: Option<&Entity>,
    ) -> Option<&'a str> {
        let says_nothing = !self.cross_company && !mentions_company(tree);
        let default = service
            .company
            .as_deref()
            .filter(|_| says_nothing && entity.is_some_and(Entity::is_company_specific));
        self.company.as_deref().or(default)
    }

    pub(super) fn crosses_companies(
        &self,
        tree: Option<&Filter>,
        service: &Service,
        entity: Option<&Entity>,
    ) -> bool {
        self.cross_company
            || self.effective_company(tree, service, entity).is_some()
            || mentions_company(tree)
    }
}

fn unanswered(foreign: &str) -> Error {
    Error::argument(format!(
        "rows of the company {foreign} are asked for, and crossCompany is false: the service would answer with none"
    ))
    .at_column("dataAreaId")
    .hint("Leave out crossCompany: it is set where a company is named.")
}

fn mentions_company(tree: Option<&Filter>) -> bool {
    tree.is_some_and(|tree| tree.mentions("dataAreaId"))
}

/// Companies that are asked for by `eq` and `anyOf`.
fn companies(filter: &Filter) -> Vec<&str> {
    fn text(value: &Scalar) -> Option<&str> {
        if let Scalar::Text(text) = value { Some(text) } else { None }
    }
    match filter {
        Filter::AnyOf { p, v } if p == "dataAreaId" => v.iter().filter_map(text).collect(),
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(companies).collect(),
        _ => match filter.equality() {
            Some(("dataAreaId", value)) => text(value).into_iter().collect(),
            _ => Vec::new(),
        },
    }
}
