//! What a denial means: by the policy that denied, as far as AWS says.

use crate::domain::aws_failure::{AwsFailure, DenialReason, ObjectLock, PolicyEffect, PolicyKind};
use crate::domain::cause::words::{CauseWords, words};
use crate::domain::connection::access::Auth;
use crate::domain::connection::{Connection, Credentials};
use time::macros::format_description;

/// A denied action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedAction {
    pub action: String,
    pub reason: DenialReason,
    /// The policy that denied, where AWS named one and its ARN is one.
    pub policy_arn: Option<String>,
    /// How the connection signs in. `None`: by the service's own credentials.
    pub auth: Option<Auth>,
    /// The role's ARN, for an exception of a denial.
    pub role_arn: Option<String>,
}

impl DeniedAction {
    /// The denial of `action` to this connection, as far as AWS says.
    pub fn of(connection: &Connection, action: String, failure: &AwsFailure) -> Self {
        let denial = failure.denial.as_deref();
        Self {
            action,
            reason: failure.reason(),
            policy_arn: denial
                .and_then(|denial| denial.policy_arn.clone())
                .filter(|arn| arn.len() < 200 && !arn.contains('`')),
            auth: connection.credentials.auth(),
            role_arn: match &connection.credentials {
                Credentials::Role { role_arn, .. } => Some(role_arn.to_string()),
                Credentials::AccessKey { .. } | Credentials::Service => None,
            },
        }
    }

    /// Whether a statement that allows the action lifts the denial. Nothing allows what a statement denies,
    /// and no policy of the role reaches beyond a boundary or a control policy.
    pub fn is_missing_permission(&self) -> bool {
        is_missing_permission(self.reason)
    }

    /// Whether it is the service's own session policy: then there is nothing to change in the account.
    pub fn is_own_policy(&self) -> bool {
        matches!(self.reason, DenialReason::By(PolicyKind::Session, _))
    }

