//! The cache of sessions: which is used, and when another takes its place.

use crate::application::observe::Observer;
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::local;
use crate::aws::sessions::limits::SessionLimits;
use crate::aws::sessions::opener::{InNameOf, SessionOpener};
use crate::aws::sessions::people::SessionPeople;
use crate::aws::sessions::session::{AwsSession, ByRemainingLife, SessionKey, SessionScope};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::{ConnectedBucket, Credentials, Owner};
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// More storages than this in use at once only cost more AssumeRole calls.
const MOST_SESSIONS: u64 = 20_000;
/// How long it is remembered that an owner's sessions were forgotten. No AssumeRole takes as long.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// How long it is remembered that an owner is gone. What began before, like a long read, has ended by then.
const ENDED: Duration = Duration::from_secs(24 * 3_600);

/// The code of a request in the name of a storage that was deleted meanwhile.
const STORAGE_DELETED: &str = "StorageDeleted";

/// How fast sessions are mistrusted.
#[derive(Debug, Clone, Copy)]
pub struct SessionPace {
    /// A denial makes a session suspect when it is at least this old. *Revoke active sessions* makes S3
    /// deny everything to older sessions (IAM user guide, "Revoke IAM role temporary security
    /// credentials"), in the same words as a permission that is missing.
    pub trusted: Duration,
    /// A session is replaced because it is suspect once in this time. A denial is a permission that is
    /// missing more often than a session that was revoked.
    pub between_suspicions: Duration,
    /// How long the role's refusal is remembered.
    pub refusal: Duration,
}

impl Default for SessionPace {
    fn default() -> Self {
        Self {
            trusted: Duration::from_secs(60),
            between_suspicions: Duration::from_secs(60),
            refusal: Duration::from_secs(10),
        }
    }
}

/// The cache of sessions, and the only place that calls AssumeRole for file operations.
pub struct RoleSessions {
    opener: SessionOpener,
    observer: Arc<dyn Observer>,
    limits: SessionLimits,
    people: SessionPeople,
    pace: SessionPace,
    cache: Cache<SessionKey, Arc<AwsSession>>,
    /// Definite refusals of roles. Requests that come soon after one get the same answer.
    refusals: Cache<SessionKey, AwsFailure>,
    /// Sessions that were replaced a short while ago because they were suspect.
    suspicions: Cache<SessionKey, ()>,
    forgotten: Cache<Owner, Instant>,
    /// Owners that are gone.
    ended: Cache<Owner, ()>,
    /// Held while a suspect session is looked at, so that only one request replaces it.
    replacing: Mutex<()>,
}

impl RoleSessions {
    pub fn new(opener: SessionOpener, observer: Arc<dyn Observer>) -> Self {
        Self::with_pace(opener, observer, SessionPace::default())
    }

    pub fn with_pace(
        opener: SessionOpener,
        observer: Arc<dyn Observer>,
        pace: SessionPace,
    ) -> Self {
        Self {
            opener,
            observer,
            limits: SessionLimits::default(),
            people: SessionPeople::new(false),
            pace,
            cache: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .expire_after(ByRemainingLife)
                .build(),
            refusals: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .time_to_live(pace.refusal)
                .build(),
            suspicions: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .time_to_live(pace.between_suspicions)
                .build(),
            forgotten: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .time_to_live(FORGOTTEN)
                .build(),
            ended: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .time_to_live(ENDED)
                .build(),
            replacing: Mutex::default(),
        }
    }

    /// Whether calls for a person of the product's are made with a session of their own, which names them to the
    /// customer.
    pub fn attributing(self, is_on: bool) -> Self {
        Self {
            people: SessionPeople::new(is_on),
            ..self
        }
    }

    /// What the session for this bucket and scope is known by.
    async fn key(&self, bucket: &ConnectedBucket, scope: SessionScope) -> SessionKey {
        let person = self.people.of(bucket).await;
        self.opener.key(bucket, person, scope)
    }

    /// For sessions that are not kept.
    pub fn opener(&self) -> &SessionOpener {
        &self.opener
    }

    pub fn clients(&self) -> &Arc<AwsClients> {
        self.opener.clients()
    }

