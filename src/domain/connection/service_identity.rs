//! Who this service is to AWS.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::invalid::{Invalid, shown};
use std::fmt;

/// The identity that the service's own credentials belong to, from GetCallerIdentity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceIdentity {
    pub account: AccountId,
    pub partition: Partition,
}

/// The ARN that a customer's trust policy names as the one who may assume the role: an account's root
/// (the account as a whole), a role or a user of it.
///
/// The account root is the default: a trust policy that names a role stores that role's unique ID, so
/// that recreating the role would break every customer (IAM user guide, "AWS JSON policy elements:
/// Principal").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal {
    arn: String,
    account: AccountId,
    partition: Partition,
}

impl ServicePrincipal {
    pub fn account_root(identity: &ServiceIdentity) -> Self {
        Self {
            arn: format!("arn:{}:iam::{}:root", identity.partition, identity.account),
            account: identity.account.clone(),
            partition: identity.partition,
        }
    }

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = || {
            Invalid::new(
                "invalid_service_principal",
                format!(
                    "`{}` is not a principal's ARN: it looks like `arn:aws:iam::123456789012:root` or `arn:aws:iam::123456789012:role/sallyport`.",
                    shown(value)
                ),
            )
        };
        let fields: Vec<&str> = value.split(':').collect();
        let ["arn", partition, "iam", "", account, resource] = fields[..] else {
            return Err(refuse());
        };
        let partition = Partition::parse(partition).ok_or_else(refuse)?;
        let account = AccountId::parse(account).map_err(|_| refuse())?;
        let named = ["role/", "user/"].iter().any(|kind| {
            resource
                .strip_prefix(kind)
                .is_some_and(|name| !name.is_empty())
        });
        let plain = resource
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b));
        if !(resource == "root" || named) || !plain {
            return Err(refuse());
        }
        Ok(Self {
            arn: value.to_owned(),
            account,
            partition,
        })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    pub fn account(&self) -> &AccountId {
        &self.account
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }
}

impl fmt::Display for ServicePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_roles_and_users() {
        for text in [
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:iam::123456789012:role/a/b",
            "arn:aws:iam::123456789012:user/sallyport",
        ] {
            assert_eq!(ServicePrincipal::parse(text).unwrap().arn(), text);
        }
        for text in [
            "",
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::*:root",
            "arn:aws:sts::123456789012:assumed-role/a/b",
        ] {
            assert!(ServicePrincipal::parse(text).is_err(), "{text:?}");
        }
    }
}
