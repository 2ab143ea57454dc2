//! Between the service and the store: custom endpoints, proxies, and AWS's own faults.

use crate::it::support::aws::stub::{html, s3_error};
use crate::it::support::aws::wire::{Reply, Request};
use crate::it::support::emulator::Emulator;
use crate::it::worlds::world::*;
use serde_json::json;

fn endpoint(name: &'static str, make: Make, code: &'static str, certainty: &'static str) -> World {
    world(name)
        .by(By::KeyAtStore)
        .not_browsed()
        .settings(make)
        .finds(code, SETTINGS, certainty)
        .never(&[
            "check again in a moment",
            "the role",
            "AWS could not be reached",
        ])
}

fn is_s3(request: &Request) -> bool {
    !matches!(request.operation().as_str(), "AssumeRole" | "CorsPreflight")
}

fn at_store(name: &'static str, reply: Reply) -> World {
    world(name)
        .by(By::KeyAtStore)
        .not_browsed()
        .wire(move |request, _, _| is_s3(request).then(|| reply.clone()))
        .never(&["the role"])
}

pub fn worlds() -> Vec<World> {
    vec![
        endpoint(
            "endpoint: its name has no address",
            |_| json!({"endpoint": "https://s3.no-such-store.invalid"}),
            "endpoint_dns",
            LIKELY,
        ),
        endpoint(
            "endpoint: nothing listens there",
            |_| json!({"endpoint": "http://127.0.0.1:9"}),
            "endpoint_refused",
            LIKELY,
        ),
        endpoint(
            "endpoint: what answers there speaks no TLS",
            |_| json!({"endpoint": Emulator::url().replace("http://", "https://")}),
            "endpoint_tls",
            ONE_OF,
        ),
        endpoint(
            "endpoint: in a network that is not allowed",
            |_| json!({"endpoint": "http://10.20.30.40"}),
            "endpoint_not_allowed",
            PROVED,
        ),
        at_store("endpoint: a page for people", html(200)).finds("endpoint_not_s3", SETTINGS, ONE_OF),
        at_store("endpoint: a login page", html(403)).finds("endpoint_not_s3", SETTINGS, ONE_OF),
        at_store(
            "endpoint: it sends callers elsewhere",
            Reply::answer(302, "").with("location", "https://console.example.com/login"),
        )
        .finds("endpoint_redirects", SETTINGS, PROVED)
        .may_be_mended(),
        world("endpoint: the store does not tell its Region")
            .by(By::KeyAtStore)
            .not_browsed()
            .answers(
                "GetBucketLocation",
                s3_error(501, "NotImplemented", "A header you provided implies functionality that is not implemented."),
            )
            .finds("location_not_supported", AWS, PROVED),
        world("endpoint: the store refuses without a reason")
            .by(By::KeyAtStore)
            .not_browsed()
            .answers("PutObject", s3_error(403, "AccessDenied", "Access Denied."))
            .finds("denied_without_reason", CUSTOMER, ONE_OF)
            .never(&["the role", "another organization"]),
        world("endpoint: the store is full")
            .by(By::KeyAtStore)
            .not_browsed()
            .answers(
                "PutObject",
                s3_error(507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold."),
            )
            .finds("store_full", CUSTOMER, PROVED),
        world("S3 throttles")
            .answers("ListObjectsV2", s3_error(503, "SlowDown", "Please reduce your request rate."))
            .finds("aws_throttled", AWS, PROVED)
            .never(&["no policy of the role allows"]),
        world("S3 has a fault")
            .answers("PutObject", s3_error(500, "InternalError", "We encountered an internal error. Please try again."))
            .finds("aws_unavailable", AWS, PROVED),
        world("S3 breaks the connection")
            .answers("ListObjectsV2", Reply::Reset)
            .finds("aws_unreachable", NETWORK, PROVED),
        world("a proxy answers in S3's place")
            .answers("ListObjectsV2", html(403))
            .finds("aws_answer_unreadable", NETWORK, PROVED)
            .never(&["no policy of the role allows"]),
        world("S3 says that the clock is wrong")
            .wire(|request, _, _| {
                is_s3(request).then(|| {
                    s3_error(
                        403,
                        "RequestTimeTooSkewed",
                        "The difference between the request time and the current time is too large.",
                    )
                })
            })
            .finds("aws_clock_skew", SERVICE, PROVED),
    ]
}
