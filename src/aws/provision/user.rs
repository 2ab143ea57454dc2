//! The customer's IAM user, with its policy and its access key.
//!
//! As the AWS CLI script among the documents makes them: the tag `sallyport:setup` says which setup the user is of, and
//! `sallyport:access-key` which key was made with it. So either takes back what the other has made.

use crate::application::connections::provision::{
    MadeKey, ProvisionChange, ProvisionError, ProvisionedPart, Provisioning,
};
use crate::aws::provision::answers::{Result, failed, is};
use crate::aws::provision::others::{self, Identity};
use crate::aws::provision::policies;
use crate::aws::provision::policies::text;
use aws_sdk_iam::types::Tag;

/// Of which setup a user is.
const SETUP_TAG: &str = "sallyport:setup";
/// The ID of the key that was made with a user.
const KEY_TAG: &str = "sallyport:access-key";

/// A user as it was found, and what is wanted of it.
pub(super) struct User<'a> {
    iam: aws_sdk_iam::Client,
    wanted: &'a Provisioning,
    found: Option<FoundUser>,
}

struct FoundUser {
    path: String,
    permissions_boundary: Option<String>,
    /// What its tags say.
    setup: Option<String>,
    made_key: Option<String>,
    /// The IDs of its access keys.
    keys: Vec<String>,
    /// The inline policy of the wanted name, as IAM answers it.
    permission_policy: Option<String>,
    /// What others gave it, besides keys. Asked only for a removal.
    gifts: Vec<String>,
}

impl FoundUser {
    /// The key that was made with it, where it is still there.
    fn own_key(&self) -> Option<&String> {
        let made = self.made_key.as_ref();
        self.keys.iter().find(|key| Some(*key) == made)
    }

    /// Everything that others gave it.
    fn others(&self) -> Vec<String> {
        let own = self.own_key();
        let keys = self.keys.iter().filter(|key| Some(*key) != own);
        let mut others: Vec<String> = keys.map(|key| format!("the access key `{key}`")).collect();
        others.extend(self.gifts.iter().cloned());
        others
    }
}

impl<'a> User<'a> {
    pub async fn find(iam: &aws_sdk_iam::Client, wanted: &'a Provisioning) -> Result<Self> {
        let mut user_of = Self {
            iam: iam.clone(),
            wanted,
            found: None,
        };
        let answer = iam.get_user().user_name(user_of.name()).send().await;
        let user = match answer {
            Ok(answer) => answer.user,
            Err(error) if is(&error, &["NoSuchEntity"]) => None,
            Err(error) => return Err(failed("iam:GetUser", &error)),
        };
        let Some(user) = user else {
            return Ok(user_of);
        };
        let tag = |name: &str| {
            let mut tags = user.tags().iter();
            let tag = tags.find(|tag| tag.key() == name);
            tag.map(|tag| tag.value().to_owned())
        };
        let (setup, made_key) = (tag(SETUP_TAG), tag(KEY_TAG));
        user_of.found = Some(FoundUser {
            setup,
            made_key,
            path: user.path,
            permissions_boundary: user
                .permissions_boundary
                .and_then(|boundary| boundary.permissions_boundary_arn),
            keys: user_of.find_keys().await?,
            permission_policy: user_of.find_permission_policy().await?,
            gifts: match wanted.remove {
                true => user_of.find_gifts().await?,
                false => Vec::new(),
            },
        });
        Ok(user_of)
    }

    fn name(&self) -> &str {
        self.wanted.name().as_str()
    }

    /// What the tag of the setup says. Documents for a user have it.
    fn setup(&self) -> &str {
        self.wanted.documents().setup_tag().unwrap_or_default()
    }

    async fn find_keys(&self) -> Result<Vec<String>> {
        let answer = self
            .iam
            .list_access_keys()
            .user_name(self.name())
            .send()
            .await
            .map_err(|error| failed("iam:ListAccessKeys", &error))?;
        let keys = answer.access_key_metadata.into_iter();
        Ok(keys.filter_map(|key| key.access_key_id).collect())
    }

