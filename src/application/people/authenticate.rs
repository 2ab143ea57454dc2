//! Who holds a bearer token.
//!
//! Tokens have 256 bits of randomness, so their SHA-256 is enough to keep: there is nothing to
//! guess. A workspace's token and a product's key are found by their hash, which takes about the same time
//! whatever it is; the operator's token is compared in constant time.
//!
//! Anybody can send made-up tokens. What that costs is bounded without refusing anybody: a token that
//! was unknown a moment ago is refused from memory, and tokens that have not been used lately are looked
//! for together, in one statement at a time, whoever sent them. One that is in use is asked for by itself; the store
//! answers from memory while it knows what was changed.

use crate::application::clock::Clock;
use crate::application::error::{Error, Kind, Result};
use crate::application::kept::store::{HeldToken, SecretHash, Store, StoreError, StoreResult};
use crate::application::kept::vault::sha256;
use crate::application::observe::Observer;
use crate::application::people::operator_token::OPERATOR;
use crate::application::people::secrets::{SecretKind, new_secret};
use crate::application::people::usage::UsageMeter;
use crate::domain::people::product_key::ProductKey;
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// How long a token that was unknown is refused without asking. The service makes tokens by chance, so it can only
/// become a good one with a workspace that is imported ([`Authenticator::forget_unknown`]).
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
/// How long a token counts as one that is in use.
const USED_FOR: Duration = Duration::from_secs(60 * 60);
/// How many tokens are remembered, of either kind; each takes about 100 bytes.
const MOST_REMEMBERED: u64 = 50_000;
/// How many tokens one statement looks for.
const TOGETHER: usize = 256;

/// How long a token of the operator's that was replaced may still be taken.
const REREAD_AFTER: Duration = Duration::from_secs(5);

pub struct Authenticator {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    usage: Arc<UsageMeter>,
    tokens: Known<HeldToken>,
    keys: Known<ProductKey>,
    operator: OperatorToken,
}

/// Whose secret it is.
#[derive(Debug, Clone)]
pub enum Bearer {
    Operator,
    Key(ProductKey),
    /// With how its workspace stands.
    Token(HeldToken),
}

/// What is known of the secrets of one kind.
struct Known<T> {
    used: Cache<SecretHash, ()>,
    unknown: Cache<SecretHash, ()>,
    lookups: Lookups<T>,
}

impl<T> Known<T> {
    fn new() -> Self {
        let remember = |life| {
            let cache = Cache::builder().max_capacity(MOST_REMEMBERED);
            cache.time_to_live(life).build()
        };
        Self {
            used: remember(USED_FOR),
            unknown: remember(UNKNOWN_FOR),
            lookups: Lookups::default(),
        }
    }
}

/// What is found by the hash of its secret.
#[async_trait]
trait Found: Clone + Send + Sync + 'static {
    async fn by_hash(store: &dyn Store, hash: &SecretHash) -> StoreResult<Option<Self>>;

    /// Several in one statement.
    async fn by_hashes(
        store: &dyn Store,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, Self>>;

    fn expires_at(&self) -> Option<OffsetDateTime>;

    /// Notes that it was used.
    fn note_use(&self, usage: &UsageMeter);
}

#[async_trait]
impl Found for HeldToken {
    async fn by_hash(store: &dyn Store, hash: &SecretHash) -> StoreResult<Option<Self>> {
        store.token_by_hash(hash).await
    }

    async fn by_hashes(
        store: &dyn Store,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, Self>> {
        store.tokens_by_hashes(hashes).await
    }

    fn expires_at(&self) -> Option<OffsetDateTime> {
        self.token.expires_at
    }

    fn note_use(&self, usage: &UsageMeter) {
        usage.used_token(&self.token);
    }
}

#[async_trait]
impl Found for ProductKey {
    async fn by_hash(store: &dyn Store, hash: &SecretHash) -> StoreResult<Option<Self>> {
        store.product_key_by_hash(hash).await
    }

    async fn by_hashes(
        store: &dyn Store,
        hashes: &[SecretHash],
    ) -> StoreResult<HashMap<SecretHash, Self>> {
        store.product_keys_by_hashes(hashes).await
    }

    fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }

    fn note_use(&self, usage: &UsageMeter) {
        usage.used_key(self);
    }
}

/// How the operator's token is known.
enum OperatorToken {
    /// From the settings.
    Given(RwLock<GivenHashes>),
    /// From the database, where another process may replace it. `None` until the database was reached for
    /// the first time.
    Kept(Mutex<Option<KeptHash>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct GivenHashes {
    present: SecretHash,
    /// The token of before, which is taken too.
    previous: Option<SecretHash>,
}

impl GivenHashes {
    fn of(present: &SecretString, previous: Option<&SecretString>) -> Self {
        let hash = |token: &SecretString| sha256(token.expose_secret().as_bytes());
        Self {
            present: hash(present),
            previous: previous.map(hash),
        }
    }
}

#[derive(Clone, Copy)]
struct KeptHash {
    hash: SecretHash,
    read_at: Instant,
}

impl Authenticator {
    /// `operator` is the operator's token from the settings, and `previous` the one of before, which is taken too.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        usage: Arc<UsageMeter>,
        operator: Option<&SecretString>,
        previous: Option<&SecretString>,
    ) -> Self {
        let operator = match operator {
            Some(token) => OperatorToken::Given(RwLock::new(GivenHashes::of(token, previous))),
            None => OperatorToken::Kept(Mutex::default()),
        };
        Self {
            store,
            clock,
            observer,
            usage,
            tokens: Known::new(),
            keys: Known::new(),
            operator,
        }
    }

    /// Finds out the operator's token. `Some` is a token made just now, to be shown once.
    pub async fn prepare(&self) -> Result<Option<SecretString>> {
        let OperatorToken::Kept(slot) = &self.operator else {
            return Ok(None);
        };
        let (secret, hash) = new_secret(SecretKind::Token)?;
        let kept = parse_hash(&self.store.remember(OPERATOR, &hash).await?)?;
        set(slot, kept);
        Ok((kept == hash).then_some(secret))
    }

    /// Takes these tokens of the operator's from now on, and no others. Whether they differ from those before.
    /// Nothing is changed where the token is not from the settings.
    pub fn replace_given(&self, present: &SecretString, previous: Option<&SecretString>) -> bool {
        let OperatorToken::Given(hashes) = &self.operator else {
            return false;
        };
        let given = GivenHashes::of(present, previous);
        let mut hashes = hashes.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *hashes, given) != given
    }

