//! One click in the customer's console: the link, the template that it names, and the stack that comes of both.

use crate::it::connections::scripts::run_as;
use crate::it::support::app::TestApp;
use crate::it::support::emulator::{Emulator, REGION};
use crate::it::support::scene::Dialog;
use serde_json::{Value, json};

/// What the link says, by name.
fn said_by(link: &str) -> Vec<(String, String)> {
    let (_, query) = link.split_once("#/stacks/quickcreate?").unwrap();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

#[tokio::test]
async fn the_stack_of_the_link_makes_a_role_that_passes_the_check() {
    let vendor = Emulator::vendor().await;
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.template_bucket = Some(vendor.bucket.clone());
    })
    .await;
    let customer = Emulator::customer();
    let bucket = customer.create_bucket().await;
    customer
        .put_object(&bucket, "it's, \"a\" & b/a.txt", "hello")
        .await;
    let settings = json!({
        "bucket": bucket,
        "prefix": "it's, \"a\" & b/",
        "region": REGION,
        "customer_account_id": customer.account,
        "browser_access": false,
    });
    let dialog = Dialog::open(&app, settings).await;
    let documents = dialog.documents().await;
    let link = documents["cloudformation_quick_create_url"]
        .as_str()
        .unwrap();
    let console = format!(
        "https://console.aws.amazon.com/cloudformation/home?region={REGION}#/stacks/quickcreate?"
    );
    assert!(link.starts_with(&console), "{link}");
    let said = said_by(link);
    let url = &said
        .iter()
        .find(|(name, _)| name == "templateURL")
        .unwrap()
        .1;
    let digest = url
        .rsplit('/')
        .next()
        .unwrap()
        .strip_suffix(".json")
        .unwrap();
    assert!(
        digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{url}"
    );
    let key = url.split_once(&format!("/{}/", vendor.bucket)).unwrap().1;
    let put = aws_sdk_s3::config::Builder::from(&vendor.sdk_config).force_path_style(true);
    let put = aws_sdk_s3::Client::from_conf(put.build());
    let put = put
        .get_object()
        .bucket(&vendor.bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    let template = put.body.collect().await.unwrap().to_vec();
    let template = String::from_utf8(template).unwrap();
    // Nothing of the setup is in what everybody can read.
    for secret in [&dialog.external_id, &dialog.id, &customer.account, &bucket] {
        assert!(!template.contains(secret.as_str()), "{secret}");
        assert!(
            link.contains(secret.as_str()) || secret == &customer.account,
            "{secret}"
        );
    }

    let parameters: Vec<Value> = said
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("param_")?, value)))
        .map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value}))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let parameters = write("parameters.json", &json!(parameters).to_string());
    let template = write("template.json", &template);
    let script = format!(
        "set -eu\naws cloudformation create-stack --stack-name connect --capabilities CAPABILITY_NAMED_IAM --template-body 'file://{template}' --parameters 'file://{parameters}'\naws cloudformation wait stack-create-complete --stack-name connect\n"
    );
    let made = run_as(&customer, &script, REGION).await;
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    // The role is the one that was expected: no ARN is entered.
    dialog.check().await.passed();
    let role = documents["role"]["name"].as_str().unwrap();
    let tags = customer
        .iam()
        .list_role_tags()
        .role_name(role)
        .send()
        .await
        .unwrap();
    assert!(
        tags.tags
            .iter()
            .any(|tag| tag.key == "sallyport:setup" && tag.value == dialog.id)
    );
}

#[tokio::test]
async fn without_the_setting_there_is_no_link() {
    let app = TestApp::spawn_on_emulator().await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    let documents = dialog.documents().await;
    assert!(
        documents
            .as_object()
            .unwrap()
            .contains_key("cloudformation_quick_create_url")
    );
    assert!(documents["cloudformation_quick_create_url"].is_null());
}

#[tokio::test]
async fn documents_come_without_a_link_where_the_template_cannot_be_put() {
    let app = TestApp::spawn_on_emulator_with(|options| {
        options.template_bucket = Some("no-such-bucket-of-templates".into());
    })
    .await;
    let dialog = Dialog::open(&app, json!({"bucket": "acme-data"})).await;
    assert!(dialog.documents().await["cloudformation_quick_create_url"].is_null());
}
