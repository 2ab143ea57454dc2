//! The policy doctor: reads documents that somebody has, compares them with what a connection needs, and says what
//! is wrong, where, and what to change. Pure: text in, findings out.
//!
//! Policies are evaluated as IAM does, by what is known of Sallyport's requests. What is not known is never
//! guessed: then the finding says on what it depends.

mod actions;
mod arns;
mod beyond;
pub mod code;
mod condition;
mod conditions;
mod cors;
mod denial;
mod evaluate;
pub mod expected;
mod external_id;
pub mod finding;
mod grammar;
mod identity;
pub mod json;
mod pattern;
mod policy;
pub mod recognise;
mod resource;
mod statements;
mod trust;

use crate::domain::doctor::code::Code;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{DocumentKind, Finding, Notes, Place, Severity, Words};
use crate::domain::doctor::json::{Fault, FaultKind, Node};
use crate::domain::doctor::policy::Policy;
use crate::domain::invalid::shown;

/// A document, as somebody pasted it.
#[derive(Debug, Clone)]
pub struct Pasted {
    pub kind: DocumentKind,
    pub text: String,
}

/// The largest document that is read, in bytes: twice what AWS takes of the largest policy. A CORS configuration
/// may have 64 KB.
pub const LARGEST: usize = 64 << 10;

/// Everything that is wrong with these documents, in their order. Several of one kind are looked at together where
/// AWS does so: the permission policies of a role.
pub fn examine(documents: &[Pasted], expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in DocumentKind::ALL {
        let texts: Vec<&str> = documents
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| document.text.as_str())
            .collect();
        if !texts.is_empty() {
            of_kind(kind, &texts, expected, &mut findings);
        }
    }
    findings
}

/// The worst severity among findings; None where there is none.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

fn of_kind(kind: DocumentKind, texts: &[&str], expected: &Expected, findings: &mut Vec<Finding>) {
    let mut notes: Vec<Notes> = (0..texts.len())
        .map(|number| Notes::new(kind, number))
        .collect();
    let mut roots = Vec::new();
    for (text, notes) in texts.iter().zip(&mut notes) {
        roots.push(root(kind, text, expected, notes));
    }
    if kind == DocumentKind::Cors {
        for (root, notes) in roots.iter().zip(&mut notes) {
            if let Some(root) = root {
                cors::look(root, expected, notes);
            }
        }
    } else {
        policies(kind, &roots, expected, &mut notes);
    }
    for notes in notes {
        findings.extend(notes.into_findings());
    }
}

fn policies(kind: DocumentKind, roots: &[Option<Node>], expected: &Expected, notes: &mut [Notes]) {
    let empty = || Policy {
        statements: Vec::new(),
        variables: false,
        place: Place::whole(),
    };
    let policies: Vec<Policy> = roots
        .iter()
        .map(|root| root.as_ref().map_or_else(empty, Policy::of))
        .collect();
    for ((root, policy), notes) in roots.iter().zip(&policies).zip(notes.iter_mut()) {
        if let Some(root) = root {
            grammar::look(kind, root, policy, expected, notes);
        }
    }
    // One that cannot be read may hold what the others lack: nothing is said about it.
    if roots.iter().any(Option::is_none) {
        return;
    }
    if expected.bucket.is_none() && kind != DocumentKind::TrustPolicy {
        unknown_settings("the bucket", &mut notes[..1]);
    }
    match kind {
        DocumentKind::PermissionPolicy => {
            identity::look(&policies, expected, notes);
            for (policy, notes) in policies.iter().zip(notes.iter_mut()) {
                beyond::look(policy, expected, notes);
            }
        }
        DocumentKind::TrustPolicy => {
            if expected.principal.is_none() || expected.external_id.is_none() {
                unknown_settings("Sallyport's principal or the external ID", &mut notes[..1]);
            }
            for (policy, notes) in policies.iter().zip(notes.iter_mut()) {
                trust::look(policy, expected, notes);
            }
        }
        DocumentKind::BucketPolicy | DocumentKind::KeyPolicy => {
            let look = match kind {
                DocumentKind::BucketPolicy => resource::bucket,
                _ => resource::key,
            };
            if expected.role.is_none() {
                unknown_settings("the role", &mut notes[..1]);
            }
            for (number, (root, policy)) in roots.iter().zip(&policies).enumerate() {
                if let Some(root) = root {
                    look(root, policy, expected, &mut notes[number..=number]);
                }
            }
        }
        DocumentKind::Cors => {}
    }
}

