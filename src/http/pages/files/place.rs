//! What the pages of a storage's files share: where a page is, and how keys are shown.

use crate::application::error::{Error, Kind};
use crate::application::storages::StorageView;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::storage::HealthState;
use crate::http::pages::setups::problem::ProblemView;
use crate::http::pages::shell::moment::Moment;
use crate::http::problem::status_of;
use actix_web::HttpResponse;
use serde::Deserialize;

/// Which file an address means. Keys travel in queries: a path would fold and decode them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    pub(super) key: String,
}

impl KeyQuery {
    pub fn parse(&self) -> Result<FileKey, Error> {
        FileKey::parse(&self.key).map_err(|invalid| Error::field("key", invalid))
    }
}

/// A path with a query.
pub fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

pub use crate::http::pages::files::shown::shown;

/// A storage, as the pages of its files show it.
#[derive(Debug, Clone)]
pub struct Place {
    pub id: String,
    pub name: String,
    pub(super) bucket: String,
    prefix: String,
    /// Whether its settings let anything be written to it.
    pub writes: bool,
    /// Since when its checks have failed.
    pub broken_since: Option<Moment>,
}

impl Place {
    pub fn of(view: &StorageView) -> Self {
        let own = view.own();
        Self {
            id: view.reference().to_string(),
            name: view.display_name().to_owned(),
            bucket: view.connection.bucket.to_string(),
            prefix: view.connection.settings.prefix.to_string(),
            writes: view.connection.settings.access.writes(),
            broken_since: own
                .filter(|s| s.health.state == HealthState::Broken)
                .map(|s| Moment(s.health.since)),
        }
    }

    /// The page about the storage itself.
    pub fn settings(&self) -> String {
        match self.id.as_str() {
            StorageRef::BUILT_IN => "/settings/storages".to_owned(),
            id => format!("/settings/storages/{id}"),
        }
    }

    /// Where an admin checks its connection.
    pub fn check(&self) -> String {
        format!("/settings/storages/{}#connection", self.id)
    }

    pub fn s3_uri(&self, key: &str) -> String {
        let path = key.strip_prefix('/').unwrap_or(key);
        format!("s3://{}/{}{path}", self.bucket, self.prefix)
    }

    pub fn folder_url(&self, folder: &str) -> String {
        let folder = if folder == "/" { "" } else { folder };
        address(
            &format!("/storages/{}/files", self.id),
            &[("folder", folder)],
        )
    }

    pub fn file_url(&self, key: &str) -> String {
        self.of_file("file", key)
    }

    /// An address about one file, like `file/download`.
    pub fn of_file(&self, what: &str, key: &str) -> String {
        address(&format!("/storages/{}/{what}", self.id), &[("key", key)])
    }

    /// The way from the storage down to a folder.
    pub fn crumbs(&self, folder: &Folder) -> Vec<Crumb> {
        let mut at = "/".to_owned();
        let mut crumbs = vec![Crumb {
            name: self.name.clone(),
            url: self.folder_url(&at),
        }];
        for segment in folder.path().split_inclusive('/') {
            at.push_str(segment);
            crumbs.push(Crumb {
                name: shown_or_empty(segment.trim_end_matches('/')),
                url: self.folder_url(&at),
            });
        }
        crumbs
    }
}

/// A name for people's eyes, where a name may be nothing: the folder between two slashes.
pub(super) fn shown_or_empty(name: &str) -> String {
    match shown(name) {
        name if name.is_empty() => "(empty name)".to_owned(),
        name => name,
    }
}

/// One step of the way to a folder.
pub struct Crumb {
    pub name: String,
    pub url: String,
}

/// Why a page has nothing to show of a storage.
pub struct Trouble {
    pub detail: String,
    pub remedy: Option<String>,
    /// For admins: the finding, as a check shows it.
    pub problem: Option<ProblemView>,
    pub aws_request_id: Option<String>,
    /// Whether a check of the connection can say more.
    pub offers_check: bool,
    /// Whether it may be about the connection.
    pub of_connection: bool,
    status: actix_web::http::StatusCode,
}

