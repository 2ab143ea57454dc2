//! The permission policy: what it lacks of what the access needs, and what it denies of it.

use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::connection::access::Auth;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::denial;
use crate::domain::doctor::evaluate::{At, Granted, Shortfall, Verdict, judge};
use crate::domain::doctor::expected::{Expected, Need};
use crate::domain::doctor::finding::{DocumentKind, Notes, Place, Severity, Words, listed};
use crate::domain::doctor::json::Node;
use crate::domain::doctor::policy::{Policy, Statement};
use crate::domain::files::file_operation::Target;
use crate::domain::policy_document::escape;
use std::collections::BTreeMap;

/// Looks at all permission policies together: one may grant what another does not. `notes` has one place for
/// each of them.
pub fn look(policies: &[Policy], expected: &Expected, notes: &mut [Notes]) {
    let needs = expected.needs();
    let judged: Vec<(&Need, Verdict)> = needs
        .iter()
        .map(|need| (need, judge(policies, need, None)))
        .collect();
    denials(
        policies,
        &judged,
        DocumentKind::PermissionPolicy,
        &[],
        expected,
        notes,
    );
    // Missing: one finding for what is alike.
    let mut groups: BTreeMap<_, Vec<(&Need, &Verdict)>> = BTreeMap::new();
    for (need, verdict) in &judged {
        if verdict.granted == Granted::Yes {
            continue;
        }
        let kind = match verdict.granted {
            Granted::No | Granted::Yes => 0,
            Granted::ForSome => 1,
            Granted::Perhaps => 2,
        };
        let target = match need.permission.on {
            Target::Bucket => 0,
            Target::Objects => 1,
            Target::Key => 2,
            Target::Everything => 3,
        };
        let lists = need.permission.action.starts_with("s3:ListBucket");
        let near = match kind {
            2 => verdict
                .conditional
                .first()
                .map(|at| (*at, Shortfall::Condition(0))),
            _ => verdict.near,
        };
        let key = (near, kind, target, lists, !need.is_essential);
        groups.entry(key).or_default().push((need, verdict));
    }
    for ((near, ..), group) in groups {
        lacking(policies, near, &group, expected, notes);
    }
}

fn statement(policies: &[Policy], at: At) -> Option<&Statement> {
    policies.get(at.policy)?.statements.get(at.statement)
}

fn lacking(
    policies: &[Policy],
    near: Option<(At, Shortfall)>,
    group: &[(&Need, &Verdict)],
    expected: &Expected,
    notes: &mut [Notes],
) {
    let Some((first, verdict)) = group.first() else {
        return;
    };
    let target = first.permission.on;
    let actions: Vec<&str> = group
        .iter()
        .map(|(need, _)| need.permission.action)
        .collect();
    let needed_on = expected.resource(target).unwrap_or_default();
    let near_statement = near.and_then(|(at, _)| statement(policies, at));
    let (number, place) = match (near, near_statement) {
        (Some((at, Shortfall::Resource)), Some(s)) => {
            let resources = s.resources.as_ref().map_or(&s.place, |r| &r.place);
            (at.policy, resources.clone())
        }
        (Some((at, Shortfall::Condition(n))), Some(s)) => {
            let condition = s.conditions.get(n).map_or(&s.place, |c| &c.place);
            (at.policy, condition.clone())
        }
        (Some((at, Shortfall::Principal)), Some(s)) => (at.policy, s.place.clone()),
        _ => (
            0,
            policies
                .first()
                .map_or_else(Place::whole, |p| p.place.clone()),
        ),
    };
    let Some(notes) = notes.get_mut(number) else {
        return;
    };
    let code = match verdict.granted {
        Granted::No | Granted::Yes => Code::ActionNotGranted,
        Granted::ForSome => Code::ActionPartlyGranted,
        Granted::Perhaps => Code::ActionConditional,
    };
    let severity = match (first.is_essential, verdict.granted) {
        (true, Granted::No | Granted::ForSome | Granted::Yes) => Severity::Error,
        (true, Granted::Perhaps) | (false, _) => Severity::Warning,
    };
    let title = match verdict.granted {
        Granted::No | Granted::Yes => format!("{} {} not allowed", listed(&actions), is(&actions)),
        Granted::ForSome => format!(
            "{} {} allowed for a part only",
            listed(&actions),
            is(&actions)
        ),
        Granted::Perhaps => {
            format!(
                "{} {} allowed under a condition",
                listed(&actions),
                is(&actions)
            )
        }
    };
    let why = match (near, near_statement) {
        (Some((_, shortfall)), Some(s)) => reason(s, shortfall, verdict),
        _ => "No statement allows it.".to_owned(),
    };
    let explanation = format!(
        "{} access needs {} on `{needed_on}`. {why}{}",
        match expected.grants.writes() {
            true => "Read and write",
            false => "Read",
        },
        listed(&actions),
        match first.is_essential {
            true => "",
            false => " The connection works without it, but for ACLs or versions of files.",
        }
    );
    let remedy = match verdict.granted {
        Granted::Perhaps => {
            "Make sure that the condition holds for Sallyport's requests, or add a statement without it."
        }
        Granted::No | Granted::ForSome | Granted::Yes => {
            "Add the statement to the policy, beside those that are there."
        }
    };
    let patch = expected
        .statement(&actions, target)
        .map(|statement| added(expected, statement));
    notes.add_with(
        severity,
        code,
        &place,
        Words::new(title, explanation, remedy),
        patch,
    );
}

