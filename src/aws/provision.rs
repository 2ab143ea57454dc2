//! Applies rendered documents in the customer's account, with the customer's own credentials.

use crate::application::connections::provision::{
    GivenCorsRule, GivenLifecycleRule, ProvisionChange, ProvisionError, Provisioned, Provisioning,
    RuleStatus,
};
use crate::domain::connection::role_arn::RoleArn;
use aws_config::{Region, SdkConfig};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_s3::types as s3;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde_json::{Map, Value};
use std::error::Error;

type Result<T> = std::result::Result<T, ProvisionError>;

/// Makes the role, or gives it the documents' trust policy; puts the permission policy into it; puts
/// CORS and lifecycle rules on the bucket. Looks at everything before it changes anything. Running it
/// again changes nothing.
///
/// # Errors
/// [`ProvisionError`]; its documentation says what state each leaves behind.
pub async fn provision(sdk: &SdkConfig, wanted: &Provisioning) -> Result<Provisioned> {
    let bucket = Bucket::find(sdk, wanted).await?;
    let cors = bucket.plan_cors(wanted).await?;
    let lifecycle = bucket.plan_lifecycle(wanted).await?;

    let role = Role {
        iam: aws_sdk_iam::Client::new(sdk),
        wanted,
    };
    let (role_arn, role_change) = role.put().await?;
    let permission_policy = role.put_permission_policy().await?;
    let cors = bucket.apply_cors(cors).await?;
    let lifecycle = bucket.apply_lifecycle(lifecycle).await?;
    Ok(Provisioned {
        role_arn,
        role: role_change,
        permission_policy,
        cors,
        lifecycle,
    })
}

struct Role<'a> {
    iam: aws_sdk_iam::Client,
    wanted: &'a Provisioning,
}

impl Role<'_> {
    async fn put(&self) -> Result<(RoleArn, ProvisionChange)> {
        let name = self.wanted.role_name().as_str();
        let trust_policy = &self.wanted.documents().trust_policy;
        let found = match self.iam.get_role().role_name(name).send().await {
            Ok(answer) => answer.role,
            Err(error) if is(&error, &["NoSuchEntity"]) => None,
            Err(error) => return Err(failed("iam:GetRole", &error)),
        };
        let Some(role) = found else {
            let answer = self
                .iam
                .create_role()
                .role_name(name)
                .description("Lets Sallyport use a bucket, with an external ID.")
                .assume_role_policy_document(text(trust_policy))
                .send()
                .await
                .map_err(|error| failed("iam:CreateRole", &error))?;
            let arn = answer.role.map(|role| role.arn).unwrap_or_default();
            return Ok((parse_arn("iam:CreateRole", &arn)?, ProvisionChange::Created));
        };
        let arn = parse_arn("iam:GetRole", &role.arn)?;
        if same_policy(role.assume_role_policy_document.as_deref(), trust_policy) {
            return Ok((arn, ProvisionChange::Unchanged));
        }
        self.iam
            .update_assume_role_policy()
            .role_name(name)
            .policy_document(text(trust_policy))
            .send()
            .await
            .map_err(|error| failed("iam:UpdateAssumeRolePolicy", &error))?;
        Ok((arn, ProvisionChange::Updated))
    }

    async fn put_permission_policy(&self) -> Result<ProvisionChange> {
        let role = self.wanted.role_name().as_str();
        let name = self.wanted.policy_name().as_str();
        let policy = &self.wanted.documents().permission_policy;
        let found = self
            .iam
            .get_role_policy()
            .role_name(role)
            .policy_name(name)
            .send()
            .await;
        let change = match found {
            Ok(answer) if same_policy(Some(&answer.policy_document), policy) => {
                return Ok(ProvisionChange::Unchanged);
            }
            Ok(_) => ProvisionChange::Updated,
            Err(error) if is(&error, &["NoSuchEntity"]) => ProvisionChange::Created,
            Err(error) => return Err(failed("iam:GetRolePolicy", &error)),
        };
        self.iam
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(text(policy))
            .send()
            .await
            .map_err(|error| failed("iam:PutRolePolicy", &error))?;
        Ok(change)
    }
}

