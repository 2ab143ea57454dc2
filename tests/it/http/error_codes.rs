//! Codes are in one list each. The sources, the documents and the OpenAPI document have those of the lists, and no
//! other.

use crate::application::codes::{self, CANDIDATES, FIELDS, PROBLEMS, causes};
use crate::domain::cause::Cause;
use crate::domain::doctor::code::Code;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Codes of values that no request has: of settings and the command line, of forms, of what was stored, and of
/// documents whose address is then not there.
const NOT_OF_REQUESTS: [&str; 26] = [
    "damaged_external_id",
    "documents_for_another_bucket",
    "incomplete_report",
    "invalid_brand_name",
    "invalid_colour",
    "invalid_documents",
    "invalid_iam_name",
    "invalid_issuer",
    "invalid_lifecycle_folders",
    "invalid_logo",
    "invalid_policy_template",
    "invalid_service_principal",
    "invalid_support_url",
    "missing_target",
    "no_file",
    "setup_tag_missing",
    "unknown_document",
    "unknown_error",
    "unknown_file_part",
    "unknown_outcome",
    "unknown_project_status",
    "unknown_setup_status",
    "unknown_skip_reason",
    "unknown_status",
    "unknown_try_outcome",
    "unwritable_document",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The sources of these folders without their unit tests, and without the lists of codes.
fn sources(folders: &[&str]) -> String {
    let mut all = String::new();
    for folder in folders {
        collect(&root().join("src").join(folder), &mut all);
    }
    all
}

fn collect(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("codes.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            // A file's unit tests come last in it.
            let code = source.split("\n#[cfg(test)]\nmod tests").next();
            out.push_str(code.unwrap_or_default());
        }
    }
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The codes of a page's tables, which are in their first column.
fn tabled(page: &str) -> Vec<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect()
}

/// The codes that come after a kind or a status: `Kind::NotFound, "not_found"`.
fn codes_in(source: &str) -> BTreeSet<&str> {
    let mut codes = BTreeSet::new();
    for marker in ["Kind::", "StatusCode::"] {
        for (at, _) in source.match_indices(marker) {
            let rest = &source[at + marker.len()..];
            let name = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(0);
            let code = rest[name..]
                .strip_prefix(',')
                .and_then(|rest| rest.trim_start().strip_prefix('"'))
                .and_then(|rest| rest.split('"').next());
            codes.extend(code);
        }
    }
    codes
}

/// The codes of `Invalid::new("…", …)`.
fn codes_of_values(source: &str) -> BTreeSet<&str> {
    let made = source.split("Invalid::new(").skip(1);
    made.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect()
}

fn without<'a>(all: impl IntoIterator<Item = &'a str>, known: &[&str]) -> Vec<&'a str> {
    let mut left: Vec<_> = all.into_iter().collect();
    left.retain(|code| !known.contains(code));
    left
}

#[test]
fn each_list_is_in_the_order_of_the_alphabet() {
    for list in [PROBLEMS, FIELDS, causes().as_slice()] {
        assert!(list.len() > 90);
        assert!(list.is_sorted_by(|one, next| one < next), "{list:?}");
    }
}

#[test]
fn the_documents_have_the_codes_of_the_lists() {
    let errors = page("errors.md");
    let errors = tabled(errors.split("## Codes").nth(1).unwrap());
    assert_eq!(errors, PROBLEMS, "docs/errors.md");
    let fields = page("field-codes.md");
    assert_eq!(tabled(&fields), FIELDS, "docs/field-codes.md");
    let examples = Cause::examples();
    let catalogue: BTreeSet<_> = examples.iter().map(Cause::code).collect();
    assert_eq!(Vec::from_iter(catalogue), causes(), "the catalogue");
}

#[test]
fn the_sources_have_the_codes_of_the_lists() {
    let source = sources(&["application", "http"]);
    let found = codes_in(&source);
    assert!(found.len() > 30, "{found:?}");
    assert_eq!(without(found, PROBLEMS), [""; 0], "not in the list");
    let of_values = sources(&["application", "domain", "http"]);
    let found = codes_of_values(&of_values);
    assert!(found.len() > 90, "{found:?}");
    let listed = [FIELDS, &NOT_OF_REQUESTS].concat();
    assert_eq!(without(found, &listed), [""; 0], "not in the list");
    for code in PROBLEMS.iter().chain(FIELDS).chain(&NOT_OF_REQUESTS) {
        let quoted = format!("\"{code}\"");
        assert!(of_values.contains(&quoted), "only in the list: {code}");
    }
}

