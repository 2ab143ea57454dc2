//! KMS, whose denials the emulator does not know: in the words that S3 has for them.

use crate::it::support::aws::stub::{denied, s3_error};
use crate::it::worlds::kms::{KEY, Key, KeyState};
use crate::it::worlds::sentences::kms_denial;
use crate::it::worlds::world::*;
use serde_json::{Value, json};

/// The role may use the key, as a customer's own statement allows it.
fn using(mut policy: Value, names: &Names) -> Value {
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [names.key_arn],
    }));
    policy
}

fn entered(names: &Names) -> Value {
    json!({"kms_key_arn": names.key_arn})
}

fn in_state(
    name: &'static str,
    state: KeyState,
    code: &'static str,
    certainty: &'static str,
) -> World {
    world(name)
        .permissions(using)
        .settings(entered)
        .key(Key { state, ..KEY })
        .finds(code, CUSTOMER, certainty)
        .never(&["no policy of the role allows"])
}

pub fn worlds() -> Vec<World> {
    let only_files = Key {
        of_bucket: false,
        ..KEY
    };
    let only_new = Key {
        of_files: false,
        ..KEY
    };
    vec![
        world("KMS: the key was not entered")
            .permissions(using)
            .key(KEY)
            .finds("kms_key_not_entered", SETTINGS, PROVED)
            .mended_by("settings"),
        world("KMS: the key was not entered, of files that are there")
            .read_only()
            .permissions(using)
            .key(only_files)
            .not_browsed()
            // S3 names no key of a file that it reads.
            .finds("kms_key_not_entered", SETTINGS, PROVED),
        world("KMS: the key was not entered, of new files")
            .permissions(using)
            .key(only_new)
            .finds("kms_key_not_entered", SETTINGS, PROVED)
            .mended_by("settings"),
        world("KMS: the role may not use the key")
            .settings(entered)
            .key(KEY)
            .finds("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        world("KMS: the role may not use the key of new files")
            .settings(entered)
            .key(only_new)
            .finds("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        world("KMS: the role may only read with the key")
            .permissions(|mut p, n| {
                p["Statement"].as_array_mut().unwrap().push(json!({
                    "Effect": "Allow", "Action": "kms:Decrypt", "Resource": n.key_arn,
                }));
                p
            })
            .settings(entered)
            .key(KEY)
            .finds("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        world("KMS: the role may not read with the key, to read")
            .read_only()
            .prefix("")
            .settings(entered)
            .key(KEY)
            .finds("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        world("KMS: the key's policy does not know the role")
            .permissions(using)
            .settings(entered)
            .key(Key { trusts_account: false, ..KEY })
            .finds("kms_key_policy", CUSTOMER, PROVED)
            .mended_by("key_policy"),
        world("KMS: the key's policy does not know the role, of new files")
            .permissions(using)
            .settings(entered)
            .key(Key { trusts_account: false, ..only_new })
            .finds("kms_key_policy", CUSTOMER, PROVED)
            .mended_by("key_policy"),
        world("KMS: another key was entered")
            .permissions(using)
            .settings(|n| {
                let other = n.key_arn.replace("1234abcd", "99999999");
                json!({"kms_key_arn": other})
            })
            .key(only_new)
            .finds("kms_other_key", SETTINGS, PROVED)
            .mended_by("settings"),
        world("KMS: another key was entered, and the role may use neither")
            .settings(|n| {
                let other = n.key_arn.replace("1234abcd", "99999999");
                json!({"kms_key_arn": other})
            })
            .key(only_new)
            .finds("kms_other_key", SETTINGS, PROVED)
            .mended_by("settings")
            .then("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy"),
        world("KMS: neither entered nor allowed")
            .key(only_new)
            .finds("kms_permission_missing", CUSTOMER, PROVED)
            .mended_by("role_permission_policy")
            .then("kms_key_not_entered", SETTINGS, PROVED)
            .mended_by("settings"),
        in_state("KMS: the key is disabled", KeyState::Disabled, "kms_disabled", PROVED),
        in_state("KMS: the key is disabled, to read", KeyState::Disabled, "kms_disabled", PROVED).read_only(),
        in_state("KMS: the key is pending deletion", KeyState::PendingDeletion, "kms_pending_deletion", PROVED),
        in_state("KMS: the key is unavailable", KeyState::Unavailable, "kms_invalid_state", PROVED),
        in_state("KMS: the key does not exist", KeyState::NotFound, "kms_not_found", PROVED),
        in_state("KMS: the key is out of reach", KeyState::OutOfReach, "kms_foreign_key", ONE_OF).may_be_mended(),
        world("KMS: a service control policy denies the key")
            .permissions(using)
            .settings(entered)
            .wire(|request, _, names| {
                (request.operation() == "PutObject").then(|| {
                    kms_denial("kms:GenerateDataKey", "with an explicit deny in a service control policy", names)
                })
            })
            .finds("kms_denied", ORGANIZATION, PROVED),
        world("KMS: a statement of the role denies the key")
            .permissions(using)
            .settings(entered)
            .wire(|request, _, names| {
                (request.operation() == "PutObject").then(|| {
                    kms_denial("kms:GenerateDataKey", "with an explicit deny in an identity-based policy", names)
                })
            })
            .finds("kms_denied", CUSTOMER, PROVED),
        world("KMS: the key's policy denies it")
            .permissions(using)
            .settings(entered)
            .wire(|request, _, names| {
                (request.operation() == "PutObject").then(|| {
                    kms_denial("kms:GenerateDataKey", "with an explicit deny in a resource-based policy", names)
                })
            })
            .finds("kms_key_policy", CUSTOMER, PROVED)
            .never(&["Add the statement"]),
        world("KMS: no reason is given")
            .permissions(using)
            .settings(entered)
            .wire(|request, _, names| {
                (request.operation() == "PutObject").then(|| kms_denial("kms:GenerateDataKey", "", names))
            })
            .finds("kms_denied_without_reason", CUSTOMER, ONE_OF),
        world("KMS: the key is of another use")
            .answers(
                "PutObject",
                s3_error(400, "KMS.InvalidKeyUsageException", "The key usage is SIGN_VERIFY."),
            )
            .finds("kms_invalid_usage", CUSTOMER, PROVED),
        world("KMS: it throttles")
            .answers("PutObject", s3_error(503, "KMS.ThrottlingException", "Rate exceeded"))
            .finds("aws_throttled", AWS, PROVED),
        world("files: encrypted with a key that their owner sends")
            .wire(|request, _, _| {
                let (_, key) = request.bucket_and_key();
                (matches!(request.operation().as_str(), "GetObject" | "HeadObject") && key.ends_with("a.txt"))
                    .then(|| {
                        s3_error(
                            400,
                            "InvalidRequest",
                            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
                        )
                    })
            })
            .finds("customer_key_needed", CUSTOMER, PROVED),
        world("KMS: the ciphertext of files is of a key out of reach")
            .read_only()
            .wire(|request, _, _| {
                let (_, key) = request.bucket_and_key();
                (request.operation() == "GetObject" && key.ends_with("a.txt")).then(|| {
                    denied("The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
                })
            })
            .finds("kms_foreign_key", CUSTOMER, ONE_OF),
    ]
}
