//! Applies rendered documents in the customer's account, with the customer's own credentials, or takes
//! them away again.

mod answers;
mod bucket;
mod bucket_policy;
mod merge;
mod others;
mod patience;
mod places;
mod policies;
mod role;
mod user;

pub use patience::Patience;

use crate::application::connections::provision::{
    MadeKey, ProvisionChange, ProvisionError, Provisioned, ProvisionedPart, Provisioning,
};
use crate::aws::provision::answers::{Result, failed};
use crate::aws::provision::bucket::{Bucket, LifecyclePlan};
use crate::aws::provision::bucket_policy::PolicyPlan;
use crate::aws::provision::merge::Plan;
use crate::aws::provision::patience::Waiting;
use crate::aws::provision::places::Places;
use crate::aws::provision::role::Role;
use crate::aws::provision::user::User;
use crate::domain::connection::account::AccountId;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::types as s3;

/// Makes the role, or gives it the documents' trust policy; puts the permission policy into it; merges the
/// CORS and lifecycle rules into those of the bucket, and the bucket policy's statements where the role is
/// of another account. For an access key it makes a user with the permission policy, and an access key of it, whose
/// secret is in [`Provisioned::made_key`] and nowhere else. With [`Provisioning::remove`] it takes all of that away. It asks first whose
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
    let mut run = looked.map_err(|error| match error {
        ProvisionError::GivenUp { .. } => ProvisionError::Unfinished {
            cause: Box::new(error),
            done: Vec::new(),
            left: vec!["everything"],
        },
        other => other,
    })?;
    if !wanted.dry_run {
        let made = run.apply(&waiting).await?;
        run.keep(made, &waiting).await;
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
    User,
    UserPolicy,
    AccessKey,
    UserAndKey,
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
    /// The key comes last: what fails after it would take its secret along.
    const APPLY_USER: [Self; 5] = [
        Self::User,
        Self::UserPolicy,
        Self::Cors,
        Self::Lifecycle,
        Self::AccessKey,
    ];
    const REMOVE_USER: [Self; 3] = [Self::Cors, Self::Lifecycle, Self::UserAndKey];

    fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::PermissionPolicy | Self::UserPolicy => "permission policy",
            Self::RoleAndPolicy => "role and permission policy",
            Self::User => "user",
            Self::AccessKey => "access key",
            Self::UserAndKey => "access key, permission policy and user",
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
            identity: absent_here(),
            permission_policy: absent_here(),
            cors: absent_here(),
            lifecycle: absent_here(),
            bucket_policy: None,
            access_key: None,
            made_key: None,
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
        if wanted.makes_user() {
            let user = waiting
                .attempt(async || User::find(&iam, wanted).await)
                .await?;
            done.identity = user.plan()?;
            done.permission_policy = user.plan_permission_policy();
            done.access_key = Some(user.plan_key());
        } else if places.role {
            let role = waiting
                .attempt(async || Role::find(&iam, wanted).await)
                .await?;
            done.identity = role.plan()?;
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

    /// Takes the steps. Gives the access key that was made in one of them.
    async fn apply(&self, waiting: &Waiting) -> Result<Option<MadeKey>> {
        let all: &[Step] = match (self.wanted.makes_user(), self.wanted.remove) {
            (false, true) => &Step::REMOVE,
            (false, false) => &Step::APPLY,
            (true, true) => &Step::REMOVE_USER,
            (true, false) => &Step::APPLY_USER,
        };
        let mut made = None;
        let steps: Vec<Step> = all.iter().copied().filter(|s| self.is_here(*s)).collect();
        for (at, step) in steps.iter().enumerate() {
            let taken = waiting.attempt(async || self.take(*step).await).await;
            let key = taken.map_err(|cause| ProvisionError::Unfinished {
                cause: Box::new(cause),
                done: steps[..at].iter().map(|step| step.name()).collect(),
                left: steps[at..].iter().map(|step| step.name()).collect(),
            })?;
            made = made.or(key);
        }
        Ok(made)
    }

    /// Keeps the key that was made, and writes down at its user which it is. Nothing that fails here may lose the
    /// secret.
    async fn keep(&mut self, made: Option<MadeKey>, waiting: &Waiting) {
        let is_promised = self
            .done
            .access_key
            .as_ref()
            .is_some_and(|part| part.change == ProvisionChange::Created);
        match &made {
            Some(key) => {
                let tagged = waiting
                    .attempt(async || User::tag_key(&self.iam, self.wanted, key).await)
                    .await;
                if let Err(error) = tagged {
                    self.done.left.push(format!(
                        "The access key `{}` was made, and the user could not be tagged with it: {error} A removal takes it for somebody else's key: delete it by hand then.",
                        key.id
                    ));
                }
            }
            None if is_promised => self.done.left.push(format!(
                "AWS has made an access key of the user `{}`, and its secret did not arrive. Delete the key in IAM, and run this command again.",
                self.wanted.name()
            )),
            None => {}
        }
        self.done.made_key = made;
    }

    fn is_here(&self, step: Step) -> bool {
        match step {
            Step::Role | Step::PermissionPolicy | Step::RoleAndPolicy => self.places.role,
            Step::User | Step::UserPolicy | Step::AccessKey | Step::UserAndKey => true,
            Step::Cors | Step::Lifecycle => self.places.bucket,
            Step::BucketPolicy => self.places.bucket && self.places.separate,
        }
    }

    /// Looks again, and does what is still to be done. Gives the access key that it has made.
    async fn take(&self, step: Step) -> Result<Option<MadeKey>> {
        if step == Step::AccessKey {
            let (user, _) = self.user_again().await?;
            return user.make_key(&user.plan_key()).await;
        }
        self.change(step).await?;
        Ok(None)
    }

    async fn change(&self, step: Step) -> Result<()> {
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
            (Step::User, _) => {
                let (user, plan) = self.user_again().await?;
                user.put(&plan).await
            }
            (Step::UserPolicy, _) => {
                let (user, _) = self.user_again().await?;
                user.put_permission_policy(&user.plan_permission_policy())
                    .await
            }
            (Step::UserAndKey, _) => {
                let (user, plan) = self.user_again().await?;
                user.remove(&plan).await
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
            (Step::Cors | Step::Lifecycle | Step::BucketPolicy, None) | (Step::AccessKey, _) => {
                Ok(())
            }
        }
    }

    async fn user_again(&self) -> Result<(User<'a>, ProvisionedPart)> {
        let user = User::find(&self.iam, self.wanted).await?;
        let plan = user
            .plan()
            .map_err(|_| ProvisionError::UserChangedMeanwhile {
                user: self.wanted.name().clone(),
            })?;
        Ok((user, plan))
    }

    async fn role_again(&self) -> Result<(Role<'a>, ProvisionedPart)> {
        let role = Role::find(&self.iam, self.wanted).await?;
        // It was looked at before: what does not fit now is somebody's change of this moment.
        let plan = role.plan().map_err(|_| ProvisionError::ChangedMeanwhile {
            role: self.wanted.name().clone(),
        })?;
        Ok((role, plan))
    }
}
