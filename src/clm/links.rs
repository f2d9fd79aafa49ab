//! Deep links: the service's actions that give the URL of a page of the client. The URL is to be stored, not built; who opens it still
//! needs to sign in, and the right to see the page.

use serde_json::{Value, json};

use super::talk::{RecordRef, Told, ask, company, done, spec};
use crate::error::{Error, ErrorCode, Result};
use crate::odata::{Answer, Dialogue, Op, Service};

/// The page of a vendor, by account number.
///
/// # Errors
/// `INVALID_ARGUMENT` without account or company; from the conversation what the service says of a record that is not there.
pub fn vendor(service: &Service, account: &str, of_company: Option<&str>) -> Result<Told> {
    if account.trim().is_empty() {
        return Err(Error::argument("the account is empty"));
    }
    action(service, "VendorsV2", "GenerateVendorDetailFormURL", "_vendAccount", account, of_company)
}

/// The page of a contract.
///
/// # Errors
/// As for [`vendor`].
pub fn contract(service: &Service, of: &RecordRef) -> Result<Told> {
    of.property("ContractId")?;
    let (name, parameter) = match of.external {
        false => ("GenerateContractDetailFormURLByContractId", "_contractId"),
        true => ("GenerateContractDetailFormURLByExternalContractId", "_externalContractId"),
    };
    action(service, "CLMIntegrationContracts", name, parameter, &of.id, of.company.as_deref())
}

/// The page of a purchase agreement.
///
/// # Errors
/// As for [`vendor`].
pub fn agreement(service: &Service, of: &RecordRef) -> Result<Told> {
    of.property("PurchaseAgreementId")?;
    let (name, parameter) = match of.external {
        false => ("GenerateAgreementFormURLByAgreementId", "_agreementId"),
        true => ("GenerateAgreementFormURLByExternalContractId", "_externalContractId"),
    };
    action(service, "CLMIntegrationPurchaseAgreements", name, parameter, &of.id, of.company.as_deref())
}

fn action(
    service: &Service,
    set: &str,
    name: &str,
    parameter: &str,
    id: &str,
    given: Option<&str>,
) -> Result<Told> {
    let mut spec = spec(Op::Action, set, None, None);
    name.clone_into(&mut spec.name);
    spec.parameters = Some(json!({ parameter: id, "_companyId": company(service, given)? }).to_string());
    let read = Box::new(|outcome: Result<Answer, crate::http::Failure>| {
        let answer = outcome.map_err(|failure| failure.error)?;
        let Answer::Value(Some(value)) = answer else { return Err(no_link()) };
        match serde_json::from_str::<Value>(&value) {
            Ok(Value::String(url)) if !url.is_empty() => Ok(done(url.into())),
            _ => Err(no_link()),
        }
    });
    Ok(Dialogue::new(service, ask(service, spec.shape(service)?, read)))
}

fn no_link() -> Error {
    Error::new(ErrorCode::ServiceError, "the action answered with something else than a URL")
}
