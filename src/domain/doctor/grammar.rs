//! The grammar of policies: what AWS refuses, and what it accepts and never means.
//!
//! Sources: IAM user guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements reference" and
//! "IAM and AWS STS quotas"; S3 user guide, "Bucket policies"; KMS developer guide, "Resource quotas".

use crate::domain::doctor::arns;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::conditions;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{DocumentKind, Notes, Place, Severity, Words, listed};
use crate::domain::doctor::json::{Node, Value, segment};
use crate::domain::doctor::pattern::{nearest, variables};
use crate::domain::doctor::policy::{Effect, Policy, each};
use crate::domain::doctor::statements;
use crate::domain::invalid::shown;
use std::collections::BTreeMap;

const ELEMENTS: [&str; 10] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Id",
];

/// Reports what is wrong with a policy, whatever it is needed for.
pub fn look(
    kind: DocumentKind,
    root: &Node,
    policy: &Policy,
    expected: &Expected,
    notes: &mut Notes,
) {
    let Value::Object(members) = &root.value else {
        let place = Place {
            path: String::new(),
            at: root.at,
        };
        wrong_shape(notes, &place, "A policy is an object in braces.");
        return;
    };
    for member in members {
        let place = Place {
            path: segment(&member.name),
            at: member.name_at,
        };
        if !["Version", "Id", "Statement"].contains(&member.name.as_str()) {
            unknown_element(notes, &place, &member.name, &["Version", "Id", "Statement"]);
        }
    }
    version(kind, root, notes);
    let Some(list) = root.get("Statement") else {
        let place = Place {
            path: String::new(),
            at: root.at,
        };
        missing(
            notes,
            &place,
            "Statement",
            "A policy without statements allows nothing.",
        );
        return;
    };
    let nodes = each(list, "/Statement");
    if nodes.is_empty() {
        let place = Place {
            path: "/Statement".into(),
            at: list.at,
        };
        missing(
            notes,
            &place,
            "Statement",
            "The list of statements is empty.",
        );
    }
    for (node, path) in &nodes {
        if notes.is_full() {
            return;
        }
        statement(kind, node, path, notes);
    }
    sids(kind, &nodes, notes);
    arns::look(kind, policy, expected, notes);
    statements::look(kind, policy, notes);
    conditions::look(policy, notes);
}

fn wrong_shape(notes: &mut Notes, place: &Place, words: &str) {
    let words = Words::new(
        "This is not the form of a policy",
        words,
        "Compare it with the document that Sallyport shows, and correct it.",
    );
    notes.add(Severity::Error, Code::WrongShape, place, words);
}

fn unknown_element(notes: &mut Notes, place: &Place, name: &str, known: &[&str]) {
    let meant = nearest(name, known.iter().copied());
    let words = Words::new(
        format!("`{}` is no element of a policy", shown(name)),
        "AWS refuses a policy with an element that it does not know. Names are compared with their letter case.",
        match meant {
            Some(meant) => format!("Write `{meant}`."),
            None => "Remove it.".to_owned(),
        },
    );
    notes.add(Severity::Error, Code::UnknownElement, place, words);
}

fn missing(notes: &mut Notes, place: &Place, name: &str, words: &str) {
    let words = Words::new(
        format!("`{name}` is missing"),
        words,
        format!("Add `{name}`, as in the document that Sallyport shows."),
    );
    notes.add(Severity::Error, Code::MissingElement, place, words);
}

