//! Signing in at a real OpenID provider, and being signed out by it.

use crate::it::support::app::{OPERATOR, TestApp};
use crate::it::support::oidc::{CLIENT, OidcProvider, Person, SECRET, free_address};
use crate::settings::Options;
use reqwest::Method;
use serde_json::{Value, json};

/// The service beside a provider with these people.
struct Scene {
    provider: OidcProvider,
    app: TestApp,
}

impl Scene {
    async fn new(algorithm: &str, people: &Value) -> Self {
        Self::with(algorithm, people, |_| {}).await
    }

    async fn with(algorithm: &str, people: &Value, change: impl FnOnce(&mut Options)) -> Self {
        Self::beside(OidcProvider::start(), algorithm, people, change).await
    }

    async fn beside(
        mut provider: OidcProvider,
        algorithm: &str,
        people: &Value,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let address = free_address();
        let service = format!("http://{address}");
        provider.serve(&service, algorithm, people);
        let app = TestApp::spawn_with(|options| {
            options.listen = Some(address);
            options.public_url = Some(service);
            options.oidc_issuer = Some(provider.issuer.clone());
            options.oidc_client_id = Some(CLIENT.to_owned());
            options.oidc_client_secret = Some(SECRET.to_owned());
            options.oidc_workspace_claim = Some("tenant".to_owned());
            options.oidc_role_claim = Some("groups".to_owned());
            change(options);
        })
        .await;
        Self { provider, app }
    }

    /// Makes a workspace. Gives its ID and an admin's token.
    async fn workspace(&self, external_id: &str) -> (String, String) {
        let body = json!({"name": format!("Workspace {external_id}"), "external_id": external_id});
        let made = self.app.post("/v1/workspaces", OPERATOR, &body).await;
        let id = made.expect(201)["id"].as_str().unwrap().to_owned();
        let token = self.app.token(&id, "admin").await;
        (id, token)
    }

    async fn sign_in(&self, person: &Person, query: &str, name: &str) -> (String, u16, String) {
        let url = self.app.url(&format!("/sign-in/oidc{query}"));
        let (at, answer) = person.walk(&url, name).await;
        let path = url::Url::parse(&at).unwrap().path().to_owned();
        (path, answer.status.as_u16(), answer.text)
    }

