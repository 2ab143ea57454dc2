//! A storage's pages, rendered from samples.

use crate::application::connections::input::ConnectionInput;
use crate::application::connections::view::Difference;
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::storages::pending::ChangeRow;
use crate::http::pages::storages::storage::delete::DeletePage;
use crate::http::pages::storages::storage::settings::SettingsPage;
use crate::http::pages::storages::storage::*;
use time::OffsetDateTime;

const HOSTILE: &str = "<script>alert('1')</script>";

fn facts(is_built_in: bool, projects: i64) -> Facts {
    let own = |text: &str| (!is_built_in).then(|| text.to_owned());
    let then = Moment(OffsetDateTime::UNIX_EPOCH);
    Facts {
        id: if is_built_in { "built-in" } else { "sto_1" }.into(),
        is_built_in,
        name: format!("بيانات {HOSTILE}"),
        bucket: "b".repeat(63),
        connection: ConnectionView {
            prefix: if is_built_in { "" } else { "a <b>/" }.into(),
            region: Some("eu-west-1".to_owned()),
            access: if is_built_in { "read" } else { "read_write" },
            kms_key_arn: own("arn:aws:kms:eu-west-1:111122223333:key/1"),
            role_arn: own("arn:aws:iam::111122223333:role/a/long/path/acme"),
            ..ConnectionView::default()
        },
        external_id: own("0f8fad5b-d9cb-469f-a165-70867728950e"),
        is_default: is_built_in,
        is_verified: projects == 0,
        quarantined: (projects == 1_000).then_some(then),
        state: StateWords {
            kind: "warn",
            word: if projects > 0 {
                "Needs a check"
            } else {
                "Healthy"
            },
            since: own("").map(|_| then),
            reason: own("The role lets in <others>."),
        },
        projects,
        key_since: own("").map(|_| then),
        old_key_days: (!is_built_in).then_some(123),
        affected: None,
        changed: Vec::new(),
        created: own("").map(|_| then),
    }
}

fn page(is_admin: bool, storage: Facts) -> String {
    page_with(is_admin, storage, None)
}

fn page_with(is_admin: bool, storage: Facts, pending: Option<PendingCard>) -> String {
    let page = StoragePage {
        chrome: Chrome::bare(),
        script: "/static/setup.js",
        is_admin,
        tiles: vec![
            Tile::at("Last check", Moment(OffsetDateTime::UNIX_EPOCH), "passed"),
            Tile::number("Projects", storage.projects, ""),
        ],
        storage,
        history: History::default(),
        proves_nothing: false,
        files_found: is_admin.then(|| "At least 20".to_owned()),
        report: ReportView::waiting(true),
        outcome: OutcomeView {
            summary: None,
            is_current: true,
            missing: Vec::new(),
            add: None,
            is_of_link: false,
            has_role: true,
            waiting: None,
            csrf: String::new(),
        },
        pending,
        documents: match is_admin {
            true => vec![DocumentView {
                name: "lifecycle",
                title: "Lifecycle configuration",
                account: None,
                file_name: "lifecycle.json".into(),
                download: "/settings/storages/sto_1/documents/lifecycle".into(),
                parts: Vec::new(),
            }],
            false => Vec::new(),
        },
        expiring: is_admin.then(|| ["team/temp/".into(), "team/<i>/".into()]),
    };
    page.render().unwrap()
}

#[track_caller]
fn is_escaped(html: &str) {
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
    assert!(!html.contains("style="));
}

#[test]
fn a_member_sees_facts_and_an_admin_the_controls_too() {
    for (is_built_in, projects) in [(true, 0), (false, 0), (false, 1), (false, 1_000)] {
        let member = page(false, facts(is_built_in, projects));
        is_escaped(&member);
        for control in ["Check now", "Delete", "Edit storage", "Set as default"] {
            assert!(!member.contains(control), "{control}");
        }
        let admin = page(true, facts(is_built_in, projects));
        is_escaped(&admin);
        assert!(admin.contains("Check now"));
        assert_eq!(admin.contains("Edit storage"), !is_built_in);
        assert_eq!(admin.contains("Needs a check"), projects > 0);
        assert_eq!(admin.contains("1,000 projects use"), projects == 1_000);
        for page in [&admin, &member] {
            assert_eq!(
                page.contains("This storage has been quarantined"),
                projects == 1_000
            );
        }
    }
}

#[test]
fn what_the_lifecycle_rules_empty_is_named_in_full() {
    let words = "S3 deletes files after 7 days";
    let admin = page(true, facts(false, 0));
    assert!(admin.contains(words) && admin.contains("<bdi>team/temp/</bdi>"));
    assert!(admin.contains("team/&#60;i&#62;/"));
    assert!(!page(false, facts(false, 0)).contains(words));
}

