//! How long the command goes on with a call that AWS refuses for now.
//!
//! IAM and S3 are eventually consistent: a role, user or bucket that was just made is not known everywhere for
//! seconds (IAM user guide, "Changes that I make are not always immediately visible"), and two changes of one
//! thing at a time are refused (S3 API reference, error codes: `OperationAborted`; IAM API reference:
//! `ConcurrentModification`). The SDK tries neither again. What it would try again, throttling and faults, is
//! tried again here instead: each attempt reads again what it merges into, so it never puts back rules that
//! somebody else has changed meanwhile.

use crate::application::connections::provision::ProvisionError;
use crate::aws::provision::answers::Result;
use std::time::{Duration, Instant};

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The pause after the first refusal. Each further one is twice as long.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// How long after the command's beginning a call may be tried again.
    pub bound: Duration,
    /// The same for a bucket or an access key that is not known at all, which is mostly a wrong one.
    pub absence_bound: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            bound: Duration::from_secs(120),
            absence_bound: Duration::from_secs(10),
        }
    }
}

/// How often a call is made that gets no answer at all.
const ATTEMPTS_WITHOUT_ANSWER: u32 = 3;

/// What an error says about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It will pass: a conflict, too many calls, a fault of AWS's, or something new that is not known
    /// everywhere yet.
    Later,
    /// Perhaps just made, perhaps a wrong name.
    IfNew,
    /// No answer came. Mostly a setting of this machine.
    FewTimes,
    Never,
}

/// Refusals that pass by themselves.
const PASSING: [&str; 19] = [
    // Two changes of one thing at a time.
    "OperationAborted",
    "ConditionalConflict",
    "ConditionalRequestConflict",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "EntityTemporarilyUnmodifiable",
    // What was just removed is still there for some servers, and what was just made is not.
    "DeleteConflict",
    "EntityAlreadyExists",
    "NoSuchEntity",
    "NoSuchBucket",
    // Too many calls.
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "RequestTimeout",
    "RequestTimeoutException",
    // Faults of AWS's.
    "ServiceUnavailable",
    "InternalError",
];

fn again(error: &ProvisionError) -> Again {
    match error {
        ProvisionError::Refused {
            operation,
            code,
            message,
            status,
        } => {
            // IAM and S3 look for the principals of a policy, and say that those they do not know yet are
            // invalid (IAM user guide, "IAM roles: troubleshooting").
            let of_principal =
                matches!(code.as_str(), "MalformedPolicyDocument" | "MalformedPolicy")
                    && message.to_ascii_lowercase().contains("principal");
            // New keys and new buckets are not known everywhere for seconds; mostly they are wrong.
            if (*operation == "s3:HeadBucket" && *status == Some(404))
                || matches!(code.as_str(), "InvalidClientTokenId" | "InvalidAccessKeyId")
            {
                Again::IfNew
            } else if of_principal
                || PASSING.contains(&code.as_str())
                || status.is_some_and(|status| status >= 500 && status != 501)
                || *status == Some(429)
            {
                Again::Later
            } else {
                Again::Never
            }
        }
        ProvisionError::Unreachable { .. } => Again::FewTimes,
        ProvisionError::OtherRole { .. }
        | ProvisionError::OtherPath { .. }
        | ProvisionError::OtherUser { .. }
        | ProvisionError::OtherAccountOfUser { .. }
        | ProvisionError::UserChangedMeanwhile { .. }
        | ProvisionError::ChangedMeanwhile { .. }
        | ProvisionError::RoleInUse { .. }
        | ProvisionError::OtherAccount { .. }
        | ProvisionError::NoCredentials { .. }
        | ProvisionError::GivenUp { .. }
        | ProvisionError::Unfinished { .. } => Again::Never,
    }
}

/// One run of the command, and its patience.
#[derive(Debug)]
pub(super) struct Waiting {
    patience: Patience,
    begun: Instant,
}

impl Waiting {
    pub fn begin(patience: Patience) -> Self {
        Self {
            patience,
            begun: Instant::now(),
        }
    }

    /// Makes an attempt, and further ones while AWS's refusal is one that passes. An attempt that changes
    /// something reads first what is there.
    ///
    /// # Errors
    /// The last attempt's; [`ProvisionError::GivenUp`] around it when time ended it.
    pub async fn attempt<T>(&self, mut call: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let first = Instant::now();
        let mut pause = self.patience.first_pause;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let bound = match again(&error) {
                Again::Never => return Err(error),
                Again::FewTimes if attempts >= ATTEMPTS_WITHOUT_ANSWER => return Err(error),
                Again::Later | Again::FewTimes => self.patience.bound,
                Again::IfNew => self.patience.absence_bound,
            };
            if self.begun.elapsed() + pause > bound {
                return Err(ProvisionError::GivenUp {
                    cause: Box::new(error),
                    attempts,
                    waited: first.elapsed(),
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.patience.longest_pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: &'static str, code: &str, message: &str, status: u16) -> ProvisionError {
        ProvisionError::Refused {
            operation,
            code: code.into(),
            message: message.into(),
            status: Some(status),
        }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for (code, message, status) in [
            ("OperationAborted", "", 409),
            ("ConcurrentModification", "", 409),
            ("ConditionalRequestConflict", "", 409),
            ("Throttling", "Rate exceeded", 400),
            ("SlowDown", "", 503),
            ("Odd", "", 500),
            ("NoSuchEntity", "", 404),
            ("NoSuchBucket", "", 404),
            ("DeleteConflict", "", 409),
            (
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\":\"arn\"",
                400,
            ),
            ("MalformedPolicy", "Invalid principal in policy", 400),
        ] {
            let error = refused("iam:CreateRole", code, message, status);
            assert_eq!(again(&error), Again::Later, "{code}");
        }
        for (code, message, status) in [
            ("AccessDenied", "", 403),
            ("MalformedPolicyDocument", "Syntax errors in policy.", 400),
            ("LimitExceeded", "", 409),
            ("NotImplemented", "", 501),
            ("InvalidRequest", "", 400),
        ] {
            let error = refused("iam:CreateRole", code, message, status);
            assert_eq!(again(&error), Again::Never, "{code}");
        }
        let absent = refused("s3:HeadBucket", "NotFound", "", 404);
        assert_eq!(again(&absent), Again::IfNew);
    }

    #[tokio::test]
    async fn the_bound_ends_it_with_the_cause_and_what_was_tried() {
        let waiting = Waiting::begin(Patience {
            bound: Duration::from_millis(400),
            first_pause: Duration::from_millis(150),
            ..Patience::default()
        });
        let mut calls = 0;
        let error = waiting
            .attempt(async || -> Result<()> {
                calls += 1;
                Err(refused(
                    "s3:PutBucketCORS",
                    "OperationAborted",
                    "A conflict.",
                    409,
                ))
            })
            .await
            .unwrap_err();
        assert_eq!(calls, 2);
        let text = error.to_string();
        assert!(
            text.contains("s3:PutBucketCORS") && text.contains("2 times"),
            "{text}"
        );
    }
}
