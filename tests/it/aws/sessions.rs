//! Sessions of customers' roles: how many there are, for what, and for which storage.

use crate::it::storages::api::damage;
use crate::it::support::app::{Answer, ORIGIN, TestApp, app_on};
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::{AwsStub, denied, s3_error, sts_error};
use crate::it::support::emulator::{Emulator, credentials, s3_client, sdk_config};
use crate::it::support::scene::{Dialog, Scene};
use aws_sdk_s3::error::ProvideErrorMetadata;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

async fn stage() -> (AwsStub, TestApp) {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.sdk_config()).await;
    (stub, app)
}

/// Completes the setup and gives the path of the storage's files; nothing is logged yet.
async fn files_of(stub: &AwsStub, dialog: &Dialog<'_>) -> String {
    let storage = dialog.finish().await;
    stub.clear();
    format!("/v1/storages/{}/files", storage["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_thousand_requests_make_one_session_for_calls_and_one_for_urls() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    stub.world().delay = Duration::from_millis(100);
    let (member, sign) = (&dialog.workspace.member, format!("{files}/sign"));
    let body = json!({"key": "/a.txt", "method": "GET"});
    let requests = (0..1000).map(|at| {
        let (app, files, sign, body) = (&app, &files, &sign, &body);
        async move {
            loop {
                let answer = match at % 4 {
                    0 => app.get(files, member).await,
                    _ => app.post(sign, member, body).await,
                };
                if answer.status != 503 {
                    return answer;
                }
                // On a machine that is busy with other things, requests may wait for the database too
                // long. A client tries again.
                let code = answer.json()["code"].to_string();
                let waited = ["\"database_busy\"", "\"database_unavailable\""];
                assert!(waited.contains(&code.as_str()), "{answer:?}");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    });
    for answer in join_all(requests).await {
        answer.expect(200);
    }
    assert_eq!(stub.count("AssumeRole"), 2);
}

#[tokio::test]
async fn one_role_has_a_session_for_each_storage() {
    let (stub, app) = stage().await;
    let first = Scene::on(&stub).access("read").open(&app).await;
    let first_files = files_of(&stub, &first).await;
    let second = Scene::on(&stub).access("read").open(&app).await;
    let second_files = files_of(&stub, &second).await;
    app.get(&second_files, &second.workspace.member)
        .await
        .expect(200);
    assert_eq!(stub.count("AssumeRole"), 1);
    // The role trusts the second only by now, whose session is warm and does not serve the first.
    let answer = app.get(&first_files, &first.workspace.member).await;
    answer.problem(424, "role_refused");
    assert!(!answer.text.contains("999999999999"));
    assert_eq!(stub.count("AssumeRole"), 2);
    app.get(&second_files, &second.workspace.member)
        .await
        .expect(200);
    assert_eq!(stub.count("AssumeRole"), 2);
}

#[tokio::test]
async fn a_session_is_renewed_before_it_ends() {
    let (stub, app) = stage().await;
    stub.world().session_life = Duration::from_secs(3);
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let list = async || app.get(&files, &dialog.workspace.member).await.expect(200);
    list().await;
    list().await;
    assert_eq!(stub.count("AssumeRole"), 1);
    tokio::time::sleep(Duration::from_millis(1700)).await;
    list().await;
    assert_eq!(stub.count("AssumeRole"), 2);
    let keys: Vec<_> = stub
        .of("ListObjectsV2")
        .iter()
        .map(|l| l.request.access_key().unwrap().to_owned())
        .collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[tokio::test]
async fn a_session_that_aws_no_longer_takes_is_replaced_once() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    app.get(&files, &dialog.workspace.member).await.expect(200);
    let old = stub.of("ListObjectsV2")[0]
        .request
        .access_key()
        .unwrap()
        .to_owned();
    stub.when(move |request| {
        let revoked = request.access_key() == Some(&old);
        revoked.then(|| s3_error(403, "InvalidAccessKeyId", "revoked"))
    });
    stub.clear();
    app.get(&files, &dialog.workspace.member).await.expect(200);
    assert_eq!(
        (stub.count("AssumeRole"), stub.count("ListObjectsV2")),
        (1, 2)
    );
    // The new one is refused too, within the same minute: it stays, or each request would make another.
    stub.answer_to("ListObjectsV2", s3_error(400, "ExpiredToken", "expired"));
    stub.clear();
    let answer = app.get(&files, &dialog.workspace.member).await;
    answer.problem(502, "storage_signature_rejected");
    assert_eq!(
        (stub.count("AssumeRole"), stub.count("ListObjectsV2")),
        (0, 1)
    );
}

#[tokio::test]
async fn many_requests_whose_session_was_revoked_make_one_new_one() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    app.get(&files, &dialog.workspace.member).await.expect(200);
    let old = stub.of("ListObjectsV2")[0]
        .request
        .access_key()
        .unwrap()
        .to_owned();
    stub.when(move |request| {
        let revoked = request.access_key() == Some(&old);
        revoked.then(|| s3_error(403, "InvalidAccessKeyId", "revoked"))
    });
    stub.clear();
    stub.world().delay = Duration::from_millis(100);
    let lists = (0..60).map(|_| app.get(&files, &dialog.workspace.member));
    for answer in join_all(lists).await {
        answer.expect(200);
    }
    assert_eq!(stub.count("AssumeRole"), 1);
}

/// A URL that shall live longer than sessions do does not cost a session each.
#[tokio::test]
async fn long_lived_urls_share_a_session_and_tell_its_end() {
    let (stub, app) = stage().await;
    stub.world().session_life = Duration::from_secs(1000);
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let sign = format!("{}/sign", files_of(&stub, &dialog).await);
    let body = json!({"key": "/a.txt", "method": "GET", "expires_in": 7200});
    for _ in 0..3 {
        let signed = app.post(&sign, &dialog.workspace.member, &body).await;
        let end = signed.expect(200)["urls"][0]["expires_at"].clone();
        let end = OffsetDateTime::parse(end.as_str().unwrap(), &Rfc3339).unwrap();
        let left = end - OffsetDateTime::now_utc();
        assert!(
            left <= Duration::from_secs(1000) && left > Duration::from_secs(980),
            "{left}"
        );
    }
    assert_eq!(stub.count("AssumeRole"), 1);
}

/// The packed size of a policy is STS's own measure, and tags of the service's own session count too.
#[tokio::test]
async fn a_policy_that_is_too_large_for_sts_is_sent_without_the_account() {
    let (stub, app) = stage().await;
    stub.when(|request| {
        let policy = request.form("Policy")?;
        let too_large = policy.contains("aws:ResourceAccount");
        too_large.then(|| sts_error(400, "PackedPolicyTooLarge", "too large"))
    });
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    app.get(&files, &dialog.workspace.member).await.expect(200);
    let sent = stub.of("AssumeRole");
    assert_eq!(sent.len(), 2);
    let policy: Value = serde_json::from_str(&sent[1].request.form("Policy").unwrap()).unwrap();
    for statement in policy["Statement"].as_array().unwrap() {
        assert!(statement["Resource"].to_string().contains(&stub.bucket));
    }
}

/// URLs are signed by a session of their own, which is renewed earlier than the one that calls are made with.
#[tokio::test]
async fn signing_leaves_the_files_session_alone() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let member = &dialog.workspace.member;
    let sign = async || {
        let body = json!({"key": "/a.txt", "method": "GET", "expires_in": 3600});
        let signed = app.post(&format!("{files}/sign"), member, &body).await;
        signed.expect(200);
    };
    stub.world().session_life = Duration::from_secs(2);
    sign().await;
    stub.world().session_life = Duration::from_secs(3600);
    app.get(&files, member).await.expect(200);
    assert_eq!(stub.count("AssumeRole"), 2);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // Half of the short session's life is over.
    sign().await;
    assert_eq!(stub.count("AssumeRole"), 3);
    sign().await;
    app.get(&files, member).await.expect(200);
    assert_eq!(stub.count("AssumeRole"), 3);
    let lists = stub.of("ListObjectsV2");
    let signer = |at: usize| lists[at].request.access_key().map(str::to_owned);
    assert_eq!(signer(0), signer(1));
}

/// Nothing is read with a session of before, once a check has said that the role refuses us.
#[tokio::test]
async fn a_check_that_finds_a_refusing_role_ends_what_its_sessions_could() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let (admin, member) = (&dialog.workspace.admin, &dialog.workspace.member);
    let check = async || {
        let path = format!("{}/check", files.trim_end_matches("/files"));
        app.post(&path, admin, &json!({})).await.expect(200)
    };
    app.get(&files, member).await.expect(200);
    let trusted = stub.world().external_id.take();
    // Nobody has found out yet.
    app.get(&files, member).await.expect(200);
    // AWS is away: that proves nothing.
    stub.answer_to("AssumeRole", sts_error(503, "ServiceUnavailable", "away"));
    check().await;
    stub.forget_rules();
    app.get(&files, member).await.expect(200);
    let report = check().await;
    assert_eq!(report["steps"][0]["problem"]["code"], "role_refused");
    stub.clear();
    let body = json!({"key": "/a.txt", "method": "GET"});
    for _ in 0..5 {
        let answer = app.get(&files, member).await;
        answer.problem(424, "role_refused");
        let answer = app.post(&format!("{files}/sign"), member, &body).await;
        answer.problem(424, "role_refused");
    }
    // One refusal for calls, one for URLs.
    assert_eq!((stub.count("AssumeRole"), stub.s3_count()), (2, 0));
    // The role lets us in again. The check says so, and reading does not wait for the refusal to be forgotten.
    stub.world().external_id = trusted;
    check().await;
    app.get(&files, member).await.expect(200);
}

/// What a passed check has proved does not wait for a session of before to end.
#[tokio::test]
async fn a_passed_check_replaces_the_sessions() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let (admin, member) = (&dialog.workspace.admin, &dialog.workspace.member);
    app.get(&files, member).await.expect(200);
    let last = stub.world().sessions;
    stub.when(move |request| {
        let number: usize = request
            .access_key()?
            .strip_prefix("ASIASTUB")?
            .parse()
            .ok()?;
        (number <= last).then(|| denied("with an explicit deny in an identity-based policy"))
    });
    let answer = app.get(&files, member).await;
    answer.problem(424, "storage_access_denied");
    let path = format!("{}/check", files.trim_end_matches("/files"));
    let report = app.post(&path, admin, &json!({})).await.expect(200);
    assert_eq!(report["outcome"], "passed");
    app.get(&files, member).await.expect(200);
}

