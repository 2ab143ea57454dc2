//! The public keys of an issuer, and what they have signed.
//!
//! Which algorithms are accepted is said here and by the key, never by the token alone: a token that names `none`, or
//! an algorithm with a shared secret, is refused before any key is looked at. Keys that a token brings along or points
//! to (`jwk`, `jku`, `x5c`, `x5u`) are never used.

use crate::domain::people::claims::{Claims, Refused};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, crypto, decode_header};
use serde_json::Value;

/// The longest token, in bytes.
pub const LONGEST_TOKEN: usize = 16 << 10;

/// Of a longer list, only so many keys are used.
const MOST_KEYS: usize = 50;

const ACCEPTED: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

/// The keys of one issuer.
pub struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    /// `None`: any that fits its type.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517). Keys that verify none of the accepted algorithms are left out. An error
    /// says why there is none.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let document: Value =
            serde_json::from_slice(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let listed = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("it has no list `keys`, so it is not a JSON Web Key Set")?;
        let keys: Vec<Key> = listed.iter().filter_map(Key::of).take(MOST_KEYS).collect();
        if keys.is_empty() {
            return Err("it has no public key for RS256, PS256, ES256 or EdDSA".to_owned());
        }
        Ok(Self(keys))
    }

    /// The claims of a token that one of the keys has signed. They are not checked yet.
    pub fn verify(&self, token: &str) -> Result<Claims, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Malformed);
        }
        let mut parts = token.split('.');
        let (Some(head), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::Malformed);
        };
        // `none` and what nobody knows are no algorithms for the parser.
        let header = decode_header(token).map_err(|_| Refused::Algorithm)?;
        if !ACCEPTED.contains(&header.alg) {
            return Err(Refused::Algorithm);
        }
        if header.crit.is_some() {
            return Err(Refused::Critical);
        }
        let mut fitting = self.0.iter().filter(|key| key.fits(&header)).peekable();
        if fitting.peek().is_none() {
            return Err(Refused::UnknownKey);
        }
        let message = &token.as_bytes()[..head.len() + 1 + payload.len()];
        let is_signed = fitting
            .any(|key| crypto::verify(signature, message, &key.key, header.alg).unwrap_or(false));
        if !is_signed {
            return Err(Refused::Signature);
        }
        let claims = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| Refused::Malformed)?;
        serde_json::from_slice(&claims)
            .map(Claims::new)
            .map_err(|_| Refused::Malformed)
    }
}

impl Key {
    /// `None`: it is not a public key for an accepted algorithm.
    fn of(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let signs = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        let is_public = matches!(
            jwk.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        if !signs || !is_public {
            return None;
        }
        let algorithm = match jwk.common.key_algorithm {
            None => None,
            Some(named) => Some(
                Algorithm::try_from(named)
                    .ok()
                    .filter(|algorithm| ACCEPTED.contains(algorithm))?,
            ),
        };
        Some(Self {
            key: DecodingKey::from_jwk(&jwk).ok()?,
            id: jwk.common.key_id,
            algorithm,
        })
    }

    fn fits(&self, header: &Header) -> bool {
        let is_named = header.kid.is_none() || self.id == header.kid;
        let is_for = match self.algorithm {
            Some(algorithm) => algorithm == header.alg,
            None => self.key.family() == header.alg.family(),
        };
        is_named && is_for
    }
}
