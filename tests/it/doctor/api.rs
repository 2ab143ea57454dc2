//! The doctor over the API.

use crate::it::support::app::{TestApp, app_on};
use crate::it::support::emulator::Emulator;
use serde_json::{Value, json};

const ID: &str = "11111111-2222-4333-8444-555555555555";

async fn with_setup(settings: Value) -> (TestApp, String, String) {
    let app = app_on(&Emulator::vendor().await.sdk_config).await;
    let workspace = app.workspace().await;
    let setup = app
        .post("/v1/storage-setups", &workspace.admin, &settings)
        .await
        .expect(201);
    let id = setup["id"].as_str().unwrap();
    let path = format!("/v1/storage-setups/{id}");
    (app, workspace.admin, path)
}

fn codes(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array().unwrap();
    let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
    findings.iter().map(code).collect()
}

#[tokio::test]
async fn a_setup_s_own_documents_are_correct_as_values_and_as_texts() {
    let role = "arn:aws:iam::123456789012:role/acme";
    let settings = json!({"bucket": "acme-data", "prefix": "team/", "role_arn": role});
    let (app, admin, path) = with_setup(settings).await;
    let documents = app
        .get(&format!("{path}/documents"), &admin)
        .await
        .expect(200);
    let doctor = format!("{path}/doctor");
    let named = ["permission_policy", "trust_policy", "bucket_policy", "cors"];
    let mut given = json!({});
    for name in named {
        given[name] = documents[name].clone();
    }
    let answer = app.post(&doctor, &admin, &given).await.expect(200);
    assert_eq!(answer, json!({"findings": []}));
    for name in named {
        given[name] = json!(documents[name].to_string());
    }
    let answer = app.post(&doctor, &admin, &given).await.expect(200);
    assert_eq!(answer, json!({"findings": []}));
    assert_eq!(
        app.post(&doctor, &admin, &json!({})).await.expect(200),
        json!({"findings": []})
    );
}

#[tokio::test]
async fn findings_have_places_words_and_a_patch() {
    let settings = json!({"bucket": "acme-data", "access": "read"});
    let (app, admin, path) = with_setup(settings).await;
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\", \"Action\": \"s3:ListBucket\", \"Resource\": \"arn:aws:s3:::acme-data\"},\n  ]\n}";
    let doctor = format!("{path}/doctor");
    let body = json!({"permission_policy": text});
    let answer = app.post(&doctor, &admin, &body).await.expect(200);
    let comma = &answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["code"] == "trailing_comma")
        .unwrap()
        .clone();
    assert_eq!(
        (&comma["line"], &comma["column"]),
        (&json!(4), &json!(89)),
        "{answer:#}"
    );
    assert_eq!(comma["document"], "permission_policy");
    assert_eq!(comma["severity"], "error");
    let missing = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["code"] == "action_not_granted");
    let patch = &missing.unwrap()["patch"];
    assert_eq!(patch["target"], "role_permission_policy");
    assert_eq!(patch["operation"], "add_statement");
    assert_eq!(patch["document"]["Effect"], "Allow");
    for name in ["path", "line", "column", "title", "explanation", "remedy"] {
        assert!(comma.get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn what_is_not_filled_in_is_not_compared_and_bad_requests_are_refused() {
    let (app, admin, path) = with_setup(json!({})).await;
    let doctor = format!("{path}/doctor");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/*"}]});
    let answer = app
        .post(&doctor, &admin, &json!({"permission_policy": policy}))
        .await
        .expect(200);
    assert_eq!(codes(&answer), ["settings_missing"]);
    app.post(&doctor, &admin, &json!({"permission_polic": policy}))
        .await
        .expect(422);
    let large = json!({"cors": "x".repeat(65 << 10)});
    app.post(&doctor, &admin, &large)
        .await
        .problem(413, "body_too_large");
    let larger = json!({"cors": "x".repeat(600 << 10)});
    app.post(&doctor, &admin, &larger)
        .await
        .problem(413, "body_too_large");
}

#[tokio::test]
async fn an_external_id_of_another_setup_is_known_in_its_own_workspace_only() {
    let (app, admin, path) = with_setup(json!({"bucket": "acme-data"})).await;
    let other = app
        .post("/v1/storage-setups", &admin, &json!({}))
        .await
        .expect(201);
    let stranger = app.workspace().await;
    let foreign = app
        .post("/v1/storage-setups", &stranger.admin, &json!({}))
        .await
        .expect(201);
    let principal = other["service_principal"].clone();
    for (id, expected) in [
        (other["external_id"].clone(), "external_id_of_other_setup"),
        (foreign["external_id"].clone(), "external_id_wrong"),
        (json!(ID), "external_id_wrong"),
    ] {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": id}}}]});
        let answer = app
            .post(
                &format!("{path}/doctor"),
                &admin,
                &json!({"trust_policy": trust}),
            )
            .await
            .expect(200);
        assert_eq!(codes(&answer), [expected], "{answer:#}");
    }
}
