//! Texts as people paste them, and the places in them.

use crate::domain::doctor::finding::DocumentKind;
use crate::it::doctor::{look, only, usual};

const POLICY: DocumentKind = DocumentKind::PermissionPolicy;

/// Where a finding is: line, column, path.
fn place(text: &str, code: &str) -> (usize, usize, String) {
    let findings = look(POLICY, text, &usual());
    let place = &only(&findings, code).place;
    (place.at.line, place.at.column, place.path.clone())
}

#[test]
fn faults_of_the_text_are_findings_with_their_places() {
    for (text, code, line, column, path) in [
        (
            "\u{feff}{\"Version\": \"2012-10-17\", \"Statement\": []}",
            "byte_order_mark",
            1,
            1,
            "",
        ),
        (
            "\u{feff}{\"Version\": \"2013-10-17\"}",
            "version_unknown",
            1,
            13,
            "/Version",
        ),
        (
            "{\n  // no\n  \"Version\": \"2012-10-17\"}",
            "comment",
            2,
            3,
            "",
        ),
        (
            "{\"Version\": /* x */ \"2012-10-17\"}",
            "comment",
            1,
            13,
            "/Version",
        ),
        (
            "{\"Statement\": [1,\n ]}",
            "trailing_comma",
            1,
            17,
            "/Statement",
        ),
        (
            "{\"Version\": \"2012-10-17\",\n}",
            "trailing_comma",
            1,
            25,
            "",
        ),
        (
            "{\"ü\": 1,\n \"Version\": \"2012-10-17\", \"Version\": \"x\"}",
            "duplicate_name",
            2,
            27,
            "/Version",
        ),
        (
            "{\"Statement\": [{\"Effect\" \"Allow\"}]}",
            "broken_json",
            1,
            26,
            "/Statement/0/Effect",
        ),
        ("{“Version”: 1}", "broken_json", 1, 2, ""),
        ("{\"Statement\": [", "broken_json", 1, 16, "/Statement/0"),
        ("  \n ", "empty", 1, 1, ""),
        ("[1, 2]", "wrong_shape", 1, 1, ""),
        ("true", "wrong_shape", 1, 1, ""),
        ("{} x", "broken_json", 1, 4, ""),
        (
            "{\"a/b~\": {\"Version\": 1, \"Version\": 2}}",
            "duplicate_name",
            1,
            25,
            "/a~1b~0/Version",
        ),
    ] {
        assert_eq!(
            place(text, code),
            (line, column, path.to_owned()),
            "{text:?}"
        );
    }
}

#[test]
fn what_the_faults_allow_is_read_all_the_same() {
    let text = r#"{
  "Version": "2012-10-17", // fine
  "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObjcet", "Resource": "*",},
  ],
}"#;
    let findings = look(POLICY, text, &usual());
    let unknown = only(&findings, "action_unknown");
    assert_eq!((unknown.place.at.line, unknown.place.at.column), (4, 35));
    assert!(unknown.remedy.contains("s3:GetObject"));
}

#[test]
fn deep_large_and_many() {
    let deep = "[".repeat(100_000);
    let findings = look(POLICY, &deep, &usual());
    assert_eq!(crate::it::doctor::codes(&findings), ["error broken_json"]);
    let many = format!(
        "{{\"Version\": \"2012-10-17\", \"Statement\": [{}]}}",
        vec!["{\"Effect\": \"Allow\", \"Action\": [\"s3:x\", \"s3:y\"], \"Resource\": \"*\"}"; 400]
            .join(",")
    );
    let findings = look(POLICY, &many, &usual());
    assert_eq!(findings.last().unwrap().code.as_str(), "more_findings");
    assert!(findings.len() < 110);
    for finding in &findings {
        let length = finding.title.chars().count()
            + finding.explanation.chars().count()
            + finding.remedy.chars().count();
        assert!(length <= 1_500, "{finding:#?}");
    }
}

#[test]
fn sizes_are_those_of_iam() {
    let policy = |length: usize| {
        format!(
            "{{\"Version\": \"2012-10-17\",\n\n\n   \"Statement\": [{{\"Sid\": \"{}\", \"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\"}}]}}",
            "a".repeat(length)
        )
    };
    let codes = |length| crate::it::doctor::codes(&look(POLICY, &policy(length), &usual()));
    assert!(!codes(5_900).iter().any(|code| code.contains("large")));
    assert!(codes(6_144).contains(&"warning nearly_too_large".to_owned()));
    assert!(codes(10_240).contains(&"error too_large".to_owned()));
}
