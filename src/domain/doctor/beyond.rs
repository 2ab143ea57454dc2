//! What a permission policy grants beyond what the access needs.

use crate::domain::doctor::actions;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::condition::all_hold;
use crate::domain::doctor::evaluate::{concerns, reaches};
use crate::domain::doctor::expected::{Expected, Sample};
use crate::domain::doctor::finding::{Notes, Severity, Words, listed};
use crate::domain::doctor::grammar::allowing;
use crate::domain::doctor::pattern::{Truth, is_wild, matches};
use crate::domain::doctor::policy::{Policy, Statement};
use crate::domain::files::file_operation::PERMISSIONS;
use std::collections::BTreeSet;

pub fn look(policy: &Policy, expected: &Expected, notes: &mut Notes) {
    for statement in allowing(policy) {
        if notes.is_full() {
            return;
        }
        services(statement, notes);
        let unneeded = actions_beyond(statement, expected, notes);
        buckets(policy, statement, expected, notes);
        prefix(policy, statement, expected, notes);
        keys(statement, expected, unneeded, notes);
    }
}

fn services(statement: &Statement, notes: &mut Notes) {
    if statement.actions.negated {
        return;
    }
    let others: Vec<&str> = statement
        .actions
        .items
        .iter()
        .map(|item| item.text.as_str())
        .filter(|text| {
            let service = text
                .split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let known = ["s3", "kms"].contains(&service.as_str());
            !known && (text.contains(':') || *text == "*")
        })
        .collect();
    if others.is_empty() {
        return;
    }
    let words = Words::new(
        match others.contains(&"*") {
            true => "Every action of every service is allowed".to_owned(),
            false => format!(
                "{} {} of other services",
                listed(&others),
                match others.len() {
                    1 => "is",
                    _ => "are",
                }
            ),
        },
        "Sallyport uses S3, and KMS where a key encrypts the bucket. Its own sessions are limited to the bucket and the prefix, but the policy lets the role do this for everybody who may assume it.",
        "Remove these actions, or give them to another role.",
    );
    notes.add(
        Severity::Security,
        Code::GrantsOtherServices,
        &statement.actions.place,
        words,
    );
}

/// Actions of S3 that are allowed and not needed. True where there are any of KMS.
fn actions_beyond(statement: &Statement, expected: &Expected, notes: &mut Notes) -> bool {
    let all = statement.actions.items.iter().any(|item| {
        let text = item.text.to_ascii_lowercase();
        text == "s3:*" || text == "s3*" || text == "s3:**"
    });
    if all && !statement.actions.negated {
        let words = Words::new(
            "Every action of S3 is allowed",
            "That has deleting the bucket, its policy and its protection in it. Sallyport needs a few actions on files only.",
            "List the actions that the document of Sallyport has.",
        );
        notes.add(
            Severity::Security,
            Code::GrantsAllOfS3,
            &statement.actions.place,
            words,
        );
        return false;
    }
    if statement.actions.negated || statement.actions.items.iter().any(|item| item.text == "*") {
        return false;
    }
    let row = |name: &str| PERMISSIONS.iter().find(|row| row.permission.action == name);
    let needed = |name: &str| row(name).is_some_and(|row| row.in_documents(expected.grants));
    let known = |name: &str| row(name).is_some();
    let (mut administration, mut writing, mut unneeded) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_kms = false;
    for action in actions::all().filter(|action| concerns(&statement.actions, action.name)) {
        let name = action.name;
        let writes = [
            "s3:Put",
            "s3:Delete",
            "s3:Abort",
            "s3:Restore",
            "s3:Replicate",
        ];
        if needed(name) {
            continue;
        }
        if action.service() == "kms" {
            of_kms = true;
        } else if actions::is_administration(name) {
            administration.push(name);
        } else if !expected.grants.writes() && writes.iter().any(|verb| name.starts_with(verb)) {
            writing.push(name);
        } else if action.service() == "s3" && (!known(name) || name == "s3:ListAllMyBuckets") {
            unneeded.push(name);
        }
    }
    let place = &statement.actions.place;
    if !administration.is_empty() {
        let words = Words::new(
            "The bucket itself may be changed",
            format!(
                "{} change the bucket, its protection, or who may use it. Sallyport never does that.",
                listed(&administration)
            ),
            "Remove these actions.",
        );
        notes.add(Severity::Security, Code::GrantsAdministration, place, words);
    }
    if !writing.is_empty() {
        let words = Words::new(
            "Writing is allowed, where reading is asked for",
            format!(
                "The connection has read access. {} are not needed for it.",
                listed(&writing)
            ),
            "Remove these actions, or choose read and write access in Sallyport.",
        );
        notes.add(Severity::Security, Code::GrantsWriting, place, words);
    }
    if !unneeded.is_empty() {
        let words = Words::new(
            "Actions are allowed that Sallyport does not need",
            format!(
                "{} {} not needed.",
                listed(&unneeded),
                match unneeded.len() {
                    1 => "is",
                    _ => "are",
                }
            ),
            "Remove them, unless somebody else uses the role.",
        );
        notes.add(Severity::Note, Code::GrantsUnneeded, place, words);
    }
    of_kms
}

/// Whether the statement is about any action on buckets or objects.
fn is_about_files(statement: &Statement) -> bool {
    actions::all()
        .filter(|action| action.applies_to_buckets() || action.applies_to_objects())
        .any(|action| concerns(&statement.actions, action.name))
}

