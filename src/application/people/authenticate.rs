//! Who holds a bearer token.
//!
//! Tokens have 256 bits of randomness, so their SHA-256 is enough to keep: there is nothing to
//! guess. A workspace token is found by its hash, which takes about the same time whatever it is; the
//! operator's is compared in constant time.
//!
//! Anybody can send made-up tokens. What that costs is bounded without refusing anybody: a token that
//! was unknown a moment ago is refused from memory, and tokens that have not been used lately are looked
//! for together, in one statement at a time, whoever sent them. One that is in use has its own statement.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{SecretHash, Store, StoreError, StoreResult};
use crate::application::kept::vault::{random_bytes, sha256};
use crate::application::observe::Observer;
use crate::application::people::caller::{Caller, Credential, Member};
use crate::domain::people::workspace::ApiToken;
use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What every token that the service makes starts with, so secret scanners find a leaked one.
pub const TOKEN_PREFIX: &str = "spt_";

/// A new token: the secret for its holder, and the hash to keep.
pub fn new_token() -> Result<(SecretString, SecretHash)> {
    let secret = format!(
        "{TOKEN_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)
    );
    let hash = sha256(secret.as_bytes());
    Ok((secret.into(), hash))
}

/// How long a token that was unknown is refused without asking. It cannot become a good one: the service
/// makes tokens by chance.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
/// How long a token counts as one that is in use.
const USED_FOR: Duration = Duration::from_secs(60 * 60);
/// How many tokens are remembered, of either kind; each takes about 100 bytes.
const MOST_REMEMBERED: u64 = 50_000;
/// How many tokens one statement looks for.
const TOGETHER: usize = 256;

/// Where the service keeps the hash of the operator's token that it made.
const OPERATOR: &str = "operator_token_hash";
/// How long a token of the operator's that was replaced may still be taken.
const REREAD_AFTER: Duration = Duration::from_secs(5);

pub struct Authenticator {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    used: Cache<SecretHash, ()>,
    unknown: Cache<SecretHash, ()>,
    lookups: Lookups,
    operator: OperatorToken,
}

/// How the operator's token is known.
enum OperatorToken {
    /// From the settings.
    Given(SecretHash),
    /// From the database, where another process may replace it. `None` until the database was reached for
    /// the first time.
    Kept(Mutex<Option<KeptHash>>),
}

#[derive(Clone, Copy)]
struct KeptHash {
    hash: SecretHash,
    read_at: Instant,
}

/// Replaces the token that the service made for the operator. Running services take the new one, and refuse
/// the old one, within seconds.
pub async fn replace_operator_token(store: &dyn Store) -> Result<SecretString> {
    let (secret, hash) = new_token()?;
    store.replace_remembered(OPERATOR, &hash).await?;
    Ok(secret)
}

