//! What a customer's account has, as far as the answers of a world hang on it.

use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The documents as they are now.
#[derive(Clone, Default)]
pub struct Account {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default, Clone)]
struct Kept {
    permissions: Value,
    bucket_policy: Value,
    key_policy: Value,
    /// What the last AssumeRole narrowed its session to.
    session: Value,
}

impl Account {
    pub fn set_permissions(&self, policy: &Value) {
        self.kept.lock().unwrap().permissions = policy.clone();
    }

    pub fn set_bucket_policy(&self, policy: &Value) {
        self.kept.lock().unwrap().bucket_policy = policy.clone();
    }

    pub fn set_key_policy(&self, policy: &Value) {
        self.kept.lock().unwrap().key_policy = policy.clone();
    }

    pub fn set_session(&self, policy: &Value) {
        self.kept.lock().unwrap().session = policy.clone();
    }

    pub fn permissions(&self) -> Value {
        self.kept.lock().unwrap().permissions.clone()
    }

    pub fn bucket_policy(&self) -> Value {
        self.kept.lock().unwrap().bucket_policy.clone()
    }

    pub fn key_policy(&self) -> Value {
        self.kept.lock().unwrap().key_policy.clone()
    }

    /// Whether a policy of the role or user allows it.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        allows(&self.permissions(), action, resource)
    }

    /// The same, where every condition is met.
    pub fn may(&self, action: &str, resource: &str) -> bool {
        let mut policy = self.permissions();
        if let Some(statements) = policy["Statement"].as_array_mut() {
            for statement in statements {
                statement["Condition"] = Value::Null;
            }
        }
        allows(&policy, action, resource)
    }

    /// Whether the session may, as it was narrowed.
    pub fn session_allows(&self, action: &str, resource: &str) -> bool {
        let session = self.kept.lock().unwrap().session.clone();
        session.is_null() || allows(&session, action, resource)
    }

    /// Whether the session is narrowed to the buckets of another account than this.
    pub fn session_is_of_other_account(&self, owner: &str) -> bool {
        let session = self.kept.lock().unwrap().session.clone();
        statements(&session).iter().any(|statement| {
            let of = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
            of.as_str().is_some_and(|account| account != owner)
        })
    }

    pub fn bucket_policy_allows(&self, action: &str, resource: &str) -> bool {
        allows(&self.bucket_policy(), action, resource)
    }

    pub fn bucket_policy_denies(&self, action: &str) -> bool {
        statements(&self.bucket_policy()).iter().any(|statement| {
            statement["Effect"] == "Deny" && matches_any(&statement["Action"], action, true)
        })
    }

    /// Whether the key's policy names this principal for the action.
    pub fn key_policy_allows(&self, action: &str, principal: &str) -> bool {
        let policy = self.key_policy();
        statements(&policy).iter().any(|statement| {
            let named = list(&statement["Principal"]["AWS"]);
            statement["Effect"] == "Allow"
                && named.iter().any(|one| one == principal)
                && matches_any(&statement["Action"], action, true)
        })
    }
}

pub fn statements(policy: &Value) -> Vec<Value> {
    list_of(&policy["Statement"])
}

fn list_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

pub fn list(value: &Value) -> Vec<String> {
    let texts = list_of(value);
    texts
        .iter()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

/// IAM's evaluation of allowing statements for a request that lists nothing: a condition on `s3:prefix` is met only
/// where it is `IfExists`.
fn allows(policy: &Value, action: &str, resource: &str) -> bool {
    statements(policy).iter().any(|statement| {
        let conditions = statement["Condition"].as_object();
        let is_met = conditions.is_none_or(|all| {
            all.iter()
                .all(|(operator, keys)| operator.ends_with("IfExists") || keys == &json!({}))
        });
        statement["Effect"] == "Allow"
            && is_met
            && matches_any(&statement["Action"], action, true)
            && matches_any(&statement["Resource"], resource, false)
    })
}

fn matches_any(patterns: &Value, text: &str, ignores_case: bool) -> bool {
    list(patterns).iter().any(|pattern| match ignores_case {
        true => is_match(&pattern.to_lowercase(), &text.to_lowercase()),
        false => is_match(pattern, text),
    })
}

/// IAM's wildcards: `*` for any characters, `?` for one.
pub fn is_match(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            is_match(&pattern[1..], text)
                || text
                    .chars()
                    .next()
                    .is_some_and(|c| is_match(pattern, &text[c.len_utf8()..]))
        }
        (Some('?'), Some(c)) => is_match(&pattern[1..], &text[c.len_utf8()..]),
        (Some(p), Some(c)) if p == c => is_match(&pattern[p.len_utf8()..], &text[c.len_utf8()..]),
        _ => false,
    }
}
