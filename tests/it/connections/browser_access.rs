//! Buckets that browsers use, and those that only servers use.

use crate::application::connections::provision::GivenDocuments;
use crate::it::setups::pages::{Browser, shows};
use crate::it::storages::api::Stored;
use crate::it::support::app::{TestApp, app_on};
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::scene::{Dialog, Scene};
use serde_json::{Value, json};

#[tokio::test]
async fn without_browsers_cors_is_neither_rendered_nor_asked_nor_needed() {
    for access in ["read", "read_write"] {
        let stub = AwsStub::start().await;
        stub.world().cors = false;
        let app = app_on(&stub.sdk_config()).await;
        let dialog = Scene::on(&stub).access(access).open(&app).await;
        assert_eq!(dialog.get().await["browser_access"], true);
        dialog.check().await.failed(&["cors"]);

        let only_servers = json!({"browser_access": false});
        let setup = dialog.patch(only_servers).await.expect(200);
        assert_eq!(setup["browser_access"], false);
        assert_eq!(setup["check_is_current"], false);
        stub.clear();
        let report = dialog.check().await.works();
        assert_eq!(report.status("cors"), "skipped");
        assert_eq!(stub.count("CorsPreflight"), 0);
        assert_no_cors(&dialog.documents().await);
        let absent = dialog.path("/documents/cors");
        let absent = app.get(&absent, &dialog.workspace.admin).await;
        absent.problem(404, "not_found");

        let storage = Stored::of(&dialog).await;
        assert_eq!(storage.get().await["browser_access"], false);
        let documents = format!("{}/documents", storage.path);
        let documents = app.get(&documents, &dialog.workspace.admin).await;
        assert_no_cors(&documents.expect(200));
        // Servers use signed URLs as before.
        let sign = format!("{}/files/sign", storage.path);
        let body = json!({"key": "/a.txt", "method": "GET"});
        let signed = app.post(&sign, &dialog.workspace.member, &body).await;
        assert!(signed.expect(200)["urls"][0]["url"].is_string());

        // From now on browsers shall use it: that needs a check, which asks for CORS.
        let browsers = json!({"browser_access": true});
        let changed = storage.patch(browsers).await.expect(200);
        assert_eq!(changed["browser_access"], false);
        assert_eq!(changed["pending"]["changes"], json!(["browser_access"]));
        storage.check_pending().await.failed(&["cors"]);
        storage.check().await.works();
        storage.files().await.expect(200);
        stub.world().cors = true;
        storage.check_pending().await.works();
        assert_eq!(storage.get().await["browser_access"], true);
    }
}

fn assert_no_cors(documents: &Value) {
    assert_eq!(documents["cors"], json!(null));
    for name in ["cloudformation", "terraform"] {
        let text = documents[name].as_str().unwrap().to_lowercase();
        assert!(!text.contains("cors"), "{text}");
    }
    let script = documents["cli"].as_str().unwrap();
    assert!(!script.contains("AllowedOrigins\":"), "{script}");
    // `sallyport provision` takes them as they are.
    let given = GivenDocuments::parse(documents.to_string().as_bytes()).unwrap();
    assert!(given.cors.is_empty());
}

#[tokio::test]
async fn browsers_use_a_bucket_unless_it_is_said_otherwise() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    let dialog = Dialog::open(&app, json!({"browser_access": false})).await;
    assert_eq!(dialog.get().await["browser_access"], false);
    let cleared = dialog.patch(json!({"browser_access": null})).await;
    assert_eq!(cleared.expect(200)["browser_access"], true);
    for wrong in [json!("yes"), json!(0)] {
        let refused = dialog.patch(json!({"browser_access": wrong})).await;
        refused.refused_field("browser_access");
    }
}

#[tokio::test]
async fn the_pages_leave_out_what_only_browsers_need() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let page = admin.get(&format!("{setup}?step=bucket")).await;
    shows(&page, 200, "Browsers use the bucket directly");
    let save = async |access: &str| {
        let fields = [
            ("step", "bucket"),
            ("bucket", "acme-data"),
            ("access", access),
            ("browser_access", "false"),
        ];
        let answer = admin.post(&setup, &fields).await;
        assert_eq!(
            crate::it::setups::pages::location(&answer),
            format!("{setup}?step=role")
        );
    };
    save("read_write").await;
    let by_hand = format!("{setup}?step=role&way=console");
    let rules = admin.get(&by_hand).await;
    shows(&rules, 200, "sallyport-temp");
    let says_cors = |page: &str| page.contains("(CORS)") || page.contains("AllowedOrigins");
    assert!(!says_cors(&rules.text), "{}", rules.text);
    let made = admin
        .post(&format!("{setup}/link"), &[("step", "role")])
        .await;
    let (_, after) = made.text.split_once("/instructions/").unwrap();
    let link = format!("/instructions/{}", after.split('<').next().unwrap());
    let mut somebody = Browser::anonymous(&app);
    let link = somebody.open_link(&link).await;
    let page = somebody.get(&format!("{link}?way=console")).await;
    shows(&page, 200, "sallyport-temp");
    shows(&page, 200, "s3:PutLifecycleConfiguration");
    assert!(!says_cors(&page.text), "{}", page.text);
    assert!(!page.text.contains("BucketCORS"), "{}", page.text);

    // Nobody writes, either: there are no rules at all.
    save("read").await;
    let rules = admin.get(&by_hand).await;
    shows(&rules, 200, "sts:ExternalId");
    assert!(
        !rules.text.contains("add these to the list"),
        "{}",
        rules.text
    );
    let page = somebody.get(&format!("{link}?way=console")).await;
    shows(&page, 200, "sts:ExternalId");
    for rules in ["BucketCORS", "LifecycleConfiguration", "Remove the rules"] {
        assert!(!page.text.contains(rules), "{rules}: {}", page.text);
    }
}
