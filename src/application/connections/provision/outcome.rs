//! What was done, or why it was not.

use crate::application::connections::provision::names::IamName;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath as IamPath;
use secrecy::SecretString;
use serde::Serialize;
use std::time::Duration;

/// What happened to one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvisionChange {
    Created,
    Updated,
    /// It already was as the documents say.
    Unchanged,
    /// Left alone, as asked or because the documents have none.
    Skipped,
    Removed,
    /// There was nothing to remove.
    Absent,
}

impl ProvisionChange {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Removed => "removed",
            Self::Absent => "absent",
        }
    }
}

/// What was done to one part, or would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedPart {
    pub change: ProvisionChange,
    /// What changes and what stays, in words for the administrator: a line for each thing.
    pub details: Vec<String>,
}

impl ProvisionedPart {
    pub fn new(change: ProvisionChange, details: Vec<String>) -> Self {
        Self { change, details }
    }
}

/// What was done; with [`Provisioning::dry_run`], what would be done. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// `None` where these credentials are of the bucket's account only, and the documents do not name it.
    pub role_arn: Option<RoleArn>,
    /// The role, or the user of an access key.
    pub identity: ProvisionedPart,
    pub permission_policy: ProvisionedPart,
    pub cors: ProvisionedPart,
    pub lifecycle: ProvisionedPart,
    /// `None` where the role is of the bucket's account, and needs none.
    pub bucket_policy: Option<ProvisionedPart>,
    /// `None` for a role.
    pub access_key: Option<ProvisionedPart>,
    /// The access key, where it was made now. Its secret is nowhere else.
    pub made_key: Option<MadeKey>,
    /// What is still to be done, and in which account: a sentence each.
    pub left: Vec<String>,
}

impl Provisioned {
    /// The parts, with their names for people, in the order in which they are applied.
    pub fn parts(&self) -> Vec<(&'static str, &ProvisionedPart)> {
        let identity = match self.access_key {
            Some(_) => "User",
            None => "Role",
        };
        let mut parts = vec![
            (identity, &self.identity),
            ("Permission policy", &self.permission_policy),
            ("CORS", &self.cors),
            ("Lifecycle", &self.lifecycle),
        ];
        parts.extend(
            self.bucket_policy
                .iter()
                .map(|part| ("Bucket policy", part)),
        );
        parts.extend(self.access_key.iter().map(|part| ("Access key", part)));
        parts
    }
}

/// An access key that was made just now.
#[derive(Debug, Clone)]
pub struct MadeKey {
    pub id: String,
    /// AWS gives it once, with the new key.
    pub secret: SecretString,
}

/// The ID says which key it is.
impl PartialEq for MadeKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for MadeKey {}

/// The names of parts, for people.
fn listed(parts: &[&'static str]) -> String {
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

/// Why it was not done. Everything is looked at before anything is changed, so
/// [`ProvisionError::OtherRole`], [`ProvisionError::OtherPath`], [`ProvisionError::OtherAccount`],
/// [`ProvisionError::OtherAccountOfUser`], [`ProvisionError::OtherUser`] and [`ProvisionError::RoleInUse`] leave the
/// account as it was. After any other error, run it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    #[error(
        "The role `{role}` exists, and its trust policy is not the one for this setup: it does not ask for the external ID {external_id} in every statement. Nothing was changed. {advice}\nIts trust policy now: {trust_policy}"
    )]
    OtherRole {
        role: IamName,
        external_id: String,
        /// Compact JSON.
        trust_policy: String,
        advice: &'static str,
    },
    #[error(
        "The role `{role}` has more than this setup needs: {what}. Nothing was changed. Detach it and run this again, or remove the role yourself."
    )]
    RoleInUse { role: IamName, what: String },
    #[error(
        "No usable AWS credentials were found. Sign in with the AWS CLI, or choose a profile with AWS_PROFILE. ({cause})"
    )]
    NoCredentials { cause: String },
    /// AWS said no. The text is AWS's own: it is the administrator's account and credentials.
    #[error("{operation} was refused: {code}: {message}")]
    Refused {
        operation: &'static str,
        code: String,
        message: String,
        /// HTTP's.
        status: Option<u16>,
    },
    #[error(
        "The role `{role}` exists at the path `{found}`, not at `{wanted}`: its ARN is {arn}. IAM has one role of a name in an account, whatever the path, and moves none. Nothing was changed. Enter that ARN in the setup, or choose another --role-name."
    )]
    OtherPath {
        role: IamName,
        found: String,
        wanted: IamPath,
        arn: String,
    },
    #[error(
        "The role `{role}` was changed by somebody else while this ran: its trust policy no longer asks for this setup's external ID in every statement, or something was attached to it. It is left alone from here on."
    )]
    ChangedMeanwhile { role: IamName },
    #[error(
        "These credentials are of the account {caller}. This setup's role is in the account {role}{others}. Nothing was changed. Run the command with credentials of one of them."
    )]
    OtherAccount {
        caller: AccountId,
        role: AccountId,
        /// The accounts of bucket and key, in words.
        others: String,
    },
    #[error(
        "The IAM user `{user}` exists, and has no tag `sallyport:setup` with the value `{setup}`: it is not of this setup, and may be in use by others. Nothing was changed. Remove it yourself, or choose another --user-name."
    )]
    OtherUser { user: IamName, setup: String },
    #[error(
        "The IAM user `{user}` was changed by somebody else while this ran: it no longer has this setup's tag. It is left alone from here on."
    )]
    UserChangedMeanwhile { user: IamName },
    #[error(
        "These credentials are of the account {caller}. The bucket is in the account {bucket}, which gets the user as well. Nothing was changed. Run the command with credentials of that account."
    )]
    OtherAccountOfUser {
        caller: AccountId,
        bucket: AccountId,
    },
    /// AWS went on refusing for now until the command's patience ended.
    #[error(
        "{}. AWS refuses this for now; it was tried {attempts} times in {} s.",
        cause.to_string().trim_end_matches('.'),
        waited.as_secs()
    )]
    GivenUp {
        cause: Box<ProvisionError>,
        attempts: u32,
        waited: Duration,
    },
    /// The command ended before everything was done.
    #[error(
        "{cause}\nDone: {}. Not done: {}. The same command can be run again: it leaves what is done as it is and does the rest.",
        listed(done),
        listed(left)
    )]
    Unfinished {
        cause: Box<ProvisionError>,
        done: Vec<&'static str>,
        left: Vec<&'static str>,
    },
    #[error("{operation} got no usable answer from AWS: {cause}")]
    Unreachable {
        operation: &'static str,
        cause: String,
    },
}
