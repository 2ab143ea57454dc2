//! Makes sessions: AssumeRole with a session policy, and clients that sign with what it gave.

use crate::application::kept::vault::{LOST, Purpose, Vault};
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::{classify, local};
use crate::aws::sessions::session::{AwsSession, RoleContent, SessionKey, SessionScope};
use crate::aws::signer::SessionSigner;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::account::AccountId;
use crate::domain::connection::attributed::Attributed;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{ConnectedBucket, Connection, Credentials, Owner};
use crate::domain::policy_document::PolicyTemplates;
use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;

/// How long a session is asked for. STS's default, and the most it grants to a caller that runs under a
/// role itself (IAM user guide, "Role chaining").
const SESSION_LIFE: Duration = Duration::from_secs(3600);

/// The operation that makes sessions.
const ASSUME_ROLE: &str = "AssumeRole";

/// How long the STS of another Region is asked after S3 did not know a session.
const ELSEWHERE: Duration = Duration::from_secs(24 * 3600);
/// For how many owners at most.
const MOST_ELSEWHERE: u64 = 10_000;

/// In whose name a session is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InNameOf<'a> {
    pub owner: &'a Owner,
    /// The person for whom it is alone.
    pub person: Option<&'a Attributed>,
}

impl InNameOf<'_> {
    fn session_name(&self) -> String {
        match self.person {
            Some(person) => self.owner.session_name_for(person),
            None => self.owner.session_name(),
        }
    }
}

/// A session just made, with what STS said of it.
pub struct Assumed {
    pub credentials: SdkCredentials,
    pub request_id: Option<String>,
}

/// Makes sessions and keeps none. The connection check uses it as it is.
pub struct SessionOpener {
    clients: Arc<AwsClients>,
    policies: Arc<PolicyTemplates>,
    vault: Arc<Vault>,
    /// Whose sessions the STS of another Region makes.
    asked_in: Cache<Owner, Region>,
}

