//! AWS's own sentences: the only place where they are read.
//!
//! A sentence is read strictly, from its first to its last word. Names of objects and roles are part of
//! it, and whoever chooses such a name chooses some of its words.

use crate::domain::aws_failure::{
    Denial, DenialReason, KeyState, PolicyComplaint, PolicyEffect, PolicyKind, UnusableKey,
};

/// What follows "because no" or "with an explicit deny in a" (IAM user guide, "Troubleshoot access denied
/// error messages").
const POLICIES: [(&str, PolicyKind); 8] = [
    ("identity-based policy", PolicyKind::Identity),
    ("resource-based policy", PolicyKind::Resource),
    ("role trust policy", PolicyKind::RoleTrust),
    ("session policy", PolicyKind::Session),
    ("permissions boundary", PolicyKind::PermissionsBoundary),
    ("service control policy", PolicyKind::ServiceControl),
    ("resource control policy", PolicyKind::ResourceControl),
    ("VPC endpoint policy", PolicyKind::VpcEndpoint),
];

/// Reads the sentence of a denial:
///
/// `User: WHO is not authorized to perform: ACTION [on resource: "ARN"] [because no TYPE policy allows the
/// ACTION action | with an explicit deny in a TYPE policy[: POLICY-ARN]]`
pub fn read(message: &str) -> Denial {
    let message = message.trim().trim_end_matches('.');
    if is_about_mfa(message) {
        return Denial {
            reason: DenialReason::Mfa,
            ..Denial::default()
        };
    }
    let gives_a_reason = message.contains(" because ") || message.contains("explicit deny");
    let unread = || Denial {
        reason: match gives_a_reason {
            true => DenialReason::Unrecognised,
            false => DenialReason::NotGiven,
        },
        ..Denial::default()
    };
    let Some((_, after)) = message
        .strip_prefix("User: ")
        .and_then(|rest| rest.split_once(" is not authorized to perform: "))
    else {
        return unread();
    };
    let end = after.find(' ').unwrap_or(after.len());
    let (action, rest) = after.split_at(end);
    if !is_action(action) {
        return unread();
    }
    let (rest, reason, policy_arn) = reason_at_end(rest, action);
    let resource = rest
        .strip_prefix(" on resource: ")
        .map(|text| text.trim().trim_matches('"'))
        .filter(|text| text.starts_with("arn:"));
    let is_whole = rest.is_empty() || rest.starts_with(" on ");
    Denial {
        action: Some(action.to_owned()),
        resource: resource.map(str::to_owned),
        reason: match (reason, is_whole) {
            (Some(reason), true) => reason,
            (Some(_), false) => DenialReason::Unrecognised,
            (None, _) if gives_a_reason => DenialReason::Unrecognised,
            (None, _) => DenialReason::NotGiven,
        },
        policy_arn: policy_arn.map(str::to_owned),
    }
}

/// The reason at the end of a sentence, and what is before it.
fn reason_at_end<'a>(
    text: &'a str,
    action: &str,
) -> (&'a str, Option<DenialReason>, Option<&'a str>) {
    const NO: &str = " because no ";
    const DENY: &str = " with an explicit deny in ";
    if let Some(at) = text.rfind(NO) {
        let tail = &text[at + NO.len()..];
        let allows = format!(" allows the {action} action");
        let kind = tail.strip_suffix(&allows).and_then(kind_of);
        if let Some(kind) = kind {
            let reason = DenialReason::By(kind, PolicyEffect::NoAllow);
            return (&text[..at], Some(reason), None);
        }
    }
    if let Some(at) = text.rfind(DENY) {
        let tail = &text[at + DENY.len()..];
        let tail = ["a ", "an ", "the "]
            .iter()
            .find_map(|article| tail.strip_prefix(article))
            .unwrap_or(tail);
        let (name, arn) = match tail.split_once(": ") {
            Some((name, arn)) if is_policy_arn(arn) => (name, Some(arn)),
            Some(_) => return (text, None, None),
            None => (tail, None),
        };
        if let Some(kind) = kind_of(name) {
            let reason = DenialReason::By(kind, PolicyEffect::ExplicitDeny);
            return (&text[..at], Some(reason), arn);
        }
    }
    (text, None, None)
}

fn kind_of(name: &str) -> Option<PolicyKind> {
    let mut known = POLICIES.iter();
    known.find(|(text, _)| *text == name).map(|(_, kind)| *kind)
}

fn is_action(text: &str) -> bool {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.split_once(':')
        .is_some_and(|(service, name)| is_word(service) && is_word(name))
}

fn is_policy_arn(text: &str) -> bool {
    text.starts_with("arn:") && !text.contains(char::is_whitespace)
}

