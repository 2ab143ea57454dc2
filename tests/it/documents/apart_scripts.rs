//! The scripts of the role's, the bucket's and the KMS key's accounts.

use crate::domain::connection::account::Partition;
use crate::it::documents::apart::{
    BUCKET_ACCOUNT, KEY_ACCOUNT, ROLE_ACCOUNT, in_account, runs, three,
};
use crate::it::documents::rendering::{parameters, render};
use crate::it::documents::script::{Run, role_of, run};
use serde_json::{Value, json};

fn sids(policy: &Value) -> Vec<Option<&str>> {
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().map(|one| one["Sid"].as_str()).collect()
}

#[test]
fn the_role_s_documents_leave_the_bucket_alone() {
    let documents = render(&three(Partition::Aws));
    let run = runs(documents.cli.as_deref().unwrap(), &[], ROLE_ACCOUNT, &[]);
    assert_eq!(run.stdout, "arn:of:the:role\n");
    assert_eq!(run.changes(), ["create-role", "put-role-policy"]);
    assert!(run.calls.iter().all(|call| call[0] != "s3api"));
    for text in [
        documents.terraform.unwrap(),
        documents.cloudformation.unwrap(),
    ] {
        assert!(!text.contains("aws_s3_bucket"), "{text}");
        assert!(text.contains("belongs to another account"), "{text}");
    }
}

#[test]
fn whatever_fails_later_the_arn_has_been_said() {
    let script = render(&parameters(Partition::Aws)).cli.unwrap();
    for failing in ["put-role-policy", "put-bucket-cors"] {
        let answers = [
            ("FAILING", failing),
            ("FAILURE", "AccessDenied) when calling the operation"),
            ("TIMES", "1"),
        ];
        let run = run(&script, &[], &answers);
        assert_eq!((run.status, run.stdout.as_str()), (1, ""), "{failing}");
        for words in [
            "arn:of:the:role",
            "AccessDenied",
            "What was done before this stays.",
        ] {
            assert!(run.stderr.contains(words), "{}", run.stderr);
        }
    }
}

#[test]
fn each_script_stops_in_an_account_that_it_is_not_for() {
    let documents = render(&three(Partition::Aws));
    for (script, right) in [
        (documents.cli, ROLE_ACCOUNT),
        (documents.cli_bucket, BUCKET_ACCOUNT),
        (documents.cli_key, KEY_ACCOUNT),
    ] {
        let script = script.unwrap();
        for wrong in [ROLE_ACCOUNT, BUCKET_ACCOUNT, KEY_ACCOUNT, "999999999999"] {
            if wrong == right {
                continue;
            }
            for arguments in [&[][..], &["--undo"]] {
                let run = run(&script, arguments, &in_account(wrong, &[]));
                assert_eq!((run.status, run.calls.len()), (1, 1), "{}", run.stderr);
                assert!(run.stderr.contains(right) && run.stderr.contains(wrong));
            }
        }
    }
}

