//! Navigation properties: which rows of another entity belong to a row.
//!
//! The catalogue names the navigation properties and their targets, not the properties that join them. The table here
//! joins by the properties whose names say so; the company joins too where both entities have one.

use std::collections::{HashMap, HashSet};

use super::Call;
use super::behaviour::TextCase;
use super::error::ODataError;
use super::filter::unknown_property;
use super::write::default_company;
use crate::catalog::{COMPANY, Catalog, Entity, Kind, Navigation};
use crate::server::App;
use crate::store::Stored;
use crate::value::{Decimal, Row, Value};

/// A navigation property, ready to be followed.
pub(crate) struct Link<'a> {
    pub(crate) name: &'a str,
    pub(crate) target: &'a Entity,
    pub(crate) many: bool,
    /// Own property, property of the target.
    pairs: Vec<(&'a str, &'a str)>,
    case: TextCase,
}

/// Related rows of a page, by the key that joins them.
pub(crate) struct Expansion<'a> {
    pub(crate) link: Link<'a>,
    related: HashMap<String, Vec<Stored>>,
}

impl<'a> Link<'a> {
    /// The navigation property `name` of `entity`.
    pub(crate) fn find(
        catalog: &'a Catalog,
        entity: &'a Entity,
        name: &str,
        case: TextCase,
    ) -> Result<Self, ODataError> {
        let Some(navigation) = entity.navigation.iter().find(|navigation| navigation.name == name) else {
            return Err(match entity.property(name) {
                Some(_) => ODataError::bad_request(format!(
                    "Property '{name}' on type '{}.{}' is not a navigation property. Only navigation properties can be expanded.",
                    crate::catalog::NAMESPACE,
                    entity.type_name
                )),
                None => unknown_property(name, entity),
            });
        };
        let joined = catalog.collection(&navigation.target).zip(pairs(entity, navigation));
        let Some((target, mut pairs)) = joined else {
            return Err(ODataError::not_here(&format!("The navigation property '{name}'")));
        };
        if entity.company && target.company {
            pairs.push((COMPANY, COMPANY));
        }
        Ok(Self { name: &navigation.name, target, many: navigation.many, pairs, case })
    }

    /// What joins a row to others; `None` where it names none.
    pub(crate) fn from(&self, entity: &Entity, row: &Row) -> Option<String> {
        let empty = |name: &str| row.get(name).is_none_or(|value| value.as_text().is_empty());
        if self.pairs.iter().any(|(own, _)| empty(own)) {
            return None;
        }
        Some(self.key(entity, row, self.pairs.iter().map(|(own, _)| *own)))
    }

    /// What joins a row of the target.
    pub(crate) fn to(&self, row: &Row) -> String {
        self.key(self.target, row, self.pairs.iter().map(|(_, other)| *other))
    }

    fn key<'n>(&self, entity: &Entity, row: &Row, names: impl Iterator<Item = &'n str>) -> String {
        let part = |name: &str| {
            let text = row.get(name).map_or("", Value::as_text);
            match entity.property(name).map(|property| &property.kind) {
                Some(Kind::Int32 | Kind::Int64 | Kind::Decimal) => {
                    Decimal::parse(text).map_or_else(|| text.to_owned(), |number| number.to_text())
                }
                _ if name == COMPANY => text.to_ascii_lowercase(),
                _ => self.case.form(text),
            }
        };
        names.map(part).collect::<Vec<_>>().join("\u{1f}")
    }
}

impl<'a> Expansion<'a> {
    /// Reads what is related to `rows`, as far as the caller may see it, in one pass over the target.
    pub(crate) fn read(
        app: &App,
        call: &Call,
        entity: &Entity,
        link: Link<'a>,
        rows: &[Stored],
    ) -> Result<Self, ODataError> {
        let wanted: HashSet<String> =
            rows.iter().filter_map(|stored| link.from(entity, &stored.row)).collect();
        let mut related: HashMap<String, Vec<Stored>> = HashMap::new();
        if !wanted.is_empty() {
            app.store.with(|db| {
                let one = link.target.company && !call.options.cross_company;
                let company = if one { Some(default_company(db)?) } else { None };
                db.scan(&link.target.aot, company.as_deref(), 0, |stored| -> Result<(), ODataError> {
                    let key = link.to(&stored.row);
                    if wanted.contains(&key) {
                        related.entry(key).or_default().push(stored);
                    }
                    Ok(())
                })
            })?;
        }
        Ok(Self { link, related })
    }

    /// What is related to a row.
    pub(crate) fn of(&self, entity: &Entity, row: &Row) -> &[Stored] {
        let key = self.link.from(entity, row);
        key.and_then(|key| self.related.get(&key)).map_or(&[], Vec::as_slice)
    }
}

/// Own properties and those of the target.
type Pairs = &'static [(&'static str, &'static str)];

