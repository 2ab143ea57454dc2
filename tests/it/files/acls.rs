//! Canned ACLs.

use crate::it::support::aws::stub::{AwsStub, s3_error};
use crate::it::support::client::chunked;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Scene;
use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
use reqwest::Method;
use serde_json::json;

async fn own(place: &Scene, ownership: ObjectOwnership) {
    let rule = OwnershipControlsRule::builder()
        .object_ownership(ownership)
        .build();
    let controls = OwnershipControls::builder().rules(rule.unwrap()).build();
    place
        .storage
        .customer
        .s3()
        .put_bucket_ownership_controls()
        .bucket(&place.storage.bucket)
        .ownership_controls(controls.unwrap())
        .send()
        .await
        .unwrap();
}

async fn put_acl(place: &Scene, key: &str, acl: &str) -> crate::it::support::app::Answer {
    let path = place.path(&format!("/files/acl?key={key}"));
    let admin = &place.workspace.admin;
    place
        .app
        .send(Method::PUT, &path, admin, &json!({"acl": acl}))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_acls_takes_them() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    own(&place, ObjectOwnership::ObjectWriter).await;
    place.storage.put("/a", "x").await;
    let blocked = put_acl(&place, "/a", "public-read").await;
    blocked.problem(409, "public_acls_blocked");
    let s3 = place.storage.customer.s3();
    let open = s3
        .delete_public_access_block()
        .bucket(&place.storage.bucket);
    open.send().await.unwrap();
    put_acl(&place, "/a", "public-read").await.expect(204);
    let acl = place.get("/files/acl?key=/a").await.expect(200);
    let grants = acl["grants"].as_array().unwrap();
    assert!(
        grants.iter().any(|grant| grant["permission"] == "READ"
            && grant["grantee"].as_str().unwrap().contains("AllUsers")),
        "{acl:#}"
    );
    // In the same call as the content.
    let at_once = [("x-amz-acl", "public-read")];
    place.upload_with("/b", "x", &at_once).await.expect(200);
    let acl = place.get("/files/acl?key=/b").await.expect(200);
    assert!(acl.to_string().contains("AllUsers"), "{acl:#}");
    let body = chunked(b"x".to_vec());
    place.upload_with("/c", body, &at_once).await.expect(200);
    let signing = json!({"key": "/d", "method": "PUT", "acl": "public-read"});
    let signed = place.post("/files/sign", &signing).await.expect(200);
    let url = &signed["urls"][0];
    assert_eq!(url["headers"]["x-amz-acl"], "public-read", "{url:#}");
    let address = url["url"].as_str().unwrap();
    let put = |acl: &'static str| {
        let request = reqwest::Client::new().put(address).body("x");
        request.header("x-amz-acl", acl).send()
    };
    assert_eq!(put("private").await.unwrap().status(), 403);
    assert_eq!(put("public-read").await.unwrap().status(), 200);
    let in_parts = json!({"key": "/e", "acl": "public-read"});
    place.post("/files/multipart", &in_parts).await.expect(200);
    for key in ["/c", "/d"] {
        let acl = place
            .get(&format!("/files/acl?key={key}"))
            .await
            .expect(200);
        assert!(acl.to_string().contains("AllUsers"), "{key}: {acl:#}");
    }
    let odd = [("x-amz-acl", "anything")];
    place
        .upload_with("/f", "x", &odd)
        .await
        .refused_field("x-amz-acl");
    let signing = json!({"key": "/f", "method": "GET", "acl": "private"});
    place.sign(&signing).await.refused_field("acl");
    put_acl(&place, "/a", "anything").await.refused_field("acl");
    put_acl(&place, "/absent", "private")
        .await
        .problem(404, "file_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_acls_says_what_it_uses_instead() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    own(&place, ObjectOwnership::BucketOwnerEnforced).await;
    place.storage.put("/a", "x").await;
    let refused = put_acl(&place, "/a", "private").await;
    let problem = refused.problem(409, "acls_disabled");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("BucketOwnerEnforced")
    );
    assert!(
        problem["remedy"]
            .as_str()
            .unwrap()
            .contains("bucket policy")
    );
    put_acl(&place, "/a", "bucket-owner-full-control")
        .await
        .expect(204);
    let owner_s = [("x-amz-acl", "bucket-owner-full-control")];
    place.upload_with("/b", "x", &owner_s).await.expect(200);
}

/// Switched off, no document grants it, and AWS is not asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_acl_that_was_not_granted_is_refused_before_the_upload() {
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let admin = &place.workspace.admin;
    let off = json!({"object_acls": false});
    place
        .app
        .patch(&place.path(""), admin, &off)
        .await
        .expect(200);
    let check = place.path("/check?pending=true");
    place.app.post(&check, admin, &json!({})).await.expect(200);
    let acl = [("x-amz-acl", "bucket-owner-full-control")];
    let refused = place.upload_with("/a", "x", &acl).await;
    refused.problem(409, "not_granted");
    assert_eq!(place.object("/a").await, None);
    for (below, body) in [
        ("/files/multipart", json!({"key": "/a", "acl": "private"})),
        (
            "/files/sign",
            json!({"key": "/a", "method": "PUT", "acl": "private"}),
        ),
    ] {
        place.post(below, &body).await.problem(409, "not_granted");
    }
    place.upload("/a", "x").await.expect(200);
}

/// As S3 answers where object ownership is `BucketOwnerEnforced` (S3 user guide, "Error responses when ACLs are
/// disabled"). Without an ACL the same bucket takes the file.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_an_acl_is_refused_in_words_where_the_bucket_has_acls_disabled() {
    let stub = AwsStub::start().await;
    let place = Scene::on(&stub).connect().await;
    stub.when(|request| {
        let disabled = || {
            let why = "The bucket does not allow ACLs";
            s3_error(400, "AccessControlListNotSupported", why)
        };
        (request.method == "PUT" && request.header("x-amz-acl").is_some()).then(disabled)
    });
    let acl = [("x-amz-acl", "private")];
    let refused = place.upload_with("/a", "x", &acl).await;
    let problem = refused.problem(409, "acls_disabled");
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.contains("bucket policy"), "{problem:#}");
}
