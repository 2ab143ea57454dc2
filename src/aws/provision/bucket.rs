//! The bucket's CORS and lifecycle rules.

use crate::application::connections::provision::{
    GivenCorsRule, GivenLifecycleRule, ProvisionError, ProvisionedPart, Provisioning, RuleStatus,
};
use crate::aws::client::configured_endpoints::{Service, configured_endpoint};
use crate::aws::provision::answers::{Result, failed, is, unusable};
use crate::aws::provision::bucket_policy::{self, Next, PolicyPlan};
use crate::aws::provision::merge::{Plan, Rule};
use crate::domain::policy_document::earlier_lifecycle_id;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::types as s3;

/// The customer's bucket.
pub(super) struct Bucket<'a> {
    s3: aws_sdk_s3::Client,
    wanted: &'a Provisioning,
    name: String,
    /// The account that the credentials are of. S3 refuses the calls when another one owns the bucket.
    owner: String,
}

impl<'a> Bucket<'a> {
    /// A client for the bucket's own Region, whatever Region the settings name.
    pub async fn find(sdk: &SdkConfig, wanted: &'a Provisioning, owner: &str) -> Result<Self> {
        let name = wanted.bucket().as_str().to_owned();
        // An endpoint of one's own rarely has a host name for each bucket, and a dot in the name breaks
        // the host's certificate.
        let path_style = configured_endpoint(sdk, Service::S3).is_some() || name.contains('.');
        let settings = aws_sdk_s3::config::Builder::from(sdk).force_path_style(path_style);
        let mut bucket = Self {
            s3: aws_sdk_s3::Client::from_conf(settings.clone().build()),
            wanted,
            name,
            owner: owner.to_owned(),
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

    pub async fn plan_cors(&self) -> Result<Plan<s3::CorsRule>> {
        let rules = &self.wanted.documents().cors;
        if self.wanted.skip_cors || rules.is_empty() {
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
        let found: Vec<_> = found.into_iter().map(without_empty_lists).collect();
        Ok(match self.wanted.remove {
            true => Plan::remove(&rules, &found),
            false => Plan::apply(rules, &found),
        })
    }

    pub async fn plan_lifecycle(&self) -> Result<LifecyclePlan> {
        let rules = &self.wanted.documents().lifecycle.rules;
        if self.wanted.skip_lifecycle || rules.is_empty() {
            return Ok(LifecyclePlan {
                part: Plan::<s3::LifecycleRule>::skipped().part,
                rules: None,
                smallest_transition: None,
            });
        }
        let found = self
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .send()
            .await;
        let (found, smallest_transition) = match found {
            Ok(answer) => (
                answer.rules.unwrap_or_default(),
                answer.transition_default_minimum_object_size,
            ),
            Err(error) if is(&error, &["NoSuchLifecycleConfiguration"]) => (Vec::new(), None),
            Err(error) => return Err(failed("s3:GetLifecycleConfiguration", &error)),
        };
        let rules = rules
            .iter()
            .map(lifecycle_rule)
            .collect::<Result<Vec<_>>>()?;
        let Plan { part, rules } = match self.wanted.remove {
            true => Plan::remove(&rules, &found),
            false => Plan::apply(rules, &found),
        };
        Ok(LifecyclePlan {
            part,
            rules,
            smallest_transition,
        })
    }

    pub async fn apply_cors(&self, plan: &Plan<s3::CorsRule>) -> Result<()> {
        match &plan.rules {
            None => Ok(()),
            Some(rules) if rules.is_empty() => self
                .s3
                .delete_bucket_cors()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("s3:DeleteBucketCORS", &error)),
            Some(rules) => {
                let configuration = s3::CorsConfiguration::builder()
                    .set_cors_rules(Some(rules.clone()))
                    .build()
                    .map_err(|error| unusable("s3:PutBucketCORS", &error))?;
                self.s3
                    .put_bucket_cors()
                    .bucket(&self.name)
                    .expected_bucket_owner(&self.owner)
                    .cors_configuration(configuration)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| failed("s3:PutBucketCORS", &error))
            }
        }
    }

    pub async fn apply_lifecycle(&self, plan: &LifecyclePlan) -> Result<()> {
        match &plan.rules {
            None => Ok(()),
            Some(rules) if rules.is_empty() => self
                .s3
                .delete_bucket_lifecycle()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("s3:DeleteBucketLifecycle", &error)),
            Some(rules) => {
                let configuration = s3::BucketLifecycleConfiguration::builder()
                    .set_rules(Some(rules.clone()))
                    .build()
                    .map_err(|error| unusable("s3:PutLifecycleConfiguration", &error))?;
                self.s3
                    .put_bucket_lifecycle_configuration()
                    .bucket(&self.name)
                    .expected_bucket_owner(&self.owner)
                    .lifecycle_configuration(configuration)
                    .set_transition_default_minimum_object_size(plan.smallest_transition.clone())
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| failed("s3:PutLifecycleConfiguration", &error))
            }
        }
    }

    pub async fn plan_policy(&self) -> Result<PolicyPlan> {
        let Some(wanted) = &self.wanted.documents().bucket_policy else {
            return Ok(PolicyPlan::skipped());
        };
        let found = self
            .s3
            .get_bucket_policy()
            .bucket(&self.name)
            .expected_bucket_owner(&self.owner)
            .send()
            .await;
        let found = match found {
            Ok(answer) => {
                let text = answer.policy.unwrap_or_default();
                let policy = bucket_policy::parsed(&text);
                // One that cannot be read is never replaced.
                Some(policy.ok_or_else(|| ProvisionError::Unreachable {
                    operation: "s3:GetBucketPolicy",
                    cause: "the bucket's policy is not JSON".to_owned(),
                })?)
            }
            Err(error) if is(&error, &["NoSuchBucketPolicy"]) => None,
            Err(error) => return Err(failed("s3:GetBucketPolicy", &error)),
        };
        Ok(match self.wanted.remove {
            true => PolicyPlan::remove(wanted, found.as_ref()),
            false => PolicyPlan::apply(wanted, found.as_ref()),
        })
    }

    pub async fn apply_policy(&self, plan: &PolicyPlan) -> Result<()> {
        match &plan.policy {
            None => Ok(()),
            Some(Next::Delete) => self
                .s3
                .delete_bucket_policy()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("s3:DeleteBucketPolicy", &error)),
            Some(Next::Put(policy)) => self
                .s3
                .put_bucket_policy()
                .bucket(&self.name)
                .expected_bucket_owner(&self.owner)
                .policy(policy.to_string())
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("s3:PutBucketPolicy", &error)),
        }
    }
}

