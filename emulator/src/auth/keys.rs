//! The signing key, made at start and never stored.

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use serde::{Deserialize, Serialize};

/// RS256 key pair.
pub(crate) struct TokenKeys {
    private: EncodingKey,
    public: DecodingKey,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) tid: String,
    pub(crate) appid: String,
    pub(crate) oid: String,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a JWT at all.
    Unreadable,
    /// A JWT, but not valid here.
    Invalid,
}

impl TokenKeys {
    /// Makes a 2,048-bit key; takes a second or two.
    pub(crate) fn generate() -> Result<Self, rsa::errors::Error> {
        let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, 2048)?;
        let public = key.to_public_key().to_pkcs1_der()?;
        Ok(Self {
            private: EncodingKey::from_rsa_der(key.to_pkcs1_der()?.as_bytes()),
            public: DecodingKey::from_rsa_der(public.as_bytes()),
        })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, Error> {
        encode(&Header::new(Algorithm::RS256), claims, &self.private)
    }

    /// Checks signature, algorithm (RS256 alone), `aud`, `iss`, `tid`, `exp` and `nbf`, without leeway.
    pub(crate) fn verify(&self, token: &str, audience: &str, tenant: &str) -> Result<Claims, Refusal> {
        if jsonwebtoken::decode_header(token).is_err() && !is_foreign_jwt(token) {
            return Err(Refusal::Unreadable);
        }
        let mut rules = Validation::new(Algorithm::RS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_audience(&[audience]);
        rules.set_issuer(&[issuer(tenant)]);
        rules.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
        let claims = decode::<Claims>(token, &self.public, &rules)
            .map_err(|error| match error.kind() {
                ErrorKind::Base64(_) | ErrorKind::Utf8(_) => Refusal::Unreadable,
                _ => Refusal::Invalid,
            })?
            .claims;
        if claims.tid == tenant { Ok(claims) } else { Err(Refusal::Invalid) }
    }
}

/// Issuer of tokens of a tenant.
pub(crate) fn issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Three parts whose first is JSON with an `alg` this library does not know, such as `none`: a token, but a bad one.
fn is_foreign_jwt(token: &str) -> bool {
    use base64::Engine;
    let mut parts = token.split('.');
    let header = parts.next().unwrap_or_default();
    let rest = parts.count();
    rest == 2
        && base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(header)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
            .is_some_and(|json| json.get("alg").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIENCE: &str = "http://127.0.0.1:9";

    fn claims(change: impl FnOnce(&mut Claims)) -> Claims {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = Claims {
            aud: AUDIENCE.to_owned(),
            iss: issuer("t1"),
            tid: "t1".to_owned(),
            appid: "app".to_owned(),
            oid: "object".to_owned(),
            iat: now,
            nbf: now - 5,
            exp: now + 60,
        };
        change(&mut claims);
        claims
    }

    #[test]
    fn each_claim_is_checked() {
        let keys = TokenKeys::generate().unwrap();
        let verdict =
            |claims: Claims| keys.verify(&keys.sign(&claims).unwrap(), AUDIENCE, "t1").map(|c| c.appid);
        assert_eq!(verdict(claims(|_| ())), Ok("app".to_owned()));
        let bad: [fn(&mut Claims); 5] = [
            |c| c.aud = "http://127.0.0.1:9/".to_owned(),
            |c| c.iss = issuer("t2"),
            |c| c.tid = "t2".to_owned(),
            |c| c.exp = c.nbf,
            |c| c.nbf = c.exp,
        ];
        for change in bad {
            assert_eq!(verdict(claims(change)), Err(Refusal::Invalid));
        }
    }

    #[test]
    fn only_rs256_of_this_key_is_taken() {
        let keys = TokenKeys::generate().unwrap();
        let good = keys.sign(&claims(|_| ())).unwrap();
        let body = good.split('.').nth(1).unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{body}.");
        assert_eq!(keys.verify(&none, AUDIENCE, "t1").map(|_| ()), Err(Refusal::Invalid));
        let hs256 =
            encode(&Header::new(Algorithm::HS256), &claims(|_| ()), &EncodingKey::from_secret(b"x")).unwrap();
        assert_eq!(keys.verify(&hs256, AUDIENCE, "t1").map(|_| ()), Err(Refusal::Invalid));
        let other = TokenKeys::generate().unwrap().sign(&claims(|_| ())).unwrap();
        assert_eq!(keys.verify(&other, AUDIENCE, "t1").map(|_| ()), Err(Refusal::Invalid));
        assert_eq!(keys.verify("not a token", AUDIENCE, "t1").map(|_| ()), Err(Refusal::Unreadable));
    }
}
