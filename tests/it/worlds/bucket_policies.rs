//! Denies of the bucket's policy, on the emulator. No statement that allows lifts one.

use crate::it::support::aws::wire::Request;
use crate::it::worlds::sentences::explicit;
use crate::it::worlds::world::*;
use serde_json::{Value, json};

fn everything(name: &'static str, make: Make) -> World {
    world(name)
        .bucket_policy(make)
        .finds("bucket_policy_denies_all", CUSTOMER, ONE_OF)
        .never(&["no policy of the role allows"])
}

fn one(name: &'static str, make: Make) -> World {
    world(name)
        .bucket_policy(make)
        .finds("denied_by_bucket_policy", CUSTOMER, PROVED)
        .never(&["no policy of the role allows"])
}

fn guard(names: &Names, effect: Value) -> Value {
    let mut policy = names.deny(&["s3:*"], Value::Null);
    for (name, value) in effect.as_object().unwrap() {
        policy["Statement"][0][name] = value.clone();
    }
    policy
}

/// Only writes with this encryption are let in.
fn demands(
    request: &Request,
    names: &Names,
    wanted: &str,
) -> Option<crate::it::support::aws::wire::Reply> {
    let sent = request.header("x-amz-server-side-encryption");
    (request.operation() == "PutObject" && sent != Some(wanted))
        .then(|| explicit("s3:PutObject", "resource-based policy", names))
}

pub fn worlds() -> Vec<World> {
    vec![
        everything("bucket policy: only through a VPC endpoint", |n| {
            n.deny(
                &["s3:*"],
                json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
            )
        }),
        everything("bucket policy: only from the customer's network", |n| {
            n.deny(
                &["s3:*"],
                json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}),
            )
        }),
        everything("bucket policy: only for an organization", |n| {
            n.deny(
                &["s3:*"],
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}),
            )
        }),
        everything("bucket policy: only by TLS, and the way is plain", |n| {
            n.deny(&["s3:*"], json!({"Bool": {"aws:SecureTransport": "false"}}))
        }),
        everything("bucket policy: everybody is denied everything", |n| {
            n.deny(&["s3:*"], Value::Null)
        }),
        everything(
            "bucket policy: everybody is denied everything, to read",
            |n| n.deny(&["s3:*"], Value::Null),
        )
        .read_only()
        .prefix(""),
        everything(
            "bucket policy: everything but its own administration is denied",
            |n| {
                let mut policy = guard(
                    n,
                    json!({"NotAction": ["s3:GetBucketPolicy", "s3:PutBucketPolicy"]}),
                );
                policy["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Action");
                policy
            },
        ),
        everything("bucket policy: the role is denied everything", |n| {
            guard(n, json!({"Principal": {"AWS": n.role_arn}}))
        }),
        one("bucket policy: nobody writes", |n| {
            n.deny(&["s3:PutObject"], Value::Null)
        }),
        one("bucket policy: nobody deletes", |n| {
            n.deny(&["s3:DeleteObject", "s3:DeleteObjectVersion"], Value::Null)
        }),
        one("bucket policy: nobody reads", |n| {
            n.deny(&["s3:GetObject"], Value::Null)
        }),
        one("bucket policy: nobody lists", |n| {
            n.deny(&["s3:ListBucket"], Value::Null)
        }),
        one(
            "bucket policy: nobody reads or writes below the prefix",
            |n| {
                let mut policy = n.deny(&["s3:GetObject", "s3:PutObject"], Value::Null);
                policy["Statement"][0]["Resource"] = json!([n.objects_arn()]);
                policy
            },
        ),
        one(
            "bucket policy: nobody writes, in another letter case",
            |n| n.deny(&["S3:putobject"], Value::Null),
        ),
        one("bucket policy: nobody writes, with a wildcard", |n| {
            n.deny(&["s3:Put*Object"], Value::Null)
        }),
        one(
            "bucket policy: writing only from the customer's network",
            |n| {
                n.deny(
                    &["s3:PutObject"],
                    json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                )
            },
        ),
        one("bucket policy: the role may not delete", |n| {
            let mut policy = n.deny(&["s3:DeleteObject"], Value::Null);
            policy["Statement"][0]["Principal"] = json!({"AWS": n.role_arn});
            policy
        }),
        world("bucket policy: new files need SSE-S3")
            .wire(|request, _, names| demands(request, names, "AES256"))
            .finds("bucket_policy_needs_encryption", CUSTOMER, PROVED)
            .says(&["AES256"]),
        world("bucket policy: new files need SSE-KMS")
            .wire(|request, _, names| demands(request, names, "aws:kms"))
            .finds("bucket_policy_needs_encryption", SETTINGS, PROVED)
            .says(&["aws:kms"]),
        world("bucket policy: new files need an ACL")
            .wire(|request, _, names| {
                (request.operation() == "PutObject" && request.header("x-amz-acl").is_none())
                    .then(|| explicit("s3:PutObject", "resource-based policy", names))
            })
            .finds("denied_by_bucket_policy", CUSTOMER, PROVED)
            .never(&["accepted the same file"]),
    ]
}