/// What is to be done about the lifecycle rules.
pub(super) struct LifecyclePlan {
    pub part: ProvisionedPart,
    rules: Option<Vec<s3::LifecycleRule>>,
    /// The bucket's own choice of the smallest object that moves between storage classes. S3 sets it back
    /// to the default when a configuration is put without it (S3 API reference,
    /// PutBucketLifecycleConfiguration).
    smallest_transition: Option<s3::TransitionDefaultMinimumObjectSize>,
}

impl Rule for s3::CorsRule {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn with_id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    fn described(&self) -> String {
        format!(
            "{}: {} from {}",
            self.id.as_deref().unwrap_or("a rule without an ID"),
            self.allowed_methods.join(", "),
            self.allowed_origins.join(", ")
        )
    }
}

impl Rule for s3::LifecycleRule {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn with_id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    fn earlier_id(&self) -> Option<&str> {
        self.id.as_deref().and_then(earlier_lifecycle_id)
    }

    fn described(&self) -> String {
        let prefix = self.filter.as_ref().and_then(|filter| filter.prefix());
        let days = self
            .expiration
            .as_ref()
            .and_then(|expiration| expiration.days());
        format!(
            "{}: objects below `{}` expire after {} days",
            self.id.as_deref().unwrap_or("a rule without an ID"),
            prefix.unwrap_or_default(),
            days.map_or("an unknown number of".to_owned(), |days| days.to_string())
        )
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
