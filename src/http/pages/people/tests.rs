//! The pages of tokens, sessions and the audit log, rendered from samples.

use crate::domain::ids::{SessionId, TokenId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditResult};
use crate::domain::people::sign_in::{Session, WayBack};
use crate::domain::people::workspace::Role;
use crate::http::pages::people::audit_log::AuditLogPage;
use crate::http::pages::people::audit_words::{AuditQuery, Known, action_in_words};
use crate::http::pages::people::tokens::{MadeToken, NewTokenForm, TokenRow, TokensPage};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::words::ending;
use askama::Template;
use std::collections::HashMap;
use time::OffsetDateTime;
use time::macros::datetime;

const HOSTILE: &str = "<script>alert('1')</script>";

fn tokens(rows: usize, made: bool) -> String {
    let id = TokenId::generate();
    let page = TokensPage {
        chrome: Chrome::bare(),
        tokens: (0..rows)
            .map(|n| TokenRow {
                id: id.to_string(),
                ending: ending(id.as_str()),
                name: format!("{HOSTILE}{n}"),
                role: "Member",
                narrowed: vec![format!("Reads /{HOSTILE}/")],
                created: Moment(OffsetDateTime::UNIX_EPOCH),
                expires: (n > 0).then_some(Moment(OffsetDateTime::UNIX_EPOCH)),
                has_expired: n == 1,
            })
            .collect(),
        is_first_page: true,
        next: None,
        form: NewTokenForm::default(),
        made: made.then(|| MadeToken {
            name: HOSTILE.to_owned(),
            secret: "spt_secret".to_owned(),
        }),
    };
    let html = page.render().unwrap();
    assert!(!html.contains("<script>alert"), "{html}");
    html
}

#[test]
fn a_token_is_shown_once_and_none_is_explained() {
    assert!(tokens(0, false).contains("No API tokens"));
    let listed = tokens(3, false);
    assert!(listed.contains("Never") && listed.contains("Expired"));
    assert!(!listed.contains("spt_"));
    assert!(tokens(1, true).contains("data-copy=\"spt_secret\""));
}

#[test]
fn filters_are_parsed_and_kept_in_addresses() {
    let workspace = WorkspaceId::generate();
    let query = AuditQuery {
        key: Some("/a b.txt".into()),
        action: Some(" ".into()),
        result: Some("refused".into()),
        from: Some("2026-03-01".into()),
        to: Some("2026-03-02".into()),
        ..AuditQuery::default()
    };
    let filter = query.filter(&workspace).unwrap();
    assert_eq!(filter.workspace, Some(workspace.clone()));
    assert_eq!(filter.result, Some(AuditResult::Refused));
    assert_eq!(filter.since, Some(datetime!(2026-03-01 0:00 UTC)));
    // The last day is in it.
    assert_eq!(filter.before, Some(datetime!(2026-03-03 0:00 UTC)));
    assert_eq!(filter.action, None);
    assert_eq!(
        query.address("/log", &[("page", "x")]),
        "/log?key=%2Fa+b.txt&result=refused&from=2026-03-01&to=2026-03-02&page=x"
    );
    assert!(!query.address("/log", &[("key", "")]).contains("key="));
    assert_eq!(AuditQuery::default().address("/log", &[]), "/log");
    for (name, bad) in [
        ("from", "yesterday"),
        ("to", "2026-02-30"),
        ("result", "odd"),
        ("actor", "somebody"),
    ] {
        let bad = Some(bad.to_owned());
        let mut query = AuditQuery::default();
        match name {
            "from" => query.from = bad,
            "to" => query.to = bad,
            "result" => query.result = bad,
            _ => query.actor = bad,
        }
        let error = query.filter(&workspace).unwrap_err();
        assert_eq!(error.fields[0].field, name);
    }
}

#[test]
fn who_did_it_is_told_without_a_whole_id() {
    let own = Session {
        id: SessionId::generate(),
        workspace: WorkspaceId::generate(),
        role: Role::Admin,
        way_back: WayBack::default(),
        subject: None,
        link: None,
        made_by: None,
        created_at: OffsetDateTime::UNIX_EPOCH,
        seen_at: OffsetDateTime::UNIX_EPOCH,
        expires_at: OffsetDateTime::UNIX_EPOCH,
    };
    let (known, other) = (TokenId::generate(), TokenId::generate());
    let words = Known {
        own: &own,
        tokens: HashMap::from([(known.clone(), "import job".to_owned())]),
    };
    assert_eq!(
        words.who(&Actor::Session(own.id.clone())),
        "You, in this session"
    );
    assert_eq!(words.who(&Actor::Token(known)), "Token “import job”");
    let session = SessionId::generate();
    for (actor, id) in [
        (Actor::Token(other.clone()), other.to_string()),
        (Actor::Session(session.clone()), session.to_string()),
    ] {
        let who = words.who(&actor);
        assert!(
            who.ends_with(&id[id.len() - 8..]) && !who.contains(&id),
            "{who}"
        );
    }
    assert_eq!(action_in_words("create_token"), "Create token");
    assert_eq!(
        action_in_words("storage.health_changed"),
        "Storage health changed"
    );
}

#[test]
fn a_log_in_which_nothing_matches_says_so() {
    let page = |query: AuditQuery| {
        AuditLogPage {
            chrome: Chrome::bare(),
            query,
            of_actor: None,
            entries: Vec::new(),
            is_first_page: true,
            next: None,
        }
        .render()
        .unwrap()
    };
    let filtered = page(AuditQuery {
        action: Some(HOSTILE.to_owned()),
        ..AuditQuery::default()
    });
    assert!(filtered.contains("No entries match") && filtered.contains("Remove all filters"));
    assert!(!filtered.contains("<script>alert"));
    assert!(!page(AuditQuery::default()).contains("Remove all filters"));
}
