//! Broken worlds: permission, bucket and key policies and CORS rules, one fault each.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::DocumentKind;
use crate::it::doctor::{codes, expected, look, only, usual};
use crate::it::documents::rendering::{kms_key, parameters};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::444455556666:role/acme";
const BUCKET: &str = "arn:aws:s3:::acme-data";

fn world(prefix: &str, access: Access, with_key: bool) -> Expected {
    let mut parameters = parameters(Partition::Aws);
    parameters.prefix = BucketPrefix::parse(prefix).unwrap();
    parameters.grants = crate::domain::connection::grants::Grants::usual(access);
    parameters.lifecycle = access.writes();
    parameters.kms_key = with_key.then(|| kms_key(Partition::Aws));
    expected(&parameters)
}

fn found(kind: DocumentKind, statements: Value, expected: &Expected) -> Vec<String> {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let mut codes = codes(&look(kind, &format!("{policy:#}"), expected));
    codes.sort();
    codes
}

/// Statements that grant what reading needs, and one more.
fn reading(more: Value) -> Value {
    json!([
        {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:ListBucket"], "Resource": BUCKET},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/*")},
        more,
    ])
}

#[test]
fn what_a_permission_policy_grants_beyond_and_never_means() {
    let read = world("", Access::Read, false);
    let allow = |action: Value, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let objects = format!("{BUCKET}/*");
    for (more, expected) in [
        (
            allow(json!("s3:*"), BUCKET),
            vec!["security grants_all_of_s3"],
        ),
        (
            allow(json!("*"), BUCKET),
            vec!["security grants_other_services"],
        ),
        (
            allow(json!(["s3:GetObject", "iam:*"]), &objects),
            vec!["security grants_other_services"],
        ),
        (
            allow(json!("sts:AssumeRole"), "*"),
            vec!["security grants_other_services"],
        ),
        (
            allow(json!("s3:PutBucketPolicy"), BUCKET),
            vec!["security grants_administration"],
        ),
        (
            allow(json!("s3:PutObject"), &objects),
            vec!["security grants_writing"],
        ),
        (allow(json!("s3:GetObjectTagging"), &objects), vec![]),
        (
            allow(json!("s3:GetObjectLegalHold"), &objects),
            vec!["note grants_unneeded"],
        ),
        (
            allow(json!("s3:GetObject"), "*"),
            vec!["security grants_other_buckets"],
        ),
        (
            allow(json!("s3:GetObject"), "arn:aws:s3:::acme*"),
            vec!["security grants_other_buckets"],
        ),
        (
            allow(json!("s3:GetObject"), "arn:aws:s3:::other/*"),
            vec!["security grants_other_buckets"],
        ),
        (
            allow(json!("s3:GetObject"), BUCKET),
            vec!["warning action_never_applies"],
        ),
        (
            allow(json!("s3:ListBucket"), &objects),
            vec!["warning action_never_applies"],
        ),
        (
            allow(json!("s3:ListAllMyBuckets"), BUCKET),
            vec!["note grants_unneeded", "warning action_never_applies"],
        ),
        (
            allow(json!("s3:HeadObject"), &objects),
            vec!["error action_unknown"],
        ),
        (
            allow(json!("s3:Get Object"), &objects),
            vec!["error action_unknown"],
        ),
        (
            allow(json!("GetObject"), &objects),
            vec!["error action_unknown"],
        ),
        (allow(json!("S3:getobject"), &objects), vec![]),
        (
            allow(json!("s3:GetObject"), "s3://acme-data/*"),
            vec!["error arn_malformed"],
        ),
        (
            allow(json!("s3:GetObject"), "arn:aws:s3:eu-west-1::acme-data/*"),
            vec!["error arn_malformed"],
        ),
        (
            allow(json!("s3:GetObject"), "arn:aws-cn:s3:::acme-data/*"),
            vec!["error arn_partition"],
        ),
        (
            allow(json!("kms:Decrypt"), "*"),
            vec!["security grants_other_keys"],
        ),
        (
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": BUCKET}),
            vec!["security not_action_allow"],
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::x/*"}),
            vec!["security not_resource_allow"],
        ),
        (
            json!({"Effect": "allow", "Action": "s3:GetObject", "Resource": objects}),
            vec!["error effect_unknown"],
        ),
        (
            json!({"Effect": "Allow", "Actions": "s3:GetObject", "Resource": objects}),
            vec!["error missing_element", "error unknown_element"],
        ),
        (
            json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}),
            vec!["error element_not_allowed"],
        ),
        (
            json!({"Sid": "a-b", "Effect": "Allow", "Action": "s3:GetObject", "Resource": objects}),
            vec!["error sid_characters"],
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects, "Condition": {"StringEqual": {"aws:SourceVpc": "vpc-1"}}}),
            vec!["error operator_unknown"],
        ),
        (
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects, "Condition": {"StringEquals": {"aws:SourceVcpe": "vpce-1"}}}),
            vec!["warning condition_key_unknown"],
        ),
        (
            json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": objects}),
            vec!["error action_denied"],
        ),
        (
            json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
            vec![],
        ),
        (
            json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}),
            vec!["warning action_maybe_denied"],
        ),
        (
            json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}),
            vec!["error action_denied"],
        ),
    ] {
        let statements = reading(more.clone());
        assert_eq!(
            found(DocumentKind::PermissionPolicy, statements, &read),
            expected,
            "{more}"
        );
    }
}

#[test]
fn what_a_permission_policy_lacks_and_the_statement_that_mends_it() {
    let narrow = world("team/", Access::Read, true);
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET, "Condition": {"StringEquals": {"s3:prefix": "team"}}},
        {"Sid": "B", "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/Team/*")},
        {"Sid": "C", "Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": BUCKET},
    ]});
    let findings = look(
        DocumentKind::PermissionPolicy,
        &format!("{policy:#}"),
        &narrow,
    );
    let lacking: Vec<_> = findings
        .iter()
        .filter(|f| f.code.as_str() == "action_not_granted")
        .collect();
    let paths: Vec<&str> = lacking.iter().map(|f| f.place.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/Statement",
            "/Statement/0/Condition/StringEquals/s3:prefix",
            "/Statement/1/Resource"
        ]
    );
    // Applied as they are, the patches mend the policy.
    let mut mended = policy.clone();
    for finding in &lacking {
        let patch = finding.patch.as_ref().unwrap();
        assert_eq!(patch.operation.as_str(), "add_statement");
        assert!(patch.document.get("Sid").is_none());
        assert!(
            patch
                .cli
                .as_deref()
                .unwrap()
                .contains("put-role-policy --role-name 'acme'")
        );
        mended["Statement"]
            .as_array_mut()
            .unwrap()
            .push(patch.document.clone());
    }
    let findings = look(
        DocumentKind::PermissionPolicy,
        &format!("{mended:#}"),
        &narrow,
    );
    let left = codes(&findings);
    assert!(
        !left.iter().any(|code| code.starts_with("error")),
        "{findings:#?}"
    );
}

#[test]
fn what_is_reached_outside_the_prefix() {
    let narrow = world("team/", Access::Read, false);
    for (list_condition, objects, expected) in [
        (
            json!({"StringLike": {"s3:prefix": ["team/*"]}}),
            "team/*",
            vec![],
        ),
        (
            json!({"StringLike": {"s3:prefix": ["team/*", "team/"]}}),
            "team/*",
            vec![],
        ),
        (
            json!({"StringLike": {"s3:prefix": "team*"}}),
            "team/*",
            vec!["security lists_outside_prefix"],
        ),
        (json!({}), "team/*", vec!["security lists_outside_prefix"]),
        (
            json!({"StringLike": {"s3:prefix": "team/*"}}),
            "team*",
            vec!["security grants_outside_prefix"],
        ),
        (
            json!({"StringLike": {"s3:prefix": "team/*"}}),
            "*",
            vec!["security grants_outside_prefix"],
        ),
        (
            json!({"StringLike": {"s3:prefix": "team/*"}}),
            "team/*.csv",
            vec!["error action_partly_granted"],
        ),
        (
            json!({"StringLikeIfExists": {"s3:prefix": "team/*"}}),
            "team/*",
            vec![],
        ),
    ] {
        let statements = json!([
            {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": BUCKET},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET, "Condition": list_condition},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{BUCKET}/{objects}")},
        ]);
        let found = found(DocumentKind::PermissionPolicy, statements, &narrow);
        assert_eq!(found, expected, "{list_condition} {objects}");
    }
}

#[test]
fn denials_of_a_bucket_policy_are_named_and_get_an_exception() {
    let usual = usual();
    let deny = |condition: Value| json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET, format!("{BUCKET}/*")], "Condition": condition}]);
    for (condition, expected) in [
        (json!({"Bool": {"aws:SecureTransport": "false"}}), vec![]),
        (json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}), vec![]),
        (
            json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
            vec!["warning action_maybe_denied"],
        ),
        (
            json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}),
            vec!["warning action_maybe_denied"],
        ),
        (
            json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}),
            vec!["error action_denied"],
        ),
        (
            json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}),
            vec!["error action_denied"],
        ),
        (
            json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
            vec!["warning action_maybe_denied"],
        ),
        (
            json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
            vec!["error action_denied"],
        ),
        (
            json!({"Null": {"aws:MultiFactorAuthAge": true}}),
            vec!["error action_denied"],
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
            vec!["warning action_maybe_denied"],
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalAccount": "999988887777"}}),
            vec!["error action_denied"],
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}),
            vec![],
        ),
        (
            json!({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/admin"}}),
            vec!["error action_denied"],
        ),
        (
            json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/*"}}),
            vec![],
        ),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": deny(condition.clone())});
        let findings = look(DocumentKind::BucketPolicy, &format!("{policy:#}"), &usual);
        assert_eq!(codes(&findings), expected, "{condition}");
        for finding in &findings {
            let key = condition.as_object().unwrap().values().next().unwrap();
            let key = key.as_object().unwrap().keys().next().unwrap();
            assert!(finding.explanation.contains(key), "{finding:#?}");
            let patch = finding.patch.as_ref().unwrap();
            assert_eq!(
                (patch.target.as_str(), patch.operation.as_str()),
                ("bucket_policy", "replace")
            );
            assert!(!patch.document.to_string().contains("\"Allow\""));
            let mended = look(
                DocumentKind::BucketPolicy,
                &patch.document.to_string(),
                &usual,
            );
            assert_eq!(codes(&mended), [] as [&str; 0], "{}", patch.document);
        }
    }
}

#[test]
fn bucket_policies_that_let_in_and_those_of_another_account() {
    let usual = usual();
    let allow = |principal: Value, bucket: &str| json!([{"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*")}]);
    for (statements, expected) in [
        (
            allow(json!("*"), "acme-data"),
            vec!["security open_principal"],
        ),
        (allow(json!({"AWS": ROLE}), "acme-data"), vec![]),
        (
            allow(
                json!({"AWS": "arn:aws:iam::444455556666:role/*"}),
                "acme-data",
            ),
            vec!["error arn_malformed"],
        ),
        (
            allow(json!({"AWS": "AROAEXAMPLE"}), "acme-data"),
            vec!["warning principal_unusable"],
        ),
        (
            allow(json!({"AWS": ROLE}), "other"),
            vec!["error other_bucket"],
        ),
        (
            json!([{"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": format!("{BUCKET}/*")}]),
            vec!["security not_principal_allow"],
        ),
    ] {
        assert_eq!(
            found(DocumentKind::BucketPolicy, statements.clone(), &usual),
            expected,
            "{statements}"
        );
    }
    let mut other = usual.clone();
    other.bucket_account = Some(AccountId::parse("999988887777").unwrap());
    let found = found(
        DocumentKind::BucketPolicy,
        allow(json!({"AWS": ROLE}), "acme-data"),
        &other,
    );
    assert_eq!(found, ["error action_not_granted"]);
}

#[test]
fn key_policies() {
    let expected = world("", Access::ReadWrite, true);
    let allow = |principal: &str, actions: Value, condition: Value| json!([{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*", "Condition": condition}]);
    let both = json!(["kms:Decrypt", "kms:GenerateDataKey*"]);
    for (statements, wanted) in [
        (allow(ROLE, both.clone(), json!({})), vec![]),
        (
            allow("arn:aws:iam::444455556666:root", json!("kms:*"), json!({})),
            vec!["note key_delegated"],
        ),
        (
            allow("arn:aws:iam::999988887777:root", json!("kms:*"), json!({})),
            vec!["error key_not_granted"],
        ),
        (
            allow(ROLE, json!("kms:Decrypt"), json!({})),
            vec!["error key_not_granted"],
        ),
        (
            allow(
                ROLE,
                both.clone(),
                json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
            ),
            vec![],
        ),
        (
            allow(
                ROLE,
                both.clone(),
                json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
            ),
            vec!["error key_conditional"],
        ),
        (
            allow(
                ROLE,
                both.clone(),
                json!({"StringEquals": {"kms:CallerAccount": "444455556666"}}),
            ),
            vec![],
        ),
        (
            allow(
                ROLE,
                both.clone(),
                json!({"StringEquals": {"kms:EncryptionContext:aws:s3:arn": BUCKET}}),
            ),
            vec!["warning key_conditional"],
        ),
        (
            allow("*", both.clone(), json!({})),
            vec!["security open_principal"],
        ),
    ] {
        assert_eq!(
            found(DocumentKind::KeyPolicy, statements.clone(), &expected),
            wanted,
            "{statements}"
        );
    }
}

#[test]
fn cors_rules() {
    let usual = usual();
    let rule = |origins: Value, methods: Value, headers: Value, exposed: Value| json!([{"AllowedHeaders": headers, "AllowedMethods": methods, "AllowedOrigins": origins, "ExposeHeaders": exposed}]);
    let all = json!(["GET", "PUT", "POST", "HEAD", "DELETE"]);
    let own = json!(["https://app.example.com"]);
    let (any, etag) = (json!(["*"]), json!(["ETag"]));
    for (document, expected) in [
        (
            rule(own.clone(), all.clone(), any.clone(), etag.clone()),
            vec![],
        ),
        (
            json!({"CORSRules": rule(own.clone(), all.clone(), any.clone(), etag.clone())}),
            vec!["note cors_form"],
        ),
        (
            rule(
                json!(["https://app.example.com/"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_malformed", "error cors_origin_scheme"],
        ),
        (
            rule(
                json!(["https://app.example.com/x"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_malformed", "error cors_origin_scheme"],
        ),
        (
            rule(
                json!(["http://app.example.com"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_scheme"],
        ),
        (
            rule(
                json!(["https://app.example.com:8443"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_scheme"],
        ),
        (
            rule(
                json!(["app.example.com"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_malformed", "error cors_origin_missing"],
        ),
        (
            rule(json!(["*"]), all.clone(), any.clone(), etag.clone()),
            vec!["security cors_any_origin"],
        ),
        (
            rule(
                json!(["https://*.example.com"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec![],
        ),
        (
            rule(
                json!(["https://other.example"]),
                all.clone(),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_origin_missing"],
        ),
        (
            rule(own.clone(), json!(["GET"]), any.clone(), etag.clone()),
            vec!["error cors_method_missing"],
        ),
        (
            rule(
                own.clone(),
                json!(["GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS"]),
                any.clone(),
                etag.clone(),
            ),
            vec!["error cors_method_unknown"],
        ),
        (
            rule(own.clone(), all.clone(), json!([]), etag.clone()),
            vec!["error cors_headers_missing"],
        ),
        (
            rule(own.clone(), all.clone(), any.clone(), json!([])),
            vec!["warning cors_etag_hidden"],
        ),
    ] {
        let findings = look(DocumentKind::Cors, &format!("{document:#}"), &usual);
        let mut found = codes(&findings);
        found.sort();
        assert_eq!(found, expected, "{document}");
    }
    let xml = look(DocumentKind::Cors, "<CORSConfiguration/>", &usual);
    assert_eq!(only(&xml, "cors_form").severity.as_str(), "error");
    let policy = look(
        DocumentKind::Cors,
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#,
        &usual,
    );
    assert_eq!(codes(&policy), ["error wrong_document"]);
}

#[test]
fn versions_and_what_each_kind_of_policy_takes() {
    let usual = usual();
    let policy = |version: &str, resource: &str| {
        format!(
            r#"{{"Version": "{version}", "Statement": [{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{resource}"}}]}}"#
        )
    };
    let old = look(
        DocumentKind::PermissionPolicy,
        &policy("2008-10-17", "arn:aws:s3:::acme-data/*"),
        &usual,
    );
    let finding = only(&old, "version_old");
    assert!(
        finding.explanation.contains("customer-managed") && finding.explanation.contains("inline")
    );
    assert_eq!(finding.severity.as_str(), "warning");
    let variable = look(
        DocumentKind::PermissionPolicy,
        &policy("2008-10-17", "arn:aws:s3:::acme-data/${aws:username}/*"),
        &usual,
    );
    assert_eq!(
        only(&variable, "variables_need_version").place.path,
        "/Statement/0/Resource"
    );
    let trust = r#"{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0f8fad5b-d9cb-469f-a165-70867728950e"}}}]}"#;
    assert_eq!(
        codes(&look(DocumentKind::TrustPolicy, trust, &usual)),
        ["note version_old"]
    );
}
