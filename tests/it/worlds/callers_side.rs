//! The service's own side: its identity, its session and its account. Nothing here is the customer's to change.
//!
//! Service control policies bind the caller's account, resource control policies the resource's (AWS Organizations user
//! guide).

use crate::it::support::aws::stub::sts_error;
use crate::it::support::aws::wire::Reply;
use crate::it::worlds::sentences::{sts_denial, sts_denial_of};
use crate::it::worlds::world::*;

const NOT_THEIRS: [&str; 3] = [
    "no such role",
    "the role's trust policy does not",
    "Update the trust policy",
];

fn told(name: &'static str, reason: &'static str, code: &'static str) -> World {
    world(name)
        .wire(move |request, _, names| {
            (request.operation() == "AssumeRole").then(|| sts_denial(reason, names))
        })
        .finds(code, SERVICE, PROVED)
        .never(&NOT_THEIRS)
}

fn answered(name: &'static str, reply: Reply, code: &'static str, side: &'static str) -> World {
    world(name)
        .answers("AssumeRole", reply)
        .finds(code, side, PROVED)
        .never(&NOT_THEIRS)
}

/// Only calls without our own external ID are answered so.
fn unproved(name: &'static str, reply: fn(&Names) -> Reply, side: &'static str) -> World {
    world(name)
        .wire(move |request, _, names| {
            let sent = request.form("ExternalId");
            (request.operation() == "AssumeRole" && sent.as_ref() != Some(&names.external_id))
                .then(|| reply(names))
        })
        .finds("refusal_not_proven", side, PROVED)
        .never(&["lets others in", "accepts callers"])
}

