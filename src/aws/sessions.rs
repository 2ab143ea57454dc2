//! Sessions of customers' roles: one AssumeRole for each storage and hour, however many requests wait.

use crate::application::kept::vault::{Purpose, Vault};
use crate::application::observe::Observer;
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::{classify, local};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::account::Partition;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::policy_document::PolicyTemplates;
use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::RequestId;
use moka::Expiry;
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;

/// How long a session is asked for. STS's default, and the most it grants to a caller that runs under a
/// role itself (IAM user guide, "Role chaining").
const SESSION_LIFE: Duration = Duration::from_secs(3600);

/// A session is replaced when this much of its life is left: a request that starts with it now must not
/// outlive it.
const REFRESH_BEFORE: Duration = Duration::from_secs(300);

/// A session is not replaced by a younger one, for the sake of a longer life, before it is this old.
const FRESH: Duration = Duration::from_secs(60);

/// More storages than this in use at once only cost more AssumeRole calls.
const MOST_SESSIONS: u64 = 20_000;

/// What a session is good for. Whose it is, the external ID and the policy are all part of it, never the
/// role's ARN alone: one workspace's warm session must not serve another that names the same role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SessionKey {
    owner: Owner,
    revision: i64,
    external_id: Option<ExternalId>,
    role_arn: Option<RoleArn>,
    policy: String,
    region: Region,
}

/// What a session may be used for. Each has a session policy, and so a session, of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionScope {
    /// The documents' own actions.
    Files,
    /// Versions, ACLs and tags of objects, copies, and giving up uploads.
    Objects,
    /// The names of the account's buckets.
    AllBuckets,
}

/// Credentials at work: a client that signs with them.
pub struct AwsSession {
    pub s3: aws_sdk_s3::Client,
    /// The same for URLs that others use.
    pub links: aws_sdk_s3::Client,
    /// What the client signs with. `None`: the service's own credentials, which change by themselves.
    pub credentials: Option<SdkCredentials>,
    /// `None`: the credentials do not expire.
    pub expires_at: Option<SystemTime>,
    made_at: Instant,
}

impl AwsSession {
    /// How long the credentials still live; `None`: they do not expire.
    pub fn remaining(&self) -> Option<Duration> {
        self.expires_at.map(|end| {
            end.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO)
        })
    }
}

/// The cache of sessions, and the only place that calls AssumeRole.
pub struct RoleSessions {
    clients: Arc<AwsClients>,
    policies: Arc<PolicyTemplates>,
    vault: Arc<Vault>,
    observer: Arc<dyn Observer>,
    cache: Cache<SessionKey, Arc<AwsSession>>,
}

struct ByRemainingLife;

impl Expiry<SessionKey, Arc<AwsSession>> for ByRemainingLife {
    fn expire_after_create(
        &self,
        _: &SessionKey,
        session: &Arc<AwsSession>,
        _: Instant,
    ) -> Option<Duration> {
        session.remaining().map(|left| {
            // A short session, as in a test, is used for half of its life.
            left.saturating_sub(REFRESH_BEFORE.min(left / 2))
        })
    }
}

/// A session just made, with what STS said of it.
pub struct Assumed {
    pub credentials: SdkCredentials,
    pub request_id: Option<String>,
}

