//! AWS in this process: its wire format, a stub and a store that
//! speak it, and a proxy before the emulator.

pub mod proxy;
pub mod store;
pub mod stub;
pub mod tls;
pub mod versioned;
pub mod wire;

use crate::it::support::emulator::credentials;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::SharedCredentialsProvider;
use std::time::Duration;

/// SDK settings that lead to this address. Retries are as the service's own, with no time to lose in between.
pub fn sdk_config_at(url: &str, access_key_id: &str) -> SdkConfig {
    let own = credentials(access_key_id, "secret", None);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(own))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(10)),
        )
        .build()
}
