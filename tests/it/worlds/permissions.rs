//! The role's permission policy, on the emulator.
//!
//! Where several actions of one kind are missing the same way, AWS's answers do not say whether the actions, the ARN or
//! the condition is wrong: likely, and not proved.

use crate::it::worlds::account::list;
use crate::it::worlds::sentences::{explicit, no_allow};
use crate::it::worlds::world::*;
use serde_json::{Value, json};

/// The policy without an action.
pub fn without(mut policy: Value, action: &str) -> Value {
    let statements = policy["Statement"].as_array_mut().unwrap();
    for statement in statements.iter_mut() {
        if let Some(actions) = statement["Action"].as_array_mut() {
            actions.retain(|known| known != action);
        }
    }
    statements.retain(|statement| statement["Action"] != json!([]));
    policy
}

/// Changes the statements that have an action.
pub fn with(mut policy: Value, action: &str, change: impl Fn(&mut Value)) -> Value {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        if list(&statement["Action"])
            .iter()
            .any(|known| known == action)
        {
            change(statement);
        }
    }
    policy
}

pub fn denying(mut policy: Value, statement: Value) -> Value {
    policy["Statement"].as_array_mut().unwrap().push(statement);
    policy
}

fn lacks(world: World, certainty: &'static str, code: &'static str) -> World {
    world
        .finds(code, CUSTOMER, certainty)
        .mended_by("role_permission_policy")
        .never(&["denies it explicitly"])
}

const ROLE: &str = "role_permission_policy";