fn version(kind: DocumentKind, root: &Node, notes: &mut Notes) {
    let node = root.get("Version");
    let place = Place {
        path: node.map_or(String::new(), |_| "/Version".to_owned()),
        at: node.map_or(root.at, |node| node.at),
    };
    let text = node.map(|node| node.text().unwrap_or_default());
    match text {
        Some("2012-10-17") => {}
        Some("2008-10-17") | None => {
            let what = match text {
                Some(_) => "`Version` is 2008-10-17",
                None => "`Version` is not there, which means 2008-10-17",
            };
            let explanation = match kind {
                DocumentKind::PermissionPolicy => {
                    "IAM refuses a customer-managed policy of this version. An inline policy may have it; policy variables and the escapes `${*}`, `${?}` and `${$}` are plain text in it then."
                }
                DocumentKind::TrustPolicy => {
                    "A trust policy may have this version. Policy variables are plain text in it."
                }
                DocumentKind::BucketPolicy | DocumentKind::KeyPolicy => {
                    "A policy of a bucket or key may have this version. Policy variables are plain text in it."
                }
                DocumentKind::Cors => return,
            };
            let severity = match kind {
                DocumentKind::PermissionPolicy => Severity::Warning,
                DocumentKind::TrustPolicy
                | DocumentKind::BucketPolicy
                | DocumentKind::KeyPolicy
                | DocumentKind::Cors => Severity::Note,
            };
            let words = Words::new(what, explanation, "Write `\"Version\": \"2012-10-17\"`.");
            notes.add(severity, Code::VersionOld, &place, words);
        }
        Some(other) => {
            let words = Words::new(
                format!("`{}` is no version of the policy language", shown(other)),
                "`Version` is not the date of the document. AWS knows 2012-10-17 and 2008-10-17, and refuses a policy with another.",
                "Write `\"Version\": \"2012-10-17\"`.",
            );
            notes.add(Severity::Error, Code::VersionUnknown, &place, words);
        }
    }
    if matches!(text, Some("2008-10-17") | None) {
        plain_variables(root, "", notes);
    }
}

