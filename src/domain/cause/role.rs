//! What a role's refusal means.

use crate::domain::cause::words::{CauseWords, words};

/// What AWS says of the role's refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleRefusal {
    /// The role does not exist, does not trust us, or requires something else. AWS does not say which.
    NotSaid,
    /// The role exists, and no statement of its trust policy lets this call in.
    NoStatement,
    /// The role exists, and a statement of its trust policy denies the call.
    ExplicitDeny,
    /// A resource control policy of the role's organization.
    ResourceControl,
    /// A reason that this service does not know.
    Unrecognised,
}

/// The role's own refusal, by what AWS says of it.
pub(crate) fn refused(
    account: &str,
    role: &str,
    external_id: &str,
    why: RoleRefusal,
) -> CauseWords {
    const ASKS_MORE: &str = "a condition that the service cannot meet: a multi-factor device (`aws:MultiFactorAuthPresent`, which the console adds by \"Require MFA\"), an organization (`aws:PrincipalOrgID`) or a network (`aws:SourceIp`)";
    let compare = format!(
        "Compare the account and the external ID `{external_id}` with IAM > Roles > {role} > Trust relationships, or paste the trust policy there again."
    );
    let of = |code, explanation: String, remedy: String| {
        words(code, "The role refused us", explanation, remedy)
    };
    match why {
        RoleRefusal::NotSaid => of(
            "role_refused",
            format!(
                "AWS does not say why. Either its trust policy asks for another external ID, or it does not name {account}, or there is no such role in the account of its ARN, or the trust policy has {ASKS_MORE}. A role made a moment ago may also need up to a minute."
            ),
            compare,
        ),
        RoleRefusal::NoStatement => of(
            "role_refused",
            format!(
                "The role exists, and no statement of its trust policy lets this call in. Either it asks for another external ID, or it does not name {account}, or it has {ASKS_MORE}. A change made a moment ago may need up to a minute."
            ),
            compare,
        ),
        RoleRefusal::ExplicitDeny => of(
            "trust_explicit_deny",
            format!(
                "The role exists, and a statement of its trust policy denies the call. Such a statement often has {ASKS_MORE}."
            ),
            format!(
                "In IAM > Roles > {role} > Trust relationships, remove the Deny, or change its condition. Another statement that allows the call does not help."
            ),
        ),
        RoleRefusal::ResourceControl => of(
            "denied_by_customers_resource_control_policy",
            format!(
                "A resource control policy of the organization that the role's account is in refused the call. Such policies often let in only callers of the organization (`aws:PrincipalOrgID`), and {account} may not be one."
            ),
            "Ask whoever manages the organization's policies to except the service's account. The trust policy cannot.".to_owned(),
        ),
        RoleRefusal::Unrecognised => of(
            "role_refused",
            "AWS gave a reason that this service does not know, so it is not known whether the role or something else refused.".to_owned(),
            format!("{compare} If they are right, send the operator the AWS request ID: the log has AWS's own words."),
        ),
    }
}
