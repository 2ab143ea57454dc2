//! Waiting for the role that the customer makes: tries it until it lets the service in.
//!
//! A lane of its own. It does not read what sessions remember of a role's refusals, and it has its own pace: one
//! try a second for a workspace and twenty for all replicas together. A role that lets the service in has
//! appeared, and no more is said of it: whether it lets others in, too, is what the check finds out.
//!
//! A stream of events asks again every few seconds, which keeps the tries close together. The tries themselves are
//! made in the background.

use crate::application::bucket::probe::{ExternalIdSent, Prober};
use crate::application::checks::Patience;
use crate::application::clock::Clock;
use crate::application::error::Result;
use crate::application::kept::store::{Store, TryPace, TryResult};
use crate::application::observe::Observer;
use crate::application::setups::{SetupView, Setups};
use crate::domain::aws_failure::{AssumeRoleRefusal, AwsFailure};
use crate::domain::connection::access::Auth;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::{ConnectedBucket, Credentials};
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::role_wait::{RoleWait, TryOutcome, WATCHED, pause};
use crate::domain::setup::{Setup, SetupStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many tries may be begun, by all replicas together.
const PACE: TryPace = TryPace {
    apart: time::Duration::seconds(1),
    most: 20,
    lease: time::Duration::seconds(60),
};
/// How often a replica asks which tries are due.
const INTERVAL: Duration = Duration::from_secs(1);
/// The longest that a try may take.
const LONGEST_TRY: Duration = Duration::from_secs(20);
/// For how long somebody who asked once counts as watching.
const WATCHES: time::Duration = time::Duration::seconds(10);
/// How long the check of a role that has just appeared goes on while permissions may still spread. It ends at once
/// where the role lets others in.
const CHECK_WAIT: Duration = Duration::from_secs(30);

/// Tries the roles that setups wait for.
pub struct RoleWaits {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub prober: Arc<dyn Prober>,
    pub setups: Arc<Setups>,
    pub observer: Arc<dyn Observer>,
}

impl RoleWaits {
    /// Somebody watches the setup: its role is tried every three seconds for the next ten.
    pub(super) async fn watch_in(
        &self,
        workspace: &WorkspaceId,
        id: &SetupId,
    ) -> Result<SetupView> {
        let view = self.setups.followed(workspace, id).await?;
        if view.status != SetupStatus::Open {
            return Ok(view);
        }
        let now = self.clock.now();
        let is_told = view
            .present_wait()
            .is_some_and(|wait| wait.appeared_at.is_some() || wait.is_watched(now + WATCHES / 2));
        match waited_for(&view.setup) {
            Some(role) if !is_told => {
                // Also for a role that was entered before it was made.
                self.store
                    .wait_for_role(workspace, id, &role, now, now)
                    .await?;
                self.store
                    .watch_role(workspace, id, now, now + WATCHES, WATCHED)
                    .await?;
                self.setups.followed(workspace, id).await
            }
            Some(_) | None => Ok(view),
        }
    }

    /// Tries what is due until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let tries = TaskTracker::new();
        while !stop.is_cancelled() {
            self.begin_due(&tries).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
        // One that does not end is made again by another replica.
        tries.close();
        tries.wait().await;
    }

    /// Begins the tries that are due now and that the pace permits.
    pub async fn begin_due(self: &Arc<Self>, tries: &TaskTracker) {
        match self.store.begin_role_tries(self.clock.now(), PACE).await {
            Ok(due) => {
                for wait in due {
                    let waits = self.clone();
                    tries.spawn(async move { waits.make(wait).await });
                }
            }
            Err(error) => tracing::debug!(%error, "cannot ask which roles are due"),
        }
    }

    /// Makes a try that was begun. Where it cannot be stored it is made again after its lease.
    async fn make(self: Arc<Self>, wait: RoleWait) {
        if let Err(error) = self.clone().try_once(&wait).await {
            tracing::warn!(
                setup = %wait.setup,
                code = error.code,
                cause = error.internal,
                "a role could not be tried"
            );
        }
    }

    async fn try_once(self: Arc<Self>, wait: &RoleWait) -> Result<()> {
        let setup = self.store.setup(&wait.workspace, &wait.setup).await?;
        let now = self.clock.now();
        let bucket = setup
            .as_ref()
            .filter(|setup| setup.status_at(now) == SetupStatus::Open)
            .filter(|setup| waited_for(setup).as_ref() == Some(&wait.role_arn))
            .and_then(|setup| setup.connection().ok());
        let Some(bucket) = bucket else {
            // It has ended, or waits for another role, which begins a wait of its own.
            let ended = TryResult {
                outcome: wait.outcome.unwrap_or(TryOutcome::Undecided),
                due: None,
            };
            self.store.record_role_try(wait, ended).await?;
            return Ok(());
        };
        let asked = self.prober.assume_role(&bucket, ExternalIdSent::Own);
        let outcome = match tokio::time::timeout(LONGEST_TRY, asked).await {
            Ok(Ok(_)) => TryOutcome::Appeared,
            Ok(Err(failure)) => outcome_of(&failure),
            Err(_) => TryOutcome::Undecided,
        };
        self.observer.tried_role(outcome);
        let now = self.clock.now();
        match outcome {
            TryOutcome::Appeared => self.appeared(wait, bucket).await,
            TryOutcome::NotYet | TryOutcome::Undecided => {
                // Whoever watches has said so since the try began.
                let fresh = self.store.role_wait(&wait.workspace, &wait.setup).await?;
                let is_watched = fresh.is_some_and(|fresh| fresh.is_watched(now));
                let unwatched = wait.unwatched_tries.saturating_sub(1);
                let result = TryResult {
                    outcome,
                    due: Some(wait.last_tried_at.unwrap_or(now) + pause(is_watched, unwatched)),
                };
                self.store.record_role_try(wait, result).await?;
                Ok(())
            }
        }
    }

    /// Stores that the role has appeared, and checks the connection at once where somebody watches.
    async fn appeared(&self, wait: &RoleWait, bucket: ConnectedBucket) -> Result<()> {
        let now = self.clock.now();
        // What was refused before is not remembered any longer.
        self.prober.forget(&bucket.owner).await;
        self.store
            .record_role(&wait.workspace, &wait.setup, &wait.role_arn, now)
            .await?;
        tracing::info!(setup = %wait.setup, tries = wait.tries, "a role has appeared");
        let fresh = self.store.role_wait(&wait.workspace, &wait.setup).await?;
        if fresh.is_some_and(|fresh| fresh.is_watched(now)) {
            // Whoever watches may check it otherwise, when the workspace checks more than it may.
            let patience = Patience::NewRole(CHECK_WAIT);
            if let Err(error) = self.setups.checks.run(bucket, patience, None).await {
                tracing::info!(setup = %wait.setup, code = error.code, "the role that appeared was not checked");
            }
        }
        Ok(())
    }
}

/// The role that an open setup waits for: the entered one, or the expected one. `None` while it is not known, or
/// where the setup signs in by an access key.
fn waited_for(setup: &Setup) -> Option<RoleArn> {
    if setup.draft.sign_in.by != Auth::Role {
        return None;
    }
    match setup.connection().ok()?.connection.credentials {
        Credentials::Role { role_arn, .. } => Some(role_arn),
        Credentials::AccessKey { .. } | Credentials::Service => None,
    }
}

/// What a failed try has shown. Only a refusal that is the role's, as far as AWS says, is waited for as such.
fn outcome_of(failure: &AwsFailure) -> TryOutcome {
    match failure.assume_role_refusal() {
        Some(AssumeRoleRefusal::Role | AssumeRoleRefusal::Unknown) => TryOutcome::NotYet,
        Some(AssumeRoleRefusal::Service(..)) | None => TryOutcome::Undecided,
    }
}
