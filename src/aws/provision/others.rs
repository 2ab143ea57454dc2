//! The policies that others gave a role or a user. IAM deletes neither with any of them (IAM API reference,
//! DeleteRole, DeleteUser).

use crate::aws::provision::answers::{Result, failed};

/// Whose policies they are, by its name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Identity<'a> {
    Role(&'a str),
    User(&'a str),
}

/// Every policy of the identity but the inline one with the name `own`, in words.
pub(super) async fn policies(
    iam: &aws_sdk_iam::Client,
    identity: Identity<'_>,
    own: &str,
) -> Result<Vec<String>> {
    let inline = match identity {
        Identity::Role(name) => {
            let answer = iam.list_role_policies().role_name(name).send().await;
            let answer = answer.map_err(|error| failed("iam:ListRolePolicies", &error))?;
            answer.policy_names
        }
        Identity::User(name) => {
            let answer = iam.list_user_policies().user_name(name).send().await;
            let answer = answer.map_err(|error| failed("iam:ListUserPolicies", &error))?;
            answer.policy_names
        }
    };
    let attached = match identity {
        Identity::Role(name) => {
            let asked = iam.list_attached_role_policies().role_name(name);
            let answer = asked.send().await;
            let answer = answer.map_err(|error| failed("iam:ListAttachedRolePolicies", &error))?;
            answer.attached_policies
        }
        Identity::User(name) => {
            let asked = iam.list_attached_user_policies().user_name(name);
            let answer = asked.send().await;
            let answer = answer.map_err(|error| failed("iam:ListAttachedUserPolicies", &error))?;
            answer.attached_policies
        }
    };
    let inline = inline.into_iter().filter(|name| name != own);
    let attached = attached.unwrap_or_default().into_iter();
    let attached = attached.map(|policy| policy.policy_name.unwrap_or_default());
    Ok(inline
        .map(|name| format!("the inline policy `{name}`"))
        .chain(attached.map(|name| format!("the managed policy `{name}`")))
        .collect())
}