    async fn sessions(&self, admin: &str) -> Vec<Value> {
        let listed = self.app.get("/v1/sessions", admin).await.expect(200);
        listed["sessions"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_and_is_signed_out_by_the_provider() {
    let people = json!({
        "ada": {"tenant": "acme", "groups": ["staff", "admin"], "name": "Ada"},
        "bob": {"tenant": "acme"},
    });
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let scene = Scene::new(algorithm, &people).await;
        let (workspace, admin) = scene.workspace("acme").await;
        let (ada, bob) = (Person::new(), Person::new());
        let (at, status, page) = scene
            .sign_in(&ada, "?return=/settings/sessions", "ada")
            .await;
        assert_eq!((at.as_str(), status), ("/settings/sessions", 200), "{page}");
        assert!(page.contains("Ada") && page.contains("Workspace acme"));
        let (at, status, page) = scene.sign_in(&bob, "", "bob").await;
        assert_eq!((at.as_str(), status), ("/projects", 200), "{page}");
        let sessions = scene.sessions(&admin).await;
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions[0]["subject"]["id"], "ada");
        assert_eq!(sessions[0]["role"], "admin");
        assert_eq!(sessions[1]["role"], "member");
        let log = scene.app.get("/v1/audit-events", &admin).await.expect(200);
        let entry = &log["audit_events"][0];
        assert_eq!(entry["action"], "sign_in_by_openid", "{log}");
        assert_eq!(entry["on_behalf_of"], "bob");
        assert_eq!(entry["workspace_id"], workspace);

        // The provider ends Ada's session, and nobody else's.
        ada.end_at(&scene.provider).await;
        let page = scene.app.url("/settings/sessions");
        assert_eq!(ada.get(&page).await.status, 401);
        assert_eq!(bob.get(&scene.app.url("/projects")).await.status, 200);
        assert_eq!(scene.sessions(&admin).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_the_id_token_lacks_are_asked_for() {
    let mut provider = OidcProvider::start();
    provider.claims_at_userinfo = true;
    let people = json!({
        "ada": {"tenant": "acme", "groups": ["staff", "admin"], "name": "Ada"},
        "bob": {"name": "Bob"},
    });
    let scene = Scene::beside(provider, "RS256", &people, |_| {}).await;
    let (_, admin) = scene.workspace("acme").await;
    let ada = Person::new();
    let (at, status, page) = scene.sign_in(&ada, "", "ada").await;
    assert_eq!((at.as_str(), status), ("/settings/storages", 200), "{page}");
    let sessions = scene.sessions(&admin).await;
    assert_eq!(sessions[0]["subject"]["id"], "ada");
    assert_eq!(sessions[0]["subject"]["name"], "Ada");
    let (_, status, page) = scene.sign_in(&Person::new(), "", "bob").await;
    assert_eq!(status, 403, "{page}");
    assert!(page.contains("no_workspace"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_signed_out_may_sign_out_at_the_provider_too() {
    let people = json!({"ada": {"tenant": "acme"}});
    let scene = Scene::new("RS256", &people).await;
    let (_, admin) = scene.workspace("acme").await;
    let ada = Person::new();
    scene.sign_in(&ada, "", "ada").await;
    let signed_out = scene.app.url("/signed-out");
    let page = ada.get(&signed_out).await;
    assert!(page.text.contains("/sign-in/oidc/end"), "{}", page.text);
    // Her sessions here end with that at the provider.
    assert_eq!(scene.sessions(&admin).await.len(), 1);
    let led = ada.get(&scene.app.url("/sign-in/oidc/end")).await;
    assert_eq!(led.status, 303, "{led:?}");
    let page = led.header("location").unwrap();
    assert!(page.starts_with(&scene.provider.issuer), "{page}");
    assert_eq!(ada.end_on(page).await, signed_out);
    assert!(scene.sessions(&admin).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_s_secret_is_read_again_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "another secret\n").unwrap();
    let people = json!({"ada": {"tenant": "acme"}});
    let scene = Scene::with("RS256", &people, |options| {
        options.oidc_client_secret = None;
        options.oidc_client_secret_file = file.to_str().map(str::to_owned);
    })
    .await;
    scene.workspace("acme").await;
    let (_, status, page) = scene.sign_in(&Person::new(), "", "ada").await;
    assert_eq!(status, 503, "{page}");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    scene.app.hang_up().await;
    let (at, status, page) = scene.sign_in(&Person::new(), "", "ada").await;
    assert_eq!((at.as_str(), status), ("/projects", 200), "{page}");
    // What cannot be used changes nothing.
    std::fs::write(&file, "\n").unwrap();
    scene.app.hang_up().await;
    let (at, status, page) = scene.sign_in(&Person::new(), "", "ada").await;
    assert_eq!((at.as_str(), status), ("/projects", 200), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_claims_say_which_workspaces_may_be_entered() {
    let people = json!({
        "one": {"tenant": ["acme", "gone"]},
        "two": {"tenant": ["acme", "globex"]},
        "none": {"tenant": "gone"},
        "nobody": {"name": "Nobody"},
        "operator": {"staff": ["sallyport"]},
    });
    let scene = Scene::with("RS256", &people, |options| {
        options.oidc_operator_claim = Some("staff=sallyport".to_owned());
    })
    .await;
    let (acme, acme_admin) = scene.workspace("acme").await;
    let (globex, globex_admin) = scene.workspace("globex").await;
    let (initech, initech_admin) = scene.workspace("initech").await;

    let person = Person::new();
    let (at, status, _) = scene.sign_in(&person, "", "one").await;
    assert_eq!((at.as_str(), status), ("/projects", 200));
    // Another workspace, and one that does not exist, are the same to them.
    for other in [globex.as_str(), "globex", "gone", "wrk_x"] {
        let query = format!("?workspace={other}");
        let (_, status, page) = scene.sign_in(&person, &query, "one").await;
        assert_eq!(status, 403, "{page}");
        assert!(page.contains("no_workspace") && page.contains("No workspace is yours here"));
    }
    assert!(scene.sessions(&globex_admin).await.is_empty());

    // Who may enter several chooses.
    let person = Person::new();
    let (_, status, page) = scene.sign_in(&person, "", "two").await;
    assert_eq!(status, 200);
    for id in [&acme, &globex] {
        assert!(page.contains(&format!("/sign-in/oidc?workspace={id}")));
    }
    assert!(!page.contains(&initech));
    for chosen in ["globex", globex.as_str()] {
        let query = format!("?workspace={chosen}&return=/signed-out");
        let (at, status, _) = scene.sign_in(&person, &query, "two").await;
        assert_eq!((at.as_str(), status), ("/signed-out", 200));
    }
    assert_eq!(scene.sessions(&globex_admin).await.len(), 2);

    for name in ["none", "nobody"] {
        let (_, status, page) = scene.sign_in(&Person::new(), "", name).await;
        assert_eq!(status, 403, "{page}");
        assert!(page.contains("no_workspace"));
    }
    assert_eq!(scene.sessions(&acme_admin).await.len(), 1);

    // The operator's staff may enter every workspace.
    let person = Person::new();
    let (_, status, page) = scene.sign_in(&person, "", "operator").await;
    assert_eq!(status, 200);
    assert!(page.contains(&acme) && page.contains(&globex) && page.contains(&initech));
    let (at, status, _) = scene
        .sign_in(
            &person,
            "?workspace=initech&return=/settings/sessions",
            "operator",
        )
        .await;
    assert_eq!((at.as_str(), status), ("/settings/sessions", 200));
    assert_eq!(scene.sessions(&initech_admin).await[0]["role"], "admin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_the_provider_is_good_once_and_in_the_browser_that_asked() {
    let people = json!({"ada": {"tenant": "acme"}});
    let scene = Scene::new("ES256", &people).await;
    let (_, admin) = scene.workspace("acme").await;
    let begin = scene.app.url("/sign-in/oidc");
    let (ada, other) = (Person::new(), Person::new());
    let callback = ada.walk_to_callback(&begin, "ada").await;

    // Another browser, without a sign-in of its own and with one.
    let refused = async |person: &Person, url: &str| {
        let answer = person.get(url).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.text.contains("sign_in_failed"), "{}", answer.text);
    };
    refused(&other, &callback).await;
    other.get(&begin).await;
    refused(&other, &callback).await;
    // Changed on its way.
    let with = |name: &str, value: &str| {
        let mut url = url::Url::parse(&callback).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(pairs.iter().map(|(known, old)| match known == name {
                true => (known.as_str(), value),
                false => (known.as_str(), old.as_str()),
            }));
        url.to_string()
    };
    refused(&ada, &with("state", "made-up")).await;
    refused(&ada, &with("iss", "https://evil.example")).await;
    refused(&ada, callback.split("&iss=").next().unwrap()).await;
    assert!(scene.sessions(&admin).await.is_empty());

    let arrived = ada.get(&callback).await;
    assert_eq!(arrived.status, 303, "{arrived:?}");
    refused(&ada, &callback).await;
    assert_eq!(scene.sessions(&admin).await.len(), 1);

    // A code that the provider does not know.
    let fresh = Person::new();
    let callback = fresh.walk_to_callback(&begin, "ada").await;
    let (before, _) = callback.split_once("code=").unwrap();
    let (_, after) = callback.split_once("&state=").unwrap();
    refused(&fresh, &format!("{before}code=made-up&state={after}")).await;
    assert_eq!(scene.sessions(&admin).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_sent_elsewhere_and_nobody_looks_ahead() {
    let scene = Scene::new("RS256", &json!({})).await;
    let person = Person::new();
    for path in [
        "//evil.example",
        "https://evil.example/",
        "/%5Cevil.example",
    ] {
        let url = scene.app.url(&format!("/sign-in/oidc?return={path}"));
        let answer = person.get(&url).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(!answer.headers.contains_key("location"));
    }
    let unknown = scene.app.url("/sign-in/oidc?redirect_uri=/");
    assert_eq!(person.get(&unknown).await.status, 422);
    let request = scene
        .app
        .client
        .get(scene.app.url("/sign-in/oidc"))
        .header("sec-purpose", "prefetch");
    assert_eq!(request.send().await.unwrap().status(), 204);
    // What is no logout token ends nothing.
    for form in ["", "logout_token=", "logout_token=a.b.c"] {
        let url = scene.app.url("/sign-in/oidc/logout");
        let answer = person.send(Method::POST, &url, Some(form)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_way_and_one_that_is_away_stops_no_start() {
    let app = TestApp::spawn().await;
    for path in ["/sign-in/oidc", "/sign-in/oidc/callback?code=a&state=b"] {
        app.get(path, "")
            .await
            .problem(404, "sign_in_not_configured");
    }
    let logout = app.request(Method::POST, "/sign-in/oidc/logout", "");
    let logout = logout.send().await.unwrap();
    assert_eq!(logout.status(), 404);

    let away = TestApp::spawn_with(|options| {
        // Nothing listens on the discard port.
        options.oidc_issuer = Some("http://127.0.0.1:9".to_owned());
        options.oidc_client_id = Some(CLIENT.to_owned());
    })
    .await;
    let answer = away.get("/sign-in/oidc", "").await;
    answer.problem(503, "issuer_unavailable");
    let welcome = away.get("/", "").await;
    assert!(welcome.text.contains("href=\"/sign-in/oidc\""));
}