    /// The session to use for this bucket now. Requests that come while one is being made wait for it.
    pub async fn session(&self, bucket: &ConnectedBucket) -> Result<Arc<AwsSession>, AwsFailure> {
        self.session_in(bucket, SessionScope::Files).await
    }

    /// About how many sessions are kept.
    pub fn kept(&self) -> u64 {
        self.cache.entry_count()
    }

    /// The session for something beyond the documents' actions.
    pub async fn session_in(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        let key = self.key(bucket, scope).await;
        let known = self.cache.get(&key).await;
        self.observer.needed_session(known.is_some());
        if let Some(session) = known {
            return Ok(session);
        }
        if self.ended.contains_key(&bucket.owner) {
            return Err(deleted());
        }
        if let Some(refusal) = self.refusals.get(&key).await {
            return Err(refusal);
        }
        let _waiting = self.limits.wait(bucket.owner.workspace()).await?;
        let begun = Instant::now();
        let opened = self
            .cache
            .try_get_with(key.clone(), self.open(bucket, &key))
            .await
            .map_err(|failure| AwsFailure::clone(&failure));
        let forgotten = self.forgotten.get(&bucket.owner).await;
        let is_forgotten = forgotten.is_some_and(|at| at >= begun);
        match &opened {
            Ok(_) if is_forgotten => self.cache.invalidate(&key).await,
            Err(failure) if is_refusal(failure) && !is_forgotten => {
                self.refusals.insert(key, failure.clone()).await;
            }
            Ok(_) | Err(_) => {}
        }
        opened
    }

    /// The session that signs URLs which shall live for `life`. It lives as long, or for half of what
    /// sessions live at least: a younger one takes its place at half its life. One of the service's own credentials
    /// ends when the service has others.
    pub async fn signing_session(
        &self,
        bucket: &ConnectedBucket,
        life: Duration,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        const SCOPE: SessionScope = SessionScope::Links;
        let session = self.session_in(bucket, SCOPE).await?;
        if !session.is_outgrown(life) && !self.has_other_keys_now(bucket, &session).await {
            return Ok(session);
        }
        let key = self.key(bucket, SCOPE).await;
        self.drop_session(&key, &session).await;
        match self.session_in(bucket, SCOPE).await {
            // There is none now, and the one that was is good for a while yet, unless it was forgotten.
            Err(failure) if failure.kind.is_transient() => {
                self.cache.insert(key.clone(), session.clone()).await;
                // Asked after it is there again: whoever forgets meanwhile finds it, or is found here.
                let forgotten = self.forgotten.get(&bucket.owner).await;
                if forgotten.is_some_and(|at| at >= session.made_at) {
                    self.cache.invalidate(&key).await;
                    return Err(failure);
                }
                Ok(session)
            }
            answer => answer,
        }
    }

    /// Whether the service's own credentials, with which a session signs, are others by now. Nobody who uses a URL
    /// says that they are refused.
    async fn has_other_keys_now(&self, bucket: &ConnectedBucket, session: &AwsSession) -> bool {
        match (&bucket.connection.credentials, &session.signer) {
            (Credentials::Service, Some(signer)) => {
                let own = self.opener.own_credentials().await;
                own.is_ok_and(|own| !signer.signs_with(&own))
            }
            (Credentials::Service, None)
            | (Credentials::Role { .. } | Credentials::AccessKey { .. }, _) => false,
        }
    }

