//! Finds out whom a storage's health affects, and what changed since it was good.

use crate::application::error::Result;
use crate::application::storages::Storages;
use crate::application::storages::health::{HealthDetail, WhatChanged};
use crate::domain::check::CheckReport;
use crate::domain::check::change;
use crate::domain::ids::CheckId;
use crate::domain::people::audit::Actor;
use crate::domain::storage::{HealthState, Storage};
use time::{Duration, OffsetDateTime};

/// How many of the affected projects are named.
const NAMED_PROJECTS: u32 = 10;
/// How long after a check ended the entry about the change that it brought into use may be written.
const WRITTEN_WITHIN: Duration = Duration::minutes(1);

impl Storages {
    /// `is_admin`: only admins see what checks found.
    pub(super) async fn health_detail(
        &self,
        storage: &Storage,
        is_admin: bool,
    ) -> Result<HealthDetail> {
        let affects = match storage.health.state {
            HealthState::Degraded | HealthState::Broken => true,
            HealthState::Healthy | HealthState::Unknown => storage.quarantine.is_some(),
        };
        let affected = match affects {
            true => {
                let of_storage =
                    self.store
                        .projects_of_storage(&storage.workspace, &storage.id, NAMED_PROJECTS);
                Some(of_storage.await?)
            }
            false => None,
        };
        let change = match storage.health.state {
            HealthState::Healthy => None,
            HealthState::Degraded | HealthState::Broken | HealthState::Unknown if is_admin => {
                Some(self.what_changed(storage).await?)
            }
            HealthState::Degraded | HealthState::Broken | HealthState::Unknown => None,
        };
        Ok(HealthDetail { affected, change })
    }

    async fn what_changed(&self, storage: &Storage) -> Result<WhatChanged> {
        let reports = &storage.health.reports;
        let good = self.report(storage, reports.last_good.as_ref()).await?;
        let bad = self.report(storage, reports.first_bad.as_ref()).await?;
        // A replica of an earlier release moves the state and leaves these as they were.
        let bad = bad.filter(|bad| {
            let good = good.as_ref().map(|good| good.started_at);
            bad.started_at <= storage.health.since && good.is_none_or(|good| good <= bad.started_at)
        });
        let present = self.report(storage, reports.present.as_ref()).await?;
        let present = present.filter(|report| report.started_at == storage.health.since);
        let mut text = Vec::new();
        if let (Some(good), Some(bad)) = (&good, &bad) {
            self.tell(storage, good, bad, &mut text).await?;
        }
        // What has changed since in the same spell, up to what is wrong now.
        if let (Some(bad), Some(present)) = (&bad, &present)
            && bad.id != present.id
        {
            self.tell(storage, bad, present, &mut text).await?;
        }
        Ok(WhatChanged {
            last_good: good.map(|report| report.id),
            first_bad: bad.map(|report| report.id),
            text,
        })
    }

    async fn tell(
        &self,
        storage: &Storage,
        before: &CheckReport,
        after: &CheckReport,
        text: &mut Vec<String>,
    ) -> Result<()> {
        text.extend(change::between(before, after));
        if change::is_of_other_settings(before, after) {
            let by = self.changed_by(storage, before, after).await?;
            let by = by.as_ref().map(|(actor, at)| (actor.as_str(), *at));
            text.push(change::settings_changed(by));
        }
        Ok(())
    }

    async fn changed_by(
        &self,
        storage: &Storage,
        before: &CheckReport,
        after: &CheckReport,
    ) -> Result<Option<(Actor, OffsetDateTime)>> {
        let (since, until) = (before.started_at, after.ended_at() + WRITTEN_WITHIN);
        let by = self
            .store
            .connection_used_by(&storage.workspace, &storage.id, since, until);
        Ok(by.await?)
    }

    async fn report(
        &self,
        storage: &Storage,
        check: Option<&CheckId>,
    ) -> Result<Option<CheckReport>> {
        match check {
            Some(check) => Ok(self.store.check(&storage.workspace, check).await?),
            None => Ok(None),
        }
    }
}
