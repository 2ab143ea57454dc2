//! Causes that show in the answers of several steps together.

use crate::application::bucket::probe::PutEncryption;
use crate::application::diagnosis::cause_of_denial::is_implicit;
use crate::application::diagnosis::evidence::Gathered;
use crate::application::diagnosis::fault::What;
use crate::application::diagnosis::subject::Subject;
use crate::domain::aws_failure::{AwsFailure, DenialReason, FailureKind, PolicyEffect, PolicyKind};
use crate::domain::cause::Cause;
use crate::domain::cause::bucket::bucket_owned_by_another_account::BucketOwnedByAnotherAccount;
use crate::domain::cause::bucket::requester_pays::RequesterPays;
use crate::domain::cause::denials::bucket_policy_denies_all::BucketPolicyDeniesAll;
use crate::domain::cause::denials::bucket_policy_needs_encryption::{
    BucketPolicyNeedsEncryption, Encryption,
};
use crate::domain::cause::denials::list_condition_or_arn_wrong::ListConditionOrArnWrong;
use crate::domain::cause::denials::object_arn_or_prefix_wrong::ObjectArnOrPrefixWrong;
use crate::domain::cause::denials::policy_absent_or_elsewhere::PolicyAbsentOrElsewhere;
use crate::domain::check::StepName;
use crate::domain::files::file_operation::{Target, target_of};

/// The steps that were denied for a reason that is asked for.
type StepsBy<'a> = dyn Fn(&dyn Fn(DenialReason) -> bool) -> Vec<StepName> + 'a;

/// The steps that ask for files.
const OF_OBJECTS: [StepName; 3] = [
    StepName::GetObject,
    StepName::PutObject,
    StepName::DeleteObject,
];

