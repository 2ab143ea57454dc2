//! The steps that ask the role: that it lets us in, and nobody else.
//!
//! IAM's changes spread through STS for up to a minute, so a role may let us in at one place and refuse
//! others at another place that does not know the role yet. That is why the own ID is asked twice, before
//! and after the refusals: they count once the role has let us in again.

use crate::application::bucket::probe::{Answer, BucketProbe, ExternalIdSent};
use crate::application::checks::recorder::Timed;
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::fault::What;
use crate::domain::aws_failure::{AssumeRoleRefusal, AwsFailure, FailureKind};
use crate::domain::cause::signing_in::refusal_not_proven::NotProven;
use crate::domain::check::StepName;
use futures_util::future::join4;
use std::sync::Arc;

/// What the bucket is asked with.
pub struct SignedIn {
    pub probe: Arc<dyn BucketProbe>,
    /// Still to be confirmed. `None`: there is no role.
    pub refusals: Option<Refusals>,
}

/// The role's refusals of everybody else.
pub struct Refusals {
    missing: Timed<Assumed>,
    wrong: Timed<Assumed>,
}

/// The role's refusals, and its answer to our own ID after them.
pub struct Confirmation {
    refusals: Refusals,
    again: Timed<Assumed>,
}

type Assumed = Answer<Arc<dyn BucketProbe>>;

/// Which external ID the role must refuse.
#[derive(Clone, Copy)]
enum Foreign {
    Missing,
    /// `nearly`: the one that differs from the own ID in a single digit.
    Wrong {
        nearly: bool,
    },
}

impl Foreign {
    fn step(self) -> StepName {
        match self {
            Self::Missing => StepName::RefusesMissingExternalId,
            Self::Wrong { .. } => StepName::RefusesWrongExternalId,
        }
    }
}

impl CheckRun<'_> {
    /// Asks the role with its own external ID, and as others would. `None`: the bucket must not be asked.
    pub async fn sign_in(&self) -> Option<SignedIn> {
        use StepName::{AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId};
        // Each is skipped with its reason when there is no role.
        let are_made = [AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId]
            .map(|step| self.is_made(step));
        if are_made.contains(&false) {
            return match self.prober.with_key(self.bucket).await {
                Ok(probe) => Some(SignedIn {
                    probe,
                    refusals: None,
                }),
                Err(failure) => {
                    let what = What::Failed {
                        action: None,
                        failure: failure.clone(),
                    };
                    self.record
                        .fail_with(StepName::GetBucketLocation, &failure, what);
                    self.record.skip_rest("The store could not be asked.");
                    None
                }
            };
        }
        let (own, missing, stranger, near) = join4(
            self.assume(ExternalIdSent::Own),
            self.assume(ExternalIdSent::Missing),
            self.assume(ExternalIdSent::Stranger),
            self.assume(ExternalIdSent::NearMiss),
        )
        .await;
        // Of the two wrong IDs, the one that was refused worse is the step's.
        let nearly = severity(&near.value) > severity(&stranger.value);
        let wrong = if nearly { near } else { stranger };
        let probe = match &own.value {
            Ok(answer) => {
                self.record.pass(AssumeRole, &own, answer);
                Some(answer.value.clone())
            }
            Err(failure) => {
                let what = What::RoleNotAssumed(failure.clone());
                self.record.fail(AssumeRole, &own, failure, what);
                None
            }
        };
        match probe {
            Some(probe) if is_proven(&missing.value) && is_proven(&wrong.value) => {
                let refusals = Some(Refusals { missing, wrong });
                Some(SignedIn { probe, refusals })
            }
            probe => {
                let lets_us_in = probe.is_some();
                self.refusal_step(Foreign::Missing, &missing, lets_us_in);
                self.refusal_step(Foreign::Wrong { nearly }, &wrong, lets_us_in);
                self.record.skip_rest(match lets_us_in {
                    true => {
                        "The bucket is not asked before the role is proved to refuse everybody else."
                    }
                    false => "The role could not be assumed.",
                });
                None
            }
        }
    }

    /// Asks the role with its own ID once more, where its refusals wait for that.
    pub async fn assume_again(&self, refusals: Option<Refusals>) -> Option<Confirmation> {
        let refusals = refusals?;
        let again = self.assume(ExternalIdSent::Own).await;
        Some(Confirmation { refusals, again })
    }

    /// Records the refusals; without a role there are none. False: they prove nothing, and the bucket must
    /// not be used.
    pub fn confirm(&self, confirmation: Option<Confirmation>) -> bool {
        use StepName::{RefusesMissingExternalId, RefusesWrongExternalId};
        let Some(Confirmation { refusals, again }) = confirmation else {
            return true;
        };
        let Err(failure) = &again.value else {
            let wrong = Foreign::Wrong { nearly: false };
            self.refusal_step(Foreign::Missing, &refusals.missing, true);
            self.refusal_step(wrong, &refusals.wrong, true);
            return true;
        };
        let why = judge(failure).err().unwrap_or(NotProven::Spreading);
        for step in [RefusesMissingExternalId, RefusesWrongExternalId] {
            let what = What::RefusalNotProven(why);
            self.record.fail(step, &again, failure, what);
        }
        self.record.skip_rest(
            "The bucket is not used before the role is proved to refuse everybody else.",
        );
        false
    }

    async fn assume(&self, sent: ExternalIdSent) -> Timed<Assumed> {
        let asked = self.prober.assume_role(self.bucket, sent);
        self.record.time(asked).await
    }

    /// Records what came of a call that the role must refuse.
    fn refusal_step(&self, foreign: Foreign, answer: &Timed<Assumed>, lets_us_in: bool) {
        let step = foreign.step();
        match &answer.value {
            Ok(accepted) => {
                let what = match foreign {
                    Foreign::Missing => What::RoleAcceptsMissing,
                    Foreign::Wrong { nearly } => What::RoleAcceptsWrong { nearly },
                };
                self.record
                    .fail_although_answered(step, answer, accepted, what);
            }
            // While the role refuses our own call too, a refusal says nothing about external IDs.
            Err(_) if !lets_us_in => self.record.skip(
                step,
                "The role refuses us with its external ID too, so refusing others proves nothing.",
            ),
            Err(failure) => match judge(failure) {
                Ok(()) => self.record.pass_by_refusal(step, answer, failure),
                Err(why) => {
                    let what = What::RefusalNotProven(why);
                    self.record.fail(step, answer, failure, what);
                }
            },
        }
    }
}

/// Whether the role itself refused, and if not, why that is not known.
fn judge(failure: &AwsFailure) -> Result<(), NotProven> {
    match failure.assume_role_refusal() {
        Some(AssumeRoleRefusal::Role) => Ok(()),
        Some(AssumeRoleRefusal::Service(by, _)) => Err(NotProven::ByService(by)),
        Some(AssumeRoleRefusal::Unknown) => Err(NotProven::UnknownReason),
        // Only the service's own credentials sign the call.
        None if is_of_own_credentials(failure.kind) => Err(NotProven::OwnCredentials),
        None => Err(NotProven::NoAnswer(failure.kind.into())),
    }
}

fn is_of_own_credentials(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::BadCredentials | FailureKind::ClockSkew)
}

/// Whether the answer to a call that the role must refuse proves that it does.
pub fn is_proven(answer: &Answer<Arc<dyn BucketProbe>>) -> bool {
    severity(answer) == 0
}

/// How bad it is: refused by the role, not proved to be, or let in.
fn severity(answer: &Assumed) -> u8 {
    match answer {
        Err(failure) if judge(failure).is_ok() => 0,
        Err(_) => 1,
        Ok(_) => 2,
    }
}