/// S3 asks for the code of a device where MFA delete is on (S3 user guide, "Configuring MFA delete").
fn is_about_mfa(message: &str) -> bool {
    [
        "Mfa Authentication must be used",
        "MultiFactorAuthentication failed",
    ]
    .iter()
    .any(|sentence| message.starts_with(sentence))
}

/// Whether a refused change was refused because of Object Lock. A sentence that names the caller is one of
/// IAM, and what looks like it there is part of a name.
pub fn is_object_lock(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    let of_iam = text.contains("is not authorized to perform");
    // Of a request that lacks a checksum, which says nothing of the object.
    let asks_for_a_header = text.contains("content-md5");
    let says = [
        "object lock",
        "objectlock",
        "object-lock",
        "worm protected",
        "worm-protected",
        "worm mode",
        "legal hold",
        "retention policy and cannot be deleted",
    ];
    !of_iam && !asks_for_a_header && says.iter().any(|words| text.contains(words))
}

/// Whether S3 says that an object was stored with a key of the customer's own (SSE-C), which comes with each
/// request or not at all.
pub fn needs_customer_key(message: &str) -> bool {
    message.starts_with("The object was stored using a form of Server Side Encryption.")
}

/// The Region that a store expects, as S3 says it of one that is wrong: "the region 'us-east-1' is wrong; expecting
/// 'eu-west-1'".
pub fn expected_region(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("is wrong; expecting '")?;
    let (region, _) = rest.split_once('\'')?;
    Some(region.to_owned())
}

/// What STS says of a session policy that it does not take. Only what it is about is read.
pub fn policy_complaint(message: &str) -> PolicyComplaint {
    let text = message.to_ascii_lowercase();
    let says = |words: &str| text.contains(words);
    if says("tag") {
        PolicyComplaint::Tags
    } else if says("json") {
        PolicyComplaint::NotJson
    } else if says("partition") {
        PolicyComplaint::Partition
    } else if says("resource") || says("arn") {
        PolicyComplaint::Resource
    } else if says("too long") || says("too large") || says("length") || says("allotted") {
        PolicyComplaint::TooLong
    } else if says("syntax") || says("legacy parsing") {
        PolicyComplaint::Syntax
    } else {
        PolicyComplaint::Unread
    }
}

/// What KMS says at the end of a denial that may have several reasons, the key's own absence among them.
const OUT_OF_REACH: &str = "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";

/// What KMS says of a key that cannot be used: "ARN is disabled.", "ARN is pending deletion.", "Key 'ARN' does not
/// exist" and their like (KMS developer guide, "Key states of AWS KMS keys"), or that a key is out of reach.
pub fn unusable_key(message: &str) -> Option<UnusableKey> {
    if message.starts_with("The ciphertext refers to a customer") {
        return Some(UnusableKey {
            arn: None,
            state: KeyState::OutOfReach,
        });
    }
    let text = message.trim().trim_end_matches('.');
    if let Some(before) = text.strip_suffix(OUT_OF_REACH) {
        return Some(UnusableKey {
            arn: read(before).resource.filter(|arn| is_key_arn(arn)),
            state: KeyState::OutOfReach,
        });
    }
    let absent = text
        .strip_prefix("Key '")
        .and_then(|rest| rest.split_once("' does not exist"));
    let alias = text
        .strip_prefix("Alias ")
        .and_then(|rest| rest.split_once(" is not found"));
    if let Some((arn, _)) = absent.or(alias) {
        return is_key_arn(arn).then(|| UnusableKey {
            arn: Some(arn.to_owned()),
            state: KeyState::Other,
        });
    }
    let (arn, rest) = text.split_once(' ')?;
    let state = match rest {
        "is disabled" => KeyState::Disabled,
        "is pending deletion" => KeyState::PendingDeletion,
        _ if rest.starts_with("is pending") => KeyState::Other,
        _ => return None,
    };
    is_key_arn(arn).then(|| UnusableKey {
        arn: Some(arn.to_owned()),
        state,
    })
}

