//! Answers of an OpenID provider that must not sign anybody in, given by a provider that the test plays.

use crate::application::clock::{Clock, SystemClock};
use crate::application::error::Error;
use crate::application::kept::store::{SignInStore, Store, Window};
use crate::application::kept::vault::{MasterKey, Vault};
use crate::application::people::issuer::{
    DocumentPlace, IssuerClient, NoAnswer, Reply, TokenRequest,
};
use crate::application::people::link_rate::LinkRate;
use crate::application::people::openid::{
    Finished, OpenIdClient, OpenIdParts, OpenIdSignIn, OwnAddresses, ProviderAnswer,
};
use crate::application::people::sign_in::SignIns;
use crate::application::people::workspaces::Workspaces;
use crate::database::Database;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::issuer_url::IssuerUrl;
use crate::it::database::contract::samples;
use crate::it::support::signer::{Kind, Signer};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;

const ISSUER: &str = "https://id.example.com";
const CLIENT: &str = "sallyport";

/// The provider: what it publishes, and the ID token that it gives next.
struct Provider {
    keys: Value,
    id_token: Mutex<String>,
    /// What its userinfo endpoint says.
    about: Mutex<Value>,
    /// The forms that its token endpoint got.
    redeemed: Mutex<Vec<HashMap<String, String>>>,
}

#[async_trait]
impl IssuerClient for Provider {
    async fn document(&self, place: &DocumentPlace) -> Result<Vec<u8>, NoAnswer> {
        let DocumentPlace::Url(url) = place else {
            return Err(NoAnswer("no file".to_owned()));
        };
        let document = match url.path() {
            "/.well-known/openid-configuration" => json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/auth"),
                "token_endpoint": format!("{ISSUER}/token"),
                "jwks_uri": format!("{ISSUER}/keys"),
                "userinfo_endpoint": format!("{ISSUER}/userinfo"),
            }),
            "/keys" => self.keys.clone(),
            other => return Err(NoAnswer(format!("not found: {other}"))),
        };
        Ok(document.to_string().into_bytes())
    }

    async fn tokens(&self, request: TokenRequest<'_>) -> Result<Reply, NoAnswer> {
        let form = request.fields.iter();
        let form = form.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.redeemed.lock().unwrap().push(form.collect());
        let body = json!({"access_token": "x", "id_token": *self.id_token.lock().unwrap()});
        Ok(Reply {
            status: 200,
            body: body.to_string().into_bytes(),
        })
    }

    async fn userinfo(&self, _: &Url, token: &SecretString) -> Result<Vec<u8>, NoAnswer> {
        assert_eq!(token.expose_secret(), "x");
        let about = self.about.lock().unwrap();
        Ok(about.to_string().into_bytes())
    }
}

struct Scene {
    provider: Arc<Provider>,
    signer: Signer,
    database: Database,
    workspace: WorkspaceId,
    ways: OpenIdSignIn,
}

