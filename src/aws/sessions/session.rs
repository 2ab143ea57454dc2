//! A session, what it is good for, and how long.

use crate::aws::signer::SessionSigner;
use crate::domain::connection::attributed::Attributed;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{Connection, Credentials, Owner};
use moka::Expiry;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

/// A session is replaced when this much of its life is left: a request that starts with it now must not
/// outlive it.
const REFRESH_BEFORE: Duration = Duration::from_secs(300);

/// What a session is good for. Whose it is, the external ID and what the policy is made of are all part of
/// it, never the role's ARN alone: one workspace's warm session must not serve another that names the same role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    pub owner: Owner,
    /// The person for whom it is alone. `None`: the owner's own.
    pub person: Option<Attributed>,
    pub revision: i64,
    pub scope: SessionScope,
    /// `None`: the session is of no role.
    pub role: Option<RoleContent>,
    pub region: Region,
}

/// A connection by a role, whole. A session's policy is rendered from it and from nothing else but the scope,
/// so it separates sessions at least as the policy would. To render the policy for each request took longer
/// than all else in a session's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RoleContent {
    role_arn: RoleArn,
    external_id: ExternalId,
    bucket: BucketName,
    settings: BucketSettings,
}

impl RoleContent {
    /// `None`: the connection has no role.
    pub fn of(connection: &Connection) -> Option<Self> {
        let Connection {
            bucket,
            settings,
            credentials,
        } = connection;
        match credentials {
            Credentials::Role {
                role_arn,
                external_id,
            } => Some(Self {
                role_arn: role_arn.clone(),
                external_id: external_id.clone(),
                bucket: bucket.clone(),
                settings: settings.clone(),
            }),
            Credentials::AccessKey { .. } | Credentials::Service => None,
        }
    }
}

/// What a session may be used for. Each has a session of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionScope {
    /// The documents' own actions.
    Files,
    /// The same, for URLs that others use. They live as long as the session that signed them, so it is
    /// renewed earlier than the one that calls are made with.
    Links,
    /// Versions, ACLs and tags of objects, copies, and aborting uploads.
    Objects,
    /// The names of the account's buckets.
    AllBuckets,
    /// The names of one bucket's folders, below no prefix yet.
    Folders,
}

/// Credentials at work: a client that signs with them.
pub struct AwsSession {
    pub s3: aws_sdk_s3::Client,
    /// The same for URLs that others use.
    pub links: aws_sdk_s3::Client,
    /// Signs URLs with what the clients sign with. `None`: those are the service's own credentials, which
    /// change by themselves.
    pub(crate) signer: Option<SessionSigner>,
    /// `None`: the credentials do not expire, or change by themselves.
    pub expires_at: Option<SystemTime>,
    pub(crate) made_at: Instant,
    /// Whether a call was not denied to it that had been denied to an older one.
    pub(crate) proved: AtomicBool,
}

impl AwsSession {
    /// How long the credentials still live; `None`: they do not expire.
    pub fn remaining(&self) -> Option<Duration> {
        self.expires_at.map(|end| {
            end.duration_since(SystemTime::now())
                .unwrap_or(Duration::ZERO)
        })
    }

    pub(crate) fn age(&self) -> Duration {
        self.made_at.elapsed()
    }

    /// Whether a new session should sign what is to live for `life`.
    pub(crate) fn is_outgrown(&self, life: Duration) -> bool {
        self.remaining()
            .is_some_and(|left| outgrown(self.age(), left, life))
    }
}

/// Whether a session of this age, with this much of its life left, is replaced by a younger one for what
/// is to live for `wanted`. Not before its half life: to sign for an hour again and again takes two
/// sessions an hour, and nothing that is signed gets less than half a session's life.
fn outgrown(age: Duration, left: Duration, wanted: Duration) -> bool {
    left < wanted && age >= left
}

/// Drops a session from the cache while enough of its life is left for a request.
pub(crate) struct ByRemainingLife;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many sessions an hour of signing takes, one URL each second, and the shortest life that one got.
    fn an_hour_of_signing(wanted: u64) -> (u32, u64) {
        const LIFE: u64 = 3_600;
        let (mut made, mut sessions, mut shortest) = (0, 1, LIFE);
        for now in 0..3_600 {
            let left = LIFE - (now - made);
            let (age, left) = (Duration::from_secs(now - made), Duration::from_secs(left));
            let replaced = outgrown(age, left, Duration::from_secs(wanted));
            if replaced {
                (made, sessions) = (now, sessions + 1);
            }
            shortest = shortest.min(LIFE - (now - made));
        }
        (sessions, shortest)
    }

    #[test]
    fn long_urls_take_two_sessions_an_hour() {
        assert_eq!(an_hour_of_signing(3_600), (2, 1_801));
        assert_eq!(an_hour_of_signing(7_200), (2, 1_801));
        // Short ones take what there is until it is too short for them.
        assert_eq!(an_hour_of_signing(60), (2, 60));
    }
}
