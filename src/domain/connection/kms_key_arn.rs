//! The customer's KMS key that encrypts the bucket's objects.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::region::Region;
use crate::domain::invalid::{Invalid, shown};
use std::fmt;

/// A KMS key's ARN: `arn:PARTITION:kms:REGION:ACCOUNT:key/KEY-ID`.
///
/// A key, not an alias: IAM evaluates `kms:Decrypt` against the key's own ARN, so a policy that names
/// an alias grants nothing (KMS developer guide, "Using aliases in IAM policies").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KmsKeyArn {
    text: String,
    partition: Partition,
    region: Region,
    account: AccountId,
}

impl KmsKeyArn {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        const SHAPE: &str = "A key ARN looks like `arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`.";
        let refuse = |detail: &str| {
            Err(Invalid::new(
                "invalid_kms_key_arn",
                format!("{detail} {SHAPE}"),
            ))
        };
        let fields: Vec<&str> = value.split(':').collect();
        let ["arn", partition, "kms", region, account, resource] = fields[..] else {
            return refuse(&format!("`{}` is not the ARN of a KMS key.", shown(value)));
        };
        let Some(partition) = Partition::parse(partition) else {
            return refuse(
                "The ARN's partition is none of AWS, such as `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`.",
            );
        };
        let Ok(region) = Region::of_aws(region) else {
            return refuse("The ARN names no known Region.");
        };
        if region.partition() != Some(partition) {
            return refuse("The Region belongs to another partition than the ARN.");
        }
        let Ok(account) = AccountId::parse(account) else {
            return refuse("The ARN names no account of 12 digits.");
        };
        if resource.starts_with("alias/") {
            return refuse("This is an alias; a policy must name the key itself.");
        }
        let key_id = resource.strip_prefix("key/").unwrap_or_default();
        let key_char = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if key_id.is_empty() || key_id.len() > 64 || !key_id.bytes().all(key_char) {
            return refuse("The ARN names no key ID.");
        }
        Ok(Self {
            text: value.to_owned(),
            partition,
            region,
            account,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The account that owns the key.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Where the key lives; S3 can use only a key of the bucket's own Region.
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_accepted_and_an_alias_or_a_wildcard_is_not() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(KmsKeyArn::parse(key).unwrap().as_str(), key);
        assert!(KmsKeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/mrk-1234").is_ok());
        for text in [
            "",
            "arn:aws:kms:eu-west-1:123456789012:alias/acme",
            "arn:aws:kms:eu-west-1:123456789012:key/*",
            "arn:aws-cn:kms:eu-west-1:123456789012:key/1",
            "arn:aws:kms:nowhere:123456789012:key/1",
            "arn:aws:kms:eu-west-1:12345:key/1",
            "arn:aws:kms:eu-west-1:123456789012:key/1\n",
        ] {
            assert!(KmsKeyArn::parse(text).is_err(), "{text:?}");
        }
    }
}
