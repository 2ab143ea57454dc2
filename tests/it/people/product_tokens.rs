//! Signing in by tokens that the product has signed: what is taken, and hostile ones.

use crate::it::support::app::{Answer, OPERATOR, ORIGIN, TestApp, TestWorkspace};
use crate::it::support::postgres::fresh_database;
use crate::it::support::signer::{Kind, Signer};
use crate::settings::Options;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use std::path::PathBuf;
use time::OffsetDateTime;
use url::form_urlencoded;

const ISSUER: &str = "https://app.example.com";
const PUBLIC: &str = "https://sallyport.example.com";

/// A service that knows the product's key.
struct Scene {
    app: TestApp,
    signer: Signer,
    keys: PathBuf,
    client: Client,
    /// Holds the keys' file.
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.json");
        let signer = Signer::new(Kind::Es256, "one");
        std::fs::write(&keys, Signer::key_set(&[&signer]).to_string()).unwrap();
        let app = TestApp::spawn_with(|options| {
            knows(&keys)(options);
            change(options);
        })
        .await;
        Self {
            app,
            signer,
            keys,
            client: without_redirects(),
            _folder: folder,
        }
    }

    async fn send(&self, token: &str, fields: &[(&str, &str)]) -> Answer {
        send(&self.client, &self.app, token, fields).await
    }

    /// Signs these claims and sends them.
    async fn sign_in(&self, claims: &Value, fields: &[(&str, &str)]) -> Answer {
        self.send(&self.signer.token(claims), fields).await
    }

    async fn sessions(&self, workspace: &TestWorkspace) -> Vec<Value> {
        let listed = self.app.get("/v1/sessions", &workspace.admin).await;
        listed.expect(200)["sessions"].as_array().unwrap().clone()
    }
}

/// Settings with the keys of this file.
fn knows(keys: &std::path::Path) -> impl FnOnce(&mut Options) {
    let keys = keys.to_str().unwrap().to_owned();
    move |options| {
        options.public_url = Some(PUBLIC.to_owned());
        options.allowed_origins = Some(ORIGIN.to_owned());
        options.jwt_issuer = Some(ISSUER.to_owned());
        options.jwt_keys = Some(keys);
    }
}

fn without_redirects() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

/// Sends a form as a page of the product does.
async fn send(client: &Client, app: &TestApp, token: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).extend_pairs(fields);
    let request = client
        .request(Method::POST, app.url("/sign-in/jwt"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", ORIGIN)
        .header("sec-fetch-site", "cross-site")
        .body(form.finish());
    Answer::of(request).await
}

fn in_seconds(seconds: i64) -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() + seconds
}

/// Good claims for a workspace, with an ID that no other token has.
fn claims(workspace: &str) -> Value {
    json!({
        "iss": ISSUER,
        "aud": PUBLIC,
        "sub": "user-4711",
        "name": "Ada",
        "role": "admin",
        "workspace": workspace,
        "iat": in_seconds(0),
        "exp": in_seconds(120),
        "jti": uuid::Uuid::new_v4().to_string(),
    })
}