    pub(crate) fn words(&self) -> CauseWords {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        let action = &self.action;
        let who = self.who();
        let title = format!("{who} may not use {action}");
        let refused = |why: &str| format!("S3 refused {action}: {why}.");
        let allows =
            |code, why: &str, remedy: &str| words(code, title.clone(), refused(why), remedy);
        match self.reason {
            DenialReason::By(Policy::Identity, NoAllow) => words(
                "permission_missing",
                title,
                refused(match self.auth {
                    Some(Auth::Role) => {
                        "no policy of the role allows it for what was asked. A statement for another bucket or folder, or with a condition that the call does not meet, counts as none"
                    }
                    Some(Auth::AccessKey) => {
                        "no policy of the access key's user allows it for what was asked. A statement for another bucket or folder, or with a condition that the call does not meet, counts as none"
                    }
                    None => "no policy of the service's identity allows it for what was asked",
                }),
                match self.auth {
                    Some(Auth::Role) => {
                        "Add the statement shown here to the role's permission policy, or apply the permission policy again."
                    }
                    Some(Auth::AccessKey) => {
                        "Add the statement shown here to a policy of the access key's user."
                    }
                    None => "Ask the operator to add the statement shown here.",
                },
            ),
            DenialReason::By(Policy::Resource, NoAllow) => allows(
                "bucket_policy_missing",
                "no bucket policy allows it. A bucket of another account than the role's needs one, besides the role's own policy",
                "Let the bucket policy allow the role: apply the bucket policy document in the account of the bucket. The role's own policy must allow the action too.",
            ),
            DenialReason::By(Policy::RoleTrust, NoAllow | ExplicitDeny)
            | DenialReason::Unrecognised => allows(
                "denied_for_unknown_reason",
                "AWS gave a reason that this service does not know, so it is not known which policy refused",
                "Send the operator the AWS request ID: the log has AWS's own words.",
            ),
            DenialReason::By(Policy::Session, NoAllow | ExplicitDeny) => words(
                "denied_by_session_policy",
                "The service's own session does not allow it",
                format!(
                    "S3 refused {action}: the session policy that the service limits itself to this bucket and prefix with does not allow it. There is nothing to change in the customer's account."
                ),
                "Send the operator the AWS request ID.",
            ),
            DenialReason::By(Policy::Identity, ExplicitDeny) => words(
                "denied_by_identity_policy",
                title,
                format!(
                    "{}{}",
                    refused(match self.auth {
                        Some(Auth::Role) => "a policy of the role denies it explicitly",
                        Some(Auth::AccessKey) =>
                            "a policy of the access key's user denies it explicitly",
                        None => "a policy of the service's identity denies it explicitly",
                    }),
                    self.named_policy(),
                ),
                "Remove the denial, or change its condition. No other statement can allow what one denies. AWS does not say which condition it was: the network (`aws:SourceIp`, `aws:SourceVpce`), a multi-factor device (`aws:MultiFactorAuthPresent`), the Region and revoked sessions (`aws:TokenIssueTime`) are frequent.",
            ),
            DenialReason::By(Policy::Resource, ExplicitDeny) => words(
                "denied_by_bucket_policy",
                title,
                format!(
                    "{}{}",
                    refused("the bucket policy denies it explicitly"),
                    self.on_writes()
                ),
                self.exception(),
            ),
            DenialReason::By(Policy::ServiceControl, ExplicitDeny | NoAllow) => words(
                "denied_by_service_control_policy",
                title,
                format!(
                    "{}{}",
                    refused(
                        "a service control policy of the customer's organization does not allow it"
                    ),
                    self.named_policy()
                ),
                ASK_ORGANIZATION,
            ),
            DenialReason::By(Policy::ResourceControl, ExplicitDeny | NoAllow) => words(
                "denied_by_resource_control_policy",
                title,
                format!(
                    "{}{}",
                    refused(
                        "a resource control policy of the organization that the bucket is in does not allow it. Such policies often let in only callers of the organization (`aws:PrincipalOrgID`) or certain networks"
                    ),
                    self.named_policy()
                ),
                ASK_ORGANIZATION,
            ),
            DenialReason::By(Policy::PermissionsBoundary, ExplicitDeny | NoAllow) => words(
                "denied_by_permissions_boundary",
                title,
                format!(
                    "{}{}",
                    refused("the permissions boundary does not allow it"),
                    self.named_policy()
                ),
                "Ask whoever manages the permissions boundary to allow the action there; the role's own policy cannot go beyond it.",
            ),
            DenialReason::By(Policy::VpcEndpoint, ExplicitDeny | NoAllow) => allows(
                "denied_by_vpc_endpoint_policy",
                "a VPC endpoint policy does not allow it. The call went out of the service's network, so the endpoint is the operator's",
                "Ask the operator to let the VPC endpoint's policy allow the bucket.",
            ),
            DenialReason::Mfa => allows(
                "mfa_required",
                "it needs a code of a multi-factor device, which a service does not have",
                "Remove the condition on a multi-factor device, or MFA delete from the bucket's versioning.",
            ),
            DenialReason::NotGiven => words(
                "denied_without_reason",
                title,
                format!(
                    "S3 refused {action} and gave no reason, as it does between organizations, and as S3-compatible stores do. So it is not known which policy refused."
                ),
                self.look(),
            ),
        }
    }

    fn who(&self) -> &'static str {
        match self.auth {
            Some(Auth::Role) => "The role",
            Some(Auth::AccessKey) => "The access key's user",
            None => "The service",
        }
    }

    fn named_policy(&self) -> String {
        match &self.policy_arn {
            Some(arn) => format!(" AWS names the policy `{arn}`."),
            None => String::new(),
        }
    }

    fn is_write(&self) -> bool {
        self.action == "s3:PutObject"
    }

    /// What denials of writing often are about.
    fn on_writes(&self) -> &'static str {
        match self.is_write() {
            true => {
                " AWS does not say which statement. Where reading works and writing does not, it is often one that demands an encryption: `s3:x-amz-server-side-encryption`, or a certain key by `s3:x-amz-server-side-encryption-aws-kms-key-id`."
            }
            false => " AWS does not say which statement, or which condition of it.",
        }
    }

    /// What to do about a denial in the bucket policy.
    fn exception(&self) -> String {
        let conditions = match self.is_write() {
            true => {
                "If it demands an encryption with a KMS key, enter the key's ARN in the settings. Otherwise look for a Deny with a condition"
            }
            false => "In the bucket policy, look for a Deny with a condition",
        };
        let except = match &self.role_arn {
            Some(arn) => format!(
                "except the role from it with the further condition `\"ArnNotEquals\": {{\"aws:PrincipalArn\": \"{arn}\"}}`"
            ),
            None => "except the access key's user from it".to_owned(),
        };
        format!(
            "{conditions} that the service does not meet: its network (`aws:SourceVpce`, `aws:SourceIp`), the organization (`aws:PrincipalOrgID`), a multi-factor device (`aws:MultiFactorAuthPresent`), TLS (`aws:SecureTransport`), or a NotPrincipal. Remove it, or {except}. A statement that allows the action does not help."
        )
    }

    /// Where to look when nothing is known.
    fn look(&self) -> String {
        let own = match self.auth {
            Some(Auth::Role) => "the role's permission policy with the permission policy document",
            Some(Auth::AccessKey) => {
                "the policy of the access key's user with the permission policy document"
            }
            None => "the policy of the service's identity with the permission policy document",
        };
        format!(
            "Compare {own}: {} must be allowed on this bucket and prefix. Then look at the bucket policy for a Deny, at the owner of the objects, at their KMS key, at Requester Pays, and at policies of the organization.",
            self.action
        )
    }
}

