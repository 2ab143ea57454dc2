//! Applies rendered documents in the customer's account, with the customer's own credentials, or takes
//! them away again.

mod answers;
mod bucket;
mod bucket_policy;
mod merge;
mod patience;
mod places;
mod role;

pub use patience::Patience;

use crate::application::connections::provision::{
    ProvisionChange, ProvisionError, Provisioned, ProvisionedPart, Provisioning,
};
use crate::aws::provision::answers::{Result, failed};
use crate::aws::provision::bucket::{Bucket, LifecyclePlan};
use crate::aws::provision::bucket_policy::PolicyPlan;
use crate::aws::provision::merge::Plan;
use crate::aws::provision::patience::Waiting;
use crate::aws::provision::places::Places;
use crate::aws::provision::role::Role;
use crate::domain::connection::account::AccountId;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::types as s3;

/// Makes the role, or gives it the documents' trust policy; puts the permission policy into it; merges the
/// CORS and lifecycle rules into those of the bucket, and the bucket policy's statements where the role is
/// of another account. With [`Provisioning::remove`] it takes all of that away. It asks first whose
/// credentials it has, and does the parts of that account only. Looks at everything before it changes
/// anything; with [`Provisioning::dry_run`] it only looks. Running it again changes nothing.
///
/// What AWS refuses for now is tried again, within [`Patience`]; each attempt of a change looks again first.
/// S3 has no conditional write for a bucket's rules. A rule that somebody else adds between such a look and
/// the write, which take less than a second, is lost.
///
/// # Errors
/// [`ProvisionError`]; its documentation says what state each leaves behind.
pub async fn provision(sdk: &SdkConfig, wanted: &Provisioning) -> Result<Provisioned> {
    provision_with(sdk, wanted, Patience::default()).await
}

/// The same with another patience.
pub async fn provision_with(
    sdk: &SdkConfig,
    wanted: &Provisioning,
    patience: Patience,
) -> Result<Provisioned> {
    // An attempt of the SDK's own would put rules back without a look at what they are by then.
    let sdk = &sdk
        .to_builder()
        .retry_config(RetryConfig::disabled())
        .build();
    let waiting = Waiting::begin(patience);
    let looked = Run::look(sdk, wanted, &waiting).await;
    let run = looked.map_err(|error| match error {
        ProvisionError::GivenUp { .. } => ProvisionError::Unfinished {
            cause: Box::new(error),
            done: Vec::new(),
            left: vec!["everything"],
        },
        other => other,
    })?;
    if !wanted.dry_run {
        run.apply(&waiting).await?;
    }
    Ok(run.done)
}

/// What was found, and what is done about it.
struct Run<'a> {
    wanted: &'a Provisioning,
    iam: aws_sdk_iam::Client,
    /// `None` where the bucket is of another account.
    bucket: Option<Bucket<'a>>,
    places: Places,
    done: Provisioned,
}

/// One part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Role,
    PermissionPolicy,
    RoleAndPolicy,
    Cors,
    Lifecycle,
    BucketPolicy,
}

impl Step {
    const APPLY: [Self; 5] = [
        Self::Role,
        Self::PermissionPolicy,
        Self::Cors,
        Self::Lifecycle,
        Self::BucketPolicy,
    ];
    const REMOVE: [Self; 4] = [
        Self::Cors,
        Self::Lifecycle,
        Self::BucketPolicy,
        Self::RoleAndPolicy,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::PermissionPolicy => "permission policy",
            Self::RoleAndPolicy => "role and permission policy",
            Self::Cors => "CORS",
            Self::Lifecycle => "lifecycle",
            Self::BucketPolicy => "bucket policy",
        }
    }
}

