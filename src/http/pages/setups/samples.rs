//! Every page and part of the dialog, rendered from samples.

use crate::domain::cause::entry::Candidate;
use crate::domain::connection::account::Partition;
use crate::domain::setup::Draft;
use crate::http::pages::setups::documents::{AccountsView, Console, DocumentView, Part};
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::link_panel::LinkPanel;
use crate::http::pages::setups::page::{Reach, SetupPage};
use crate::http::pages::setups::problem::{AnswerView, Change, PatchView, ProblemView};
use crate::http::pages::setups::report::{
    Add, OutcomeEvent, OutcomeView, ReportView, StepEvent, Summary,
};
use crate::http::pages::setups::step::{DialogStep, StepLink};
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
        ..*summary
    });
    OutcomeView {
        summary,
        is_current,
        missing: match passed {
            true => Vec::new(),
            false => vec![("the role's ARN", "role")],
        },
        add: Some(Add {
            setup: "set_1".into(),
            can_add: passed && is_current,
            is_stale: false,
            offers_probe: true,
            probe_now: passed,
        }),
        csrf: "token".into(),
    }
}

fn failed_report() -> ReportView {
    let mut report = ReportView::waiting();
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
    });
    report
}

fn page(step: DialogStep, bucket: Option<&str>, prefix: &str, report: ReportView) -> SetupPage {
    let outcome = outcome(report.summary.is_none(), true, &report);
    SetupPage {
        accounts: AccountsView::default(),
        chrome: Chrome::bare(),
        script: "/static/setup.js",
        id: "set_1".into(),
        step,
        steps: [
            DialogStep::Bucket,
            DialogStep::Cors,
            DialogStep::Policy,
            DialogStep::Role,
            DialogStep::Check,
        ]
        .map(|one| StepLink {
            href: format!("?step={}", one.as_str()),
            label: one.label(&Draft::default()),
            is_current: one == step,
            is_done: one == DialogStep::Bucket,
        })
        .into(),
        back: Some("?step=bucket".into()),
        next: Some("?step=check".into()),
        expires: Moment(OffsetDateTime::UNIX_EPOCH),
        fields: ConnectionFields {
            has_secret: true,
            elsewhere: vec![HOSTILE.into()],
            ..ConnectionFields::sample(&[
                ("bucket", HOSTILE, Some(HOSTILE)),
                ("prefix", prefix, None),
                ("role_arn", HOSTILE, Some("Not a role ARN.")),
                ("display_name", "بيانات الفريق", None),
            ])
        },
        reach: Reach {
            bucket: bucket.map(str::to_owned),
            prefix: prefix.into(),
            writes: true,
            browsers: true,
            encrypted: false,
        },
        account_id: "111122223333".into(),
        external_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
        role_name: "sallyport-acme-data-0f8fad5b".into(),
        console: Console::of(Partition::Aws, bucket),
        documents: vec![document("cors"), document("lifecycle")],
        scripts: vec![document("cli"), document("cloudformation")],
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
    for step in [
        DialogStep::Bucket,
        DialogStep::Cors,
        DialogStep::Policy,
        DialogStep::Role,
        DialogStep::Check,
    ] {
        for bucket in buckets {
            for report in [ReportView::waiting(), failed_report()] {
                for prefix in ["", "team/", "فريق <b>/"] {
                    let report = ReportView {
                        steps: report.steps.iter().map(copy).collect(),
                        summary: None,
                    };
                    let html = page(step, bucket, prefix, report).render().unwrap();
                    assert!(html.contains("<h1>") && html.contains(step.title()));
                    assert!(
                        !html.contains("<script>") && !html.contains("<b>"),
                        "{html}"
                    );
                    assert!(!html.contains("style="));
                    assert!(html.contains("aria-current=\"step\""));
                }
            }
        }
    }
}

fn copy(
    step: &crate::http::pages::setups::report::StepView,
) -> crate::http::pages::setups::report::StepView {
    crate::http::pages::setups::report::StepView {
        took: step.took.clone(),
        problem: None,
        explained_by: None,
        skipped_because: Some(HOSTILE.into()),
        answers: Vec::new(),
        ..*step
    }
}

#[test]
fn a_step_shows_what_to_do_there() {
    let html = |step| {
        page(step, Some("acme-data"), "team/", ReportView::waiting())
            .render()
            .unwrap()
    };
    let bucket = html(DialogStep::Bucket);
    assert!(bucket.contains("below <code><bdi>team/</bdi></code> in <code>acme-data</code>"));
    assert!(bucket.contains("aria-invalid=\"true\"") && bucket.contains("id=\"bucket-error\""));
    assert!(html(DialogStep::Cors).contains("s3/buckets/acme-data?tab=permissions"));
    assert!(html(DialogStep::Policy).contains("you can skip this step"));
    let role = html(DialogStep::Role);
    assert!(role.contains("0f8fad5b-d9cb-469f-a165-70867728950e"));
    assert!(role.contains("https://sallyport.example/instructions/secret"));
    assert!(role.contains("rel=\"noopener noreferrer\""));
}

#[test]
fn a_failed_check_says_what_to_change() {
    let report = failed_report();
    let html = page(DialogStep::Check, Some("acme-data"), "", failed_report())
        .render()
        .unwrap();
    assert!(html.contains("What to change:") && html.contains("REQUEST1"));
    assert!(html.contains("One step failed") && html.contains("disabled aria-describedby"));
    assert!(html.contains("?step=role"));
    assert!(!html.contains("<script>"));
    for step in report.steps {
        let event = StepEvent { step }.render().unwrap();
        assert!(event.trim_start().starts_with("<li id=\"step-"), "{event}");
        assert!(!event.contains("<script>"));
    }
}

#[test]
fn a_check_of_earlier_settings_does_not_count() {
    let outcome = outcome(true, false, &failed_report());
    let html = OutcomeEvent { outcome }.render().unwrap();
    assert!(html.contains("The settings have changed since the last check."));
    assert!(html.contains("why-not") && html.trim_start().starts_with("<div id=\"outcome\">"));
}