impl Scene {
    async fn new() -> Self {
        let signer = Signer::new(Kind::Rs256, "one");
        let provider = Arc::new(Provider {
            keys: Signer::key_set(&[&signer]),
            id_token: Mutex::default(),
            about: Mutex::default(),
            redeemed: Mutex::default(),
        });
        let database = Database::in_memory().await.unwrap();
        let workspace = samples::workspace(&database).await.id;
        let store: Arc<dyn Store> = Arc::new(database.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let workspaces = Arc::new(Workspaces {
            store: store.clone(),
            clock: clock.clone(),
        });
        let sign_ins = Arc::new(SignIns {
            store: store.clone(),
            clock: clock.clone(),
            workspaces: workspaces.clone(),
            link_lifetime: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            absolute: Duration::from_secs(600),
            return_origins: Vec::new(),
            rate: LinkRate::default(),
        });
        let settings = OpenIdClient {
            issuer: IssuerUrl::parse(ISSUER).unwrap(),
            id: CLIENT.to_owned(),
            secret: None,
            workspace_claim: "workspace".to_owned(),
            role_claim: "role".to_owned(),
            operator_claim: None,
        };
        let addresses = OwnAddresses {
            begin: "https://sallyport.example.com/sign-in/oidc".to_owned(),
            callback: "https://sallyport.example.com/sign-in/oidc/callback".to_owned(),
            signed_out: "https://sallyport.example.com/signed-out".to_owned(),
        };
        let parts = OpenIdParts {
            client: provider.clone(),
            store,
            vault: Arc::new(Vault::new(&MasterKey::generate().unwrap().0).unwrap()),
            clock,
            sign_ins,
            workspaces,
        };
        Self {
            provider,
            signer,
            database,
            workspace,
            ways: OpenIdSignIn::new(settings, addresses, parts),
        }
    }

    /// Goes to the provider and comes back with an ID token that `token` makes of good claims.
    async fn come(&self, token: impl FnOnce(Value) -> String) -> Result<Finished, Error> {
        let sent = self.ways.begin(None, None).await.unwrap();
        let asked: HashMap<String, String> = Url::parse(&sent.to)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let claims = json!({
            "iss": ISSUER, "aud": CLIENT, "sub": "user-1", "workspace": self.workspace.as_str(),
            "iat": now(), "exp": now() + 300, "nonce": asked["nonce"], "sid": "session-1",
        });
        *self.provider.id_token.lock().unwrap() = token(claims);
        let answer = ProviderAnswer {
            code: Some("code-1".to_owned()),
            state: Some(asked["state"].clone()),
            iss: Some(ISSUER.to_owned()),
            error: None,
        };
        self.ways
            .finish(answer, Some(sent.sealed.expose_secret()))
            .await
    }

    async fn refused(&self, token: impl FnOnce(Value) -> String) {
        let error = self.come(token).await.err().unwrap();
        assert_eq!(error.code, "sign_in_failed", "{:?}", error.internal);
    }

    async fn sessions(&self) -> usize {
        let window = Window {
            after: None,
            limit: 100,
        };
        let listed = self.database.list_sessions(&self.workspace, &window).await;
        listed.unwrap().len()
    }

    fn logout(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": CLIENT, "iat": now(), "exp": now() + 120,
            "jti": uuid::Uuid::new_v4().to_string(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        change(&mut claims);
        self.signer.token(&claims)
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

#[tokio::test]
async fn hostile_id_tokens_sign_nobody_in() {
    let scene = Scene::new().await;
    let changes: [fn(&mut Value); 12] = [
        |c| c["iss"] = json!("https://evil.example"),
        |c| c["aud"] = json!("another-client"),
        |c| c["aud"] = json!([CLIENT, "another-client"]),
        |c| c["azp"] = json!("another-client"),
        |c| c["exp"] = json!(now() - 61),
        |c| c["iat"] = json!(now() + 120),
        |c| c["iat"] = json!(null),
        |c| c["nonce"] = json!("of another sign-in"),
        |c| c["nonce"] = json!(null),
        |c| c["sub"] = json!(null),
        |c| c["sub"] = json!("with a space"),
        |c| c["exp"] = json!("later"),
    ];
    for change in changes {
        scene
            .refused(|mut claims| {
                change(&mut claims);
                scene.signer.token(&claims)
            })
            .await;
    }
    let other = Signer::new(Kind::Rs256, "one");
    let unknown = Signer::new(Kind::Rs256, "two");
    scene.refused(|claims| other.token(&claims)).await;
    scene.refused(|claims| unknown.token(&claims)).await;
    for algorithm in ["none", "HS256", "PS256"] {
        let header = json!({"alg": algorithm, "kid": "one"});
        scene
            .refused(|claims| scene.signer.signed(&header, &claims))
            .await;
    }
    scene
        .refused(|claims| {
            let token = scene.signer.token(&claims);
            let (unsigned, _) = token.rsplit_once('.').unwrap();
            format!("{unsigned}.")
        })
        .await;
    scene.refused(|_| String::new()).await;
    assert_eq!(scene.sessions().await, 0);
    // A logout token is no ID token.
    scene
        .refused(|_| scene.logout(|c| c["sub"] = json!("user-1")))
        .await;
    // Another workspace than those that are there.
    let come = scene.come(|mut claims| {
        claims["workspace"] = json!("another");
        scene.signer.token(&claims)
    });
    assert_eq!(come.await.err().unwrap().code, "no_workspace");
    assert_eq!(scene.sessions().await, 0);

    let come = scene.come(|claims| scene.signer.token(&claims)).await;
    assert!(matches!(come, Ok(Finished::SignedIn { .. })));
    assert_eq!(scene.sessions().await, 1);
}

/// Where the ID token does not say which workspaces somebody may enter, the userinfo endpoint may: of the same person.
#[tokio::test]
async fn userinfo_of_somebody_else_signs_nobody_in() {
    let scene = Scene::new().await;
    let workspace = scene.workspace.as_str();
    let without = |mut claims: Value| {
        claims.as_object_mut().unwrap().remove("workspace");
        scene.signer.token(&claims)
    };
    for about in [
        json!({"sub": "user-2", "workspace": workspace}),
        json!({"workspace": workspace}),
        json!({"sub": ["user-1"], "workspace": workspace}),
    ] {
        *scene.provider.about.lock().unwrap() = about;
        scene.refused(without).await;
    }
    for (about, code) in [
        (json!(["user-1"]), "issuer_unavailable"),
        (json!({"sub": "user-1"}), "no_workspace"),
    ] {
        *scene.provider.about.lock().unwrap() = about;
        let refused = scene.come(without).await.err().unwrap();
        assert_eq!(refused.code, code);
    }
    assert_eq!(scene.sessions().await, 0);
    let about = json!({"sub": "user-1", "workspace": workspace, "nonce": "other", "exp": 1});
    *scene.provider.about.lock().unwrap() = about;
    let come = scene.come(without).await;
    assert!(matches!(come, Ok(Finished::SignedIn { .. })));
    // What the token says counts.
    let come = scene.come(|mut claims| {
        claims["workspace"] = json!("another");
        scene.signer.token(&claims)
    });
    assert_eq!(come.await.err().unwrap().code, "no_workspace");
    assert_eq!(scene.sessions().await, 1);
}

#[tokio::test]
async fn the_code_goes_to_the_provider_with_the_secret_of_its_sign_in() {
    let scene = Scene::new().await;
    let sent = scene.ways.begin(None, None).await.unwrap();
    let asked: HashMap<String, String> = Url::parse(&sent.to)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["scope"], "openid profile");
    let come = scene.come(|claims| scene.signer.token(&claims)).await;
    assert!(come.is_ok());
    let redeemed = scene.provider.redeemed.lock().unwrap();
    let form = &redeemed[0];
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "code-1");
    assert_eq!(form["client_id"], CLIENT);
    assert_eq!(form["code_verifier"].len(), 43);
    // The verifier was never on its way through the browser.
    assert!(!sent.to.contains(&form["code_verifier"]));
}

#[tokio::test]
async fn hostile_logout_tokens_end_nothing() {
    let scene = Scene::new().await;
    for _ in 0..2 {
        let come = scene.come(|claims| scene.signer.token(&claims)).await;
        assert!(come.is_ok());
    }
    let refused = async |token: String| {
        let error = scene.ways.end_by(&token).await.unwrap_err();
        assert_eq!(error.code, "logout_token_refused");
        assert_eq!(scene.sessions().await, 2);
    };
    let with = |name: &'static str, value: Value| {
        scene.logout(|c| {
            c["sub"] = json!("user-1");
            c[name] = value;
        })
    };
    for token in [
        with("iss", json!("https://evil.example")),
        with("aud", json!("another-client")),
        with("exp", json!(now() - 61)),
        with("exp", json!(now() + 10_000)),
        with("iat", json!(now() + 120)),
        with("events", json!({})),
        with("events", json!(null)),
        with("nonce", json!("n")),
        with("jti", json!(null)),
        with("sub", json!(null)),
    ] {
        refused(token).await;
    }
    let other = Signer::new(Kind::Rs256, "one");
    refused(other.token(&json!({"iss": ISSUER}))).await;
    // Other people, and another session of the provider.
    for (claim, value) in [("sub", "user-2"), ("sid", "session-2")] {
        let token = scene.logout(|c| c[claim] = json!(value));
        assert_eq!(scene.ways.end_by(&token).await.unwrap(), 0);
    }
    assert_eq!(scene.sessions().await, 2);
    let token = scene.logout(|c| c["sid"] = json!("session-1"));
    assert_eq!(scene.ways.end_by(&token).await.unwrap(), 2);
    assert_eq!(scene.sessions().await, 0);

    // The same token ends nothing that began after it.
    let come = scene.come(|claims| scene.signer.token(&claims)).await;
    assert!(come.is_ok());
    let again = scene.ways.end_by(&token).await.unwrap_err();
    assert_eq!(again.code, "logout_token_refused");
    assert_eq!(scene.sessions().await, 1);
    let of_person = scene.logout(|c| c["sub"] = json!("user-1"));
    assert_eq!(scene.ways.end_by(&of_person).await.unwrap(), 1);
}
