//! The bucket's CORS configuration.
//!
//! Source: S3 user guide, "Elements of a CORS configuration".

use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::doctor::code::Code;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{Notes, Place, Severity, Words, listed};
use crate::domain::doctor::json::{Node, Value, segment};
use crate::domain::doctor::pattern::{Truth, matches, nearest};
use crate::domain::doctor::policy::each;
use crate::domain::invalid::shown;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::escape;
use serde_json::json;

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const FIELDS: [&str; 6] = [
    "ID",
    "AllowedHeaders",
    "AllowedMethods",
    "AllowedOrigins",
    "ExposeHeaders",
    "MaxAgeSeconds",
];

/// A text of a rule, and where it is.
type Item<'a> = (&'a str, Place);

struct Rule<'a> {
    origins: Vec<Item<'a>>,
    methods: Vec<Item<'a>>,
    headers: Vec<Item<'a>>,
    exposed: Vec<Item<'a>>,
    place: Place,
}

/// Whether the text is the XML of the REST API.
pub fn is_xml(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

pub fn xml(expected: &Expected, notes: &mut Notes) {
    let words = Words::new(
        "This is the XML form of the REST API",
        "The S3 console takes an array of rules in JSON, the AWS CLI an object with `CORSRules`. The rules in XML were not read.",
        "Paste what the console shows under Permissions > Cross-origin resource sharing (CORS).",
    );
    notes.add_with(
        Severity::Error,
        Code::CorsForm,
        &Place::whole(),
        words,
        right(expected),
    );
}

pub fn look(root: &Node, expected: &Expected, notes: &mut Notes) {
    let (list, path) = match (&root.value, root.get("CORSRules")) {
        (Value::List(_), _) => (root, String::new()),
        (_, Some(rules)) => {
            let place = Place {
                path: "/CORSRules".into(),
                at: rules.at,
            };
            let words = Words::new(
                "This is the form of the AWS CLI",
                "`aws s3api put-bucket-cors` takes it. The S3 console takes the array alone, without `CORSRules` around it.",
                "For the console, paste what is inside of `CORSRules`.",
            );
            notes.add(Severity::Note, Code::CorsForm, &place, words);
            (rules, "/CORSRules".to_owned())
        }
        _ => {
            let place = Place {
                path: String::new(),
                at: root.at,
            };
            let words = Words::new(
                "A CORS configuration is an array of rules",
                "The S3 console takes an array in brackets, the AWS CLI an object with `CORSRules`.",
                "Put the rule into brackets: `[ … ]`.",
            );
            notes.add_with(
                Severity::Error,
                Code::CorsForm,
                &place,
                words,
                right(expected),
            );
            return;
        }
    };
    let rules: Vec<Rule<'_>> = each(list, &path)
        .into_iter()
        .map(|(node, path)| rule(node, path, notes))
        .collect();
    for rule in &rules {
        if notes.is_full() {
            return;
        }
        methods(rule, notes);
        for origin in &rule.origins {
            shape_of_origin(origin, notes);
        }
    }
    for origin in &expected.origins {
        lets_in(origin, &rules, root, expected, notes);
    }
}

fn rule<'a>(node: &'a Node, path: String, notes: &mut Notes) -> Rule<'a> {
    for member in node.members() {
        let place = Place {
            path: format!("{path}{}", segment(&member.name)),
            at: member.name_at,
        };
        if !FIELDS.contains(&member.name.as_str()) {
            let words = Words::new(
                format!("`{}` is no part of a CORS rule", shown(&member.name)),
                "S3 refuses a configuration with a name that it does not know. Letter case counts.",
                match nearest(&member.name, FIELDS) {
                    Some(meant) => format!("Write `{meant}`."),
                    None => "Remove it.".to_owned(),
                },
            );
            notes.add(Severity::Error, Code::UnknownElement, &place, words);
        }
        let is_right = match member.name.as_str() {
            "MaxAgeSeconds" => matches!(member.value.value, Value::Number(_)),
            "ID" => member.value.text().is_some(),
            _ => match &member.value.value {
                Value::List(items) => items.iter().all(|item| item.text().is_some()),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Object(_) => false,
            },
        };
        if !is_right && FIELDS.contains(&member.name.as_str()) {
            let words = Words::new(
                format!("The value of `{}` is not of its form", member.name),
                "`MaxAgeSeconds` is a number, `ID` a text, and the others are arrays of texts.",
                "Correct it, as in the document of Sallyport.",
            );
            notes.add(Severity::Error, Code::WrongShape, &place, words);
        }
    }
    let place = Place {
        path: path.clone(),
        at: node.at,
    };
    if !matches!(node.value, Value::Object(_)) {
        let words = Words::new(
            "This is no rule",
            "A rule is an object in braces.",
            "Correct it, as in the document of Sallyport.",
        );
        notes.add(Severity::Error, Code::WrongShape, &place, words);
    }
    for name in ["AllowedMethods", "AllowedOrigins"] {
        if node.get(name).is_none() && matches!(node.value, Value::Object(_)) {
            let words = Words::new(
                format!("`{name}` is missing"),
                "S3 refuses a rule without methods or without origins.",
                format!("Add `{name}`."),
            );
            notes.add(Severity::Error, Code::MissingElement, &place, words);
        }
    }
    let texts = |name: &str| -> Vec<Item<'a>> {
        let path = format!("{path}/{name}");
        node.get(name)
            .map(|value| each(value, &path))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(item, path)| Some((item.text()?, Place { path, at: item.at })))
            .collect()
    };
    Rule {
        origins: texts("AllowedOrigins"),
        methods: texts("AllowedMethods"),
        headers: texts("AllowedHeaders"),
        exposed: texts("ExposeHeaders"),
        place,
    }
}

