//! Lists as they really come.

mod read;
mod refused;

use super::*;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;

fn storage() -> ListedStorage {
    ListedStorage {
        bucket: BucketName::parse("acme-data").unwrap(),
        prefix: BucketPrefix::parse("team").unwrap(),
    }
}

/// Reads a manifest of this name; an empty name stands for pasted text.
fn read_named(name: &str, bytes: &[u8]) -> Result<Vec<WantedFile>, Vec<Fault>> {
    let key = FileKey::parse(name).ok();
    let from = key
        .as_ref()
        .map_or(ListSource::Pasted, ListSource::Manifest);
    match read(bytes, from, &storage())? {
        FileListing::Files(files) => Ok(files),
        FileListing::Inventory(report) => panic!("{report:?}"),
    }
}

fn keys(name: &str, text: &str) -> Vec<String> {
    let files =
        read_named(name, text.as_bytes()).unwrap_or_else(|e| panic!("{name} {text}: {e:#?}"));
    files.iter().map(|file| file.file_key.to_string()).collect()
}

/// Each file as key, name and metadata in one text.
fn whole(name: &str, text: &str) -> Vec<String> {
    let files =
        read_named(name, text.as_bytes()).unwrap_or_else(|e| panic!("{name} {text}: {e:#?}"));
    files
        .iter()
        .map(|file| {
            let metadata: Vec<String> = file
                .metadata
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{} {} {}", file.file_key, file.name(), metadata.join("&"))
        })
        .collect()
}

fn faults(name: &str, text: &str) -> Vec<(&'static str, String)> {
    let faults = read_named(name, text.as_bytes()).unwrap_err();
    faults
        .iter()
        .map(|fault| (fault.invalid.code, fault.detail()))
        .collect()
}
