//! One request and the reading of its failure: a part of every conversation.

use super::fault::failure_of;
use super::service::Service;
use crate::error::ErrorCode;
use crate::http::{
    Exchange, Failure, Input, Method, Polled, Repeat, Request, Response, Session, Timestamp, throttled_for,
};

/// A request whose answer is a success, or a described failure.
///
/// A refusal with 403 may mean two things: the application is not registered at all, or its user lacks this one right. The
/// call finds out by reading the companies, which every registered integration may see.
#[derive(Debug)]
pub struct Call {
    request: Request,
    exchange: Exchange,
    probe: Request,
    refused: Option<Failure>,
}

impl Call {
    /// A call that has not left yet.
    #[must_use]
    pub fn new(service: &Service, request: Request, repeat: Repeat) -> Self {
        let probe = service.request(Method::Get, "LegalEntities?$top=1&$select=LegalEntityId");
        Self { exchange: Exchange::new(request.clone(), repeat), request, probe, refused: None }
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// What to do now; `Ready` comes once.
    pub fn next(&mut self, session: &Session, now: Timestamp) -> Polled<Result<Response, Failure>> {
        loop {
            let outcome = match self.exchange.next(session, now) {
                Polled::Io(io) => return Polled::Io(io),
                Polled::Ready(outcome) => outcome,
            };
            if let Some(refused) = self.refused.take() {
                return Polled::Ready(Err(explain(refused, &outcome)));
            }
            let response = match outcome {
                Ok(response) => response,
                Err(failure) => return Polled::Ready(Err(failure)),
            };
            if response.is_success() && !(self.request.bearer && response.is_sign_in()) {
                return Polled::Ready(Ok(response));
            }
            let mut error = failure_of(&response, &self.request);
            if error.code == ErrorCode::Throttled {
                error.retry_after = Some(throttled_for(&response, now));
            }
            // A refusal was decided before anything was done; of a breakdown nobody knows.
            let failure = Failure { maybe_processed: response.status >= 500, error };
            if failure.error.code != ErrorCode::Forbidden || !self.request.bearer {
                return Polled::Ready(Err(failure));
            }
            self.refused = Some(failure);
            self.exchange = Exchange::new(self.probe.clone(), Repeat::Always);
        }
    }

    /// What came of the last step.
    pub fn handle(&mut self, input: Input, session: &mut Session, now: Timestamp) {
        self.exchange.handle(input, session, now);
    }
}

fn explain(mut refused: Failure, probe: &Result<Response, Failure>) -> Failure {
    if matches!(probe, Ok(response) if response.status == 403) {
        refused.error.code = ErrorCode::AppNotRegistered;
        refused.error.message =
            "the token is valid, but the environment knows no user for this application (HTTP 403)"
                .to_owned();
        refused.error.hint = Some(
            "Register it in Supply Chain Management under System administration > Setup > Microsoft Entra ID applications: \
             Client ID = the application's id, Name = any, User ID = a service user that has the CLM integration role. \
             A database refresh removes the row."
                .to_owned(),
        );
    }
    refused
}
