//! Storages of the workspace that have files of a setup's place too.

use crate::application::error::{Error, Kind, Result};
use crate::application::setups::{SetupView, Setups};
use crate::domain::connection::access::Auth;
use crate::domain::overlap::{Overlap, overlaps};
use crate::domain::setup::{Setup, SetupStatus};
use serde_json::json;

impl Setups {
    /// The workspace's storages that have files of the setup's place too.
    pub(super) async fn overlaps(&self, setup: &Setup) -> Result<Vec<Overlap>> {
        let draft = &setup.draft;
        let Some(bucket) = &draft.bucket else {
            return Ok(Vec::new());
        };
        let others = self
            .store
            .storages_of_bucket(&setup.workspace, bucket)
            .await?;
        let endpoint = match draft.sign_in.by {
            Auth::AccessKey => draft.sign_in.access_key.endpoint.as_ref(),
            Auth::Role => None,
        };
        Ok(overlaps(bucket, &draft.settings.prefix, endpoint, &others))
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