fn buckets(policy: &Policy, statement: &Statement, expected: &Expected, notes: &mut Notes) {
    let (Some(bucket), Some(resources)) = (&expected.bucket, &statement.resources) else {
        return;
    };
    if resources.negated || !is_about_files(statement) {
        return;
    }
    let others: Vec<&crate::domain::doctor::policy::Item> = resources
        .items
        .iter()
        .filter(|item| {
            let name = match item.text.splitn(6, ':').collect::<Vec<_>>()[..] {
                ["arn", _, "s3", "", "", resource] => {
                    resource.split('/').next().unwrap_or_default().to_owned()
                }
                _ => return item.text == "*",
            };
            let own = !is_wild(&name, policy.variables)
                && matches(&name, bucket.as_str(), policy.variables) == Truth::Yes;
            !own && !name.contains("${") && !name.contains('<')
        })
        .collect();
    let Some(first) = others.first() else { return };
    let named: Vec<&str> = others.iter().map(|item| item.text.as_str()).collect();
    let words = Words::new(
        "Other buckets are within reach",
        format!(
            "{} reaches buckets besides `{bucket}`. Sallyport's own sessions are limited to the connection's bucket, but the role is not.",
            listed(&named)
        ),
        format!(
            "Name `arn:{}:s3:::{bucket}` and what is in it only.",
            expected.partition
        ),
    );
    notes.add(
        Severity::Security,
        Code::GrantsOtherBuckets,
        &first.place,
        words,
    );
}

fn prefix(policy: &Policy, statement: &Statement, expected: &Expected, notes: &mut Notes) {
    let (Some(bucket), Some(resources)) = (&expected.bucket, &statement.resources) else {
        return;
    };
    if expected.prefix.is_whole_bucket() {
        return;
    }
    let prefix = expected.prefix.as_str();
    // A neighbour whose name begins alike, and something else.
    let neighbour = format!("{}-q7/", prefix.trim_end_matches('/'));
    let outside = [neighbour.as_str(), "q7-elsewhere/", ""];
    let on_objects = actions::all()
        .filter(|action| action.applies_to_objects())
        .any(|action| concerns(&statement.actions, action.name));
    let reached = |sample: &Sample| {
        reaches(resources, &sample.resource, policy.variables).and(all_hold(
            &statement.conditions,
            &sample.context,
            policy.variables,
        )) == Truth::Yes
    };
    let found = outside
        .iter()
        .flat_map(|other| expected.object_samples(bucket, other))
        .find(|sample| on_objects && reached(sample));
    if let Some(sample) = found {
        let words = Words::new(
            "Files outside the prefix are within reach",
            format!(
                "The connection's prefix is `{prefix}`, and the statement allows `{}` too. Sallyport's own sessions are limited to the prefix, but the role is not.",
                sample.resource
            ),
            format!(
                "Write the `Resource` with the prefix: `{}`.",
                expected
                    .resource(crate::domain::files::file_operation::Target::Objects)
                    .unwrap_or_default()
            ),
        );
        notes.add(
            Severity::Security,
            Code::GrantsOutsidePrefix,
            &resources.place,
            words,
        );
    }
    let needs = expected.needs();
    let lists = needs
        .iter()
        .filter(|need| need.permission.action.starts_with("s3:ListBucket"))
        .filter(|need| concerns(&statement.actions, need.permission.action));
    let free = lists.flat_map(|need| &need.samples).find(|sample| {
        outside.iter().any(|other| {
            let mut sample = (*sample).clone();
            sample.context.set("s3:prefix", *other);
            reached(&sample)
        })
    });
    if free.is_some() {
        let words = Words::new(
            "Names of files outside the prefix can be listed",
            format!(
                "The connection's prefix is `{prefix}`, and the statement allows listings of the whole bucket."
            ),
            "Add the condition of Sallyport's document: `StringLike` of `s3:prefix` with the prefix and `*`.",
        );
        notes.add(
            Severity::Security,
            Code::ListsOutsidePrefix,
            &statement.actions.place,
            words,
        );
    }
}

fn keys(statement: &Statement, expected: &Expected, others: bool, notes: &mut Notes) {
    let Some(resources) = &statement.resources else {
        return;
    };
    let of_kms: BTreeSet<&str> = actions::all()
        .filter(|action| action.service() == "kms" && concerns(&statement.actions, action.name))
        .map(|action| action.name)
        .collect();
    let about_keys = |text: &str| text == "*" || text.contains(":kms:");
    let reaches_keys =
        resources.negated || resources.items.iter().any(|item| about_keys(&item.text));
    if of_kms.is_empty() || statement.actions.negated || !reaches_keys {
        return;
    }
    let wide = resources
        .items
        .iter()
        .find(|item| item.text == "*" || (item.text.contains(":kms:") && item.text.contains('*')));
    let by_service = statement
        .conditions
        .iter()
        .any(|condition| condition.key.eq_ignore_ascii_case("kms:ViaService"));
    if let Some(item) = wide.filter(|_| !by_service) {
        let words = Words::new(
            "Other KMS keys are within reach",
            format!(
                "The statement allows {} on every key whose own policy permits it.",
                listed(&of_kms.iter().collect::<Vec<_>>())
            ),
            "Name the ARN of the key that encrypts the bucket.",
        );
        notes.add(
            Severity::Security,
            Code::GrantsOtherKeys,
            &item.place,
            words,
        );
    } else if others || expected.kms_key.is_none() {
        let words = Words::new(
            "Actions of KMS are allowed that Sallyport does not need",
            match &expected.kms_key {
                Some(_) => "It needs `kms:Decrypt`, and `kms:GenerateDataKey` for writing.".to_owned(),
                None => "The connection has no KMS key in its settings, so Sallyport's sessions use none. If the bucket is encrypted with a key, enter it.".to_owned(),
            },
            "Remove what is not needed, or enter the key's ARN in Sallyport.",
        );
        notes.add(
            Severity::Note,
            Code::GrantsUnneeded,
            &statement.actions.place,
            words,
        );
    }
}
