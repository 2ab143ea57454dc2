//! Policies of the bucket and of the key: who is let in, and what is denied to the role.

use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::condition::Operator;
use crate::domain::doctor::evaluate::{Granted, Verdict, judge};
use crate::domain::doctor::expected::{Expected, Need};
use crate::domain::doctor::finding::{DocumentKind, Notes, Severity, Words, listed};
use crate::domain::doctor::grammar::allowing;
use crate::domain::doctor::identity::denials;
use crate::domain::doctor::json::Node;
use crate::domain::doctor::pattern::{Truth, matches};
use crate::domain::doctor::policy::{Policy, Statement};
use crate::domain::files::file_operation::Target;
use crate::domain::invalid::shown;
use serde_json::json;

/// Looks at a bucket policy. In the role's own account it need not allow anything; in another it must.
pub fn bucket(root: &Node, policy: &Policy, expected: &Expected, notes: &mut [Notes]) {
    let needs: Vec<Need> = of_target(expected, &[Target::Bucket, Target::Objects]);
    let policies = std::slice::from_ref(policy);
    let judged = judged(policies, &needs, expected);
    denials(
        policies,
        &judged,
        DocumentKind::BucketPolicy,
        &[root],
        expected,
        notes,
    );
    let [notes] = notes else { return };
    for statement in &policy.statements {
        other_bucket(policy, statement, expected, notes);
    }
    open_principals(policy, "the bucket", notes);
    let cross_account = match (&expected.bucket_account, &expected.role) {
        (Some(owner), Some(role)) => owner != role.account(),
        _ => false,
    };
    if !cross_account {
        return;
    }
    let lacking: Vec<&str> = judged
        .iter()
        .filter(|(_, verdict)| verdict.granted != Granted::Yes)
        .map(|(need, _)| need.permission.action)
        .collect();
    if lacking.is_empty() {
        return;
    }
    let patch = expected.right.bucket_policy.clone().map(|document| Patch {
        target: PatchTarget::BucketPolicy,
        operation: PatchOperation::AddStatement,
        document,
        cli: None,
        console: Some("S3 > the bucket > Permissions > Bucket policy".into()),
    });
    let words = Words::new(
        format!(
            "{} {} not allowed by the bucket policy",
            listed(&lacking),
            is(&lacking)
        ),
        "The bucket belongs to another account than the role. Then both policies must allow an action: that of the role, and that of the bucket.",
        "Add the statements of Sallyport's bucket policy to it.",
    );
    notes.add_with(
        Severity::Error,
        Code::ActionNotGranted,
        &policy.place,
        words,
        patch,
    );
}

fn is(actions: &[&str]) -> &'static str {
    match actions {
        [_] => "is",
        _ => "are",
    }
}

fn of_target(expected: &Expected, targets: &[Target]) -> Vec<Need> {
    let mut needs = expected.needs();
    needs.retain(|need| targets.contains(&need.permission.on));
    needs
}

fn other_bucket(policy: &Policy, statement: &Statement, expected: &Expected, notes: &mut Notes) {
    let Some(bucket) = &expected.bucket else {
        return;
    };
    let Some(resources) = &statement.resources else {
        return;
    };
    for item in &resources.items {
        let name = match item.text.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["arn", _, "s3", _, _, resource] => resource.split('/').next().unwrap_or_default(),
            _ => continue,
        };
        if matches(name, bucket.as_str(), policy.variables) != Truth::No || name.contains('<') {
            continue;
        }
        let words = Words::new(
            format!("`{}` is not in this bucket", shown(&item.text)),
            format!(
                "A bucket policy is about its own bucket and the objects in it. S3 refuses one with the ARN of another. The connection's bucket is `{bucket}`."
            ),
            format!(
                "Write `arn:{}:s3:::{bucket}`, or with `/*` for its objects.",
                expected.partition
            ),
        );
        notes.add(Severity::Error, Code::OtherBucket, &item.place, words);
    }
}

/// Statements that let everybody in.
fn open_principals(policy: &Policy, what: &str, notes: &mut Notes) {
    for statement in allowing(policy) {
        let Some(principals) = statement.principals.as_ref().filter(|p| !p.negated) else {
            continue;
        };
        let Some(open) = principals
            .items
            .iter()
            .find(|p| p.item.text == "*" && ["*", "AWS"].contains(&p.kind.as_str()))
        else {
            continue;
        };
        // Keys that say who the caller is, or where it comes from, with values that are not everything.
        const NARROWS: [&str; 12] = [
            "aws:principalarn",
            "aws:principalaccount",
            "aws:principalorgid",
            "aws:principalorgpaths",
            "aws:sourcevpce",
            "aws:sourcevpc",
            "aws:sourceip",
            "aws:sourcearn",
            "aws:sourceaccount",
            "kms:calleraccount",
            "aws:userid",
            "aws:vpceaccount",
        ];
        let narrowed = statement.conditions.iter().any(|condition| {
            let positive = Operator::parse(&condition.operator).is_some_and(|o| {
                !o.negated
                    && !o.if_exists
                    && o.set != Some(crate::domain::doctor::condition::SetOperator::ForAllValues)
            });
            let everything = |value: &str| ["*", "0.0.0.0/0", "::/0"].contains(&value);
            NARROWS.contains(&condition.key.to_ascii_lowercase().as_str())
                && positive
                && !condition.values.iter().any(|value| everything(&value.text))
        });
        if narrowed {
            continue;
        }
        let words = Words::new(
            format!("Everybody may use {what}"),
            "The principal is `*`, and no condition says who is meant: that is everybody, also without signing in to AWS. Block Public Access refuses such a policy where it is on.",
            "Name the accounts or roles that are meant under `Principal`.",
        );
        notes.add(
            Severity::Security,
            Code::OpenPrincipal,
            &open.item.place,
            words,
        );
    }
}

