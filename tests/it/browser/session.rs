//! Coming, going, and what a session is worth.

use crate::it::browser::world::World;
use crate::it::support::app::OPERATOR;
use crate::it::support::browser;
use reqwest::redirect::Policy;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once_and_the_cookie_is_kept_from_scripts() {
    let world = World::new().await;
    browser::run("sign_in_once", async |browsers| {
        let page = browsers.open().await;
        let link = world.link("admin", "settings").await;
        page.goto(&link).await;
        page.at("/settings/storages").await;
        page.see("Storages").await;

        let cookies = page.cookies().await;
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let cookie = &cookies[0];
        assert_eq!(cookie["name"], "sallyport_session");
        assert_eq!(cookie["httpOnly"], true);
        assert_eq!(cookie["sameSite"], "Lax");
        assert_eq!(cookie["path"], "/");
        assert_eq!(cookie["secure"], false);
        assert_eq!(page.eval("document.cookie").await, "");

        let other = browsers.open().await;
        other.expect_status(401);
        other.goto(&link).await;
        other
            .see("This sign-in link has been used, or its time is up.")
            .await;
        assert!(other.cookies().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_not_only_its_cookie() {
    let world = World::new().await;
    browser::run("sign_out", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(401);
        world.sign_in(&page).await;
        let cookie = page.cookies().await[0]["value"]
            .as_str()
            .unwrap()
            .to_owned();
        page.press("Your session").await;
        page.press("Sign out").await;
        page.see("You are signed out").await;
        // What is left says whose addresses these were, and opens nothing.
        let left = page.cookies().await;
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0]["name"], "sallyport_left");
        let workspace = left[0]["value"].as_str().unwrap();
        assert!(world.workspace.id.ends_with(workspace), "{left:?}");
        world.goto(&page, "/settings/storages").await;
        page.see("Please sign in again").await;

        let stolen = json!({"cookie": {"name": "sallyport_session", "value": cookie, "path": "/"}});
        page.session.post("cookie", stolen).await.unwrap();
        world.goto(&page, "/settings/storages").await;
        page.see("Please sign in again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_session_ends() {
    let world = World::with(|options| options.session_idle = Some("1s".into())).await;
    browser::run("session_idle", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(401);
        page.goto(&world.link("admin", "settings").await).await;
        let ended = "return (await fetch('/settings/storages')).status === 401;";
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while page.eval_async(ended, json!([])).await != true {
            assert!(std::time::Instant::now() < until);
            // Longer than the idle time: asking uses the session.
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        }
        world.goto(&page, "/settings/storages").await;
        page.see("Please sign in again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_revoked_by_an_admin_of_its_workspace_alone() {
    let world = World::new().await;
    let other = world.app.workspace().await;
    browser::run("session_revoked_by_api", async |browsers| {
        let (page, stays) = (browsers.open().await, browsers.open().await);
        page.expect_status(401);
        world.sign_in(&page).await;
        let (app, admin) = (&world.app, &world.workspace.admin);
        let listed = app.get("/v1/sessions", admin).await.expect(200);
        let session = &listed["sessions"][0];
        assert_eq!(session["role"], "admin");
        world.sign_in_as_member(&stays).await;
        let path = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        app.delete(&path, &other.admin)
            .await
            .problem(404, "not_found");
        let member = &world.workspace.member;
        app.delete(&path, member)
            .await
            .problem(403, "admin_required");
        app.delete(&path, admin).await.expect(204);
        page.reload().await;
        page.see("Please sign in again").await;
        app.delete(&path, admin).await.problem(404, "not_found");
        stays.reload().await;
        stays.see("Projects").await;
        let left = app.get("/v1/sessions", admin).await.expect(200);
        assert_eq!(left["sessions"].as_array().unwrap().len(), 1, "{left}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_workspace_ends_its_sessions() {
    let world = World::new().await;
    browser::run("session_revoked", async |browsers| {
        let page = browsers.open().await;
        page.expect_status(401);
        world.sign_in(&page).await;
        let path = format!("/v1/workspaces/{}", world.workspace.id);
        world.app.delete(&path, OPERATOR).await.expect(204);
        page.reload().await;
        page.see("Please sign in again").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let cookie = async |ancestors: Option<&str>| {
        let world = World::with(|options| {
            options.public_url = Some("https://sallyport.example.com".into());
            options.frame_ancestors = ancestors.map(str::to_owned);
        })
        .await;
        let link = world.link("admin", "settings").await;
        let path = link
            .strip_prefix("https://sallyport.example.com")
            .unwrap()
            .to_owned();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .unwrap();
        let answer = client.get(world.url(&path)).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        answer.headers()["set-cookie"].to_str().unwrap().to_owned()
    };
    let own = cookie(None).await;
    assert!(own.starts_with("__Host-sallyport_session="), "{own}");
    for part in ["; HttpOnly", "; Secure", "; Path=/", "; SameSite=Lax"] {
        assert!(own.contains(part), "{own}");
    }
    assert!(!own.contains("Domain"), "{own}");
    let embedded = cookie(Some("https://app.example.com")).await;
    for part in [
        "__Host-",
        "; HttpOnly",
        "; Secure",
        "; SameSite=None",
        "; Partitioned",
    ] {
        assert!(embedded.contains(part), "{embedded}");
    }
}