fn methods(rule: &Rule<'_>, notes: &mut Notes) {
    for (method, place) in &rule.methods {
        if METHODS.contains(method) {
            continue;
        }
        let words = Words::new(
            format!("S3 takes no method `{}`", shown(method)),
            "S3 takes `GET`, `PUT`, `POST`, `DELETE` and `HEAD`, in capitals, and refuses a configuration with another. The browser's `OPTIONS` is answered by itself.",
            match nearest(method, METHODS) {
                Some(meant) => format!("Write `{meant}`."),
                None => "Remove it.".to_owned(),
            },
        );
        notes.add(Severity::Error, Code::CorsMethodUnknown, place, words);
    }
}

fn shape_of_origin((text, place): &Item<'_>, notes: &mut Notes) {
    if *text == "*" {
        let words = Words::new(
            "Pages of every origin are allowed",
            "Any page can use the bucket's signed URLs that it gets hold of. S3 then answers `*`, with which browsers refuse requests that carry credentials.",
            "Name Sallyport's origin alone, if no other page needs the bucket.",
        );
        notes.add(Severity::Security, Code::CorsAnyOrigin, place, words);
        return;
    }
    let why = if text.matches('*').count() > 1 {
        "S3 takes one `*` in an origin, and refuses more."
    } else if text.ends_with('/') {
        "Browsers send an origin without a slash at its end, so this matches none."
    } else if text
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('/'))
    {
        "Browsers send an origin without a path, so this matches none."
    } else if !text.contains("://") && !text.starts_with('*') {
        "Browsers send an origin with its scheme, like `https://app.example.com`, so this matches none."
    } else if text.trim() != *text {
        "There are blanks around it."
    } else if text.chars().any(|c| c.is_ascii_uppercase()) {
        "Browsers send an origin in lower case, and S3 compares it with its letter case."
    } else {
        return;
    };
    let meant = text.trim().to_ascii_lowercase();
    let (scheme, rest) = meant.split_once("://").unwrap_or(("https", &meant));
    let host = rest.split('/').next().unwrap_or_default();
    let words = Words::new(
        format!("`{}` is no origin that a browser sends", shown(text)),
        why,
        match text.matches('*').count() > 1 {
            true => "Name the origins one by one.".to_owned(),
            false => format!("Write `{scheme}://{}`.", shown(host)),
        },
    );
    notes.add(Severity::Error, Code::CorsOriginMalformed, place, words);
}

