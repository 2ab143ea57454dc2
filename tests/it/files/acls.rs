//! Canned ACLs.

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
}
