//! The trust policy: who may assume the role, and with which external ID.

use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::doctor::code::Code;
use crate::domain::doctor::condition::{Context, all_hold, holds};
use crate::domain::doctor::denial;
use crate::domain::doctor::evaluate::concerns;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::external_id;
use crate::domain::doctor::finding::{Notes, Place, Severity, Words, listed};
use crate::domain::doctor::grammar::allowing;
use crate::domain::doctor::identity::capital;
use crate::domain::doctor::pattern::Truth;
use crate::domain::doctor::policy::{Effect, Policy, Principals, Statement};
use crate::domain::invalid::shown;
use crate::domain::policy_document::escape;

const ASSUME: &str = "sts:AssumeRole";

/// Looks at a trust policy.
pub fn look(policy: &Policy, expected: &Expected, notes: &mut Notes) {
    for statement in allowing(policy) {
        if notes.is_full() {
            return;
        }
        odd_actions(statement, notes);
        if let Some(principals) = &statement.principals {
            principals_of(principals, statement, expected, notes);
        }
    }
    let ours: Vec<&Statement> = allowing(policy)
        .filter(|statement| {
            concerns(&statement.actions, ASSUME) && is_ours(statement, expected) != Truth::No
        })
        .collect();
    let asked = request(expected, expected.external_id.as_deref());
    denied(policy, expected, &asked, notes);
    let without = request(expected, None);
    let patch = || right(expected);
    let mut lets_in = Truth::No;
    for statement in &ours {
        let answer = is_ours(statement, expected).and(all_hold(
            &statement.conditions,
            &asked,
            policy.variables,
        ));
        lets_in = lets_in.or(answer);
    }
    for statement in &ours {
        let open = all_hold(&statement.conditions, &without, policy.variables);
        external_id::look(
            policy,
            statement,
            expected,
            open,
            ours.len(),
            lets_in,
            patch,
            notes,
        );
    }
    if ours.is_empty() {
        nobody(policy, notes, patch);
        return;
    }
    if lets_in == Truth::Yes {
        return;
    }
    for statement in &ours {
        conditional(policy, statement, &asked, lets_in, notes, patch);
    }
}

/// What is known of Sallyport's call of AssumeRole.
pub fn request(expected: &Expected, external_id: Option<&str>) -> Context {
    let mut context = Context::default();
    match external_id {
        Some(id) => context.set("sts:ExternalId", id),
        None => context.absent("sts:ExternalId"),
    }
    for (key, value) in [
        ("aws:SecureTransport", "true"),
        ("aws:ViaAWSService", "false"),
        ("aws:PrincipalIsAWSService", "false"),
    ] {
        context.set(key, value);
    }
    context.maybe("aws:MultiFactorAuthPresent", "false");
    for key in [
        "aws:MultiFactorAuthAge",
        "aws:SourceArn",
        "aws:SourceAccount",
        "aws:PrincipalServiceName",
        "aws:FederatedProvider",
        "sts:SourceIdentity",
    ] {
        context.absent(key);
    }
    if let Some(principal) = &expected.principal {
        context.set("aws:PrincipalAccount", principal.account().as_str());
        if !principal.arn().ends_with(":root") {
            context.set("aws:PrincipalArn", principal.arn());
        }
    }
    context
}

/// Whether a statement's principals have Sallyport among them.
fn is_ours(statement: &Statement, expected: &Expected) -> Truth {
    let Some(principals) = &statement.principals else {
        return Truth::No;
    };
    let listed = Truth::any(principals.items.iter().map(|principal| {
        match (principal.kind.as_str(), principal.item.text.as_str()) {
            ("*", _) | ("AWS", "*") => Truth::Yes,
            ("AWS", text) => one(text, expected),
            _ => Truth::No,
        }
    }));
    match principals.negated {
        true => listed.not(),
        false => listed,
    }
}

fn one(text: &str, expected: &Expected) -> Truth {
    let Some(principal) = &expected.principal else {
        return Truth::Unknown;
    };
    let account = principal.account().as_str();
    let root = format!("arn:{}:iam::{account}:root", principal.partition());
    if text == principal.arn() || text == account || text == root {
        return Truth::Yes;
    }
    // Another identity of the account: that of the service's credentials may be behind it.
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields[..] {
        ["arn", partition, "iam" | "sts", "", other, _]
            if other == account && partition == principal.partition().as_str() =>
        {
            Truth::Unknown
        }
        _ => Truth::No,
    }
}

