//! Which statements decide a request, as IAM evaluates them: an explicit denial before any allowance.

use crate::domain::connection::role_arn::RoleArn;
use crate::domain::doctor::condition::{all_hold, holds};
use crate::domain::doctor::expected::{Need, Sample};
use crate::domain::doctor::pattern::{Truth, action_matches, arn_matches};
use crate::domain::doctor::policy::{Choice, Effect, Policy, Principals, Statement};

/// A statement, among several policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub policy: usize,
    pub statement: usize,
}

/// Why a statement that allows the action does not allow it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shortfall {
    Resource,
    /// The number of the condition that does not hold.
    Condition(usize),
    Principal,
}

/// What becomes of a need.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub denied: Vec<At>,
    pub maybe_denied: Vec<At>,
    /// Statements that allow it if a condition holds that is not known here.
    pub conditional: Vec<At>,
    /// The statement that comes nearest to allowing it.
    pub near: Option<(At, Shortfall)>,
    pub granted: Granted,
    /// A resource that it is not allowed on.
    pub not_on: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Granted {
    #[default]
    No,
    ForSome,
    Perhaps,
    Yes,
}

/// Decides a need. `role`: whose sessions ask, for policies that name principals; None where it is not known.
pub fn judge(policies: &[Policy], need: &Need, role: Option<&RoleArn>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut answers = Vec::new();
    for sample in &need.samples {
        let mut allowed = Truth::No;
        for (policy_number, policy) in policies.iter().enumerate() {
            for (number, statement) in policy.statements.iter().enumerate() {
                let at = At {
                    policy: policy_number,
                    statement: number,
                };
                if !concerns(&statement.actions, need.permission.action) {
                    continue;
                }
                let answer = applies(policy, statement, sample, role);
                match (statement.effect, answer) {
                    (Effect::Deny, Ok(Truth::Yes)) => push(&mut verdict.denied, at),
                    (Effect::Deny, Ok(Truth::Unknown)) => push(&mut verdict.maybe_denied, at),
                    (Effect::Deny, Ok(Truth::No) | Err(_)) => {}
                    (Effect::Allow, Ok(truth)) => {
                        allowed = allowed.or(truth);
                        if truth == Truth::Unknown {
                            push(&mut verdict.conditional, at);
                        }
                    }
                    (Effect::Allow, Err(shortfall)) => {
                        // A condition is nearer than a resource, which is nearer than a principal.
                        let rank = |s: &Shortfall| match s {
                            Shortfall::Condition(_) => 0,
                            Shortfall::Resource => 1,
                            Shortfall::Principal => 2,
                        };
                        let nearer = verdict
                            .near
                            .as_ref()
                            .is_none_or(|(_, known)| rank(&shortfall) < rank(known));
                        if nearer {
                            verdict.near = Some((at, shortfall));
                        }
                    }
                }
            }
        }
        if allowed != Truth::Yes && verdict.not_on.is_none() {
            verdict.not_on = Some(sample.resource.clone());
        }
        answers.push(allowed);
    }
    verdict.granted = if answers.iter().all(|a| *a == Truth::Yes) {
        Granted::Yes
    } else if answers.contains(&Truth::Yes) {
        Granted::ForSome
    } else if answers.contains(&Truth::Unknown) {
        Granted::Perhaps
    } else {
        Granted::No
    };
    verdict
}

fn push(list: &mut Vec<At>, at: At) {
    if !list.contains(&at) {
        list.push(at);
    }
}

/// Whether the statement is about the action.
pub fn concerns(actions: &Choice, action: &str) -> bool {
    let listed = actions
        .items
        .iter()
        .any(|item| action_matches(&item.text, action));
    listed != actions.negated
}

/// Whether a choice of resources has this one.
pub fn reaches(resources: &Choice, resource: &str, variables: bool) -> Truth {
    let listed = Truth::any(
        resources
            .items
            .iter()
            .map(|item| arn_matches(&item.text, resource, variables)),
    );
    match resources.negated {
        true => listed.not(),
        false => listed,
    }
}

/// Whether a statement about the action applies to the request; an error where it surely does not, by what.
fn applies(
    policy: &Policy,
    statement: &Statement,
    sample: &Sample,
    role: Option<&RoleArn>,
) -> Result<Truth, Shortfall> {
    let who = match &statement.principals {
        Some(principals) => names(principals, role),
        None => Truth::Yes,
    };
    if who == Truth::No {
        return Err(Shortfall::Principal);
    }
    let resource = match &statement.resources {
        Some(resources) => reaches(resources, &sample.resource, policy.variables),
        None => Truth::Yes,
    };
    if resource == Truth::No {
        return Err(Shortfall::Resource);
    }
    let conditions = all_hold(&statement.conditions, &sample.context, policy.variables);
    if conditions == Truth::No {
        let failing = statement
            .conditions
            .iter()
            .position(|condition| holds(condition, &sample.context, policy.variables) == Truth::No);
        return Err(Shortfall::Condition(failing.unwrap_or_default()));
    }
    Ok(who.and(resource).and(conditions))
}

/// Whether sessions of the role are among the principals.
pub fn names(principals: &Principals, role: Option<&RoleArn>) -> Truth {
    let listed = Truth::any(principals.items.iter().map(|principal| {
        match (principal.kind.as_str(), principal.item.text.as_str()) {
            ("*", _) | ("AWS", "*") => Truth::Yes,
            ("AWS", text) => one_principal(text, role),
            _ => Truth::No,
        }
    }));
    match principals.negated {
        true => listed.not(),
        false => listed,
    }
}

fn one_principal(text: &str, role: Option<&RoleArn>) -> Truth {
    let Some(role) = role else {
        return Truth::Unknown;
    };
    let account = role.account().as_str();
    let root = format!("arn:{}:iam::{account}:root", role.partition());
    if text == role.as_str() || text == account || text == root {
        return Truth::Yes;
    }
    // A session's ARN, or the unique ID that IAM puts in place of a deleted identity's ARN.
    let is_session = text.contains(":sts:") && text.contains(account);
    let is_unique_id = text.starts_with("AROA");
    match is_session || is_unique_id {
        true => Truth::Unknown,
        false => Truth::No,
    }
}