impl Subject<'_> {
    /// Causes that show in the answers of several steps together, with the steps that they explain.
    pub(super) fn patterns(&self, gathered: &Gathered) -> Vec<(Cause, Vec<StepName>)> {
        let mut found = Vec::new();
        let denied: Vec<(StepName, &AwsFailure)> = gathered
            .faults
            .iter()
            .filter_map(|fault| Some((fault.step, denial(&fault.what)?)))
            .collect();
        let by = |wanted: &dyn Fn(DenialReason) -> bool| -> Vec<StepName> {
            denied
                .iter()
                .filter(|(_, failure)| wanted(failure.reason()))
                .map(|(step, _)| *step)
                .collect()
        };
        // A bare denial that the agreement to pay lifts.
        let bare = by(&|reason| reason == DenialReason::NotGiven);
        if !bare.is_empty() && gathered.looks.pays == Some(true) {
            let bucket = self.bucket();
            found.push((RequesterPays { bucket }.into(), bare));
            return found;
        }
        if let Some(found) = self.foreign_bucket(gathered, &by) {
            return vec![found];
        }
        let implicit = by(&is_implicit);
        let of_objects = |steps: &[StepName]| -> Vec<StepName> {
            OF_OBJECTS
                .into_iter()
                .filter(|step| steps.contains(step))
                .collect()
        };
        let asked_of_objects: Vec<StepName> = OF_OBJECTS
            .into_iter()
            .filter(|step| gathered.passed(*step) || gathered.fault(*step).is_some())
            .collect();
        let all_objects_refused =
            !asked_of_objects.is_empty() && of_objects(&implicit) == asked_of_objects;
        let no_list = implicit.contains(&StepName::ListBucket);
        let lists = gathered.passed(StepName::ListBucket)
            || gathered.fault(StepName::ListBucket).is_some_and(|fault| {
                matches!(
                    fault.what,
                    What::NothingBelowPrefix
                        | What::OptionalDenied { .. }
                        | What::FilesThatExpire { .. }
                )
            });
        if no_list
            && implicit.contains(&StepName::GetBucketLocation)
            && (all_objects_refused || asked_of_objects.is_empty())
        {
            found.push((
                PolicyAbsentOrElsewhere {
                    caller: self.caller(),
                    bucket: self.bucket(),
                }
                .into(),
                implicit.clone(),
            ));
        }
        let is_absent = !found.is_empty();
        // The location is allowed, so the policy is of this bucket: its prefix is wrong in both.
        let neither =
            no_list && all_objects_refused && gathered.passed(StepName::GetBucketLocation);
        if !is_absent && all_objects_refused && (neither || lists && asked_of_objects.len() > 1) {
            let mut actions: Vec<String> = denied
                .iter()
                .filter(|(step, _)| OF_OBJECTS.contains(step))
                .map(|(step, failure)| self.denied(action_of(*step), failure).action)
                .collect();
            actions.extend(lacking(gathered, Target::Objects));
            found.push((
                ObjectArnOrPrefixWrong {
                    caller: self.caller(),
                    lists,
                    actions,
                    resource: self.resource_for("s3:GetObject").unwrap_or_default(),
                }
                .into(),
                asked_of_objects.clone(),
            ));
        }
        let others_pass = gathered.passed(StepName::GetBucketLocation)
            || OF_OBJECTS.iter().any(|step| gathered.passed(*step));
        if !is_absent && no_list && others_pass {
            found.push((
                ListConditionOrArnWrong {
                    caller: self.caller(),
                    bucket: self.bucket(),
                    prefix: self.prefix(),
                    also: lacking(gathered, Target::Bucket).collect(),
                }
                .into(),
                vec![StepName::ListBucket],
            ));
        }
        // A Deny of the bucket's policy, by how much it covers.
        let explicit = by(&|reason| {
            reason == DenialReason::By(PolicyKind::Resource, PolicyEffect::ExplicitDeny)
        });
        let covers_all = explicit.contains(&StepName::ListBucket)
            && of_objects(&explicit) == asked_of_objects
            && (explicit.len() > 1 || asked_of_objects.is_empty());
        if covers_all
            && let Some((step, failure)) = denied.iter().find(|(step, _)| explicit.contains(step))
        {
            let denied = self.denied(action_of(*step), failure);
            found.push((BucketPolicyDeniesAll { denied }.into(), explicit));
        } else if let Some(passes_with) = gathered.looks.put_passes_with
            && let Some((step, failure)) =
                denied.iter().find(|(step, _)| *step == StepName::PutObject)
        {
            found.push((
                BucketPolicyNeedsEncryption {
                    denied: self.denied(action_of(*step), failure),
                    passes_with: match passes_with {
                        PutEncryption::S3 => Encryption::S3,
                        PutEncryption::Kms => Encryption::Kms,
                    },
                }
                .into(),
                vec![*step],
            ));
        }
        found
    }

    /// The session is narrowed to what the bucket's account owns, and allows the rest. So where it allows nothing of the
    /// bucket, another account owns it.
    fn foreign_bucket(
        &self,
        gathered: &Gathered,
        by: &StepsBy<'_>,
    ) -> Option<(Cause, Vec<StepName>)> {
        let account = self.connection.expected_owner()?;
        let mut steps =
            by(&|reason| reason == DenialReason::By(PolicyKind::Session, PolicyEffect::NoAllow));
        let asked = [
            StepName::GetBucketLocation,
            StepName::ListBucket,
            StepName::GetObject,
            StepName::PutObject,
            StepName::DeleteObject,
        ];
        let is_all = steps.contains(&StepName::ListBucket)
            && asked.iter().all(|step| !gathered.passed(*step));
        if !is_all {
            return None;
        }
        steps.push(StepName::BucketOwner);
        let cause = BucketOwnedByAnotherAccount {
            bucket: self.bucket(),
            account: account.to_string(),
            is_named: self.connection.settings.bucket_account.is_some(),
        };
        Some((cause.into(), steps))
    }
}

/// The denial of S3 behind a fault.
pub(super) fn denial(what: &What) -> Option<&AwsFailure> {
    what.failure()
        .filter(|failure| failure.kind == FailureKind::AccessDenied)
}

/// The actions on this target that no policy allows, and that the connection works without.
pub(super) fn lacking(gathered: &Gathered, on: Target) -> impl Iterator<Item = String> {
    optional_lacks(gathered)
        .filter(move |action| target_of(action) == Some(on))
        .map(str::to_owned)
}

/// Every such action.
pub(super) fn optional_lacks(gathered: &Gathered) -> impl Iterator<Item = &'static str> {
    let optional = gathered.optional.iter();
    optional
        .filter(|(_, failure)| is_implicit(failure.reason()))
        .map(|(action, _)| *action)
}

/// The action that a step needs.
pub(super) fn action_of(step: StepName) -> &'static str {
    match step {
        StepName::GetBucketLocation | StepName::BucketOwner => "s3:GetBucketLocation",
        StepName::ListBucket => "s3:ListBucket",
        StepName::GetObject => "s3:GetObject",
        StepName::PutObject => "s3:PutObject",
        StepName::DeleteObject => "s3:DeleteObject",
        StepName::AssumeRole
        | StepName::RefusesMissingExternalId
        | StepName::RefusesWrongExternalId => "sts:AssumeRole",
        StepName::Cors => "",
    }
}