pub fn worlds() -> Vec<World> {
    let mut all = vec![
        lacks(
            world("permissions: s3:PutObject is missing").permissions(|p, _| without(p, "s3:PutObject")),
            PROVED,
            "permission_missing",
        )
        .cli(),
        lacks(
            world("permissions: s3:DeleteObject is missing")
                .permissions(|p, _| without(p, "s3:DeleteObject")),
            PROVED,
            "permission_missing",
        ),
        lacks(
            world("permissions: s3:GetObject is missing").permissions(|p, _| without(p, "s3:GetObject")),
            PROVED,
            "permission_missing",
        )
        .cli(),
        lacks(
            world("permissions: s3:GetObject is missing, to read a whole bucket")
                .read_only()
                .prefix("")
                .permissions(|p, _| without(p, "s3:GetObject")),
            PROVED,
            "permission_missing",
        ),
        lacks(
            world("permissions: s3:GetObject is missing, and no file is there")
                .prefix("")
                .state(State::Empty)
                .permissions(|p, _| without(p, "s3:GetObject")),
            PROVED,
            "permission_missing",
        ),
        lacks(
            world("permissions: s3:ListBucket is missing").permissions(|p, _| without(p, "s3:ListBucket")),
            LIKELY,
            "list_condition_or_arn_wrong",
        )
        .cli(),
        lacks(
            world("permissions: s3:ListBucket is missing, to read a whole bucket")
                .read_only()
                .prefix("")
                .permissions(|p, _| without(p, "s3:ListBucket")),
            LIKELY,
            "list_condition_or_arn_wrong",
        ),
        lacks(
            world("permissions: the listing is for another prefix").permissions(|p, _| {
                with(p, "s3:ListBucket", |s| {
                    s["Condition"] = json!({"StringLike": {"s3:prefix": ["other/*"]}});
                })
            }),
            LIKELY,
            "list_condition_or_arn_wrong",
        ),
        lacks(
            world("permissions: the listing's prefix begins with a slash").permissions(|p, n| {
                let prefix = format!("/{}*", n.prefix);
                with(p, "s3:ListBucket", move |s| {
                    s["Condition"] = json!({"StringLike": {"s3:prefix": [prefix]}});
                })
            }),
            LIKELY,
            "list_condition_or_arn_wrong",
        ),
        lacks(
            world("permissions: the listing's prefix in another letter case")
                .prefix("Team/")
                .permissions(|p, _| {
                    with(p, "s3:ListBucket", |s| {
                        s["Condition"] = json!({"StringLike": {"s3:prefix": ["team/*", "team/"]}});
                    })
                }),
            LIKELY,
            "list_condition_or_arn_wrong",
        ),
        lacks(
            world("permissions: the listing's ARN ends in /*").permissions(|p, n| {
                let arn = format!("{}/*", n.bucket_arn());
                with(p, "s3:ListBucket", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "list_condition_or_arn_wrong",
        )
        .cli(),
        lacks(
            world("permissions: the prefix alone may be listed, and nothing below it").permissions(|p, _| {
                with(p, "s3:ListBucket", |s| {
                    s["Condition"] = json!({"StringEquals": {"s3:prefix": ["", "team/"]}});
                })
            }),
            LIKELY,
            "folders_not_listed",
        ),
        lacks(
            world("permissions: the files' ARN has no wildcard").permissions(|p, n| {
                let arn = format!("{}/team", n.bucket_arn());
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        )
        .cli(),
        lacks(
            world("permissions: the files' ARN is the bucket's").prefix("").permissions(|p, n| {
                let arn = n.bucket_arn();
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        ),
        lacks(
            world("permissions: the files' ARN in another letter case").prefix("Team/").permissions(|p, n| {
                let arn = format!("{}/team/*", n.bucket_arn());
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        ),
        lacks(
            world("permissions: the files of another prefix").permissions(|p, n| {
                let arn = format!("{}/teams/*", n.bucket_arn());
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        ),
        lacks(
            world("permissions: the files' statement has a condition that is not met").permissions(|p, _| {
                with(p, "s3:GetObject", |s| {
                    s["Condition"] = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
                })
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        ),
        lacks(
            world("permissions: two slashes in the files' ARN").permissions(|p, n| {
                let arn = format!("{}//team/*", n.bucket_arn());
                with(p, "s3:GetObject", move |s| s["Resource"] = json!([arn]))
            }),
            LIKELY,
            "object_arn_or_prefix_wrong",
        ),
        lacks(
            world("permissions: no policy is attached").state(State::NoPolicy),
            LIKELY,
            "policy_absent_or_elsewhere",
        )
        .cli(),
        lacks(
            world("permissions: no policy is attached, to read").read_only().state(State::NoPolicy),
            LIKELY,
            "policy_absent_or_elsewhere",
        ),
        lacks(
            world("permissions: the policy is for another bucket").permissions(|p, n| {
                let text = p.to_string().replace(&n.bucket, "another-bucket");
                serde_json::from_str(&text).unwrap()
            }),
            LIKELY,
            "policy_absent_or_elsewhere",
        ),
        lacks(
            world("permissions: the policy has the ARN of another partition").permissions(|p, _| {
                let text = p.to_string().replace("arn:aws:s3", "arn:aws-cn:s3");
                serde_json::from_str(&text).unwrap()
            }),
            LIKELY,
            "policy_absent_or_elsewhere",
        ),
        world("permissions: the policy is for another prefix")
            .permissions(|p, _| {
                let text = p.to_string().replace("team/", "data/");
                serde_json::from_str(&text).unwrap()
            })
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .finds("object_arn_or_prefix_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .cli(),
        world("permissions: the policy has the prefix in another letter case, to read")
            .read_only()
            .permissions(|p, _| {
                let text = p.to_string().replace("team/", "Team/");
                serde_json::from_str(&text).unwrap()
            })
            .finds("list_condition_or_arn_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE)
            .finds("object_arn_or_prefix_wrong", CUSTOMER, LIKELY)
            .mended_by(ROLE),
        world("permissions: s3:GetBucketLocation is missing")
            .permissions(|p, _| without(p, "s3:GetBucketLocation"))
            .finds("location_not_permitted", CUSTOMER, PROVED)
            .mended_by(ROLE)
            .cli(),
        world("permissions: s3:GetObjectAcl is missing")
            .permissions(|p, _| without(p, "s3:GetObjectAcl"))
            .finds("acl_permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("permissions: s3:PutObjectAcl is missing")
            // The emulator asks for no permission of its own.
            .wire(|request, account, names| {
                let arn = format!("{}/{}x", names.bucket_arn(), names.prefix);
                let is_asked = request.operation() == "PutObjectAcl";
                (is_asked && !account.allows("s3:PutObjectAcl", &arn))
                    .then(|| no_allow("s3:PutObjectAcl", "identity-based policy", names))
            })
            .permissions(|p, _| without(p, "s3:PutObjectAcl"))
            .finds("acl_permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("permissions: s3:ListBucketVersions is missing")
            .permissions(|p, _| without(p, "s3:ListBucketVersions"))
            .finds("version_permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("permissions: s3:DeleteObjectVersion is missing")
            .permissions(|p, _| without(p, "s3:DeleteObjectVersion"))
            .finds("version_permission_missing", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("permissions: s3:DeleteObjectVersion is missing where versions are kept")
            .state(State::Versioned)
            .permissions(|p, _| without(p, "s3:DeleteObjectVersion"))
            .finds("probe_left", CUSTOMER, PROVED)
            .mended_by(ROLE),
        world("permissions: a statement denies writing")
            .permissions(|p, n| {
                denying(p, json!({"Effect": "Deny", "Action": "s3:PutObject", "Resource": n.objects_arn()}))
            })
            .finds("denied_by_identity_policy", CUSTOMER, PROVED)
            .never(&["no policy of the role allows"]),
        world("permissions: a statement denies everything but reading")
            .permissions(|p, _| {
                denying(
                    p,
                    json!({"Effect": "Deny", "NotAction": ["s3:Get*", "s3:List*"], "Resource": "*"}),
                )
            })
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
        world("permissions: a statement denies everything")
            .permissions(|p, _| denying(p, json!({"Effect": "Deny", "Action": "*", "Resource": "*"})))
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
        world("permissions: sessions from before a moment are revoked")
            .read_only()
            .permissions(|p, _| {
                denying(p, json!({
                    "Effect": "Deny", "Action": "*", "Resource": "*",
                    "Condition": {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}},
                }))
            })
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
        world("permissions: a statement denies deleting")
            .permissions(|p, n| {
                denying(p, json!({"Effect": "Deny", "Action": "s3:Delete*", "Resource": n.objects_arn()}))
            })
            .finds("denied_by_identity_policy", CUSTOMER, PROVED),
    ];
    type Told = (&'static str, &'static str, &'static str, &'static str, bool);
    const TOLD: [Told; 9] = [
        (
            "a permissions boundary allows no writing",
            "s3:PutObject",
            "permissions boundary",
            "denied_by_permissions_boundary",
            false,
        ),
        (
            "a permissions boundary denies listing",
            "s3:ListBucket",
            "permissions boundary",
            "denied_by_permissions_boundary",
            true,
        ),
        (
            "a service control policy allows no reading",
            "s3:GetObject",
            "service control policy",
            "denied_by_service_control_policy",
            false,
        ),
        (
            "a service control policy denies deleting",
            "s3:DeleteObject",
            "service control policy",
            "denied_by_service_control_policy",
            true,
        ),
        (
            "a resource control policy denies reading",
            "s3:GetObject",
            "resource control policy",
            "denied_by_resource_control_policy",
            true,
        ),
        (
            "a resource control policy denies listing",
            "s3:ListBucket",
            "resource control policy",
            "denied_by_resource_control_policy",
            true,
        ),
        (
            "the service's endpoint policy allows no listing",
            "s3:ListBucket",
            "VPC endpoint policy",
            "denied_by_vpc_endpoint_policy",
            false,
        ),
        (
            "the service's session policy allows no listing",
            "s3:ListBucket",
            "session policy",
            "denied_by_session_policy",
            false,
        ),
        (
            "the service's session policy allows no writing",
            "s3:PutObject",
            "session policy",
            "denied_by_session_policy",
            false,
        ),
    ];
    for (name, action, kind, code, is_explicit) in TOLD {
        let side = match kind {
            "service control policy" | "resource control policy" => ORGANIZATION,
            "VPC endpoint policy" | "session policy" => SERVICE,
            _ => CUSTOMER,
        };
        let operation = match action {
            "s3:ListBucket" => "ListObjectsV2",
            "s3:GetObject" => "GetObject",
            "s3:PutObject" => "PutObject",
            _ => "DeleteObject",
        };
        all.push(
            world(name)
                .wire(move |request, _, names| {
                    (request.operation() == operation).then(|| match is_explicit {
                        true => explicit(action, kind, names),
                        false => no_allow(action, kind, names),
                    })
                })
                .finds(code, side, PROVED)
                .never(&["no policy of the role allows"]),
        );
    }
    all
}
