//! Every page and part of the dialog, rendered from samples.

use crate::domain::cause::entry::Candidate;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::setup::Draft;
use crate::http::pages::setups::documents::{DocumentView, Part};
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::grants::{ChangeGrants, GrantsView};
use crate::http::pages::setups::link_panel::LinkPanel;
use crate::http::pages::setups::page::{ConnectView, SetupPage};
use crate::http::pages::setups::problem::{AnswerView, Change, PatchView, ProblemView};
use crate::http::pages::setups::report::{
    Add, OutcomeEvent, OutcomeView, ReportView, StepEvent, Summary,
};
use crate::http::pages::setups::step::{DialogStep, StepLink};
use crate::http::pages::setups::wait::WaitView;
use crate::http::pages::setups::way::{AwsView, Making, Way};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::moment::Moment;
use askama::Template;
use time::OffsetDateTime;

const HOSTILE: &str = "\"><script>alert('1')</script>&";

fn document(name: &'static str) -> DocumentView {
    let part = |text: &str, filled| Part {
        text: text.into(),
        filled,
    };
    DocumentView {
        account: None,
        name,
        title: "A document",
        file_name: "acme-data-a.json".into(),
        download: format!("/settings/setups/set_1/documents/{name}"),
        parts: vec![
            part("{\"a\": \"", false),
            part(HOSTILE, true),
            part("\"}", false),
        ],
    }
}

fn outcome(passed: bool, is_current: bool, report: &ReportView) -> OutcomeView {
    let summary = report.summary.as_ref().map(|summary| Summary {
        failed: summary.failed.clone(),
        prefix: summary.prefix.clone(),
        took: summary.took.clone(),
        region: summary.region.clone(),
        problem: summary.problem.clone(),
        ..*summary
    });
    OutcomeView {
        summary,
        is_current,
        missing: match passed {
            true => Vec::new(),
            false => vec![("the role", "check")],
        },
        add: Some(Add {
            setup: "set_1".into(),
            can_add: passed && is_current,
            is_stale: false,
            offers_probe: true,
            probe_now: passed,
        }),
        is_of_link: false,
        has_role: true,
        waiting: (!is_current).then(|| WaitView::sample(HOSTILE)),
        csrf: "token".into(),
    }
}

fn failed_report() -> ReportView {
    let mut report = ReportView::waiting(true);
    let step = &mut report.steps[5];
    step.kind = "bad";
    step.word = "Failed";
    step.took = Some("12 ms".into());
    let hostile = || Some(HOSTILE.to_owned());
    step.problem = Some(ProblemView {
        title: "The role may not list the bucket.".into(),
        explanation: HOSTILE.into(),
        remedy: "Add the statement.".into(),
        side: Some("In the customer’s account"),
        certainty: Some("Most likely"),
        causes: vec![
            Candidate::new("a", HOSTILE).console(HOSTILE).cli(HOSTILE),
            Candidate::new("b", "Something else."),
        ],
        also_explains: vec![("get_object", "Read a file")],
        missing: vec![("s3:ListBucket".into(), HOSTILE.into())],
        patch: Some(PatchView {
            heading: HOSTILE.into(),
            change: Change::Document(format!("{{\"Action\": \"{HOSTILE}\"}}")),
            cli: hostile(),
            console: hostile(),
        }),
        learn_more: Some(format!("https://docs.aws.amazon.com/{HOSTILE}")),
    });
    step.answers = vec![AnswerView {
        operation: "ListObjectsV2".into(),
        rows: vec![
            ("Error code", "AccessDenied".into()),
            ("On", HOSTILE.into()),
        ],
        request_id: Some("REQUEST1".into()),
    }];
    report.summary = Some(Summary {
        kind: "bad",
        word: "Failed",
        title: "The connection does not work.",
        prefix: "chk_1-".into(),
        at: Moment(OffsetDateTime::UNIX_EPOCH),
        took: "1.2 s".into(),
        region: Some("eu-west-1".to_owned()),
        attempts: 3,
        is_of_setup: true,
        failed: vec!["List files below the prefix"],
        reasons: 1,
        problem: Some(HOSTILE.into()),
        shown: 10,
        tried: 10,
        warned: 0,
    });
    report
}