    async fn find_permission_policy(&self) -> Result<Option<String>> {
        let answer = self
            .iam
            .get_user_policy()
            .user_name(self.name())
            .policy_name(self.wanted.policy_name().as_str())
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer.policy_document)),
            Err(error) if is(&error, &["NoSuchEntity"]) => Ok(None),
            Err(error) => Err(failed("iam:GetUserPolicy", &error)),
        }
    }

    /// What IAM deletes no user with (IAM API reference, DeleteUser), as far as a user of a program has it.
    async fn find_gifts(&self) -> Result<Vec<String>> {
        let name = self.name();
        let own = self.wanted.policy_name().as_str();
        let mut gifts = others::policies(&self.iam, Identity::User(name), own).await?;
        let groups = self
            .iam
            .list_groups_for_user()
            .user_name(name)
            .send()
            .await
            .map_err(|error| failed("iam:ListGroupsForUser", &error))?;
        for group in groups.groups {
            gifts.push(format!("the group `{}`", group.group_name));
        }
        let devices = self
            .iam
            .list_mfa_devices()
            .user_name(name)
            .send()
            .await
            .map_err(|error| failed("iam:ListMFADevices", &error))?;
        for device in devices.mfa_devices {
            gifts.push(format!("the MFA device `{}`", device.serial_number));
        }
        match self.iam.get_login_profile().user_name(name).send().await {
            Ok(_) => gifts.push("a password".to_owned()),
            Err(error) if is(&error, &["NoSuchEntity"]) => {}
            Err(error) => return Err(failed("iam:GetLoginProfile", &error)),
        }
        Ok(gifts)
    }

    /// What is to be done about the user itself.
    pub fn plan(&self) -> Result<ProvisionedPart> {
        let name = self.wanted.name();
        let part = |change, line: String| Ok(ProvisionedPart::new(change, vec![line]));
        let Some(user) = &self.found else {
            return match self.wanted.remove {
                true => part(
                    ProvisionChange::Absent,
                    format!("There is no IAM user `{name}`."),
                ),
                false => part(ProvisionChange::Created, self.described()),
            };
        };
        if user.setup.as_deref() != Some(self.setup()) {
            return Err(ProvisionError::OtherUser {
                user: name.clone(),
                setup: self.setup().to_owned(),
            });
        }
        if self.wanted.remove {
            let others = user.others();
            return match others.is_empty() {
                true => part(ProvisionChange::Removed, format!("The IAM user `{name}`.")),
                false => part(
                    ProvisionChange::Skipped,
                    format!(
                        "The IAM user `{name}` stays, because others gave it {}.",
                        others.join(", ")
                    ),
                ),
            };
        }
        let mut details = Vec::new();
        let change = match self.other_boundary() {
            Some(boundary) => {
                details.push(format!(
                    "Permissions boundary before: {}",
                    user.permissions_boundary.as_deref().unwrap_or("none")
                ));
                details.push(format!("Permissions boundary after: {boundary}"));
                ProvisionChange::Updated
            }
            None => ProvisionChange::Unchanged,
        };
        if let Some(path) = &self.wanted.path
            && *path.as_str() != user.path
        {
            details.push(format!("It stays at the path `{}`.", user.path));
        }
        Ok(ProvisionedPart::new(change, details))
    }

    /// The user that will be made.
    fn described(&self) -> String {
        let path = match &self.wanted.path {
            Some(path) => format!(" at the path `{path}`"),
            None => String::new(),
        };
        let boundary = match &self.wanted.permissions_boundary {
            Some(boundary) => format!(", with the permissions boundary {}", boundary.as_str()),
            None => String::new(),
        };
        format!(
            "The new IAM user `{}`{path}, with the tag `{SETUP_TAG}` = `{}`{boundary}",
            self.wanted.name(),
            self.setup()
        )
    }

    /// The wanted permissions boundary, where the user was found with another one or none.
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
            found.and_then(|user| user.permission_policy.as_deref()),
        )
    }

    /// What is to be done about the access key. A user that has one gets no other.
    pub fn plan_key(&self) -> ProvisionedPart {
        let name = self.name();
        let found = self.found.as_ref();
        if self.wanted.remove {
            return match found.and_then(FoundUser::own_key) {
                Some(key) => ProvisionedPart::new(
                    ProvisionChange::Removed,
                    vec![format!(
                        "The access key `{key}`, which was made with the user."
                    )],
                ),
                None => ProvisionedPart::new(ProvisionChange::Absent, Vec::new()),
            };
        }
        let keys = found.map(|user| user.keys.as_slice()).unwrap_or_default();
        if keys.is_empty() {
            return ProvisionedPart::new(
                ProvisionChange::Created,
                vec![format!(
                    "A new access key of the IAM user `{name}`. Its secret is shown once, and kept in no file."
                )],
            );
        }
        let has = |key: &String| format!("The user has the access key `{key}`.");
        let mut details: Vec<String> = keys.iter().map(has).collect();
        details.push("AWS shows a secret only when its key is made.".to_owned());
        ProvisionedPart::new(ProvisionChange::Unchanged, details)
    }

    /// Does what [`User::plan`] says.
    pub async fn put(&self, plan: &ProvisionedPart) -> Result<()> {
        let name = self.name();
        match plan.change {
            ProvisionChange::Created => self
                .iam
                .create_user()
                .user_name(name)
                .set_path(self.wanted.path.as_ref().map(|path| path.to_string()))
                .set_permissions_boundary(
                    self.wanted
                        .permissions_boundary
                        .as_ref()
                        .map(|boundary| boundary.as_str().to_owned()),
                )
                .tags(tag(SETUP_TAG, self.setup())?)
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("iam:CreateUser", &error)),
            ProvisionChange::Updated => {
                let Some(boundary) = self.other_boundary() else {
                    return Ok(());
                };
                self.iam
                    .put_user_permissions_boundary()
                    .user_name(name)
                    .permissions_boundary(boundary)
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| failed("iam:PutUserPermissionsBoundary", &error))
            }
            ProvisionChange::Unchanged
            | ProvisionChange::Skipped
            | ProvisionChange::Removed
            | ProvisionChange::Absent => Ok(()),
        }
    }

    /// Does what [`User::plan_permission_policy`] says.
    pub async fn put_permission_policy(&self, plan: &ProvisionedPart) -> Result<()> {
        match plan.change {
            ProvisionChange::Created | ProvisionChange::Updated => self
                .iam
                .put_user_policy()
                .user_name(self.name())
                .policy_name(self.wanted.policy_name().as_str())
                .policy_document(text(&self.wanted.documents().permission_policy))
                .send()
                .await
                .map(drop)
                .map_err(|error| failed("iam:PutUserPolicy", &error)),
            ProvisionChange::Unchanged
            | ProvisionChange::Skipped
            | ProvisionChange::Removed
            | ProvisionChange::Absent => Ok(()),
        }
    }

    /// Makes the key, where [`User::plan_key`] says so.
    pub async fn make_key(&self, plan: &ProvisionedPart) -> Result<Option<MadeKey>> {
        const OPERATION: &str = "iam:CreateAccessKey";
        match plan.change {
            ProvisionChange::Created => {}
            ProvisionChange::Updated
            | ProvisionChange::Unchanged
            | ProvisionChange::Skipped
            | ProvisionChange::Removed
            | ProvisionChange::Absent => return Ok(None),
        }
        let answer = self
            .iam
            .create_access_key()
            .user_name(self.name())
            .send()
            .await
            .map_err(|error| failed(OPERATION, &error))?;
        let key = answer
            .access_key
            .ok_or_else(|| ProvisionError::Unreachable {
                operation: OPERATION,
                cause: "the answer has no key".to_owned(),
            })?;
        Ok(Some(MadeKey {
            id: key.access_key_id,
            secret: key.secret_access_key.into(),
        }))
    }

    /// Writes down at the user which key was made with it.
    pub async fn tag_key(
        iam: &aws_sdk_iam::Client,
        wanted: &Provisioning,
        key: &MadeKey,
    ) -> Result<()> {
        iam.tag_user()
            .user_name(wanted.name().as_str())
            .tags(tag(KEY_TAG, &key.id)?)
            .send()
            .await
            .map(drop)
            .map_err(|error| failed("iam:TagUser", &error))
    }

    /// Removes the key, the inline policy and the user, where the plans say so.
    pub async fn remove(&self, user: &ProvisionedPart) -> Result<()> {
        let name = self.name();
        if let Some(key) = self.found.as_ref().and_then(FoundUser::own_key) {
            self.iam
                .delete_access_key()
                .user_name(name)
                .access_key_id(key)
                .send()
                .await
                .map_err(|error| failed("iam:DeleteAccessKey", &error))?;
        }
        if self.plan_permission_policy().change == ProvisionChange::Removed {
            self.iam
                .delete_user_policy()
                .user_name(name)
                .policy_name(self.wanted.policy_name().as_str())
                .send()
                .await
                .map_err(|error| failed("iam:DeleteUserPolicy", &error))?;
        }
        if user.change == ProvisionChange::Removed {
            self.iam
                .delete_user()
                .user_name(name)
                .send()
                .await
                .map_err(|error| failed("iam:DeleteUser", &error))?;
        }
        Ok(())
    }
}

fn tag(key: &str, value: &str) -> Result<Tag> {
    let tag = Tag::builder().key(key).value(value).build();
    tag.map_err(|error| ProvisionError::Unreachable {
        operation: "iam:TagUser",
        cause: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_others_is_theirs_and_the_made_one_is_ours() {
        let found = |made_key: Option<&str>, keys: &[&str]| FoundUser {
            path: "/".to_owned(),
            permissions_boundary: None,
            setup: Some("set_1".to_owned()),
            made_key: made_key.map(str::to_owned),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            permission_policy: None,
            gifts: vec!["a password".to_owned()],
        };
        let user = found(Some("AKIAOWN"), &["AKIAOWN", "AKIATHEIRS"]);
        assert_eq!(user.own_key().map(String::as_str), Some("AKIAOWN"));
        assert_eq!(user.others(), ["the access key `AKIATHEIRS`", "a password"]);
        // The tag of a key that was deleted, and none at all.
        for made in [Some("AKIAGONE"), None] {
            let user = found(made, &["AKIATHEIRS"]);
            assert_eq!(user.own_key(), None);
            assert_eq!(user.others().len(), 2);
        }
    }
}