#[tokio::test]
async fn a_wrong_clock_is_named() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let skewed = s3_error(403, "RequestTimeTooSkewed", "SECRETARN");
    stub.answer_to("ListObjectsV2", skewed);
    let problem = app.get(&files, &dialog.workspace.member).await;
    let problem = problem.problem(503, "clock_skew");
    assert!(!problem.to_string().contains("SECRETARN"));
    assert_eq!(stub.count("AssumeRole"), 1);
}

#[tokio::test]
async fn what_is_sent_to_sts() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    dialog.patch(json!({"prefix": "team"})).await.expect(200);
    let files = files_of(&stub, &dialog).await;
    app.get(&files, &dialog.workspace.member).await.expect(200);
    let call = &stub.of("AssumeRole")[0].request;
    let storage = files.split('/').nth(3).unwrap();
    let name = call.form("RoleSessionName").unwrap();
    let end = |id: &str| id[id.len() - 20..].to_owned();
    assert!(
        name.contains(&end(&dialog.workspace.id)) && name.contains(&end(storage)),
        "{name}"
    );
    assert_eq!(
        call.form("ExternalId").as_deref(),
        Some(dialog.external_id.as_str())
    );
    assert_eq!(call.form("RoleArn"), Some(stub.role_arn()));
    assert_eq!(call.form("DurationSeconds").as_deref(), Some("3600"));
    let text = String::from_utf8(call.body.clone()).unwrap();
    assert!(!text.contains("Tags") && !text.contains("SourceIdentity"));
    assert!(call.form("Policy").unwrap().len() <= 2048);
    let policy: Value = serde_json::from_str(&call.form("Policy").unwrap()).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    for statement in policy["Statement"].as_array().unwrap() {
        let resources = statement["Resource"].to_string();
        assert!(resources.contains(&stub.bucket), "{statement}");
        let actions = statement["Action"].to_string();
        assert!(
            !actions.contains("Put") && !actions.contains("Delete") && !actions.contains('*'),
            "{statement}"
        );
        if actions.contains("GetObject") {
            assert!(resources.contains("/team/*"), "{statement}");
        }
        // Holds for signed URLs too, which name no owner.
        let owner = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
        assert_eq!(owner, "222222222222", "{statement}");
    }
    let list = &stub.of("ListObjectsV2")[0].request;
    assert_eq!(
        list.header("x-amz-expected-bucket-owner"),
        Some("222222222222")
    );
    assert_eq!(list.query("prefix").as_deref(), Some("team/"));
}

