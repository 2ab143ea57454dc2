//! The managed policy that bounds the customer's role.

use crate::domain::Invalid;
use crate::domain::connection::account::{AccountId, Partition};
use std::fmt;

/// The ARN of a managed policy that bounds a role: `arn:PARTITION:iam::ACCOUNT:policy/PATH/NAME`, of the
/// customer's own account or of AWS's policies (`aws` as the account). A name of 1 to 128 characters, a path
/// of at most 512 (IAM API reference, CreatePolicy).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoundaryArn {
    text: String,
    partition: Partition,
    account: Option<AccountId>,
}

impl BoundaryArn {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "invalid_permissions_boundary",
                "A permissions boundary is the ARN of a managed policy. Example: arn:aws:iam::123456789012:policy/boundary",
            )
        };
        let fields: Vec<&str> = value.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = fields[..] else {
            return Err(invalid());
        };
        let partition = Partition::parse(partition).ok_or_else(invalid)?;
        let account = match account {
            "aws" => None,
            account => Some(AccountId::parse(account).map_err(|_| invalid())?),
        };
        let parts: Vec<&str> = resource
            .strip_prefix("policy/")
            .map(|parts| parts.split('/').collect())
            .unwrap_or_default();
        // As in a role's ARN: IAM lets a path hold more, which could be read as something else elsewhere.
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        let (Some((name, path)), true) = (
            parts.split_last(),
            parts
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(fits)),
        ) else {
            return Err(invalid());
        };
        if name.len() > 128 || path.iter().map(|part| part.len() + 1).sum::<usize>() > 511 {
            return Err(invalid());
        }
        Ok(Self {
            text: value.to_owned(),
            partition,
            account,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The account that owns the policy. `None`: it is one of AWS's own.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }
}

impl fmt::Display for BoundaryArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_a_managed_policy_of_the_customer_or_of_aws() {
        for (text, account) in [
            (
                "arn:aws:iam::123456789012:policy/boundary",
                Some("123456789012"),
            ),
            (
                "arn:aws-cn:iam::123456789012:policy/a/b/c",
                Some("123456789012"),
            ),
            ("arn:aws:iam::aws:policy/PowerUserAccess", None),
            ("arn:aws:iam::aws:policy/job-function/Billing", None),
        ] {
            let arn = BoundaryArn::parse(text).unwrap();
            assert_eq!(arn.as_str(), text);
            assert_eq!(arn.account().map(AccountId::as_str), account);
        }
        let long = format!("arn:aws:iam::123456789012:policy/{}", "a".repeat(129));
        for text in [
            "",
            "boundary",
            "arn:aws:iam::123456789012:role/boundary",
            "arn:aws:iam::123456789012:policy/",
            "arn:aws:iam::123456789012:policy//x",
            "arn:aws:iam::123456789012:policy/x/",
            "arn:aws:iam::123456789012:policy/*",
            "arn:aws:iam::123456789012:policy/a b",
            "arn:aws:iam::123456789012:policy/a\n",
            "arn:aws-x:iam::123456789012:policy/x",
            "arn:aws:iam::12345678901:policy/x",
            "arn:aws:iam:eu-west-1:123456789012:policy/x",
            &long,
        ] {
            assert!(BoundaryArn::parse(text).is_err(), "{text:?}");
        }
    }
}