/// Texts with `${…}` in a policy of version 2008-10-17, where they are plain text.
fn plain_variables(node: &Node, path: &str, notes: &mut Notes) {
    match &node.value {
        Value::Text(text) if text.contains("${") && text.contains('}') => {
            let place = Place {
                path: path.to_owned(),
                at: node.at,
            };
            let named = variables(text);
            // Otherwise it is the placeholder of a shell, in any version.
            if !named.is_empty() && !named.iter().any(|name| name.contains(':')) {
                return;
            }
            let words = Words::new(
                "A policy variable is plain text here",
                format!(
                    "{} is a variable or an escape of version 2012-10-17. In this version it is plain text, so it matches nothing that exists.",
                    match named.is_empty() {
                        true => "The text".to_owned(),
                        false => listed(&named),
                    }
                ),
                "Write `\"Version\": \"2012-10-17\"`.",
            );
            notes.add(Severity::Error, Code::VariablesNeedVersion, &place, words);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                plain_variables(item, &format!("{path}/{index}"), notes);
            }
        }
        Value::Object(members) => {
            for member in members {
                let path = format!("{path}{}", segment(&member.name));
                plain_variables(&member.value, &path, notes);
            }
        }
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn statement(kind: DocumentKind, node: &Node, path: &str, notes: &mut Notes) {
    let place = Place {
        path: path.to_owned(),
        at: node.at,
    };
    let Value::Object(members) = &node.value else {
        wrong_shape(notes, &place, "A statement is an object in braces.");
        return;
    };
    for member in members {
        let at = Place {
            path: format!("{path}{}", segment(&member.name)),
            at: member.name_at,
        };
        let name = member.name.as_str();
        if !ELEMENTS.contains(&name) || name == "Id" {
            unknown_element(notes, &at, name, &ELEMENTS[..9]);
        }
        let prohibited = match kind {
            DocumentKind::PermissionPolicy => ["Principal", "NotPrincipal"].contains(&name),
            DocumentKind::TrustPolicy => ["Resource", "NotResource"].contains(&name),
            DocumentKind::BucketPolicy | DocumentKind::KeyPolicy | DocumentKind::Cors => false,
        };
        if prohibited {
            let words = Words::new(
                format!("{} has no `{name}`", capital(kind)),
                match kind {
                    DocumentKind::TrustPolicy => {
                        "A trust policy is about the role that it belongs to. IAM refuses it with a resource."
                    }
                    _ => {
                        "A policy of a role or user applies to the identity that it is attached to. IAM refuses it with a principal; this may be a bucket policy, or a trust policy."
                    }
                },
                format!("Remove `{name}`."),
            );
            notes.add(Severity::Error, Code::ElementNotAllowed, &at, words);
        }
        let value_at = Place {
            path: at.path.clone(),
            at: member.value.at,
        };
        shape(name, &member.value, &value_at, notes);
    }
    pair(node, &place, "Action", "NotAction", true, notes);
    let with_resource = kind != DocumentKind::TrustPolicy;
    pair(
        node,
        &place,
        "Resource",
        "NotResource",
        with_resource,
        notes,
    );
    let with_principal = kind != DocumentKind::PermissionPolicy;
    pair(
        node,
        &place,
        "Principal",
        "NotPrincipal",
        with_principal,
        notes,
    );
    if node.get("Effect").is_none() {
        missing(
            notes,
            &place,
            "Effect",
            "Each statement says `Allow` or `Deny`.",
        );
    }
}

fn capital(kind: DocumentKind) -> String {
    crate::domain::doctor::identity::capital(kind.words())
}

/// One of two elements must be there, and not both.
fn pair(node: &Node, place: &Place, name: &str, not_name: &str, needed: bool, notes: &mut Notes) {
    match (node.get(name), node.get(not_name)) {
        (Some(_), Some(other)) => {
            let place = Place {
                path: format!("{}/{not_name}", place.path),
                at: other.at,
            };
            let words = format!("A statement has `{name}` or `{not_name}`, not both.");
            wrong_shape(notes, &place, &words);
        }
        (None, None) if needed => {
            let words = format!("AWS refuses a statement without `{name}`.");
            missing(notes, place, name, &words);
        }
        (None, None) | (Some(_), None) | (None, Some(_)) => {}
    }
}

/// Whether an element's value is of its form.
fn shape(name: &str, value: &Node, place: &Place, notes: &mut Notes) {
    match name {
        "Effect" => {
            let text = value.text().unwrap_or_default();
            if !["Allow", "Deny"].contains(&text) {
                let words = Words::new(
                    format!("`{}` is no effect", shown(text)),
                    "AWS knows `Allow` and `Deny`, in this letter case, and refuses the policy with another.",
                    match nearest(text, ["Allow", "Deny"]) {
                        Some(meant) => format!("Write `{meant}`."),
                        None => "Write `Allow` or `Deny`.".to_owned(),
                    },
                );
                notes.add(Severity::Error, Code::EffectUnknown, place, words);
            }
        }
        "Action" | "NotAction" | "Resource" | "NotResource" => {
            texts(name, value, place, notes);
        }
        "Sid" if value.text().is_none() => wrong_shape(notes, place, "A `Sid` is a text."),
        "Principal" | "NotPrincipal" => match &value.value {
            Value::Object(members) => {
                const KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];
                for member in members {
                    let at = Place {
                        path: format!("{}{}", place.path, segment(&member.name)),
                        at: member.name_at,
                    };
                    if !KINDS.contains(&member.name.as_str()) {
                        unknown_element(notes, &at, &member.name, &KINDS);
                    }
                    texts(&member.name, &member.value, &at, notes);
                }
            }
            Value::Text(text) if text == "*" => {}
            Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) => {
                wrong_shape(
                    notes,
                    place,
                    "A principal is `\"*\"`, or an object like `{\"AWS\": \"arn:…\"}`.",
                );
            }
        },
        "Condition" => {
            let is_object = |node: &Node| matches!(node.value, Value::Object(_));
            let whole = is_object(value) && value.members().iter().all(|m| is_object(&m.value));
            if !whole {
                wrong_shape(
                    notes,
                    place,
                    "A condition is an object of operators, each an object of keys.",
                );
            }
        }
        _ => {}
    }
}

fn texts(name: &str, value: &Node, place: &Place, notes: &mut Notes) {
    let items = each(value, &place.path);
    if items.is_empty() {
        let words = format!(
            "The list of `{}` is empty, and the statement is about nothing.",
            shown(name)
        );
        wrong_shape(notes, place, &words);
    }
    for (item, path) in items {
        if item.text().is_none() {
            let at = Place { path, at: item.at };
            let words = format!("`{}` has texts only.", shown(name));
            wrong_shape(notes, &at, &words);
        }
    }
}

