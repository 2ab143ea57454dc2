//! The SDK's clients: one connection pool, one set of time limits, an S3 client for each Region and set
//! of credentials.

use crate::application::observe::Observer;
use crate::aws::answers::store::StoreAnswers;
use crate::aws::client::configured_endpoints::{Service, check_endpoints, configured_endpoint};
use crate::aws::client::connections::{guarded_client, https_client};
use crate::aws::client::egress::Egress;
use crate::aws::client::endpoint_guard::GuardedResolver;
use crate::aws::client::observed::Observed;
use crate::aws::client::own_credentials::OwnCredentials;
use crate::aws::client::payer::RequesterPays;
use crate::aws::client::rebuilt_chain::RebuiltChain;
use crate::aws::client::retries::RetryBudgets;
use crate::aws::failure::{classify, local};
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{Connection, Owner};
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::display::DisplayErrorContext;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long one try of a call may take until the answer begins, and all tries together. The body of a
/// download has no limit of its own; the SDK ends one that stalls.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(25);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// The operation that says who calls.
const WHO_WE_ARE: &str = "GetCallerIdentity";
/// What is used where no Region is configured.
const USUAL_REGION: &str = "us-east-1";

/// Everything that calls AWS starts here.
pub struct AwsClients {
    config: SdkConfig,
    region: Region,
    sts: aws_sdk_sts::Client,
    /// Whether the operator's configuration leads S3 to an endpoint of its own, as for an emulator: then
    /// buckets are addressed by path, because a bucket's name is no host there.
    custom_endpoint: bool,
    egress: Egress,
    own: Option<OwnCredentials>,
    retries: RetryBudgets,
    guard: GuardedResolver,
    guarded_http: SharedHttpClient,
    observed: Observed,
    /// Notified after a call that may have failed because of the service's own side.
    doubts: Arc<Notify>,
}

impl AwsClients {
    /// Credentials, Region and endpoints by the SDK's own chain (environment, profile, container or
    /// instance role). Makes no call for static credentials. Credentials are looked for again whenever they are
    /// fetched, so files that are written later count.
    ///
    /// # Errors
    /// A proxy's address, a list of authorities or an endpoint that cannot be used.
    pub async fn environment() -> Result<(SdkConfig, Egress), String> {
        let egress = Egress::from_environment().await?;
        let loader = aws_config::defaults(BehaviorVersion::latest());
        // Whoever gives the credentials is called by this client, too.
        let http = https_client(&egress);
        let config = loader.http_client(http.clone()).load().await;
        check_endpoints(&config)?;
        let region = config.region().cloned();
        let region = region.unwrap_or_else(|| aws_config::Region::from_static(USUAL_REGION));
        let chain = SharedCredentialsProvider::new(RebuiltChain::new(http, region));
        let config = config.into_builder().credentials_provider(chain).build();
        Ok((config, egress))
    }

    /// Clients for the service's own configuration. `networks` are those that customers' endpoints may
    /// be in besides the public ones. `observer` counts the calls. Connections are driven by the runtime
    /// that this is called on.
    ///
    /// # Errors
    /// A Region that cannot be used, with the name of its variable.
    pub fn new(
        config: &SdkConfig,
        networks: Arc<EndpointNetworks>,
        egress: Egress,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, String> {
        let observed = Observed(observer);
        let region = match config.region() {
            Some(region) => Region::parse(region.as_ref())
                .map_err(|invalid| format!("AWS_REGION: {invalid}"))?,
            None => {
                tracing::warn!(
                    "no AWS Region is configured: us-east-1 is used. Set AWS_REGION to the Region that the service runs in"
                );
                Region::parse(USUAL_REGION).map_err(|invalid| invalid.to_string())?
            }
        };
        let http = config.http_client();
        let http = http.unwrap_or_else(|| https_client(&egress));
        let limits = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        // What the given configuration sets itself goes first.
        let timeouts = match config.timeout_config() {
            Some(given) => given.to_builder().take_unset_from(limits.to_builder()),
            None => limits.to_builder(),
        };
        // The SDK retries what is safe to retry: throttling, 5xx, broken connections.
        let retries = config
            .retry_config()
            .cloned()
            .unwrap_or_else(|| RetryConfig::standard().with_max_attempts(3));
        let own = config.credentials_provider().map(OwnCredentials::new);
        let mut builder = config.clone().into_builder();
        builder.set_credentials_provider(own.clone().map(SharedCredentialsProvider::new));
        let config = builder
            // A session's credentials never change, and the service's own have a cache of their own.
            .identity_cache(IdentityCache::no_cache())
            .region(aws_config::Region::new(region.to_string()))
            .http_client(http)
            .timeout_config(timeouts.build())
            .retry_config(retries)
            .build();
        let custom_endpoint = configured_endpoint(&config, Service::S3).is_some();
        let guard = GuardedResolver::new(networks);
        Ok(Self {
            sts: aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(&config)
                    .interceptor(observed.clone())
                    .build(),
            ),
            observed,
            guarded_http: guarded_client(guard.clone(), &egress.trust),
            config,
            region,
            custom_endpoint,
            egress,
            own,
            retries: RetryBudgets::default(),
            guard,
            doubts: Arc::default(),
        })
    }

    /// The service's own Region.
    pub fn region(&self) -> Region {
        self.region
    }

    /// STS, at the regional endpoint of the service's Region.
    pub fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    /// STS, at the regional endpoint of this Region.
    pub fn sts_in(&self, region: Region) -> aws_sdk_sts::Client {
        let config = self.sts.config().to_builder();
        let config = config.region(aws_config::Region::new(region.to_string()));
        aws_sdk_sts::Client::from_conf(config.build())
    }

