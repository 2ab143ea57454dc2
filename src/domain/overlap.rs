//! Storages whose files are in another storage as well.

use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::ids::StorageId;
use crate::domain::names::Name;
use crate::domain::storage::Storage;

/// Another storage of the workspace with the same files, or some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    pub storage: StorageId,
    pub name: Name,
    pub kind: OverlapKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverlapKind {
    /// The same bucket and prefix.
    Same,
    /// The other one's prefix is around this one.
    Within,
    /// The other one is below this one's prefix.
    Around,
}

impl OverlapKind {
    /// For programs: stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Same => "same_place",
            Self::Within | Self::Around => "overlapping_place",
        }
    }
}

impl Overlap {
    /// What it means, in a sentence.
    pub fn words(&self) -> String {
        let name = &self.name;
        match self.kind {
            OverlapKind::Same => {
                format!("The storage “{name}” is the same bucket and prefix already.")
            }
            OverlapKind::Within => format!(
                "This is a folder of the storage “{name}”: the files here can be reached through both."
            ),
            OverlapKind::Around => format!(
                "The storage “{name}” is a folder of this one: the files there can be reached through both."
            ),
        }
    }
}

/// A storage that was made just now.
#[derive(Debug, Clone)]
pub struct AddedStorage {
    pub storage: Storage,
    /// The storages that have some of its files already.
    pub overlaps: Vec<Overlap>,
}

/// Which of `others` have files of this place.
pub fn overlaps(
    bucket: &BucketName,
    prefix: &BucketPrefix,
    endpoint: Option<&Endpoint>,
    others: &[Storage],
) -> Vec<Overlap> {
    let of = |other: &Storage| {
        let connection = &other.connection;
        if connection.bucket != *bucket || connection.endpoint() != endpoint {
            return None;
        }
        let kind = kind(prefix.as_str(), connection.settings.prefix.as_str())?;
        Some(Overlap {
            storage: other.id.clone(),
            name: other.display_name.clone(),
            kind,
        })
    };
    others.iter().filter_map(of).collect()
}

/// A prefix is empty, or ends in a slash.
fn kind(own: &str, other: &str) -> Option<OverlapKind> {
    match (own == other, own.starts_with(other), other.starts_with(own)) {
        (true, _, _) => Some(OverlapKind::Same),
        (false, true, _) => Some(OverlapKind::Within),
        (false, false, true) => Some(OverlapKind::Around),
        (false, false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_within_around_or_apart() {
        for (own, other, expected) in [
            ("", "", Some(OverlapKind::Same)),
            ("team/", "team/", Some(OverlapKind::Same)),
            ("team/", "", Some(OverlapKind::Within)),
            ("team/a/", "team/", Some(OverlapKind::Within)),
            ("", "team/", Some(OverlapKind::Around)),
            ("team/", "team/a/b/", Some(OverlapKind::Around)),
            ("team/", "team2/", None),
            ("a/", "b/", None),
        ] {
            assert_eq!(kind(own, other), expected, "{own} {other}");
        }
    }
}