    /// Makes a call with a session. When AWS may no longer accept the session, the call is made once more
    /// with another.
    pub async fn call<T, F>(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
        session: Arc<AwsSession>,
        call: impl Fn(Arc<AwsSession>) -> F,
    ) -> Result<T, AwsFailure>
    where
        F: Future<Output = Result<T, AwsFailure>>,
    {
        let failure = match call(session.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        if !self.is_dead(bucket, scope, &session, &failure).await {
            return Err(failure);
        }
        let another = self.session_in(bucket, scope).await?;
        let answer = call(another.clone()).await;
        let is_accepted = match &answer {
            Ok(_) => true,
            Err(failure) => shows_acceptance(failure.kind),
        };
        if is_accepted {
            self.has_proved_itself(bucket, &another).await;
        }
        answer
    }

    /// Judges a session by the failure of a call that it made. `true`: AWS may no longer accept the session
    /// (it was revoked, or the role was made again). Then it is not used any more, and the same call may be
    /// made once more with another.
    pub async fn is_dead(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
        session: &Arc<AwsSession>,
        failure: &AwsFailure,
    ) -> bool {
        if !self.is_suspect(session, failure.kind) {
            return false;
        }
        match &bucket.connection.credentials {
            Credentials::Role { .. } => {}
            // There is no other key.
            Credentials::AccessKey { .. } => return false,
            Credentials::Service => {
                return failure.kind == FailureKind::BadCredentials
                    && self.clients().suspect_own_credentials();
            }
        }
        if failure.error_code.as_deref() == Some("InvalidToken")
            && let Some(region) = failure.region().or(bucket.connection.settings.region)
        {
            self.opener.ask_in(&bucket.owner, region).await;
        }
        let key = self.key(bucket, scope).await;
        let _one_at_a_time = self.replacing.lock().await;
        if !self.is_current(&key, session).await {
            // Somebody else has replaced it: there is another already, or one is being made.
            return true;
        }
        let suspicion = self.suspicions.entry(key.clone()).or_insert(()).await;
        if !suspicion.is_fresh() {
            return false;
        }
        tracing::info!(
            storage = %bucket.owner,
            %failure,
            "replacing a session that AWS may no longer accept"
        );
        self.cache.invalidate(&key).await;
        true
    }

    fn is_suspect(&self, session: &AwsSession, kind: FailureKind) -> bool {
        match kind {
            FailureKind::BadCredentials => true,
            FailureKind::AccessDenied => session.age() >= self.pace.trusted,
            FailureKind::KmsDenied
            | FailureKind::ClockSkew
            | FailureKind::NoSuchKey
            | FailureKind::NoSuchBucket
            | FailureKind::WrongRegion
            | FailureKind::NotModified
            | FailureKind::PreconditionFailed
            | FailureKind::InvalidRange
            | FailureKind::Archived
            | FailureKind::ObjectLocked
            | FailureKind::KmsUnusable
            | FailureKind::AccountDisabled
            | FailureKind::Redirected
            | FailureKind::NotSupported
            | FailureKind::InvalidRequest
            | FailureKind::Throttled
            | FailureKind::Unavailable
            | FailureKind::Timeout
            | FailureKind::Network
            | FailureKind::ForbiddenAddress
            | FailureKind::InvalidResponse
            | FailureKind::NotS3
            | FailureKind::ListingIncomplete => false,
        }
    }

    /// [`is_dead`](Self::is_dead) for a call that cannot be made once more. No second answer shows whether it
    /// was the session, so the owner's other sessions that are old enough to be suspect are dropped too.
    pub async fn retire(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
        session: &Arc<AwsSession>,
        failure: &AwsFailure,
    ) -> bool {
        let is_dead = self.is_dead(bucket, scope, session, failure).await;
        if is_dead {
            let trusted = self.pace.trusted;
            self.drop_made(&bucket.owner, |at| {
                at <= session.made_at || at.elapsed() >= trusted
            })
            .await;
        }
        is_dead
    }

    /// A call that was denied to an older session is not denied to this one. What made the older one dead,
    /// made all of its age dead: the owner's other sessions are dropped, and with them the one that signs URLs.
    async fn has_proved_itself(&self, bucket: &ConnectedBucket, session: &AwsSession) {
        if !session.proved.swap(true, Ordering::Relaxed) {
            self.drop_made(&bucket.owner, |at| at < session.made_at)
                .await;
        }
    }

    /// Drops the sessions of an owner that were made at such a time.
    async fn drop_made(&self, owner: &Owner, at: impl Fn(Instant) -> bool) {
        let old: Vec<Arc<SessionKey>> = self
            .cache
            .iter()
            .filter(|(key, session)| key.owner == *owner && at(session.made_at))
            .map(|(key, _)| key)
            .collect();
        for key in old {
            self.cache.invalidate(&*key).await;
        }
    }

    /// Drops this session, so the next request makes a new one. One that somebody else has made
    /// meanwhile stays: many requests whose session ends together make one AssumeRole call.
    async fn drop_session(&self, key: &SessionKey, old: &Arc<AwsSession>) {
        let _one_at_a_time = self.replacing.lock().await;
        if self.is_current(key, old).await {
            self.cache.invalidate(key).await;
        }
    }

    async fn is_current(&self, key: &SessionKey, session: &Arc<AwsSession>) -> bool {
        let cached = self.cache.get(key).await;
        cached.is_some_and(|cached| Arc::ptr_eq(&cached, session))
    }

    /// Forgets everything about an owner: its sessions, those that are just being made included, and what
    /// its role refused.
    pub async fn forget(&self, owner: &Owner) {
        self.forgotten.insert(owner.clone(), Instant::now()).await;
        self.drop_made(owner, |_| true).await;
        for (key, _) in self.refusals.iter().filter(|(key, _)| key.owner == *owner) {
            self.refusals.invalidate(&*key).await;
        }
        let suspicions = self.suspicions.iter();
        for (key, ()) in suspicions.filter(|(key, ())| key.owner == *owner) {
            self.suspicions.invalidate(&*key).await;
        }
    }

    /// The owner is gone: forgets it, and makes no session in its name any more, not even for what is
    /// under way.
    pub async fn end(&self, owner: &Owner) {
        self.ended.insert(owner.clone(), ()).await;
        self.forget(owner).await;
    }

    async fn open(
        &self,
        bucket: &ConnectedBucket,
        key: &SessionKey,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        let given = match &bucket.connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => {
                self.limits.turn(bucket.owner.workspace()).await?;
                let who = InNameOf {
                    owner: &bucket.owner,
                    person: key.person.as_ref(),
                };
                let assumed = self
                    .opener
                    .assume_in(
                        key.scope,
                        who,
                        &bucket.connection,
                        role_arn,
                        Some(&external_id.to_string()),
                    )
                    .await;
                self.observer.assumed_role(assumed.is_ok());
                Some(assumed?.credentials)
            }
            key @ Credentials::AccessKey { .. } => Some(self.opener.access_key(key)?),
            // What is signed ends with the credentials that signed it, so those must be known.
            Credentials::Service if key.scope == SessionScope::Links => {
                Some(self.opener.own_credentials().await?)
            }
            Credentials::Service => None,
        };
        let session = self.opener.session(key, &bucket.connection, given).await?;
        Ok(Arc::new(session))
    }
}

