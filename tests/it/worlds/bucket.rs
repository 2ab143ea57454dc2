//! The bucket: whether it is there, where, whose, and in what state.

use crate::it::support::aws::stub::{denied, s3_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::worlds::aws::{action_of, resource_of};
use crate::it::worlds::sentences::no_allow;
use crate::it::worlds::world::*;
use serde_json::json;

fn is_s3(request: &Request) -> bool {
    !matches!(request.operation().as_str(), "AssumeRole" | "CorsPreflight")
}

/// Every call to the bucket is answered so.
fn all(world: World, reply: Reply) -> World {
    world.wire(move |request, _, _| is_s3(request).then(|| reply.clone()))
}

/// What a Requester Pays bucket answers (S3 user guide, "Using Requester Pays buckets").
fn charges(request: &Request) -> Option<Reply> {
    let operation = request.operation();
    let is_free = matches!(
        operation.as_str(),
        "AssumeRole" | "CorsPreflight" | "GetBucketLocation" | "HeadBucket"
    );
    let agreed = request.header("x-amz-request-payer") == Some("requester");
    (!is_free && !agreed).then(|| denied("Access Denied"))
}

/// A bucket of another account, whose policy does not know the role. The emulator knows no access from one account to
/// another: there, the bucket is the role's own, and only the answers are those about another's.
fn unshared(request: &Request, account: &super::account::Account, names: &Names) -> Option<Reply> {
    let action = action_of(request)?;
    let resource = resource_of(request, action, names);
    (!account.bucket_policy_allows(action, &resource))
        .then(|| no_allow(action, "resource-based policy", names))
}

pub fn worlds() -> Vec<World> {
    let owner = "333333333333";
    vec![
        world("bucket: there is none of this name")
            .state(State::NoBucket)
            .not_browsed()
            .finds("bucket_not_found", SETTINGS, PROVED)
            .never(&["no policy of the role allows"]),
        world("bucket: there is none of this name, to read")
            .read_only()
            .prefix("")
            .state(State::NoBucket)
            .not_browsed()
            .finds("bucket_not_found", SETTINGS, PROVED),
        world("bucket: another Region was entered")
            .settings(|_| json!({"region": "eu-west-1"}))
            .finds("region_differs", SETTINGS, PROVED)
            .mended_by("settings"),
        world("bucket: it is far, and another Region was entered")
            .read_only()
            .state(State::Elsewhere("eu-central-1"))
            .settings(|_| json!({"region": "us-west-2"}))
            .finds("region_differs", SETTINGS, PROVED)
            .mended_by("settings"),
        world("bucket: the Region is told nowhere")
            .not_browsed()
            .wire(|request, _, _| {
                is_s3(request).then(|| s3_error(301, "PermanentRedirect", "Use the specified endpoint."))
            })
            .finds("bucket_region_unknown", SETTINGS, PROVED),
        world("bucket: it belongs to another account")
            .owner(owner)
            .finds("bucket_owned_by_another_account", SETTINGS, PROVED)
            .never(&["no policy of the role allows"]),
        world("bucket: it belongs to another account, and its location may not be read")
            .owner(owner)
            .permissions(|p, _| super::permissions::without(p, "s3:GetBucketLocation"))
            .finds("location_not_permitted", CUSTOMER, PROVED)
            .mended_by("role_permission_policy")
            .finds("bucket_owned_by_another_account", SETTINGS, PROVED),
        world("bucket: it belongs to another account, to read a whole bucket")
            .read_only()
            .prefix("")
            .owner(owner)
            .finds("bucket_owned_by_another_account", SETTINGS, PROVED)
            .never(&["session policy"]),
        world("bucket: it belongs to another account of another organization")
            .owner(owner)
            .wire(|request, _, _| is_s3(request).then(|| denied("Access Denied")))
            .finds("denied_without_reason", CUSTOMER, ONE_OF)
            .never(&["no policy of the role allows"]),
        world("bucket: another account was entered as its owner")
            .settings(|_| json!({"bucket_account_id": "444444444444"}))
            .finds("bucket_owned_by_another_account", SETTINGS, PROVED)
            .says(&["444444444444"]),
        world("bucket: its account is switched off")
            .wire(|request, _, _| {
                is_s3(request).then(|| {
                    s3_error(403, "AllAccessDisabled", "All access to this object has been disabled")
                })
            })
            .finds("account_disabled", CUSTOMER, PROVED)
            .never(&["no policy of the role allows"]),
        world("bucket: its account has a problem")
            .wire(|request, _, _| {
                is_s3(request).then(|| {
                    s3_error(403, "AccountProblem", "There is a problem with your AWS account that prevents the operation from completing successfully.")
                })
            })
            .finds("account_disabled", CUSTOMER, PROVED),
        world("bucket: its account is not signed up for S3")
            .read_only()
            .wire(|request, _, _| {
                is_s3(request).then(|| {
                    s3_error(403, "NotSignedUp", "Your account is not signed up for the Amazon S3 service.")
                })
            })
            .finds("account_disabled", CUSTOMER, PROVED),
        world("bucket: its readers pay")
            .wire(|request, _, _| charges(request))
            .finds("requester_pays", SETTINGS, PROVED)
            .mended_by("settings"),
        world("bucket: its readers pay, to read a whole bucket")
            .read_only()
            .prefix("")
            .wire(|request, _, _| charges(request))
            .finds("requester_pays", SETTINGS, PROVED)
            .mended_by("settings"),
        world("bucket: of another account, whose policy does not know the role")
            .settings(|n| json!({"bucket_account_id": n.account}))
            .wire(unshared)
            .finds("bucket_policy_missing", CUSTOMER, LIKELY)
            .mended_by("bucket_policy")
            .never(&["no policy of the role allows"]),
        world("bucket: of another account, whose policy does not know the role, to read")
            .read_only()
            .prefix("")
            .settings(|n| json!({"bucket_account_id": n.account}))
            .wire(unshared)
            .finds("bucket_policy_missing", CUSTOMER, LIKELY)
            .mended_by("bucket_policy"),
        world("bucket: of another account, whose policy has a statement already")
            .settings(|n| json!({"bucket_account_id": n.account}))
            .bucket_policy(|names| names.deny(&["s3:PutBucketAcl"], json!(null)))
            .wire(unshared)
            .finds("bucket_policy_missing", CUSTOMER, LIKELY)
            .mended_by("bucket_policy"),
        world("bucket: of another organization, and no reason is given")
            .owner(owner)
            .settings(|_| json!({"bucket_account_id": "333333333333"}))
            .wire(|request, _, _| is_s3(request).then(|| denied("Access Denied")))
            .finds("denied_without_reason", CUSTOMER, ONE_OF)
            .never(&["no policy of the role allows"]),
        world("bucket: writing is refused without a reason")
            .answers("PutObject", denied("Access Denied"))
            .finds("denied_without_reason", CUSTOMER, ONE_OF)
            .never(&["no policy of the role allows"]),
        all(
            world("bucket: its Region does not know the session").read_only(),
            s3_error(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
        )
        .finds("session_not_known_in_region", CUSTOMER, LIKELY),
        all(
            world("bucket: the session is expired for it"),
            s3_error(400, "ExpiredToken", "The provided token has expired."),
        )
        .finds("session_expired", SERVICE, LIKELY),
        all(
            world("bucket: it does not know the session's key"),
            s3_error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        )
        .finds("session_not_accepted", AWS, LIKELY),
        all(
            world("bucket: it rejects the session's signature"),
            s3_error(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided.",
            ),
        )
        .finds("signature_rejected", NETWORK, LIKELY),
        world("bucket: something refuses in words of a later day")
            .wire(|request, _, names| {
                (request.operation() == "PutObject").then(|| {
                    super::sentences::s3_denial("s3:PutObject", "with an explicit deny in a data perimeter", names)
                })
            })
            .finds("denied_for_unknown_reason", SERVICE, ONE_OF)
            .never(&["no policy of the role allows"]),
        world("bucket: another change of it is under way")
            .answers(
                "PutObject",
                s3_error(409, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource."),
            )
            .finds("conflicting_change", AWS, PROVED),
        world("bucket: what arrives is not what was sent")
            .answers(
                "PutObject",
                s3_error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."),
            )
            .finds("body_altered", NETWORK, ONE_OF),
        world("bucket: an answer in a code of a later day")
            .answers("PutObject", s3_error(400, "BucketIsOnHoliday", "Come back on Monday."))
            .finds("aws_rejected", SETTINGS, ONE_OF)
            .never(&["no policy of the role allows", "Monday"]),
        world("bucket: a store says that the method is not allowed")
            .answers(
                "ListObjectsV2",
                s3_error(405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
            )
            .finds("operation_not_supported", AWS, PROVED),
    ]
}
