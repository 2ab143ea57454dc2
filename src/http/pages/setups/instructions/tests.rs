//! The administrator's page, rendered from samples.

use super::*;
use crate::domain::connection::account::Partition;
use crate::http::pages::setups::documents::Console;
use time::OffsetDateTime;

const HOSTILE: &str = "<script>alert('1')</script>";

/// The page with these contents, as HTML.
pub fn page(aws: Option<AwsView>, is_added: bool, error: Option<&str>, way: Option<Way>) -> String {
    let making = aws.as_ref().map_or(Making::Role, |aws| aws.making);
    let draft = crate::domain::setup::Draft::default();
    let page = InstructionsPage {
        chrome: Chrome::bare(),
        script: "/static/setup.js",
        base: "/instructions/secret".into(),
        workspace: HOSTILE.into(),
        maker: Maker::Token(Some(HOSTILE.into())),
        created: Moment(OffsetDateTime::UNIX_EPOCH),
        expires: Moment(OffsetDateTime::UNIX_EPOCH),
        is_added,
        aws,
        grants: GrantsView::of(&draft, None),
        ways: Way::offered(making, false),
        way,
        fields: ConnectionFields::sample(&[("customer_account_id", HOSTILE, error)]),
        connect: ConnectView {
            role_arn: Some("arn:aws:iam::222222222222:role/acme".into()),
            is_other: false,
        },
        session_name: "sallyport@wrk_1.set_2".into(),
        report: ReportView::waiting(true),
        outcome: OutcomeView {
            summary: None,
            is_current: false,
            missing: Vec::new(),
            add: None,
            is_of_link: true,
            has_role: true,
            waiting: Some(WaitView {
                events: "/instructions/secret/events".into(),
                page: "/instructions/secret".into(),
                ..WaitView::sample(HOSTILE)
            }),
            csrf: "token".into(),
        },
    };
    let html = page.render().unwrap();
    assert!(!html.contains("<script>alert"), "{html}");
    html
}

fn aws() -> AwsView {
    let mut aws = AwsView::sample(&"b".repeat(63), "team/", Vec::new());
    aws.console = Console::of(Partition::AwsUsGov, Some("acme-data"));
    aws
}

#[test]
fn an_administrator_sees_what_to_do_and_where() {
    let html = page(Some(aws()), false, None, Some(Way::Console));
    assert!(html.contains("111122223333") && html.contains("How to take it back"));
    assert!(html.contains("https://console.amazonaws-us-gov.com/"));
    assert!(html.contains("action=\"/instructions/secret\""));
    assert!(html.contains("action=\"/instructions/secret/check\""));
    assert!(html.contains("sallyport@wrk_1.set_2"));
    // Nothing of the workspace, and no way into it.
    assert!(!html.contains("/settings/") && !html.contains("Sign out"));
    // A role is not called saved before it was found.
    assert!(!html.contains("Saved"));
    let refused = page(Some(aws()), false, Some("`x` is not an account."), None);
    assert!(refused.contains("<code>x</code> is not an account."));
}

#[test]
fn before_and_after_there_is_nothing_to_do() {
    assert!(page(None, false, None, None).contains("There is nothing to do yet"));
    assert!(page(None, true, None, None).contains("The storage has been added"));
}