fn is_key_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.contains(":kms:") && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(message: &str) -> DenialReason {
        read(message).reason
    }

    #[test]
    fn each_kind_of_policy_and_each_effect() {
        for (name, kind) in POLICIES {
            let no = format!(
                "User: arn:aws:iam::1:user/x is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::b\" because no {name} allows the s3:ListBucket action"
            );
            assert_eq!(reason(&no), DenialReason::By(kind, PolicyEffect::NoAllow));
            for article in ["a", "an", "the"] {
                let deny = format!(
                    "User: x is not authorized to perform: s3:ListBucket with an explicit deny in {article} {name}"
                );
                let denied = DenialReason::By(kind, PolicyEffect::ExplicitDeny);
                assert_eq!(reason(&deny), denied);
            }
        }
    }

    #[test]
    fn a_sentence_is_taken_apart() {
        let text = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::b/k v\" with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1";
        let denial = read(text);
        assert_eq!(denial.action.as_deref(), Some("s3:PutObject"));
        assert_eq!(denial.resource.as_deref(), Some("arn:aws:s3:::b/k v"));
        assert!(denial.policy_arn.unwrap().ends_with("p-1"));
        let kms = read(
            "User: x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no session policy allows the kms:Decrypt action",
        );
        assert_eq!(kms.resource, None);
        let ours = DenialReason::By(PolicyKind::Session, PolicyEffect::NoAllow);
        assert_eq!(kms.reason, ours);
    }

    #[test]
    fn what_is_not_understood_claims_nothing() {
        for text in [
            "Access Denied",
            "",
            "Forbidden",
            "User: x is not authorized",
        ] {
            assert_eq!(reason(text), DenialReason::NotGiven, "{text}");
        }
        let bare = "User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/r";
        assert_eq!(reason(bare), DenialReason::NotGiven);
        for text in [
            "User: x is not authorized to perform: s3:GetObject with an explicit deny in a policy of tomorrow",
            "User: x is not authorized to perform: s3:GetObject because no policy of tomorrow allows the s3:GetObject action",
            "User: x is not authorized to perform: s3:GetObject because no identity-based policy allows the s3:PutObject action",
            "Denied with an explicit deny in a resource-based policy",
        ] {
            assert_eq!(reason(text), DenialReason::Unrecognised, "{text}");
        }
    }

    #[test]
    fn the_name_of_an_object_gives_no_reason() {
        let text = "User: x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/a because no identity-based policy allows the s3:GetObject action\" with an explicit deny in a resource-based policy";
        let denied = DenialReason::By(PolicyKind::Resource, PolicyEffect::ExplicitDeny);
        assert_eq!(reason(text), denied);
        let unread = "User: x is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/a with an explicit deny in a resource-based policy\"";
        assert_eq!(reason(unread), DenialReason::Unrecognised);
        assert!(!is_object_lock(
            "User: x is not authorized to perform: s3:DeleteObject on resource: \"arn:aws:s3:::b/legal hold\""
        ));
    }

    #[test]
    fn object_lock_and_mfa_have_sentences_of_their_own() {
        for text in [
            "Access Denied because object protected by object lock.",
            "Object is WORM protected and cannot be overwritten",
            "forbidden by object lock",
        ] {
            assert!(is_object_lock(text), "{text}");
        }
        assert!(!is_object_lock("Access Denied"));
        assert!(!is_object_lock(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        ));
        assert_eq!(
            reason("Mfa Authentication must be used for this request"),
            DenialReason::Mfa
        );
    }

    #[test]
    fn the_region_that_a_store_expects() {
        let text = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'fr-par'";
        assert_eq!(expected_region(text).as_deref(), Some("fr-par"));
        assert_eq!(expected_region("the region is wrong"), None);
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
            assert_eq!(policy_complaint(text), about, "{text}");
        }
    }

    #[test]
    fn the_state_of_a_key_is_read_with_its_arn() {
        let arn = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        for (text, state) in [
            ("is disabled.", KeyState::Disabled),
            ("is pending deletion.", KeyState::PendingDeletion),
            ("is pending import.", KeyState::Other),
        ] {
            let key = unusable_key(&format!("{arn} {text}")).unwrap();
            assert_eq!((key.arn.as_deref(), key.state), (Some(arn), state));
        }
        let ciphertext = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
        assert_eq!(
            unusable_key(ciphertext).unwrap().state,
            KeyState::OutOfReach
        );
        let several = format!(
            "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: {arn} {OUT_OF_REACH}"
        );
        let key = unusable_key(&several).unwrap();
        assert_eq!(
            (key.arn.as_deref(), key.state),
            (Some(arn), KeyState::OutOfReach)
        );
        let unnamed = format!(
            "User: x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext {OUT_OF_REACH}"
        );
        let key = unusable_key(&unnamed).unwrap();
        assert_eq!((key.arn, key.state), (None, KeyState::OutOfReach));
        let absent = unusable_key(&format!("Key '{arn}' does not exist")).unwrap();
        assert_eq!(absent.arn.as_deref(), Some(arn));
        for text in [
            "",
            "Access Denied",
            "a b is disabled",
            "arn:aws:s3:::b is disabled",
        ] {
            assert_eq!(unusable_key(text), None, "{text}");
        }
    }
}
