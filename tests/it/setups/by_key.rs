//! Setting up AWS for an access key on the pages, as browsers without a script use them.

use crate::it::setups::pages::{Browser, location, shows};
use crate::it::support::app::TestApp;

#[tokio::test]
async fn an_access_key_has_every_way_in_aws_and_what_applies_at_a_store() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let bucket = [
        ("step", "bucket"),
        ("bucket", "acme-data"),
        ("auth", "access_key"),
    ];
    assert_eq!(
        location(&admin.post(&setup, &bucket).await),
        format!("{setup}?step=role")
    );
    let made = admin
        .post(&format!("{setup}/link"), &[("step", "role")])
        .await;
    let (_, after) = made.text.split_once("/instructions/").unwrap();
    let link = format!("/instructions/{}", after.split('<').next().unwrap());
    let question = admin.get(&format!("{setup}?step=role")).await;
    let somebody = Browser::anonymous(&app);
    for (way, document) in [
        ("cli", "create-access-key"),
        ("cloudformation", "AWS::IAM::User"),
        ("terraform", "aws_iam_user"),
        ("console", "s3:GetObject"),
    ] {
        shows(&question, 200, &format!("way={way}\""));
        let page = admin.get(&format!("{setup}?step=role&way={way}")).await;
        shows(&page, 200, document);
        shows(&page, 200, "in the last step, <em>Connect</em>");
        let page = somebody.get(&format!("{link}?way={way}")).await;
        shows(&page, 200, document);
        shows(&page, 200, "This page takes no secret.");
        shows(&page, 200, "<code>iam:CreateAccessKey</code>");
    }

    let store = [("step", "bucket"), ("endpoint", "https://s3.example.com")];
    location(&admin.post(&setup, &store).await);
    let question = admin.get(&format!("{setup}?step=role")).await;
    shows(&question, 200, "How do you want to set up the store?");
    shows(&question, 200, "<span>Set up the store</span>");
    assert!(!question.text.contains("way=cli"), "{}", question.text);
    // A way that there is not is no page of its own.
    let none = admin.get(&format!("{setup}?step=role&way=cli")).await;
    shows(&none, 200, "How do you want to set up the store?");
    let page = somebody.get(&link).await;
    shows(&page, 200, "1. Set up the store by hand");
    assert!(!page.text.contains("iam:"), "{}", page.text);
}
