//! The role's trust policy.
//!
//! Across accounts STS says "is not authorized to perform: sts:AssumeRole on resource: …" and no reason, whatever is
//! wrong with the trust policy, and for a role that does not exist (docs: IAM user guide, "Troubleshoot IAM roles"). So
//! these are one of several, unless another answer tells more.

use crate::it::worlds::sentences::sts_denial;
use crate::it::worlds::world::*;
use serde_json::{Value, json};

fn condition(mut trust: Value, condition: Value) -> Value {
    trust["Statement"][0]["Condition"] = condition;
    trust
}

fn also(mut trust: Value, statement: Value) -> Value {
    trust["Statement"].as_array_mut().unwrap().push(statement);
    trust
}

fn refused(world: World) -> World {
    world
        .finds("role_refused", CUSTOMER, ONE_OF)
        .mended_by("trust_policy")
}

pub fn worlds() -> Vec<World> {
    vec![
        refused(world("trust: another account").trust(|mut t, _| {
            t["Statement"][0]["Principal"]["AWS"] = json!("arn:aws:iam::444444444444:root");
            t
        }))
        .cli(),
        refused(world("trust: another user of the account").read_only().trust(|mut t, n| {
            t["Statement"][0]["Principal"]["AWS"] = json!(format!("arn:aws:iam::{}:user/other", n.vendor));
            t
        })),
        refused(world("trust: an AWS service in the account's place").trust(|mut t, _| {
            t["Statement"][0]["Principal"] = json!({"Service": "ec2.amazonaws.com"});
            t
        })),
        refused(world("trust: an external ID that was never issued").trust(|t, _| {
            condition(t, json!({"StringEquals": {"sts:ExternalId": "something-else"}}))
        }))
        .cli(),
        refused(world("trust: a blank after the external ID").trust(|t, n| {
            condition(t, json!({"StringEquals": {"sts:ExternalId": format!("{} ", n.external_id)}}))
        })),
        refused(world("trust: the external ID in quotes").prefix("").trust(|t, n| {
            condition(t, json!({"StringEquals": {"sts:ExternalId": format!("\"{}\"", n.external_id)}}))
        })),
        refused(world("trust: the external ID without its last character").trust(|t, n| {
            let short = &n.external_id[..n.external_id.len() - 1];
            condition(t, json!({"StringEquals": {"sts:ExternalId": short}}))
        })),
        refused(world("trust: multi-factor sign-in is asked for").trust(|mut t, _| {
            t["Statement"][0]["Condition"]["Bool"] = json!({"aws:MultiFactorAuthPresent": "true"});
            t
        })),
        refused(world("trust: only from an address of the customer").trust(|mut t, _| {
            t["Statement"][0]["Condition"]["IpAddress"] = json!({"aws:SourceIp": "203.0.113.0/24"});
            t
        })),
        refused(world("trust: only for an organization").trust(|mut t, _| {
            t["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalOrgID"] = json!("o-abcdefghij");
            t
        })),
        refused(world("trust: another action").trust(|mut t, _| {
            t["Statement"][0]["Action"] = json!("sts:AssumeRoleWithSAML");
            t
        })),
        refused(world("trust: the placeholder is still there").trust(|t, _| {
            condition(t, json!({"StringEquals": {"sts:ExternalId": "EXTERNAL_ID"}}))
        })),
        world("trust: the external ID in capital letters")
            .trust(|t, n| {
                condition(t, json!({"StringEquals": {"sts:ExternalId": n.external_id.to_uppercase()}}))
            })
            .finds("external_id_wrong_case", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .cli(),
        world("trust: the external ID of another setup of the workspace")
            .state(State::OtherSetup)
            .trust(|t, n| condition(t, json!({"StringEquals": {"sts:ExternalId": n.other_id}})))
            .finds("external_id_of_other_setup", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .cli(),
        world("trust: no such role")
            .state(State::NoRole)
            .finds("role_refused", CUSTOMER, ONE_OF)
            .may_be_mended()
            .never(&["The role exists", "does not exist."]),
        world("trust: no condition at all")
            .trust(|mut t, _| {
                t["Statement"][0].as_object_mut().unwrap().remove("Condition");
                t
            })
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .cli(),
        world("trust: the condition is met where there is no ID")
            .read_only()
            .trust(|t, n| {
                condition(t, json!({"StringEqualsIfExists": {"sts:ExternalId": n.external_id}}))
            })
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy"),
        world("trust: any external ID")
            .trust(|t, _| condition(t, json!({"StringLike": {"sts:ExternalId": "*"}})))
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .cli(),
        world("trust: an external ID with a wildcard at its end")
            .trust(|t, n| {
                let start = &n.external_id[..n.external_id.len() - 1];
                condition(t, json!({"StringLike": {"sts:ExternalId": format!("{start}*")}}))
            })
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy"),
        world("trust: an ID must be there, whichever")
            .trust(|t, _| condition(t, json!({"Null": {"sts:ExternalId": "false"}})))
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy"),
        world("trust: every ID but one")
            .trust(|t, _| {
                condition(t, json!({"StringNotEquals": {"sts:ExternalId": "forbidden"}}))
            })
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy"),
        world("trust: a second statement without a condition")
            .trust(|t, n| {
                also(t, json!({
                    "Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": {"AWS": format!("arn:aws:iam::{}:root", n.vendor)},
                }))
            })
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .cli(),
        world("trust: everybody, without a condition")
            .trust(|mut t, _| {
                t["Statement"][0]["Principal"] = json!("*");
                t["Statement"][0].as_object_mut().unwrap().remove("Condition");
                t
            })
            .finds("role_accepts_missing_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy")
            .finds("role_accepts_wrong_external_id", CUSTOMER, PROVED)
            .mended_by("trust_policy"),
        world("trust: AWS says that no statement allows it")
            .wire(|request, _, names| {
                (request.operation() == "AssumeRole").then(|| {
                    sts_denial("because no role trust policy allows the sts:AssumeRole action", names)
                })
            })
            .finds("trust_no_statement", CUSTOMER, PROVED)
            .may_be_mended()
            .says(&["exists"])
            .never(&["no such role", "may not exist"]),
        world("trust: AWS says that a statement denies it")
            .wire(|request, _, names| {
                (request.operation() == "AssumeRole")
                    .then(|| sts_denial("with an explicit deny in the role trust policy", names))
            })
            .finds("trust_explicit_deny", CUSTOMER, PROVED)
            .never(&["no such role"]),
        world("trust: a resource control policy of the customer's organization")
            .wire(|request, _, names| {
                (request.operation() == "AssumeRole")
                    .then(|| sts_denial("with an explicit deny in a resource control policy", names))
            })
            .finds("denied_by_customers_resource_control_policy", ORGANIZATION, PROVED)
            .never(&["no such role"]),
    ]
}
