//! A list query and the company rule.
//!
//! Without `cross-company=true` the service answers with rows of the service user's default company only, silently. So
//! whenever a company is meant, both the option and a condition on `dataAreaId` are sent ("Cross-company behavior of data
//! entities" and field reports disagree on when the option alone filters).

use serde_json::Value;

use super::filter::Filter;
use super::service::Service;
use super::uri::{encode_query, quote};
use crate::catalog::Entity;
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize, mismatch};

/// What is wanted of a collection.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Query {
    /// Condition.
    pub filter: Option<FilterInput>,
    /// Properties; empty for all.
    pub select: Vec<String>,
    /// `Name`, `Name desc`.
    pub order_by: OneOrMany,
    /// Not available yet.
    pub expand: Vec<String>,
    /// At most so many rows, over all pages.
    pub top: Option<u64>,
    /// Rows to leave out.
    pub skip: Option<u64>,
    /// Whether the number of all matching rows is wanted too.
    pub count: bool,
    /// Rows of all companies that the user may see.
    pub cross_company: bool,
    /// Rows of this company.
    pub company: Option<String>,
}

/// A filter as a tree or as text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FilterInput {
    /// Sent as it is.
    Text(String),
    /// Typed and checked.
    Tree(Filter),
}

/// One text or a list of them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

deserialize!(Query, FilterInput, OneOrMany);

impl FromValue for Query {
    fn from_value(value: Value) -> Result<Self, String> {
        let mut of = Fields::of(value);
        let query = Self {
            filter: of.read("filter"),
            select: of.not_null("select").texts("select").unwrap_or_default(),
            order_by: of.not_null("orderBy").read("orderBy").unwrap_or_default(),
            expand: of.not_null("expand").texts("expand").unwrap_or_default(),
            top: of.number("top"),
            skip: of.number("skip"),
            count: of.not_null("count").flag("count").unwrap_or_default(),
            cross_company: of.not_null("crossCompany").flag("crossCompany").unwrap_or_default(),
            company: of.text("company"),
        };
        of.finish(query)
    }
}

impl FromValue for FilterInput {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            tree => Filter::from_value(tree).map(Self::Tree),
        }
    }
}

impl FromValue for OneOrMany {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::String(one) => Ok(Self::One(one)),
            Value::Array(_) => Vec::from_value(value).map(Self::Many),
            other => Err(mismatch(&other, "a text or a list of texts")),
        }
    }
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl FilterInput {
    fn mentions_company(&self) -> bool {
        match self {
            Self::Text(text) => text.contains("dataAreaId"),
            Self::Tree(tree) => tree.mentions("dataAreaId"),
        }
    }
}

impl Query {
    /// The options with a leading `?`, or nothing.
    pub(super) fn render(&self, service: &Service, entity: Option<&Entity>) -> Result<String> {
        if !self.expand.is_empty() {
            return Err(Error::new(ErrorCode::UnsupportedQuery, "expand is not available yet")
                .hint("Read the other collection with a filter on the key."));
        }
        let mut options: Vec<String> = Vec::new();
        if let Some(filter) = self.condition(service, entity)? {
            options.push(format!("$filter={}", encode_query(&filter)));
        }
        for name in &self.select {
            check_name(name, entity)?;
        }
        if !self.select.is_empty() {
            options.push(format!("$select={}", self.select.join(",")));
        }
        let mut order = Vec::new();
        for term in self.order_by.as_slice() {
            let (name, direction) = term.split_once(' ').unwrap_or((term, ""));
            check_name(name, entity)?;
            if !matches!(direction, "" | "asc" | "desc") {
                return Err(Error::argument(format!("orderBy \"{term}\": asc or desc is meant")));
            }
            order.push(encode_query(term));
        }
        if !order.is_empty() {
            options.push(format!("$orderby={}", order.join(",")));
        }
        options.extend(self.top.map(|top| format!("$top={top}")));
        options.extend(self.skip.map(|skip| format!("$skip={skip}")));
        if self.count {
            options.push("$count=true".to_owned());
        }
        if self.crosses_companies(service, entity) {
            options.push("cross-company=true".to_owned());
        }
        Ok(if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) })
    }

    /// The whole condition: the caller's and the company's.
    pub(super) fn condition(&self, service: &Service, entity: Option<&Entity>) -> Result<Option<String>> {
        let own = match &self.filter {
            None => None,
            Some(FilterInput::Text(text)) if text.trim().is_empty() => None,
            Some(FilterInput::Text(text)) => Some(text.clone()),
            Some(FilterInput::Tree(tree)) => Some(tree.render(entity, service.catalog())?),
        };
        if let (Some(company), Some(entity)) = (&self.company, entity)
            && !entity.is_company_specific()
        {
            let name = entity.collection.as_deref().unwrap_or(&entity.label);
            return Err(Error::argument(format!(
                "{name} is shared: its rows belong to no company ({company})"
            ))
            .hint("Leave out `company` for this entity."));
        }
        let company = self
            .effective_company(service, entity)
            .map(|company| format!("dataAreaId eq {}", quote(company)));
        Ok(match (company, own) {
            (Some(company), Some(own)) => Some(format!("{company} and ({own})")),
            (company, own) => company.or(own),
        })
    }

    /// The company whose rows are meant: the query's, else the client's where the query says nothing of companies.
    fn effective_company<'a>(&'a self, service: &'a Service, entity: Option<&Entity>) -> Option<&'a str> {
        let says_nothing =
            !self.cross_company && !self.filter.as_ref().is_some_and(FilterInput::mentions_company);
        let default = service
            .company
            .as_deref()
            .filter(|_| says_nothing && entity.is_some_and(Entity::is_company_specific));
        self.company.as_deref().or(default)
    }

    fn crosses_companies(&self, service: &Service, entity: Option<&Entity>) -> bool {
        self.cross_company
            || self.effective_company(service, entity).is_some()
            || self.filter.as_ref().is_some_and(FilterInput::mentions_company)
    }
}