fn is(actions: &[&str]) -> &'static str {
    match actions {
        [_] => "is",
        _ => "are",
    }
}

fn reason(statement: &Statement, shortfall: Shortfall, verdict: &Verdict) -> String {
    let name = capital(&statement.name());
    match shortfall {
        Shortfall::Resource => {
            let resources: Vec<&str> = statement
                .resources
                .iter()
                .flat_map(|r| r.items.iter().map(|item| item.text.as_str()))
                .collect();
            let but = statement.resources.as_ref().is_some_and(|r| r.negated);
            format!(
                "{name} allows the action on {}{} only, which does not match `{}`.",
                if but { "everything but " } else { "" },
                listed(&resources),
                verdict.not_on.as_deref().unwrap_or_default(),
            )
        }
        Shortfall::Condition(n) => match statement.conditions.get(n) {
            Some(condition) => {
                let values: Vec<&str> = condition.values.iter().map(|v| v.text.as_str()).collect();
                format!(
                    "{name} allows it only if `{}` of `{}` holds with {}.",
                    condition.operator,
                    condition.key,
                    listed(&values)
                )
            }
            None => format!("{name} has a condition or a variable."),
        },
        Shortfall::Principal => format!("{name} allows it to others."),
    }
}

/// What statements deny of the needs: for policies of identities and of resources.
pub fn denials(
    policies: &[Policy],
    judged: &[(&Need, Verdict)],
    kind: DocumentKind,
    roots: &[&Node],
    expected: &Expected,
    notes: &mut [Notes],
) {
    let mut by_statement: BTreeMap<(At, bool), Vec<&str>> = BTreeMap::new();
    for (need, verdict) in judged {
        for at in &verdict.denied {
            let actions = by_statement.entry((*at, true)).or_default();
            actions.push(need.permission.action);
        }
        for at in verdict
            .maybe_denied
            .iter()
            .filter(|at| !verdict.denied.contains(at))
        {
            let actions = by_statement.entry((*at, false)).or_default();
            actions.push(need.permission.action);
        }
    }
    for ((at, surely), actions) in by_statement {
        let Some(statement) = statement(policies, at) else {
            continue;
        };
        let Some(notes) = notes.get_mut(at.policy) else {
            continue;
        };
        let (code, severity, verb) = match surely {
            true => (Code::ActionDenied, Severity::Error, "is denied"),
            false => (Code::ActionMaybeDenied, Severity::Warning, "may be denied"),
        };
        let conditions = denial::conditions(statement, surely);
        let words = Words::new(
            format!("{} {verb}", listed(&actions)),
            format!(
                "{} denies it in {kind_words}. {conditions} A denial wins over every statement that allows.",
                capital(&statement.name()),
                kind_words = kind.words(),
            ),
            denial::remedy(statement, expected, kind),
        );
        let place = match statement.conditions.is_empty() {
            true => &statement.place,
            false => statement.condition_place(),
        };
        let root = roots.get(at.policy);
        let patch = root.and_then(|root| denial::exception(root, statement, expected, kind));
        notes.add_with(severity, code, place, words, patch);
    }
}

pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// A statement to add, with the command that adds it as a policy of its own, which leaves the others alone.
fn added(expected: &Expected, statement: serde_json::Value) -> Patch {
    let role = expected
        .role
        .as_ref()
        .filter(|_| expected.auth == Auth::Role);
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]});
    let what = policy["Statement"][0]["Action"][0]
        .as_str()
        .and_then(|action| action.split(':').nth(1))
        .unwrap_or("access")
        .to_owned();
    Patch {
        target: PatchTarget::RolePermissionPolicy,
        operation: PatchOperation::AddStatement,
        document: statement,
        cli: role.map(|role| {
            format!(
                "aws iam put-role-policy --role-name {} --policy-name {} --policy-document {}",
                escape::for_shell(role.name()),
                escape::for_shell(&format!("sallyport-{what}")),
                escape::for_shell(&escape::beyond('\u{7e}', &policy.to_string())),
            )
        }),
        console: Some(match role {
            Some(role) => format!("IAM > Roles > {} > Permissions", role.name()),
            None => "IAM > Policies > the policy > Edit".to_owned(),
        }),
    }
}