/// What the policy says to each need of the role.
fn judged<'n>(
    policies: &[Policy],
    needs: &'n [Need],
    expected: &Expected,
) -> Vec<(&'n Need, Verdict)> {
    needs
        .iter()
        .map(|need| (need, judge(policies, need, expected.role.as_ref())))
        .collect()
}

/// Looks at a key policy. Unlike a bucket's, it must let the role in, or the account decide by its own policies.
pub fn key(root: &Node, policy: &Policy, expected: &Expected, notes: &mut [Notes]) {
    let needs = of_target(expected, &[Target::Key]);
    let policies = std::slice::from_ref(policy);
    let judged = judged(policies, &needs, expected);
    denials(
        policies,
        &judged,
        DocumentKind::KeyPolicy,
        &[root],
        expected,
        notes,
    );
    let [notes] = notes else { return };
    open_principals(policy, "the key", notes);
    let Some(role) = &expected.role else { return };
    let missing = |granted: &[Granted]| -> Vec<&str> {
        judged
            .iter()
            .filter(|(_, verdict)| granted.contains(&verdict.granted))
            .map(|(need, _)| need.permission.action)
            .collect()
    };
    let lacking = missing(&[Granted::No, Granted::ForSome]);
    let conditional = missing(&[Granted::Perhaps]);
    let near = judged
        .iter()
        .filter(|(need, _)| lacking.contains(&need.permission.action))
        .find_map(|(_, verdict)| verdict.near)
        .and_then(|(at, shortfall)| Some((policy.statements.get(at.statement)?, shortfall)));
    if !lacking.is_empty() {
        let patch = statement(&lacking, role);
        let (code, place, why) = match near {
            Some((statement, crate::domain::doctor::evaluate::Shortfall::Condition(n))) => {
                let condition = statement.conditions.get(n);
                (
                    Code::KeyConditional,
                    condition.map_or(&statement.place, |c| &c.place),
                    match condition {
                        Some(c) => format!(
                            "A statement allows it only if `{}` of `{}` holds with {}, which Sallyport's requests do not meet.",
                            c.operator,
                            shown(&c.key),
                            listed(&c.values.iter().map(|v| v.text.as_str()).collect::<Vec<_>>())
                        ),
                        None => String::new(),
                    },
                )
            }
            _ => (
                Code::KeyNotGranted,
                &policy.place,
                "No statement allows it to the role or to its account. The role's own policy alone is not enough for a key.".to_owned(),
            ),
        };
        let words = Words::new(
            format!(
                "The key policy does not allow {} to the role",
                listed(&lacking)
            ),
            why,
            "Add the statement to the key policy.",
        );
        notes.add_with(Severity::Error, code, place, words, Some(patch));
    } else if !conditional.is_empty() {
        let words = Words::new(
            format!(
                "The key policy allows {} under a condition",
                listed(&conditional)
            ),
            "Whether the condition holds for Sallyport's requests is not known here.",
            "Make sure that it holds for requests of the role by way of S3, or add the statement.",
        );
        let patch = statement(&conditional, role);
        notes.add_with(
            Severity::Warning,
            Code::KeyConditional,
            &policy.place,
            words,
            Some(patch),
        );
    } else if !judged.is_empty() {
        delegated(policy, role, notes);
    }
}

/// Says where the account, and not the role, is what lets the role in.
fn delegated(policy: &Policy, role: &RoleArn, notes: &mut Notes) {
    let by_role = allowing(policy).any(|statement| {
        statement
            .principals
            .iter()
            .flat_map(|p| &p.items)
            .any(|p| p.item.text == role.as_str())
    });
    let account = allowing(policy).find(|statement| {
        let items = statement.principals.iter().flat_map(|p| &p.items);
        items.into_iter().any(|p| {
            let text = p.item.text.as_str();
            text == role.account().as_str() || text.ends_with(&format!("::{}:root", role.account()))
        })
    });
    if let Some(statement) = account.filter(|_| !by_role) {
        let words = Words::new(
            "The key policy leaves the decision to the role's own policy",
            format!(
                "The key is open to the account `{}`, so the role needs the actions of KMS in its permission policy.",
                role.account()
            ),
            "Nothing is to be changed here. Look at the permission policy too.",
        );
        notes.add(Severity::Note, Code::KeyDelegated, &statement.place, words);
    }
}

fn statement(actions: &[&str], role: &RoleArn) -> Patch {
    Patch {
        target: PatchTarget::KeyPolicy,
        operation: PatchOperation::AddStatement,
        document: json!({
            "Effect": "Allow",
            "Principal": {"AWS": role.as_str()},
            "Action": actions,
            // In a key policy this is the key itself.
            "Resource": "*",
        }),
        cli: None,
        console: Some("KMS > the key > Key policy > Edit".into()),
    }
}