/// What a look at the bucket's rules came to.
struct Plan<T> {
    change: ProvisionChange,
    rules: Vec<T>,
}

impl<T: Clone + PartialEq> Plan<T> {
    fn of(wanted: Vec<T>, found: Vec<T>, replace: bool) -> Option<Self> {
        let change = if found.is_empty() {
            ProvisionChange::Created
        } else if found == wanted {
            ProvisionChange::Unchanged
        } else if replace {
            ProvisionChange::Updated
        } else {
            return None;
        };
        Some(Self {
            change,
            rules: wanted,
        })
    }

    fn skipped() -> Self {
        Self {
            change: ProvisionChange::Skipped,
            rules: Vec::new(),
        }
    }

    fn writes(&self) -> bool {
        matches!(
            self.change,
            ProvisionChange::Created | ProvisionChange::Updated
        )
    }
}

struct Bucket {
    s3: aws_sdk_s3::Client,
    name: String,
    /// The account that the credentials are of. S3 refuses the calls when another one owns the bucket.
    owner: String,
}

impl Bucket {
    /// A client for the bucket's own Region, whatever Region the settings name.
    async fn find(sdk: &SdkConfig, wanted: &Provisioning) -> Result<Self> {
        let caller = aws_sdk_sts::Client::new(sdk)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| failed("sts:GetCallerIdentity", &error))?;
        let name = wanted.bucket().as_str().to_owned();
        // An endpoint of one's own rarely has a host name for each bucket, and a dot in the name breaks
        // the host's certificate.
        let path_style = sdk.endpoint_url().is_some()
            || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
            || name.contains('.');
        let settings = aws_sdk_s3::config::Builder::from(sdk).force_path_style(path_style);
        let mut bucket = Self {
            s3: aws_sdk_s3::Client::from_conf(settings.clone().build()),
            name,
            owner: caller.account.unwrap_or_default(),
        };
        let head = bucket.s3.head_bucket().bucket(&bucket.name).send().await;
        let region = match &head {
            Ok(answer) => answer.bucket_region.clone(),
            // S3 names the Region even when it redirects or denies (S3 API reference, HeadBucket).
            Err(error) => error
                .raw_response()
                .and_then(|response| response.headers().get("x-amz-bucket-region"))
                .map(str::to_owned),
        };
        match (head, region) {
            (Ok(_), None) => {}
            (_, Some(region)) => {
                let settings = settings.region(Region::new(region));
                bucket.s3 = aws_sdk_s3::Client::from_conf(settings.build());
            }
            (Err(error), None) => return Err(failed("s3:HeadBucket", &error)),
        }
        Ok(bucket)
    }

    async fn plan_cors(&self, wanted: &Provisioning) -> Result<Plan<s3::CorsRule>> {
        let rules = &wanted.documents().cors;
        if wanted.skip_cors || rules.is_empty() {
            return Ok(Plan::skipped());
        }
        let found = self
            .s3
            .get_bucket_cors()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .send()
            .await;
        let found = match found {
            Ok(answer) => answer.cors_rules.unwrap_or_default(),
            Err(error) if is(&error, &["NoSuchCORSConfiguration"]) => Vec::new(),
            Err(error) => return Err(failed("s3:GetBucketCORS", &error)),
        };
        let rules = rules.iter().map(cors_rule).collect::<Result<Vec<_>>>()?;
        let found = found.into_iter().map(without_empty_lists).collect();
        Plan::of(rules, found, wanted.replace).ok_or_else(|| ProvisionError::OtherRules {
            bucket: wanted.bucket().clone(),
            what: "CORS",
        })
    }

    async fn plan_lifecycle(&self, wanted: &Provisioning) -> Result<Plan<s3::LifecycleRule>> {
        let rules = &wanted.documents().lifecycle.rules;
        if wanted.skip_lifecycle || rules.is_empty() {
            return Ok(Plan::skipped());
        }
        let found = self
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .send()
            .await;
        let mut found = match found {
            Ok(answer) => answer.rules.unwrap_or_default(),
            Err(error) if is(&error, &["NoSuchLifecycleConfiguration"]) => Vec::new(),
            Err(error) => return Err(failed("s3:GetLifecycleConfiguration", &error)),
        };
        let mut rules = rules
            .iter()
            .map(lifecycle_rule)
            .collect::<Result<Vec<_>>>()?;
        // Unlike CORS rules, these have no order; S3 answers them in one of its own.
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Plan::of(rules, found, wanted.replace).ok_or_else(|| ProvisionError::OtherRules {
            bucket: wanted.bucket().clone(),
            what: "lifecycle",
        })
    }

    async fn apply_cors(&self, plan: Plan<s3::CorsRule>) -> Result<ProvisionChange> {
        if plan.writes() {
            let configuration = s3::CorsConfiguration::builder()
                .set_cors_rules(Some(plan.rules))
                .build()
                .map_err(|error| unusable("s3:PutBucketCORS", &error))?;
            self.s3
                .put_bucket_cors()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .cors_configuration(configuration)
                .send()
                .await
                .map_err(|error| failed("s3:PutBucketCORS", &error))?;
        }
        Ok(plan.change)
    }

    async fn apply_lifecycle(&self, plan: Plan<s3::LifecycleRule>) -> Result<ProvisionChange> {
        if plan.writes() {
            let configuration = s3::BucketLifecycleConfiguration::builder()
                .set_rules(Some(plan.rules))
                .build()
                .map_err(|error| unusable("s3:PutLifecycleConfiguration", &error))?;
            self.s3
                .put_bucket_lifecycle_configuration()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .lifecycle_configuration(configuration)
                .send()
                .await
                .map_err(|error| failed("s3:PutLifecycleConfiguration", &error))?;
        }
        Ok(plan.change)
    }
}