fn sids(kind: DocumentKind, nodes: &[(&Node, String)], notes: &mut Notes) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (node, path) in nodes {
        let Some(sid) = node.get("Sid") else { continue };
        let Some(text) = sid.text().filter(|text| !text.is_empty()) else {
            continue;
        };
        let place = Place {
            path: format!("{path}/Sid"),
            at: sid.at,
        };
        if let Some(line) = seen.insert(text, sid.at.line) {
            let words = Words::new(
                format!("The `Sid` `{}` is there twice", shown(text)),
                format!(
                    "It is in line {line} too. AWS refuses a policy that has a statement ID twice."
                ),
                "Give one of the statements another `Sid`, or none.",
            );
            notes.add(Severity::Error, Code::SidDuplicate, &place, words);
        }
        let of_iam = matches!(
            kind,
            DocumentKind::PermissionPolicy | DocumentKind::TrustPolicy
        );
        if of_iam && !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let words = Words::new(
                format!(
                    "The `Sid` `{}` has characters that IAM refuses",
                    shown(text)
                ),
                "In a policy of IAM a `Sid` has letters A–Z, a–z and digits only: no blanks, hyphens or underscores.",
                format!(
                    "Write `{}`, or leave the `Sid` out.",
                    text.chars()
                        .filter(char::is_ascii_alphanumeric)
                        .collect::<String>()
                ),
            );
            notes.add(Severity::Error, Code::SidCharacters, &place, words);
        }
    }
}

/// Whether the document fits where AWS keeps it. `text` is the whole document, `counted` its length without white
/// space between values.
pub fn size(kind: DocumentKind, text: &str, counted: usize, notes: &mut Notes) {
    let (length, small, most, unit, small_place) = match kind {
        DocumentKind::PermissionPolicy => (
            counted,
            6_144,
            10_240,
            "characters without white space",
            "a customer-managed policy; a role's inline policies may have 10,240 together",
        ),
        DocumentKind::TrustPolicy => (
            counted,
            2_048,
            4_096,
            "characters without white space",
            "a trust policy, unless the account's quota was raised to 4,096",
        ),
        DocumentKind::BucketPolicy => (text.len(), 20_480, 20_480, "bytes", "a bucket policy"),
        DocumentKind::KeyPolicy => (text.len(), 32_768, 32_768, "bytes", "a key policy"),
        DocumentKind::Cors => (text.len(), 65_536, 65_536, "bytes", "a CORS configuration"),
    };
    let (severity, code) = if length > most {
        (Severity::Error, Code::TooLarge)
    } else if length > small {
        (Severity::Warning, Code::NearlyTooLarge)
    } else {
        return;
    };
    let words = Words::new(
        format!("The document has {length} {unit}"),
        format!("AWS takes at most {small} of {small_place}."),
        "Make it smaller: join statements that allow the same, use wildcards, or divide it into several policies.",
    );
    notes.add(severity, code, &Place::whole(), words);
}

/// IAM takes a part of the characters only, unless they are written as escapes.
pub fn characters(kind: DocumentKind, text: &str, notes: &mut Notes) {
    if !matches!(
        kind,
        DocumentKind::PermissionPolicy | DocumentKind::TrustPolicy
    ) {
        return;
    }
    for (line, content) in text.lines().enumerate() {
        let content = content
            .strip_prefix('\u{feff}')
            .filter(|_| line == 0)
            .unwrap_or(content);
        let Some((column, odd)) = content.chars().enumerate().find(|(_, c)| {
            *c > '\u{ff}' || (*c < ' ' && !matches!(c, '\t' | '\r')) || *c == '\u{7f}'
        }) else {
            continue;
        };
        let place = Place {
            path: String::new(),
            at: crate::domain::doctor::json::Position {
                line: line + 1,
                column: column + 1,
            },
        };
        let words = Words::new(
            format!(
                "IAM refuses the character `{}` as it is",
                odd.escape_debug()
            ),
            "A policy of IAM has characters from U+0020 to U+00FF, tabs and line ends.",
            format!("Write it as an escape of JSON: `{}`.", {
                let mut units = [0; 2];
                odd.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect::<String>()
            }),
        );
        notes.add(Severity::Error, Code::CharacterRefused, &place, words);
    }
}

/// Statements that allow.
pub fn allowing(
    policy: &Policy,
) -> impl Iterator<Item = &crate::domain::doctor::policy::Statement> {
    policy
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Allow)
}