fn odd_actions(statement: &Statement, notes: &mut Notes) {
    for item in &statement.actions.items {
        let lower = item.text.to_ascii_lowercase();
        let (severity, code, words) = match lower.as_str() {
            "sts:assumerole" => continue,
            "sts:tagsession" => (
                Severity::Note,
                Code::TagSession,
                Words::new(
                    "`sts:TagSession` is not needed",
                    "Sallyport sends no session tags. It is needed only where the identity that Sallyport runs as has tags that are passed on.",
                    "Leave it out, unless Sallyport's operator asks for it.",
                ),
            ),
            "*" | "sts:*" | "sts:assume*" | "sts:assumerole*" => (
                Severity::Note,
                Code::TrustAction,
                Words::new(
                    format!("`{}` is more than `sts:AssumeRole`", shown(&item.text)),
                    "It has other ways to assume the role in it, and tags and identities that a caller may set for its session.",
                    "Write `sts:AssumeRole`.",
                ),
            ),
            _ => (
                Severity::Note,
                Code::TrustAction,
                Words::new(
                    format!("`{}` is not `sts:AssumeRole`", shown(&item.text)),
                    "Sallyport assumes the role by `sts:AssumeRole` only.",
                    "Leave it out, unless somebody else uses the role by it.",
                ),
            ),
        };
        notes.add(severity, code, &item.place, words);
    }
}

fn principals_of(
    principals: &Principals,
    statement: &Statement,
    expected: &Expected,
    notes: &mut Notes,
) {
    if principals.negated {
        return;
    }
    for principal in &principals.items {
        let text = principal.item.text.as_str();
        let place = &principal.item.place;
        match principal.kind.as_str() {
            "*" | "AWS" if text == "*" => {
                // By the account or the ARN of the caller, a condition may say who is meant.
                let narrowed = statement.conditions.iter().any(|condition| {
                    let key = condition.key.to_ascii_lowercase();
                    let equals = ["StringEquals", "ArnEquals", "ArnLike", "StringLike"];
                    [
                        "aws:principalarn",
                        "aws:principalaccount",
                        "aws:principalorgid",
                    ]
                    .contains(&key.as_str())
                        && equals.contains(&condition.operator.as_str())
                        && !condition.values.iter().any(|value| value.text == "*")
                });
                let (severity, explanation) = match narrowed {
                    true => (
                        Severity::Warning,
                        "A condition says who is meant. Without it everybody with an AWS account could assume the role.",
                    ),
                    false => (
                        Severity::Security,
                        "Everybody with an AWS account may assume the role, if the conditions hold. An external ID is no secret.",
                    ),
                };
                let words = Words::new(
                    "Everybody may assume the role",
                    explanation,
                    match &expected.principal {
                        Some(ours) => format!("Name Sallyport alone: `{ours}`."),
                        None => "Name Sallyport's account alone.".to_owned(),
                    },
                );
                notes.add_with(severity, Code::TrustOpen, place, words, right(expected));
            }
            "Service" => {
                let words = Words::new(
                    format!("`{}` is an AWS service", shown(text)),
                    "The statement lets a service of AWS use the role. Sallyport is an AWS account to the role, not a service of AWS.",
                    "Keep it if the service uses the role too, or make a role of its own for Sallyport.",
                );
                notes.add(Severity::Note, Code::TrustService, place, words);
            }
            "AWS" => other_account(text, place, expected, notes),
            _ => {}
        }
    }
}

fn other_account(text: &str, place: &Place, expected: &Expected, notes: &mut Notes) {
    let Some(ours) = &expected.principal else {
        return;
    };
    let account = match text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        true => text,
        false => text.split(':').nth(4).unwrap_or_default(),
    };
    if account.len() != 12 {
        return;
    }
    let own = ours.account().as_str();
    if account == own {
        let whole = text == own || text.ends_with(":root") || text == ours.arn();
        if !whole {
            let words = Words::new(
                format!("`{}` is one identity of Sallyport's account", shown(text)),
                format!(
                    "Sallyport asks to trust `{ours}`. If it runs as another identity, it is not let in; and if this one is deleted and made again, it is not let in either."
                ),
                format!("Write `{ours}`."),
            );
            notes.add_with(
                Severity::Warning,
                Code::TrustOneIdentity,
                place,
                words,
                right(expected),
            );
        }
        return;
    }
    let differing = account
        .bytes()
        .zip(own.bytes())
        .filter(|(a, b)| a != b)
        .count();
    // Too few for an account that is meant: a slip of the keys.
    if differing <= 3 {
        let words = Words::new(
            format!("`{}` is not Sallyport's account", shown(account)),
            format!(
                "Sallyport's account is `{own}`; {differing} of the digits differ. As it is, another account may assume the role."
            ),
            format!("Write `{ours}`."),
        );
        notes.add_with(
            Severity::Error,
            Code::TrustWrongAccount,
            place,
            words,
            right(expected),
        );
    } else {
        let words = Words::new(
            format!("`{}` may assume the role too", shown(text)),
            "It is not Sallyport. What the role may do is open to it as well.",
            "Keep it only if the role is shared on purpose.",
        );
        notes.add(Severity::Note, Code::TrustOtherPrincipal, place, words);
    }
}