/// Where somebody arrives, with the cookie of their session.
#[track_caller]
fn arrived(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    assert!(cookie.contains("Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    (
        answer.headers[LOCATION].to_str().unwrap().to_owned(),
        cookie,
    )
}

#[tokio::test]
async fn a_token_signs_in_as_a_link_does() {
    let scene = Scene::new().await;
    let workspace = scene.app.workspace().await;
    let answer = scene.sign_in(&claims(&workspace.id), &[]).await;
    let (to, cookie) = arrived(&answer);
    assert_eq!(to, "/settings/storages");
    let page = scene.client.get(scene.app.url("/settings/sessions"));
    let page = Answer::of(page.header(COOKIE, cookie)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Ada"));
    let session = &scene.sessions(&workspace).await[0];
    assert_eq!(
        session["subject"],
        json!({"id": "user-4711", "name": "Ada"})
    );
    assert_eq!(session["role"], "admin");
    let log = scene.app.get("/v1/audit-events", &workspace.admin).await;
    let log = log.expect(200);
    assert_eq!(log["audit_events"][0]["action"], "sign_in_by_token");
    assert_eq!(log["audit_events"][0]["on_behalf_of"], "user-4711");
    assert!(!log.to_string().contains("eyJ"), "{log}");

    // The fields of a link, as a form and as JSON; and a workspace by the product's own ID.
    let body = json!({"external_id": "acme"});
    let path = format!("/v1/workspaces/{}", workspace.id);
    scene.app.patch(&path, OPERATOR, &body).await.expect(200);
    let fields = [
        ("purpose", "files"),
        ("storage_id", "built-in"),
        ("return_url", "https://app.example.com/back"),
        ("embed", "true"),
    ];
    let answer = scene.sign_in(&claims("acme"), &fields).await;
    assert_eq!(arrived(&answer).0, "/storages/built-in/files");
    let mut listed = claims("acme");
    listed["aud"] = json!(["https://other.example", format!("{PUBLIC}/")]);
    let body = json!({
        "token": scene.signer.token(&listed), "role": "member", "purpose": "projects",
    });
    let request = scene
        .client
        .post(scene.app.url("/sign-in/jwt"))
        .header("content-type", "application/json")
        .body(body.to_string());
    assert_eq!(arrived(&Answer::of(request).await).0, "/projects");
    let sessions = scene.sessions(&workspace).await;
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions[2]["role"], "member");
}

#[tokio::test]
async fn a_token_that_adds_a_storage_opens_the_dialog() {
    let scene = Scene::with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let workspace = scene.app.workspace().await;
    let fields = [("purpose", "add_storage")];
    let answer = scene.sign_in(&claims(&workspace.id), &fields).await;
    assert!(arrived(&answer).0.starts_with("/settings/setups/set_"));
}

#[tokio::test]
async fn hostile_tokens_are_refused_and_begin_nothing() {
    let scene = Scene::new().await;
    let workspace = scene.app.workspace().await;
    let good = claims(&workspace.id);
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        claims
    };
    let without = |claim: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        claims
    };
    for claims in [
        with("iss", json!("https://evil.example")),
        with("iss", json!("https://app.example.com/")),
        with("aud", json!("https://other.example")),
        with("aud", json!([])),
        with("exp", json!(in_seconds(-61))),
        with("exp", json!(in_seconds(700))),
        with("exp", json!("soon")),
        with("nbf", json!(in_seconds(120))),
        with("iat", json!(in_seconds(120))),
        with("jti", json!("")),
        with("jti", json!("x".repeat(257))),
        with("sub", json!("a b")),
        with("sub", json!("x".repeat(129))),
        with("role", json!("owner")),
        with("role", json!(["admin"])),
        with("workspace", json!(["a", "b"])),
        without("iss"),
        without("aud"),
        without("exp"),
        without("jti"),
        without("sub"),
        without("workspace"),
    ] {
        let answer = scene.sign_in(&claims, &[]).await;
        answer.problem(401, "sign_in_token_refused");
        assert!(!answer.headers.contains_key(SET_COOKIE), "{claims}");
    }
    // Another key, also with the name of ours, another algorithm, and no signature.
    let other = Signer::new(Kind::Es256, "one");
    let of_type = Signer::new(Kind::EdDsa, "one");
    let none = scene
        .signer
        .signed(&json!({"alg": "none", "kid": "one"}), &good);
    let (unsigned, _) = none.rsplit_once('.').unwrap();
    for token in [
        other.token(&good),
        of_type.token(&good),
        Signer::new(Kind::Rs256, "two").token(&good),
        none.clone(),
        format!("{unsigned}."),
        scene
            .signer
            .signed(&json!({"alg": "HS256", "kid": "one"}), &good),
        "not a token".to_owned(),
        String::new(),
    ] {
        let answer = scene.send(&token, &[]).await;
        answer.problem(401, "sign_in_token_refused");
    }
    // Another workspace, and one that does not exist.
    for unknown in ["wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e", "nobody"] {
        let answer = scene.sign_in(&claims(unknown), &[]).await;
        answer.problem(403, "no_workspace");
    }
    assert!(scene.sessions(&workspace).await.is_empty());
    arrived(&scene.sign_in(&good, &[]).await);
}

