//! The statements of a bucket's policy that let a role of another account in.
//!
//! S3 has one policy for each bucket and replaces it as a whole, so all statements of the customer's go back
//! with ours.

use crate::application::connections::provision::{ProvisionChange, ProvisionedPart};
use serde_json::{Map, Value};

/// What a look at the bucket's policy came to.
#[derive(Debug, PartialEq)]
pub(super) struct PolicyPlan {
    pub part: ProvisionedPart,
    /// The policy to put. `None`: nothing is to be changed.
    pub policy: Option<Next>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Put(Value),
    /// No statement is left.
    Delete,
}

impl PolicyPlan {
    pub fn skipped() -> Self {
        Self {
            part: ProvisionedPart::new(ProvisionChange::Skipped, Vec::new()),
            policy: None,
        }
    }

    /// Puts the wanted statements beside those of others. A statement is ours by its principal and its Sid,
    /// so two setups of one bucket keep theirs.
    pub fn apply(wanted: &Map<String, Value>, found: Option<&Map<String, Value>>) -> Self {
        let own = statements(wanted);
        let mut statements = found.map(statements).unwrap_or_default();
        let mut details = Vec::new();
        for statement in own {
            if statements.iter().any(|other| same(&statement, other)) {
                continue;
            }
            let place = statements
                .iter()
                .position(|other| is_ours(&statement, other));
            match place {
                Some(place) => {
                    details.push(format!("Replace: {}", statements[place]));
                    details.push(format!("By:      {statement}"));
                    statements[place] = statement;
                }
                None => {
                    let statement = with_free_sid(statement, &statements);
                    details.push(format!("Add:     {statement}"));
                    statements.push(statement);
                }
            }
        }
        if details.is_empty() {
            return Self {
                part: ProvisionedPart::new(ProvisionChange::Unchanged, details),
                policy: None,
            };
        }
        let change = match found {
            None => ProvisionChange::Created,
            Some(_) => ProvisionChange::Updated,
        };
        let mut policy = found.unwrap_or(wanted).clone();
        policy.insert("Statement".into(), statements.into());
        Self {
            part: ProvisionedPart::new(change, details),
            policy: Some(Next::Put(policy.into())),
        }
    }

    /// Takes the wanted statements away.
    pub fn remove(wanted: &Map<String, Value>, found: Option<&Map<String, Value>>) -> Self {
        let own = statements(wanted);
        let (ours, rest): (Vec<Value>, Vec<Value>) = found
            .map(statements)
            .unwrap_or_default()
            .into_iter()
            .partition(|other| {
                own.iter()
                    .any(|own| same(own, other) || is_ours(own, other))
            });
        let (Some(found), false) = (found, ours.is_empty()) else {
            return Self {
                part: ProvisionedPart::new(ProvisionChange::Absent, Vec::new()),
                policy: None,
            };
        };
        let mut details: Vec<String> = ours.iter().map(|s| format!("Remove:  {s}")).collect();
        if !rest.is_empty() {
            details.push(format!("Keep:    {} of the bucket's own", rest.len()));
        }
        let next = match rest.is_empty() {
            true => Next::Delete,
            false => {
                let mut policy = found.clone();
                policy.insert("Statement".into(), rest.into());
                Next::Put(policy.into())
            }
        };
        Self {
            part: ProvisionedPart::new(ProvisionChange::Removed, details),
            policy: Some(next),
        }
    }
}

/// They may be one object instead of a list.
fn statements(policy: &Map<String, Value>) -> Vec<Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    }
}

/// A list of one is the same as its element, and a list's order has no meaning (IAM user guide, "Grammar of the
/// IAM JSON policy language").
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(list) => match list.as_slice() {
            [one] => normal(one),
            _ => {
                let mut list: Vec<Value> = list.iter().map(normal).collect();
                list.sort_by_key(ToString::to_string);
                list.into()
            }
        },
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(k, v)| (k.clone(), normal(v)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// The same statement, whatever its Sid.
fn same(wanted: &Value, found: &Value) -> bool {
    let without_sid = |statement: &Value| {
        let mut statement = normal(statement);
        if let Value::Object(members) = &mut statement {
            members.remove("Sid");
        }
        // Members that are the same in another order are the same.
        normal(&statement)
    };
    without_sid(wanted) == without_sid(found)
}

/// An older form of the wanted statement: of the same principal, with its Sid.
fn is_ours(wanted: &Value, found: &Value) -> bool {
    let member = |statement: &Value, name: &str| statement.get(name).map(normal);
    member(wanted, "Sid").is_some()
        && member(wanted, "Sid") == member(found, "Sid")
        && member(wanted, "Principal") == member(found, "Principal")
}

/// A policy's Sids must differ. One that somebody else has is left out.
fn with_free_sid(mut statement: Value, others: &[Value]) -> Value {
    let sid = statement.get("Sid").cloned();
    if sid.is_some()
        && others.iter().any(|other| other.get("Sid") == sid.as_ref())
        && let Value::Object(members) = &mut statement
    {
        members.remove("Sid");
    }
    statement
}

/// A policy's text, as a tree. `None` for one that cannot be read.
pub(super) fn parsed(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(statements: Value) -> Map<String, Value> {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        policy.as_object().unwrap().clone()
    }

    fn statement(sid: Option<&str>, role: &str, action: Value) -> Value {
        let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": action, "Resource": "r"});
        if let Some(sid) = sid {
            statement["Sid"] = sid.into();
        }
        statement
    }

    #[test]
    fn statements_of_others_stay_and_a_second_run_changes_nothing() {
        let wanted = policy(json!([statement(
            Some("List"),
            "own",
            json!(["s3:ListBucket"])
        )]));
        let others = json!([
            statement(Some("List"), "other", json!("s3:ListBucket")),
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "r"}
        ]);
        let found = policy(others.clone());
        let plan = PolicyPlan::apply(&wanted, Some(&found));
        let Some(Next::Put(put)) = plan.policy else {
            panic!("{:?}", plan.part);
        };
        let put = put.as_object().unwrap();
        assert_eq!(put["Statement"][0], others[0]);
        assert_eq!(put["Statement"][1], others[1]);
        // The other's has our Sid.
        assert_eq!(put["Statement"][2].get("Sid"), None);
        let again = PolicyPlan::apply(&wanted, Some(put));
        assert_eq!(again.part.change, ProvisionChange::Unchanged);

        let removed = PolicyPlan::remove(&wanted, Some(put));
        assert_eq!(removed.policy, Some(Next::Put(found.clone().into())));
        let absent = PolicyPlan::remove(&wanted, Some(&found));
        assert_eq!(absent.part.change, ProvisionChange::Absent);
    }

    #[test]
    fn an_older_form_is_replaced_and_the_last_statement_takes_the_policy_along() {
        let old = policy(statement(Some("List"), "own", json!("s3:Old")));
        let wanted = policy(json!([statement(
            Some("List"),
            "own",
            json!("s3:ListBucket")
        )]));
        let plan = PolicyPlan::apply(&wanted, Some(&old));
        assert_eq!(plan.part.change, ProvisionChange::Updated);
        assert_eq!(plan.policy, Some(Next::Put(wanted.clone().into())));
        let removed = PolicyPlan::remove(&wanted, Some(&old));
        assert_eq!(removed.policy, Some(Next::Delete));
        let created = PolicyPlan::apply(&wanted, None);
        assert_eq!(created.part.change, ProvisionChange::Created);
    }
}
