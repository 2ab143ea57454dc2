//! Requests that cannot be accepted say why, by the field.

use crate::it::projects::wanted;
use crate::it::support::app::{TestApp, TestWorkspace};
use serde_json::{Value, json};

/// None of these needs a storage: the service has no AWS here.
async fn app() -> (TestApp, TestWorkspace) {
    let app = TestApp::spawn_with(|options| {
        options.built_in_bucket = Some("vendor-bucket".into());
    })
    .await;
    let workspace = app.workspace().await;
    (app, workspace)
}

#[tokio::test]
async fn every_field_is_refused_by_its_name() {
    let (app, workspace) = app().await;
    let long = "k".repeat(1025);
    let of_files = wanted(&["/a"]);
    let of_folder = json!({"folder": "/a/"});
    let of_manifest = json!({"manifest_file_key": "/m"});
    let many_globs = vec!["*"; 101];
    let cases: Vec<(&Value, &str, &str, Vec<Value>)> = vec![
        (
            &of_files,
            "name",
            "name",
            vec![
                json!(null),
                json!(1),
                json!(""),
                json!("a\nb"),
                json!("n".repeat(201)),
            ],
        ),
        (
            &of_files,
            "storage_id",
            "storage_id",
            vec![
                json!(1),
                json!(""),
                json!("sto_x"),
                json!("builtin"),
                json!(["a"]),
            ],
        ),
        (
            &of_files,
            "files",
            "files",
            vec![json!("/a"), json!({}), json!(7)],
        ),
        (
            &of_files,
            "on_missing",
            "on_missing",
            vec![json!(1), json!(""), json!("ignore"), json!("Skip")],
        ),
        (
            &of_folder,
            "folder",
            "folder",
            vec![
                json!(1),
                json!(["a"]),
                json!("/a/../b"),
                json!("a\u{0}"),
                json!(long.clone()),
            ],
        ),
        (
            &of_folder,
            "include",
            "include",
            vec![json!("*"), json!({}), json!(many_globs)],
        ),
        (
            &of_folder,
            "include",
            "include[0]",
            vec![
                json!([1]),
                json!([""]),
                json!(["["]),
                json!(["/a"]),
                json!([long.clone()]),
            ],
        ),
        (
            &of_folder,
            "exclude",
            "exclude[1]",
            vec![json!(["a", null]), json!(["a", "{"])],
        ),
        (
            &of_manifest,
            "manifest_file_key",
            "manifest_file_key",
            vec![
                json!(1),
                json!(""),
                json!("/"),
                json!("../m"),
                json!(long.clone()),
            ],
        ),
        (&of_files, "include", "include", vec![json!(["*"])]),
        (
            &of_files,
            "workspace_id",
            "workspace_id",
            vec![json!("wrk_1")],
        ),
        (&of_files, "status", "status", vec![json!("ready")]),
    ];
    for (body, field, named, values) in cases {
        for value in values {
            let mut body = body.clone();
            body["name"] = json!("x");
            body[field] = value;
            let refused = app.post("/v1/projects", &workspace.member, &body).await;
            refused.refused_field(named);
            assert!(refused.text.len() < 2_000, "{}", refused.text.len());
        }
    }
    let listed = app.get("/v1/projects", &workspace.member).await.expect(200);
    assert_eq!(listed["projects"], json!([]));
}

#[tokio::test]
async fn exactly_one_source_is_needed() {
    let (app, workspace) = app().await;
    for body in [
        json!({}),
        json!({"files": null}),
        json!({"files": [{"file_key": "/a"}], "folder": "/"}),
        json!({"files": [{"file_key": "/a"}], "manifest_file_key": "/m"}),
        json!({"folder": "/", "manifest_file_key": "/m"}),
    ] {
        let mut body = body;
        body["name"] = json!("x");
        let refused = app.post("/v1/projects", &workspace.member, &body).await;
        assert_eq!(
            refused.refused_field("files")["errors"][0]["code"],
            "one_source_needed"
        );
    }
}

#[tokio::test]
async fn every_bad_file_is_named_by_its_place() {
    let (app, workspace) = app().await;
    let body = json!({"name": "x", "files": [
        {"file_key": "/good"}, {"file_key": ""}, {"file_key": "/a/../b", "name": ""},
        {"file_key": "/n", "name": "a\u{0}"}, {"file_key": "/m", "name": "é".repeat(513)},
    ]});
    let refused = app.post("/v1/projects", &workspace.member, &body).await;
    let refused = refused.problem(422, "invalid_request");
    assert_eq!(
        crate::it::projects::strings(&refused["errors"], "field"),
        [
            "files[1].file_key",
            "files[2].file_key",
            "files[2].name",
            "files[3].name",
            "files[4].name"
        ]
    );
    for (file, field) in [
        (json!({"key": "/a"}), "files[0].key"),
        (json!({"file_key": 1}), "files[0].file_key"),
        (json!({"file_key": "/a", "size": 1}), "files[0].size"),
        (json!({}), "files[0].file_key"),
        (json!({"file_key": "/a", "name": 5}), "files[0].name"),
    ] {
        let body = json!({"name": "x", "files": [file]});
        let refused = app.post("/v1/projects", &workspace.member, &body).await;
        refused.refused_field(field);
    }
    let bad: Vec<&str> = vec![".."; 10_000];
    let mut body = wanted(&bad);
    body["name"] = json!("x");
    let refused = app.post("/v1/projects", &workspace.member, &body).await;
    let refused = refused.problem(422, "invalid_request");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn bodies_have_a_largest_size() {
    let (app, workspace) = app().await;
    let body = format!("{{\"name\": \"{}\"}}", "x".repeat(16 << 20));
    let refused = app
        .send_text(
            reqwest::Method::POST,
            "/v1/projects",
            &workspace.member,
            body,
        )
        .await;
    refused.problem(413, "body_too_large");
}

/// These are found out about after the storage is known, and before anything is asked of it.
#[tokio::test]
async fn lists_that_no_storage_could_serve() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let create = async |mut body: Value| {
        body["name"] = json!("x");
        app.post("/v1/projects", &workspace.member, &body).await
    };
    let empty = create(json!({"files": []})).await;
    empty.refused_field("files");
    let keys: Vec<String> = (0..10_001).map(|n| format!("/{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let many = create(wanted(&keys)).await;
    many.problem(422, "too_many_files");
    many.refused_field("files");
    let twice = create(wanted(&["/a", "/b", "a", "//a", "/b"])).await;
    let twice = twice.problem(422, "duplicate_file_key");
    assert_eq!(
        crate::it::projects::strings(&twice["errors"], "field"),
        ["files[2].file_key", "files[4].file_key"]
    );
    assert_eq!(twice["errors"][0]["code"], "duplicate_file_key");
    // Beside another fault it is one of several.
    let both = create(wanted(&["/a", "/a", "s3://other-bucket/b"])).await;
    let both = both.problem(422, "invalid_request");
    assert_eq!(
        crate::it::projects::strings(&both["errors"], "code"),
        ["duplicate_file_key", "other_bucket"]
    );
    // The workspace's own prefix is in front of it.
    let long = create(wanted(&["/a", &"k".repeat(1000)])).await;
    long.refused_field("files[1].file_key");
}
