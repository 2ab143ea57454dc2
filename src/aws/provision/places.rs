//! Which parts are of the account that the credentials are of, and what is left for others.

use crate::application::connections::provision::{ProvisionError, Provisioning};
use crate::aws::provision::answers::Result;
use crate::domain::connection::account::AccountId;

/// What is done with these credentials.
#[derive(Debug, PartialEq)]
pub(super) struct Places {
    pub role: bool,
    pub bucket: bool,
    /// The role is in another account than the bucket, so the bucket's own policy must let it in.
    pub separate: bool,
    /// What this run leaves, and where it is done: a sentence each.
    pub left: Vec<String>,
}

impl Places {
    /// The account that owns the bucket gets the user as well: then no bucket policy has to name it.
    fn of_user(wanted: &Provisioning, caller: &AccountId) -> Result<Self> {
        let owner = wanted.bucket_account.as_ref();
        if let Some(owner) = owner.filter(|owner| *owner != caller) {
            return Err(ProvisionError::OtherAccountOfUser {
                caller: caller.clone(),
                bucket: owner.clone(),
            });
        }
        let key_account = wanted.documents().key_account();
        let key_account = key_account.filter(|account| account != caller);
        let left = key_account.map(|account| {
            let actions = wanted.documents().key_actions().join(", ");
            match wanted.remove {
                true => format!(
                    "The KMS key is in the account {account}: what its key policy allows the user stays."
                ),
                false => format!(
                    "The KMS key is in the account {account}: its key policy must allow the user `{}` {actions}. This command changes no key policy.",
                    wanted.name()
                ),
            }
        });
        Ok(Self {
            role: false,
            bucket: true,
            separate: false,
            left: left.into_iter().collect(),
        })
    }

    /// # Errors
    /// [`ProvisionError::OtherAccount`] for credentials of an account that nothing is in.
    pub fn of(wanted: &Provisioning, caller: &AccountId) -> Result<Self> {
        if wanted.makes_user() {
            return Self::of_user(wanted, caller);
        }
        let role_account = wanted.role_account.as_ref();
        let bucket_account = wanted.bucket_account.as_ref().or(role_account);
        let separate = match (role_account, bucket_account) {
            (Some(role), Some(bucket)) => role != bucket,
            // A bucket's account is named where it is not the role's.
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let bucket = bucket_account.is_none_or(|account| account == caller);
        let role = match role_account {
            Some(account) => account == caller,
            None => !separate || !bucket,
        };
        let key_account = wanted.documents().key_account();
        if !role && !bucket {
            let others = [
                (bucket_account, "the bucket"),
                (key_account.as_ref(), "the KMS key"),
            ]
            .into_iter()
            .filter_map(|(account, what)| {
                let account = account.filter(|account| Some(*account) != role_account)?;
                Some(format!(", {what} in the account {account}"))
            });
            return Err(ProvisionError::OtherAccount {
                caller: caller.clone(),
                role: role_account.unwrap_or(caller).clone(),
                others: others.collect(),
            });
        }
        let mut left = Vec::new();
        let verb = match wanted.remove {
            true => "removed",
            false => "applied",
        };
        if !bucket && let Some(account) = bucket_account {
            left.push(format!(
                "The bucket `{}` is in the account {account}: its CORS rules, its lifecycle rules and the statements of its bucket policy that let the role in are not {verb} yet. Enter the role's ARN in the setup, fetch the documents again, and run this command with credentials of the account {account}.",
                wanted.bucket()
            ));
        }
        if !role {
            let account = role_account.map_or_else(
                || "another account than the bucket's".to_owned(),
                |account| format!("the account {account}"),
            );
            left.push(format!(
                "The role `{}` is in {account}: it and its policies are not {verb} by this run. Run this command with credentials of that account. If the role is to be in the account {caller}, add --role-account {caller}.",
                wanted.name()
            ));
        } else if separate && !bucket && wanted.documents().bucket_policy.is_none() {
            left.push(
                "The documents have no bucket policy yet, because they were fetched before the role's ARN was entered in the setup."
                    .to_owned(),
            );
        }
        if bucket && separate && wanted.documents().bucket_policy.is_none() {
            left.push(
                "The bucket policy that lets the role in is not in the documents: the role's ARN is not known yet. Enter it in the setup, fetch the documents again, and run this command again."
                    .to_owned(),
            );
        }
        if let Some(account) = key_account.filter(|account| {
            let role_here = role_account.unwrap_or(caller);
            account != role_here
        }) {
            let actions = wanted.documents().key_actions().join(", ");
            left.push(match wanted.remove {
                true => format!(
                    "The KMS key is in the account {account}: what its key policy allows the role stays. The script in the document `cli_key`, with --undo, removes it there."
                ),
                false => format!(
                    "The KMS key is in the account {account}: its key policy must allow the role {actions}. This command changes no key policy: run the script in the document `cli_key` there, or add the statement of `key_policy`."
                ),
            });
        }
        Ok(Self {
            role,
            bucket,
            separate,
            left,
        })
    }
}
