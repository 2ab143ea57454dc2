//! The SDK's chain of credentials, built again before it is asked.
//!
//! A chain reads the AWS configuration files once and keeps what it found (`ProviderConfig` of `aws-config`, which
//! parses the profile once). So a file that is rotated, or that appears later, needs another chain.

use crate::aws::client::credential_files::CredentialFiles;
use aws_config::BehaviorVersion;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::region::Region;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A chain is built again when it is at least this old, or when a file has changed.
const AGE: Duration = Duration::from_secs(10);

/// Gives the credentials of a chain that is built at most once in ten seconds, and at once for a file that changed.
pub struct RebuiltChain {
    http: SharedHttpClient,
    region: Region,
    built: Mutex<Option<Built>>,
}

struct Built {
    chain: SharedCredentialsProvider,
    at: Instant,
    files: CredentialFiles,
}

impl RebuiltChain {
    /// Whoever gives the credentials is called by `http`, and in `region` where the call has one.
    pub fn new(http: SharedHttpClient, region: Region) -> Self {
        Self {
            http,
            region,
            built: Mutex::default(),
        }
    }

    async fn chain(&self) -> std::result::Result<SharedCredentialsProvider, CredentialsError> {
        let mut built = self.built.lock().await;
        let files = CredentialFiles::now();
        if let Some(built) = &*built
            && built.at.elapsed() < AGE
            && built.files == files
        {
            return Ok(built.chain.clone());
        }
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .region(self.region.clone());
        let chain = loader.load().await.credentials_provider();
        let chain = chain.ok_or_else(|| {
            CredentialsError::not_loaded("the AWS configuration has no provider of credentials")
        })?;
        *built = Some(Built {
            chain: chain.clone(),
            at: Instant::now(),
            files,
        });
        Ok(chain)
    }

    async fn get(&self) -> Result {
        self.chain().await?.provide_credentials().await
    }
}

impl fmt::Debug for RebuiltChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RebuiltChain")
    }
}

impl ProvideCredentials for RebuiltChain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}
