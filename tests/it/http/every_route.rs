//! What holds for every route of the OpenAPI document.

use crate::it::support::app::{Answer, OPERATOR, TestApp};
use reqwest::Method;
use serde_json::Value;

/// The routes that need no token.
const PUBLIC: &[&str] = &["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];
/// Routes of the operator's, and of nobody else's.
const OPERATOR_ONLY: [&str; 4] = ["/v1/workspaces", "/v1/keys", "/v1/export", "/v1/import"];
/// Routes that the operator and workspaces share.
const SHARED: &[&str] = &["/v1/audit-events", "/v1/events", "/v1/webhooks"];

/// Every operation: its method, its path with IDs in place of the parameters, and what the document
/// says about it.
async fn operations(app: &TestApp) -> Vec<(Method, String, Value)> {
    let document = app.get("/openapi.json", "").await.expect(200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            operations.push((method, filled(path), operation.clone()));
        }
    }
    assert!(operations.len() > 10, "{operations:?}");
    operations
}

/// The path with an ID of the right form, which nothing has, for each parameter.
fn filled(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let prefix = match name {
            "workspace_id" => "wrk_",
            "token_id" => "tok_",
            "key_id" => "key_",
            "setup_id" => "set_",
            "storage_id" => "sto_",
            "check_id" => "chk_",
            "project_id" => "prj_",
            "session_id" => "ses_",
            "link_id" => "inl_",
            "webhook_id" => "whk_",
            "delivery_id" => "dlv_",
            _ => "",
        };
        out.push_str(before);
        out.push_str(prefix);
        out.push_str("00000000000000000000000000000000");
        rest = after;
    }
    out + rest
}

fn is_operator_s(path: &str) -> bool {
    OPERATOR_ONLY.iter().any(|root| path.starts_with(root))
}

/// A request that a handler would refuse by its body: that it is refused by its caller shows that
/// callers come first.
async fn send(app: &TestApp, method: &Method, path: &str, token: &str) -> Answer {
    let request = app.request(method.clone(), path, token);
    let request = match *method {
        Method::GET | Method::HEAD | Method::DELETE => request,
        _ => request
            .header("Content-Type", "application/json")
            .body(r#"{"no such field": "#),
    };
    Answer::of(request).await
}

#[tokio::test]
async fn anonymous_callers_are_refused() {
    let app = TestApp::spawn().await;
    for (method, path, _) in operations(&app).await {
        let is_public = PUBLIC.contains(&path.as_str());
        for token in ["", "spt_unknown"] {
            let answer = send(&app, &method, &path, token).await;
            if is_public {
                let answered = matches!(answer.status.as_u16(), 200 | 503);
                assert!(answered, "{method} {path}: {answer:?}");
                continue;
            }
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            if method != Method::HEAD {
                answer.problem(401, "unauthenticated");
            }
        }
    }
}

#[tokio::test]
async fn the_operator_s_routes_refuse_workspaces() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    for (method, path, _) in operations(&app).await {
        if is_operator_s(&path) {
            for token in [&workspace.admin, &workspace.member] {
                let answer = send(&app, &method, &path, token).await;
                answer.problem(403, "operator_required");
            }
        }
    }
}

#[tokio::test]
async fn workspaces_routes_refuse_the_operator() {
    let app = TestApp::spawn().await;
    for (method, path, _) in operations(&app).await {
        let is_workspaces = path.starts_with("/v1/")
            && !is_operator_s(&path)
            && !SHARED.iter().any(|shared| path.starts_with(shared));
        if is_workspaces {
            let answer = send(&app, &method, &path, OPERATOR).await;
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
            if method != Method::HEAD {
                answer.problem(403, "workspace_token_required");
            }
        }
    }
}

