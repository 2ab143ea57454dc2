//! What STS's answers to AssumeRole mean: one entry for each code.

use crate::domain::aws_code::{StsCode, shown};
use crate::domain::cause::words::Entry;
use crate::domain::check::Bearing;

/// What STS says of the session policy that the service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyComplaint {
    NotJson,
    /// A resource is no ARN that it takes.
    Resource,
    Partition,
    Syntax,
    TooLong,
    /// Session tags take the room.
    Tags,
    /// Something else, or nothing that this service understands.
    Unread,
}

impl PolicyComplaint {
    /// Reads STS's sentence. Only what it is about is taken from it.
    pub fn of(message: Option<&str>) -> Self {
        let text = message.unwrap_or_default().to_ascii_lowercase();
        let says = |words: &str| text.contains(words);
        if says("tag") {
            Self::Tags
        } else if says("json") {
            Self::NotJson
        } else if says("partition") {
            Self::Partition
        } else if says("resource") || says("arn") {
            Self::Resource
        } else if says("too long") || says("too large") || says("length") || says("allotted") {
            Self::TooLong
        } else if says("syntax") || says("legacy parsing") {
            Self::Syntax
        } else {
            Self::Unread
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NotJson => "that it is not valid JSON",
            Self::Resource => "that a resource in it is not an ARN that it accepts",
            Self::Partition => "that it names a partition that is not this one's",
            Self::Syntax => "that its syntax is wrong",
            Self::TooLong => "that it is too long",
            Self::Tags => "that its session tags are wrong",
            Self::Unread => "nothing that this report can repeat; the operator's log has its words",
        }
    }
}

const OPERATOR: &str =
    "Contact the operator. There is nothing to change in the customer's account.";
const AGAIN: &str = "Check again in a moment. If it stays, contact the operator.";