fn check_name(name: &str, entity: Option<&Entity>) -> Result<()> {
    if let Some(entity) = entity {
        return entity.require(name).map(|_| ());
    }
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Error::argument(format!("\"{name}\" is no property name")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn render(collection: &str, company: Option<&str>, json: &str) -> Result<String> {
        let service = Service::new("https://c.example", company).unwrap();
        let query: Query = serde_json::from_str(json).unwrap();
        query.render(&service, builtin().find(collection))
    }

    #[test]
    fn a_company_is_asked_for_twice_so_that_it_is_never_silently_another() {
        let expected = "?$filter=dataAreaId%20eq%20'demf'&cross-company=true";
        assert_eq!(render("VendorsV2", None, r#"{"company":"demf"}"#).unwrap(), expected);
        assert_eq!(render("VendorsV2", Some("demf"), "{}").unwrap(), expected);
        let both = r#"{"filter":{"op":"eq","p":"VendorGroupId","v":{"t":"s","v":"10"}}}"#;
        assert_eq!(
            render("VendorsV2", Some("demf"), both).unwrap(),
            "?$filter=dataAreaId%20eq%20'demf'%20and%20(VendorGroupId%20eq%20'10')&cross-company=true"
        );
    }

    #[test]
    fn a_filter_on_the_company_crosses_companies_by_itself() {
        let tree = r#"{"filter":{"op":"eq","p":"dataAreaId","v":{"t":"s","v":"demf"}}}"#;
        assert_eq!(
            render("VendorsV2", Some("usmf"), tree).unwrap(),
            "?$filter=dataAreaId%20eq%20'demf'&cross-company=true"
        );
        let text = r#"{"filter":"dataAreaId eq 'demf'"}"#;
        assert!(render("VendorsV2", None, text).unwrap().ends_with("&cross-company=true"));
    }

    #[test]
    fn a_shared_entity_takes_no_company() {
        assert_eq!(render("Currencies", Some("usmf"), "{}").unwrap(), "");
        let error = render("Currencies", None, r#"{"company":"usmf"}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
    }

    #[test]
    fn options_are_written_in_one_order_and_names_are_checked() {
        let json = r#"{"select":["CurrencyCode","Name"],"orderBy":"CurrencyCode desc","top":5,"skip":2,"count":true}"#;
        assert_eq!(
            render("Currencies", None, json).unwrap(),
            "?$select=CurrencyCode,Name&$orderby=CurrencyCode%20desc&$top=5&$skip=2&$count=true"
        );
        let error = render("Currencies", None, r#"{"select":["Nmae"]}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownProperty);
        assert!(render("Currencies", None, r#"{"orderBy":["Name up"]}"#).is_err());
        assert_eq!(
            render("Currencies", None, r#"{"expand":["X"]}"#).unwrap_err().code,
            ErrorCode::UnsupportedQuery
        );
    }
}
