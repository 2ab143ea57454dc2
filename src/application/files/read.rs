//! Files of a storage, by file key.

use crate::application::bucket::read::{
    BucketFiles, ListFrom, ListRequest, ListedObject, ObjectContent, ReadConditions,
    SignedResponse, SignedUrl,
};
use crate::application::diagnosis::denials::Denials;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::files::name_filter::NameFilter;
use crate::application::files::safe_content::Serving;
use crate::application::people::caller::Member;
use crate::application::storages::Storages;
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::{Listed, ObjectKey, ObjectKeyPrefix, relative_to};
use crate::domain::ids::{StorageRef, WorkspaceId};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// How many URLs one call signs at most.
pub const MOST_SIGNED: usize = 10_000;

/// The longest name that a download is given and the longest type, in bytes. Both are repeated in each of
/// up to [`MOST_SIGNED`] URLs.
const LONGEST_HEADER_TEXT: usize = 255;

pub struct Files {
    pub storages: Arc<Storages>,
    pub files: Arc<dyn BucketFiles>,
    pub denials: Denials,
    /// The longest life of a signed URL.
    pub longest_url_life: Duration,
}

/// How long a signed URL lives when nobody says.
pub const DEFAULT_URL_LIFE: Duration = Duration::from_secs(15 * 60);

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPage {
    pub folder: Folder,
    pub folders: Vec<FolderEntry>,
    pub files: Vec<FileEntry>,
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

/// Which URLs to sign.
#[derive(Debug, Clone)]
pub struct SignRequest {
    pub keys: Vec<FileKey>,
    /// `None`: [`DEFAULT_URL_LIFE`].
    pub expires_in: Option<Duration>,
    pub content_type: Option<String>,
    /// Forces a download under this name.
    pub download_name: Option<String>,
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
        let bucket = self.storages.usable(&member.workspace, storage).await?;
        let prefix = &bucket.connection.settings.prefix;
        let page = self
            .files
            .list(
                &bucket,
                ListRequest {
                    prefix: ObjectKeyPrefix::within(prefix, &folder)
                        .map_err(|invalid| Error::field("folder", invalid))?,
                    recursive,
                    page_size,
                    from,
                },
            )
            .await
            .map_err(|failure| self.denials.error(&bucket, FileOperation::Browse, failure))?;
        let mut files = Vec::with_capacity(page.objects.len());
        for object in page.objects {
            if let Some(file) = file_entry(&bucket, &folder, recursive, object)? {
                files.push(file);
            }
        }
        let folders = page
            .folders
            .iter()
            .map(|key| folder_entry(&bucket, &folder, key))
            .collect::<Result<Vec<_>>>()?;
        Ok(FolderPage {
            folder,
            folders,
            files,
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
        let bucket = self.storages.usable(&member.workspace, storage).await?;
        let operation = match conditions.version_id {
            Some(_) => FileOperation::ReadVersion,
            None => FileOperation::Read,
        };
        self.files
            .get(&bucket, &object_key(&bucket, key)?, conditions)
            .await
            .map_err(|failure| self.denials.error(&bucket, operation, failure))
    }

    /// Signs URLs that give whoever holds them the files for a while.
    pub async fn sign_get(
        &self,
        member: &Member,
        storage: &StorageRef,
        request: &SignRequest,
    ) -> Result<Vec<SignedUrl>> {
        self.sign_for(&member.workspace, storage, request).await
    }

    pub async fn sign_for(
        &self,
        workspace: &WorkspaceId,
        storage: &StorageRef,
        request: &SignRequest,
    ) -> Result<Vec<SignedUrl>> {
        let expires_in = url_life(request.expires_in, self.longest_url_life)?;
        if request.keys.len() > MOST_SIGNED {
            return Err(Error::field(
                "keys",
                Invalid::new(
                    "too_many_keys",
                    format!("One call signs at most {MOST_SIGNED} URLs."),
                ),
            ));
        }
        for (field, text) in [
            ("content_type", &request.content_type),
            ("download_name", &request.download_name),
        ] {
            check_header_text(field, text.as_deref())?;
        }
        let bucket = self.storages.usable(workspace, storage).await?;
        let mut keys = Vec::with_capacity(request.keys.len());
        for (at, key) in request.keys.iter().enumerate() {
            let serving = Serving::of(
                key,
                request.content_type.as_deref(),
                request.download_name.as_deref(),
            );
            let response = SignedResponse {
                content_type: Some(serving.content_type),
                content_disposition: Some(serving.content_disposition),
            };
            let key = ObjectKey::within(&bucket.connection.settings.prefix, key)
                .map_err(|invalid| Error::field(&format!("keys[{at}]"), invalid))?;
            keys.push((key, response));
        }
        Ok(self.files.sign_get(&bucket, &keys, expires_in).await?)
    }
}

/// A life within the service's maximum. More is refused, so that nobody relies on a link that stops
/// early; less than that the credentials themselves may still shorten, and the answer says so.
pub(crate) fn url_life(asked: Option<Duration>, longest: Duration) -> Result<Duration> {
    match asked {
        None => Ok(DEFAULT_URL_LIFE.min(longest)),
        Some(life) if life >= Duration::from_secs(1) && life <= longest => Ok(life),
        Some(_) => Err(Error::invalid(vec![FieldError::new(
            "expires_in",
            Invalid::new(
                "expires_in_out_of_range",
                format!("A signed URL lives 1 to {} seconds.", longest.as_secs()),
            ),
        )])),
    }
}

pub(crate) fn check_header_text(field: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > LONGEST_HEADER_TEXT => Err(Error::field(
            field,
            Invalid::new(
                "invalid_length",
                format!("`{field}` has 1 to {LONGEST_HEADER_TEXT} bytes."),
            ),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn object_key(bucket: &ConnectedBucket, key: &FileKey) -> Result<ObjectKey> {
    ObjectKey::within(&bucket.connection.settings.prefix, key)
        .map_err(|invalid| Error::field("key", invalid))
}

/// A key that S3 listed and that is not below the prefix: nothing of the page is shown.
pub(crate) fn outside(cause: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Upstream,
        "listing_outside_prefix",
        "The store answered with keys outside of the bucket prefix, so that nothing is shown.",
    )
    .remedy("Tell the operator the request ID.")
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
                Some("") if !recursive => return Ok(None),
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
