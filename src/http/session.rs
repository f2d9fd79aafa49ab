//! What the requests of one conversation share: policy, what is known of the token, and the patience of their client.

use std::time::Duration;

use super::machine::TokenReason;
use super::patience::Patience;
use super::retry::RetryPolicy;
use super::time::Timestamp;

/// A token is renewed this long before it ends.
pub const TOKEN_MARGIN: Duration = Duration::from_secs(300);

/// State that outlives a single request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Session {
    /// How often and how long failed requests are repeated.
    pub policy: RetryPolicy,
    pub(super) patience: Patience,
    token: Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Unknown,
    Rejected,
    Held { expires: Option<Timestamp> },
}

impl Session {
    /// `patience` is shared by all conversations of a client.
    #[must_use]
    pub const fn new(policy: RetryPolicy, patience: Patience) -> Self {
        Self { policy, patience, token: Token::Unknown }
    }

    /// Why a token must be asked for before the next request, if it must.
    pub(super) fn token_wanted(&self, now: Timestamp) -> Option<TokenReason> {
        match self.token {
            Token::Unknown => Some(TokenReason::First),
            Token::Rejected => Some(TokenReason::Rejected),
            Token::Held { expires: Some(end) } if end <= now.plus(TOKEN_MARGIN) => {
                Some(TokenReason::Expiring)
            }
            Token::Held { .. } => None,
        }
    }

    pub(super) fn hold_token(&mut self, expires: Option<Timestamp>) {
        self.token = Token::Held { expires };
    }

    pub(super) const fn reject_token(&mut self) {
        self.token = Token::Rejected;
    }

    /// Any 32 bits, to keep clients from marching in step.
    pub(crate) fn random(&self) -> u32 {
        self.patience.random()
    }
}
