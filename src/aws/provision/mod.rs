//! Applies rendered documents in the customer's account, with the customer's own credentials, or takes
//! them away again.

mod answers;
mod bucket;
mod merge;
mod role;

use crate::application::connections::provision::{Provisioned, Provisioning};
use crate::aws::provision::answers::{Result, failed};
use crate::aws::provision::bucket::Bucket;
use crate::aws::provision::role::Role;
use aws_config::SdkConfig;

/// Makes the role, or gives it the documents' trust policy; puts the permission policy into it; merges the
/// CORS and lifecycle rules into those of the bucket. With [`Provisioning::remove`] it takes all of that
/// away. Looks at everything before it changes anything; with [`Provisioning::dry_run`] it only looks.
/// Running it again changes nothing.
///
/// S3 has no conditional write for a bucket's rules. A rule that somebody else adds between the look and
/// the write, which take less than a second, is lost.
///
/// # Errors
/// [`ProvisionError`](crate::application::connections::provision::ProvisionError); its documentation says
/// what state each leaves behind.
pub async fn provision(sdk: &SdkConfig, wanted: &Provisioning) -> Result<Provisioned> {
    let caller = aws_sdk_sts::Client::new(sdk)
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| failed("sts:GetCallerIdentity", &error))?;
    let account = caller.account.unwrap_or_default();
    let partition = caller
        .arn
        .as_deref()
        .and_then(|arn| arn.split(':').nth(1))
        .unwrap_or("aws")
        .to_owned();

    let bucket = Bucket::find(sdk, wanted, &account).await?;
    let cors = bucket.plan_cors().await?;
    let lifecycle = bucket.plan_lifecycle().await?;
    let role = Role::find(sdk, wanted).await?;
    let role_plan = role.plan()?;
    let permissions = role.plan_permission_policy();
    let role_arn = role.arn(&partition, &account)?;

    if !wanted.dry_run {
        if wanted.remove {
            bucket.apply_cors(&cors).await?;
            bucket.apply_lifecycle(&lifecycle).await?;
            role.remove(&role_plan, &permissions).await?;
        } else {
            role.put(&role_plan).await?;
            role.put_permission_policy(&permissions).await?;
            bucket.apply_cors(&cors).await?;
            bucket.apply_lifecycle(&lifecycle).await?;
        }
    }
    Ok(Provisioned {
        role_arn,
        role: role_plan,
        permission_policy: permissions,
        cors: cors.part,
        lifecycle: lifecycle.part,
    })
}