impl SessionOpener {
    pub fn new(
        clients: Arc<AwsClients>,
        policies: Arc<PolicyTemplates>,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            clients,
            policies,
            vault,
            asked_in: Cache::builder()
                .max_capacity(MOST_ELSEWHERE)
                .time_to_live(ELSEWHERE)
                .build(),
        }
    }

    /// From now on, the STS of this Region makes the owner's sessions, where it can: S3 did not know those of
    /// the service's own Region in the bucket's (S3 API reference, "Error responses", `InvalidToken`).
    pub(crate) async fn ask_in(&self, owner: &Owner, region: Region) {
        if region != self.clients.region() {
            self.asked_in.insert(owner.clone(), region).await;
        }
    }

    pub fn clients(&self) -> &Arc<AwsClients> {
        &self.clients
    }

    /// What the session for this bucket and scope is known by. `person`: for whom it is alone.
    pub(crate) fn key(
        &self,
        bucket: &ConnectedBucket,
        person: Option<Attributed>,
        scope: SessionScope,
    ) -> SessionKey {
        SessionKey {
            owner: bucket.owner.clone(),
            person,
            revision: bucket.revision,
            scope,
            role: RoleContent::of(&bucket.connection),
            region: self.region_of(&bucket.connection),
        }
    }

    fn region_of(&self, connection: &Connection) -> Region {
        connection.settings.region.unwrap_or(self.clients.region())
    }

    fn policy(
        &self,
        role_arn: &RoleArn,
        connection: &Connection,
        scope: SessionScope,
        owner: Option<&AccountId>,
    ) -> Result<String, AwsFailure> {
        let partition = role_arn.partition();
        match scope {
            SessionScope::Files | SessionScope::Links => self
                .policies
                .files_session_policy(partition, connection, owner)
                .map_err(|invalid| local("AssumeRole", FailureKind::InvalidRequest, invalid)),
            SessionScope::Objects => Ok(self
                .policies
                .objects_session_policy(partition, connection, owner)),
            SessionScope::AllBuckets => Ok(self.policies.all_buckets_session_policy()),
            SessionScope::Folders => Ok(self
                .policies
                .folders_session_policy(partition, connection, owner)),
        }
    }

    /// The session of a key, with the credentials that were made for it; `None`: the service's own.
    pub(crate) async fn session(
        &self,
        key: &SessionKey,
        connection: &Connection,
        given: Option<SdkCredentials>,
    ) -> Result<AwsSession, AwsFailure> {
        let provider = match &given {
            Some(credentials) => SharedCredentialsProvider::new(credentials.clone()),
            None => self.clients.own_credentials()?,
        };
        let s3 = self
            .clients
            .s3(&key.owner, connection, key.region, provider)
            .await?;
        Ok(AwsSession {
            s3: s3.calls,
            links: s3.links,
            expires_at: given.as_ref().and_then(SdkCredentials::expiry),
            signer: given.map(SessionSigner::new),
            made_at: Instant::now(),
            proved: AtomicBool::default(),
        })
    }

    /// The service's own credentials as they are now.
    pub(crate) async fn own_credentials(&self) -> Result<SdkCredentials, AwsFailure> {
        self.clients
            .own_credentials()?
            .provide_credentials()
            .await
            .map_err(|error| local("GetCallerIdentity", FailureKind::BadCredentials, error))
    }

    /// Calls AssumeRole, with the given external ID or with none, and with a session policy that limits
    /// the session to the connection's bucket, prefix and access.
    pub async fn assume(
        &self,
        owner: &Owner,
        connection: &Connection,
        role_arn: &RoleArn,
        external_id: Option<&str>,
    ) -> Result<Assumed, AwsFailure> {
        let who = InNameOf {
            owner,
            person: None,
        };
        self.assume_in(SessionScope::Files, who, connection, role_arn, external_id)
            .await
    }

    /// The same for what a session of this scope may do.
    pub(crate) async fn assume_in(
        &self,
        scope: SessionScope,
        who: InNameOf<'_>,
        connection: &Connection,
        role_arn: &RoleArn,
        external_id: Option<&str>,
    ) -> Result<Assumed, AwsFailure> {
        let policy = |account| self.policy(role_arn, connection, scope, account);
        let account = connection.expected_owner();
        let owned = policy(account)?;
        let assumed = self
            .assume_with(who, role_arn, external_id, owned.clone())
            .await;
        match assumed {
            // Tags of the service's own session take of the packed size too (IAM user guide, "Pass session
            // tags in AWS STS"), as those of EKS Pod Identity do. The bucket's account is what can be left out.
            Err(failure) if failure.error_code.as_deref() == Some("PackedPolicyTooLarge") => {
                let plain = policy(None)?;
                match plain == owned {
                    true => Err(failure),
                    false => self.assume_with(who, role_arn, external_id, plain).await,
                }
            }
            assumed => assumed,
        }
    }

    async fn assume_with(
        &self,
        who: InNameOf<'_>,
        role_arn: &RoleArn,
        external_id: Option<&str>,
        policy: String,
    ) -> Result<Assumed, AwsFailure> {
        if let Some(region) = self.asked_in.get(who.owner).await {
            let there = self.clients.sts_in(region);
            let (policy, id) = (policy.clone(), external_id);
            match self.assume_at(&there, who, role_arn, id, policy).await {
                Ok(assumed) => return Ok(assumed),
                // The role's own answer counts wherever it was asked.
                Err(failure) if failure.kind == FailureKind::AccessDenied => return Err(failure),
                // The service's account may not have the Region.
                Err(failure) => {
                    tracing::info!(%failure, %region, "the STS of the bucket's Region made no session");
                }
            }
        }
        let sts = self.clients.sts();
        self.assume_at(sts, who, role_arn, external_id, policy)
            .await
    }

    async fn assume_at(
        &self,
        sts: &aws_sdk_sts::Client,
        who: InNameOf<'_>,
        role_arn: &RoleArn,
        external_id: Option<&str>,
        policy: String,
    ) -> Result<Assumed, AwsFailure> {
        let asked = self.ask_role(sts, who, role_arn, external_id, policy.clone());
        let answer = match asked.await {
            // Only the service's own credentials sign this call. They may have been rotated.
            Err(failure)
                if failure.kind == FailureKind::BadCredentials
                    && self.clients.suspect_own_credentials() =>
            {
                self.ask_role(sts, who, role_arn, external_id, policy).await
            }
            answer => answer,
        };
        if let Err(failure) = &answer
            && may_be_of_own_side(failure.kind)
        {
            self.clients.doubt_identity();
        }
        let answer = answer?;
        let request_id = answer.request_id().map(str::to_owned);
        let given = answer.credentials.ok_or_else(|| {
            local(
                ASSUME_ROLE,
                FailureKind::InvalidResponse,
                "the answer has no credentials",
            )
        })?;
        let expires_at = SystemTime::try_from(given.expiration)
            .map_err(|error| local(ASSUME_ROLE, FailureKind::InvalidResponse, error))?;
        tracing::debug!(
            session = who.session_name(),
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

    async fn ask_role(
        &self,
        sts: &aws_sdk_sts::Client,
        who: InNameOf<'_>,
        role_arn: &RoleArn,
        external_id: Option<&str>,
        policy: String,
    ) -> Result<AssumeRoleOutput, AwsFailure> {
        let retries = self
            .clients
            .retries()
            .of_workspace(who.owner.workspace())
            .await;
        sts.assume_role()
            .role_arn(role_arn.as_str())
            .role_session_name(who.session_name())
            .set_external_id(external_id.map(str::to_owned))
            .policy(policy)
            .duration_seconds(SESSION_LIFE.as_secs() as i32)
            .customize()
            .config_override(aws_sdk_sts::config::Builder::new().retry_partition(retries))
            .send()
            .await
            .map_err(|error| classify(ASSUME_ROLE, &error))
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
        if secret == LOST {
            return Err(AwsFailure {
                error_code: Some(AwsFailure::CREDENTIALS_LOST.to_owned()),
                ..unreadable("it was lost with a master key")
            });
        }
        let secret = String::from_utf8(secret).map_err(|_| unreadable("not text"))?;
        Ok(SdkCredentials::new(
            access_key_id.as_str(),
            secret,
            None,
            None,
            "sallyport-access-key",
        ))
    }
}

/// Whether AssumeRole may have failed in this way because of the service's own side, whatever the role is.
fn may_be_of_own_side(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::BadCredentials
            | FailureKind::ClockSkew
            | FailureKind::Network
            | FailureKind::Timeout
            | FailureKind::Unavailable
    )
}
