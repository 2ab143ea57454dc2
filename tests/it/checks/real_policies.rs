//! Policies as customers have them, in the words that AWS answers for them: never a statement to add against
//! a denial, and no cause that AWS did not name.

use crate::it::support::app::app_on;
use crate::it::support::aws::stub::{AwsStub, denied, s3_error, sts_error};
use crate::it::support::aws::wire::Reply;
use crate::it::support::scene::Scene;
use serde_json::{Value, json};

const BUCKET_DENY: &str = "with an explicit deny in a resource-based policy";
const IDENTITY_DENY: &str = "with an explicit deny in an identity-based policy";

/// A structure, the call that it refuses with its action, AWS's reason, and what is to be said.
struct Policy {
    what: &'static str,
    operation: &'static str,
    action: &'static str,
    reason: &'static str,
    step: &'static str,
    code: &'static str,
    says: &'static [&'static str],
    /// Whether a statement that allows the action helps.
    patch: bool,
}

const fn on(
    what: &'static str,
    (operation, action, step): (&'static str, &'static str, &'static str),
    reason: &'static str,
    code: &'static str,
    says: &'static [&'static str],
) -> Policy {
    Policy {
        what,
        operation,
        action,
        reason,
        step,
        code,
        says,
        patch: false,
    }
}

const LIST: (&str, &str, &str) = ("ListObjectsV2", "s3:ListBucket", "list_bucket");
const GET: (&str, &str, &str) = ("GetObject", "s3:GetObject", "get_object");
const PUT: (&str, &str, &str) = ("PutObject", "s3:PutObject", "put_object");
const DELETE: (&str, &str, &str) = ("DeleteObject", "s3:DeleteObject", "delete_object");

const POLICIES: &[Policy] = &[
    on(
        "bucket policy: Deny unless aws:SourceVpce",
        LIST,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws:SourceVpce", "aws:PrincipalArn"],
    ),
    on(
        "bucket policy: Deny unless aws:SourceIp",
        GET,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws:SourceIp"],
    ),
    on(
        "bucket policy: Deny without encryption header",
        PUT,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["s3:x-amz-server-side-encryption", "KMS key"],
    ),
    on(
        "bucket policy: Deny with another KMS key",
        PUT,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws-kms-key-id"],
    ),
    on(
        "bucket policy: Deny unless aws:SecureTransport",
        LIST,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws:SecureTransport"],
    ),
    on(
        "bucket policy: Deny unless MFA",
        DELETE,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws:MultiFactorAuthPresent"],
    ),
    on(
        "bucket policy: Deny unless aws:PrincipalOrgID",
        LIST,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["aws:PrincipalOrgID"],
    ),
    on(
        "bucket policy: NotPrincipal",
        GET,
        BUCKET_DENY,
        "denied_by_bucket_policy",
        &["NotPrincipal"],
    ),
    on(
        "identity policy: NotAction, NotResource with Deny",
        PUT,
        IDENTITY_DENY,
        "denied_by_identity_policy",
        &["denies it explicitly"],
    ),
    on(
        "identity policy: Deny unless MFA",
        LIST,
        IDENTITY_DENY,
        "denied_by_identity_policy",
        &["aws:MultiFactorAuthPresent"],
    ),
    on(
        "permissions boundary",
        PUT,
        "because no permissions boundary allows the s3:PutObject action",
        "denied_by_permissions_boundary",
        &["boundary"],
    ),
    on(
        "service control policy",
        LIST,
        "with an explicit deny in a service control policy: arn:aws:organizations::333333333333:policy/o-a/service_control_policy/p-b",
        "denied_by_service_control_policy",
        &["p-b", "organization"],
    ),
    on(
        "resource control policy",
        GET,
        "with an explicit deny in a resource control policy",
        "denied_by_resource_control_policy",
        &["organization"],
    ),
    on(
        "VPC endpoint policy",
        LIST,
        "because no VPC endpoint policy allows the s3:ListBucket action",
        "denied_by_vpc_endpoint_policy",
        &["operator"],
    ),
    on(
        "session policy",
        LIST,
        "because no session policy allows the s3:ListBucket action",
        "denied_by_session_policy",
        &["nothing to change in the customer's account"],
    ),
    on(
        "no bucket policy for another account's role",
        LIST,
        "because no resource-based policy allows the s3:ListBucket action",
        "bucket_policy_missing",
        &["bucket policy"],
    ),
    on(
        "S3 Access Grants, or any other source that gives no reason",
        GET,
        "",
        "denied_without_reason",
        &["not known which policy"],
    ),
    on(
        "a reason of a later day",
        GET,
        "with an explicit deny in a policy of a later day",
        "denied_for_unknown_reason",
        &["does not know"],
    ),
    Policy {
        patch: true,
        ..on(
            "identity policy: s3:prefix without a slash, or IfExists",
            LIST,
            "because no identity-based policy allows the s3:ListBucket action",
            "list_condition_or_arn_wrong",
            &["condition"],
        )
    },
    Policy {
        patch: true,
        ..on(
            "identity policy: Resource without /*",
            GET,
            "because no identity-based policy allows the s3:GetObject action",
            "permission_missing",
            &["another bucket or folder"],
        )
    },
];

fn sentence(action: &str, reason: &str) -> String {
    let text = format!(
        "User: arn:aws:sts::222222222222:assumed-role/SECRETARN/s is not authorized to perform: {action} on resource: \"arn:aws:s3:::SECRETARN/x\" {reason}"
    );
    text.trim_end().to_owned()
}

