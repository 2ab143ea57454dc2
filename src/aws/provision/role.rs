//! The customer's role with its two policies.

use crate::application::connections::provision::{
    IamPath, ProvisionChange, ProvisionError, ProvisionedPart, Provisioning,
};
use crate::aws::provision::answers::{Result, failed, is};
use crate::aws::provision::others::{self, Identity};
use crate::aws::provision::policies;
use crate::aws::provision::policies::{decoded_policy, text};
use crate::domain::connection::role_arn::RoleArn;

/// A role as it was found, and what is wanted of it.
pub(super) struct Role<'a> {
    iam: aws_sdk_iam::Client,
    wanted: &'a Provisioning,
    found: Option<FoundRole>,
}

struct FoundRole {
    arn: String,
    path: String,
    permissions_boundary: Option<String>,
    /// As IAM answers it: percent-encoded.
    trust_policy: Option<String>,
    /// The inline policy of the wanted name.
    permission_policy: Option<String>,
    /// What keeps the role from being deleted. Asked only for a removal.
    in_use_by: Vec<String>,
}

impl<'a> Role<'a> {
    pub async fn find(iam: &aws_sdk_iam::Client, wanted: &'a Provisioning) -> Result<Self> {
        let iam = iam.clone();
        let name = wanted.name().as_str();
        let role = match iam.get_role().role_name(name).send().await {
            Ok(answer) => answer.role,
            Err(error) if is(&error, &["NoSuchEntity"]) => None,
            Err(error) => return Err(failed("iam:GetRole", &error)),
        };
        let mut role_of = Self {
            iam,
            wanted,
            found: None,
        };
        if let Some(role) = role {
            role_of.found = Some(FoundRole {
                arn: role.arn,
                path: role.path,
                permissions_boundary: role
                    .permissions_boundary
                    .and_then(|boundary| boundary.permissions_boundary_arn),
                trust_policy: role.assume_role_policy_document,
                permission_policy: role_of.find_permission_policy().await?,
                in_use_by: match wanted.remove {
                    true => role_of.find_users().await?,
                    false => Vec::new(),
                },
            });
        }
        Ok(role_of)
    }