#[tokio::test]
async fn every_operation_is_documented() {
    let app = TestApp::spawn().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    let mut ids = Vec::new();
    for (method, path, operation) in operations(&app).await {
        let what = format!("{method} {path}");
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("summary").is_empty(), "{what}");
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{what}"
        );
        ids.push(text("operationId"));
        let is_api = path.starts_with("/v1/");
        assert_eq!(operation["security"].is_array(), is_api, "{what}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(!answers.contains_key("default"), "{what}");
        for (status, answer) in answers {
            let answer = resolved(&document, answer);
            assert!(
                answer["headers"]["X-Request-Id"].is_object(),
                "{what}: {status}"
            );
            if status.as_str() < "400" || method == Method::HEAD || path == "/readyz" {
                continue;
            }
            let problem = &answer["content"]["application/problem+json"];
            assert_eq!(
                problem["schema"]["$ref"], "#/components/schemas/Problem",
                "{what}: {status}"
            );
            assert_eq!(problem["example"]["status"].to_string(), *status, "{what}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let named = parameter["description"].as_str().unwrap_or_default();
            assert!(!named.is_empty(), "{what}: {parameter}");
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation IDs are unique: {ids:?}");
}

/// What may change something is written whatever came of it, under its own name. A route that does not
/// declare what it does keeps the service from starting.
#[tokio::test]
async fn every_operation_that_may_change_something_is_in_the_audit_log() {
    let app = TestApp::spawn().await;
    let workspace = app.workspace().await;
    let mut expected = Vec::new();
    for (method, path, operation) in operations(&app).await {
        assert!(operation.get("x-effect").is_none(), "{method} {path}");
        if matches!(method, Method::GET | Method::HEAD) {
            continue;
        }
        let token = match is_operator_s(&path) {
            true => OPERATOR,
            false => &workspace.admin,
        };
        let answer = send(&app, &method, &path, token).await;
        assert!(answer.status.as_u16() != 403, "{method} {path}: {answer:?}");
        expected.push((
            operation["operationId"].as_str().unwrap().to_owned(),
            answer.status,
        ));
    }
    assert!(expected.len() > 20, "{expected:?}");
    let log = app.get("/v1/audit-events?page_size=1000", OPERATOR).await;
    let log = log.expect(200);
    let events = log["audit_events"].as_array().unwrap();
    for (action, status) in expected {
        let result = match status.as_u16() {
            200..300 => "done",
            400..500 => "refused",
            _ => "failed",
        };
        let is_written = events
            .iter()
            .any(|event| event["action"] == action.as_str() && event["result"] == result);
        assert!(is_written, "{action}: {status}");
    }
    // Each can be asked for by its name, and a name that nothing has is refused with those that there are.
    let refused = app.get("/v1/audit-events?action=nope", OPERATOR).await;
    let refused = refused.problem(422, "invalid_request");
    let fault = &refused["errors"][0];
    assert_eq!(fault["field"], "action");
    assert_eq!(fault["code"], "unknown_action");
    let detail = fault["detail"].as_str().unwrap();
    for event in events {
        let action = event["action"].as_str().unwrap();
        assert!(detail.contains(&format!(" {action}")), "{action}: {detail}");
    }
    for named in [
        "suspend_workspace",
        "storage.health_changed",
        "audit_log_page",
    ] {
        assert!(detail.contains(&format!(" {named}")), "{named}: {detail}");
        let known = format!("/v1/audit-events?action={named}");
        app.get(&known, OPERATOR).await.expect(200);
    }
}

/// What a reference leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Every object within the document.
fn objects(document: &Value) -> Vec<&serde_json::Map<String, Value>> {
    let (mut stack, mut found) = (vec![document], Vec::new());
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                found.push(map);
                stack.extend(map.values());
            }
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    found
}

/// A closed set is an enumeration. A description that begins with a list of words in backticks shows a
/// set that is not.
#[tokio::test]
async fn closed_sets_are_enumerations() {
    let app = TestApp::spawn().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    let is_list = |text: &str| {
        let text = text.replace("`, `", "`|`").replace("` or `", "`|`");
        let words = text.split('.').next().unwrap_or_default();
        let words = words.split(':').next().unwrap_or_default();
        let mut words = words.split('|');
        words.clone().count() > 1
            && words.all(|word| {
                let word = word.strip_prefix('`').and_then(|w| w.strip_suffix('`'));
                word.is_some_and(|w| w.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
            })
    };
    assert!(is_list("`open`, `completed`, `closed` or `expired`."));
    assert!(!is_list("`null` for the built-in storage."));
    let mut enumerations = 0;
    for schema in objects(&document) {
        enumerations += usize::from(schema.contains_key("enum"));
        let is_string = schema.get("type").is_some_and(|kind| {
            kind == "string"
                || kind
                    .as_array()
                    .is_some_and(|k| k.contains(&"string".into()))
        });
        let description = schema.get("description").and_then(Value::as_str);
        let is_open = is_string && !schema.contains_key("enum");
        // S3 and the stores that speak as it does decide which permissions there are.
        let is_s3_s = description.is_some_and(|text| text.contains("`WRITE_ACP`"));
        assert!(
            !(is_open && !is_s3_s && description.is_some_and(is_list)),
            "{schema:?}"
        );
    }
    assert!(enumerations >= 18, "{enumerations}");
}

/// Bytes are bytes in both directions, and what a client may ask by a header is a parameter.
#[tokio::test]
async fn files_are_binary_and_headers_are_parameters() {
    let app = TestApp::spawn().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    let content = &document["paths"]["/v1/storages/{storage_id}/files/content"];
    let bytes = serde_json::json!({"type": "string", "format": "binary"});
    let octets = |of: &Value| of["content"]["application/octet-stream"]["schema"].clone();
    assert_eq!(octets(&content["put"]["requestBody"]), bytes);
    for status in ["200", "206"] {
        assert_eq!(octets(&content["get"]["responses"][status]), bytes);
    }
    let headers = |method: &str| -> Vec<String> {
        let parameters = content[method]["parameters"].as_array().unwrap().iter();
        let headers = parameters.filter(|parameter| parameter["in"] == "header");
        headers
            .map(|header| header["name"].as_str().unwrap().to_lowercase())
            .collect()
    };
    for (method, expected) in [
        (
            "get",
            &["range", "if-range", "if-match", "if-none-match"][..],
        ),
        ("head", &["if-none-match"]),
        (
            "put",
            &["if-match", "if-none-match", "content-md5", "content-digest"],
        ),
    ] {
        let found = headers(method);
        for name in expected {
            assert!(found.contains(&(*name).to_owned()), "{method}: {found:?}");
        }
    }
    // Another shape for another format.
    let buckets =
        &document["paths"]["/v1/storages/{storage_id}/buckets"]["get"]["responses"]["200"];
    let schema = resolved(&document, &buckets["content"]["application/json"]["schema"]);
    assert_eq!(
        schema["oneOf"].as_array().map(Vec::len),
        Some(2),
        "{schema}"
    );
}

/// The members that use cases add to a problem are in its schema.
#[test]
fn the_problem_s_schema_has_every_member() {
    fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for marker in [".member(", "members.insert("] {
                    let rest = source.split(marker).skip(1);
                    let names = rest.filter_map(|rest| rest.trim_start().strip_prefix('"'));
                    found.extend(names.map(|name| name.split('"').next().unwrap().to_owned()));
                }
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut members = Vec::new();
    sources(&root.join("src"), &mut members);
    assert!(members.len() > 5, "{members:?}");
    let document = serde_json::to_value(crate::http::openapi::document()).unwrap();
    let known = &document["components"]["schemas"]["ProblemMembers"]["properties"];
    for member in members {
        assert!(
            known[&member].is_object(),
            "`{member}` is not in ProblemMembers"
        );
    }
}

/// Every `$ref` leads somewhere.
#[tokio::test]
async fn the_document_s_references_resolve() {
    let app = TestApp::spawn().await;
    let document = app.get("/openapi.json", "").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut stack = vec![&document];
    let mut count = 0;
    while let Some(value) = stack.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
            count += 1;
        }
        match value {
            Value::Object(map) => stack.extend(map.values()),
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    assert!(count > 20);
}