#[tokio::test]
async fn what_the_browser_says_gives_no_more_than_the_token() {
    let scene = Scene::with(|options| {
        options.service_principal = Some("arn:aws:iam::111111111111:root".into());
    })
    .await;
    let (workspace, other) = (scene.app.workspace().await, scene.app.workspace().await);
    let opened = scene
        .app
        .post("/v1/storage-setups", &other.admin, &json!({}))
        .await
        .expect(201);
    let setup = opened["id"].as_str().unwrap();
    let mut member = claims(&workspace.id);
    member.as_object_mut().unwrap().remove("role");
    let fields = |answer: &Answer| {
        let problem = answer.expect(422);
        let errors = problem["errors"].as_array().unwrap().iter();
        let code = |error: &Value| error["code"].as_str().unwrap().to_owned();
        errors.map(code).collect::<Vec<_>>()
    };
    let refused =
        async |claims: &Value, sent: &[(&str, &str)]| fields(&scene.sign_in(claims, sent).await);
    assert_eq!(
        refused(&member, &[("role", "admin")]).await,
        ["role_not_granted"]
    );
    assert_eq!(
        refused(&member, &[("purpose", "add_storage")]).await,
        ["admin_required"]
    );
    let admin = claims(&workspace.id);
    assert_eq!(
        refused(&admin, &[("workspace", other.id.as_str())]).await,
        ["unknown_field"]
    );
    assert_eq!(
        refused(&admin, &[("subject", "root")]).await,
        ["unknown_field"]
    );
    let sent = [("purpose", "setup"), ("setup_id", setup)];
    assert_eq!(refused(&admin, &sent).await, ["unknown_target"]);
    assert_eq!(
        refused(&admin, &[("return_url", "https://evil.example/")]).await,
        ["origin_not_allowed"]
    );
    assert!(scene.sessions(&workspace).await.is_empty());
    // What was refused has not used the tokens up.
    assert_eq!(arrived(&scene.sign_in(&member, &[]).await).0, "/projects");
    arrived(&scene.sign_in(&admin, &[]).await);
}

#[tokio::test]
async fn a_token_signs_in_once() {
    let scene = Scene::new().await;
    let workspace = scene.app.workspace().await;
    let token = scene.signer.token(&claims(&workspace.id));
    arrived(&scene.send(&token, &[]).await);
    let again = scene.send(&token, &[]).await;
    again.problem(401, "sign_in_token_used");
    // The same ID in another token.
    let mut claims = claims(&workspace.id);
    claims["jti"] = json!("one-id");
    arrived(&scene.sign_in(&claims, &[]).await);
    claims["sub"] = json!("user-2");
    let again = scene.sign_in(&claims, &[]).await;
    again.problem(401, "sign_in_token_used");
    assert_eq!(scene.sessions(&workspace).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_take_a_token_once() {
    let database = fresh_database().await;
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let shared = |options: &mut Options| {
        options.database_url = Some(database.clone());
        options.master_key = Some(key.to_owned());
    };
    let one = Scene::with(shared).await;
    let two = TestApp::spawn_with(|options| {
        knows(&one.keys)(options);
        shared(options);
    })
    .await;
    let workspace = one.app.workspace().await;
    for _ in 0..10 {
        let token = one.signer.token(&claims(&workspace.id));
        let sent = (0..8).map(|number| {
            let app = if number % 2 == 0 { &one.app } else { &two };
            send(&one.client, app, &token, &[])
        });
        let answers = futures_util::future::join_all(sent).await;
        let begun = answers.iter().filter(|answer| answer.status == 303).count();
        assert_eq!(begun, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 303) {
            answer.problem(401, "sign_in_token_used");
        }
    }
    assert_eq!(one.sessions(&workspace).await.len(), 10);
}

#[tokio::test]
async fn without_an_issuer_there_is_no_such_way_and_forms_are_read_strictly() {
    let app = TestApp::spawn().await;
    let client = without_redirects();
    let answer = send(&client, &app, "a.b.c", &[]).await;
    answer.problem(404, "sign_in_not_configured");
    let scene = Scene::new().await;
    let raw = async |content_type: &'static str, body: String| {
        let request = scene
            .client
            .post(scene.app.url("/sign-in/jwt"))
            .header("content-type", content_type)
            .body(body);
        Answer::of(request).await
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    raw("text/plain", "token=a".into())
        .await
        .problem(415, "unsupported_media_type");
    raw(FORM, "token=a&token=b".into()).await.expect(422);
    raw(FORM, "purpose=settings".into()).await.expect(422);
    raw(FORM, format!("token={}", "x".repeat(70_000)))
        .await
        .problem(413, "body_too_large");
    raw("application/json", "{".into())
        .await
        .problem(400, "malformed_json");
}
