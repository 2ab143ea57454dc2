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
    let mut somebody = Browser::anonymous(&app);
    let link = somebody.open_link(&link).await;
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

#[tokio::test]
async fn the_user_is_made_where_the_page_says() {
    let app = TestApp::spawn_on_emulator().await;
    let workspace = app.workspace().await;
    let admin = Browser::signed_in(&app, &workspace, "admin").await;
    let setup = admin.open_setup().await;
    let bucket = [
        ("step", "bucket"),
        ("bucket", "acme-data"),
        ("auth", "access_key"),
    ];
    admin.post(&setup, &bucket).await;
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    let place = [
        ("step", "role"),
        ("way", "cli"),
        ("stay", "yes"),
        ("role_path", "/vendors/"),
        ("permissions_boundary_arn", boundary),
    ];
    let page = admin.get(&format!("{setup}?step=role&way=cli")).await;
    shows(&page, 200, "id=\"user-place\">");
    let saved = admin.post(&setup, &place).await;
    assert_eq!(location(&saved), format!("{setup}?step=role&way=cli"));
    for (way, path) in [
        ("cli", "role_path='/vendors/'"),
        ("cloudformation", "/vendors/"),
        ("terraform", "/vendors/"),
    ] {
        let page = admin.get(&format!("{setup}?step=role&way={way}")).await;
        for words in [
            " in the path <code>/vendors/</code>",
            format!("permissions boundary <code>{boundary}</code>").as_str(),
            "id=\"user-place\" open",
        ] {
            shows(&page, 200, words);
        }
        let document = admin.get(&format!("{setup}/documents/{way}")).await;
        shows(&document, 200, boundary);
        let text = document.text.replace("\"", "'");
        assert!(text.contains(path), "{way}: {text}");
    }
    let page = admin.get(&format!("{setup}?step=role&way=console")).await;
    shows(
        &page,
        200,
        "The console creates users in the path <code>/</code> only.",
    );
    // The same fields on the last step, and what is wrong beside them.
    let page = admin.get(&format!("{setup}?step=check")).await;
    shows(&page, 200, "name=\"role_path\" value=\"/vendors/\"");
    assert!(!page.text.contains("Assume the role"), "{}", page.text);
    let wrong = [("step", "check"), ("stay", "yes"), ("role_path", "vendors")];
    let refused = admin.post(&setup, &wrong).await;
    shows(&refused, 422, "A path begins and ends with");
    let empty = [("step", "check"), ("stay", "yes"), ("role_path", "")];
    assert_eq!(
        location(&admin.post(&setup, &empty).await),
        format!("{setup}?step=check")
    );
}
