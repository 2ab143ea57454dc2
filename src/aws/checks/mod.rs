//! The questions of the connection check, asked of AWS.
//!
//! Here are those of AWS STS. `questions` has those of S3: the short ones itself, the others in a room for each subject.

mod listings;
mod preflight;
mod probe_object;
mod questions;
mod s3_probe;

use crate::application::bucket::probe::{Answer, Answered, BucketProbe, ExternalIdSent, Prober};
use crate::aws::checks::s3_probe::{Common, S3Probe};
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::local;
use crate::aws::sessions::RoleSessions;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Credentials, Owner};
use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use std::sync::Arc;
use std::time::Duration;

const PREFLIGHT_TIMEOUT: Duration = Duration::from_secs(10);

/// [`Prober`] on AWS.
pub struct AwsProber {
    sessions: Arc<RoleSessions>,
    http: reqwest::Client,
    guarded_http: reqwest::Client,
}

impl AwsProber {
    pub fn new(sessions: Arc<RoleSessions>) -> Result<Self, reqwest::Error> {
        let egress = sessions.clients().egress();
        let client = || {
            let client = reqwest::Client::builder()
                // A redirect would lead past the address check, and S3's mean "another Region".
                .redirect(reqwest::redirect::Policy::none())
                .timeout(PREFLIGHT_TIMEOUT);
            egress.trust.of_preflight(client)
        };
        Ok(Self {
            http: egress.proxy.of_preflight(client()?)?.build()?,
            guarded_http: client()?
                // As the SDK's calls to such an endpoint.
                .no_proxy()
                .dns_resolver(sessions.clients().guard().clone())
                .build()?,
            sessions,
        })
    }

    fn clients(&self) -> &Arc<AwsClients> {
        self.sessions.clients()
    }

    async fn probe(
        &self,
        bucket: &ConnectedBucket,
        credentials: SharedCredentialsProvider,
    ) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        let region = bucket
            .connection
            .settings
            .region
            .unwrap_or(self.clients().region());
        let guarded = bucket.connection.endpoint().is_some();
        S3Probe::new(
            Arc::new(Common {
                clients: self.clients().clone(),
                http: if guarded {
                    self.guarded_http.clone()
                } else {
                    self.http.clone()
                },
                credentials,
                bucket: bucket.clone(),
            }),
            region,
        )
        .await
        .map(|probe| Arc::new(probe) as Arc<dyn BucketProbe>)
    }
}

#[async_trait]
impl Prober for AwsProber {
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        self.clients().identity().await
    }

    async fn assume_role(
        &self,
        bucket: &ConnectedBucket,
        sent: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>> {
        let Credentials::Role {
            role_arn,
            external_id,
        } = &bucket.connection.credentials
        else {
            return Err(local("AssumeRole", FailureKind::InvalidRequest, "no role"));
        };
        let external_id = match sent {
            ExternalIdSent::Own => Some(external_id.to_string()),
            ExternalIdSent::Missing => None,
            ExternalIdSent::Stranger => Some(ExternalId::issue().to_string()),
            ExternalIdSent::NearMiss => Some(external_id.near_miss().to_string()),
            ExternalIdSent::Capitals => Some(external_id.in_capitals()),
            ExternalIdSent::OfOtherSetup(other) => Some(other.to_string()),
        };
        let assumed = self
            .sessions
            .opener()
            .assume(
                &bucket.owner,
                &bucket.connection,
                role_arn,
                external_id.as_deref(),
            )
            .await?;
        let credentials = SharedCredentialsProvider::new(assumed.credentials);
        Ok(Answered {
            value: self.probe(bucket, credentials).await?,
            operation: "AssumeRole",
            http_status: Some(200),
            request_id: assumed.request_id,
            bucket_region: None,
        })
    }

    async fn assume_role_in(
        &self,
        bucket: &ConnectedBucket,
        region: Region,
    ) -> Answer<Arc<dyn BucketProbe>> {
        self.sessions.opener().ask_in(&bucket.owner, region).await;
        self.assume_role(bucket, ExternalIdSent::Own).await
    }

    async fn with_key(&self, bucket: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        let credentials = match &bucket.connection.credentials {
            Credentials::Service => self.clients().own_credentials()?,
            key => SharedCredentialsProvider::new(self.sessions.opener().access_key(key)?),
        };
        self.probe(bucket, credentials).await
    }

    async fn forget(&self, owner: &Owner) {
        self.sessions.forget(owner).await;
    }
}
