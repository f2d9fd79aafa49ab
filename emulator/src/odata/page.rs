//! Deep-link actions: URLs of pages of the client. `q` is opaque to callers.
//!
//! That an unknown record is an error is our reading; the reference does not say what the service answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::ODataError;
use super::payload::Parameters;
use super::write::default_company;
use crate::catalog::COMPANY;
use crate::server::App;
use crate::store::Db;

/// Carries out the action `name`.
pub(crate) fn deep_link(
    app: &App,
    db: &Db<'_>,
    name: &str,
    parameters: &Parameters,
) -> Result<String, ODataError> {
    let (set, property, parameter, menu_item) = match name {
        "GenerateVendorDetailFormURL" => ("VendorsV2", "VendorAccountNumber", "_vendAccount", "VendTable"),
        "GenerateContractDetailFormURLByContractId" => {
            ("CLMIntegrationContracts", "ContractId", "_contractId", "CLMIntegrationContractTable")
        }
        "GenerateContractDetailFormURLByExternalContractId" => (
            "CLMIntegrationContracts",
            "ExternalContractId",
            "_externalContractId",
            "CLMIntegrationContractTable",
        ),
        "GenerateAgreementFormURLByAgreementId" => (
            "CLMIntegrationPurchaseAgreements",
            "PurchaseAgreementId",
            "_agreementId",
            "PurchAgreementDetails",
        ),
        "GenerateAgreementFormURLByExternalContractId" => (
            "CLMIntegrationPurchaseAgreements",
            "ExternalContractId",
            "_externalContractId",
            "PurchAgreementDetails",
        ),
        _ => return Err(ODataError::not_here(&format!("The action {name}"))),
    };
    let wanted = parameters.text(parameter);
    let entity = super::entity(app, set)?;
    let company = match parameters.text("_companyId") {
        "" => default_company(db)?,
        company => company.to_ascii_lowercase(),
    };
    let mut found = None;
    db.scan(&entity.aot, Some(&company), 0, |stored| -> Result<(), ODataError> {
        if !wanted.is_empty() && stored.row.get(property).is_some_and(|value| value.as_text() == wanted) {
            found = Some(stored);
        }
        Ok(())
    })?;
    let Some(stored) = found else {
        return Err(ODataError::query(format!(
            "Exception occurred while executing action {name} on Entity {}: the record '{wanted}' does not exist.",
            entity.aot
        )));
    };
    let company = stored.row.get(COMPANY).map_or("", |value| value.as_text());
    let token = URL_SAFE_NO_PAD.encode(format!("{menu_item}:{}", stored.id));
    Ok(format!(
        "{}/?cmp={company}&prt=initial&mi=display:{menu_item}&pageType=Details&q={token}",
        app.base_url
    ))
}