/// The customer gave the role everything: our sessions still have the bucket and the prefix only.
#[tokio::test]
async fn the_session_policy_holds_a_wide_role() {
    let proxy = AwsProxy::start().await;
    let vendor = Emulator::vendor().await;
    let app = app_on(&proxy.sdk_config(&vendor.sdk_config)).await;
    let mut applied = Scene::on(Emulator)
        .access("read")
        .prefix("team/")
        .apply(&app)
        .await;
    applied.permissions = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
    ]});
    applied.apply().await;
    let other = applied.customer.create_bucket().await;
    applied.customer.put_object(&other, "team/a.txt", "x").await;
    applied
        .customer
        .put_object(&applied.bucket, "team-b/a.txt", "x")
        .await;
    let storage = applied.dialog.finish().await;
    proxy.clear();
    let files = format!("/v1/storages/{}/files", storage["id"].as_str().unwrap());
    app.get(&files, &applied.dialog.workspace.member)
        .await
        .expect(200);
    let policy = proxy.of("AssumeRole")[0].request.form("Policy").unwrap();
    let assume = vendor
        .sts()
        .assume_role()
        .role_arn(&applied.role_arn)
        .role_session_name("test");
    let assume = assume.external_id(&applied.dialog.external_id);
    let session = async |policy: Option<String>| {
        let given = assume
            .clone()
            .set_policy(policy)
            .send()
            .await
            .unwrap()
            .credentials
            .unwrap();
        let (id, secret) = (&given.access_key_id, &given.secret_access_key);
        s3_client(&sdk_config(
            credentials(id, secret, Some(&given.session_token)),
            "us-east-1",
        ))
    };
    let (wide, ours) = (session(None).await, session(Some(policy)).await);
    let read = async |s3: &aws_sdk_s3::Client, bucket: &str, key: &str| {
        let answer = s3.get_object().bucket(bucket).key(key).send().await;
        answer
            .err()
            .map(|e| e.into_service_error().code().unwrap().to_owned())
    };
    let denied = Some("AccessDenied".to_owned());
    for (bucket, key) in [(&applied.bucket, "team-b/a.txt"), (&other, "team/a.txt")] {
        assert_eq!(read(&wide, bucket, key).await, None);
        assert_eq!(read(&ours, bucket, key).await, denied);
    }
    assert_eq!(read(&ours, &applied.bucket, "team/a.txt").await, None);
    let put = ours
        .put_object()
        .bucket(&applied.bucket)
        .key("team/new")
        .send()
        .await;
    assert_eq!(
        put.unwrap_err().into_service_error().code(),
        Some("AccessDenied")
    );
    let list = ours.list_objects_v2().bucket(&applied.bucket).send().await;
    assert_eq!(
        list.unwrap_err().into_service_error().code(),
        Some("AccessDenied")
    );
}

