//! Actions and resources that never meet, actions that do not exist, and elements that mean the opposite.

use crate::domain::doctor::actions::{self, ResourceForm};
use crate::domain::doctor::code::Code;
use crate::domain::doctor::finding::{DocumentKind, Notes, Severity, Words, listed};
use crate::domain::doctor::policy::{Choice, Effect, Policy, Statement};
use crate::domain::invalid::shown;

pub fn look(kind: DocumentKind, policy: &Policy, notes: &mut Notes) {
    for statement in &policy.statements {
        if notes.is_full() {
            return;
        }
        actions_exist(statement, notes);
        surprises(kind, statement, notes);
        if let Some(resources) = statement.resources.as_ref().filter(|r| !r.negated) {
            never_meet(statement, resources, notes);
        }
    }
}

fn actions_exist(statement: &Statement, notes: &mut Notes) {
    for item in &statement.actions.items {
        let text = item.text.as_str();
        if text == "*" {
            continue;
        }
        let service = text.split_once(':').map(|(service, _)| service);
        let (title, explanation) = match service {
            None => (
                format!("`{}` names no service", shown(text)),
                "An action is a service and a name, like `s3:GetObject`. AWS refuses another form.".to_owned(),
            ),
            Some(service) if !actions::is_known_service(service) => continue,
            Some(_) if !actions::matching(text).is_empty() => continue,
            Some(_) => (
                format!("There is no action `{}`", shown(text)),
                "AWS accepts it, and it never allows or denies anything. Names of actions are not always those of the API's operations.".to_owned(),
            ),
        };
        let meant = match service {
            None => actions::nearest_to(&format!("s3:{text}")),
            Some(_) => actions::nearest_to(text),
        };
        let remedy = match meant {
            Some(meant) => format!("Write `{meant}`, if that is meant."),
            None => "Look the action up in the service authorization reference, or remove it."
                .to_owned(),
        };
        let words = Words::new(title, explanation, remedy);
        notes.add(Severity::Error, Code::ActionUnknown, &item.place, words);
    }
}

/// Actions that none of the resources is for, and resources that none of the actions is for.
fn never_meet(statement: &Statement, resources: &Choice, notes: &mut Notes) {
    if statement.actions.negated {
        return;
    }
    let forms: Vec<ResourceForm> = resources
        .items
        .iter()
        .map(|item| ResourceForm::of(&item.text))
        .collect();
    let mut used = vec![false; forms.len()];
    let mut all_known = true;
    for item in &statement.actions.items {
        let matching = actions::matching(&item.text);
        if matching.is_empty() {
            // Unknown, or of a service whose actions are not in the list.
            all_known = false;
            continue;
        }
        let meets = |form: &ResourceForm| {
            matching
                .iter()
                .any(|action| match action.applies_to_everything_only() {
                    true => matches!(form, ResourceForm::Everything | ResourceForm::Other),
                    false => action.may_apply(form),
                })
        };
        for (used, form) in used.iter_mut().zip(&forms) {
            *used |= meets(form);
        }
        if forms.is_empty() || forms.iter().any(meets) {
            continue;
        }
        let named: Vec<&str> = resources
            .items
            .iter()
            .map(|item| item.text.as_str())
            .collect();
        let account = matching
            .iter()
            .all(|action| action.applies_to_everything_only());
        let objects = matching.iter().any(|action| action.applies_to_objects());
        let (why, remedy) = if account {
            (
                "It is about the whole account, and is allowed on `*` only.",
                match item.text.eq_ignore_ascii_case("s3:ListAllMyBuckets") {
                    true => {
                        "Remove it: Sallyport does not need it. If it is wanted, put it into a statement of its own, with `\"Resource\": \"*\"`."
                    }
                    false => {
                        "Put it into a statement of its own, with `\"Resource\": \"*\"`, or remove it."
                    }
                },
            )
        } else if objects {
            (
                "It is about objects, whose ARNs are those of the bucket with `/` and a key after it.",
                "Allow it on the objects: the bucket's ARN with `/*`, or with the prefix and `*`.",
            )
        } else {
            (
                "It is about the bucket, whose ARN ends with the bucket's name.",
                "Allow it on the bucket's ARN, without `/` and what follows.",
            )
        };
        let words = Words::new(
            format!(
                "`{}` never applies to {}",
                shown(&item.text),
                listed(&named)
            ),
            format!("AWS accepts the statement, and it allows nothing for this action. {why}"),
            remedy,
        );
        notes.add(
            Severity::Warning,
            Code::ActionNeverApplies,
            &item.place,
            words,
        );
    }
    if !all_known {
        return;
    }
    let whole = used.iter().any(|used| *used);
    for (item, _) in resources
        .items
        .iter()
        .zip(used)
        .filter(|(_, used)| !used && whole)
    {
        let words = Words::new(
            format!(
                "No action of the statement applies to `{}`",
                shown(&item.text)
            ),
            "AWS accepts the resource, and it does nothing here.",
            "Remove it, or add the actions that are meant for it.",
        );
        notes.add(
            Severity::Note,
            Code::ResourceNeverApplies,
            &item.place,
            words,
        );
    }
}

fn surprises(kind: DocumentKind, statement: &Statement, notes: &mut Notes) {
    let allows = statement.effect == Effect::Allow;
    if allows && statement.actions.negated {
        let words = Words::new(
            "`NotAction` allows everything else",
            "With `Allow`, every action of every service that is not listed is allowed, those that AWS will add too.",
            "List what is needed under `Action`.",
        );
        notes.add(
            Severity::Security,
            Code::NotActionAllow,
            &statement.actions.place,
            words,
        );
    }
    if let Some(resources) = statement.resources.as_ref().filter(|r| r.negated && allows) {
        let words = Words::new(
            "`NotResource` reaches everything else",
            "With `Allow`, the actions are allowed on every resource that is not listed, those that will be made too.",
            "List what is meant under `Resource`.",
        );
        notes.add(
            Severity::Security,
            Code::NotResourceAllow,
            &resources.place,
            words,
        );
    }
    let Some(principals) = statement.principals.as_ref().filter(|p| p.negated) else {
        return;
    };
    let (severity, code, words) = match (allows, kind) {
        (true, DocumentKind::TrustPolicy) => (
            Severity::Error,
            Code::NotPrincipalAllow,
            Words::new(
                "A trust policy takes no `NotPrincipal` that allows",
                "IAM refuses it.",
                "Name who is meant under `Principal`.",
            ),
        ),
        (true, _) => (
            Severity::Security,
            Code::NotPrincipalAllow,
            Words::new(
                "`NotPrincipal` lets everybody else in",
                "With `Allow`, everybody who is not listed is allowed, also without signing in to AWS.",
                "Name who is meant under `Principal`.",
            ),
        ),
        (false, _) => (
            Severity::Warning,
            Code::NotPrincipalDeny,
            Words::new(
                "`NotPrincipal` needs the role's sessions too",
                "A request of a role comes from a session. Unless the session's own ARN and the account are listed beside the role, it is denied.",
                "Use `\"Principal\": \"*\"` with a condition `ArnNotEquals` of `aws:PrincipalArn` instead.",
            ),
        ),
    };
    notes.add(severity, code, &principals.place, words);
}
