//! What the requests of one conversation share: policy, what is known of the token, and a source of spread.

use std::time::Duration;

use super::machine::TokenReason;
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
    token: Token,
    random: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Unknown,
    Rejected,
    Held { expires: Option<Timestamp> },
}

impl Session {
    /// `seed` spreads the pauses of many clients; any value will do.
    #[must_use]
    pub const fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self { policy, token: Token::Unknown, random: seed | 1 }
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

    /// Xorshift: good enough to keep clients from marching in step.
    pub(crate) fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u32::try_from(self.random >> 32).unwrap_or(u32::MAX)
    }
}
