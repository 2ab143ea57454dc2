//! Finds size and ETag of many file keys with few calls to S3.
//!
//! Keys are looked up folder by folder: where a folder has several of them it is listed, otherwise each
//! is asked for. S3 lists keys in the order of their UTF-8 bytes (API reference, ListObjectsV2), which
//! is also the order of [`FileKey`].

use crate::application::bucket::read::{ListFrom, ListPage, ListRequest};
use crate::application::error::{Error, Result};
use crate::application::files::read::outside;
use crate::application::projects::source_files::SourceFiles;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::{Listed, ObjectKey, ObjectKeyPrefix, relative_to};
use crate::domain::files::storage_class::other_than_standard;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// From so many keys of a folder on it is listed.
const LISTED_FROM: usize = 8;
/// How many keys are asked for at the same time.
const HEADS_AT_ONCE: usize = 32;
/// How many folders are listed at the same time.
const LISTS_AT_ONCE: usize = 8;

/// What is known of a file that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In bytes.
    pub size: i64,
    pub etag: Option<String>,
    /// `None`: S3 Standard, or the store does not say.
    pub storage_class: Option<String>,
}

/// A key that is looked up, and its place in the request.
type Wanted<'a> = (&'a FileKey, usize);

/// For each key, in their order, what is there; `None` where nothing is. A denial, or any other failure
/// than the key's absence, fails the whole look-up.
pub async fn look_up(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    keys: &[&FileKey],
) -> Result<Vec<Option<Found>>> {
    let mut folders: BTreeMap<String, Vec<Wanted<'_>>> = BTreeMap::new();
    for (place, key) in keys.iter().enumerate() {
        let folder = key.folder().path().to_owned();
        folders.entry(folder).or_default().push((key, place));
    }
    let (listed, mut asked): (Vec<_>, Vec<_>) = folders
        .into_values()
        .partition(|keys| keys.len() >= LISTED_FROM);

    let mut found = vec![None; keys.len()];
    let lists: Vec<_> = listed
        .into_iter()
        .map(|wanted| list_for(source, bucket, wanted))
        .collect();
    let mut lists = stream::iter(lists).buffer_unordered(LISTS_AT_ONCE);
    while let Some(folder) = lists.try_next().await? {
        for (place, file) in folder.found {
            found[place] = Some(file);
        }
        asked.push(folder.left);
    }
    let heads: Vec<_> = asked
        .into_iter()
        .flatten()
        .map(|wanted| head(source, bucket, wanted))
        .collect();
    let mut heads = stream::iter(heads).buffer_unordered(HEADS_AT_ONCE);
    while let Some((place, file)) = heads.try_next().await? {
        found[place] = file;
    }
    Ok(found)
}

async fn head(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    (key, place): Wanted<'_>,
) -> Result<(usize, Option<Found>)> {
    match source.files.head(bucket, &bucket.key("key", key)?).await {
        Ok(object) => {
            let found = Found {
                // A store that does not say how large a file is still has it.
                size: object.size.unwrap_or_default(),
                etag: object.etag,
                storage_class: other_than_standard(object.storage_class),
            };
            Ok((place, Some(found)))
        }
        Err(failure) if failure.kind == FailureKind::NoSuchKey => Ok((place, None)),
        Err(failure) => {
            let operation = FileOperation::ReadMetadata;
            Err(source.error(bucket, operation, failure).await)
        }
    }
}

/// The result of listing a folder.
struct FolderFound<'a> {
    found: Vec<(usize, Found)>,
    /// Keys that the pages did not reach.
    left: Vec<Wanted<'a>>,
}

/// Lists a folder for its keys. Each page begins at the next key that is wanted, so none is read
/// for nothing, and the number of pages stays such that asking for each key would take longer.
async fn list_for<'a>(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    mut wanted: Vec<Wanted<'a>>,
) -> Result<FolderFound<'a>> {
    wanted.sort_unstable();
    let folder = wanted
        .first()
        .map_or_else(Folder::root, |(key, _)| key.folder());
    let prefix = &bucket.connection.settings.prefix;
    let pages = 1 + wanted.len() / HEADS_AT_ONCE;
    let mut found = Vec::new();
    let mut rest = wanted.as_slice();
    for _ in 0..pages {
        let Some(from) = rest.first().and_then(|(key, _)| just_before(prefix, key)) else {
            break;
        };
        let request = ListRequest {
            prefix: ObjectKeyPrefix::within(prefix, &folder).map_err(Error::bug)?,
            recursive: false,
            page_size: 1000,
            from: ListFrom::After(from),
        };
        let page = match source.files.list(bucket, request).await {
            Ok(page) => page,
            // A store that lists otherwise than S3 can still be asked for each key.
            Err(failure) if failure.kind == FailureKind::ListingIncomplete => break,
            Err(failure) => {
                return Err(source.error(bucket, FileOperation::Browse, failure).await);
            }
        };
        let covered = match page.continuation {
            None => rest.len(),
            // Without an order it is not known what comes later.
            Some(_) if page.disordered => break,
            Some(_) => {
                let last = last_path(prefix, &page)?;
                rest.partition_point(|(key, _)| key.path() <= last.as_str())
            }
        };
        let objects = by_path(prefix, page)?;
        let (reached, left) = rest.split_at(covered);
        found.extend(reached.iter().filter_map(|(key, place)| {
            let object = objects.get(key.path())?;
            Some((*place, object.clone()))
        }));
        rest = left;
    }
    Ok(FolderFound {
        found,
        left: rest.to_vec(),
    })
}

/// The files of a page by their paths.
fn by_path(prefix: &BucketPrefix, page: ListPage) -> Result<BTreeMap<String, Found>> {
    let mut objects = BTreeMap::new();
    for object in page.objects {
        let path = path_of(prefix, &object.key)?;
        let found = Found {
            size: object.size,
            etag: object.etag,
            storage_class: other_than_standard(object.storage_class),
        };
        objects.insert(path, found);
    }
    Ok(objects)
}

/// How far a page reaches: nothing that sorts before is missing from it.
fn last_path(prefix: &BucketPrefix, page: &ListPage) -> Result<String> {
    let object = page.objects.last().map(|object| object.key.as_str());
    let folder = page.folders.last().map(String::as_str);
    match object.max(folder) {
        Some(last) => path_of(prefix, last),
        None => Ok(String::new()),
    }
}

fn path_of(prefix: &BucketPrefix, listed: &str) -> Result<String> {
    Ok(match relative_to(prefix, listed).map_err(outside)? {
        Listed::File(key) => key.path().to_owned(),
        Listed::PrefixMarker => String::new(),
        Listed::Unusable(written) => written.strip_prefix('/').unwrap_or_default().to_owned(),
    })
}

/// A key in the same folder that sorts before this one, with next to nothing in between. `None` for the
/// rare key that has none that we may write.
fn just_before(prefix: &BucketPrefix, key: &FileKey) -> Option<ObjectKey> {
    let path = key.path();
    let last = path.chars().next_back()?;
    let base = &path[..path.len() - last.len_utf8()];
    let lower = (1..u32::from(last))
        .rev()
        .find_map(|code| char::from_u32(code).filter(|c| *c != '/'))?;
    let candidates = [
        format!("/{base}{lower}{}", char::MAX),
        format!("/{base}{lower}"),
    ];
    candidates.iter().find_map(|candidate| {
        let key = FileKey::parse(candidate).ok()?;
        ObjectKey::within(prefix, &key).ok()
    })
}