fn some_unless_empty(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn cors_rule(rule: &GivenCorsRule) -> Result<s3::CorsRule> {
    s3::CorsRule::builder()
        .set_id(rule.id.clone())
        .set_allowed_headers(some_unless_empty(&rule.allowed_headers))
        .set_allowed_methods(Some(rule.allowed_methods.clone()))
        .set_allowed_origins(Some(rule.allowed_origins.clone()))
        .set_expose_headers(some_unless_empty(&rule.expose_headers))
        .set_max_age_seconds(rule.max_age_seconds)
        .build()
        .map_err(|error| unusable("s3:PutBucketCORS", &error))
}

/// An absent list and an empty one are the same rule.
fn without_empty_lists(mut rule: s3::CorsRule) -> s3::CorsRule {
    rule.allowed_headers = rule.allowed_headers.filter(|list| !list.is_empty());
    rule.expose_headers = rule.expose_headers.filter(|list| !list.is_empty());
    rule
}

fn lifecycle_rule(rule: &GivenLifecycleRule) -> Result<s3::LifecycleRule> {
    let expiration = rule.expiration.as_ref().map(|expiration| {
        s3::LifecycleExpiration::builder()
            .days(expiration.days)
            .build()
    });
    let noncurrent = rule
        .noncurrent_version_expiration
        .as_ref()
        .map(|expiration| {
            s3::NoncurrentVersionExpiration::builder()
                .noncurrent_days(expiration.noncurrent_days)
                .build()
        });
    let abort = rule
        .abort_incomplete_multipart_upload
        .as_ref()
        .map(|abort| {
            s3::AbortIncompleteMultipartUpload::builder()
                .days_after_initiation(abort.days_after_initiation)
                .build()
        });
    s3::LifecycleRule::builder()
        .set_id(rule.id.clone())
        .status(match rule.status {
            RuleStatus::Enabled => s3::ExpirationStatus::Enabled,
            RuleStatus::Disabled => s3::ExpirationStatus::Disabled,
        })
        .filter(
            s3::LifecycleRuleFilter::builder()
                .prefix(&rule.filter.prefix)
                .build(),
        )
        .set_expiration(expiration)
        .set_noncurrent_version_expiration(noncurrent)
        .set_abort_incomplete_multipart_upload(abort)
        .build()
        .map_err(|error| unusable("s3:PutLifecycleConfiguration", &error))
}

fn text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}