/// Collection, navigation property to one row, own properties and those of the target.
const FORWARD: [(&str, &str, Pairs); 22] = [
    ("DataManagementDefinitionGroupDetails", "DefinitionGroup", &[("DefinitionGroupId", "Name")]),
    ("DataManagementExecutionJobDetails", "ExecutionJob", &[("JobId", "JobId")]),
    (AGREEMENTS, "PaymentSchedule", &[("PaymentScheduleName", "Name")]),
    (AGREEMENTS, "Currency", &[("CurrencyCode", "CurrencyCode")]),
    (AGREEMENTS, "InvoiceVendor", &[("InvoiceVendorAccountNumber", "VendorAccountNumber")]),
    (AGREEMENTS, "PaymentTerms", &[("PaymentTermsName", "Name")]),
    (AGREEMENTS, "ContactPerson", &[("ContactPersonId", "ContactPersonId")]),
    (AGREEMENTS, "Project", &[("ProjectId", "ProjectID")]),
    (AGREEMENTS, "CashDiscount", &[("CashDiscountCode", "CashDiscountCode")]),
    (AGREEMENTS, "DeliveryTerms", &[("DeliveryTermsCode", "TermsCode")]),
    (AGREEMENTS, "VendorPaymentMethod", &[("VendorPaymentMethodName", "Name")]),
    (LINES, "ReceivingWarehouse", &[("ReceivingWarehouseId", "WarehouseId")]),
    (LINES, "CLMIntegrationPurchaseAgreement", &[("PurchaseAgreementId", "PurchaseAgreementId")]),
    (LINES, "Project", &[("ProjectId", "ProjectID")]),
    (LINES, "Unit", &[("UnitSymbol", "UnitSymbol")]),
    (
        "Warehouses",
        "ExternallyLocatedWarehouseVendor",
        &[("ExternallyLocatedWarehouseVendorAccountNumber", "VendorAccountNumber")],
    ),
    ("Warehouses", "MainRefillingWarehouse", &[("MainRefillingWarehouseId", "WarehouseId")]),
    ("Warehouses", "QuarantineWarehouse", &[("QuarantineWarehouseId", "WarehouseId")]),
    ("Warehouses", "TransitWarehouse", &[("TransitWarehouseId", "WarehouseId")]),
    (
        "ProcurementProductCategories",
        "ParentProcurementProductCategory",
        &[("ParentCategoryName", "CategoryName"), ("ParentHierarchyName", "CategoryHierarchyName")],
    ),
    ("CLMIntegrationReleasedProducts", "PurchaseUnitOfMeasure", &[("PurchaseUnitSymbol", "UnitSymbol")]),
    ("PaymentTerms", "PaymentSchedule", &[("PaymentScheduleName", "Name")]),
];

/// Collection, navigation property to many rows, and the property that leads back.
const BACKWARD: [(&str, &str, &str); 22] = [
    ("DataManagementDefinitionGroups", "Details", "DefinitionGroup"),
    ("DataManagementExecutionJobs", "Details", "ExecutionJob"),
    (AGREEMENTS, LINES, "CLMIntegrationPurchaseAgreement"),
    ("VendorsV2", "Warehouses", "ExternallyLocatedWarehouseVendor"),
    ("VendorsV2", HEADERS, "InvoiceVendor"),
    ("ContactPersons", HEADERS, "ContactPerson"),
    ("Warehouses", "MainRefillingAssignedWarehouses", "MainRefillingWarehouse"),
    ("Warehouses", "QuarantineAssignedWarehouses", "QuarantineWarehouse"),
    ("Warehouses", "TransitAssignedWarehouses", "TransitWarehouse"),
    ("Warehouses", LINES, "ReceivingWarehouse"),
    ("ProcurementProductCategories", "ChildProcurementProductCategory", "ParentProcurementProductCategory"),
    ("UnitsOfMeasure", LINES, "Unit"),
    ("UnitsOfMeasure", "CLMIntegrationReleasedProducts", "PurchaseUnitOfMeasure"),
    ("PaymentTerms", HEADERS, "PaymentTerms"),
    ("Currencies", HEADERS, "Currency"),
    ("VendorPaymentMethods", HEADERS, "VendorPaymentMethod"),
    ("PaymentSchedules", "PaymentTerm", "PaymentSchedule"),
    ("PaymentSchedules", HEADERS, "PaymentSchedule"),
    ("DeliveryTerms", HEADERS, "DeliveryTerms"),
    ("Projects", LINES, "Project"),
    ("Projects", HEADERS, "Project"),
    ("CashDiscounts", HEADERS, "CashDiscount"),
];

const AGREEMENTS: &str = "CLMIntegrationPurchaseAgreements";
const LINES: &str = "CLMIntegrationPurchaseAgreementLines";
const HEADERS: &str = "CLMIntegrationPurchaseAgreementHeaders";

fn pairs(entity: &Entity, navigation: &Navigation) -> Option<Vec<(&'static str, &'static str)>> {
    let forward = |set: &str, name: &str| {
        FORWARD.iter().find(|(from, via, _)| *from == set && *via == name).map(|(.., pairs)| *pairs)
    };
    let set = entity.collection.as_deref()?;
    if let Some(pairs) = forward(set, &navigation.name) {
        return Some(pairs.to_vec());
    }
    let (.., back) = BACKWARD.iter().find(|(from, via, _)| *from == set && *via == navigation.name)?;
    let pairs = forward(&navigation.target, back)?;
    Some(pairs.iter().map(|(own, other)| (*other, *own)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_navigation_property_of_the_catalogue_is_joined() {
        let catalog = Catalog::embedded().unwrap();
        let mut found = 0;
        for entity in &catalog.entities {
            for navigation in &entity.navigation {
                let link = Link::find(&catalog, entity, &navigation.name, TextCase::Ignore)
                    .unwrap_or_else(|_| panic!("{} {}", entity.label, navigation.name));
                for (own, other) in &link.pairs {
                    assert!(entity.property(own).is_some(), "{} lacks {own}", entity.label);
                    assert!(link.target.property(other).is_some(), "{} lacks {other}", link.target.label);
                }
                found += 1;
            }
        }
        assert_eq!(found, FORWARD.len() + BACKWARD.len());
    }
}
