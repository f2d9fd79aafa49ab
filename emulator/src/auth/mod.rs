//! Who may call: the token endpoint of the directory, the key that signs tokens, and the check of every call against
//! the token and the table of registered applications. Nothing here knows what a call wants to do.

mod check;
mod keys;
mod token;

pub(crate) use check::{Caller, authorize};
pub(crate) use keys::TokenKeys;
pub(crate) use token::{sign_in_page, token_v1, token_v2};

use rand::RngCore;

/// Lengths of time, ids and secrets of this environment's directory.
pub(crate) struct Directory {
    pub(crate) tenant: String,
    /// Client that has a row in *Microsoft Entra ID applications*.
    pub(crate) registered: Client,
    /// Client that gets valid tokens and has no such row.
    pub(crate) unregistered: Client,
    pub(crate) token_lifetime: i64,
    pub(crate) keys: std::sync::Arc<TokenKeys>,
}

/// An app registration.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    object_id: String,
}

impl Client {
    /// A fresh id and a random secret.
    pub(crate) fn random() -> Self {
        let id = || uuid::Uuid::new_v4().to_string();
        Self { id: id(), secret: random_secret(), object_id: id() }
    }
}

/// 256 random bits as text.
pub(crate) fn random_secret() -> String {
    use base64::Engine;
    let mut bytes = [0_u8; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Compares without telling by its duration where the difference is.
pub(crate) fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |seen, (x, y)| seen | (x ^ y)) == 0
}