fn unknown_settings(what: &str, notes: &mut [Notes]) {
    let words = Words::new(
        "A part was not compared",
        format!(
            "{what} is not known yet, so the document was looked at by itself only.",
            what = identity::capital(what)
        ),
        "Fill in the settings, and look again.",
    );
    for notes in notes {
        let words = Words::new(
            words.title.clone(),
            words.explanation.clone(),
            words.remedy.clone(),
        );
        notes.add(
            Severity::Note,
            Code::SettingsMissing,
            &Place::whole(),
            words,
        );
    }
}

/// Reads a text, and reports what AWS's readers would not take.
fn root(kind: DocumentKind, text: &str, expected: &Expected, notes: &mut Notes) -> Option<Node> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let words = Words::new(
            "The document is empty",
            "There is nothing to look at.",
            "Paste the document, or leave it out.",
        );
        notes.add(Severity::Error, Code::Empty, &Place::whole(), words);
        return None;
    }
    if kind == DocumentKind::Cors && cors::is_xml(text) {
        cors::xml(expected, notes);
        return None;
    }
    let read = json::read(text);
    for fault in &read.faults {
        self::fault(fault, notes);
    }
    grammar::size(kind, text, read.length, notes);
    grammar::characters(kind, text, notes);
    let root = read.root?;
    let seen = recognise::kind_of(&root);
    let is_other = match (kind, seen) {
        (DocumentKind::Cors, Some(seen)) => seen != DocumentKind::Cors,
        (_, Some(DocumentKind::Cors)) => true,
        (DocumentKind::PermissionPolicy, Some(seen)) => seen == DocumentKind::TrustPolicy,
        (DocumentKind::TrustPolicy, Some(seen)) => seen == DocumentKind::PermissionPolicy,
        (_, Some(_)) | (_, None) => false,
    };
    if let Some(seen) = seen.filter(|_| is_other) {
        let words = Words::new(
            format!("This looks like {}", seen.words()),
            format!("It stands where {} is to be.", kind.words()),
            "Paste each document into its own place.",
        );
        notes.add(Severity::Error, Code::WrongDocument, &Place::whole(), words);
        return None;
    }
    Some(root)
}

fn fault(fault: &Fault, notes: &mut Notes) {
    let place = Place {
        path: fault.path.clone(),
        at: fault.at,
    };
    let (code, words) = match &fault.kind {
        FaultKind::ByteOrderMark => (
            Code::ByteOrderMark,
            Words::new(
                "The text begins with a byte order mark",
                "Some editors write it, and it cannot be seen. AWS refuses a policy that begins with it.",
                "Save the file as UTF-8 without a byte order mark.",
            ),
        ),
        FaultKind::Comment => (
            Code::Comment,
            Words::new(
                "JSON has no comments",
                "AWS refuses a document with a comment.",
                "Remove the comment.",
            ),
        ),
        FaultKind::TrailingComma => (
            Code::TrailingComma,
            Words::new(
                "There is a comma before a closing bracket",
                "JSON has no comma after the last value, and AWS refuses it.",
                "Remove the comma.",
            ),
        ),
        FaultKind::DuplicateName(name) => (
            Code::DuplicateName,
            Words::new(
                format!("`{}` is there twice", shown(name)),
                "An object has each name once. AWS refuses a policy with a name that is there twice, and other readers take the last alone.",
                "Join the two into one.",
            ),
        ),
        FaultKind::Broken(what) => (
            Code::BrokenJson,
            Words::new(
                "The document is not JSON",
                what.clone(),
                "Correct this place. What follows it was not read.",
            ),
        ),
    };
    notes.add(Severity::Error, code, &place, words);
}