/// IAM answers policies percent-encoded (IAM API reference, GetRole). One that cannot be read counts as
/// different, and is put again.
fn same_policy(found: Option<&str>, wanted: &Map<String, Value>) -> bool {
    let Some(found) = found else { return false };
    // A `+` stands for itself in this encoding, so no form decoding.
    let decoded = percent_decoded(found);
    serde_json::from_slice::<Map<String, Value>>(&decoded).is_ok_and(|found| found == *wanted)
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

fn parse_arn(operation: &'static str, arn: &str) -> Result<RoleArn> {
    RoleArn::parse(arn).map_err(|invalid| ProvisionError::Unreachable {
        operation,
        cause: invalid.detail,
    })
}

fn is<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, codes: &[&str]) -> bool {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .is_some_and(|code| codes.contains(&code))
}

fn failed<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> ProvisionError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    match error.as_service_error() {
        Some(refusal) => ProvisionError::Refused {
            operation,
            // The answer to a HEAD request has no body to name a code or a reason.
            code: match (refusal.code(), status) {
                (Some(code), _) => code.to_owned(),
                (None, Some(status)) => format!("HTTP {status}"),
                (None, None) => "unknown".to_owned(),
            },
            message: match (refusal.message(), status) {
                (Some(message), _) => message.to_owned(),
                (None, Some(404)) => "there is nothing of this name".to_owned(),
                (None, Some(403)) => "these credentials may not do it".to_owned(),
                (None, _) => "AWS gave no reason".to_owned(),
            },
        },
        None => unusable(operation, error),
    }
}

/// What is known of a call without an answer: the error and what caused it, in one line.
fn unusable(operation: &'static str, error: &(dyn Error + 'static)) -> ProvisionError {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    ProvisionError::Unreachable {
        operation,
        cause: texts.join(": "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn policies_are_compared_by_value_through_the_encoding_that_iam_answers() {
        let wanted = json!({"Version": "2012-10-17", "Id": "a+b %41 ü"});
        let wanted = wanted.as_object().unwrap();
        for same in [
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Id%22%3A%22a%2Bb%20%2541%20%C3%BC%22%7D",
            "{\"Id\": \"a+b %2541 ü\", \"Version\": \"2012-10-17\"}",
        ] {
            assert!(same_policy(Some(same), wanted), "{same}");
        }
        for other in ["", "%7B%7D", "%7", "{\"Version\":\"2012-10-17\"}"] {
            assert!(!same_policy(Some(other), wanted), "{other}");
        }
        assert!(!same_policy(None, wanted));
    }

    #[test]
    fn rules_are_written_only_where_there_are_none_unless_asked() {
        let change = |found: &[u8], replace| {
            Plan::of(vec![1, 2], found.to_vec(), replace).map(|plan| plan.change)
        };
        assert_eq!(change(&[], false), Some(ProvisionChange::Created));
        assert_eq!(change(&[1, 2], false), Some(ProvisionChange::Unchanged));
        assert_eq!(change(&[1, 2], true), Some(ProvisionChange::Unchanged));
        assert_eq!(change(&[1], false), None);
        assert_eq!(change(&[1], true), Some(ProvisionChange::Updated));
    }
}
