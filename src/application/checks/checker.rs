//! The connection check: proves a connection, step by step, and says what to change.
//!
//! A check is a report, not an error. Every step appears exactly once; one whose ground is missing is
//! skipped with the reason. What is independent is asked at the same time, so a check takes three
//! round trips to AWS:
//!
//! 1. AssumeRole with the external ID, without one, with a random one, and with one that differs from the
//!    own in a digit;
//! 2. AssumeRole with the external ID once more; the bucket's location, its owner, the listing, that of a
//!    folder, the CORS preflights, and what an earlier check has left; putting the probe object;
//! 3. reading an object, reading the probe object back, deleting it, and asking for ACLs. Where the bucket
//!    keeps versions, the version and the delete marker are removed after that.
//!
//! With an S3-compatible store, and where something of the second or third round is not as it should be, putting,
//! reading back and deleting follow each other (see [`probe_steps`](super::probe_steps)). After a failure
//! some more is asked, to tell causes apart.
//!
//! Nothing is asked of S3 before the role has refused everybody else, and no object of the bucket is read before
//! it has let us in again after that. The probe object is put beside that question, with the account that must own
//! the bucket, and is removed again where the answer is no.

use crate::application::bucket::probe::Prober;
use crate::application::checks::probe_turns::ProbeTurns;
use crate::application::checks::recorder::Diagnosed;
use crate::application::checks::recorder::Recorder;
use crate::application::checks::run::CheckRun;
use crate::application::connections::origins::BucketOrigins;
use crate::application::connections::principal::PrincipalSource;
use crate::application::diagnosis::subject::Subject;
use crate::application::kept::store::Store;
use crate::domain::cause::Cause;
use crate::domain::cause::entry::Bearing;
use crate::domain::check::{StepName, StepStatus, Steps};
use crate::domain::connection::ConnectedBucket;
use crate::domain::connection::region::Region;
use crate::domain::origin::OriginPattern;
use crate::domain::policy_document::{LifecycleFolders, PolicyTemplates};
use std::sync::Arc;

/// Runs the steps.
pub struct ConnectionChecker {
    prober: Arc<dyn Prober>,
    policies: Arc<PolicyTemplates>,
    origins: Arc<BucketOrigins>,
    principal: Arc<PrincipalSource>,
    store: Arc<dyn Store>,
    turns: ProbeTurns,
    lifecycle_folders: LifecycleFolders,
}

/// What the steps found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub steps: Steps,
    /// Where the bucket is, if S3 said so.
    pub region: Option<Region>,
    /// The causes of the steps that failed, in the order in which they were found.
    pub causes: Vec<Cause>,
}

impl ConnectionChecker {
    pub fn new(
        prober: Arc<dyn Prober>,
        policies: Arc<PolicyTemplates>,
        origins: Arc<BucketOrigins>,
        principal: Arc<PrincipalSource>,
        store: Arc<dyn Store>,
    ) -> Self {
        Self {
            prober,
            policies,
            origins,
            principal,
            store,
            turns: ProbeTurns::default(),
            lifecycle_folders: LifecycleFolders::default(),
        }
    }

    /// Where the documents' lifecycle rules empty these folders.
    pub fn with_lifecycle_folders(self, lifecycle_folders: LifecycleFolders) -> Self {
        Self {
            lifecycle_folders,
            ..self
        }
    }

    /// Runs every step once. Each is sent to the recorder as it finishes.
    pub async fn check(&self, bucket: &ConnectedBucket, recorder: &Recorder) -> Findings {
        let origins = self.origins_of(bucket).await;
        let subject = Subject {
            policies: &self.policies,
            connection: &bucket.connection,
            principal: self.principal.known().await,
            origins: &origins,
        };
        let run = CheckRun {
            prober: &self.prober,
            policies: &self.policies,
            origins: &origins,
            bucket,
            record: recorder,
            store: self.store.as_ref(),
            lifecycle_folders: &self.lifecycle_folders,
        };
        // What a check finds of an earlier one is not what another one is using now.
        let _turn = self.turns.take(&run).await;
        let (region, probe) = match run.sign_in().await {
            Some(signed_in) => run.bucket_steps(signed_in).await,
            None => (None, None),
        };
        let gathered = run.look_further(probe).await;
        let Diagnosed { steps, causes } = recorder.finish(&subject, &gathered);
        Findings {
            steps,
            region,
            causes,
        }
    }

    /// The origins that the bucket must let in. Without an answer of the database the workspace's own are not tried, and
    /// the check goes on.
    async fn origins_of(&self, bucket: &ConnectedBucket) -> Vec<OriginPattern> {
        match self.origins.of(bucket.owner.workspace()).await {
            Ok(origins) => origins,
            Err(error) => {
                tracing::warn!(%error, cause = error.internal.as_deref(), "cannot read a workspace's origins for a check");
                self.origins.everywhere().to_vec()
            }
        }
    }

    /// Where a check found out whether the role lets us in, drops the sessions from before: those that the
    /// customer has revoked, and those of a role that refuses us now. A check that AWS did not answer proves
    /// nothing, and leaves them.
    pub async fn drop_outdated_sessions(&self, bucket: &ConnectedBucket, findings: &Findings) {
        let lets_us_in = findings.steps.get(StepName::AssumeRole).status == StepStatus::Passed;
        let refuses = |cause: &Cause| cause.facts().bearing == Bearing::RefusesUs;
        if lets_us_in || findings.causes.iter().any(refuses) {
            self.prober.forget(&bucket.owner).await;
        }
    }
}
