//! The inline policy of a role or user.

use crate::application::connections::provision::{ProvisionChange, ProvisionedPart, Provisioning};
use serde_json::{Map, Value};

/// What is to be done about the inline policy. `found`: the one of its name, as IAM answers it.
pub(super) fn plan(wanted: &Provisioning, found: Option<&str>) -> ProvisionedPart {
    let policy = &wanted.documents().permission_policy;
    let name = wanted.policy_name();
    if wanted.remove {
        return match found {
            Some(_) => ProvisionedPart::new(
                ProvisionChange::Removed,
                vec![format!("The inline policy `{name}`.")],
            ),
            None => ProvisionedPart::new(ProvisionChange::Absent, Vec::new()),
        };
    }
    let Some(found) = found else {
        return ProvisionedPart::new(
            ProvisionChange::Created,
            vec![format!("The inline policy `{name}`: {}", text(policy))],
        );
    };
    let found = decoded_policy(Some(found));
    if found.as_ref() == Some(policy) {
        return ProvisionedPart::new(ProvisionChange::Unchanged, Vec::new());
    }
    ProvisionedPart::new(
        ProvisionChange::Updated,
        vec![
            format!(
                "The inline policy `{name}` before: {}",
                found.as_ref().map(text).unwrap_or_default()
            ),
            format!("The inline policy `{name}` after: {}", text(policy)),
        ],
    )
}

/// Compact JSON.
pub(super) fn text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}

/// IAM answers policies percent-encoded (IAM API reference, GetRole). `None` for one that cannot be read:
/// it counts as somebody else's.
pub(super) fn decoded_policy(found: Option<&str>) -> Option<Map<String, Value>> {
    // A `+` stands for itself in this encoding, so no form decoding.
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(found?).collect();
    serde_json::from_slice(&decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn policies_are_read_through_the_encoding_that_iam_answers() {
        let wanted = json!({"Version": "2012-10-17", "Id": "a+b %41 ü"});
        let wanted = wanted.as_object().unwrap();
        for same in [
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Id%22%3A%22a%2Bb%20%2541%20%C3%BC%22%7D",
            "{\"Id\": \"a+b %2541 ü\", \"Version\": \"2012-10-17\"}",
        ] {
            assert_eq!(decoded_policy(Some(same)).as_ref(), Some(wanted), "{same}");
        }
        for other in ["", "%7B%7D", "%7", "{\"Version\":\"2012-10-17\"}"] {
            assert_ne!(
                decoded_policy(Some(other)).as_ref(),
                Some(wanted),
                "{other}"
            );
        }
        assert_eq!(decoded_policy(None), None);
    }
}