/// A page of the dialog with everything on it.
pub fn page(
    step: DialogStep,
    bucket: Option<&str>,
    prefix: &str,
    report: ReportView,
    way: Option<Way>,
) -> SetupPage {
    let outcome = outcome(true, true, &report);
    let draft = Draft {
        bucket: bucket.map(|bucket| BucketName::parse(bucket).unwrap()),
        ..Draft::default()
    };
    let change = ChangeGrants {
        action: "/settings/setups/set_1".into(),
        csrf: "token".into(),
        step: step.as_str(),
        way: None,
    };
    SetupPage {
        chrome: Chrome::bare(),
        script: "/static/setup.js",
        id: "set_1".into(),
        step,
        steps: DialogStep::PATH
            .map(|one| StepLink {
                href: format!("?step={}", one.as_str()),
                label: one.label(),
                is_current: one == step,
                is_done: one == DialogStep::Bucket,
            })
            .into(),
        expires: Moment(OffsetDateTime::UNIX_EPOCH),
        fields: ConnectionFields {
            has_secret: true,
            elsewhere: vec![HOSTILE.into()],
            ..ConnectionFields::sample(&[
                ("bucket", HOSTILE, Some(HOSTILE)),
                ("prefix", prefix, None),
                ("role_arn", HOSTILE, Some("Not a role ARN.")),
                (
                    "customer_account_id",
                    HOSTILE,
                    Some("`x` is not an account."),
                ),
                ("display_name", "بيانات الفريق", None),
            ])
        },
        warnings: vec![HOSTILE.into()],
        grants: GrantsView {
            prefix: prefix.into(),
            ..GrantsView::of(&draft, Some(change))
        },
        aws: bucket.map(|bucket| {
            let names = [
                "permission_policy",
                "trust_policy",
                "cors",
                "lifecycle",
                "cli",
            ];
            AwsView::sample(bucket, prefix, names.map(document).into())
        }),
        ways: Way::offered(Making::Role, true),
        way,
        connect: ConnectView {
            role_arn: Some(HOSTILE.into()),
            is_other: true,
        },
        offers_choice: true,
        link: LinkPanel {
            expires: Some(Moment(OffsetDateTime::UNIX_EPOCH)),
            url: Some("https://sallyport.example/instructions/secret".into()),
        },
        report,
        outcome,
    }
}

#[test]
fn every_step_renders_and_escapes() {
    let long = "b".repeat(63);
    let buckets = [None, Some("acme-data"), Some(long.as_str())];
    let mut ways: Vec<Option<Way>> = Way::offered(Making::Role, true)
        .into_iter()
        .map(Some)
        .collect();
    ways.push(None);
    for step in DialogStep::PATH {
        for bucket in buckets {
            for way in &ways {
                for prefix in ["", "team/", "فريق <b>/"] {
                    let html = page(step, bucket, prefix, failed_report(), *way)
                        .render()
                        .unwrap();
                    assert!(html.contains("<h1>") && html.contains(step.label()));
                    assert!(
                        !html.contains("<script>alert") && !html.contains("<b>/"),
                        "{html}"
                    );
                    assert!(!html.contains("style="));
                    assert!(html.contains("aria-current=\"step\""));
                }
            }
        }
    }
}

#[test]
fn a_step_shows_what_to_do_there() {
    let html = |step, way| {
        page(
            step,
            Some("acme-data"),
            "team/",
            ReportView::waiting(true),
            way,
        )
        .render()
        .unwrap()
    };
    let bucket = html(DialogStep::Bucket, None);
    assert!(bucket.contains("below <code><bdi>team/</bdi></code>"));
    assert!(bucket.contains("aria-invalid=\"true\"") && bucket.contains("id=\"bucket-error\""));
    // What S3 will delete is named in full, on every step.
    for step in DialogStep::PATH {
        let html = html(step, None);
        assert!(html.contains("team/temp/") && html.contains("team/export/"));
    }
    let question = html(DialogStep::Role, None);
    assert!(question.contains("How do you want to set up AWS?"));
    assert!(question.contains("way=cloudformation") && !question.contains("<pre"));
    let by_hand = html(DialogStep::Role, Some(Way::Console));
    assert!(by_hand.contains("s3/buckets/acme-data?tab=permissions"));
    assert!(by_hand.contains("0f8fad5b-d9cb-469f-a165-70867728950e"));
    assert!(
        by_hand.contains("Do not replace it.") && by_hand.contains("rel=\"noopener noreferrer\"")
    );
    let sent = html(DialogStep::Role, Some(Way::Administrator));
    assert!(sent.contains("https://sallyport.example/instructions/secret"));
    let mut connect = page(
        DialogStep::Check,
        Some("acme-data"),
        "team/",
        ReportView::waiting(true),
        None,
    );
    connect.outcome.summary = None;
    connect.outcome.waiting = Some(WaitView::sample("arn:aws:iam::222222222222:role/acme"));
    let connect = connect.render().unwrap();
    assert!(connect.contains("id=\"customer_account_id-error\"") && connect.contains("data-wait"));
    assert!(connect.contains("Waiting for the role") && connect.contains("role/acme"));
}

#[test]
fn a_failed_check_says_what_to_change() {
    let report = failed_report();
    let mut page = page(
        DialogStep::Check,
        Some("acme-data"),
        "",
        failed_report(),
        None,
    );
    page.outcome = outcome(false, true, &report);
    page.outcome.missing.clear();
    let html = page.render().unwrap();
    assert!(html.contains("What to change:") && html.contains("REQUEST1"));
    assert!(html.contains("1 of 10 checks failed") && html.contains("disabled aria-describedby"));
    assert!(!html.contains("<script>alert"));
    for step in report.steps {
        let event = StepEvent { step }.render().unwrap();
        assert!(event.trim_start().starts_with("<li id=\"step-"), "{event}");
        assert!(!event.contains("<script>alert"));
    }
}

#[test]
fn a_check_of_earlier_settings_does_not_count() {
    let outcome = OutcomeView {
        waiting: None,
        ..outcome(true, false, &failed_report())
    };
    let event = OutcomeEvent {
        outcome,
        check_action: Some("/check".into()),
    };
    let html = event.render().unwrap();
    assert!(html.contains("The settings have changed since the last check."));
    assert!(html.contains("why-not") && html.trim_start().starts_with("<header id=\"verdict\""));
}
