//! Reads manifests and folders from a storage.

use crate::application::bucket::read::{ListFrom, ListRequest, ListedObject, ReadConditions};
use crate::application::error::{Error, Kind, Result};
use crate::application::files::read::outside;
use crate::application::projects::collected::count;
use crate::application::projects::manifest::{
    self, FileListing, Inventory, InventoryFiles, ListSource, ListedStorage,
};
use crate::application::projects::selection::Selection;
use crate::application::projects::source_files::SourceFiles;
use crate::domain::Invalid;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::file_operation::FileOperation;
use crate::domain::files::object_key::{Listed, ObjectKey, ObjectKeyPrefix, relative_to};
use crate::domain::files::storage_class::{is_archived, other_than_standard};
use crate::domain::project::{OnArchived, ProjectFile, Skipped, WantedFile};
use crate::domain::working_folders::WorkingFolders;
use futures_util::TryStreamExt;
use std::time::Duration;

/// How many objects a page of a listing has at most.
pub(super) const PAGE: u32 = 1000;

/// A manifest as it was read.
pub(super) struct Manifest {
    pub files: Vec<WantedFile>,
    pub etag: String,
}

/// Reads a manifest, of exactly this ETag where one is given.
pub(super) async fn read_manifest(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    key: &FileKey,
    etag: Option<&str>,
) -> Result<Manifest> {
    let object = bucket.key(manifest::FIELD, key)?;
    let (bytes, etag) = read_whole(source, bucket, &object, etag).await?;
    let etag = etag.ok_or_else(|| {
        Error::new(
            Kind::Upstream,
            "storage_request_rejected",
            "The store gave the manifest without an ETag, so a change of it would go unseen.",
        )
    })?;
    let storage = listed_storage(bucket);
    let (name, place) = (key.clone(), storage.clone());
    let listing = tokio::task::spawn_blocking(move || {
        manifest::read(&bytes, ListSource::Manifest(&name), &place)
    })
    .await
    .map_err(Error::bug)?
    .map_err(|faults| manifest::error_of(manifest::FIELD, faults))?;
    let files = match listing {
        FileListing::Files(files) => files,
        FileListing::Inventory(report) => read_inventory(source, bucket, &storage, &report).await?,
    };
    check_lengths(bucket, manifest::FIELD, &files)?;
    Ok(Manifest { files, etag })
}

/// The storage that a list is about.
pub(super) fn listed_storage(bucket: &ConnectedBucket) -> ListedStorage {
    ListedStorage {
        bucket: bucket.connection.bucket.clone(),
        prefix: bucket.connection.settings.prefix.clone(),
    }
}

/// Refuses a key that is valid and yet too long below this prefix.
pub(super) fn check_lengths(
    bucket: &ConnectedBucket,
    field: &'static str,
    files: &[WantedFile],
) -> Result<()> {
    for (at, file) in files.iter().enumerate() {
        if let Err(error) = bucket.key(field, &file.file_key) {
            let mut fields = error.fields.clone();
            for field in &mut fields {
                field.detail = format!("Key {}: {}", at + 1, field.detail);
            }
            return Err(Error::invalid(fields));
        }
    }
    Ok(())
}

/// An object's bytes, of the size of a manifest at most, and its ETag.
async fn read_whole(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    object: &ObjectKey,
    etag: Option<&str>,
) -> Result<(Vec<u8>, Option<String>)> {
    let conditions = ReadConditions {
        if_match: etag.map(str::to_owned),
        ..ReadConditions::default()
    };
    let content = source.files.get(bucket, object, &conditions).await;
    let content = source.explain(bucket, FileOperation::Read, content).await?;
    let too_large = || {
        let detail = format!("A manifest has at most {} bytes.", manifest::LARGEST);
        Error::field(manifest::FIELD, Invalid::new("manifest_too_large", detail))
    };
    // What the store announces is only a reason to refuse early: the bytes are counted as they come.
    let announced = content.content_length.unwrap_or_default();
    if announced > manifest::LARGEST as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    let mut body = content.body;
    while let Some(chunk) = body.try_next().await.map_err(broken_off)? {
        if bytes.len() + chunk.len() > manifest::LARGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, content.metadata.etag))
}

