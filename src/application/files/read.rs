//! Listing folders and reading files.

use crate::application::bucket::read::{
    ListFrom, ListRequest, ListedObject, ObjectContent, ReadConditions,
};
use crate::application::error::{Error, Kind, Result};
use crate::application::files::name_filter::NameFilter;
use crate::application::files::read_watch::WatchedBody;
use crate::application::files::shared::{Files, TRANSFER};
use crate::application::people::caller::Member;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::{Listed, ObjectKeyPrefix, relative_to};
use crate::domain::ids::StorageRef;
use crate::domain::people::reach::Touch;
use futures_util::StreamExt;
use time::OffsetDateTime;

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPage {
    pub folder: Folder,
    pub folders: Vec<FolderEntry>,
    pub files: Vec<FileEntry>,
    /// The size of an object whose key is the bucket prefix itself, where the page has one with bytes. Nothing
    /// is left of its key for a file key.
    pub prefix_object: Option<i64>,
    /// S3's own token for the next page; `None` on the last one.
    pub continuation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// With both slashes.
    pub key: String,
    pub name: String,
    /// False where the name has a dot segment: no folder can be asked for by it.
    pub usable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// With the leading slash.
    pub key: String,
    pub name: String,
    pub size: i64,
    pub last_modified: Option<OffsetDateTime>,
    pub etag: Option<String>,
    pub storage_class: Option<String>,
    /// False for an object whose key has a dot segment: it is there, and no file key or link can name
    /// it.
    pub usable: bool,
}

/// Where a page of a search begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchFrom {
    Beginning,
    /// The token from the page before.
    Continuation(String),
    /// After this key, which need not exist.
    After(FileKey),
}

impl FolderPage {
    /// The page with only those files that the filter shows. S3 knows no such filter: a page can come
    /// out short or empty while others follow.
    pub fn keep(mut self, filter: &NameFilter) -> Self {
        let folder = self.folder.to_string();
        self.files.retain(|file| {
            let below = file.key.strip_prefix(&folder);
            below.is_some_and(|below| filter.shows(below))
        });
        self
    }
}

impl Files {
    pub async fn list(
        &self,
        member: &Member,
        storage: &StorageRef,
        folder: Folder,
        recursive: bool,
        page_size: u32,
        from: ListFrom,
    ) -> Result<FolderPage> {
        let bucket = self
            .bucket_for(
                FileOperation::Browse,
                member,
                storage,
                &[Touch::List(&folder)],
            )
            .await?;
        let request = ListRequest {
            prefix: ObjectKeyPrefix::within(&bucket.connection.settings.prefix, &folder)
                .map_err(|invalid| Error::field("folder", invalid))?,
            recursive,
            page_size,
            from,
        };
        self.listed(&bucket, folder, request).await
    }

    /// Lists one page of what lies in a folder under names that begin with a text. S3 finds them by their
    /// key, so the rest of the folder is not read.
    pub async fn search(
        &self,
        member: &Member,
        storage: &StorageRef,
        folder: Folder,
        begins: &str,
        page_size: u32,
        from: SearchFrom,
    ) -> Result<FolderPage> {
        let bucket = self
            .bucket_for(
                FileOperation::Browse,
                member,
                storage,
                &[Touch::List(&folder)],
            )
            .await?;
        let prefix = &bucket.connection.settings.prefix;
        let from = match from {
            SearchFrom::Beginning => ListFrom::Beginning,
            SearchFrom::Continuation(token) => ListFrom::Continuation(token),
            SearchFrom::After(key) => ListFrom::After(bucket.key("at", &key)?),
        };
        let request = ListRequest {
            prefix: ObjectKeyPrefix::of_names(prefix, &folder, begins)
                .map_err(|invalid| Error::field("find", invalid))?,
            recursive: false,
            page_size,
            from,
        };
        self.listed(&bucket, folder, request).await
    }