const ASK_ORGANIZATION: &str =
    "Ask whoever manages the organization's policies to allow it; the role's own policy cannot.";

/// Whether a statement that allows the action would lift a denial for this reason.
pub fn is_missing_permission(reason: DenialReason) -> bool {
    match reason {
        DenialReason::By(PolicyKind::Identity, PolicyEffect::NoAllow) => true,
        DenialReason::By(
            PolicyKind::Identity
            | PolicyKind::Resource
            | PolicyKind::RoleTrust
            | PolicyKind::Session
            | PolicyKind::PermissionsBoundary
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl
            | PolicyKind::VpcEndpoint,
            PolicyEffect::ExplicitDeny | PolicyEffect::NoAllow,
        )
        | DenialReason::NotGiven
        | DenialReason::Mfa
        | DenialReason::Unrecognised => false,
    }
}

/// A denied action on the KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedKey {
    pub action: &'static str,
    pub reason: DenialReason,
    /// The key's ARN, from AWS's sentence.
    pub key: Option<String>,
    /// The key of the settings.
    pub entered: Option<String>,
}

impl DeniedKey {
    pub(crate) fn words(&self) -> CauseWords {
        use PolicyEffect::{ExplicitDeny, NoAllow};
        use PolicyKind as Policy;
        let action = self.action;
        let title = format!("The role may not use {action}");
        let key = match &self.key {
            Some(key) => format!("the KMS key `{key}`"),
            None => "the KMS key of the bucket's objects".to_owned(),
        };
        match self.reason {
            DenialReason::By(Policy::Session, NoAllow | ExplicitDeny) => {
                let differs = match &self.entered {
                    Some(_) => "The settings name another key",
                    None => "The settings name no key",
                };
                words(
                    "kms_key_not_entered",
                    "The KMS key is not in the settings",
                    format!(
                        "{action} on {key} was refused by the service's own session policy, which allows the key of the settings only. {differs}. The role and the key may be right."
                    ),
                    match &self.key {
                        Some(key) => format!("Enter `{key}` as the KMS key in the settings, and apply the permission policy again."),
                        None => "Enter the ARN of the bucket's KMS key in the settings, and apply the permission policy again.".to_owned(),
                    },
                )
            }
            DenialReason::By(Policy::Identity, NoAllow) => words(
                "kms_permission_missing",
                title,
                format!(
                    "The objects are encrypted with {key}, and no policy of the role allows {action} on it."
                ),
                "Enter the key's ARN in the first step and apply the permission policy again; the key's own policy must let the role's account use IAM policies.",
            ),
            DenialReason::By(Policy::Resource, NoAllow | ExplicitDeny) => words(
                "kms_key_policy",
                title,
                format!("The policy of {key} does not let the role use {action}, or denies it."),
                "Change the key's own policy: it must let the role use the key, and no statement of it may deny that. A key of another account needs the role's own policy besides.",
            ),
            DenialReason::By(
                Policy::Identity
                | Policy::PermissionsBoundary
                | Policy::ServiceControl
                | Policy::ResourceControl
                | Policy::VpcEndpoint
                | Policy::RoleTrust,
                ExplicitDeny | NoAllow,
            ) => words(
                "kms_denied",
                title,
                format!(
                    "{action} on {key} was refused by {}.",
                    policy_of_customer(self.reason)
                ),
                "Ask whoever manages that policy. A statement that allows the action does not lift it.",
            ),
            DenialReason::NotGiven | DenialReason::Mfa | DenialReason::Unrecognised => words(
                "kms_denied_without_reason",
                "The KMS key cannot be used",
                format!(
                    "S3 could not use {key} for {action}, and AWS does not say why. The key may be absent or of another Region or account, or its policy or the role's may not allow it."
                ),
                "Compare the key's ARN in the settings with the object's own in the S3 console. Then look at the key's policy and at the role's.",
            ),
        }
    }
}

