//! What S3's answers mean, other than denials: one entry for each code.

use crate::domain::aws_code::{S3Code, shown};
use crate::domain::cause::words::Entry;
use crate::domain::check::Bearing;
use crate::domain::connection::access::Auth;

/// An answer of S3 that is no denial and no fault that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Answer {
    /// `None`: a code that is in no list, or none at all.
    pub code: Option<S3Code>,
    /// The code as it came.
    pub raw: Option<String>,
    pub http_status: Option<u16>,
    /// How the connection signs in. `None`: by the service's own credentials.
    pub auth: Option<Auth>,
    /// The object was stored with a key that comes with each request (SSE-C).
    pub needs_customer_key: bool,
}

const AGAIN: &str = "Check again in a moment. If it stays, contact the operator.";
const REQUEST_ID: &str = "Send the operator the AWS request ID: the log has the store's own words.";

/// The entry of an answer.
pub(crate) fn entry(answer: &S3Answer) -> Entry {
    let lasting = |code: &'static str, title: &str, explanation: &str, remedy: &str| {
        Entry::lasting(Bearing::Definite, code, title, explanation, remedy)
    };
    let Some(code) = answer.code else {
        let status = match answer.http_status {
            Some(status) => format!("HTTP {status}, "),
            None => String::new(),
        };
        return Entry::lasting(
            Bearing::Definite,
            "aws_rejected",
            "The store did not accept the call",
            format!(
                "The store answered {status}{}, which this service does not know. The settings, the store or something in between may be behind it.",
                shown(answer.raw.as_deref().unwrap_or_default())
            ),
            REQUEST_ID,
        );
    };
    let rejected = |explanation: &str, remedy: &str| {
        lasting(
            "aws_rejected",
            "The store did not accept the call",
            explanation,
            remedy,
        )
    };
    let key = |title: &str, explanation: &str, remedy: &str| {
        lasting("kms_key_unusable", title, explanation, remedy)
    };
    match code {
        S3Code::AccessDenied => rejected(
            "The store answered `AccessDenied`, and not with the status of a denial. It proves nothing about permissions.",
            AGAIN,
        ),
        S3Code::AllAccessDisabled => lasting(
            "account_disabled",
            "All access to the bucket is switched off",
            "S3 says that all access to this bucket is disabled. It does so for accounts that are suspended, and for some names of buckets. No policy changes that.",
            "Compare the bucket's name with the one in the S3 console. If it is right, the owner of the bucket's account asks AWS Support.",
        ),
        S3Code::AccountProblem => lasting(
            "account_disabled",
            "The account has a problem",
            "S3 says that a problem with the account prevents the call. No policy changes that.",
            "The owner of the account asks AWS Support.",
        ),
        S3Code::NotSignedUp => lasting(
            "account_disabled",
            "The account is not signed up for S3",
            "S3 says that the account is not signed up for it, or not yet activated. No policy changes that.",
            "The owner of the account completes its registration, or asks AWS Support.",
        ),
        S3Code::InvalidAccessKeyId | S3Code::UnrecognizedClient => match answer.auth {
            Some(Auth::AccessKey) => lasting(
                "credentials_rejected",
                "The access key is not known",
                "The store does not know the access key's ID. The key was deleted or deactivated, or is of another store. The secret was not looked at.",
                "Enter the access key again, or make a new one.",
            ),
            Some(Auth::Role) => lasting(
                "session_not_accepted",
                "S3 does not know the role's session",
                "STS let us assume the role, and S3 does not know the access key of that session. The role may have been made again a moment ago, or the endpoint is not the S3 of this partition.",
                "Wait a minute, then check again. If it stays, send the operator the AWS request ID.",
            ),
            None => own_credentials("does not know the access key that the service runs on"),
        },
        S3Code::SignatureDoesNotMatch => match answer.auth {
            Some(Auth::AccessKey) => lasting(
                "credentials_rejected",
                "The secret does not fit the access key",
                "The store knows the access key, and the signature does not match: the secret is wrong, or something in between changes requests.",
                "Enter the secret access key again, or make a new key.",
            ),
            Some(Auth::Role) => lasting(
                "signature_rejected",
                "The signature does not match",
                "S3 says that the signature does not match. The session came from STS a moment ago, so something between the service and S3 changes requests.",
                "Contact the operator: look at the proxy between the service and S3.",
            ),
            None => own_credentials("says that the signature of the service does not match"),
        },
        S3Code::InvalidToken => match answer.auth {
            Some(Auth::Role) => Entry {
                passes: true,
                ..lasting(
                    "session_not_known_in_region",
                    "The role's session is not known in the bucket's Region",
                    "S3 answered `InvalidToken`. So it does where the bucket is in a Region that an account must enable first, and the role's account has not, or only a short while ago: enabling takes minutes, at times hours. Sessions of the global STS endpoint are not valid there either. Where it knows the Region, the service also asked the STS there.",
                    "In the account of the role, enable the bucket's Region under Account > AWS Regions, and wait until it says Enabled. Under IAM > Account settings, STS must be active in it. Then check again.",
                )
            },
            Some(Auth::AccessKey) => lasting(
                "credentials_rejected",
                "The credentials do not work",
                "The store answered `InvalidToken`: the access key belongs to a temporary session, or the account has not enabled the bucket's Region.",
                "Enter a long-term access key, and enable the bucket's Region in its account.",
            ),
            None => own_credentials("does not accept the session token of the service"),
        },
        S3Code::ExpiredToken => match answer.auth {
            Some(Auth::Role) => Entry {
                passes: true,
                ..lasting(
                    "session_expired",
                    "The role's session has expired",
                    "S3 says that the role's session has expired, although it was made a moment ago. The clock of the service may be wrong, or the role's sessions were revoked.",
                    "Check again. If it stays, ask the operator to compare the service's clock.",
                )
            },
            Some(Auth::AccessKey) => lasting(
                "credentials_rejected",
                "The credentials have expired",
                "The store says that the credentials have expired: the access key belongs to a temporary session.",
                "Enter a long-term access key.",
            ),
            None => own_credentials("says that the credentials of the service have expired"),
        },
        S3Code::MissingAuthenticationToken => rejected(
            "The store says that the call had no signature, or not a whole one. Something between the service and the store may take it away.",
            "Contact the operator: look at what is between the service and the store.",
        ),
        S3Code::RequestTimeTooSkewed => Entry::lasting(
            Bearing::Undecided,
            "aws_clock_skew",
            "The clocks differ",
            "The store says that this service's clock differs from its own by more than it accepts. The credentials may be good.",
            "Ask the operator to compare the clock of the service with the true time. The clock of an S3-compatible store may be the wrong one.",
        ),
        S3Code::AuthorizationHeaderMalformed => rejected(
            "The store says that the header `Authorization` is malformed: the access key's ID, the date or the Region in it is not what it expects.",
            "Compare the access key's ID and the Region in the settings with those of the store.",
        ),
        S3Code::PermanentRedirect
        | S3Code::TemporaryRedirect
        | S3Code::IllegalLocationConstraint => lasting(
            "bucket_region_unknown",
            "The bucket is in another Region",
            "S3 says that the bucket is in another Region, but not in which.",
            "Enter the bucket's Region: the S3 console shows it beside the bucket's name.",
        ),
        S3Code::NoSuchBucket => lasting(
            "bucket_not_found",
            "There is no such bucket",
            "The store knows no bucket of this name.",
            "Compare the bucket's name with the one in the S3 console.",
        ),
        S3Code::NoSuchKey => rejected(
            "The store answered that there is no such object where none was asked for.",
            REQUEST_ID,
        ),
        S3Code::InvalidObjectState => rejected(
            "The object is archived and must be restored before it can be read.",
            "Restore it in the S3 console.",
        ),
        S3Code::ObjectLocked => rejected(
            "The store protects the object from changes.",
            "Wait until its retention ends, or have its legal hold removed.",
        ),
        S3Code::KmsDisabled => key(
            "The KMS key is disabled",
            "S3 says that the KMS key of the objects is disabled. No permission changes that.",
            "Enable the key under KMS > Customer managed keys.",
        ),
        S3Code::KmsNotFound => key(
            "The KMS key does not exist",
            "S3 says that there is no KMS key with this ARN. It may be of another Region than the bucket.",
            "Compare the key's ARN in the settings and in the bucket's default encryption with KMS > Customer managed keys.",
        ),
        S3Code::KmsInvalidState => key(
            "The KMS key cannot be used in its state",
            "S3 says that the state of the KMS key does not allow its use: it is disabled, waits for its deletion, or has no key material.",
            "Look at the key's status under KMS > Customer managed keys. A deletion can be cancelled until it is done.",
        ),
        S3Code::KmsInvalidUsage => key(
            "The KMS key is of another kind",
            "S3 says that the KMS key is not for encrypting: S3 takes symmetric keys for encryption and decryption only.",
            "Name a symmetric encryption key.",
        ),
        S3Code::KmsIncorrectKey => key(
            "The object is encrypted with another KMS key",
            "S3 says that the KMS key is not the one that the object is encrypted with.",
            "Compare the key in the settings with the object's own in the S3 console.",
        ),
        S3Code::KmsAccessDenied => key(
            "The KMS key cannot be used",
            "S3 answered that KMS denied the use of the key, without saying which policy did.",
            "Look at the key's policy and at the role's policy.",
        ),
        S3Code::KmsThrottling => Entry::passing(
            "aws_throttled",
            "AWS gave no usable answer",
            "KMS asks for fewer requests at the moment. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::KmsUnavailable => Entry::passing(
            "aws_unavailable",
            "AWS gave no usable answer",
            "KMS answered with a fault of its own. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::InvalidRequest if answer.needs_customer_key => lasting(
            "customer_key_needed",
            "The object needs a key of its own",
            "The object was stored with a key that its owner sends with each request (SSE-C). The service has no such key, so it cannot read this object. Objects that are stored otherwise are not affected.",
            "Store the objects with SSE-S3 or SSE-KMS.",
        ),
        S3Code::InvalidRequest => rejected(
            "The store answered `InvalidRequest`: a setting of the bucket or of the store does not go with the call. What it objects to is in the operator's log.",
            REQUEST_ID,
        ),
        S3Code::InvalidArgument => rejected(
            "The store does not accept a value of the call. The KMS key or the Region in the settings may not be the bucket's.",
            REQUEST_ID,
        ),
        S3Code::MethodNotAllowed | S3Code::NotImplemented => lasting(
            "operation_not_supported",
            "The store does not have this operation",
            "The store says that it does not support the call. No permission changes that.",
            "Use a store that supports it, or connect the bucket for reading if only writing is affected.",
        ),
        S3Code::InvalidBucketState => rejected(
            "The store says that the call does not go with the bucket's present state, such as its versioning or Object Lock.",
            "Look at the bucket's properties in the S3 console.",
        ),
        S3Code::InvalidBucketName => rejected(
            "The store does not accept the bucket's name.",
            "Compare the bucket's name with the one in the S3 console.",
        ),
        S3Code::OperationAborted => Entry::passing(
            "conflicting_change",
            "The bucket is being changed",
            "The store says that a conflicting change of the same bucket or object is under way. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::SlowDown => Entry::passing(
            "aws_throttled",
            "The store gave no usable answer",
            "The store asks for fewer requests at the moment. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::ServiceUnavailable | S3Code::InternalError => Entry::passing(
            "aws_unavailable",
            "The store gave no usable answer",
            "The store answered with a fault of its own. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::RequestTimeout => Entry::passing(
            "aws_timeout",
            "The store gave no usable answer",
            "The store waited for the call's body, which did not come in time. This proves nothing about the settings.",
            AGAIN,
        ),
        S3Code::EntityTooLarge | S3Code::EntityTooSmall => rejected(
            "The store says that a body of under a hundred bytes has a size that it does not take.",
            REQUEST_ID,
        ),
        S3Code::ContentSha256Mismatch | S3Code::InvalidDigest => lasting(
            "body_altered",
            "What arrived is not what was sent",
            "The store says that the body does not fit its digest. Something between the service and the store changes bodies, or the store does not understand the digest.",
            "Contact the operator: look at what is between the service and the store.",
        ),
        S3Code::StorageFull => lasting(
            "store_full",
            "The store has no room left",
            "The store says that it, or the account's quota, is full.",
            "Make room in the store, or raise the quota.",
        ),
        S3Code::InvalidRange | S3Code::PreconditionFailed | S3Code::NotModified => rejected(
            "The store answered a condition or a range that the call did not have.",
            REQUEST_ID,
        ),
    }
}

fn own_credentials(what: &str) -> Entry {
    Entry::lasting(
        Bearing::Undecided,
        "service_credentials_rejected",
        "The service's own credentials do not work",
        format!("The store {what}. The customer cannot fix this."),
        "Contact the operator.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_words_for_each_way_to_sign_in() {
        for code in S3Code::ALL {
            for auth in [None, Some(Auth::Role), Some(Auth::AccessKey)] {
                let answer = S3Answer {
                    code: Some(*code),
                    raw: None,
                    http_status: Some(400),
                    auth,
                    needs_customer_key: false,
                };
                let words = entry(&answer).words;
                let text = format!("{}{}{}", words.title, words.explanation, words.remedy);
                assert!(text.len() < 1_500, "{code:?}");
                // A storage with a role has no access key to enter again, and one with a key no role.
                if auth == Some(Auth::Role) {
                    assert!(!text.contains("Enter the access key"), "{code:?}");
                }
                if auth == Some(Auth::AccessKey) {
                    assert!(!text.contains("account of the role"), "{code:?}");
                }
            }
        }
    }
}
