//! Several things are wrong at once. Each is named, and none hides behind another that it has nothing to do with.

use super::permissions::{denying, with, without};
use crate::it::worlds::world::*;
use serde_json::{Value, json};

const ROLE: &str = "role_permission_policy";

pub fn worlds() -> Vec<World> {
    vec![
        world("several: writing is missing, and no CORS")
            .permissions(|p, _| without(p, "s3:PutObject"))
            .cors(|_| Value::Null)
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .finds("cors_none", CUSTOMER, ONE_OF)
            .mended_by("cors")
            .cli(),
        world("several: location and deleting are missing")
            .permissions(|p, _| without(without(p, "s3:GetBucketLocation"), "s3:DeleteObject"))
            .finds("location_not_permitted", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("several: writing is denied by the bucket, and reading is missing")
            .permissions(|p, _| without(p, "s3:GetObject"))
            .bucket_policy(|n| n.deny(&["s3:PutObject"], Value::Null))
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .finds("denied_by_bucket_policy", CUSTOMER, PROVED),
        world("several: the listing is for another prefix, and deleting is denied")
            .permissions(|p, n| {
                let p = with(p, "s3:ListBucket", |s| {
                    s["Condition"] = json!({"StringLike": {"s3:prefix": ["other/*"]}});
                });
                denying(p, json!({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": n.objects_arn()}))
            })
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
        world("several: the listing is for another prefix, and writing is missing")
            .permissions(|p, _| {
                let p = with(p, "s3:ListBucket", |s| {
                    s["Condition"] = json!({"StringLike": {"s3:prefix": ["other/*"]}});
                });
                without(p, "s3:PutObject")
            })
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("several: a wrong Region, and no CORS")
            .settings(|_| json!({"region": "eu-west-1"}))
            .cors(|_| Value::Null)
            .finds("region_differs", SETTINGS, PROVED)
            .mended_by("settings")
            .finds("cors_none", CUSTOMER, ONE_OF)
            .mended_by("cors"),
        world("several: the trust policy is wrong, and no policy is attached")
            .trust(|mut t, _| {
                t["Statement"][0]["Principal"]["AWS"] = json!("arn:aws:iam::444444444444:root");
                t
            })
            .state(State::NoPolicy)
            .finds("role_refused", CUSTOMER, ONE_OF)
            .mended_by("trust_policy")
            .then("policy_absent_or_elsewhere", CUSTOMER, LIKELY)
            .mended_by(ROLE),
        world("several: the role lets everybody in, and writing is missing")
            .trust(|mut t, _| {
                t["Statement"][0].as_object_mut().unwrap().remove("Condition");
                t
            })
            .permissions(|p, _| without(p, "s3:PutObject"))
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .then("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("several: writing and deleting are missing")
            .permissions(|p, _| without(without(p, "s3:PutObject"), "s3:DeleteObject"))
            .finds("permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .cli(),
        world("several: the files' ARN and the listing's prefix are wrong")
            .permissions(|p, n| {
                let arn = format!("{}/other/*", n.bucket_arn());
                let p = with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]));
                with(p, "s3:ListBucket", |s| {
                    s["Condition"] = json!({"StringLike": {"s3:prefix": ["other/*"]}});
                })
            })
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .finds("object_arn_or_prefix_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE),
        world("several: versions are kept, and three actions are missing")
            .state(State::Versioned)
            .permissions(|p, _| {
                without(without(without(p, "s3:DeleteObjectVersion"), "s3:GetObjectAcl"), "s3:PutObjectAcl")
            })
            .finds("acl_permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .finds("probe_left", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("several: no file below the prefix, and the ETag is not exposed")
            .state(State::OnlyAt("other/a.txt"))
            .cors(|_| {
                json!([{
                    "AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT", "POST", "HEAD", "DELETE"],
                    "AllowedHeaders": ["*"],
                }])
            })
            .finds("nothing_below_prefix", SETTINGS, PROVED)
            .finds("cors_etag_not_exposed", CUSTOMER, PROVED)
            .mended_by("cors"),
    ]
}
