//! A list query.

use serde_json::Value;

use super::filter::{Filter, Order, parse_expand, parse_orderby, parse_select};
use super::service::Service;
use super::uri::{encode_query, quote};
use crate::catalog::{Entity, nearest};
use crate::error::{Error, ErrorCode, Result};
use crate::fields::{Fields, FromValue, deserialize, mismatch};

/// Longest URL that is sent, in characters. The service states no limit (unverified); proxies and gateways on the way commonly
/// take a request line of 8 KiB, method and version included.
pub const URL_LIMIT: usize = 8_000;

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
    /// Navigation properties of the entity itself, whose records come along; the service expands the first level only.
    pub expand: Vec<String>,
    /// At most so many rows, over all pages.
    pub top: Option<u64>,
    /// Rows to leave out.
    pub skip: Option<u64>,
    /// Whether the number of all matching rows is wanted too.
    pub count: bool,
    /// Rows of all companies that the user may see.
    pub cross_company: bool,
    /// Explicitly not those of all companies. Then to name another company than the service's own is an error, since without
    /// the option `cross-company` the service answers such a query with nothing. JSON: `"crossCompany": false`.
    pub within_company: bool,
    /// Rows of this company.
    pub company: Option<String>,
}

/// A filter as a tree or as text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FilterInput {
    /// Read by [`Filter::parse`], then checked as a tree is.
    Text(String),
    /// A tree.
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
        let mut query = Self {
            filter: of.read("filter"),
            select: of.not_null("select").texts("select").unwrap_or_default(),
            order_by: of.not_null("orderBy").read("orderBy").unwrap_or_default(),
            expand: of.not_null("expand").texts("expand").unwrap_or_default(),
            top: of.number("top"),
            skip: of.number("skip"),
            count: of.not_null("count").flag("count").unwrap_or_default(),
            cross_company: false,
            within_company: false,
            company: of.text("company"),
        };
        match of.not_null("crossCompany").flag("crossCompany") {
            Some(true) => query.cross_company = true,
            Some(false) => query.within_company = true,
            None => {}
        }
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
    /// The tree of either; nothing for a blank text.
    fn tree(&self) -> Result<Option<Filter>> {
        match self {
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => Filter::parse(text.trim()).map(Some),
            Self::Tree(tree) => Ok(Some(tree.clone())),
        }
    }
}

impl Query {
    /// The options with a leading `?`, or nothing.
    pub(super) fn render(&self, service: &Service, entity: Option<&Entity>) -> Result<String> {
        let options = self.options(service, entity)?;
        let length = url_length(service, entity, &options);
        if length > URL_LIMIT {
            return Err(too_long(length));
        }
        Ok(options)
    }