/// The entry of an answer. `raw` is the code as it came, for one that is in no list.
pub(crate) fn entry(code: Option<StsCode>, raw: Option<&str>, complaint: PolicyComplaint) -> Entry {
    let Some(code) = code else {
        return Entry::lasting(
            Bearing::Undecided,
            "aws_rejected",
            "STS did not accept the call",
            format!(
                "STS answered AssumeRole {}, which this service does not know. The role, the service's credentials or the request itself may be behind it. This proves nothing about the settings.",
                shown(raw.unwrap_or_default())
            ),
            "Send the operator the AWS request ID: the log has STS's own words.",
        );
    };
    let credentials = |title: &str, explanation: &str, remedy: &str| {
        Entry::lasting(
            Bearing::Undecided,
            "service_credentials_rejected",
            title,
            format!("{explanation} The customer cannot fix this."),
            remedy,
        )
    };
    let rejected = |title: &str, explanation: &str, remedy: &str| {
        Entry::lasting(
            Bearing::Undecided,
            "aws_rejected",
            title,
            explanation,
            remedy,
        )
    };
    match code {
        // A refusal by a policy has words of its own, by the policy that refused. These are for one with
        // another status than a refusal has.
        StsCode::AccessDenied => rejected(
            "STS did not accept the call",
            "STS answered AssumeRole with `AccessDenied`, and not in the way in which a role refuses. This proves nothing about the role.",
            AGAIN,
        ),
        StsCode::MalformedPolicyDocument => Entry::lasting(
            Bearing::Definite,
            "session_policy_malformed",
            "STS does not accept the session policy",
            format!(
                "The service sends a policy with AssumeRole that limits the session to this bucket and prefix. STS says that this policy is malformed, and {}. It is made of the bucket, the prefix, the KMS key and the bucket's account in the settings.",
                complaint.words()
            ),
            "Look at the bucket, the prefix and the KMS key in the settings for characters or an ARN of another partition. If they are right, send the operator the AWS request ID: the log has STS's own words.",
        ),
        StsCode::PackedPolicyTooLarge => match complaint {
            PolicyComplaint::Tags => Entry::lasting(
                Bearing::Undecided,
                "session_tags_too_large",
                "Session tags leave no room for the session policy",
                "STS packs the session policy and the session tags together, and says that the tags take more than there is. The tags are those of the service's own session, as EKS Pod Identity adds them.",
                "Ask the operator to switch session tags off (`disableSessionTags` in the association of EKS Pod Identity). A shorter bucket prefix helps only if little is missing.",
            ),
            PolicyComplaint::NotJson
            | PolicyComplaint::Resource
            | PolicyComplaint::Partition
            | PolicyComplaint::Syntax
            | PolicyComplaint::TooLong
            | PolicyComplaint::Unread => Entry::lasting(
                Bearing::Definite,
                "session_policy_too_large",
                "The session policy is too large",
                "The policy that limits a session to this bucket and prefix takes more room than STS gives. The prefix counts several times in it, and session tags of the service's own session take of the same room.",
                "Choose a shorter bucket prefix. If it is short already, ask the operator whether the service's session has session tags.",
            ),
        },
        StsCode::RegionDisabled => Entry::lasting(
            Bearing::Definite,
            "sts_region_disabled",
            "STS is switched off in the service's Region",
            "The account of the role has switched AWS STS off in the Region that the service runs in.",
            "In the account of the role, activate the Region under IAM > Account settings > Security Token Service.",
        ),
        StsCode::ExpiredToken => credentials(
            "The service's own credentials have expired",
            "STS says that the temporary credentials that the service runs on have expired.",
            "Check again in a moment: the service fetches others. If it stays, contact the operator.",
        ),
        StsCode::InvalidClientTokenId => credentials(
            "The service's own credentials do not work",
            "STS does not know the access key that the service runs on: it was deleted or deactivated, or belongs to another partition.",
            "Contact the operator.",
        ),
        StsCode::UnrecognizedClient | StsCode::AuthFailure => credentials(
            "The service's own credentials do not work",
            "STS does not recognise the credentials that the service runs on. The service's account may not have enabled the Region.",
            "Contact the operator.",
        ),
        StsCode::InvalidToken => credentials(
            "The service's own session is not known in this Region",
            "STS does not accept the session token of the credentials that the service runs on.",
            "Contact the operator: the service's account may not have enabled the Region.",
        ),
        StsCode::SignatureDoesNotMatch => credentials(
            "The service's own credentials do not work",
            "STS says that the signature does not match: the secret key that the service runs on is wrong, or something in between changes requests.",
            "Contact the operator.",
        ),
        StsCode::IncompleteSignature | StsCode::MissingAuthenticationToken => credentials(
            "The service's call arrived without its signature",
            "STS says that the call had no signature, or not a whole one. A proxy in between may take it away.",
            "Contact the operator: look at what is between the service and AWS.",
        ),
        StsCode::OptInRequired => credentials(
            "The service's own account may not use STS",
            "STS says that the service's account is not signed up, or not yet activated.",
            "Contact the operator.",
        ),
        StsCode::NotAuthorized => Entry::lasting(
            Bearing::Undecided,
            "aws_rejected",
            "STS did not accept the call",
            "STS answered `NotAuthorized`, without saying who or what is not. This proves nothing about the role.",
            OPERATOR,
        ),
        StsCode::RequestExpired | StsCode::RequestTimeTooSkewed => Entry::lasting(
            Bearing::Undecided,
            "aws_clock_skew",
            "The service's clock is wrong",
            "STS says that the time of the call differs from its own by more than it accepts: this service's clock is wrong. The credentials may be good.",
            "Ask the operator to correct the clock of the machine that the service runs on.",
        ),
        StsCode::Throttling => Entry::passing(
            "aws_throttled",
            "STS gave no usable answer",
            "STS asks for fewer requests at the moment. This proves nothing about the settings.",
            AGAIN,
        ),
        StsCode::InternalFailure | StsCode::ServiceUnavailable => Entry::passing(
            "aws_unavailable",
            "STS gave no usable answer",
            "STS answered with a fault of its own. This proves nothing about the settings.",
            AGAIN,
        ),
        StsCode::ValidationError => Entry::lasting(
            Bearing::Definite,
            "role_request_invalid",
            "STS does not accept the role's ARN or the session",
            "STS says that a value of the AssumeRole call does not have the form that it takes: the role's ARN, the length of the session, or its policy.",
            "Copy the role's ARN again from IAM > Roles, and check that its partition is the service's. If it is right, send the operator the AWS request ID.",
        ),
        StsCode::InvalidParameter => rejected(
            "STS did not accept the call",
            "STS says that a parameter of the AssumeRole call is wrong or missing. This proves nothing about the role.",
            OPERATOR,
        ),
        StsCode::InvalidAction => rejected(
            "The endpoint does not know AssumeRole",
            "What answered the call does not know AssumeRole. It may not be STS.",
            "Contact the operator: the endpoint that the service uses for STS may be wrong.",
        ),
        StsCode::IdpRejectedClaim | StsCode::InvalidIdentityToken => credentials(
            "The service's identity provider was refused",
            "STS does not accept the token of the identity provider that the service signs in with.",
            "Contact the operator.",
        ),
        StsCode::IdpCommunicationError => Entry::passing(
            "aws_unavailable",
            "STS gave no usable answer",
            "STS could not reach the identity provider that the service signs in with. This proves nothing about the settings.",
            AGAIN,
        ),
        StsCode::InvalidAuthorizationMessage => rejected(
            "STS did not accept the call",
            "STS could not decode an authorization message. This proves nothing about the role.",
            OPERATOR,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_different_faults_share_their_words() {
        let text = |code| {
            entry(Some(code), None, PolicyComplaint::Unread)
                .words
                .explanation
        };
        let all: std::collections::BTreeSet<String> =
            StsCode::ALL.iter().map(|code| text(*code)).collect();
        // Six pairs mean the same.
        assert_eq!(all.len(), StsCode::ALL.len() - 5);
        for code in StsCode::ALL {
            let words = entry(Some(*code), None, PolicyComplaint::Unread).words;
            let length = words.title.len() + words.explanation.len() + words.remedy.len();
            assert!(length < 1_500, "{code:?}");
        }
    }

    #[test]
    fn what_a_policy_s_refusal_is_about() {
        for (text, about) in [
            (
                "The policy is not in the valid JSON format.",
                PolicyComplaint::NotJson,
            ),
            (
                "Resource must be in ARN format or \"*\".",
                PolicyComplaint::Resource,
            ),
            ("Invalid partition in resource", PolicyComplaint::Partition),
            ("Syntax errors in policy.", PolicyComplaint::Syntax),
            (
                "Packed policy consumes 112% of allotted space",
                PolicyComplaint::TooLong,
            ),
            (
                "Packed size of session tags consumes 300% of allotted space.",
                PolicyComplaint::Tags,
            ),
            ("x", PolicyComplaint::Unread),
        ] {
            assert_eq!(PolicyComplaint::of(Some(text)), about, "{text}");
        }
    }

    #[test]
    fn only_a_prefix_that_is_too_long_is_called_so() {
        let words = |code, complaint| {
            let words = entry(Some(code), None, complaint).words;
            format!("{}{}", words.explanation, words.remedy)
        };
        let malformed = words(StsCode::MalformedPolicyDocument, PolicyComplaint::NotJson);
        assert!(!malformed.contains("shorter") && malformed.contains("JSON"));
        let large = words(StsCode::PackedPolicyTooLarge, PolicyComplaint::TooLong);
        assert!(large.contains("shorter bucket prefix"));
    }
}