impl Authenticator {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        operator: Option<&SecretString>,
    ) -> Self {
        let remember = |life| {
            let cache = Cache::builder().max_capacity(MOST_REMEMBERED);
            cache.time_to_live(life).build()
        };
        let operator = match operator {
            Some(token) => OperatorToken::Given(sha256(token.expose_secret().as_bytes())),
            None => OperatorToken::Kept(Mutex::default()),
        };
        Self {
            store,
            clock,
            observer,
            used: remember(USED_FOR),
            unknown: remember(UNKNOWN_FOR),
            lookups: Lookups::default(),
            operator,
        }
    }

    /// Finds out the operator's token. `Some` is a token made just now, to be shown once.
    pub async fn prepare(&self) -> Result<Option<SecretString>> {
        let OperatorToken::Kept(slot) = &self.operator else {
            return Ok(None);
        };
        let (secret, hash) = new_token()?;
        let kept = parse_hash(&self.store.remember(OPERATOR, &hash).await?)?;
        set(slot, kept);
        Ok((kept == hash).then_some(secret))
    }

    /// The hash of the operator's token, as it is now.
    async fn operator(&self) -> Option<SecretHash> {
        let slot = match &self.operator {
            OperatorToken::Given(hash) => return Some(*hash),
            OperatorToken::Kept(slot) => slot,
        };
        let known = *slot.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known?;
        if known.read_at.elapsed() < REREAD_AFTER {
            return Some(known.hash);
        }
        // Others take the known one while this request reads it again.
        set(slot, known.hash);
        match self.store.remembered(OPERATOR).await {
            Ok(kept) => {
                let kept = kept.first().and_then(|(_, hash)| parse_hash(hash).ok());
                if let Some(hash) = kept {
                    set(slot, hash);
                }
                kept
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the operator's token again");
                Some(known.hash)
            }
        }
    }

    /// The caller with this token. Unknown, expired and revoked ones are refused alike.
    pub async fn caller(&self, token: &str) -> Result<Caller> {
        let hash = sha256(token.as_bytes());
        if let Some(operator) = self.operator().await
            && constant_time::verify_slices_are_equal(&operator, &hash).is_ok()
        {
            return Ok(Caller::Operator);
        }
        let found = match self.unknown.contains_key(&hash) {
            true => None,
            false => self.find(&hash).await?,
        };
        let token = found.ok_or_else(|| {
            Error::new(
                Kind::Unauthenticated,
                "unauthenticated",
                "This token is unknown, expired or revoked.",
            )
        })?;
        Ok(Caller::Workspace(Member {
            workspace: token.workspace,
            role: token.role,
            credential: Credential::Token(token.id),
            on_behalf_of: None,
        }))
    }

    /// The token with this hash, if it is still good. The database is always asked for one that may be.
    async fn find(&self, hash: &SecretHash) -> Result<Option<ApiToken>> {
        let found = match self.used.contains_key(hash) {
            true => self.store.token_by_hash(hash).await?,
            false => {
                let (store, observer) = (self.store.as_ref(), self.observer.as_ref());
                self.lookups.find(store, observer, *hash).await?
            }
        };
        let now = self.clock.now();
        let good = found.filter(|t| t.expires_at.is_none_or(|end| end > now));
        match &good {
            Some(_) => self.used.insert(*hash, ()).await,
            None => {
                self.used.invalidate(hash).await;
                self.unknown.insert(*hash, ()).await;
            }
        }
        Ok(good)
    }
}

type Answer = StoreResult<Option<ApiToken>>;

/// Looks for tokens together: while one statement runs, those that come wait for the next one.
#[derive(Default)]
struct Lookups {
    waiting: Mutex<VecDeque<(SecretHash, oneshot::Sender<Answer>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Lookups {
    async fn find(&self, store: &dyn Store, observer: &dyn Observer, hash: SecretHash) -> Answer {
        let (sender, mut answer) = oneshot::channel();
        self.queue().push_back((hash, sender));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.unwrap_or_else(|_| {
                    Err(StoreError::Unavailable("the look-up was given up".to_owned()))
                }),
                // Whoever has the turn asks for all that wait. Turns are given in the order of asking,
                // as is the queue, so it is among them.
                _turn = self.turn.lock() => self.ask(store, observer).await,
            }
        }
    }

    async fn ask(&self, store: &dyn Store, observer: &dyn Observer) {
        let batch: Vec<_> = {
            let mut queue = self.queue();
            let some = queue.len().min(TOGETHER);
            queue.drain(..some).collect()
        };
        if batch.is_empty() {
            return;
        }
        observer.looked_for_tokens();
        let hashes: Vec<SecretHash> = batch.iter().map(|(hash, _)| *hash).collect();
        let found = store.tokens_by_hashes(&hashes).await;
        for (hash, sender) in batch {
            let answer = match &found {
                Ok(found) => Ok(found.get(&hash).cloned()),
                Err(error) => Err(error.clone()),
            };
            // Somebody who has left needs none.
            let _ = sender.send(answer);
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<(SecretHash, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(slot: &Mutex<Option<KeptHash>>, hash: SecretHash) {
    let read_at = Instant::now();
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(KeptHash { hash, read_at });
}

fn parse_hash(kept: &[u8]) -> Result<SecretHash> {
    SecretHash::try_from(kept)
        .map_err(|_| Error::bug("the stored hash of the operator's token is damaged"))
}