    async fn find_permission_policy(&self) -> Result<Option<String>> {
        let answer = self
            .iam
            .get_role_policy()
            .role_name(self.wanted.name().as_str())
            .policy_name(self.wanted.policy_name().as_str())
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer.policy_document)),
            Err(error) if is(&error, &["NoSuchEntity"]) => Ok(None),
            Err(error) => Err(failed("iam:GetRolePolicy", &error)),
        }
    }

    /// Everything else that is attached to the role. IAM deletes no role with any of it (IAM API reference,
    /// DeleteRole).
    async fn find_users(&self) -> Result<Vec<String>> {
        let name = self.wanted.name().as_str();
        let own = self.wanted.policy_name().as_str();
        let mut users = others::policies(&self.iam, Identity::Role(name), own).await?;
        let profiles = self
            .iam
            .list_instance_profiles_for_role()
            .role_name(name)
            .send()
            .await
            .map_err(|error| failed("iam:ListInstanceProfilesForRole", &error))?;
        for profile in profiles.instance_profiles {
            let name = profile.instance_profile_name;
            users.push(format!("the instance profile `{name}`"));
        }
        Ok(users)
    }

    /// The role's ARN, or the one that it will have.
    pub fn arn(&self, partition: &str, account: &str) -> Result<RoleArn> {
        let arn = match &self.found {
            Some(role) => role.arn.clone(),
            None => format!(
                "arn:{partition}:iam::{account}:role{}{}",
                self.wanted.path.as_ref().map_or("/", IamPath::as_str),
                self.wanted.name()
            ),
        };
        RoleArn::parse(&arn).map_err(|invalid| ProvisionError::Unreachable {
            operation: "iam:GetRole",
            cause: invalid.detail,
        })
    }

    /// What is to be done about the role and its trust policy.
    pub fn plan(&self) -> Result<ProvisionedPart> {
        let documents = self.wanted.documents();
        let name = self.wanted.name();
        let part = |change, line: String| Ok(ProvisionedPart::new(change, vec![line]));
        let Some(role) = &self.found else {
            return match self.wanted.remove {
                true => part(
                    ProvisionChange::Absent,
                    format!("There is no role `{name}`."),
                ),
                false => part(
                    ProvisionChange::Created,
                    format!(
                        "The new role `{name}`{}, with the trust policy {}{}",
                        match &self.wanted.path {
                            Some(path) => format!(" at the path `{path}`"),
                            None => String::new(),
                        },
                        text(documents.trust_policy()),
                        match &self.wanted.permissions_boundary {
                            Some(boundary) =>
                                format!(" and the permissions boundary {}", boundary.as_str()),
                            None => String::new(),
                        }
                    ),
                ),
            };
        };
        if let Some(path) = &self.wanted.path
            && *path.as_str() != role.path
        {
            return Err(ProvisionError::OtherPath {
                role: name.clone(),
                found: role.path.clone(),
                wanted: path.clone(),
                arn: role.arn.clone(),
            });
        }
        let found = decoded_policy(role.trust_policy.as_deref());
        let is_of_setup = found
            .as_ref()
            .is_some_and(|found| documents.are_of_role(found));
        if !is_of_setup {
            return Err(ProvisionError::OtherRole {
                role: name.clone(),
                external_id: documents.external_id().unwrap_or("(none)").to_owned(),
                trust_policy: found.as_ref().map(text).unwrap_or_default(),
                advice: match self.wanted.remove {
                    true => "A role of somebody else is never removed.",
                    false => {
                        "A role of somebody else is never changed. Choose another --role-name, or delete the role yourself if nobody uses it."
                    }
                },
            });
        }
        if self.wanted.remove {
            return if role.in_use_by.is_empty() {
                part(ProvisionChange::Removed, format!("The role `{name}`."))
            } else {
                Err(ProvisionError::RoleInUse {
                    role: name.clone(),
                    what: role.in_use_by.join(", "),
                })
            };
        }
        let mut details = Vec::new();
        if self.has_other_trust_policy() {
            details.push(format!(
                "Trust policy before: {}",
                found.as_ref().map(text).unwrap_or_default()
            ));
            details.push(format!(
                "Trust policy after: {}",
                text(documents.trust_policy())
            ));
        }
        if let Some(boundary) = self.other_boundary() {
            details.push(format!(
                "Permissions boundary before: {}",
                role.permissions_boundary.as_deref().unwrap_or("none")
            ));
            details.push(format!("Permissions boundary after: {boundary}"));
        }
        let change = match details.is_empty() {
            true => ProvisionChange::Unchanged,
            false => ProvisionChange::Updated,
        };
        Ok(ProvisionedPart::new(change, details))
    }

    /// Whether the role was found with another trust policy than the documents'.
    fn has_other_trust_policy(&self) -> bool {
        self.found.as_ref().is_some_and(|role| {
            decoded_policy(role.trust_policy.as_deref()).as_ref()
                != Some(self.wanted.documents().trust_policy())
        })
    }

    /// The wanted permissions boundary, where the role was found with another one or none.
    fn other_boundary(&self) -> Option<&str> {
        let wanted = self.wanted.permissions_boundary.as_ref()?.as_str();
        let found = self.found.as_ref()?.permissions_boundary.as_deref();
        (found != Some(wanted)).then_some(wanted)
    }

    /// What is to be done about the inline policy.
    pub fn plan_permission_policy(&self) -> ProvisionedPart {
        let found = self.found.as_ref();
        policies::plan(
            self.wanted,
            found.and_then(|role| role.permission_policy.as_deref()),
        )
    }

    /// Does what [`Role::plan`] says.
    pub async fn put(&self, plan: &ProvisionedPart) -> Result<()> {
        let name = self.wanted.name().as_str();
        let trust_policy = text(self.wanted.documents().trust_policy());
        match plan.change {
            ProvisionChange::Created => self
                .iam
                .create_role()
                .role_name(name)
                .description("Lets Sallyport use a bucket, with an external ID.")
                .assume_role_policy_document(trust_policy)
                .set_path(self.wanted.path.as_ref().map(|path| path.to_string()))
                .set_permissions_boundary(
                    self.wanted
                        .permissions_boundary
                        .as_ref()
                        .map(|boundary| boundary.as_str().to_owned()),
                )
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("iam:CreateRole", &error)),
            ProvisionChange::Updated => {
                if let Some(boundary) = self.other_boundary() {
                    self.iam
                        .put_role_permissions_boundary()
                        .role_name(name)
                        .permissions_boundary(boundary)
                        .send()
                        .await
                        .map_err(|error| failed("iam:PutRolePermissionsBoundary", &error))?;
                }
                if !self.has_other_trust_policy() {
                    return Ok(());
                }
                self.iam
                    .update_assume_role_policy()
                    .role_name(name)
                    .policy_document(trust_policy)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| failed("iam:UpdateAssumeRolePolicy", &error))
            }
            ProvisionChange::Unchanged
            | ProvisionChange::Skipped
            | ProvisionChange::Removed
            | ProvisionChange::Absent => Ok(()),
        }
    }

    /// Does what [`Role::plan_permission_policy`] says.
    pub async fn put_permission_policy(&self, plan: &ProvisionedPart) -> Result<()> {
        match plan.change {
            ProvisionChange::Created | ProvisionChange::Updated => self
                .iam
                .put_role_policy()
                .role_name(self.wanted.name().as_str())
                .policy_name(self.wanted.policy_name().as_str())
                .policy_document(text(&self.wanted.documents().permission_policy))
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("iam:PutRolePolicy", &error)),
            ProvisionChange::Unchanged
            | ProvisionChange::Skipped
            | ProvisionChange::Removed
            | ProvisionChange::Absent => Ok(()),
        }
    }

    /// Removes the inline policy and the role, where the plans say so.
    pub async fn remove(
        &self,
        role: &ProvisionedPart,
        permission_policy: &ProvisionedPart,
    ) -> Result<()> {
        let name = self.wanted.name().as_str();
        if permission_policy.change == ProvisionChange::Removed {
            self.iam
                .delete_role_policy()
                .role_name(name)
                .policy_name(self.wanted.policy_name().as_str())
                .send()
                .await
                .map_err(|error| failed("iam:DeleteRolePolicy", &error))?;
        }
        if role.change == ProvisionChange::Removed {
            self.iam
                .delete_role()
                .role_name(name)
                .send()
                .await
                .map_err(|error| failed("iam:DeleteRole", &error))?;
        }
        Ok(())
    }
}
