//! Where each cause is shown: on the emulator, by an answer in AWS's wire format, or only on paper; and whose words for it
//! are read.

use crate::domain::cause::Cause;
use crate::domain::cause::entry::Stage;
use std::collections::BTreeMap;

/// How a cause is shown by a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    Paper,
    Wire,
    Emulator,
}

impl Shown {
    pub fn words(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Wire => "wire format",
            Self::Paper => "paper",
        }
    }
}

/// Causes that no world has, and the test that shows them with AWS's answer in its wire format. The file has the code.
const ELSEWHERE: &[(&str, &str)] = &[
    ("bucket_region_changed", "aws/faults.rs"),
    ("listing_incomplete", "projects/odd_stores.rs"),
    ("aws_timeout", "checks/on_stub.rs"),
    ("object_archived", "checks/on_stub.rs"),
    ("object_locked", "checks/probe.rs"),
    ("probe_encryption_differs", "checks/probe.rs"),
    ("service_identity_provider_refused", "checks/answers.rs"),
    ("signature_missing", "checks/answers.rs"),
    ("credentials_lost", "storages/lost_key.rs"),
];

/// How each code is shown best.
pub fn shown() -> BTreeMap<&'static str, Shown> {
    let mut shown: BTreeMap<&str, Shown> = Cause::examples()
        .iter()
        .map(|cause| (cause.code(), Shown::Paper))
        .collect();
    let mut note = |code: &str, how: Shown| {
        let known = shown
            .get_mut(code)
            .unwrap_or_else(|| panic!("{code} is not in the catalogue"));
        *known = how.max(*known);
    };
    for (_, worlds) in super::all() {
        for world in &worlds {
            let how = match world.is_on_emulator() {
                true => Shown::Emulator,
                false => Shown::Wire,
            };
            for expected in world.expected.iter().chain(&world.uncovered) {
                note(expected.code, how);
            }
        }
    }
    for (code, _) in ELSEWHERE {
        note(code, Shown::Wire);
    }
    shown
}

/// Whose words, or what else, the cause is told by.
pub fn told_by(cause: &Cause) -> &'static str {
    let facts = cause.facts();
    match facts.stage {
        Stage::Browsers => "the preflight's status and headers (S3)",
        Stage::Encryption => match facts.code {
            "probe_encryption_differs" => "the headers of the file (S3)",
            "customer_key_needed" => "the error's code and message (S3)",
            code if code.starts_with("kms_denied") || code.ends_with("_missing") => {
                "the sentence of the denial (IAM)"
            }
            "kms_key_not_entered" | "kms_key_policy" | "kms_other_key" | "kms_foreign_key" => {
                "the sentence of the denial (IAM, KMS)"
            }
            _ => "the error's code and message (KMS)",
        },
        Stage::SigningIn => match facts.code {
            "role_accepts_missing_external_id"
            | "role_accepts_wrong_external_id"
            | "external_id_of_other_setup"
            | "external_id_wrong_case"
            | "refusal_not_proven" => "several answers of AssumeRole together",
            code if code.starts_with("service_denied")
                || code.starts_with("trust_")
                || code.starts_with("denied_")
                || code == "service_not_permitted"
                || code == "role_refused" =>
            {
                "the sentence of the denial (IAM)"
            }
            "service_credentials_missing" => "the SDK: there is no answer",
            _ => "the error's code and message (STS)",
        },
        Stage::Permissions => match facts.code {
            "denied_without_reason" | "denied_for_unknown_reason" => {
                "a denial whose sentence gives no reason that is known"
            }
            "mfa_required" => "the error's message (S3)",
            "bucket_policy_needs_encryption" => "another answer to the same call (S3)",
            "policy_absent_or_elsewhere"
            | "object_arn_or_prefix_wrong"
            | "list_condition_or_arn_wrong"
            | "bucket_policy_denies_all" => "the sentences of several denials together (IAM)",
            _ => "the sentence of the denial (IAM)",
        },
        Stage::Objects => "several answers of S3 together",
        Stage::Bucket | Stage::Answers => match facts.code {
            "endpoint_dns"
            | "endpoint_refused"
            | "endpoint_tls"
            | "endpoint_not_allowed"
            | "aws_unreachable"
            | "aws_timeout" => "the connection: there is no answer",
            "endpoint_not_s3" | "aws_answer_unreadable" | "endpoint_redirects" => {
                "the form of the answer"
            }
            "requester_pays" | "bucket_owned_by_another_account" | "region_differs" => {
                "several answers of S3 together"
            }
            "location_not_permitted" => "the sentence of the denial (IAM)",
            "credentials_lost" => "the service: nothing is asked",
            _ => "the error's code and status (S3, STS)",
        },
    }
}

#[test]
fn what_is_shown_elsewhere_is_there() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (code, file) in ELSEWHERE {
        let text = std::fs::read_to_string(tests.join(file)).unwrap();
        assert!(
            text.contains(&format!("\"{code}\"")),
            "{file} has no {code}"
        );
    }
}

/// What nobody has seen: each is named here, so that none is forgotten.
#[test]
fn few_causes_are_on_paper_alone() {
    let paper: Vec<&str> = shown()
        .into_iter()
        .filter(|(_, how)| *how == Shown::Paper)
        .map(|(code, _)| code)
        .collect();
    assert_eq!(paper, ON_PAPER);
}

const ON_PAPER: &[&str] = &[
    "mfa_required",
    "service_credentials_missing",
    "service_session_unknown",
];
