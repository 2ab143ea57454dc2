//! Several files as one archive, which is made while it is read: nothing of it is kept, and one file is read at a
//! time.

use crate::application::bucket::read::{ObjectContent, ReadConditions};
use crate::application::budget::Reserved;
use crate::application::error::{Error, Kind, Result};
use crate::application::files::archive_names::names;
use crate::application::files::read_watch::WatchedBody;
use crate::application::files::shared::{Files, TRANSFER};
use crate::application::files::zip::{ZipEntry, ZipWriter, length};
use crate::application::pace::CutMark;
use crate::application::people::allowance::Transfer;
use crate::application::people::caller::Member;
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::file_operation::FileOperation;
use crate::domain::ids::StorageRef;
use crate::domain::invalid::shown;
use crate::domain::people::reach::Touch;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::vec::IntoIter;

/// How many files an archive has at most.
pub const MOST_ARCHIVED: usize = 1_000;

/// How many files are looked up at once, before the archive begins.
const LOOKUPS_AT_ONCE: usize = 8;

/// An archive under way.
pub struct ArchiveContent {
    /// How many bytes the body has; `None` where the store does not say how large a file is.
    pub length: Option<u64>,
    /// The bytes. Ends with an error when a file is not there any more, has changed or breaks off, so that a part
    /// never looks like a whole.
    pub body: BoxStream<'static, io::Result<Bytes>>,
    /// Set where the body was cut off because its reader is too slow.
    pub cut: CutMark,
}

/// A file as it was when the archive began.
struct Wanted {
    key: FileKey,
    entry: ZipEntry,
    etag: Option<String>,
}

/// Where the files are read from.
struct Source {
    files: Arc<Files>,
    member: Member,
    storage: StorageRef,
}

/// The archive between two pieces of it.
struct Packing {
    source: Source,
    waiting: IntoIter<Wanted>,
    writer: ZipWriter,
    /// The content of the file that is being read.
    open: Option<BoxStream<'static, io::Result<Bytes>>>,
    is_finished: bool,
    _memory: Reserved,
    _transfer: Transfer,
}

impl Files {
    /// Begins an archive of these files, named by their place below the folder. Every file is looked up first: one
    /// that is not there, or is archived, is refused while there is still an answer to refuse it with.
    pub async fn archive(
        self: &Arc<Self>,
        member: &Member,
        storage: &StorageRef,
        folder: &Folder,
        keys: Vec<FileKey>,
    ) -> Result<ArchiveContent> {
        check_number(keys.len())?;
        let touched: Vec<Touch<'_>> = keys.iter().map(Touch::Read).collect();
        let bucket = self
            .bucket_for(FileOperation::Read, member, storage, &touched)
            .await?;
        let transfer = self.allowances.transfer(&member.workspace)?;
        let memory = self
            .memory
            .take(member.workspace.as_str(), TRANSFER)
            .await?;
        let mut seen = HashSet::new();
        let keys: Vec<FileKey> = keys
            .into_iter()
            .filter(|key| seen.insert(key.clone()))
            .collect();
        let named = keys.iter().cloned().zip(names(folder, &keys));
        let wanted: Vec<Wanted> = stream::iter(named)
            .map(|(key, name)| self.wanted(&bucket, key, name))
            .buffered(LOOKUPS_AT_ONCE)
            .try_collect()
            .await?;
        let entries: Vec<ZipEntry> = wanted.iter().map(|one| one.entry.clone()).collect();
        let packing = Packing {
            source: Source {
                files: self.clone(),
                member: member.clone(),
                storage: storage.clone(),
            },
            waiting: wanted.into_iter(),
            writer: ZipWriter::default(),
            open: None,
            is_finished: false,
            _memory: memory,
            _transfer: transfer,
        };
        let body = stream::try_unfold(packing, Packing::step).boxed();
        let body = WatchedBody::new(body, self.reader_pace);
        Ok(ArchiveContent {
            length: length(&entries),
            cut: body.cut_mark(),
            body: body.boxed(),
        })
    }

    async fn wanted(&self, bucket: &ConnectedBucket, key: FileKey, name: String) -> Result<Wanted> {
        let object = bucket.key("key", &key)?;
        let details = self.bucket.details(bucket, &object, None).await;
        let of_this = |error: Error| {
            let key = shown(&key.to_string());
            error.also(&format!("The file is “{key}”. Nothing was downloaded."))
        };
        let details = self
            .explainer
            .explain(bucket, FileOperation::Read, details)
            .await
            .map_err(of_this)?;
        if details.archive.archived {
            let error = Error::new(
                Kind::Conflict,
                "file_archived",
                "A file is archived, so it cannot be read now.",
            );
            return Err(of_this(error)
                .remedy("Restore it in the S3 console, or download the others without it."));
        }
        let metadata = details.metadata;
        Ok(Wanted {
            key,
            entry: ZipEntry {
                name,
                modified: metadata.last_modified,
                size: metadata.size.and_then(|size| u64::try_from(size).ok()),
            },
            // A weak one never matches (RFC 9110, “If-Match”).
            etag: metadata.etag.filter(|etag| !etag.starts_with("W/")),
        })
    }
}

impl Source {
    /// Begins to read a file, if the storage is still to be used and the file still the one that was looked up.
    async fn content(&self, wanted: &Wanted) -> Result<ObjectContent> {
        let bucket = self
            .files
            .bucket_for(
                FileOperation::Read,
                &self.member,
                &self.storage,
                &[Touch::Read(&wanted.key)],
            )
            .await?;
        let object = bucket.key("key", &wanted.key)?;
        let conditions = ReadConditions {
            if_match: wanted.etag.clone(),
            ..ReadConditions::default()
        };
        let content = self.files.bucket.get(&bucket, &object, &conditions).await;
        self.files
            .explainer
            .explain(&bucket, FileOperation::Read, content)
            .await
    }
}

impl Packing {
    /// The next piece of the archive; `None` at its end.
    async fn step(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if let Some(content) = &mut self.open {
            let next = content.try_next().await?;
            let piece = match next {
                Some(chunk) => {
                    self.writer.content(&chunk);
                    chunk
                }
                None => {
                    self.open = None;
                    self.writer.end_entry().map_err(io::Error::other)?.into()
                }
            };
            return Ok(Some((piece, self)));
        }
        if let Some(wanted) = self.waiting.next() {
            let content = self.source.content(&wanted).await.map_err(|error| {
                tracing::warn!(
                    storage = %self.source.storage,
                    code = error.code,
                    cause = error.internal,
                    aws_request_id = error.aws_request_id,
                    "an archive was broken off: a file could not be read any more"
                );
                io::Error::other(error.code)
            })?;
            self.open = Some(content.body);
            let header = self.writer.begin(wanted.entry);
            return Ok(Some((header.into(), self)));
        }
        if self.is_finished {
            return Ok(None);
        }
        self.is_finished = true;
        let end = self.writer.finish();
        Ok(Some((end.into(), self)))
    }
}

fn check_number(number: usize) -> Result<()> {
    let refuse = |code, detail: String| Err(Error::field("key", Invalid::new(code, detail)));
    match number {
        0 => refuse(
            "no_file_selected",
            "No file was selected. Select the files to download first.".to_owned(),
        ),
        number if number > MOST_ARCHIVED => refuse(
            "too_many_keys",
            format!("An archive has at most {MOST_ARCHIVED} files."),
        ),
        _ => Ok(()),
    }
}