    /// The same however long it is.
    pub(super) fn options(&self, service: &Service, entity: Option<&Entity>) -> Result<String> {
        let mut options: Vec<String> = Vec::new();
        let tree = self.tree()?;
        if let Some(filter) = self.condition(tree.as_ref(), service, entity)? {
            options.push(format!("$filter={}", encode_query(&filter)));
        }
        let select = self.selected(entity)?;
        if !select.is_empty() {
            options.push(format!("$select={}", select.join(",")));
        }
        let expand = self.expanded(entity)?;
        if !expand.is_empty() {
            options.push(format!("$expand={}", expand.join(",")));
        }
        let order: Vec<String> = self
            .order(entity)?
            .into_iter()
            .map(|order| if order.descending { order.name + "%20desc" } else { order.name })
            .collect();
        if !order.is_empty() {
            options.push(format!("$orderby={}", order.join(",")));
        }
        options.extend(self.top.map(|top| format!("$top={top}")));
        options.extend(self.skip.map(|skip| format!("$skip={skip}")));
        if self.count {
            options.push("$count=true".to_owned());
        }
        if self.crosses_companies(tree.as_ref(), service, entity) {
            options.push("cross-company=true".to_owned());
        }
        Ok(if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) })
    }

    /// The caller's condition as a tree.
    pub(super) fn tree(&self) -> Result<Option<Filter>> {
        self.filter.as_ref().map_or(Ok(None), FilterInput::tree)
    }

    /// The criteria, of properties that the entity has.
    pub(super) fn order(&self, entity: Option<&Entity>) -> Result<Vec<Order>> {
        let mut orders = Vec::new();
        for term in self.order_by.as_slice() {
            for order in parse_orderby(term)? {
                check_name(&order.name, entity)?;
                orders.push(order);
            }
        }
        Ok(orders)
    }

    /// The properties wanted, which the entity has; none for all.
    pub(super) fn selected(&self, entity: Option<&Entity>) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for item in &self.select {
            for name in parse_select(item)? {
                check_name(&name, entity)?;
                names.push(name);
            }
        }
        Ok(names)
    }

    fn expanded(&self, entity: Option<&Entity>) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for item in &self.expand {
            for name in parse_expand(item)? {
                if let Some(entity) = entity
                    && !entity.navigation.iter().any(|known| known.name == name)
                {
                    let collection = entity.collection.as_deref().unwrap_or(&entity.label);
                    let known = entity.navigation.iter().map(|known| known.name.as_str());
                    let error = Error::new(
                        ErrorCode::UnknownProperty,
                        format!("{collection} has no navigation property \"{name}\""),
                    )
                    .at_column(name.as_str());
                    return Err(match nearest(&name, known) {
                        Some(near) => {
                            error.hint(format!("Did you mean \"{near}\"? Names are case-sensitive."))
                        }
                        None => {
                            error.hint("A schema of the tenant may know more; see `schema` of the client.")
                        }
                    });
                }
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The whole condition: the caller's and the company's.
    fn condition(
        &self,
        tree: Option<&Filter>,
        service: &Service,
        entity: Option<&Entity>,
    ) -> Result<Option<String>> {
        let own = tree.map(|tree| tree.render(entity, service.catalog())).transpose()?;
        self.check_companies(tree, service, entity)?;
        let company = self
            .effective_company(tree, service, entity)
            .map(|company| format!("dataAreaId eq {}", quote(company)));
        Ok(match (company, own) {
            (Some(company), Some(own)) => Some(format!("{company} and ({own})")),
            (company, own) => company.or(own),
        })
    }
}

/// Length of the URL that has these options, in bytes.
pub(super) fn url_length(service: &Service, entity: Option<&Entity>, options: &str) -> usize {
    let collection = entity.and_then(|entity| entity.collection.as_deref()).map_or(0, str::len);
    service.base().len() + "/data/".len() + collection + options.len()
}

pub(super) fn too_long(length: usize) -> Error {
    Error::new(
        ErrorCode::UnsupportedQuery,
        format!("the URL of this query has {length} characters; {URL_LIMIT} is the limit"),
    )
    .hint("A list is sent in parts where all rows must fit one anyOf; make other filters shorter.")
}

fn check_name(name: &str, entity: Option<&Entity>) -> Result<()> {
    entity.map_or(Ok(()), |entity| entity.require(name).map(|_| ()))
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
    }

    #[test]
    fn expand_takes_navigation_of_the_entity_itself() {
        let expand = |json| render("VendorsV2", None, json);
        assert_eq!(expand(r#"{"expand":["Warehouses"]}"#).unwrap(), "?$expand=Warehouses");
        let error = expand(r#"{"expand":["Warehuses"]}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownProperty);
        assert!(error.hint.as_deref().unwrap().contains("\"Warehouses\""));
        for deep in [r#"{"expand":["Warehouses/X"]}"#, r#"{"expand":["Warehouses($select=X)"]}"#] {
            assert_eq!(expand(deep).unwrap_err().code, ErrorCode::UnsupportedQuery);
        }
        assert_eq!(render("Unknown", None, r#"{"expand":["A","B"]}"#).unwrap(), "?$expand=A,B");
    }

    #[test]
    fn a_text_is_checked_and_completed_as_a_tree_is() {
        assert_eq!(
            render("CLMIntegrationContracts", None, r#"{"filter":" ContractStatus eq 'Draft' "}"#).unwrap(),
            "?$filter=ContractStatus%20eq%20Microsoft.Dynamics.DataEntities.CLMIntegrationContractStatus'Draft'"
        );
        let error = render("Currencies", None, r#"{"filter":"Nmae eq 'x'"}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownProperty);
        assert_eq!(render("Currencies", None, r#"{"filter":"  "}"#).unwrap(), "");
    }

    #[test]
    fn a_company_in_a_text_is_found_by_the_tree() {
        let text = r#"{"filter":"VendorGroupId eq 'dataAreaId'"}"#;
        assert_eq!(
            render("VendorsV2", Some("usmf"), text).unwrap(),
            "?$filter=dataAreaId%20eq%20'usmf'%20and%20(VendorGroupId%20eq%20'dataAreaId')&cross-company=true"
        );
    }

    #[test]
    fn another_company_without_crossing_companies_is_an_error() {
        let code = |company, json| render("VendorsV2", company, json).unwrap_err().code;
        let foreign = r#"{"company":"demf","crossCompany":false}"#;
        assert_eq!(code(Some("usmf"), foreign), ErrorCode::InvalidArgument);
        assert_eq!(code(None, foreign), ErrorCode::InvalidArgument);
        let filter = r#"{"filter":"VendorGroupId eq '1' and dataAreaId eq 'demf'","crossCompany":false}"#;
        assert_eq!(code(Some("usmf"), filter), ErrorCode::InvalidArgument);
        let own = r#"{"filter":"dataAreaId eq 'USMF'","crossCompany":false}"#;
        assert_eq!(
            render("VendorsV2", Some("usmf"), own).unwrap(),
            "?$filter=dataAreaId%20eq%20'USMF'&cross-company=true"
        );
        let two = r#"{"company":"usmf","filter":"dataAreaId eq 'demf'"}"#;
        assert_eq!(code(None, two), ErrorCode::InvalidArgument);
        let both = r#"{"company":"usmf","filter":"dataAreaId eq 'demf' or dataAreaId eq 'USMF'"}"#;
        assert!(render("VendorsV2", None, both).is_ok());
    }

    #[test]
    fn a_url_that_is_too_long_is_refused_with_both_numbers() {
        let name = |length: usize| format!(r#"{{"filter":"Name eq '{}'"}}"#, "x".repeat(length));
        // https://c.example/data/Currencies?$filter=Name%20eq%20'…'
        let fixed = "https://c.example/data/Currencies?$filter=Name%20eq%20''".len();
        assert!(render("Currencies", None, &name(URL_LIMIT - fixed)).is_ok());
        let error = render("Currencies", None, &name(URL_LIMIT - fixed + 1)).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnsupportedQuery);
        assert!(error.message.contains("8001 characters; 8000 is the limit"), "{error}");
    }
}