fn deleted() -> AwsFailure {
    AwsFailure {
        error_code: Some(STORAGE_DELETED.to_owned()),
        ..local("Connect", FailureKind::InvalidRequest, "its owner is gone")
    }
}

/// Whether S3 looked at what was asked, which it does only for who may ask.
fn shows_acceptance(kind: FailureKind) -> bool {
    match kind {
        FailureKind::NoSuchKey
        | FailureKind::NotModified
        | FailureKind::PreconditionFailed
        | FailureKind::InvalidRange
        | FailureKind::Archived
        | FailureKind::ObjectLocked => true,
        FailureKind::AccessDenied
        | FailureKind::KmsDenied
        | FailureKind::BadCredentials
        | FailureKind::ClockSkew
        | FailureKind::NoSuchBucket
        | FailureKind::WrongRegion
        | FailureKind::KmsUnusable
        | FailureKind::AccountDisabled
        | FailureKind::Redirected
        | FailureKind::NotSupported
        | FailureKind::InvalidRequest
        | FailureKind::Throttled
        | FailureKind::Unavailable
        | FailureKind::Timeout
        | FailureKind::Network
        | FailureKind::ForbiddenAddress
        | FailureKind::InvalidResponse
        | FailureKind::NotS3
        | FailureKind::ListingIncomplete => false,
    }
}

/// Whether the role itself said no, so that asking again at once would give the same.
fn is_refusal(failure: &AwsFailure) -> bool {
    failure.operation == "AssumeRole" && failure.kind == FailureKind::AccessDenied
}
