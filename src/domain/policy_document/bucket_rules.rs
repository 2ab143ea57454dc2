//! The bucket's own configuration: CORS and lifecycle.

use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::lifecycle_folders::LifecycleFolders;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How the IDs of CORS rules begin.
const CORS_RULE_ID: &str = "sallyport";

/// What stands in a lifecycle rule's ID before the beginning of its setup's external ID.
const OF_SETUP: &str = "-of-";

/// The ID that earlier versions gave to a lifecycle rule, which had nothing of the setup. Such a rule of a
/// bucket is the product's too.
pub fn earlier_lifecycle_id(id: &str) -> Option<&str> {
    id.split_once(OF_SETUP).map(|(earlier, _)| earlier)
}

/// One CORS rule, in the JSON form of the S3 console; its document is an array of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct CorsRule<O = [OriginsSlot; 1]> {
    /// Names the rule among those of the bucket. None in a template.
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub allowed_headers: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_origins: O,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub enum OriginsSlot {
    #[serde(rename = "{allowed_origins}")]
    AllowedOrigins,
}

impl CorsRule {
    /// None without an origin: S3 refuses a rule that allows nobody.
    ///
    /// The rule's ID has the beginning of the external ID, as the role's name has: rules are merged by ID,
    /// and two setups of one bucket may need different ones.
    pub fn fill(
        &self,
        origins: &[OriginPattern],
        external_id: Option<&ExternalId>,
    ) -> Option<CorsRule<Vec<String>>> {
        if origins.is_empty() {
            return None;
        }
        let id = match external_id {
            Some(id) => format!("{CORS_RULE_ID}-{:.8}", id.to_string()),
            None => CORS_RULE_ID.to_owned(),
        };
        Some(CorsRule {
            id: Some(id),
            allowed_headers: self.allowed_headers.clone(),
            allowed_methods: self.allowed_methods.clone(),
            allowed_origins: origins.iter().map(ToString::to_string).collect(),
            expose_headers: self.expose_headers.clone(),
            max_age_seconds: self.max_age_seconds,
        })
    }
}

/// A lifecycle configuration, in the shape of PutBucketLifecycleConfiguration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Lifecycle<P = TempPrefixSlot> {
    pub rules: Vec<LifecycleRule<P>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct LifecycleRule<P> {
    #[serde(rename = "ID")]
    pub id: String,
    pub status: LifecycleStatus,
    pub filter: Filter<P>,
    pub expiration: Expiration,
    pub noncurrent_version_expiration: NoncurrentVersionExpiration,
    pub abort_incomplete_multipart_upload: AbortIncompleteMultipartUpload,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum LifecycleStatus {
    Enabled,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Filter<P> {
    pub prefix: P,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Expiration {
    pub days: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct NoncurrentVersionExpiration {
    pub noncurrent_days: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct AbortIncompleteMultipartUpload {
    pub days_after_initiation: u32,
}

/// The folders that the product writes what it does not need for long.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum TempPrefixSlot {
    #[serde(rename = "{temp_prefix}")]
    Temp,
    #[serde(rename = "{export_prefix}")]
    Export,
}

impl Lifecycle {
    /// Each rule's ID has the beginning of the external ID, as a CORS rule's has: two setups of one prefix have
    /// rules of their own, and one can take back its own without those of the other.
    pub fn fill(
        &self,
        prefix: &BucketPrefix,
        folders: &LifecycleFolders,
        external_id: Option<&ExternalId>,
    ) -> Lifecycle<String> {
        let of_setup = external_id
            .map(|id| format!("{OF_SETUP}{:.8}", id.to_string()))
            .unwrap_or_default();
        let rules = self
            .rules
            .iter()
            .map(|rule| LifecycleRule {
                id: format!("{}{}{of_setup}", rule.id, id_suffix(prefix)),
                status: rule.status,
                filter: Filter {
                    prefix: match rule.filter.prefix {
                        TempPrefixSlot::Temp => format!("{prefix}{}", folders.temp()),
                        TempPrefixSlot::Export => format!("{prefix}{}", folders.export()),
                    },
                },
                expiration: rule.expiration,
                noncurrent_version_expiration: rule.noncurrent_version_expiration,
                abort_incomplete_multipart_upload: rule.abort_incomplete_multipart_upload,
            })
            .collect();
        Lifecycle { rules }
    }
}

/// Distinguishes the rules for several prefixes of one bucket, whose IDs must differ (S3 user guide,
/// "Lifecycle configuration elements"). A digest, because an ID has at most 255 characters.
fn id_suffix(prefix: &BucketPrefix) -> String {
    let mut suffix = String::new();
    if !prefix.is_whole_bucket() {
        suffix.push('-');
        let digest = digest::digest(&digest::SHA256, prefix.as_str().as_bytes());
        for byte in digest.as_ref().iter().take(4) {
            // Writing into a string cannot fail.
            let _ = write!(suffix, "{byte:02x}");
        }
    }
    suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_id_has_nothing_of_the_setup() {
        assert_eq!(
            earlier_lifecycle_id("sallyport-temp-1a2b3c4d-of-0f8fad5b"),
            Some("sallyport-temp-1a2b3c4d")
        );
        assert_eq!(
            earlier_lifecycle_id("sallyport-temp-of-0f8fad5b"),
            Some("sallyport-temp")
        );
        assert_eq!(earlier_lifecycle_id("sallyport-temp-1a2b3c4d"), None);
    }
}