    /// The hash of the operator's token that the service made, as it is now.
    async fn kept(&self, slot: &Mutex<Option<KeptHash>>) -> Option<SecretHash> {
        let known = *slot.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known?;
        if known.read_at.elapsed() < REREAD_AFTER {
            return Some(known.hash);
        }
        // Others take the known one while this request reads it again.
        set(slot, known.hash);
        match self.store.known_remembered(OPERATOR).await {
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

    /// Whose secret this is. Unknown, expired and revoked ones are refused alike.
    pub async fn bearer(&self, secret: &str) -> Result<Bearer> {
        let hash = sha256(secret.as_bytes());
        if self.is_operator(&hash).await {
            return Ok(Bearer::Operator);
        }
        let found = match secret.starts_with(SecretKind::ProductKey.prefix()) {
            true => self.key(&hash).await?.map(Bearer::Key),
            false => self.token(&hash).await?.map(Bearer::Token),
        };
        found.ok_or_else(unknown)
    }

    /// Whether this is the hash of a token of the operator's, as they are now.
    pub async fn is_operator(&self, hash: &SecretHash) -> bool {
        let is_own = |own: SecretHash| constant_time::verify_slices_are_equal(&own, hash).is_ok();
        match &self.operator {
            OperatorToken::Given(hashes) => {
                let hashes = *hashes.read().unwrap_or_else(PoisonError::into_inner);
                is_own(hashes.present) || hashes.previous.is_some_and(is_own)
            }
            OperatorToken::Kept(slot) => self.kept(slot).await.is_some_and(is_own),
        }
    }

    /// Looks for tokens again that were unknown a moment ago. A workspace that is imported brings tokens that clients
    /// may have used before.
    pub fn forget_unknown(&self) {
        self.tokens.unknown.invalidate_all();
    }

    /// The product's key with this hash, if it is still good.
    pub async fn key(&self, hash: &SecretHash) -> Result<Option<ProductKey>> {
        self.find(&self.keys, hash).await
    }

    /// The workspace's token with this hash, if it is still good.
    pub async fn token(&self, hash: &SecretHash) -> Result<Option<HeldToken>> {
        self.find(&self.tokens, hash).await
    }

    /// The database, or what is known of it within the last second, is always asked for one that may be good.
    async fn find<T: Found>(&self, known: &Known<T>, hash: &SecretHash) -> Result<Option<T>> {
        if known.unknown.contains_key(hash) {
            return Ok(None);
        }
        let found = match known.used.contains_key(hash) {
            true => T::by_hash(self.store.as_ref(), hash).await?,
            false => {
                let (store, observer) = (self.store.as_ref(), self.observer.as_ref());
                known.lookups.find(store, observer, *hash).await?
            }
        };
        let now = self.clock.now();
        let good = found.filter(|found| found.expires_at().is_none_or(|end| end > now));
        match &good {
            Some(found) => {
                found.note_use(&self.usage);
                known.used.insert(*hash, ()).await;
            }
            None => {
                known.used.invalidate(hash).await;
                known.unknown.insert(*hash, ()).await;
            }
        }
        Ok(good)
    }
}

/// The answer to a secret that opens nothing.
pub fn unknown() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "unauthenticated",
        "This token is unknown, expired or revoked.",
    )
}

type Answer<T> = StoreResult<Option<T>>;
type Waiting<T> = VecDeque<(SecretHash, oneshot::Sender<Answer<T>>)>;

/// Looks for secrets together: while one statement runs, those that come wait for the next one.
struct Lookups<T> {
    waiting: Mutex<Waiting<T>>,
    turn: tokio::sync::Mutex<()>,
}

impl<T> Default for Lookups<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::new(VecDeque::new()),
            turn: tokio::sync::Mutex::new(()),
        }
    }
}

impl<T: Found> Lookups<T> {
    async fn find(
        &self,
        store: &dyn Store,
        observer: &dyn Observer,
        hash: SecretHash,
    ) -> Answer<T> {
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
        let found = T::by_hashes(store, &hashes).await;
        for (hash, sender) in batch {
            let answer = match &found {
                Ok(found) => Ok(found.get(&hash).cloned()),
                Err(error) => Err(error.clone()),
            };
            // Somebody who has left needs none.
            let _ = sender.send(answer);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Waiting<T>> {
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