#[test]
fn the_bucket_s_script_merges_and_takes_back_its_own_part() {
    let documents = render(&three(Partition::Aws));
    let script = documents.cli_bucket.as_deref().unwrap();
    let ours = documents.bucket_policy.as_ref().unwrap();
    let own = ours["Statement"].as_array().unwrap();
    let others = json!({"Version": "2012-10-17", "Id": "owner ` \\", "Statement": [
        {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": "arn:aws:s3:::acme-data/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Allow", "Principal": {"AWS": "777777777777"}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::acme-data/$(touch pwned)`x`'\"ü\u{2028}*"},
        {"Sid": "SallyportOther", "Effect": "Allow", "Principal": {"AWS": "777777777777"},
         "Action": "s3:GetObject", "Resource": "*"},
    ]});
    let cors =
        json!([{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://other.example.com"]}]);
    let rules = json!([{"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}]);
    let cors_found = json!({ "CORSRules": cors }).to_string();
    let rules_found = json!({ "Rules": rules }).to_string();
    let others_text = others.to_string();
    let answers = [
        ("BUCKET_POLICY", others_text.as_str()),
        ("CORS", &cors_found),
        ("LIFECYCLE", &rules_found),
    ];
    let first = runs(script, &[], BUCKET_ACCOUNT, &answers);
    assert_eq!(
        first.changes(),
        [
            "put-bucket-policy",
            "put-bucket-cors",
            "put-bucket-lifecycle-configuration"
        ]
    );
    let merged = first.json("put-bucket-policy", "--policy");
    assert_eq!(merged["Id"], others["Id"]);
    let statements = merged["Statement"].as_array().unwrap();
    assert_eq!(statements[..3], others["Statement"].as_array().unwrap()[..]);
    assert_eq!(statements[3..], own[..]);
    let cors_after = first.json("put-bucket-cors", "--cors-configuration");
    assert_eq!(cors_after["CORSRules"][1], cors[0]);
    let operation = "put-bucket-lifecycle-configuration";
    let rules_after = first.json(operation, "--lifecycle-configuration");
    assert_eq!(
        rules_after["Rules"].as_array().unwrap().last(),
        Some(&rules[0])
    );

    let (merged, cors_after, rules_after) = (
        merged.to_string(),
        cors_after.to_string(),
        rules_after.to_string(),
    );
    let again = [
        ("BUCKET_POLICY", merged.as_str()),
        ("CORS", &cors_after),
        ("LIFECYCLE", &rules_after),
    ];
    let second = runs(script, &[], BUCKET_ACCOUNT, &again);
    assert_eq!(second.changes(), [""; 0]);

    let undone = runs(script, &["--undo"], BUCKET_ACCOUNT, &again);
    assert_eq!(undone.json("put-bucket-policy", "--policy"), others);
    assert_eq!(
        undone.json("put-bucket-cors", "--cors-configuration"),
        json!({ "CORSRules": cors })
    );
    assert_eq!(
        undone.json(operation, "--lifecycle-configuration"),
        json!({ "Rules": rules })
    );
}

#[test]
fn what_is_ours_alone_is_deleted_and_nothing_else() {
    let documents = render(&three(Partition::Aws));
    let script = documents.cli_bucket.as_deref().unwrap();
    let ours = documents.bucket_policy.as_ref().unwrap().to_string();
    let cors = json!({ "CORSRules": documents.cors }).to_string();
    let lifecycle = json!(documents.lifecycle).to_string();
    let answers = [
        ("BUCKET_POLICY", ours.as_str()),
        ("CORS", &cors),
        ("LIFECYCLE", &lifecycle),
    ];
    let undone = runs(script, &["--undo"], BUCKET_ACCOUNT, &answers);
    assert_eq!(
        undone.changes(),
        [
            "delete-bucket-policy",
            "delete-bucket-cors",
            "delete-bucket-lifecycle"
        ]
    );
    let nothing = runs(script, &["--undo"], BUCKET_ACCOUNT, &[]);
    assert_eq!(nothing.changes(), [""; 0]);
    let unreadable = run(
        script,
        &[],
        &in_account(BUCKET_ACCOUNT, &[("BUCKET_POLICY_ERROR", "AccessDenied")]),
    );
    assert_eq!((unreadable.status, unreadable.changes().len()), (1, 0));
}

#[test]
fn the_key_s_script_adds_one_statement_and_takes_it_back() {
    let documents = render(&three(Partition::Aws));
    let script = documents.cli_key.as_deref().unwrap();
    let ours = documents.key_policy.as_ref().unwrap();
    let account = json!({"Version": "2012-10-17", "Statement": {"Sid": "Account", "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{KEY_ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"}});
    let before = account.to_string();
    let first = runs(script, &[], KEY_ACCOUNT, &[("KEY_POLICY", &before)]);
    let merged = first.json("put-key-policy", "--policy");
    assert_eq!(merged["Statement"][0], account["Statement"]);
    assert_eq!(merged["Statement"][1], ours["Statement"][0]);
    assert_eq!(first.option("put-key-policy", "--region"), "eu-west-1");
    let merged = merged.to_string();
    let answers = [("KEY_POLICY", merged.as_str())];
    let second = runs(script, &[], KEY_ACCOUNT, &answers);
    assert_eq!(second.changes(), [""; 0]);
    let undone = runs(script, &["--undo"], KEY_ACCOUNT, &answers);
    assert_eq!(
        sids(&undone.json("put-key-policy", "--policy")),
        [Some("Account")]
    );
    // A key without any statement could be used by nobody, and KMS refuses it.
    let alone = ours.to_string();
    let last = run(
        script,
        &["--undo"],
        &in_account(KEY_ACCOUNT, &[("KEY_POLICY", &alone)]),
    );
    assert_eq!((last.status, last.changes().len()), (1, 0));
}

#[test]
fn what_a_new_role_is_refused_for_is_tried_again_and_not_for_ever() {
    let documents = render(&three(Partition::Aws));
    let key = json!({"Statement": [{"Sid": "Account"}]}).to_string();
    let invalid = "MalformedPolicy) when calling the operation: Invalid principal in policy";
    for (script, account, operation, failure) in [
        (
            &documents.cli_bucket,
            BUCKET_ACCOUNT,
            "put-bucket-policy",
            invalid,
        ),
        (
            &documents.cli_bucket,
            BUCKET_ACCOUNT,
            "put-bucket-cors",
            "OperationAborted) when calling the operation",
        ),
        (
            &documents.cli_key,
            KEY_ACCOUNT,
            "put-key-policy",
            "MalformedPolicyDocumentException) when calling the operation: Policy contains a statement with one or more invalid principals.",
        ),
        (
            &documents.cli,
            ROLE_ACCOUNT,
            "put-role-policy",
            "NoSuchEntity) when calling the operation",
        ),
    ] {
        let script = script.as_deref().unwrap();
        let failing = |times| {
            let answers = [
                ("KEY_POLICY", key.as_str()),
                ("FAILING", operation),
                ("FAILURE", failure),
                ("TIMES", times),
            ];
            run(script, &[], &in_account(account, &answers))
        };
        let made = |run: &Run| run.calls.iter().filter(|call| call[1] == operation).count();
        let passes = failing("3");
        assert_eq!((passes.status, made(&passes)), (0, 4), "{}", passes.stderr);
        let never = failing("1000");
        assert_eq!((never.status, made(&never)), (1, 20), "{operation}");
        assert!(never.stderr.contains("after 20 tries"), "{}", never.stderr);
    }
    // What does not pass by itself is not tried again.
    let answers = [
        ("FAILING", "put-bucket-policy"),
        ("FAILURE", "AccessDenied"),
        ("TIMES", "1"),
    ];
    let script = documents.cli_bucket.as_deref().unwrap();
    let denied = run(script, &[], &in_account(BUCKET_ACCOUNT, &answers));
    assert_eq!(
        (denied.status, denied.changes()),
        (1, vec!["put-bucket-policy"])
    );
}

#[test]
fn the_role_s_script_takes_the_role_back() {
    for (documents, rules) in [
        (render(&three(Partition::Aws)), &[][..]),
        (
            render(&parameters(Partition::Aws)),
            &["delete-bucket-cors", "delete-bucket-lifecycle"][..],
        ),
    ] {
        let script = documents.cli.as_deref().unwrap();
        let cors = json!({ "CORSRules": documents.cors }).to_string();
        let lifecycle = json!(documents.lifecycle).to_string();
        let (role, policy) = (role_of(&documents), documents.permission_policy.to_string());
        let ours = [("CORS", cors.as_str()), ("LIFECYCLE", &lifecycle)];
        let with = [&[("ROLE", role.as_str()), ("INLINE", &policy)], &ours[..]].concat();
        let undone = runs(script, &["--undo"], ROLE_ACCOUNT, &with);
        assert_eq!(
            undone.changes(),
            [rules, &["delete-role-policy", "delete-role"]].concat()
        );
        assert_eq!(undone.stdout, "");
        // The role is gone already; the rest is done.
        let again = runs(script, &["--undo"], ROLE_ACCOUNT, &ours);
        assert_eq!(again.changes(), rules);
    }
}
