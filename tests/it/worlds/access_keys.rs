//! Access keys, at AWS and at S3-compatible stores: there is no role, and nothing may speak of one.

use super::permissions::{denying, with, without};
use crate::it::support::aws::stub::s3_error;
use crate::it::worlds::world::*;
use serde_json::json;

fn by(world: World, by: By) -> World {
    world.by(by).never(&["the role", "trust policy"])
}

pub fn worlds() -> Vec<World> {
    vec![
        by(world("key: s3:PutObject is missing"), By::Key)
            .permissions(|p, _| without(p, "s3:PutObject"))
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy")
            .cli(),
        by(world("key: s3:GetObject is missing, to read"), By::Key)
            .read_only()
            .permissions(|p, _| without(p, "s3:GetObject"))
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        by(world("key: s3:ListBucket is missing"), By::Key)
            .permissions(|p, _| without(p, "s3:ListBucket"))
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by("role_permission_policy")
            .cli(),
        by(world("key: the files' ARN has no wildcard"), By::Key)
            .prefix("")
            .permissions(|p, n| {
                let arn = n.bucket_arn();
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            })
            .finds("object_arn_or_prefix_wrong", CUSTOMER, LIKELY)
            .mended_by("role_permission_policy"),
        by(world("key: the policy is for another bucket"), By::Key)
            .permissions(|p, n| {
                serde_json::from_str(&p.to_string().replace(&n.bucket, "another-bucket")).unwrap()
            })
            .finds("policy_absent_or_elsewhere", CUSTOMER, LIKELY)
            .mended_by("role_permission_policy"),
        by(world("key: a statement denies writing"), By::Key)
            .permissions(|p, n| {
                denying(p, json!({"Effect": "Deny", "Action": "s3:PutObject", "Resource": n.objects_arn()}))
            })
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
        by(world("key: the bucket's policy denies deleting"), By::Key)
            .bucket_policy(|n| n.deny(&["s3:DeleteObject"], json!(null)))
            .finds("denied_by_bucket_policy", CUSTOMER, PROVED),
        by(world("key: it is unknown"), By::Key)
            .settings(|_| json!({"access_key_id": "AKIAZZZZZZZZZZZZZZZZ", "secret_access_key": "x".repeat(40)}))
            .finds("access_key_unknown", SETTINGS, PROVED),
        by(world("key: its secret is wrong"), By::Key)
            .settings(|_| json!({"secret_access_key": "x".repeat(40)}))
            .finds("secret_wrong", SETTINGS, LIKELY),
        by(world("key: CORS is missing"), By::Key)
            .cors(|_| json!(null))
            .finds("cors_none", CUSTOMER, ONE_OF)
            .mended_by("cors"),
        by(world("store key: s3:PutObject is missing"), By::KeyAtStore)
            .not_browsed()
            .permissions(|p, _| without(p, "s3:PutObject"))
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        by(world("store key: it is unknown"), By::KeyAtStore)
            .not_browsed()
            .settings(|_| json!({"access_key_id": "AKIAZZZZZZZZZZZZZZZZ", "secret_access_key": "x".repeat(40)}))
            .finds("access_key_unknown", SETTINGS, PROVED),
        by(world("store key: its secret is wrong"), By::KeyAtStore)
            .not_browsed()
            .settings(|_| json!({"secret_access_key": "x".repeat(40)}))
            .finds("secret_wrong", SETTINGS, LIKELY),
        by(world("store key: it is of a session"), By::KeyAtStore)
            .not_browsed()
            .wire(|request, _, _| {
                (request.operation() != "CorsPreflight").then(|| {
                    s3_error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
                })
            })
            .finds("access_key_temporary", SETTINGS, ONE_OF),
        by(world("store key: there is no bucket"), By::KeyAtStore)
            .not_browsed()
            .state(State::NoBucket)
            .finds("bucket_not_found", SETTINGS, PROVED),
        by(world("store key: nothing below the prefix"), By::KeyAtStore)
            .not_browsed()
            .state(State::OnlyAt("elsewhere/a.txt"))
            .finds("nothing_below_prefix", SETTINGS, PROVED),
    ]
}
