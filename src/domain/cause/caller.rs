//! As whom a connection calls: the words that depend on it.

use crate::domain::cause::entry::{Candidate, Facts, Side};
use crate::domain::connection::{Connection, Credentials};
use crate::domain::policy_document::escape;

/// As whom a connection calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The customer's role, by its ARN.
    Role(String),
    /// The IAM user, or whatever a store has, of an access key. `is_aws`: at AWS itself.
    AccessKey { is_aws: bool },
    /// The service itself, at its own bucket.
    Service,
}

impl Caller {
    pub fn of(connection: &Connection) -> Self {
        match &connection.credentials {
            Credentials::Role { role_arn, .. } => Self::Role(role_arn.to_string()),
            Credentials::AccessKey { .. } => Self::AccessKey {
                is_aws: connection.endpoint().is_none(),
            },
            Credentials::Service => Self::Service,
        }
    }

    /// Whether it calls a store that is not AWS, which has no IAM and no organizations.
    pub fn is_at_store(&self) -> bool {
        matches!(self, Self::AccessKey { is_aws: false })
    }

    /// Who answers, at the beginning of a sentence.
    pub fn answerer(&self) -> &'static str {
        match self.is_at_store() {
            true => "The store",
            false => "AWS",
        }
    }

    /// [`Facts::learn_more`], except at a store, which AWS's documents are not about.
    pub fn learn_more(&self, facts: Facts, url: &'static str) -> Facts {
        match self.is_at_store() {
            true => facts,
            false => facts.learn_more(url),
        }
    }

    /// Adds where the policies of the caller are, and the command that lists them.
    pub fn look_at_policies(&self, candidate: Candidate) -> Candidate {
        let candidate = candidate.console(self.policies_page());
        match self {
            Self::Role(_) | Self::AccessKey { is_aws: true } => candidate.cli(self.list_policies()),
            Self::AccessKey { is_aws: false } | Self::Service => candidate,
        }
    }

    /// Adds where the policies of the caller are, and the command that says what they come to. `actions` are
    /// divided by blanks.
    pub fn look_by_simulation(
        &self,
        candidate: Candidate,
        actions: &str,
        resource: &str,
    ) -> Candidate {
        let candidate = candidate.console(self.policies_page());
        match self.is_at_store() {
            true => candidate,
            false => candidate.cli(self.simulate(actions, resource)),
        }
    }

    /// Like "The role", at the beginning of a sentence.
    pub fn subject(&self) -> &'static str {
        match self {
            Self::Role(_) => "The role",
            Self::AccessKey { .. } => "The access key's user",
            Self::Service => "The service",
        }
    }

    /// Like "the role", inside of a sentence.
    pub fn object(&self) -> &'static str {
        match self {
            Self::Role(_) => "the role",
            Self::AccessKey { .. } => "the access key's user",
            Self::Service => "the service's identity",
        }
    }

    /// Where its permissions are, like "the role's permission policy".
    pub fn policy(&self) -> &'static str {
        match self {
            Self::Role(_) => "the role's permission policy",
            Self::AccessKey { .. } => "the policy of the access key's user",
            Self::Service => "the policy of the service's identity",
        }
    }

    /// [`Caller::policy`] at the beginning of a sentence.
    pub fn policy_title(&self) -> &'static str {
        match self {
            Self::Role(_) => "The role's permission policy",
            Self::AccessKey { .. } => "The policy of the access key's user",
            Self::Service => "The policy of the service's identity",
        }
    }

    /// Who can change its permissions.
    pub fn side(&self) -> Side {
        match self {
            Self::Role(_) | Self::AccessKey { .. } => Side::CustomerAccount,
            Self::Service => Side::Service,
        }
    }

    /// Where its policies are in the console.
    pub fn policies_page(&self) -> String {
        match self {
            Self::Role(_) => format!(
                "IAM > Roles > {} > Permissions",
                self.role_name().unwrap_or_default()
            ),
            Self::AccessKey { is_aws: true } => {
                "IAM > Users > the user of the access key > Permissions".to_owned()
            }
            Self::AccessKey { is_aws: false } => {
                "The store's own administration: the permissions of the access key".to_owned()
            }
            Self::Service => "The operator's AWS account".to_owned(),
        }
    }

    /// The command that lists its policies.
    pub fn list_policies(&self) -> String {
        match self.role_name() {
            Some(name) => format!(
                "aws iam list-attached-role-policies --role-name {name}; aws iam list-role-policies --role-name {name}"
            ),
            None => "aws iam list-attached-user-policies --user-name USER; aws iam list-user-policies --user-name USER".to_owned(),
        }
    }

    /// The command that separates the identity's policies, its boundary and the organization's policies for
    /// these actions, which are divided by blanks.
    pub fn simulate(&self, actions: &str, resource: &str) -> String {
        format!(
            "aws iam simulate-principal-policy --policy-source-arn {} --action-names {actions} --resource-arns {}",
            match self {
                Self::Role(arn) => arn,
                Self::AccessKey { .. } => "USER_ARN",
                Self::Service => "IDENTITY_ARN",
            },
            escape::for_shell(resource)
        )
    }

    /// The role's ARN.
    pub fn role_arn(&self) -> Option<&str> {
        match self {
            Self::Role(arn) => Some(arn),
            Self::AccessKey { .. } | Self::Service => None,
        }
    }

    /// The role's name, without its path.
    pub fn role_name(&self) -> Option<&str> {
        self.role_arn()?.rsplit('/').next()
    }

    /// For examples in documents and tests.
    #[cfg(test)]
    pub fn examples() -> [Self; 4] {
        [
            Self::Role("arn:aws:iam::222222222222:role/ROLE".to_owned()),
            Self::AccessKey { is_aws: true },
            Self::Service,
            Self::AccessKey { is_aws: false },
        ]
    }
}