/// A record without its external ID must never become a call without one.
#[tokio::test]
async fn a_damaged_record_makes_no_call() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let id = files.split('/').nth(3).unwrap();
    let admin = &dialog.workspace.admin;
    for value in ["''", "NULL", "'x'", "'not-one-of-ours'"] {
        damage(
            &app,
            &format!("UPDATE storages SET external_id = {value} WHERE id = '{id}'"),
        )
        .await;
        let check = format!("/v1/storages/{id}/check");
        let answers: [Answer; 3] = [
            app.get(&files, admin).await,
            app.get(&format!("{files}/content?key=/a.txt"), admin).await,
            app.post(&check, admin, &json!({})).await,
        ];
        for answer in answers {
            answer.problem(500, "record_damaged");
        }
    }
    assert_eq!(stub.log().len(), 0);
}

#[tokio::test]
async fn a_change_of_the_storage_drops_its_session() {
    let (stub, app) = stage().await;
    let dialog = Scene::on(&stub).access("read").open(&app).await;
    let files = files_of(&stub, &dialog).await;
    let admin = &dialog.workspace.admin;
    app.get(&files, admin).await.expect(200);
    let storage = files.trim_end_matches("/files");
    app.patch(storage, admin, &json!({"prefix": "a"}))
        .await
        .expect(200);
    let check = format!("{storage}/check?pending=true");
    app.post(&check, admin, &json!({})).await.expect(200);
    stub.clear();
    app.get(&files, admin).await.expect(200);
    assert_eq!(stub.count("AssumeRole"), 1);
    let policy = stub.of("AssumeRole")[0].request.form("Policy").unwrap();
    assert!(policy.contains("/a/*"), "{policy}");
}

