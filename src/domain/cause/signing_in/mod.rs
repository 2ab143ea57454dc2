//! Causes at AssumeRole, and in the service's own credentials.

pub mod denied_by_customers_rcp;
pub mod external_id_of_other_setup;
pub mod external_id_wrong_case;
pub mod refusal_not_proven;
pub mod role_accepts_missing_external_id;
pub mod role_accepts_wrong_external_id;
pub mod role_refused;
pub mod role_request_invalid;
pub mod service_account_not_signed_up;
pub mod service_credentials_missing;
pub mod service_identity_provider_refused;
pub mod service_key_unknown;
pub mod service_not_permitted;
pub mod service_secret_wrong;
pub mod service_session_expired;
pub mod service_session_unknown;
pub mod service_signature_missing;
pub mod session_attributes_refused;
pub mod session_policy_malformed;
pub mod session_policy_too_large;
pub mod session_tags_too_large;
pub mod sts_region_disabled;
pub mod sts_rejected;
pub mod trust_explicit_deny;
pub mod trust_no_statement;

use crate::domain::cause::entry::Candidate;

/// The role that was asked for, and who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRole {
    /// The role's ARN.
    pub arn: String,
    /// The external ID of this connection.
    pub external_id: String,
    /// The service's account, where it is known.
    pub service_account: Option<String>,
}

impl AskedRole {
    /// The name in the console: the ARN's last part.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    /// The account in the role's ARN.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// The service's account, in words.
    pub fn service(&self) -> String {
        match &self.service_account {
            Some(account) => format!("account {account}"),
            None => "the service's account".to_owned(),
        }
    }

    /// Where the trust policy is in the console.
    pub fn trust_page(&self) -> String {
        format!("IAM > Roles > {} > Trust relationships", self.name())
    }

    /// The command that shows the trust policy.
    pub fn get_role(&self) -> String {
        format!(
            "aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument",
            self.name()
        )
    }

    /// What a trust policy may lack that is there, the likeliest first.
    fn trust_candidates(&self) -> Vec<Candidate> {
        let seen = |one: Candidate| one.console(self.trust_page()).cli(self.get_role());
        vec![
            seen(Candidate::new(
                "external_id_differs",
                format!(
                    "The trust policy asks for another external ID than `{}`, or for one with a blank or in another letter case.",
                    self.external_id
                ),
            )),
            seen(Candidate::new(
                "principal_differs",
                format!(
                    "The trust policy does not name {}, or names a role or user in it that is not the service's.",
                    self.service()
                ),
            )),
            seen(Candidate::new(
                "action_or_operator_wrong",
                "The statement does not allow `sts:AssumeRole`, or its condition uses a wrong key or operator.",
            )),
            seen(Candidate::new(
                "condition_not_met",
                "The trust policy has a condition that a service cannot meet: a multi-factor device (`aws:MultiFactorAuthPresent`, as \"Require MFA\" adds it), a network (`aws:SourceIp`) or an organization (`aws:PrincipalOrgID`).",
            )),
        ]
    }

    #[cfg(test)]
    pub fn example() -> Self {
        Self {
            arn: "arn:aws:iam::222222222222:role/ROLE".to_owned(),
            external_id: "EXTERNAL-ID".to_owned(),
            service_account: Some("111111111111".to_owned()),
        }
    }
}

/// "Troubleshoot IAM roles".
const ABOUT_ROLES: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html";

/// "Access to AWS accounts owned by third parties".
const ABOUT_EXTERNAL_IDS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html";

/// "AssumeRole", with its errors.
const ABOUT_ASSUME_ROLE: &str =
    "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html";
