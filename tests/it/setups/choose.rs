//! Choosing instead of typing, as browsers without a script do it.

use crate::it::connections::custom_endpoints::{app_allowing, user_key};
use crate::it::setups::pages::{Browser, location, shows};
use crate::it::support::app::TestApp;
use crate::it::support::emulator::{Customer, Emulator};
use crate::it::support::scene::Scene;
use serde_json::json;

#[tokio::test]
async fn a_pasted_address_fills_bucket_prefix_and_region() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    for (typed, region) in [
        ("s3://acme-data/team/", None),
        ("arn:aws:s3:::acme-data/team/*", None),
        (
            "https://eu-west-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/",
            Some("eu-west-1"),
        ),
    ] {
        let setup = admin.open_setup().await;
        let fields = [
            ("step", "bucket"),
            ("bucket", typed),
            ("prefix", ""),
            ("region", ""),
        ];
        let saved = admin.post(&format!("{setup}/autosave"), &fields).await;
        shows(
            &saved,
            200,
            "From the address: bucket <code>acme-data</code>, prefix <code>team/</code>",
        );
        shows(&saved, 200, "data-fill=\"acme-data\"");
        shows(&saved, 200, "data-fill=\"team/\"");
        assert_eq!(
            region.is_some(),
            saved.text.contains("data-fill=\"eu-west-1\"")
        );
        let answer = admin.post(&setup, &fields).await;
        assert_eq!(location(&answer), format!("{setup}?step=role"));
        let page = admin.get(&format!("{setup}?step=bucket")).await;
        shows(&page, 200, "value=\"acme-data\"");
        shows(&page, 200, "value=\"team/\"");
        // The Region is also offered from a list.
        shows(&page, 200, "<option value=\"ap-southeast-2\">");
        shows(&page, 200, "list=\"regions\"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_access_key_bucket_and_folder_are_chosen_from_lists() {
    let app = app_allowing("127.0.0.0/8").await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let customer: Customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer.put_object(&bucket, "team/inner/a.txt", "x").await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "s3:ListBucket"], "Resource": ["*"]}
    ]});
    let (id, secret) = user_key(&customer, &policy).await;

    let setup = admin.open_setup().await;
    let choose = format!("{setup}/choose");
    shows(&admin.get(&choose).await, 200, "The role is not known yet");
    let by_key = [("step", "bucket"), ("stay", "yes"), ("auth", "access_key")];
    admin.post(&setup, &by_key).await;
    shows(
        &admin.get(&format!("{setup}?step=bucket")).await,
        200,
        "Choose from a list",
    );
    shows(&admin.get(&choose).await, 200, "Enter the access key first");
    let half = admin.post(&choose, &[("access_key_id", id.as_str())]).await;
    shows(&half, 422, "Enter the access key first");
    let endpoint = Emulator::url();
    let key = [
        ("access_key_id", id.as_str()),
        ("secret_access_key", secret.as_str()),
        ("endpoint", endpoint.as_str()),
    ];
    assert_eq!(location(&admin.post(&choose, &key).await), choose);
    let buckets = admin.get(&choose).await;
    shows(&buckets, 200, &format!("<bdi>{bucket}</bdi>"));
    assert!(!buckets.text.contains(&secret));
    let folders = admin.get(&format!("{choose}?bucket={bucket}")).await;
    shows(&folders, 200, "<bdi>team</bdi>");
    shows(&folders, 200, "Use the whole bucket");
    let below = admin
        .get(&format!("{choose}?bucket={bucket}&folder=%2Fteam%2F"))
        .await;
    shows(&below, 200, "<bdi>inner</bdi>");
    let take = [
        ("step", "bucket"),
        ("bucket", bucket.as_str()),
        ("prefix", "/team/inner/"),
    ];
    let taken = admin.post(&setup, &take).await;
    assert_eq!(location(&taken), format!("{setup}?step=role"));
    shows(
        &admin.get(&format!("{setup}?step=bucket")).await,
        200,
        "value=\"team/inner/\"",
    );
    // Not for members.
    let member = Browser::signed_in(&app, &workspace, "member").await;
    assert_eq!(member.get(&choose).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_list_buckets_says_what_it_needs_and_lists_folders() {
    let app = TestApp::spawn_on_emulator().await;
    let applied = Scene::on(Emulator).apply(&app).await;
    let dialog = &applied.dialog;
    let admin = Browser::signed_in(&app, &dialog.workspace, "admin").await;
    applied
        .customer
        .put_object(&applied.bucket, "team/x.txt", "x")
        .await;
    let choose = format!("/settings/setups/{}/choose", dialog.id);
    let refused = admin.get(&choose).await;
    shows(&refused, 200, "s3:ListAllMyBuckets");
    shows(&refused, 200, "Enter the bucket’s name");
    let folders = admin
        .get(&format!("{choose}?bucket={}", applied.bucket))
        .await;
    shows(&folders, 200, "<bdi>team</bdi>");
}