pub fn worlds() -> Vec<World> {
    vec![
        told(
            "service: no policy of its identity allows AssumeRole",
            "because no identity-based policy allows the sts:AssumeRole action",
            "service_not_permitted",
        ),
        told(
            "service: a policy of its identity denies it",
            "with an explicit deny in an identity-based policy",
            "service_denied_by_identity_policy",
        ),
        told(
            "service: a service control policy of its organization denies it",
            "with an explicit deny in a service control policy",
            "service_denied_by_service_control_policy",
        ),
        told(
            "service: no service control policy of its organization allows it",
            "because no service control policy allows the sts:AssumeRole action",
            "service_denied_by_service_control_policy",
        ),
        told(
            "service: a service control policy that AWS names",
            "with an explicit deny in a service control policy: arn:aws:organizations::555555555555:policy/o-a1b2c3d4e5/service_control_policy/p-a1b2c3d4",
            "service_denied_by_service_control_policy",
        ),
        told(
            "service: its permissions boundary allows no AssumeRole",
            "because no permissions boundary allows the sts:AssumeRole action",
            "service_denied_by_permissions_boundary",
        ),
        told(
            "service: its permissions boundary denies it",
            "with an explicit deny in a permissions boundary",
            "service_denied_by_permissions_boundary",
        ),
        told(
            "service: the policy of its VPC endpoint allows no AssumeRole",
            "because no VPC endpoint policy allows the sts:AssumeRole action",
            "service_denied_by_vpc_endpoint_policy",
        ),
        told(
            "service: its own session policy allows no AssumeRole",
            "because no session policy allows the sts:AssumeRole action",
            "service_denied_by_session_policy",
        ),
        world("service: its session carries tags")
            .wire(|request, _, names| {
                (request.operation() == "AssumeRole")
                    .then(|| sts_denial_of("sts:TagSession", "", names))
            })
            .finds("session_attributes_refused", SERVICE, LIKELY)
            .says(&["sts:TagSession"]),
        world("service: its session carries a source identity")
            .wire(|request, _, names| {
                (request.operation() == "AssumeRole")
                    .then(|| sts_denial_of("sts:SetSourceIdentity", "", names))
            })
            .finds("session_attributes_refused", SERVICE, LIKELY)
            .says(&["sts:SetSourceIdentity"]),
        answered(
            "service: its access key was deleted",
            sts_error(
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            "service_key_unknown",
            SERVICE,
        ),
        answered(
            "service: its session has expired",
            sts_error(
                403,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            "service_session_expired",
            SERVICE,
        ),
        answered(
            "service: its secret is wrong",
            sts_error(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
            ),
            "service_secret_wrong",
            SERVICE,
        ),
        answered(
            "service: its clock is wrong",
            sts_error(
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z (20260101T002000Z - 15 min.)",
            ),
            "aws_clock_skew",
            SERVICE,
        ),
        answered(
            "service: its clock is ahead",
            sts_error(
                403,
                "SignatureDoesNotMatch",
                "Signature not yet current: 20260101T003000Z is still later than 20260101T001500Z (20260101T000000Z + 15 min.)",
            ),
            "aws_clock_skew",
            SERVICE,
        ),
        answered(
            "service: session tags leave no room for the session policy",
            sts_error(
                400,
                "PackedPolicyTooLarge",
                "Packed size of session tags consumes 118% of allotted space.",
            ),
            "session_tags_too_large",
            SERVICE,
        ),
        world("settings: the session policy takes more room than there is")
            .answers(
                "AssumeRole",
                sts_error(
                    400,
                    "PackedPolicyTooLarge",
                    "Packed policy consumes 112% of allotted space, please use smaller policy.",
                ),
            )
            .finds("session_policy_too_large", SETTINGS, LIKELY)
            .never(&NOT_THEIRS),
        world("settings: STS does not take the role's ARN")
            .answers(
                "AssumeRole",
                sts_error(400, "ValidationError", "arn:aws:iam::1:role/x is invalid"),
            )
            .finds("role_request_invalid", SETTINGS, LIKELY),
        world("settings: STS finds the session policy malformed")
            .answers(
                "AssumeRole",
                sts_error(
                    400,
                    "MalformedPolicyDocument",
                    "This policy contains invalid Json",
                ),
            )
            .finds("session_policy_malformed", SETTINGS, LIKELY),
        world("service: STS does not know the call")
            .answers(
                "AssumeRole",
                sts_error(
                    400,
                    "InvalidAction",
                    "Could not find operation AssumeRole for version 2011-06-15",
                ),
            )
            .finds("sts_rejected", SERVICE, ONE_OF)
            .never(&NOT_THEIRS),
        answered(
            "customer: STS is switched off in the Region",
            sts_error(
                403,
                "RegionDisabledException",
                "STS is not activated in this region for account:222222222222. Your account administrator can activate STS in this region using the IAM Console.",
            ),
            "sts_region_disabled",
            CUSTOMER,
        ),
        answered(
            "service: its account is not signed up",
            sts_error(
                403,
                "OptInRequired",
                "The AWS Access Key Id needs a subscription for the service",
            ),
            "service_account_not_signed_up",
            SERVICE,
        ),
        answered(
            "service: a proxy took the signature away",
            sts_error(
                403,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
            "service_signature_missing",
            SERVICE,
        ),
        answered(
            "STS throttles",
            sts_error(400, "Throttling", "Rate exceeded"),
            "aws_throttled",
            AWS,
        ),
        answered(
            "STS has a fault",
            sts_error(
                500,
                "InternalFailure",
                "We encountered an internal error. Please try again.",
            ),
            "aws_unavailable",
            AWS,
        ),
        answered(
            "STS breaks the connection",
            Reply::Reset,
            "aws_unreachable",
            NETWORK,
        ),
        unproved(
            "refusal: of a service control policy of the service's organization",
            |names| sts_denial("with an explicit deny in a service control policy", names),
            SERVICE,
        ),
        unproved(
            "refusal: of the service's own identity",
            |names| {
                sts_denial(
                    "because no identity-based policy allows the sts:AssumeRole action",
                    names,
                )
            },
            SERVICE,
        ),
        unproved(
            "refusal: throttled",
            |_| sts_error(400, "Throttling", "Rate exceeded"),
            AWS,
        ),
        unproved(
            "refusal: a fault of STS",
            |_| sts_error(500, "InternalFailure", "We encountered an internal error."),
            AWS,
        ),
    ]
}
