//! Storages of the workspace that have files of a setup's place too.

use crate::application::error::{Error, Kind, Result};
use crate::application::setups::{SetupView, Setups};
use crate::domain::connection::access::Auth;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::ids::WorkspaceId;
use crate::domain::overlap::{Overlap, overlaps};
use crate::domain::setup::{Setup, SetupStatus};
use crate::domain::storage::Storage;
use serde_json::json;
use std::collections::{HashMap, HashSet};

impl Setups {
    /// The workspace's storages that have files of the setup's place too.
    pub(super) async fn overlaps(&self, setup: &Setup) -> Result<Vec<Overlap>> {
        let Some(bucket) = &setup.draft.bucket else {
            return Ok(Vec::new());
        };
        let others = self
            .store
            .storages_of_buckets(&setup.workspace, std::slice::from_ref(bucket))
            .await?;
        Ok(overlaps_of(setup, bucket, &others))
    }

    /// The same for a storage that is about to be added; refused where the operator does not permit any.
    pub(super) async fn permitted_overlaps(&self, setup: &Setup) -> Result<Vec<Overlap>> {
        let overlaps = self.overlaps(setup).await?;
        match self.refuse_overlaps && !overlaps.is_empty() {
            true => Err(overlapping(&overlaps)),
            false => Ok(overlaps),
        }
    }

    /// An ended setup has none.
    pub(super) async fn with_overlaps(&self, view: SetupView) -> Result<SetupView> {
        let overlaps = match view.setup.status {
            SetupStatus::Open => self.overlaps(&view.setup).await?,
            SetupStatus::Completed | SetupStatus::Closed | SetupStatus::Expired => Vec::new(),
        };
        Ok(SetupView { overlaps, ..view })
    }

    /// The same for a list of the workspace's setups, by one query for all of them.
    pub(super) async fn each_with_overlaps(
        &self,
        workspace: &WorkspaceId,
        mut views: Vec<SetupView>,
    ) -> Result<Vec<SetupView>> {
        let named: HashSet<BucketName> = views.iter().filter_map(open_bucket).cloned().collect();
        let buckets: Vec<BucketName> = named.into_iter().collect();
        let mut by_bucket: HashMap<BucketName, Vec<Storage>> = HashMap::new();
        for storage in self.store.storages_of_buckets(workspace, &buckets).await? {
            let bucket = storage.connection.bucket.clone();
            by_bucket.entry(bucket).or_default().push(storage);
        }
        for view in &mut views {
            let found = open_bucket(view)
                .and_then(|bucket| Some(overlaps_of(&view.setup, bucket, by_bucket.get(bucket)?)));
            view.overlaps = found.unwrap_or_default();
        }
        Ok(views)
    }
}

/// The bucket of a setup that has not ended.
fn open_bucket(view: &SetupView) -> Option<&BucketName> {
    match view.setup.status {
        SetupStatus::Open => view.setup.draft.bucket.as_ref(),
        SetupStatus::Completed | SetupStatus::Closed | SetupStatus::Expired => None,
    }
}

/// Which of these storages have files of the setup's place, which is in this bucket.
fn overlaps_of(setup: &Setup, bucket: &BucketName, others: &[Storage]) -> Vec<Overlap> {
    let draft = &setup.draft;
    let endpoint = match draft.sign_in.by {
        Auth::AccessKey => draft.sign_in.access_key.endpoint.as_ref(),
        Auth::Role => None,
    };
    overlaps(bucket, &draft.settings.prefix, endpoint, others)
}

fn overlapping(overlaps: &[Overlap]) -> Error {
    let words: Vec<String> = overlaps.iter().map(Overlap::words).collect();
    let storages: Vec<&str> = overlaps.iter().map(|one| one.storage.as_str()).collect();
    Error::new(
        Kind::Conflict,
        "storage_overlaps",
        format!(
            "The operator does not permit storages with the same files. {}",
            words.join(" ")
        ),
    )
    .remedy(
        "Use the storage that is there, choose another prefix, or delete the other storage first.",
    )
    .member("storage_ids", json!(storages))
}