#[test]
fn the_openapi_document_has_the_lists_and_takes_later_codes() {
    let document = serde_json::to_value(crate::http::openapi::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    for (name, codes) in [
        ("ProblemCode", PROBLEMS),
        ("FieldCode", FIELDS),
        ("CauseCode", causes().as_slice()),
        ("CandidateCode", CANDIDATES),
        ("FindingCode", Code::ALL.map(Code::as_str).as_slice()),
        (
            "PlaceWarningCode",
            ["same_place", "overlapping_place"].as_slice(),
        ),
        ("EventCode", codes::of_events().as_slice()),
        ("AuditCode", codes::of_audit_log().as_slice()),
    ] {
        assert_eq!(schemas[name]["enum"], serde_json::json!(codes), "{name}");
        let any = &schemas[&format!("Any{name}")]["anyOf"];
        let reference = format!("#/components/schemas/{name}");
        assert_eq!(any[0]["$ref"], reference, "{any}");
        assert_eq!(any[1], serde_json::json!({"type": "string"}), "{any}");
    }
    for (schema, field, of) in [
        ("Problem", "code", "AnyProblemCode"),
        ("FieldProblem", "code", "AnyFieldCode"),
        ("ProblemMembers", "cause", "AnyCauseCode"),
        ("StepProblem", "code", "AnyCauseCode"),
        ("Health", "code", "AnyCauseCode"),
        ("Quarantine", "code", "AnyCauseCode"),
        ("CauseCandidate", "code", "AnyCandidateCode"),
        ("DoctorFinding", "code", "AnyFindingCode"),
        ("PlaceWarning", "code", "AnyPlaceWarningCode"),
        ("EventData", "code", "AnyEventCode"),
        ("AuditEvent", "code", "AnyAuditCode"),
        ("AuditEventFile", "code", "AnyAuditCode"),
    ] {
        let found = schemas[schema].to_string();
        assert!(found.contains(&format!("/{of}\"")), "{schema}: {found}");
        let property = property(schemas, schema, field);
        assert!(property.contains(of), "{schema}.{field}: {property}");
    }
}

/// No schema has a code that is any text and nothing else.
#[test]
fn every_code_of_the_openapi_document_names_its_set() {
    let document = serde_json::to_value(crate::http::openapi::document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut of_any_text = Vec::new();
    for (name, schema) in schemas {
        let parts = schema["allOf"].as_array();
        for part in parts.into_iter().flatten().chain([schema]) {
            let code = &part["properties"]["code"];
            if !code.is_null() && !code.to_string().contains("#/components/schemas/") {
                of_any_text.push(format!("{name}: {code}"));
            }
        }
    }
    assert!(of_any_text.is_empty(), "{of_any_text:#?}");
}

#[test]
fn what_may_be_behind_a_cause_has_a_code_of_the_list() {
    assert!(CANDIDATES.is_sorted_by(|one, next| one < next));
    let found: BTreeSet<String> = Cause::examples()
        .iter()
        .flat_map(Cause::candidates)
        .map(|candidate| candidate.code)
        .collect();
    let listed: BTreeSet<String> = CANDIDATES.iter().map(ToString::to_string).collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
    let source = sources(&["domain"]);
    for code in CANDIDATES {
        assert!(
            source.contains(&format!("\"{code}\"")),
            "only in the list: {code}"
        );
    }
}

/// A property of a schema, which may be made of several.
fn property(schemas: &serde_json::Value, schema: &str, field: &str) -> String {
    let whole = &schemas[schema];
    let parts = whole["allOf"].as_array();
    let parts = parts.into_iter().flatten().chain([whole]);
    let found = parts.map(|part| &part["properties"][field]);
    found.map(ToString::to_string).collect()
}

/// A document that promises `422 \`code\`` promises the `code` of the problem.
#[test]
fn every_promised_code_is_one_that_comes() {
    let mut promised = 0;
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for code in promises(&text) {
            promised += 1;
            if !PROBLEMS.contains(&code.as_str()) {
                broken.push(format!("{}: {code}", path.display()));
            }
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for field_code in text.split("field code `").skip(1) {
            let code = field_code.split('`').next().unwrap();
            if !FIELDS.contains(&code) {
                broken.push(format!("{}: field code {code}", path.display()));
            }
        }
    }
    let document = serde_json::to_value(crate::http::openapi::document()).unwrap();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
                let example = &answer["content"]["application/problem+json"]["example"]["code"];
                if let Some(code) = example.as_str().filter(|_| status.as_str() >= "400") {
                    promised += 1;
                    if !PROBLEMS.contains(&code) {
                        broken.push(format!("OpenAPI {}: {code}", operation["operationId"]));
                    }
                }
            }
        }
    }
    for shared in document["components"]["responses"]
        .as_object()
        .unwrap()
        .values()
    {
        let example = &shared["content"]["application/problem+json"]["example"]["code"];
        let code = example.as_str().unwrap();
        assert!(PROBLEMS.contains(&code), "{code}");
    }
    assert!(promised > 50, "{promised}");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The codes that follow a status: `404 \`x\``, and those that go on in the same list, as in
/// `409 \`x\` or \`y\``.
fn promises(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut codes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let status = word.trim_start_matches(['(', '`']);
        let is_status = status.len() == 3
            && status.starts_with(['4', '5'])
            && status.bytes().all(|byte| byte.is_ascii_digit());
        if !is_status {
            continue;
        }
        for next in &words[at + 1..] {
            match code(next) {
                Some(code) => codes.push(code.to_owned()),
                None if *next == "or" || *next == "and" => continue,
                None => break,
            }
            // A sentence ends with its list.
            if !next.ends_with(['`', ',']) {
                break;
            }
        }
    }
    codes
}

/// A word in backticks that has the form of a code.
fn code(word: &str) -> Option<&str> {
    let (code, rest) = word.strip_prefix('`')?.split_once('`')?;
    let has_form = code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let rest_is_marks = rest.chars().all(|c| c.is_ascii_punctuation());
    (has_form && rest_is_marks && !code.is_empty()).then_some(code)
}

#[test]
fn promises_are_found() {
    let text = "refused (422 `too_many_files`): use `a_b`. Or 409 `a_b` or `c_d`. The 404 is `no`.";
    assert_eq!(promises(text), ["too_many_files", "a_b", "c_d"]);
}
