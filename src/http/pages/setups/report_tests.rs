//! What a report's steps say, rendered from problems as a check stores them.

use crate::domain::cause::entry::{Bearing, Candidate, Certainty, Side};
use crate::domain::check::patch::{Patch, PatchOperation, PatchTarget};
use crate::domain::check::problem::{
    DecidedBy, Denied, DeniedEffect, Evidence, MissingPermission, StepProblem,
};
use crate::domain::check::{AwsCall, Step, StepName, StepStatus};
use crate::http::pages::setups::report::{Explained, StepEvent, StepView};
use crate::http::pages::setups::setting_words::Apply;
use askama::Template;
use serde_json::json;

fn problem() -> StepProblem {
    StepProblem {
        title: "The role may not list `acme-data`".into(),
        explanation: "Because.".into(),
        remedy: "Do it.".into(),
        ..StepProblem::with("permission_missing", Bearing::Definite)
    }
}

fn step(name: StepName, problem: Option<StepProblem>) -> Step {
    Step {
        name,
        status: StepStatus::Failed,
        duration_ms: 12,
        aws: Some(AwsCall {
            operation: "ListObjectsV2".into(),
            http_status: Some(403),
            error_code: Some("AccessDenied".into()),
            request_id: Some("REQUEST1".into()),
        }),
        problem,
        skipped_because: None,
        listed_files: None,
    }
}

fn shown(step: &Step, explained: &Explained, apply: Option<&Apply>) -> String {
    let step = StepView::of_running(step, explained, apply);
    StepEvent { step }.render().unwrap()
}

fn html(problem: StepProblem) -> String {
    let step = step(StepName::ListBucket, Some(problem));
    shown(&step, &Explained::default(), None)
}

/// Asserts that these stand in the text, in this order.
#[track_caller]
fn in_order(html: &str, texts: &[&str]) {
    let mut rest = html;
    for text in texts {
        let Some((_, after)) = rest.split_once(text) else {
            panic!("{text} is not there, or too early: {html}");
        };
        rest = after;
    }
}

#[test]
fn causes_stand_in_their_order_each_with_the_look_that_decides() {
    let html = html(StepProblem {
        causes: vec![
            Candidate::new("one", "The first, of `a`.")
                .console("IAM > `Roles`")
                .cli("aws iam get-role --role-name 'it''s'"),
            Candidate::new("two", "The second."),
            Candidate::new("three", "The third.").cli("aws s3 ls"),
        ],
        ..problem()
    });
    in_order(
        &html,
        &[
            "<ol class=\"causes\"",
            "The first, of <code>a</code>.",
            "IAM &#62; <code>Roles</code>",
            "id=\"step-list_bucket-command-1\"",
            "aws iam get-role --role-name &#39;it&#39;&#39;s&#39;",
            "data-copy-from=\"step-list_bucket-command-1\"",
            "The second.",
            "The third.",
            "id=\"step-list_bucket-command-3\"",
            "aws s3 ls",
        ],
    );
}

#[test]
fn a_look_that_decides_between_several_causes_stands_once() {
    let look = |code: &str| Candidate::new(code, code).cli("aws iam get-role");
    let html = html(StepProblem {
        causes: vec![
            look("one"),
            look("two"),
            Candidate::new("three", "three").cli("aws s3 ls"),
        ],
        ..problem()
    });
    assert_eq!(html.matches(">aws iam get-role<").count(), 1, "{html}");
    in_order(
        &html,
        &["one", "two", "aws iam get-role", "three", "aws s3 ls"],
    );
}

#[test]
fn each_side_and_certainty_is_told_in_words_of_its_own() {
    let sides = [
        Side::CustomerAccount,
        Side::CustomerOrganization,
        Side::Service,
        Side::Settings,
        Side::Aws,
        Side::Network,
    ];
    for side in sides {
        let words = match side {
            Side::CustomerAccount => "In the customer’s account",
            Side::CustomerOrganization => "In the customer’s AWS organization",
            Side::Service => "In this service: ask its operator",
            Side::Settings => "In these settings",
            Side::Aws => "At AWS or the store",
            Side::Network => "On the network",
        };
        let html = html(StepProblem {
            side: Some(side),
            ..problem()
        });
        assert!(html.contains(words), "{words}: {html}");
    }
    for certainty in [Certainty::Proved, Certainty::Likely, Certainty::OneOf] {
        let words = match certainty {
            Certainty::Proved => "Proved by the answers",
            Certainty::Likely => "Most likely",
            Certainty::OneOf => "One of several causes",
        };
        let html = html(StepProblem {
            certainty: Some(certainty),
            ..problem()
        });
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html(problem()).contains("class=\"tags\""));
}

