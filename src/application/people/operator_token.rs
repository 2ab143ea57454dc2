//! The operator's token that the service made by itself, on its first start or when it was replaced.

use crate::application::error::Result;
use crate::application::kept::store::{SecretHash, Store};
use crate::application::people::secrets::{SecretKind, new_secret};
use secrecy::SecretString;
use uuid::Uuid;

/// Where the service keeps the hash of the operator's token that it made.
pub(super) const OPERATOR: &str = "operator_token_hash";
/// Below this it keeps the hashes of those that were replaced, so that a copy can be told from somebody else's token.
const REPLACED: &str = "replaced_operator_token";

/// Whether the service has made a token for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeToken {
    /// It is the present one.
    Present,
    /// Another one took its place, for good.
    Replaced,
    /// The service did not make it, or not with this database, or a release made it that did not keep what it replaced.
    Foreign,
}

/// Replaces the token that the service made for the operator. Running services take the new one, and refuse
/// the old one, within seconds.
pub async fn replace_operator_token(store: &dyn Store) -> Result<SecretString> {
    let (secret, hash) = new_secret(SecretKind::Token)?;
    // First: one that is in both places is still the present one.
    for (_, before) in store.remembered(OPERATOR).await? {
        let name = format!("{REPLACED}/{}", Uuid::now_v7().simple());
        store.remember(&name, &before).await?;
    }
    store.replace_remembered(OPERATOR, &hash).await?;
    Ok(secret)
}

/// What is known of the token with this hash.
pub async fn made_token(store: &dyn Store, hash: &SecretHash) -> Result<MadeToken> {
    let has = |kept: Vec<(String, Vec<u8>)>| kept.iter().any(|(_, known)| known == hash);
    if has(store.remembered(OPERATOR).await?) {
        return Ok(MadeToken::Present);
    }
    match has(store.remembered(REPLACED).await?) {
        true => Ok(MadeToken::Replaced),
        false => Ok(MadeToken::Foreign),
    }
}
