//! The preflight that a browser would send before it uses a signed URL.

use crate::application::bucket::probe::{Answer, Answered, PreflightSent, Preflighted};
use crate::aws::checks::s3_probe::{S3Probe, answered};
use crate::aws::failure::{classify, local, origin_of};
use crate::domain::aws_failure::{AnswerDetails, AwsFailure, FailureKind};
use crate::domain::connection::region::Region;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::presigning::PresigningConfig;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use std::time::Duration;
use url::Url;

pub(super) async fn preflight(
    probe: &S3Probe,
    key: &ObjectKey,
    sent: PreflightSent<'_>,
) -> Answer<Preflighted> {
    let PreflightSent {
        origin,
        method,
        with_headers,
    } = sent;
    const OPERATION: &str = "CorsPreflight";
    let url = object_url(probe, key).await?;
    let mut request = probe
        .common
        .http
        .request(reqwest::Method::OPTIONS, url)
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, method);
    if with_headers && matches!(method, "PUT" | "POST") {
        // What a browser sends with a signed URL.
        let encrypts = probe.common.bucket.connection.settings.kms_key.is_some();
        let names = match encrypts && method == "PUT" {
            true => {
                "content-type,x-amz-server-side-encryption,x-amz-server-side-encryption-aws-kms-key-id"
            }
            false => "content-type",
        };
        request = request.header(ACCESS_CONTROL_REQUEST_HEADERS, names);
    }
    let answer = request.send().await.map_err(|error| {
        let kind = if error.is_timeout() {
            FailureKind::Timeout
        } else {
            FailureKind::Network
        };
        local(OPERATION, kind, error.without_url())
    })?;
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let status = answer.status().as_u16();
    let request_id = header("x-amz-request-id");
    let bucket_region = header("x-amz-bucket-region").and_then(|name| Region::parse(&name).ok());
    let failed = |kind| {
        Err(AwsFailure {
            http_status: Some(status),
            request_id: request_id.clone(),
            bucket_region: bucket_region.map(Box::new),
            ..local(
                OPERATION,
                kind,
                format!("the preflight was answered with {status}"),
            )
        })
    };
    match status {
        300..=399 if bucket_region.is_some() => return failed(FailureKind::WrongRegion),
        300..=399 => {
            let target = header("location").and_then(|target| origin_of(&target));
            return failed(FailureKind::Redirected).map_err(|failure| AwsFailure {
                details: Some(Box::new(AnswerDetails {
                    redirects_to: target,
                    ..AnswerDetails::default()
                })),
                ..failure
            });
        }
        404 => return failed(FailureKind::NoSuchBucket),
        429 => return failed(FailureKind::Throttled),
        500..=599 => return failed(FailureKind::Unavailable),
        _ => {}
    }
    let allows_origin = header(ACCESS_CONTROL_ALLOW_ORIGIN.as_str())
        .is_some_and(|value| value == "*" || value == origin);
    let allows_method = header(ACCESS_CONTROL_ALLOW_METHODS.as_str()).is_some_and(|value| {
        value
            .split(',')
            .any(|allowed| allowed.trim() == "*" || allowed.trim().eq_ignore_ascii_case(method))
    });
    Ok(Answered {
        http_status: Some(status),
        bucket_region,
        ..answered(
            OPERATION,
            request_id.as_deref(),
            Preflighted {
                is_allowed: (200..300).contains(&status) && allows_origin && allows_method,
                exposes_etag: header(ACCESS_CONTROL_EXPOSE_HEADERS.as_str()).is_some_and(|value| {
                    value
                        .split(',')
                        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("etag"))
                }),
            },
        )
    })
}

/// Where a browser would find the object: the address that a signed URL has.
async fn object_url(probe: &S3Probe, key: &ObjectKey) -> Result<Url, AwsFailure> {
    let unusable =
        |why: &dyn std::fmt::Display| local("CorsPreflight", FailureKind::InvalidRequest, why);
    let config =
        PresigningConfig::expires_in(Duration::from_secs(60)).map_err(|error| unusable(&error))?;
    let signed = probe
        .s3
        .get_object()
        .bucket(probe.bucket())
        .key(key.as_str())
        .presigned(config)
        .await
        .map_err(|error| classify("CorsPreflight", &error))?;
    let mut url = Url::parse(signed.uri()).map_err(|error| unusable(&error))?;
    url.set_query(None);
    Ok(url)
}
