//! The ARN of the role that the customer made for the product.

use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::invalid::{Invalid, shown};
use std::fmt;

/// An IAM role's ARN, as the console shows it:
/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, in any partition, with or without a path.
///
/// Limits (IAM and STS API references): 20 to 2048 characters in all, a name of 1 to 64 characters of
/// `[A-Za-z0-9+=,.@_-]`, a path of at most 512 printable ASCII characters. Wildcards cannot occur.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    partition: Partition,
    account: AccountId,
    name_at: usize,
}

impl RoleArn {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_role_arn", detail));
        const SHAPE: &str = "A role ARN looks like `arn:aws:iam::123456789012:role/name`; copy it from the role's page in the IAM console.";
        if value.len() < 20 || value.len() > 2048 {
            return refuse(format!("A role ARN has 20 to 2048 characters. {SHAPE}"));
        }
        if let Some(odd) = value.chars().find(|c| !c.is_ascii_graphic()) {
            return refuse(format!(
                "The role ARN has a character that no ARN has: `{}`. {SHAPE}",
                odd.escape_debug()
            ));
        }
        let fields: Vec<&str> = value.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = fields[..] else {
            return refuse(format!("`{}` is not an ARN. {SHAPE}", shown(value)));
        };
        if arn != "arn" {
            return refuse(format!("An ARN starts with `arn:` in lower case. {SHAPE}"));
        }
        let Some(partition) = Partition::parse(partition) else {
            return refuse(format!(
                "`{}` is not a partition of AWS, such as `aws`, `aws-cn`, `aws-us-gov` or `aws-eusc`. {SHAPE}",
                shown(partition)
            ));
        };
        if service == "sts" {
            return refuse(format!(
                "This is the ARN of a role session, not of the role. {SHAPE}"
            ));
        }
        if service != "iam" || !region.is_empty() {
            return refuse(format!("This is not the ARN of an IAM role. {SHAPE}"));
        }
        let account = AccountId::parse(account)
            .map_err(|invalid| Invalid::new("invalid_role_arn", format!("{invalid} {SHAPE}")))?;
        let Some(path_and_name) = resource.strip_prefix("role/") else {
            let what = match resource.split('/').next() {
                Some("user") => "a user",
                Some("root") => "an account root",
                Some("policy") => "a policy",
                Some("group") => "a group",
                Some("instance-profile") => "an instance profile",
                _ => "something else",
            };
            return refuse(format!(
                "This is the ARN of {what}. Enter a role ARN. {SHAPE}"
            ));
        };
        let (path, name) = match path_and_name.rsplit_once('/') {
            Some((path, name)) => (path, name),
            None => ("", path_and_name),
        };
        let name_char = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(name_char) {
            return refuse(format!(
                "`{}` is not a role name: it has 1 to 64 letters, digits and `+=,.@_-`. {SHAPE}",
                shown(name)
            ));
        }
        // IAM lets a path hold any printable ASCII, but a wildcard there would turn a policy that
        // names the role into one that names many.
        if path.len() > 510 || path.contains(['*', '?', '$', '"', '\\', '\'', '`', '<', '>']) {
            return refuse(format!(
                "The role's path is not one that this service accepts: at most 510 characters, without wildcards or quotes. {SHAPE}"
            ));
        }
        if path_and_name.starts_with('/') || path.split('/').any(str::is_empty) && !path.is_empty()
        {
            return refuse(format!("The role's path has an empty part. {SHAPE}"));
        }
        let name_at = value.len() - name.len();
        Ok(Self {
            text: value.to_owned(),
            partition,
            account,
            name_at,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The account that owns the role, and so must own the bucket.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The role's path: begins and ends with a slash.
    pub fn path(&self) -> &str {
        self.text[..self.name_at]
            .split_once(":role")
            .map_or("/", |(_, path)| path)
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &str {
        &self.text[self.name_at..]
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_every_partition_with_and_without_a_path() {
        for (text, name) in [
            ("arn:aws:iam::123456789012:role/acme", "acme"),
            (
                "arn:aws-cn:iam::123456789012:role/a/b/c+d=e,f.g@h_i-j",
                "c+d=e,f.g@h_i-j",
            ),
            ("arn:aws-us-gov:iam::123456789012:role/service-role/x", "x"),
            ("arn:aws-eusc:iam::123456789012:role/acme", "acme"),
            ("arn:aws-iso-b:iam::123456789012:role/acme", "acme"),
        ] {
            let arn = RoleArn::parse(text).unwrap();
            assert_eq!(arn.as_str(), text);
            assert_eq!(arn.name(), name);
            assert_eq!(arn.account().as_str(), "123456789012");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("arn:aws:iam::123456789012:role/{}", "a".repeat(65));
        for text in [
            "",
            "acme",
            "arn:aws:iam::123456789012:user/acme",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:assumed-role/acme/session",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/a?b",
            "arn:aws:iam::*:role/acme",
            "arn:aws:iam::１２３４５６７８９０１２:role/acme",
            "arn:aws:iam::12345678901:role/acme",
            "arn:aws:iam::1234567890123:role/acme",
            "arn:aws:iam::123456789012:role/acme\n",
            "arn:aws:iam::123456789012:role/ac me",
            "arn:aws:iam::123456789012:Role/acme",
            "ARN:aws:iam::123456789012:role/acme",
            "arn:AWS:iam::123456789012:role/acme",
            "arn:aws-x:iam::123456789012:role/acme",
            "arn:aws:iam:us-east-1:123456789012:role/acme",
            "arn:aws:s3:::123456789012:role/acme",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role//acme",
            "arn:aws:iam::123456789012:role/a//acme",
            "arn:aws:iam::123456789012:role/${aws:username}/acme",
            &long,
            " arn:aws:iam::123456789012:role/acme",
        ] {
            assert!(RoleArn::parse(text).is_err(), "{text:?}");
        }
    }
}
