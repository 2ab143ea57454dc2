//! What each code of a cause means, for whoever has the code alone: a storage's health keeps no more.

/// Every code with what it means, in the order of the alphabet. A test compares it with the catalogue.
pub const MEANINGS: &[(&str, &str)] = &[
    (
        "access_key_temporary",
        "The access key is one of a temporary session, or is not known in the Region.",
    ),
    (
        "access_key_unknown",
        "The store does not know the access key's ID.",
    ),
    (
        "account_disabled",
        "The account, or all access to the bucket, is switched off.",
    ),
    (
        "acl_permission_missing",
        "A warning: ACLs of files cannot be used, because an action that the documents grant is denied.",
    ),
    (
        "all_archived",
        "A warning: every file that was listed is archived, and must be restored before it can be read.",
    ),
    (
        "aws_answer_unreadable",
        "The answer does not have the form of S3 or STS.",
    ),
    (
        "aws_clock_skew",
        "The clocks of the service and the store differ by more than a signature allows.",
    ),
    (
        "aws_rejected",
        "The call was not accepted; the explanation has the code.",
    ),
    ("aws_throttled", "AWS or the store asks for fewer requests."),
    ("aws_timeout", "No answer came in time."),
    (
        "aws_unavailable",
        "AWS or the store answered with a fault of its own.",
    ),
    ("aws_unreachable", "There was no connection, or it broke."),
    (
        "body_altered",
        "The body does not fit its digest when it arrives.",
    ),
    ("bucket_not_found", "There is no such bucket."),
    (
        "bucket_owned_by_another_account",
        "The bucket belongs to another account than the one that is expected.",
    ),
    (
        "bucket_policy_denies_all",
        "The bucket policy, or Block Public Access, denies every call.",
    ),
    (
        "bucket_policy_missing",
        "A bucket of another account has no bucket policy that allows the role.",
    ),
    (
        "bucket_policy_needs_encryption",
        "A policy demands an encryption of new files that the settings do not name.",
    ),
    (
        "bucket_region_changed",
        "The bucket is in another Region than when it was checked, as after it was made again.",
    ),
    (
        "bucket_region_unknown",
        "The bucket is in another Region, and the store does not say which.",
    ),
    (
        "conflicting_change",
        "Another change of the same bucket or file is under way.",
    ),
    (
        "cors_etag_not_exposed",
        "A warning: browsers may upload, and not read the ETag, which uploads in parts need.",
    ),
    (
        "cors_headers_missing",
        "The CORS rules do not allow the headers that uploads send.",
    ),
    (
        "cors_method_missing",
        "The CORS rules let the origin in, and not with every method that is needed.",
    ),
    (
        "cors_none",
        "The bucket has no CORS rule that lets in any of the service's pages.",
    ),
    (
        "cors_origin_missing",
        "The CORS rules let in some of the service's origins, and not this one.",
    ),
    (
        "cors_origin_port",
        "The CORS rules name the origin with another port.",
    ),
    (
        "cors_origin_scheme",
        "The CORS rules name the origin with the other scheme.",
    ),
    (
        "cors_origin_slash",
        "The CORS rules name the origin with a slash at its end.",
    ),
    (
        "credentials_lost",
        "The service has lost the secret of the access key, which must be entered again.",
    ),
    (
        "customer_key_needed",
        "The object needs a key that its owner sends with each request (SSE-C).",
    ),
    (
        "denied_by_bucket_policy",
        "A statement of the bucket policy denies the action.",
    ),
    (
        "denied_by_customers_resource_control_policy",
        "A resource control policy of the role's organization denies the call.",
    ),
    (
        "denied_by_identity_policy",
        "A statement of the role's or the user's policy denies the action.",
    ),
    (
        "denied_by_permissions_boundary",
        "The permissions boundary does not allow the action.",
    ),
    (
        "denied_by_resource_control_policy",
        "A resource control policy of the bucket's organization does not allow the action.",
    ),
    (
        "denied_by_service_control_policy",
        "A service control policy of the customer's organization does not allow the action.",
    ),
    (
        "denied_by_session_policy",
        "The service's own session policy does not allow the action.",
    ),
    (
        "denied_by_vpc_endpoint_policy",
        "The policy of the operator's VPC endpoint does not allow the action.",
    ),
    (
        "denied_for_unknown_reason",
        "AWS gave a reason that this service does not know.",
    ),
    (
        "denied_without_reason",
        "AWS or the store refused the action and gave no reason.",
    ),
    ("endpoint_dns", "The endpoint's name has no address."),
    (
        "endpoint_not_allowed",
        "The endpoint is in a network that the operator does not allow.",
    ),
    (
        "endpoint_not_s3",
        "What answers at the endpoint is not an S3-compatible store: a proxy, a console, or a page for people.",
    ),
    (
        "endpoint_redirects",
        "The endpoint redirects to another address.",
    ),
    ("endpoint_refused", "Nothing answers at the endpoint."),
    (
        "endpoint_tls",
        "The endpoint's certificate is not trusted, or it does not speak TLS.",
    ),
    (
        "external_id_of_other_setup",
        "The role asks for the external ID of another setup or storage of the same workspace.",
    ),
    (
        "external_id_wrong_case",
        "The role asks for the right external ID in another letter case.",
    ),
    (
        "files_that_expire",
        "A warning: files of others are in the folders that the lifecycle configuration of the documents empties after 7 days.",
    ),
    (
        "folders_not_listed",
        "The prefix can be listed and a folder below it cannot, as by `StringEquals` on `s3:prefix`.",
    ),
    ("kms_denied", "Another policy denies the use of the key."),
    (
        "kms_denied_without_reason",
        "The key cannot be used, and AWS does not say why.",
    ),
    ("kms_disabled", "The KMS key is disabled."),
    (
        "kms_foreign_key",
        "The objects are encrypted with a key that does not exist in the Region, or that another account does not share.",
    ),
    (
        "kms_invalid_state",
        "The state of the KMS key does not allow its use.",
    ),
    ("kms_invalid_usage", "The KMS key is of another kind."),
    (
        "kms_key_not_entered",
        "The key is not the one in the settings, so the service's session does not allow it. The role and the key may be right.",
    ),
    (
        "kms_key_policy",
        "The key's own policy does not allow its use, or denies it.",
    ),
    ("kms_not_found", "There is no such KMS key."),
    (
        "kms_other_key",
        "The objects are encrypted with another key than the settings name, which the role may not use.",
    ),
    (
        "kms_pending_deletion",
        "The KMS key waits for its deletion.",
    ),
    (
        "kms_permission_missing",
        "No policy of the role or user allows the key's action.",
    ),
    (
        "list_condition_or_arn_wrong",
        "Only the listing is refused because no policy allows it: its ARN or its condition on `s3:prefix` is wrong.",
    ),
    (
        "listing_incomplete",
        "The store's listing contradicts itself, so files may be missing from it.",
    ),
    (
        "location_not_permitted",
        "The bucket's Region may not be read. A warning.",
    ),
    (
        "location_not_supported",
        "The store does not say where a bucket is. A warning.",
    ),
    ("mfa_required", "It needs a code of a multi-factor device."),
    (
        "nothing_below_prefix",
        "A warning: the prefix may be read, and no file is below it.",
    ),
    (
        "object_archived",
        "The file is archived and must be restored before it can be read.",
    ),
    (
        "object_arn_or_prefix_wrong",
        "A policy is there, and none allows anything with the bucket's objects: their ARN or the prefix in it is wrong.",
    ),
    (
        "object_locked",
        "Object Lock refuses the change; the explanation says until when, where that can be read.",
    ),
    (
        "object_of_other_owner",
        "A file is refused although reading is allowed: its owner, its ACL or its key is another.",
    ),
    (
        "operation_not_supported",
        "The store does not have the operation.",
    ),
    (
        "permission_missing",
        "No policy of the role or user allows the action for what was asked.",
    ),
    (
        "policy_absent_or_elsewhere",
        "No policy of the role or user allows anything that was asked for: it is not attached, or is for another bucket.",
    ),
    ("probe_differs", "What was written reads back differently."),
    (
        "probe_encryption_differs",
        "A warning: a new file is encrypted with another key than the settings name.",
    ),
    (
        "probe_left",
        "A warning: the file, or a version of it, could not be removed; the explanation has its key, its versions and why.",
    ),
    ("probe_not_stored", "What was written is not there."),
    (
        "refusal_not_proven",
        "It could not be found out whether the role refuses others.",
    ),
    (
        "region_differs",
        "The bucket is in another Region than the settings say. A warning.",
    ),
    (
        "requester_pays",
        "The bucket is a Requester Pays bucket, and the settings do not say so.",
    ),
    (
        "role_accepts_missing_external_id",
        "The role lets in callers without an external ID.",
    ),
    (
        "role_accepts_wrong_external_id",
        "The role lets in callers with another external ID.",
    ),
    (
        "role_refused",
        "The role's trust policy does not let the service in, or there is no such role. AWS does not say which.",
    ),
    (
        "role_request_invalid",
        "STS does not accept the form of the role's ARN or of the session.",
    ),
    ("secret_wrong", "The secret does not fit the access key."),
    (
        "service_account_not_signed_up",
        "The service's own account is not signed up. Only the operator can fix this.",
    ),
    (
        "service_credentials_missing",
        "The service found no credentials of its own. Only the operator can fix this.",
    ),
    (
        "service_denied_by_identity_policy",
        "A policy of the service's identity denies AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_denied_by_permissions_boundary",
        "The permissions boundary of the service's identity does not let it call AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_denied_by_service_control_policy",
        "A service control policy of the service's organization does not let it call AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_denied_by_session_policy",
        "The session policy that the service runs under does not let it call AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_denied_by_vpc_endpoint_policy",
        "The policy of the service's VPC endpoint does not let it call AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_identity_provider_refused",
        "STS does not accept the token of the identity provider that the service signs in with. Only the operator can fix this.",
    ),
    (
        "service_key_unknown",
        "AWS does not know the access key that the service runs on. Only the operator can fix this.",
    ),
    (
        "service_not_permitted",
        "No policy of the service's identity lets it call AssumeRole. Only the operator can fix this.",
    ),
    (
        "service_secret_wrong",
        "The signature made with the service's own credentials does not match. Only the operator can fix this.",
    ),
    (
        "service_session_expired",
        "The session that the service runs on has expired. Only the operator can fix this.",
    ),
    (
        "service_session_unknown",
        "The session that the service runs on is not known in the Region. Only the operator can fix this.",
    ),
    (
        "service_signature_missing",
        "The service's call arrived without its signature. Only the operator can fix this.",
    ),
    (
        "session_attributes_refused",
        "The service's own session carries session tags or a source identity that the role does not let in. Only the operator can fix this.",
    ),
    (
        "session_expired",
        "S3 says that a session has expired before its time.",
    ),
    (
        "session_not_accepted",
        "S3 does not know the role's session.",
    ),
    (
        "session_not_known_in_region",
        "S3 answers `InvalidToken`: the role's account has not enabled the bucket's Region, or did so only a short while ago.",
    ),
    (
        "session_policy_malformed",
        "STS says that the session policy is malformed, and which part of it.",
    ),
    (
        "session_policy_too_large",
        "The session policy is larger than STS allows.",
    ),
    (
        "session_tags_too_large",
        "Session tags of the service's own session leave no room for the session policy. Only the operator can fix this.",
    ),
    (
        "signature_missing",
        "The call arrived without its signature, or with one that the store cannot read.",
    ),
    (
        "signature_rejected",
        "The signature of a role's session does not match: something in between changes requests.",
    ),
    ("store_full", "The store, or the account's quota, is full."),
    (
        "sts_region_disabled",
        "The role's account has switched AWS STS off in the service's Region.",
    ),
    (
        "sts_rejected",
        "STS did not accept the call; the explanation has its code. It proves nothing about the role.",
    ),
    (
        "trust_explicit_deny",
        "A statement of the role's trust policy denies the call.",
    ),
    (
        "trust_no_statement",
        "The role exists, and no statement of its trust policy lets the call in.",
    ),
    (
        "version_permission_missing",
        "A warning: versions of files cannot be used, because an action that the documents grant is denied.",
    ),
];

/// What the code means, in one sentence. `None`: a release before or after this one has it.
pub fn meaning(code: &str) -> Option<&'static str> {
    let at = MEANINGS.binary_search_by_key(&code, |(known, _)| *known);
    at.ok().map(|at| MEANINGS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::Cause;
    use std::collections::BTreeMap;

    #[test]
    fn the_meanings_are_those_of_the_catalogue() {
        let examples = Cause::examples();
        let facts = examples.iter().map(Cause::facts);
        let known: BTreeMap<_, _> = facts.map(|facts| (facts.code, facts.meaning)).collect();
        assert_eq!(Vec::from_iter(known), MEANINGS);
        for (code, text) in MEANINGS {
            assert_eq!(meaning(code), Some(*text));
        }
        assert_eq!(meaning("from_another_release"), None);
    }
}