#[test]
fn a_change_has_its_document_the_command_and_the_place_in_the_console() {
    let targets = [
        PatchTarget::RolePermissionPolicy,
        PatchTarget::TrustPolicy,
        PatchTarget::BucketPolicy,
        PatchTarget::KeyPolicy,
        PatchTarget::Cors,
        PatchTarget::Lifecycle,
        PatchTarget::Settings,
    ];
    for target in targets {
        let (operation, heading) = match target {
            PatchTarget::RolePermissionPolicy => (
                PatchOperation::AddStatement,
                "Add this statement to the permission policy",
            ),
            PatchTarget::TrustPolicy => (
                PatchOperation::Replace,
                "Replace the role’s trust policy with",
            ),
            PatchTarget::BucketPolicy => (
                PatchOperation::AddStatement,
                "Add this statement to the bucket policy",
            ),
            PatchTarget::KeyPolicy => (
                PatchOperation::AddStatement,
                "Add this statement to the KMS key’s policy",
            ),
            PatchTarget::Cors => (PatchOperation::Replace, "Set the bucket’s CORS rule"),
            PatchTarget::Lifecycle => (PatchOperation::Replace, "Set the bucket’s lifecycle rule"),
            PatchTarget::Settings => (PatchOperation::Set, "Change this setting"),
        };
        let patch = Patch {
            target,
            operation,
            document: json!({"region": "eu-north-1"}),
            cli: Some("aws do it".into()),
            console: Some("S3 > Permissions".into()),
        };
        let html = html(StepProblem {
            patch: Some(patch),
            ..problem()
        });
        in_order(
            &html,
            &[
                heading,
                "eu-north-1",
                "S3 &#62; Permissions",
                "aws do it",
                "data-copy-from=\"step-list_bucket-command-change\"",
            ],
        );
        let is_document = html.contains("data-copy-from=\"step-list_bucket-patch\"");
        assert_eq!(is_document, target != PatchTarget::Settings, "{html}");
    }
}

#[test]
fn a_setting_is_told_in_words_and_taken_over_by_a_form() {
    let patch = Patch {
        target: PatchTarget::Settings,
        operation: PatchOperation::Set,
        document: json!({"requester_pays": true, "region": "eu-north-1"}),
        cli: None,
        console: None,
    };
    let apply = Apply {
        action: "/settings/setups/set_1".into(),
        csrf: "token".into(),
        step: Some("check"),
    };
    let with_patch = StepProblem {
        patch: Some(patch),
        ..problem()
    };
    let failed = step(StepName::ListBucket, Some(with_patch.clone()));
    let offered = shown(&failed, &Explained::default(), Some(&apply));
    in_order(
        &offered,
        &[
            "Requests",
            "Requester pays",
            "action=\"/settings/setups/set_1\"",
            "name=\"csrf\" value=\"token\"",
            "name=\"step\" value=\"check\"",
            "name=\"requester_pays\" value=\"true\"",
            "name=\"region\" value=\"eu-north-1\"",
            "Use this value",
        ],
    );
    let earlier = html(with_patch);
    assert!(earlier.contains("Requester pays") && !earlier.contains("<form"));
}

#[test]
fn a_step_that_another_one_explains_leads_there_and_repeats_nothing() {
    let main = step(
        StepName::ListBucket,
        Some(StepProblem {
            also_explains: vec![StepName::GetObject, StepName::PutObject],
            ..problem()
        }),
    );
    let other = step(StepName::GetObject, Some(problem()));
    let mut explained = Explained::default();
    explained.note(&main);
    explained.note(&other);
    let first = shown(&main, &explained, None);
    in_order(
        &first,
        &[
            "It also explains:",
            "href=\"#step-get_object\"",
            "href=\"#step-put_object\"",
            "What to change:",
        ],
    );
    let second = shown(&other, &explained, None);
    in_order(
        &second,
        &[
            "Explained by: <a href=\"#step-list_bucket\">The role may not list <code>acme-data</code></a>",
            "REQUEST1",
        ],
    );
    assert!(!second.contains("What to change:") && !second.contains("Because."));
    // On another try nothing explains it before it is diagnosed.
    explained.note(&step(StepName::GetObject, None));
    let again = shown(
        &step(StepName::GetObject, Some(problem())),
        &explained,
        None,
    );
    assert!(again.contains("What to change:"));
}

#[test]
fn a_step_without_its_cause_yet_says_so() {
    let html = shown(
        &step(StepName::ListBucket, None),
        &Explained::default(),
        None,
    );
    assert!(html.contains("Its cause is named when all steps have been tried."));
    assert!(!html.contains("data-diagnosed"));
    assert!(self::html(problem()).contains("data-diagnosed"));
}

#[test]
fn answers_are_folded_with_what_was_said_of_the_denial() {
    let evidence = Evidence {
        denied: Some(Denied {
            action: Some("s3:ListBucket".into()),
            resource: Some("arn:aws:s3:::acme-data".into()),
            by: Some(DecidedBy::ServiceControlPolicy),
            effect: Some(DeniedEffect::ExplicitDeny),
            policy_arn: Some("arn:aws:organizations::1:policy/p-1".into()),
        }),
        ..Evidence::of_call(step(StepName::ListBucket, None).aws.unwrap())
    };
    let html = html(StepProblem {
        evidence: vec![evidence],
        missing: vec![MissingPermission {
            action: "s3:ListBucket".into(),
            resource: "arn:aws:s3:::acme-data".into(),
        }],
        learn_more: Some("https://docs.aws.amazon.com/x".into()),
        ..problem()
    });
    in_order(
        &html,
        &[
            "Missing permissions",
            "href=\"https://docs.aws.amazon.com/x\" target=\"_blank\" rel=\"noopener noreferrer\"",
            "<details class=\"answers\">",
            "ListObjectsV2",
            "arn:aws:s3:::acme-data",
            "Explicit deny: service control policy",
            "arn:aws:organizations::1:policy/p-1",
        ],
    );
    let odd = self::html(StepProblem {
        learn_more: Some("javascript:alert(1)".into()),
        ..problem()
    });
    assert!(!odd.contains("javascript:"));
}