#[tokio::test]
async fn no_statement_is_offered_against_a_denial() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    for policy in POLICIES {
        stub.forget_rules();
        stub.answer_to(
            policy.operation,
            denied(&sentence(policy.action, policy.reason)),
        );
        let report = dialog.check().await;
        let what = policy.what;
        assert_eq!(
            report.code(policy.step),
            Some(policy.code),
            "{what} {:#}",
            report.0
        );
        let problem = &report.step(policy.step)["problem"];
        let text = problem.to_string();
        for says in policy.says {
            assert!(text.contains(says), "{what}: {says}: {text}");
        }
        let adds = problem["patch"]["target"] == "role_permission_policy";
        assert_eq!(adds, policy.patch, "{what}: {text}");
        assert_eq!(
            problem["missing"].is_array(),
            policy.patch,
            "{what}: {text}"
        );
        if !policy.patch {
            assert!(!text.contains("Add the statement"), "{what}: {text}");
        }
        assert!(!report.0.to_string().contains("SECRETARN"), "{what}");
        dialog.refused().await;
    }
}

/// The same outside of the check.
#[tokio::test]
async fn a_file_that_a_policy_denies_has_no_missing_permission() {
    let stub = AwsStub::start().await;
    let scene = Scene::on(&stub).connect().await;
    for policy in POLICIES
        .iter()
        .filter(|policy| policy.operation == "ListObjectsV2")
    {
        stub.forget_rules();
        stub.answer_to(
            policy.operation,
            denied(&sentence(policy.action, policy.reason)),
        );
        // Members are not told what is missing.
        let admin = &scene.workspace.admin;
        let answer = scene.app.get(&scene.path("/files"), admin).await;
        // The policy of the operator's own endpoint is not the customer's.
        let is_own =
            policy.reason.contains("VPC endpoint") || policy.reason.contains("session policy");
        let status = if is_own { 502 } else { 424 };
        let problem = answer.problem(status, "storage_access_denied");
        assert_eq!(
            problem["missing"].is_array(),
            policy.patch,
            "{}: {problem}",
            policy.what
        );
        assert!(!problem.to_string().contains("SECRETARN"));
    }
}

fn refused(reason: &str) -> Reply {
    let text = format!(
        "User: SECRETARN is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/stub {reason}"
    );
    sts_error(403, "AccessDenied", text.trim_end())
}

/// Trust policies: with MFA, for a role's ARN, for root, with a wildcard and a condition.
#[tokio::test]
async fn a_trust_policy_is_named_as_far_as_aws_names_it() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    for (reason, code, says, patch) in [
        ("", "role_refused", "aws:MultiFactorAuthPresent", true),
        (
            "because no role trust policy allows the sts:AssumeRole action",
            "trust_no_statement",
            "exists",
            true,
        ),
        (
            "with an explicit deny in the role trust policy",
            "trust_explicit_deny",
            "aws:MultiFactorAuthPresent",
            false,
        ),
        (
            "with an explicit deny in a resource control policy",
            "denied_by_customers_resource_control_policy",
            "organization",
            false,
        ),
    ] {
        stub.forget_rules();
        let dialog = Scene::on(&stub).access("read").open(&app).await;
        stub.answer_to("AssumeRole", refused(reason));
        let report = dialog.check().await.failed(&["assume_role"]);
        assert_eq!(report.code("assume_role"), Some(code), "{reason}");
        let problem = &report.step("assume_role")["problem"];
        assert!(problem.to_string().contains(says), "{problem}");
        assert_eq!(problem["patch"].is_object(), patch, "{problem}");
        dialog.refused().await;
    }
}

/// The key that AWS names counts, not the one of the settings.
#[tokio::test]
async fn a_denied_key_is_named() {
    let stub = AwsStub::start().await;
    let app = app_on(&stub.hurried_sdk_config()).await;
    let dialog = Scene::on(&stub).open(&app).await;
    let key = "arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-555555555555";
    for (reason, code, patch) in [
        (
            "because no session policy allows the kms:GenerateDataKey action",
            "kms_key_not_entered",
            Some("settings"),
        ),
        (
            "because no identity-based policy allows the kms:GenerateDataKey action",
            "kms_permission_missing",
            Some("role_permission_policy"),
        ),
        (
            "because no resource-based policy allows the kms:GenerateDataKey action",
            "kms_key_policy",
            Some("key_policy"),
        ),
        (
            "with an explicit deny in a service control policy",
            "kms_denied",
            None,
        ),
    ] {
        stub.forget_rules();
        let text = format!(
            "User: SECRETARN is not authorized to perform: kms:GenerateDataKey on resource: {key} {reason}"
        );
        stub.answer_to("PutObject", denied(&text));
        let report = dialog.check().await.failed(&["put_object"]);
        assert_eq!(report.code("put_object"), Some(code), "{reason}");
        let problem = &report.step("put_object")["problem"];
        assert!(problem.to_string().contains(key), "{problem}");
        assert_eq!(problem["patch"]["target"].as_str(), patch, "{problem}");
        match patch {
            Some("role_permission_policy") => {
                assert_eq!(problem["patch"]["document"]["Resource"][0], key);
            }
            Some("settings") => {
                let settings = json!({ "kms_key_arn": key });
                assert_eq!(problem["patch"]["document"], settings);
            }
            Some(_) | None => {}
        }
    }
    let cipher = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    stub.forget_rules();
    stub.answer_to("PutObject", s3_error(403, "AccessDenied", cipher));
    let report = dialog.check().await.failed(&["put_object"]);
    assert_eq!(report.code("put_object"), Some("kms_foreign_key"));
    assert_eq!(report.step("put_object")["problem"]["patch"], Value::Null);
}
