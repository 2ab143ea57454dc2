//! How long signed URLs live.

use crate::aws::failure::local;
use crate::domain::aws_failure::{AwsFailure, FailureKind};
use aws_sdk_s3::presigning::PresigningConfig;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// How many URLs are signed before other requests get a turn.
const BATCH: usize = 64;

/// Lets other requests have their turn now and then, while many URLs are signed one after the other.
pub(crate) async fn give_way(at: usize) {
    if at % BATCH == BATCH - 1 {
        tokio::task::yield_now().await;
    }
}

/// How long what is signed now lives.
pub(crate) struct SigningLife {
    pub config: PresigningConfig,
    pub start: SystemTime,
    pub length: Duration,
    pub expires_at: OffsetDateTime,
}

impl SigningLife {
    /// The life that was asked for, or what is left of the credentials.
    pub fn new(
        operation: &'static str,
        remaining: Option<Duration>,
        asked: Duration,
    ) -> Result<Self, AwsFailure> {
        let length = remaining.map_or(asked, |left| left.min(asked));
        // Whole seconds, as the URL carries them, from the start that the answer's expiry is computed from.
        let length = Duration::from_secs(length.as_secs());
        if length.is_zero() {
            return Err(local(
                operation,
                FailureKind::BadCredentials,
                "the credentials expire at once",
            ));
        }
        let start = SystemTime::now();
        let config = PresigningConfig::builder()
            .start_time(start)
            .expires_in(length)
            .build()
            .map_err(|error| local(operation, FailureKind::InvalidRequest, error))?;
        let began = OffsetDateTime::from(start);
        Ok(Self {
            config,
            start,
            length,
            expires_at: began.replace_nanosecond(0).unwrap_or(began) + length,
        })
    }
}
