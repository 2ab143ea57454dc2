//! Trust policies: who is let in, and with which external ID.

use crate::domain::doctor::finding::DocumentKind;
use crate::it::doctor::{codes, look, usual};
use serde_json::{Value, json};

const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const US: &str = "arn:aws:iam::111122223333:root";

fn allow(principal: Value, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn found(statements: Value) -> Vec<String> {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let findings = look(DocumentKind::TrustPolicy, &format!("{policy:#}"), &usual());
    codes(&findings)
}

#[test]
fn conditions_on_the_external_id() {
    let ours = json!({"AWS": US});
    for (condition, expected) in [
        (json!({"StringEquals": {"sts:ExternalId": ID}}), vec![]),
        (json!({"StringEquals": {"STS:externalid": [ID]}}), vec![]),
        (json!({"StringLike": {"sts:ExternalId": ID}}), vec![]),
        (
            json!({"ForAnyValue:StringEquals": {"sts:ExternalId": ID}}),
            vec![],
        ),
        (json!({}), vec!["security trust_without_external_id"]),
        (
            json!({"StringLike": {"sts:ExternalId": "*"}}),
            vec!["security external_id_pattern"],
        ),
        (
            json!({"StringLike": {"sts:ExternalId": "0f8fad5b*"}}),
            vec!["security external_id_pattern"],
        ),
        (
            json!({"StringEqualsIfExists": {"sts:ExternalId": ID}}),
            vec!["security external_id_if_exists"],
        ),
        (
            json!({"ForAllValues:StringEquals": {"sts:ExternalId": ID}}),
            vec![
                "security external_id_if_exists",
                "security for_all_values_without_null",
            ],
        ),
        (
            json!({"StringNotEquals": {"sts:ExternalId": "x"}}),
            vec![
                "security trust_without_external_id",
                "security external_id_negated",
            ],
        ),
        (
            json!({"Null": {"sts:ExternalId": "true"}}),
            vec!["security trust_without_external_id"],
        ),
        (
            json!({"Null": {"sts:ExternalId": "false"}}),
            vec!["security external_id_pattern"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": [ID, "acme"]}}),
            vec!["security external_id_several"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": "acme"}}),
            vec!["error external_id_wrong"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": ID.to_uppercase()}}),
            vec!["error external_id_case"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": format!("{ID} ")}}),
            vec!["error external_id_blanks"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": "11111111-2222-4333-8444-555555555555"}}),
            vec!["error external_id_of_other_setup"],
        ),
        (
            json!({"StringEqualsIgnoreCase": {"sts:ExternalId": ID}}),
            vec!["note external_id_ignores_case"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": ID}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            vec!["error trust_mfa"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": ID}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
            vec!["warning trust_conditional"],
        ),
        (
            json!({"StringEquals": {"sts:ExternalId": ID, "aws:PrincipalOrgID": "o-x"}}),
            vec!["warning trust_conditional"],
        ),
        (
            json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
            vec![
                "security trust_without_external_id",
                "warning trust_conditional",
            ],
        ),
        (
            json!({"StringEqual": {"sts:ExternalId": ID}}),
            vec!["error operator_unknown"],
        ),
    ] {
        let mut expected: Vec<&str> = expected;
        let mut found = found(json!([allow(ours.clone(), condition.clone())]));
        expected.sort_unstable();
        found.sort();
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn principals() {
    let with_id = json!({"StringEquals": {"sts:ExternalId": ID}});
    for (principal, expected) in [
        (json!({"AWS": "111122223333"}), vec![]),
        (json!({"AWS": ["arn:aws:iam::111122223333:root"]}), vec![]),
        (
            json!({"AWS": "arn:aws:iam::111122223333:role/sallyport"}),
            vec!["warning trust_one_identity"],
        ),
        (
            json!({"AWS": "arn:aws:iam::111122223332:root"}),
            vec!["error trust_wrong_account"],
        ),
        (
            json!({"AWS": "arn:aws:iam::111122332333:root"}),
            vec!["error trust_wrong_account"],
        ),
        (
            json!({"AWS": "arn:aws:iam::999988887777:root"}),
            vec!["error trust_not_granted", "note trust_other_principal"],
        ),
        (
            json!({"AWS": "11112222333"}),
            vec!["error arn_malformed", "error trust_not_granted"],
        ),
        (
            json!({"AWS": "1111-2222-3333"}),
            vec!["error arn_malformed", "error trust_not_granted"],
        ),
        (
            json!({"Service": "ec2.amazonaws.com"}),
            vec!["error trust_not_granted", "note trust_service"],
        ),
        (json!("*"), vec!["security trust_open"]),
        (json!({"AWS": "*"}), vec!["security trust_open"]),
        (
            json!({"AWS": "arn:aws-cn:iam::111122223333:root"}),
            vec!["error arn_partition", "error trust_not_granted"],
        ),
    ] {
        let mut found = found(json!([allow(principal.clone(), with_id.clone())]));
        found.sort();
        assert_eq!(found, expected, "{principal}");
    }
}

#[test]
fn statements_are_alternatives_and_denials_win() {
    let ours = json!({"AWS": US});
    let good = allow(
        ours.clone(),
        json!({"StringEquals": {"sts:ExternalId": ID}}),
    );
    let open = json!({"Effect": "Allow", "Principal": ours, "Action": "sts:AssumeRole"});
    assert_eq!(
        found(json!([good, open])),
        ["security trust_other_statement"]
    );
    let service = json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
    assert_eq!(found(json!([good, service])), ["note trust_service"]);
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}});
    assert_eq!(found(json!([good, deny])), ["error trust_denied"]);
    let tags = json!({"Effect": "Allow", "Principal": {"AWS": US}, "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": {"StringEquals": {"sts:ExternalId": ID}}});
    assert_eq!(found(json!([tags])), ["note tag_session"]);
    let resource = json!({"Effect": "Allow", "Principal": {"AWS": US}, "Action": "sts:AssumeRole", "Resource": "*", "Condition": {"StringEquals": {"sts:ExternalId": ID}}});
    assert_eq!(found(json!([resource])), ["error element_not_allowed"]);
    assert_eq!(
        found(json!([])),
        ["error missing_element", "error trust_not_granted"]
    );
}
