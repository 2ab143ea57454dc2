//! The policies that other products print in their documentation.

use crate::domain::connection::access::Access;
use crate::domain::connection::account::Partition;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::DocumentKind;
use crate::it::doctor::{codes, expected, look, only, usual};
use crate::it::documents::rendering::parameters;

fn of(bucket: &str, access: Access) -> Expected {
    let mut parameters = parameters(Partition::Aws);
    parameters.bucket = BucketName::parse(bucket).unwrap();
    parameters.grants = crate::domain::connection::grants::Grants::usual(access);
    parameters.lifecycle = access.writes();
    expected(&parameters)
}

const POLICY: DocumentKind = DocumentKind::PermissionPolicy;

#[test]
fn datasaur_s_policy_lacks_one_action_once_its_placeholder_is_filled_in() {
    let text = include_str!("seeds/datasaur.json");
    let expected = of("datasaur-test", Access::ReadWrite);
    let findings = look(POLICY, text, &expected);
    let left = findings
        .iter()
        .filter(|f| f.code.as_str() == "placeholder_left");
    let lines: Vec<usize> = left.map(|f| f.place.at.line).collect();
    assert_eq!(lines, [18, 19], "{findings:#?}");
    let filled = text.replace("<your-bucket-name>", "datasaur-test");
    // It has everything but one: what Sallyport's own uploads in parts need to be given up.
    let findings = look(POLICY, &filled, &expected);
    assert_eq!(codes(&findings), ["warning action_not_granted"]);
    assert!(findings[0].title.contains("s3:AbortMultipartUpload"));
    // With a prefix it gives more than is meant.
    let mut narrow = parameters(Partition::Aws);
    narrow.bucket = expected.bucket.clone().unwrap();
    narrow.prefix = crate::domain::connection::bucket_prefix::BucketPrefix::parse("test/").unwrap();
    let narrow = crate::it::doctor::expected(&narrow);
    assert_eq!(
        codes(&look(POLICY, &filled, &narrow)),
        [
            "warning action_not_granted",
            "security lists_outside_prefix",
            "security grants_outside_prefix"
        ]
    );
}

#[test]
fn datasaur_s_cors_rule_does_not_expose_the_etag() {
    let text = include_str!("seeds/datasaur_cors.json");
    let mut parameters = parameters(Partition::Aws);
    parameters.allowed_origins =
        vec![crate::domain::origin::OriginPattern::parse("https://app.datasaur.ai").unwrap()];
    let own = look(DocumentKind::Cors, text, &expected(&parameters));
    assert_eq!(codes(&own), ["warning cors_etag_hidden"]);
    let other = look(DocumentKind::Cors, text, &usual());
    assert_eq!(codes(&other), ["error cors_origin_missing"]);
}

#[test]
fn dify_s_policy_lists_all_buckets_on_one_bucket() {
    let text = include_str!("seeds/dify.json");
    let findings = look(POLICY, text, &of("your-bucket-name", Access::Read));
    assert_eq!(
        codes(&findings),
        [
            "error action_not_granted",
            "note grants_unneeded",
            "warning action_never_applies"
        ]
    );
    let never = only(&findings, "action_never_applies");
    assert_eq!(never.place.path, "/Statement/0/Action/2");
    assert_eq!((never.place.at.line, never.place.at.column), (9, 9));
    assert!(
        only(&findings, "action_not_granted")
            .title
            .contains("s3:GetBucketLocation")
    );
    let left = look(POLICY, text, &usual());
    assert!(
        codes(&left).contains(&"error placeholder_left".to_owned()),
        "{left:#?}"
    );
}

#[test]
fn dnastack_s_policy_has_a_version_that_never_was_and_a_shell_s_variable() {
    let text = include_str!("seeds/dnastack.json");
    let findings = look(POLICY, text, &of("acme-data", Access::Read));
    let version = only(&findings, "version_unknown");
    assert_eq!(version.place.path, "/Version");
    assert_eq!((version.place.at.line, version.place.at.column), (2, 16));
    assert_eq!(version.severity.as_str(), "error");
    let left: Vec<_> = findings
        .iter()
        .filter(|f| f.code.as_str() == "placeholder_left")
        .collect();
    assert_eq!(left.len(), 2);
    assert!(left[0].explanation.contains("${BUCKET}"), "{left:#?}");
}

#[test]
fn tray_s_policy_lacks_what_versions_and_the_region_need() {
    let text = include_str!("seeds/tray.json");
    let findings = look(POLICY, text, &of("bucket-name-1", Access::ReadWrite));
    let codes = codes(&findings);
    assert!(
        codes.contains(&"error action_not_granted".to_owned()),
        "{findings:#?}"
    );
    assert!(codes.contains(&"note grants_unneeded".to_owned()));
    assert!(
        !codes.iter().any(|code| code.starts_with("security")),
        "{findings:#?}"
    );
    let missing: String = findings
        .iter()
        .filter(|f| f.code.as_str() == "action_not_granted")
        .map(|f| f.title.clone())
        .collect();
    for action in [
        "s3:GetBucketLocation",
        "s3:ListBucketVersions",
        "s3:GetObjectAcl",
    ] {
        assert!(missing.contains(action), "{action}: {missing}");
    }
    assert!(!missing.contains("s3:GetObject`"), "{missing}");
}
