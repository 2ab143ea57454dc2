//! What the stub's STS answers.

use super::{Reply, Shared, lock, xml};

/// To a form that was posted to it. The role wants an external ID that the stub trusts.
pub(super) fn answer(body: &str, shared: &Shared) -> (&'static str, Reply) {
    if body.contains("Action=GetCallerIdentity") {
        let text = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/service</Arn><UserId>A</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        return ("GetCallerIdentity", xml(text.into()));
    }
    let given = body
        .split('&')
        .find_map(|field| field.strip_prefix("ExternalId="));
    let is_filled = *lock(&shared.is_external_id);
    let is_filled = |given: &str| is_filled.is_some_and(|is_filled| is_filled(given));
    let is_trusted = |given: &str| lock(&shared.external_ids).contains(given) || is_filled(given);
    if !given.is_some_and(is_trusted) {
        let text = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message></Error><RequestId>STUB</RequestId></ErrorResponse>";
        return (
            "RefusedAssumeRole",
            Reply::Short(403, vec![], text.to_owned()),
        );
    }
    let expires = time::OffsetDateTime::now_utc() + time::Duration::HOUR;
    let expires = expires
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default();
    (
        "AssumeRole",
        xml(format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIASTUBSTUBSTUBSTUB</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
            "token".repeat(100)
        )),
    )
}