#[test]
fn the_number_of_files_is_that_of_the_last_check() {
    assert!(page(true, facts(false, 0)).contains("<dd>At least 20</dd>"));
    assert!(!page(false, facts(false, 0)).contains("Files at the last check"));
    let found = |listed: Option<u64>| {
        let report = crate::domain::check::testing::report(OffsetDateTime::UNIX_EPOCH);
        let mut steps: Vec<crate::domain::check::Step> = report.steps.clone().into();
        for step in &mut steps {
            if step.name == StepName::ListBucket {
                step.listed_files = listed;
            }
        }
        let steps = crate::domain::check::Steps::try_from(steps).unwrap();
        files_found(&CheckReport { steps, ..report })
    };
    assert_eq!(found(None), None);
    assert_eq!(found(Some(0)).as_deref(), Some("None"));
    assert_eq!(found(Some(3)).as_deref(), Some("At least 3"));
}

#[test]
fn what_changed_and_whom_it_affects() {
    let project = || (ProjectId::generate(), Name::parse("Cats <b>").unwrap());
    let mut storage = facts(false, 12);
    storage.changed = vec![format!("AWS refused `s3:GetObject`: {HOSTILE}.")];
    storage.affected = Some(ProjectsOfStorage {
        count: 12,
        importing: 2,
        newest: (0..10).map(|_| project()).collect(),
    });
    let html = page(true, storage);
    is_escaped(&html);
    for text in [
        "What changed",
        "<code>s3:GetObject</code>",
        "12 projects have files in this storage.",
        "2 are importing files",
        "and 2 more",
    ] {
        assert!(html.contains(text), "{text}\n{html}");
    }
    let healthy = page(true, facts(false, 12));
    assert!(!healthy.contains("What changed") && !healthy.contains("Affected projects"));
}

#[test]
fn a_change_shows_what_it_replaces_and_can_be_checked_and_discarded() {
    let difference = |field: &str, before: Option<&str>, after: Option<&str>| Difference {
        field: field.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let rows = [
        difference(
            "role_arn",
            Some("arn:aws:iam::111122223333:role/old"),
            Some(HOSTILE),
        ),
        difference("access", Some("read"), Some("read_write")),
        difference("prefix", None, Some("a <b>/")),
        difference("secret_access_key", None, None),
    ];
    let card = || PendingCard {
        rows: rows.iter().map(ChangeRow::from).collect(),
        changed: Moment(OffsetDateTime::UNIX_EPOCH),
        report: ReportView::waiting(true),
    };
    let html = page_with(true, facts(false, 0), Some(card()));
    is_escaped(&html);
    for text in [
        "action=\"/settings/storages/sto_1/pending/check\"",
        "action=\"/settings/storages/sto_1/pending/discard\"",
        "Check and use",
        "Role ARN",
        "Read and write",
        "The whole bucket",
        "Another one",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!page(true, facts(false, 0)).contains("Check and use"));
}

#[test]
fn settings_say_what_projects_fix() {
    let settings = |projects| {
        let page = SettingsPage {
            chrome: Chrome::bare(),
            id: "sto_1".into(),
            name: HOSTILE.into(),
            fields: ConnectionFields {
                elsewhere: vec![HOSTILE.into()],
                ..ConnectionFields::sample(&[(
                    "auth",
                    if projects == 0 { "access_key" } else { "role" },
                    None,
                )])
            },
            is_pending: projects == 0,
            projects,
        };
        page.render().unwrap()
    };
    let (free, fixed) = (settings(0), settings(3));
    is_escaped(&free);
    is_escaped(&fixed);
    assert!(free.contains("name=\"bucket\"") && free.contains("name=\"access_key_id\""));
    assert!(!fixed.contains("name=\"bucket\"") && fixed.contains("name=\"role_arn\""));
}

#[test]
fn deletion_and_history() {
    let delete = DeletePage {
        chrome: Chrome::bare(),
        storage: facts(false, 2),
        next: vec![("sto_2".into(), HOSTILE.into())],
        error: Some("2 projects use this storage.".into()),
    };
    let html = delete.render().unwrap();
    is_escaped(&html);
    assert!(html.contains("2 projects use this storage."));
    assert!(html.contains("name=\"default_storage_id\" value=\"sto_2\" required"));
    for checks in [Vec::new(), vec![ReportView::waiting(true)]] {
        let page = ChecksPage {
            chrome: Chrome::bare(),
            id: "sto_1".into(),
            name: HOSTILE.into(),
            checks,
            is_first_page: false,
            next: Some("a/+token".into()),
        };
        let html = page.render().unwrap();
        is_escaped(&html);
        assert!(html.contains("Older") && html.contains("Newest"));
    }
}

/// Every field of a connection can be changed on the page of its settings, but for how it signs in, which
/// is fixed, and for what only a setup has.
#[test]
fn settings_have_every_field_of_a_connection() {
    let page = |auth| {
        let page = SettingsPage {
            chrome: Chrome::bare(),
            id: "sto_1".into(),
            name: "Acme".into(),
            fields: ConnectionFields::sample(&[("auth", auth, None)]),
            is_pending: false,
            projects: 0,
        };
        page.render().unwrap()
    };
    let both = page("role") + &page("access_key");
    for name in ConnectionInput::FIELDS {
        let shown = both.contains(&format!("name=\"{name}\""));
        let of_setup = ["auth", "customer_account_id", "role_path"];
        assert_eq!(shown, !of_setup.contains(name), "{name}");
    }
}
