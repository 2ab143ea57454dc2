//! File keys, and what selects files.

use crate::application::files::name_filter::NameFilter;
use crate::application::projects::manifest::{self, FileListing, ListSource, ListedStorage};
use crate::application::projects::selection::Selection;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::object_key::{Listed, ObjectKey, relative_to};
use crate::it::fuzz::{fuzz, is_error, round_trip};

/// S3's longest key, and the slash in front of a file key.
const LONGEST: usize = 1_025;

#[test]
fn file_keys() {
    round_trip("file_key", LONGEST, FileKey::parse);
}

#[test]
fn folders() {
    round_trip("folder", LONGEST + 1, Folder::parse);
}

/// Whatever the key, its object is below the prefix, and comes back from a listing as the same key.
#[test]
fn object_keys() {
    for prefix in ["", "team/", "a b/é/"] {
        let prefix = BucketPrefix::parse(prefix).unwrap();
        fuzz("file_key", |text| {
            let Ok(key) = FileKey::parse(text) else {
                return;
            };
            let Ok(object) = ObjectKey::within(&prefix, &key) else {
                return;
            };
            let full = object.as_str();
            assert!(full.starts_with(prefix.as_str()) && full.len() < LONGEST);
            assert_eq!(relative_to(&prefix, full), Ok(Listed::File(key)));
        });
    }
}

/// Whatever a store lists, it is below the prefix or refused.
#[test]
fn listed_keys() {
    let prefix = BucketPrefix::parse("team/").unwrap();
    fuzz("listed_key", |text| match relative_to(&prefix, text) {
        Ok(_) => assert!(text.starts_with("team/")),
        Err(_) => assert!(!text.starts_with("team/")),
    });
}

#[test]
fn globs() {
    fuzz("glob", |text| {
        match NameFilter::new(Some(text), None) {
            Ok(filter) => {
                for path in ["a", "a/b.png", text] {
                    filter.shows(path);
                }
            }
            Err(error) => is_error(&error),
        }
        let globs = vec![text.to_owned()];
        match Selection::new(Folder::root(), globs.clone(), globs) {
            Ok(selection) => {
                let key = FileKey::parse("/a/b.png").unwrap();
                assert!(!selection.takes(&key), "what is excluded is not taken");
            }
            Err(error) => is_error(&error),
        }
    });
}

#[test]
fn name_suffixes() {
    fuzz("glob", |text| {
        match NameFilter::new(None, Some(text.to_owned())) {
            Ok(filter) => assert!(filter.shows(text)),
            Err(error) => is_error(&error),
        }
    });
}

#[test]
fn manifests() {
    let storage = ListedStorage {
        bucket: BucketName::parse("acme-data").unwrap(),
        prefix: BucketPrefix::parse("team/").unwrap(),
    };
    let read = |bytes: &[u8], source: ListSource<'_>| match manifest::read(bytes, source, &storage)
    {
        Ok(FileListing::Files(files)) => assert!(files.len() <= bytes.len()),
        Ok(FileListing::Inventory(_)) => {}
        Err(faults) => is_error(&manifest::error_of(manifest::FIELD, faults)),
    };
    fuzz("manifest", |text| {
        for name in ["/list.txt", "/list.csv", "/list.json", "/list.jsonl"] {
            let key = FileKey::parse(name).unwrap();
            read(text.as_bytes(), ListSource::Manifest(&key));
        }
        read(text.as_bytes(), ListSource::Pasted);
        // The same bytes, cut in the middle of a character.
        let key = FileKey::parse("/list.csv").unwrap();
        for end in 0..text.len().min(40) {
            read(&text.as_bytes()[..end], ListSource::Manifest(&key));
        }
    });
}