impl RoleSessions {
    pub fn new(
        clients: Arc<AwsClients>,
        policies: Arc<PolicyTemplates>,
        vault: Arc<Vault>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            clients,
            policies,
            vault,
            observer,
            cache: Cache::builder()
                .max_capacity(MOST_SESSIONS)
                .expire_after(ByRemainingLife)
                .build(),
        }
    }

    /// The session to use for this bucket now. Requests that come while one is being made wait for it.
    pub async fn session(&self, bucket: &ConnectedBucket) -> Result<Arc<AwsSession>, AwsFailure> {
        self.session_in(bucket, SessionScope::Files).await
    }

    /// The session for something beyond the documents' actions.
    pub async fn session_in(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        let key = self.key(bucket, scope)?;
        let policy = key.policy.clone();
        let made = AtomicBool::new(false);
        let open = async {
            made.store(true, Ordering::Relaxed);
            self.open(bucket, policy).await
        };
        let session = self.cache.try_get_with(key, open).await;
        self.observer.needed_session(!made.load(Ordering::Relaxed));
        session.map_err(|failure| AwsFailure::clone(&failure))
    }

    /// A session that lives for `life` at least, or as long as sessions live: a fresh one where the
    /// cached one is too old.
    pub async fn session_for(
        &self,
        bucket: &ConnectedBucket,
        life: Duration,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        let session = self.session(bucket).await?;
        // A minute less, or a request for the whole life would make a new session each time.
        let wanted = life.min(SESSION_LIFE - Duration::from_secs(60));
        match session.remaining() {
            // A fresh one lives as long as they do: making another would gain nothing.
            Some(left) if left < wanted && session.made_at.elapsed() > FRESH => {
                self.drop_session(bucket, SessionScope::Files, &session)
                    .await;
                self.session(bucket).await
            }
            _ => Ok(session),
        }
    }

    /// Drops this session, so the next request makes a new one. One that somebody else has made
    /// meanwhile stays: many requests whose session ends together make one AssumeRole call.
    pub async fn drop_session(
        &self,
        bucket: &ConnectedBucket,
        scope: SessionScope,
        old: &Arc<AwsSession>,
    ) {
        if let Ok(key) = self.key(bucket, scope)
            && let Some(cached) = self.cache.get(&key).await
            && Arc::ptr_eq(&cached, old)
        {
            self.cache.invalidate(&key).await;
        }
    }

    /// Drops every session of an owner.
    pub async fn forget(&self, owner: &Owner) {
        let keys: Vec<Arc<SessionKey>> = self
            .cache
            .iter()
            .map(|(key, _)| key)
            .filter(|key| key.owner == *owner)
            .collect();
        for key in keys {
            self.cache.invalidate(&*key).await;
        }
    }

    fn key(&self, bucket: &ConnectedBucket, scope: SessionScope) -> Result<SessionKey, AwsFailure> {
        let (external_id, role_arn, policy) = match &bucket.connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => (
                Some(external_id.clone()),
                Some(role_arn.clone()),
                self.policy_of(role_arn.partition(), &bucket.connection, scope)?,
            ),
            _ => (None, None, String::new()),
        };
        Ok(SessionKey {
            owner: bucket.owner.clone(),
            revision: bucket.revision,
            external_id,
            role_arn,
            policy,
            region: self.region_of(&bucket.connection),
        })
    }

    fn region_of(&self, connection: &Connection) -> Region {
        connection.settings.region.unwrap_or(self.clients.region())
    }

    fn policy_of(
        &self,
        partition: Partition,
        connection: &Connection,
        scope: SessionScope,
    ) -> Result<String, AwsFailure> {
        let policy = match scope {
            SessionScope::Files => return self.session_policy(partition, connection),
            SessionScope::Objects => self.policies.objects_session_policy(partition, connection),
            SessionScope::AllBuckets => self.policies.all_buckets_session_policy(),
        };
        Ok(policy)
    }

    fn session_policy(
        &self,
        partition: Partition,
        connection: &Connection,
    ) -> Result<String, AwsFailure> {
        self.policies
            .session_policy(
                partition,
                &connection.bucket,
                &connection.settings.prefix,
                connection.settings.access,
                connection.settings.kms_key.as_ref(),
            )
            .map_err(|invalid| local("AssumeRole", FailureKind::InvalidRequest, invalid))
    }

    async fn open(
        &self,
        bucket: &ConnectedBucket,
        policy: String,
    ) -> Result<Arc<AwsSession>, AwsFailure> {
        let connection = &bucket.connection;
        let (given, expires_at) = match &connection.credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => {
                let assumed = self
                    .assume_with(&bucket.owner, role_arn, Some(external_id), policy)
                    .await;
                self.observer.assumed_role(assumed.is_ok());
                let assumed = assumed?;
                let expires_at = assumed.credentials.expiry();
                (Some(assumed.credentials), expires_at)
            }
            Credentials::AccessKey { .. } => {
                let credentials = self.access_key(&connection.credentials)?;
                (Some(credentials), None)
            }
            Credentials::Service => {
                let expires_at = self
                    .clients
                    .own_credentials()?
                    .provide_credentials()
                    .await
                    .map_err(|error| {
                        local("GetCallerIdentity", FailureKind::BadCredentials, error)
                    })?
                    .expiry();
                (None, expires_at)
            }
        };
        let provider = match &given {
            Some(credentials) => SharedCredentialsProvider::new(credentials.clone()),
            None => self.clients.own_credentials()?,
        };
        let s3 = self
            .clients
            .s3(connection, self.region_of(connection), provider)?;
        Ok(Arc::new(AwsSession {
            s3: s3.calls,
            links: s3.links,
            credentials: given,
            expires_at,
            made_at: Instant::now(),
        }))
    }

    /// Calls AssumeRole, with the given external ID or with none, and with a session policy that limits
    /// the session to the connection's bucket, prefix and access.
    pub async fn assume(
        &self,
        owner: &Owner,
        connection: &Connection,
        role_arn: &RoleArn,
        external_id: Option<&ExternalId>,
    ) -> Result<Assumed, AwsFailure> {
        let policy = self.session_policy(role_arn.partition(), connection)?;
        self.assume_with(owner, role_arn, external_id, policy).await
    }

    async fn assume_with(
        &self,
        owner: &Owner,
        role_arn: &RoleArn,
        external_id: Option<&ExternalId>,
        policy: String,
    ) -> Result<Assumed, AwsFailure> {
        const OPERATION: &str = "AssumeRole";
        let answer = self
            .clients
            .sts()
            .assume_role()
            .role_arn(role_arn.as_str())
            .role_session_name(owner.session_name())
            .set_external_id(external_id.map(ToString::to_string))
            .policy(policy)
            .duration_seconds(SESSION_LIFE.as_secs() as i32)
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let request_id = answer.request_id().map(str::to_owned);
        let given = answer.credentials.ok_or_else(|| {
            local(
                OPERATION,
                FailureKind::InvalidResponse,
                "the answer has no credentials",
            )
        })?;
        let expires_at = SystemTime::try_from(given.expiration)
            .map_err(|error| local(OPERATION, FailureKind::InvalidResponse, error))?;
        tracing::debug!(
            session = owner.session_name(),
            expires_at = %OffsetDateTime::from(expires_at),
            "assumed a role"
        );
        Ok(Assumed {
            credentials: SdkCredentials::new(
                given.access_key_id,
                given.secret_access_key,
                Some(given.session_token),
                Some(expires_at),
                "sallyport-assume-role",
            ),
            request_id,
        })
    }

    /// Opens a connection's access key.
    pub fn access_key(&self, credentials: &Credentials) -> Result<SdkCredentials, AwsFailure> {
        let Credentials::AccessKey {
            access_key_id,
            secret,
            sealed_for,
            ..
        } = credentials
        else {
            return Err(local(
                "Connect",
                FailureKind::BadCredentials,
                "not an access key",
            ));
        };
        let unreadable = |why: &str| {
            local(
                "Connect",
                FailureKind::BadCredentials,
                format!("the stored secret key: {why}"),
            )
        };
        let secret = self
            .vault
            .open(Purpose::AccessKeySecret, sealed_for.as_bytes(), &secret.0)
            .map_err(|error| unreadable(&error.to_string()))?;
        let secret = String::from_utf8(secret).map_err(|_| unreadable("not text"))?;
        Ok(SdkCredentials::new(
            access_key_id.as_str(),
            secret,
            None,
            None,
            "sallyport-access-key",
        ))
    }

    /// About how many sessions are kept.
    pub fn kept(&self) -> u64 {
        self.cache.entry_count()
    }

    pub fn clients(&self) -> &Arc<AwsClients> {
        &self.clients
    }
}