fn denied(policy: &Policy, expected: &Expected, asked: &Context, notes: &mut Notes) {
    for statement in policy
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Deny)
    {
        if !concerns(&statement.actions, ASSUME) {
            continue;
        }
        let answer = is_ours(statement, expected).and(all_hold(
            &statement.conditions,
            asked,
            policy.variables,
        ));
        let (severity, title) = match answer {
            Truth::Yes => (Severity::Error, "Sallyport is denied to assume the role"),
            Truth::Unknown => (
                Severity::Warning,
                "Sallyport may be denied to assume the role",
            ),
            Truth::No => continue,
        };
        let words = Words::new(
            title,
            format!(
                "{} denies it. {} A denial wins over every statement that allows.",
                capital(&statement.name()),
                denial::conditions(statement, answer == Truth::Yes)
            ),
            match &expected.principal {
                Some(ours) => format!(
                    "If Sallyport is meant to get in, add to the statement's `Condition`: `\"StringNotEquals\": {{\"aws:PrincipalAccount\": \"{}\"}}`.",
                    ours.account()
                ),
                None => {
                    "Change the statement so that it leaves Sallyport's account out.".to_owned()
                }
            },
        );
        notes.add(
            severity,
            Code::TrustDenied,
            statement.condition_place(),
            words,
        );
    }
}

fn nobody(policy: &Policy, notes: &mut Notes, patch: impl Fn() -> Option<Patch>) {
    if notes.has(Code::TrustWrongAccount) {
        return;
    }
    let named: Vec<&str> = allowing(policy)
        .flat_map(|s| s.principals.iter().flat_map(|p| &p.items))
        .map(|principal| principal.item.text.as_str())
        .collect();
    let words = Words::new(
        "No statement lets Sallyport assume the role",
        match named.is_empty() {
            true => "No statement allows `sts:AssumeRole` to anybody.".to_owned(),
            false => format!(
                "`sts:AssumeRole` is allowed to {}, which is not Sallyport.",
                listed(&named)
            ),
        },
        "Replace the trust policy by the document of Sallyport, or add its statement.",
    );
    notes.add_with(
        Severity::Error,
        Code::TrustNotGranted,
        &policy.place,
        words,
        patch(),
    );
}

/// Conditions besides the external ID that do not hold, or may not.
fn conditional(
    policy: &Policy,
    statement: &Statement,
    asked: &Context,
    lets_in: Truth,
    notes: &mut Notes,
    patch: impl Fn() -> Option<Patch>,
) {
    for condition in &statement.conditions {
        let answer = holds(condition, asked, policy.variables);
        if answer == Truth::Yes || condition.key.eq_ignore_ascii_case("sts:ExternalId") {
            continue;
        }
        let values: Vec<&str> = condition.values.iter().map(|v| v.text.as_str()).collect();
        let mfa = condition
            .key
            .to_ascii_lowercase()
            .starts_with("aws:multifactorauth");
        let (severity, code) = match (mfa, answer, lets_in) {
            (true, Truth::No, _) => (Severity::Error, Code::TrustMfa),
            (false, Truth::No, _) => (Severity::Error, Code::TrustNotGranted),
            (_, Truth::Unknown | Truth::Yes, _) => (Severity::Warning, Code::TrustConditional),
        };
        let words = Words::new(
            match severity {
                Severity::Error => format!("`{}` keeps Sallyport out", shown(&condition.key)),
                _ => format!("`{}` may keep Sallyport out", shown(&condition.key)),
            },
            format!(
                "{} lets Sallyport in only if `{}` of `{}` holds with {}.{}",
                capital(&statement.name()),
                condition.operator,
                shown(&condition.key),
                listed(&values),
                match mfa {
                    true => " A service signs in without MFA, so it never holds.",
                    false => "",
                }
            ),
            match mfa {
                true => "Remove the condition. The external ID is what protects the role.",
                false => {
                    "Remove the condition, or ask Sallyport's operator for the value that holds."
                }
            },
        );
        notes.add_with(severity, code, &condition.place, words, patch());
    }
}

/// The trust policy as it should be.
pub fn right(expected: &Expected) -> Option<Patch> {
    let document = expected.right.trust_policy.clone()?;
    let role = expected.role.as_ref();
    Some(Patch {
        target: PatchTarget::TrustPolicy,
        operation: PatchOperation::Replace,
        cli: role.map(|role| {
            format!(
                "aws iam update-assume-role-policy --role-name {} --policy-document {}",
                escape::for_shell(role.name()),
                escape::for_shell(&escape::beyond('\u{7e}', &document.to_string()))
            )
        }),
        console: Some(match role {
            Some(role) => format!("IAM > Roles > {} > Trust relationships > Edit", role.name()),
            None => "IAM > Roles > the role > Trust relationships > Edit".to_owned(),
        }),
        document,
    })
}