    async fn listed(
        &self,
        bucket: &ConnectedBucket,
        folder: Folder,
        request: ListRequest,
    ) -> Result<FolderPage> {
        let prefix = &bucket.connection.settings.prefix;
        let recursive = request.recursive;
        let page = self.bucket.list(bucket, request).await;
        let page = self
            .explainer
            .explain(bucket, FileOperation::Browse, page)
            .await?;
        let prefix_object = page
            .objects
            .iter()
            .find(|object| object.key == prefix.as_str() && object.size > 0)
            .map(|object| object.size);
        let mut files = Vec::with_capacity(page.objects.len());
        for object in page.objects {
            if let Some(file) = file_entry(bucket, &folder, recursive, object)? {
                files.push(file);
            }
        }
        let folders = page
            .folders
            .iter()
            .map(|key| folder_entry(bucket, &folder, key))
            .collect::<Result<Vec<_>>>()?;
        Ok(FolderPage {
            folder,
            folders,
            files,
            prefix_object,
            continuation: page.continuation,
        })
    }

    /// Begins to read a file.
    pub async fn content(
        &self,
        member: &Member,
        storage: &StorageRef,
        key: &FileKey,
        conditions: &ReadConditions,
    ) -> Result<ObjectContent> {
        let operation = match conditions.version_id {
            Some(_) => FileOperation::ReadVersion,
            None => FileOperation::Read,
        };
        let bucket = self
            .bucket_for(operation, member, storage, &[Touch::Read(key)])
            .await?;
        let object = bucket.key("key", key)?;
        let transfer = self.allowances.transfer(&member.workspace)?;
        let workspace = member.workspace.as_str();
        let mut memory = self.memory.take(workspace, TRANSFER).await?;
        let content = self.bucket.get(&bucket, &object, conditions).await;
        let content = self.explainer.explain(&bucket, operation, content).await?;
        memory.shrink_to(content.content_length.unwrap_or(TRANSFER).min(TRANSFER));
        let body = content.body.map(move |chunk| {
            let _until_the_end = (&memory, &transfer);
            chunk
        });
        let body = WatchedBody::new(body.boxed(), self.reader_pace);
        Ok(ObjectContent {
            cut: body.cut_mark(),
            body: body.boxed(),
            ..content
        })
    }
}

/// A key that S3 listed and that is not below the prefix: nothing of the page is shown.
pub(crate) fn outside(cause: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Upstream,
        "listing_outside_prefix",
        "The store answered with keys outside of the bucket prefix, so nothing is shown.",
    )
    .remedy("Send the operator the request ID.")
    .internal(cause)
}

fn file_entry(
    bucket: &ConnectedBucket,
    folder: &Folder,
    recursive: bool,
    object: ListedObject,
) -> Result<Option<FileEntry>> {
    let listed = relative_to(&bucket.connection.settings.prefix, &object.key).map_err(outside)?;
    let (key, name, usable) = match listed {
        Listed::PrefixMarker => return Ok(None),
        Listed::File(key) => {
            let below = key.path().strip_prefix(folder.path());
            match below {
                None => return Err(outside("a key outside of the folder")),
                // The folder's own marker: the folder above shows it.
                Some("") if !recursive && key.is_folder_marker(object.size) => return Ok(None),
                Some(_) => {}
            }
            (key.to_string(), key.name().to_owned(), true)
        }
        Listed::Unusable(key) => {
            let name = key.rsplit('/').next().unwrap_or_default().to_owned();
            (key, name, false)
        }
    };
    Ok(Some(FileEntry {
        key,
        name,
        size: object.size,
        last_modified: object.last_modified,
        etag: object.etag,
        storage_class: object.storage_class,
        usable,
    }))
}

fn folder_entry(bucket: &ConnectedBucket, folder: &Folder, key: &str) -> Result<FolderEntry> {
    let below_prefix = key
        .strip_prefix(bucket.connection.settings.prefix.as_str())
        .ok_or_else(|| outside("a folder outside of the prefix"))?;
    let below_folder = below_prefix
        .strip_prefix(folder.path())
        .ok_or_else(|| outside("a folder outside of the folder"))?;
    let key = format!("/{below_prefix}");
    Ok(FolderEntry {
        name: below_folder.trim_end_matches('/').to_owned(),
        usable: Folder::parse(&key).is_ok(),
        key,
    })
}
