//! The steps that ask the role: that it lets us in, and nobody else.

use crate::application::bucket::probe::{BucketProbe, ExternalIdSent};
use crate::application::checks::run::CheckRun;
use crate::domain::aws_failure::{AwsFailure, DenialCause, FailureKind};
use crate::domain::check::StepName;
use futures_util::future::join3;
use std::sync::Arc;

impl CheckRun<'_> {
    /// The steps of the role. `None`: the bucket must not be asked.
    pub async fn sign_in(&self) -> Option<Arc<dyn BucketProbe>> {
        use StepName::{AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId};
        // Each is skipped with its reason when there is no role.
        let are_made = [AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId]
            .map(|step| self.is_made(step));
        if are_made.contains(&false) {
            return match self.prober.with_key(self.bucket).await {
                Ok(probe) => Some(probe),
                Err(failure) => {
                    let why = self.explain.bucket_failed(&failure);
                    self.record
                        .fail_with(StepName::GetBucketLocation, &failure, why);
                    self.record.skip_rest("The store could not be asked.");
                    None
                }
            };
        }
        let assume = |sent| self.record.time(self.prober.assume_role(self.bucket, sent));
        let (own, missing, wrong) = join3(
            assume(ExternalIdSent::Own),
            assume(ExternalIdSent::Missing),
            assume(ExternalIdSent::Wrong),
        )
        .await;
        let refusals = [
            (
                RefusesMissingExternalId,
                missing,
                self.explain.accepts_missing_external_id(),
            ),
            (
                RefusesWrongExternalId,
                wrong,
                self.explain.accepts_wrong_external_id(),
            ),
        ];
        let probe = match &own.value {
            Ok(answer) => {
                self.record.pass(AssumeRole, &own, answer);
                Some(answer.value.clone())
            }
            Err(failure) => {
                let why = self.explain.role_refused(failure);
                self.record.fail(AssumeRole, &own, failure, why);
                None
            }
        };
        let mut refuses = true;
        for (step, answer, accepts) in refusals {
            match &answer.value {
                Ok(accepted) => {
                    refuses = false;
                    self.record
                        .fail_although_answered(step, &answer, accepted, accepts);
                }
                // While the role refuses our own call too, a refusal says nothing about external IDs.
                Err(_) if probe.is_none() => {
                    self.record.skip(
                        step,
                        "The role refuses us with its external ID too, so refusing others proves nothing.",
                    );
                }
                Err(failure) if refused_by_the_role(failure) => {
                    self.record.pass_by_refusal(step, &answer, failure);
                }
                Err(failure) => {
                    refuses = false;
                    let why = self.explain.refusal_not_proven(failure);
                    self.record.fail(step, &answer, failure, why);
                }
            }
        }
        match probe {
            Some(probe) if refuses => Some(probe),
            Some(_) => {
                self.record.skip_rest(
                    "The bucket is not asked before the role is proved to refuse everybody else.",
                );
                None
            }
            None => {
                self.record.skip_rest("The role could not be assumed.");
                None
            }
        }
    }
}

/// Whether it was the customer's side that refused. A policy on our own side, as one that asks for an
/// external ID in each of our calls, says nothing about the role.
fn refused_by_the_role(failure: &AwsFailure) -> bool {
    use DenialCause::{ExplicitDenyIdentity, NoIdentityPolicy};
    failure.kind == FailureKind::AccessDenied
        && !matches!(
            failure.denial,
            Some(ExplicitDenyIdentity | NoIdentityPolicy)
        )
}