impl<'a> Run<'a> {
    async fn look(sdk: &SdkConfig, wanted: &'a Provisioning, waiting: &Waiting) -> Result<Self> {
        let sts = aws_sdk_sts::Client::new(sdk);
        let caller = waiting
            .attempt(async || {
                let answer = sts.get_caller_identity().send().await;
                answer.map_err(|error| failed("sts:GetCallerIdentity", &error))
            })
            .await?;
        let account =
            AccountId::parse(caller.account().unwrap_or_default()).map_err(|invalid| {
                ProvisionError::Unreachable {
                    operation: "sts:GetCallerIdentity",
                    cause: invalid.detail,
                }
            })?;
        let partition = caller
            .arn()
            .and_then(|arn| arn.split(':').nth(1))
            .unwrap_or("aws");
        let places = Places::of(wanted, &account)?;

        let absent_here = || ProvisionedPart::new(ProvisionChange::Skipped, Vec::new());
        let mut done = Provisioned {
            role_arn: wanted.documents().role_arn(),
            role: absent_here(),
            permission_policy: absent_here(),
            cors: absent_here(),
            lifecycle: absent_here(),
            bucket_policy: None,
            left: places.left.clone(),
        };
        let mut bucket = None;
        if places.bucket {
            let found = waiting
                .attempt(async || Bucket::find(sdk, wanted, account.as_str()).await)
                .await?;
            done.cors = waiting
                .attempt(async || found.plan_cors().await)
                .await?
                .part;
            done.lifecycle = waiting
                .attempt(async || found.plan_lifecycle().await)
                .await?
                .part;
            if places.separate {
                let plan = waiting.attempt(async || found.plan_policy().await).await?;
                done.bucket_policy = Some(plan.part);
            }
            bucket = Some(found);
        }
        let iam = aws_sdk_iam::Client::new(sdk);
        if places.role {
            let role = waiting
                .attempt(async || Role::find(&iam, wanted).await)
                .await?;
            done.role = role.plan()?;
            done.permission_policy = role.plan_permission_policy();
            done.role_arn = Some(role.arn(partition, account.as_str())?);
        }
        Ok(Self {
            wanted,
            iam,
            bucket,
            places,
            done,
        })
    }

    async fn apply(&self, waiting: &Waiting) -> Result<()> {
        let all: &[Step] = match self.wanted.remove {
            true => &Step::REMOVE,
            false => &Step::APPLY,
        };
        let steps: Vec<Step> = all.iter().copied().filter(|s| self.is_here(*s)).collect();
        for (at, step) in steps.iter().enumerate() {
            let taken = waiting.attempt(async || self.take(*step).await).await;
            taken.map_err(|cause| ProvisionError::Unfinished {
                cause: Box::new(cause),
                done: steps[..at].iter().map(|step| step.name()).collect(),
                left: steps[at..].iter().map(|step| step.name()).collect(),
            })?;
        }
        Ok(())
    }

    fn is_here(&self, step: Step) -> bool {
        match step {
            Step::Role | Step::PermissionPolicy | Step::RoleAndPolicy => self.places.role,
            Step::Cors | Step::Lifecycle => self.places.bucket,
            Step::BucketPolicy => self.places.bucket && self.places.separate,
        }
    }

    /// Looks again, and does what is still to be done.
    async fn take(&self, step: Step) -> Result<()> {
        match (step, &self.bucket) {
            (Step::Role, _) => {
                let (role, plan) = self.role_again().await?;
                role.put(&plan).await
            }
            (Step::PermissionPolicy, _) => {
                let (role, _) = self.role_again().await?;
                role.put_permission_policy(&role.plan_permission_policy())
                    .await
            }
            (Step::RoleAndPolicy, _) => {
                let (role, plan) = self.role_again().await?;
                role.remove(&plan, &role.plan_permission_policy()).await
            }
            (Step::Cors, Some(bucket)) => {
                let plan: Plan<s3::CorsRule> = bucket.plan_cors().await?;
                bucket.apply_cors(&plan).await
            }
            (Step::Lifecycle, Some(bucket)) => {
                let plan: LifecyclePlan = bucket.plan_lifecycle().await?;
                bucket.apply_lifecycle(&plan).await
            }
            (Step::BucketPolicy, Some(bucket)) => {
                let plan: PolicyPlan = bucket.plan_policy().await?;
                bucket.apply_policy(&plan).await
            }
            (Step::Cors | Step::Lifecycle | Step::BucketPolicy, None) => Ok(()),
        }
    }

    async fn role_again(&self) -> Result<(Role<'a>, ProvisionedPart)> {
        let role = Role::find(&self.iam, self.wanted).await?;
        // It was looked at before: what does not fit now is somebody's change of this moment.
        let plan = role.plan().map_err(|_| ProvisionError::ChangedMeanwhile {
            role: self.wanted.role_name().clone(),
        })?;
        Ok((role, plan))
    }
}