fn policy_of_customer(reason: DenialReason) -> &'static str {
    match reason {
        DenialReason::By(PolicyKind::Identity, _) => {
            "a policy of the role, which denies it explicitly"
        }
        DenialReason::By(PolicyKind::PermissionsBoundary, _) => "the role's permissions boundary",
        DenialReason::By(PolicyKind::ServiceControl, _) => {
            "a service control policy of the organization"
        }
        DenialReason::By(PolicyKind::ResourceControl, _) => {
            "a resource control policy of the organization"
        }
        DenialReason::By(PolicyKind::VpcEndpoint, _) => "a VPC endpoint policy",
        DenialReason::By(PolicyKind::Resource, _) => "the policy of what was asked for",
        DenialReason::By(PolicyKind::RoleTrust, _) => "a trust policy",
        DenialReason::By(PolicyKind::Session, _) => "the session policy",
        DenialReason::NotGiven | DenialReason::Mfa | DenialReason::Unrecognised => {
            "a policy that is not known"
        }
    }
}

/// What is known of a lock, in words that follow "protects it".
pub fn locked_until(lock: Option<&ObjectLock>) -> String {
    let day = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let Some(lock) = lock.filter(|lock| lock.is_known()) else {
        return "; until when is not known, because reading it needs s3:GetObjectRetention and s3:GetObjectLegalHold".to_owned();
    };
    let until = lock.until.and_then(|until| {
        let text = until.to_offset(time::UtcOffset::UTC).format(day).ok()?;
        let mode = match lock.compliance {
            true => " in compliance mode, which nobody can shorten",
            false => "",
        };
        Some(format!(" until {text}{mode}"))
    });
    match (until, lock.legal_hold) {
        (Some(until), true) => format!("{until}, and by a legal hold besides"),
        (Some(until), false) => until,
        (None, _) => " by a legal hold, until somebody removes that".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn denied(reason: DenialReason) -> DeniedAction {
        DeniedAction {
            action: "s3:GetObject".into(),
            reason,
            policy_arn: None,
            auth: Some(Auth::Role),
            role_arn: Some("arn:aws:iam::222222222222:role/r".into()),
        }
    }

    #[test]
    fn only_what_no_statement_allows_is_a_missing_permission() {
        use PolicyKind as Policy;
        let kinds = [
            Policy::Identity,
            Policy::Resource,
            Policy::RoleTrust,
            Policy::Session,
            Policy::PermissionsBoundary,
            Policy::ServiceControl,
            Policy::ResourceControl,
            Policy::VpcEndpoint,
        ];
        let mut reasons = vec![
            DenialReason::NotGiven,
            DenialReason::Mfa,
            DenialReason::Unrecognised,
        ];
        for kind in kinds {
            reasons.push(DenialReason::By(kind, PolicyEffect::NoAllow));
            reasons.push(DenialReason::By(kind, PolicyEffect::ExplicitDeny));
        }
        for reason in reasons {
            let denied = denied(reason);
            let words = denied.words();
            let is_missing = words.code == "permission_missing";
            assert_eq!(denied.is_missing_permission(), is_missing, "{reason:?}");
            let length = words.title.len() + words.explanation.len() + words.remedy.len();
            assert!(length < 1_500, "{reason:?}: {length}");
            let adds = words.remedy.contains("Add the statement");
            assert_eq!(adds, is_missing, "{reason:?}");
        }
    }

    #[test]
    fn a_lock_says_until_when() {
        let lock = ObjectLock {
            until: Some(datetime!(2031-05-06 07:08:09 UTC)),
            compliance: true,
            legal_hold: false,
        };
        let text = locked_until(Some(&lock));
        assert!(
            text.starts_with(" until 2031-05-06 07:08 UTC in compliance"),
            "{text}"
        );
        assert!(locked_until(None).contains("not known"));
        let hold = ObjectLock {
            legal_hold: true,
            ..ObjectLock::default()
        };
        assert!(locked_until(Some(&hold)).contains("legal hold"));
    }
}