/// Reads the data files of an S3 Inventory report, which must be files of this storage.
async fn read_inventory(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    storage: &ListedStorage,
    report: &Inventory,
) -> Result<Vec<WantedFile>> {
    let mut inventory = InventoryFiles::new(report, storage);
    for data_file in &report.data_files {
        let uri = format!("s3://{}/{data_file}", report.destination_bucket);
        let key = storage.file_key(&uri).map_err(|invalid| {
            let detail = format!(
                "A data file of this S3 Inventory report cannot be read. {}",
                invalid.detail
            );
            Error::field(manifest::FIELD, Invalid::new(invalid.code, detail))
        })?;
        let object = bucket.key(manifest::FIELD, &key)?;
        let (bytes, _) = read_whole(source, bucket, &object, None).await?;
        if !inventory.read(&bytes) {
            break;
        }
    }
    inventory
        .finish()
        .map_err(|faults| manifest::error_of(manifest::FIELD, faults))
}

fn broken_off(cause: std::io::Error) -> Error {
    Error::new(
        Kind::Upstream,
        "storage_unavailable",
        "The storage broke the transfer of the manifest off.",
    )
    .remedy("Try again in a moment.")
    .retry_after(Duration::from_secs(2))
    .internal(cause)
}

/// What a page of a folder's listing gives to a project.
pub(super) struct SelectedPage {
    /// Without positions.
    pub files: Vec<ProjectFile>,
    /// Objects that the project would take, and that no file key can name.
    pub unusable: usize,
    /// Archived files that the project does not take.
    pub archived: Vec<FileKey>,
    /// How many files are in working folders that the project leaves out.
    pub working: usize,
    /// Where the next page begins, if the page ended with a file that a key can name.
    pub last: Option<FileKey>,
    pub continuation: Option<String>,
}

impl SelectedPage {
    /// What the project leaves out of the page.
    pub fn skipped(&self) -> Skipped {
        Skipped {
            missing: 0,
            archived: count(self.archived.len()),
            no_file_key: count(self.unusable),
            working_folder: count(self.working),
        }
    }
}

pub(super) async fn list_page(
    source: SourceFiles<'_>,
    bucket: &ConnectedBucket,
    selection: &Selection,
    working_folders: &WorkingFolders,
    on_archived: OnArchived,
    from: ListFrom,
) -> Result<SelectedPage> {
    let prefix = &bucket.connection.settings.prefix;
    let request = ListRequest {
        prefix: ObjectKeyPrefix::within(prefix, selection.folder())
            .map_err(|invalid| Error::field("folder", invalid))?,
        recursive: true,
        page_size: PAGE,
        from,
    };
    let listed = source.files.list(bucket, request).await;
    let listed = source
        .explain(bucket, FileOperation::Browse, listed)
        .await?;
    let mut page = SelectedPage {
        files: Vec::with_capacity(listed.objects.len()),
        unusable: 0,
        archived: Vec::new(),
        working: 0,
        last: None,
        continuation: listed.continuation,
    };
    let disordered = listed.disordered;
    let mut objects = listed.objects.into_iter().peekable();
    while let Some(object) = objects.next() {
        let is_last = objects.peek().is_none();
        let ListedObject {
            key,
            size,
            etag,
            storage_class,
            ..
        } = object;
        match relative_to(prefix, &key).map_err(outside)? {
            // With bytes it is no marker; but nothing is left of the key below the prefix.
            Listed::PrefixMarker => page.unusable += usize::from(size > 0),
            Listed::Unusable(_) => page.unusable += 1,
            Listed::File(file_key) => {
                if !file_key.path().starts_with(selection.folder().path()) {
                    return Err(outside("a key outside of the folder"));
                }
                // Of a page without an order, only the store's own token goes on.
                if is_last && !disordered {
                    page.last = Some(file_key.clone());
                }
                let is_taken = selection.takes(&file_key, size);
                if is_taken && working_folders.have(&file_key) {
                    page.working += 1;
                } else if is_taken {
                    let storage_class = other_than_standard(storage_class);
                    if on_archived != OnArchived::Keep && is_archived(storage_class.as_deref()) {
                        page.archived.push(file_key);
                        continue;
                    }
                    page.files.push(ProjectFile {
                        position: 0,
                        name: file_key.name().to_owned(),
                        file_key,
                        size,
                        etag,
                        storage_class,
                        metadata: Vec::new(),
                    });
                }
            }
        }
    }
    Ok(page)
}