#[tokio::test]
async fn a_person_has_a_session_by_name_where_the_operator_wants_it() {
    for attribution in ["off", "on"] {
        let stub = AwsStub::start().await;
        let app = TestApp::spawn_on(&stub.sdk_config(), |options| {
            options.allowed_origins = Some(ORIGIN.into());
            options.attribution = Some(attribution.into());
        })
        .await;
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        let files = files_of(&stub, &dialog).await;
        let storage = files.split('/').nth(3).unwrap().to_owned();
        let send = async |method: Method, path: &str, person: Option<&str>| {
            let mut request = app.request(method.clone(), path, &dialog.workspace.member);
            if let Some(person) = person {
                request = request.header("Sallyport-Actor", person);
            }
            if method == Method::POST {
                let body = json!({"key": "/a.txt", "method": "GET"});
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            Answer::of(request).await.expect(200)
        };
        let list = async |person: Option<&str>| send(Method::GET, &files, person).await;
        list(None).await;
        for person in ["user-1", "user-1", "auth0|5f"] {
            list(Some(person)).await;
        }
        let sign = format!("{files}/sign");
        let signed = send(Method::POST, &sign, Some("user-1")).await;
        assert!(signed["urls"][0]["url"].is_string());
        let names: Vec<String> = stub
            .of("AssumeRole")
            .iter()
            .map(|call| call.request.form("RoleSessionName").unwrap())
            .collect();
        let end = &storage[storage.len() - 8..];
        assert!(names.iter().all(|name| name.len() <= 64), "{names:?}");
        assert!(names[0].starts_with("sallyport@wrk_"), "{names:?}");
        assert!(names.iter().all(|name| name.contains(end)), "{names:?}");
        if attribution == "off" {
            // One for calls and one for URLs.
            assert_eq!(names.len(), 2, "{names:?}");
            assert_eq!(names[0], names[1]);
            continue;
        }
        let of_person = format!("sallyport@{end}.user-1");
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(names[1], of_person);
        let other = format!("sallyport@{end}.auth0-5f.");
        assert!(names[2].starts_with(&other), "{names:?}");
        assert_eq!(names[3], of_person, "the one that signs");
    }
}
