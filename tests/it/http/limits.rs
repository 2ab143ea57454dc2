//! `docs/limits.md` has the numbers that the service has.

use crate::application::checks::LONGEST_WAIT;
use crate::application::codes::{FIELDS, PROBLEMS};
use crate::application::files::sign::MOST_SIGNED;
use crate::application::files::write::MOST_DELETED;
use crate::application::kept::idempotency::RETENTION;
use crate::application::kept::page_tokens::PageRequest;
use crate::application::people::in_progress::DEFAULT_MOST;
use crate::application::projects::{MOST_FILES, manifest};
use crate::domain::files::file_key::MAX_KEY_LEN;
use crate::domain::files::part_plan::{LARGEST_OBJECT, MOST_PARTS};
use crate::domain::names::Name;
use crate::domain::people::metadata::Metadata;
use crate::domain::project::FileName;
use crate::http::api::files::sign::SIGN_LIMIT;
use crate::http::api::project_files::LARGEST_PAGE;
use crate::http::body::DEFAULT_LIMIT;
use crate::http::pages::shell::moment::thousands;
use std::path::Path;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    std::fs::read_to_string(path).unwrap()
}

/// The cells of the tables' rows.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.map(|row| {
        row.trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect()
    });
    cells.collect()
}

/// With its thousands apart.
fn number<T>(value: T) -> String
where
    T: TryInto<i64>,
    T::Error: std::fmt::Debug,
{
    thousands(value.try_into().unwrap())
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

#[test]
fn the_page_has_the_service_s_numbers() {
    let page = page();
    let rows = rows(&page);
    for (what, limit) in [
        ("a JSON body", mebibytes(DEFAULT_LIMIT)),
        ("the body of `POST …/files/sign`", mebibytes(SIGN_LIMIT)),
        (
            "items on a page",
            format!(
                "{}, and {} by default",
                number(PageRequest::LARGEST),
                number(PageRequest::DEFAULT)
            ),
        ),
        (
            "files on a page of a project",
            format!(
                "{}, and {} by default",
                number(LARGEST_PAGE),
                number(PageRequest::DEFAULT)
            ),
        ),
        (
            "how long a response is kept",
            format!("{} hours", RETENTION.as_secs() / 3_600),
        ),
        (
            "the wait of a check",
            format!("{} s", LONGEST_WAIT.as_secs()),
        ),
        ("a file key", format!("{} bytes", number(MAX_KEY_LEN))),
        (
            "a file that is uploaded with",
            format!("{} TiB", LARGEST_OBJECT >> 40),
        ),
        (
            "requests of a workspace in progress",
            number(DEFAULT_MOST.get()),
        ),
        ("parts of an upload", number(MOST_PARTS)),
        ("keys in one request to sign", number(MOST_SIGNED)),
        ("keys in one request to delete", number(MOST_DELETED)),
        ("files that one request names", number(MOST_FILES)),
        ("files of a project", number(manifest::MOST_KEYS)),
        ("a manifest", mebibytes(manifest::LARGEST)),
        (
            "the name of a file in a project",
            format!("{} bytes", number(FileName::MAX_LEN)),
        ),
        (
            "the name of a workspace",
            format!("{} characters", Name::MAX_LEN),
        ),
        (
            "metadata of a workspace",
            format!(
                "{} pairs, names of {} and values of {} characters",
                Metadata::MAX_PAIRS,
                Metadata::MAX_NAME,
                Metadata::MAX_VALUE
            ),
        ),
    ] {
        let row = rows.iter().find(|row| row[0].starts_with(what));
        let row = row.unwrap_or_else(|| panic!("no row for {what}"));
        assert_eq!(row[1], limit, "{what}");
    }
}

#[test]
fn the_page_s_codes_and_settings_exist() {
    let page = page();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = std::fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let document = serde_json::to_string(&crate::http::openapi::document()).unwrap();
    let mut codes = 0;
    for row in rows(&page).iter().filter(|row| row[0] != "what") {
        assert_eq!(row.len(), 4, "{row:?}");
        let setting = row[2].trim_start_matches("twice ");
        let of_workspace = setting
            .strip_prefix("`limits.")
            .and_then(|rest| rest.strip_suffix("` of the workspace"));
        let is_known = match of_workspace {
            Some(limit) => document.contains(&format!("\"{limit}\":")),
            None => setting.is_empty() || settings.contains(&format!("| {setting} |")),
        };
        assert!(is_known, "{setting}");
        for code in row[3].split(", ").filter(|code| !code.is_empty()) {
            codes += 1;
            let bare = code.trim_matches(['(', ')', '`']);
            let known = match code.starts_with('(') {
                true => FIELDS,
                false => PROBLEMS,
            };
            assert!(known.contains(&bare), "{code}");
        }
    }
    assert!(codes > 30, "{codes}");
}

#[test]
fn every_code_of_a_limit_is_on_the_page() {
    // A row of a manifest is compared with the manifest's own heading, and not with a number of the service.
    const OF_NO_LIMIT: [&str; 1] = ["too_many_cells"];
    let page = page();
    let rows = rows(&page);
    let listed: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get(3))
        .flat_map(|cell| cell.split(", "))
        .map(|code| code.trim_matches(['(', ')', '`']))
        .collect();
    let is_of_a_limit = |code: &&&str| {
        code.starts_with("too_many_")
            || ["_limit_reached", "_too_large", "_too_long", "_busy"]
                .iter()
                .any(|end| code.ends_with(end))
    };
    let of_limits: Vec<&&str> = PROBLEMS
        .iter()
        .chain(FIELDS)
        .filter(is_of_a_limit)
        .collect();
    assert!(of_limits.len() > 20, "{of_limits:?}");
    for code in of_limits {
        assert!(
            listed.contains(code) || OF_NO_LIMIT.contains(code),
            "{code} is not on docs/limits.md"
        );
    }
}