impl Trouble {
    /// Writes the cause to the log: the page does not have it.
    pub fn of(error: Error, is_admin: bool) -> Self {
        let shown = error.diagnosis.clone().filter(|_| is_admin);
        let problem = shown.map(|diagnosis| ProblemView::of(&diagnosis.problem, None));
        let error = match is_admin {
            true => error.for_admins(),
            false => error,
        };
        let status = status_of(error.kind);
        if status.is_server_error() {
            tracing::warn!(
                code = error.code,
                cause = error.internal,
                aws_request_id = error.aws_request_id,
                "{}",
                error.detail
            );
        }
        Self {
            detail: error.detail.clone(),
            remedy: error.remedy.clone(),
            problem,
            aws_request_id: error.aws_request_id.clone(),
            offers_check: is_of_connection(error.kind),
            of_connection: is_of_connection(error.kind),
            status,
        }
    }

    /// Gives the page its status.
    pub fn mark(&self, response: &mut HttpResponse) {
        *response.status_mut() = self.status;
    }
}

/// Whether an error may be about the connection, so that a check of it can say more.
fn is_of_connection(kind: Kind) -> bool {
    match kind {
        // A storage that has to be checked before it is used is in conflict.
        Kind::Conflict | Kind::CustomerSide | Kind::Upstream | Kind::UpstreamTimeout => true,
        Kind::Malformed
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::ClientTimeout
        | Kind::PreconditionFailed
        | Kind::TooLarge
        | Kind::RangeNotSatisfiable
        | Kind::Unprocessable
        | Kind::TooMany
        | Kind::Internal
        | Kind::Unavailable => false,
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    pub fn place() -> Place {
        Place {
            id: "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e".into(),
            name: "Acme <b>bucket</b>".into(),
            bucket: "a".repeat(63),
            prefix: "team/".into(),
            writes: true,
            broken_since: None,
        }
    }

    /// Keys that must be shown and linked as they are.
    pub const ODD_KEYS: &[&str] = &[
        "/a b/c d.txt",
        "/1+1=2.txt",
        "/100%.txt",
        "/%2e%2e/x",
        "/#1?x=y&z.txt",
        "/a//b",
        "//leading",
        "/שלום.txt",
        "/ü…✓.png",
        "/\u{202e}gnp.exe",
        "/line\nbreak",
        "/<script>alert(1)</script>.png",
        "/\"'`.txt",
    ];
}

#[cfg(test)]
mod tests {
    use super::samples::{ODD_KEYS, place};
    use super::*;

    #[test]
    fn addresses_carry_keys_as_they_are() {
        let long = format!("/{}", "ä".repeat(512));
        for key in ODD_KEYS.iter().copied().chain([long.as_str()]) {
            let url = place().file_url(key);
            assert!(url.is_ascii() && !url.contains(['#', ' ', '<', '"', '\'']));
            let (_, query) = url.split_once('?').unwrap();
            let query: KeyQuery = crate::http::query::parse(query).unwrap();
            assert_eq!(query.key, key);
            assert_eq!(query.parse().unwrap().to_string(), key);
        }
    }

    #[test]
    fn uris_and_crumbs() {
        let place = place();
        assert!(place.s3_uri("/a/b").ends_with("aaa/team/a/b"));
        assert!(place.s3_uri("//b").ends_with("aaa/team//b"));
        let crumbs = place.crumbs(&Folder::parse("/a//b c/").unwrap());
        let names: Vec<_> = crumbs.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["Acme <b>bucket</b>", "a", "(empty name)", "b c"]);
        assert!(crumbs[2].url.ends_with("/files?folder=%2Fa%2F%2F"));
        assert!(crumbs[0].url.ends_with("/files"));
    }
}