/// Whether pages of an origin can do what they need.
fn lets_in(
    origin: &OriginPattern,
    rules: &[Rule<'_>],
    root: &Node,
    expected: &Expected,
    notes: &mut Notes,
) {
    let sent = origin.sample();
    let allows = |rule: &Rule<'_>| {
        rule.origins
            .iter()
            .any(|(text, _)| matches(text, &sent, false) == Truth::Yes)
    };
    let own: Vec<&Rule<'_>> = rules.iter().filter(|rule| allows(rule)).collect();
    let Some(first) = own.first() else {
        let near = rules
            .iter()
            .flat_map(|rule| &rule.origins)
            .find(|(text, _)| host(text).is_some_and(|known| Some(known) == host(origin.as_str())));
        let (code, place, explanation) = match near {
            Some((text, place)) => (
                Code::CorsOriginScheme,
                place.clone(),
                format!(
                    "`{}` is allowed. The origin of Sallyport's pages is `{origin}`: scheme, host and port must be the same.",
                    shown(text)
                ),
            ),
            None => (
                Code::CorsOriginMissing,
                Place {
                    path: String::new(),
                    at: root.at,
                },
                format!(
                    "Browsers let pages of `{origin}` use the bucket only if a rule names the origin."
                ),
            ),
        };
        let title = format!("No rule allows `{origin}`");
        let words = Words::new(
            title,
            explanation,
            "Add Sallyport's rule to those that are there.",
        );
        notes.add_with(Severity::Error, code, &place, words, added(root, expected));
        return;
    };
    let needed: &[&str] = match expected.grants.writes() {
        true => &["GET", "HEAD", "PUT", "POST", "DELETE"],
        false => &["GET", "HEAD"],
    };
    let missing: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|method| {
            !own.iter()
                .any(|rule| rule.methods.iter().any(|(known, _)| known == method))
        })
        .collect();
    if !missing.is_empty() {
        let words = Words::new(
            format!(
                "{} {} not allowed for `{origin}`",
                listed(&missing),
                match missing.len() {
                    1 => "is",
                    _ => "are",
                }
            ),
            "Sallyport's pages use the bucket by these methods.",
            "Add them to `AllowedMethods`.",
        );
        let place = first
            .methods
            .first()
            .map_or(&first.place, |(_, place)| place);
        notes.add_with(
            Severity::Error,
            Code::CorsMethodMissing,
            place,
            words,
            added(root, expected),
        );
    }
    let header = |name: &str| {
        own.iter().any(|rule| {
            rule.headers
                .iter()
                .any(|(text, _)| matches(&text.to_ascii_lowercase(), name, false) == Truth::Yes)
        })
    };
    let mut sent = vec!["range"];
    if expected.grants.writes() {
        sent.extend([
            "content-type",
            "x-amz-server-side-encryption",
            "x-amz-checksum-sha256",
        ]);
    }
    sent.retain(|name| !header(name));
    if !sent.is_empty() {
        let words = Words::new(
            format!("Browsers may not send {}", listed(&sent)),
            "Uploads and downloads of parts from a page send headers that the rule must allow.",
            "Write `\"AllowedHeaders\": [\"*\"]`.",
        );
        let place = first
            .headers
            .first()
            .map_or(&first.place, |(_, place)| place);
        let severity = match expected.grants.writes() {
            true => Severity::Error,
            false => Severity::Warning,
        };
        notes.add_with(
            severity,
            Code::CorsHeadersMissing,
            place,
            words,
            added(root, expected),
        );
    }
    let exposed = own.iter().any(|rule| {
        rule.exposed
            .iter()
            .any(|(text, _)| text.eq_ignore_ascii_case("etag"))
    });
    if !exposed && expected.grants.writes() {
        let words = Words::new(
            "Pages cannot read `ETag`",
            "An upload of several parts from a browser needs the `ETag` of each part, which the browser hides unless the rule exposes it.",
            "Add `ETag` to `ExposeHeaders`.",
        );
        let place = first
            .exposed
            .first()
            .map_or(&first.place, |(_, place)| place);
        notes.add_with(
            Severity::Warning,
            Code::CorsEtagHidden,
            place,
            words,
            added(root, expected),
        );
    }
}

fn host(origin: &str) -> Option<&str> {
    let host = origin.split_once("://")?.1;
    host.split([':', '/']).next()
}

fn right(expected: &Expected) -> Option<Patch> {
    put(expected.right.cors.clone()?, expected)
}

/// The rules that are there, with Sallyport's after them.
fn added(root: &Node, expected: &Expected) -> Option<Patch> {
    let own = expected.right.cors.clone()?;
    let own = own.as_array()?;
    let present = root.get("CORSRules").unwrap_or(root).plain();
    let ids: Vec<_> = own.iter().filter_map(|rule| rule.get("ID")).collect();
    let mut rules: Vec<_> = present.as_array()?.clone();
    // A rule of Sallyport's from before is replaced: S3 refuses an ID that is there twice.
    rules.retain(|rule| rule.get("ID").is_none_or(|id| !ids.contains(&id)));
    rules.extend(own.iter().cloned());
    put(rules.into(), expected)
}

fn put(document: serde_json::Value, expected: &Expected) -> Option<Patch> {
    let rules = json!({ "CORSRules": document });
    let text = escape::for_shell(&escape::beyond('\u{7e}', &rules.to_string()));
    let bucket = expected.bucket.as_ref();
    Some(Patch {
        target: PatchTarget::Cors,
        operation: PatchOperation::Replace,
        cli: bucket.map(|bucket| {
            format!("aws s3api put-bucket-cors --bucket {bucket} --cors-configuration {text}")
        }),
        console: Some(
            "S3 > the bucket > Permissions > Cross-origin resource sharing (CORS)".into(),
        ),
        document,
    })
}