    pub fn guard(&self) -> &GuardedResolver {
        &self.guard
    }

    /// Whether the connection's bucket is at Amazon S3 itself, as far as the configuration says: then what
    /// its documentation promises holds.
    pub fn is_amazon(&self, connection: &Connection) -> bool {
        !self.custom_endpoint && connection.endpoint().is_none()
    }

    /// The way that calls to AWS take.
    pub fn egress(&self) -> &Egress {
        &self.egress
    }

    /// How many retries storages and workspaces have left.
    pub fn retries(&self) -> &RetryBudgets {
        &self.retries
    }

    /// The service's own credentials.
    pub fn own_credentials(&self) -> Result<SharedCredentialsProvider, AwsFailure> {
        let own = self.own.clone().map(SharedCredentialsProvider::new);
        own.ok_or_else(|| {
            local(
                WHO_WE_ARE,
                FailureKind::BadCredentials,
                "the service has no AWS credentials",
            )
        })
    }

    /// AWS refused the service's own credentials: they are fetched again, at most once in ten seconds, and at once
    /// when their file has changed. `true`: a further call has others.
    pub fn suspect_own_credentials(&self) -> bool {
        self.doubt_identity();
        self.fetch_again()
    }

    fn fetch_again(&self) -> bool {
        self.own.as_ref().is_some_and(OwnCredentials::suspect)
    }

    /// A call has failed, perhaps because of the service's own side: whoever waits for [`doubts`](Self::doubts) asks
    /// for the identity.
    pub fn doubt_identity(&self) {
        self.doubts.notify_one();
    }

    /// Notified after each call that may have failed because of the service's own side.
    pub fn doubts(&self) -> &Arc<Notify> {
        &self.doubts
    }

    /// The S3 clients for a connection's bucket. With an endpoint of the customer's, every network
    /// connection is guarded. Retries are taken from the owner's budget.
    pub async fn s3(
        &self,
        owner: &Owner,
        connection: &Connection,
        region: Region,
        credentials: SharedCredentialsProvider,
    ) -> Result<S3Clients, AwsFailure> {
        let mut config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(aws_config::Region::new(region.to_string()))
            .credentials_provider(credentials)
            .retry_partition(self.retries.of_owner(owner).await)
            .force_path_style(self.custom_endpoint)
            .interceptor(self.observed.clone())
            .interceptor(StoreAnswers)
            // A ranged or relayed body is checked by whoever asked for it, not here.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = connection.endpoint() {
            self.guard
                .check_literal(endpoint)
                .map_err(|forbidden| local("Connect", FailureKind::ForbiddenAddress, forbidden))?;
            config = config
                .endpoint_url(endpoint.base())
                .force_path_style(true)
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .http_client(self.guarded_http.clone());
        }
        let client =
            |config: aws_sdk_s3::config::Builder| aws_sdk_s3::Client::from_conf(config.build());
        if connection.settings.requester_pays {
            return Ok(S3Clients {
                calls: client(config.clone().interceptor(RequesterPays::InHeader)),
                links: client(config.interceptor(RequesterPays::InQuery)),
            });
        }
        let calls = client(config);
        Ok(S3Clients {
            links: calls.clone(),
            calls,
        })
    }

    /// S3 in a Region, with the service's own credentials: for what is the service's own.
    pub fn own_s3(&self, region: &str) -> Result<aws_sdk_s3::Client, AwsFailure> {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(aws_config::Region::new(region.to_owned()))
            .credentials_provider(self.own_credentials()?)
            .force_path_style(self.custom_endpoint)
            .interceptor(self.observed.clone());
        Ok(aws_sdk_s3::Client::from_conf(config.build()))
    }

    /// The endpoint that the operator's configuration leads S3 to, where it does.
    pub fn s3_endpoint(&self) -> Option<String> {
        configured_endpoint(&self.config, Service::S3)
    }

    /// Who the service is: asked of STS each time. Credentials that AWS refuses are fetched again, where that may
    /// help, and asked with once more.
    ///
    /// # Errors
    /// The failure. `BadCredentials` without a status: there are no credentials, or none could be fetched.
    pub async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        // Before the call, whose own time limits would hide why they could not be fetched.
        let own = self.own_credentials()?;
        own.provide_credentials().await.map_err(|error| {
            let why = DisplayErrorContext(&error);
            local(WHO_WE_ARE, FailureKind::BadCredentials, why)
        })?;
        match self.ask_identity().await {
            Err(failure) if failure.kind == FailureKind::BadCredentials && self.fetch_again() => {
                self.ask_identity().await
            }
            answer => answer,
        }
    }

    async fn ask_identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        let asked = self.sts.get_caller_identity().send().await;
        let answer = asked.map_err(|error| classify(WHO_WE_ARE, &error))?;
        let arn = answer.arn().unwrap_or_default();
        let partition = arn.split(':').nth(1).and_then(Partition::parse);
        let account = answer.account().map(AccountId::parse);
        match (partition, account) {
            (Some(partition), Some(Ok(account))) => Ok(ServiceIdentity { account, partition }),
            _ => Err(local(
                WHO_WE_ARE,
                FailureKind::InvalidResponse,
                "the answer names no account",
            )),
        }
    }
}

/// What a bucket is used by.
pub struct S3Clients {
    /// Makes calls.
    pub calls: aws_sdk_s3::Client,
    /// Signs URLs that others use.
    pub links: aws_sdk_s3::Client,
}
