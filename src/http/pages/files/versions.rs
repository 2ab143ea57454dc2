//! The versions that the bucket keeps of a file, as its page lists them.

use crate::application::bucket::query::{ObjectVersion, VersionPage};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::version::NULL_VERSION;
use crate::domain::ids::StorageRef;
use crate::http::pages::files::place::{Place, Trouble, address};
use crate::http::pages::shell::moment::{Moment, size_in_words};
use crate::http::pages::shell::session::Visitor;
use crate::http::state::Services;

/// How many versions a page lists.
const LISTED: u32 = 50;

/// What a file's page says of its versions.
pub enum Versions {
    /// The storage was connected without the permission.
    NotGranted,
    /// Listing them costs a call to the bucket. The address that asks for it.
    Unasked(String),
    /// The newest first.
    Listed {
        rows: Vec<VersionRow>,
        /// Whether there are older ones.
        is_cut: bool,
    },
    /// Why they cannot be listed.
    Failed(String),
}

/// A version, or a deletion.
pub struct VersionRow {
    /// The page that shows it; `None` for the current one and for deletions.
    pub page: Option<String>,
    /// Where its content is downloaded; `None` as above.
    pub download: Option<String>,
    /// `None` for what was stored before the bucket kept versions.
    pub id: Option<String>,
    pub is_current: bool,
    pub is_deletion: bool,
    pub size: String,
    pub stored: Option<Moment>,
}

impl Versions {
    pub fn unasked(place: &Place, key: &str) -> Self {
        Self::Unasked(Self::address(place, key))
    }

    /// Where a file's page lists them.
    pub fn address(place: &Place, key: &str) -> String {
        let path = format!("/storages/{}/file", place.id);
        let page = address(&path, &[("key", key), ("versions", "yes")]);
        format!("{page}#versions")
    }

    /// Asks the bucket. That it does not answer is no failure of the page.
    pub async fn list(
        services: &Services,
        visitor: &Visitor,
        place: &Place,
        storage: &StorageRef,
        key: &FileKey,
    ) -> Self {
        let found = services
            .files
            .versions(&visitor.member, storage, key, LISTED, None)
            .await;
        match found {
            Ok(page) => Self::of(page, place, key),
            Err(error) => {
                let trouble = Trouble::of(error, visitor.is_admin());
                Self::Failed(match trouble.remedy {
                    Some(remedy) => format!("{} {remedy}", trouble.detail),
                    None => trouble.detail,
                })
            }
        }
    }

    fn of(page: VersionPage, place: &Place, key: &FileKey) -> Self {
        let versions = page.versions.into_iter();
        Self::Listed {
            is_cut: page.after.is_some(),
            rows: versions
                .map(|version| VersionRow::of(version, place, key))
                .collect(),
        }
    }
}

/// The addresses of one version.
pub struct VersionAddress<'a> {
    place: &'a Place,
    key: String,
    version_id: &'a str,
}

impl<'a> VersionAddress<'a> {
    pub fn of(place: &'a Place, key: &FileKey, version_id: &'a str) -> Self {
        Self {
            place,
            key: key.to_string(),
            version_id,
        }
    }

    /// The page that shows it.
    pub fn page(&self) -> String {
        self.at("version", "")
    }

    /// Its content, as browsers show it.
    pub fn content(&self) -> String {
        self.at("version/content", "")
    }

    /// Its content, to be saved.
    pub fn download(&self) -> String {
        self.at("version/content", "yes")
    }

    /// The page that asks whether to restore it.
    pub fn restore(&self) -> String {
        self.at("version/restore", "")
    }

    fn at(&self, what: &str, download: &str) -> String {
        let pairs = [
            ("key", self.key.as_str()),
            ("version_id", self.version_id),
            ("download", download),
        ];
        address(&format!("/storages/{}/file/{what}", self.place.id), &pairs)
    }
}

impl VersionRow {
    fn of(version: ObjectVersion, place: &Place, key: &FileKey) -> Self {
        let is_earlier = !version.is_latest && !version.is_delete_marker;
        let at = VersionAddress::of(place, key, &version.version_id);
        Self {
            page: is_earlier.then(|| at.page()),
            download: is_earlier.then(|| at.download()),
            id: Some(version.version_id).filter(|id| id != NULL_VERSION),
            is_current: version.is_latest,
            is_deletion: version.is_delete_marker,
            size: match version.is_delete_marker {
                true => String::new(),
                false => size_in_words(version.size),
            },
            stored: version.last_modified.map(Moment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::place;

    #[test]
    fn deletions_have_no_size_and_old_files_no_id() {
        let version = |id: &str, is_delete_marker| ObjectVersion {
            version_id: id.into(),
            is_latest: is_delete_marker,
            is_delete_marker,
            size: 0,
            last_modified: None,
            etag: None,
            storage_class: None,
        };
        let page = VersionPage {
            versions: vec![version("v2", true), version(NULL_VERSION, false)],
            after: Some("v1".into()),
        };
        let found = Versions::of(page, &place(), &FileKey::parse("/a b").unwrap());
        let Versions::Listed { rows, is_cut } = found else {
            panic!("they were listed");
        };
        assert!(is_cut && rows[0].is_deletion && rows[0].is_current && rows[0].size.is_empty());
        assert_eq!(rows[0].id.as_deref(), Some("v2"));
        assert!(rows[1].id.is_none() && !rows[1].size.is_empty());
        assert!(rows[0].page.is_none() && rows[0].download.is_none());
        let page = rows[1].page.as_deref().unwrap();
        assert!(page.ends_with("/file/version?key=%2Fa+b&version_id=null"));
        let download = rows[1].download.as_deref().unwrap();
        assert!(download.ends_with("/version/content?key=%2Fa+b&version_id=null&download=yes"));
    }

    #[test]
    fn the_page_is_asked_for_them_by_its_own_address() {
        let Versions::Unasked(url) = Versions::unasked(&place(), "/a b") else {
            panic!("nobody asked");
        };
        assert!(url.ends_with("/file?key=%2Fa+b&versions=yes#versions"));
    }
}
