//! What is done with AWS, in the background, and for callers.

use crate::application::kept::store::{IMPORT, SCHEDULED_CHECK};
use crate::application::observe::{AwsCall, AwsResult, Observer};
use crate::domain::check::Outcome;
use crate::domain::identity_fault::IdentityFault;
use crate::domain::project::ProjectStatus;
use crate::domain::role_wait::TryOutcome;
use crate::domain::storage::{HealthChange, HealthState, Quarantining};
use crate::http::metrics::labels::{
    CallLabels, ChangeLabels, CodeLabels, HealthLabels, JobLabels, JobResultLabels, OutcomeLabels,
    ResultLabels, SessionLabels, StateLabels, ToLabels,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Counts of what is done with AWS and in the background.
pub struct WorkMetrics {
    assumed_roles: Family<ResultLabels, Counter>,
    checks: Family<OutcomeLabels, Counter>,
    aws_calls: Family<CallLabels, Counter>,
    aws_durations: Family<CallLabels, Histogram>,
    sessions: Family<SessionLabels, Counter>,
    token_lookups: Counter,
    jobs_running: Family<JobLabels, Gauge>,
    jobs_waiting: Family<JobLabels, Gauge>,
    jobs: Family<JobResultLabels, Counter>,
    job_claims: Family<JobLabels, Histogram>,
    waiting_checks: Queue,
    waiting_imports: Queue,
    quarantines: Family<ChangeLabels, Counter>,
    health_changes: Family<ToLabels, Counter>,
    storages: Family<HealthLabels, Gauge>,
    imports: Family<StateLabels, Gauge>,
    role_tries: Family<ResultLabels, Counter>,
    waiting_setups: Gauge,
    deliveries: Family<ResultLabels, Counter>,
    delivery_durations: Histogram,
    given_up_deliveries: Counter,
    waiting_deliveries: Gauge,
    identity_up: Gauge,
    identity_faults: Family<CodeLabels, Gauge>,
}

/// What waits for a worker.
#[derive(Default)]
struct Queue {
    overdue: Gauge,
    lag: Gauge<f64, AtomicU64>,
}

impl Queue {
    fn set(&self, waiting: u64, longest: Duration) {
        self.overdue.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.lag.set(longest.as_secs_f64());
    }
}

/// In seconds: from an answer in the same Region to the longest that all tries may take.
const BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// In seconds: of a statement or a few in the database.
const CLAIM_BUCKETS: [f64; 10] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
];

/// The calls whose values exist before the first of them. Others appear with their first call.
const CALLS: [(&str, &[&str]); 2] = [
    ("STS", &["AssumeRole", "GetCallerIdentity"]),
    (
        "S3",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "DeleteObject",
            "DeleteObjects",
            "GetBucketLocation",
            "GetObject",
            "GetObjectAcl",
            "HeadBucket",
            "HeadObject",
            "ListBuckets",
            "ListObjectVersions",
            "ListObjectsV2",
            "PutObject",
            "PutObjectAcl",
            "UploadPart",
            "UploadPartCopy",
        ],
    ),
];

const RESULTS: [AwsResult; 3] = [AwsResult::Done, AwsResult::Refused, AwsResult::Failed];

fn result_word(result: AwsResult) -> &'static str {
    match result {
        AwsResult::Done => "done",
        AwsResult::Refused => "refused",
        AwsResult::Failed => "failed",
    }
}

fn done_or_failed(succeeded: bool) -> &'static str {
    match succeeded {
        true => "done",
        false => "failed",
    }
}

impl WorkMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            assumed_roles: Family::default(),
            checks: Family::default(),
            aws_calls: Family::default(),
            aws_durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            sessions: Family::default(),
            token_lookups: Counter::default(),
            jobs_running: Family::default(),
            jobs_waiting: Family::default(),
            jobs: Family::default(),
            job_claims: Family::new_with_constructor(|| Histogram::new(CLAIM_BUCKETS)),
            waiting_checks: Queue::default(),
            waiting_imports: Queue::default(),
            quarantines: Family::default(),
            health_changes: Family::default(),
            storages: Family::default(),
            imports: Family::default(),
            role_tries: Family::default(),
            waiting_setups: Gauge::default(),
            deliveries: Family::default(),
            delivery_durations: Histogram::new(BUCKETS),
            given_up_deliveries: Counter::default(),
            waiting_deliveries: Gauge::default(),
            identity_up: Gauge::default(),
            identity_faults: Family::default(),
        };
        metrics.begin_at_zero();
        registry.register(
            "sallyport_checks_overdue",
            "Scheduled checks that are due and that no worker has begun; those of storages that did not answer in time before are not counted",
            metrics.waiting_checks.overdue.clone(),
        );
        registry.register(
            "sallyport_checks_lag_seconds",
            "How long the scheduled check that waits longest has been due",
            metrics.waiting_checks.lag.clone(),
        );
        registry.register(
            "sallyport_scheduled_checks_lag_seconds",
            "The same as sallyport_checks_lag_seconds",
            metrics.waiting_checks.lag.clone(),
        );
        registry.register(
            "sallyport_imports_overdue",
            "Imports that could go on and that no worker has",
            metrics.waiting_imports.overdue.clone(),
        );
        registry.register(
            "sallyport_imports_lag_seconds",
            "How long the import that waits longest has been able to go on",
            metrics.waiting_imports.lag.clone(),
        );
        registry.register(
            "sallyport_storage_quarantines",
            "Storages whose role was found to let others in (began), or to refuse them again (ended)",
            metrics.quarantines.clone(),
        );
        registry.register(
            "sallyport_storage_health_changes",
            "Storages whose health has another state, or another cause, since a check, by the state since",
            metrics.health_changes.clone(),
        );
        registry.register(
            "sallyport_storages",
            "Storages of all workspaces, by health",
            metrics.storages.clone(),
        );
        registry.register(
            "sallyport_imports",
            "Projects of all workspaces, by the state of their import: importing, ready, failed",
            metrics.imports.clone(),
        );
        registry.register(
            "sallyport_setups_waiting_for_role",
            "Setups of all workspaces whose role is looked for",
            metrics.waiting_setups.clone(),
        );
        registry.register(
            "sallyport_role_tries",
            "Tries to use a role that a setup waits for, by result: appeared, not_yet (absent, or it refuses), undecided (AWS did not answer, or the service may not ask)",
            metrics.role_tries.clone(),
        );
        registry.register(
            "sallyport_webhook_attempts",
            "Attempts to send an event to a webhook, by result",
            metrics.deliveries.clone(),
        );
        registry.register(
            "sallyport_webhook_attempt_duration_seconds",
            "Time of an attempt to send an event, until its answer or its end",
            metrics.delivery_durations.clone(),
        );
        registry.register(
            "sallyport_webhook_deliveries_given_up",
            "Events that a webhook did not take for a day, or whose receiver is gone",
            metrics.given_up_deliveries.clone(),
        );
        registry.register(
            "sallyport_webhook_deliveries_waiting",
            "Events on their way to enabled webhooks, those that wait for another attempt included",
            metrics.waiting_deliveries.clone(),
        );
        registry.register(
            "sallyport_service_identity_up",
            "1 while the service can use its own AWS identity, otherwise 0; 0 before the first answer",
            metrics.identity_up.clone(),
        );
        registry.register(
            "sallyport_service_identity_fault",
            "1 for the code of what keeps the service from using its own AWS identity, 0 for all others",
            metrics.identity_faults.clone(),
        );
        registry.register(
            "sallyport_assumed_roles",
            "AssumeRole calls for sessions to work with; those of checks are not counted",
            metrics.assumed_roles.clone(),
        );
        registry.register(
            "sallyport_connection_checks",
            "Connection checks, by outcome",
            metrics.checks.clone(),
        );
        registry.register(
            "sallyport_aws_requests",
            "Calls to AWS, with all their tries, by result: done, refused (4xx), failed (5xx or no answer)",
            metrics.aws_calls.clone(),
        );
        registry.register(
            "sallyport_aws_request_duration_seconds",
            "Time of a call to AWS until its answer's body begins, with all its tries, by result",
            metrics.aws_durations.clone(),
        );
        registry.register(
            "sallyport_role_sessions_needed",
            "Times that a storage's session was needed: found in the cache, or not",
            metrics.sessions.clone(),
        );
        registry.register(
            "sallyport_unused_token_lookups",
            "Statements that look for tokens that have not been used lately, unknown ones included",
            metrics.token_lookups.clone(),
        );
        registry.register(
            "sallyport_jobs_running",
            "Background jobs that this process works on",
            metrics.jobs_running.clone(),
        );
        registry.register(
            "sallyport_jobs_waiting",
            "Background jobs that are due and that no process works on",
            metrics.jobs_waiting.clone(),
        );
        registry.register(
            "sallyport_job_turns",
            "Turns of background jobs that ended, by result",
            metrics.jobs.clone(),
        );
        registry.register(
            "sallyport_job_claim_duration_seconds",
            "Time until the database has answered a worker that asks for a background job",
            metrics.job_claims.clone(),
        );
        metrics
    }

    /// A value that appears with its first event hides that event from `increase()`.
    fn begin_at_zero(&self) {
        for result in ["done", "failed"] {
            drop(self.assumed_roles.get_or_create(&ResultLabels { result }));
            drop(self.deliveries.get_or_create(&ResultLabels { result }));
            for kind in [IMPORT, SCHEDULED_CHECK] {
                let kind = kind.to_owned();
                drop(self.jobs.get_or_create(&JobResultLabels { kind, result }));
            }
        }
        for outcome in [
            Outcome::Passed,
            Outcome::PassedWithWarnings,
            Outcome::Failed,
        ] {
            drop(self.checks.get_or_create(&OutcomeLabels {
                outcome: outcome.as_str(),
            }));
        }
        for outcome in TryOutcome::ALL {
            let result = outcome.as_str();
            drop(self.role_tries.get_or_create(&ResultLabels { result }));
        }
        for change in ["began", "ended"] {
            drop(self.quarantines.get_or_create(&ChangeLabels { change }));
        }
        for state in HealthState::ALL {
            let (to, health) = (state.as_str(), state.as_str());
            drop(self.health_changes.get_or_create(&ToLabels { to }));
            drop(self.storages.get_or_create(&HealthLabels { health }));
        }
        for fault in IdentityFault::ALL {
            let code = fault.as_str();
            drop(self.identity_faults.get_or_create(&CodeLabels { code }));
        }
        for status in ProjectStatus::ALL {
            let state = status.as_str();
            drop(self.imports.get_or_create(&StateLabels { state }));
        }
        for found in ["yes", "no"] {
            drop(self.sessions.get_or_create(&SessionLabels { found }));
        }
        for kind in [IMPORT, SCHEDULED_CHECK] {
            let labels = JobLabels {
                kind: kind.to_owned(),
            };
            drop(self.jobs_running.get_or_create(&labels));
            drop(self.jobs_waiting.get_or_create(&labels));
            drop(self.job_claims.get_or_create(&labels));
        }
        for (service, operations) in CALLS {
            for operation in operations {
                for result in RESULTS {
                    let labels = CallLabels {
                        service: service.to_owned(),
                        operation: (*operation).to_owned(),
                        result: result_word(result),
                    };
                    drop(self.aws_calls.get_or_create(&labels));
                    drop(self.aws_durations.get_or_create(&labels));
                }
            }
        }
    }
}

impl Observer for WorkMetrics {
    fn assumed_role(&self, succeeded: bool) {
        let result = done_or_failed(succeeded);
        self.assumed_roles
            .get_or_create(&ResultLabels { result })
            .inc();
    }

    fn checked_connection(&self, outcome: Outcome) {
        self.checks
            .get_or_create(&OutcomeLabels {
                outcome: outcome.as_str(),
            })
            .inc();
    }

    fn health_changed(&self, change: &HealthChange) {
        if change.is_of_health() {
            let to = change.to.state.as_str();
            self.health_changes.get_or_create(&ToLabels { to }).inc();
        }
        let change = match change.quarantine {
            Some(Quarantining::Began(_)) => "began",
            Some(Quarantining::Ended) => "ended",
            None => return,
        };
        self.quarantines
            .get_or_create(&ChangeLabels { change })
            .inc();
    }

    fn storages_have(&self, health: HealthState, number: u64) {
        let health = health.as_str();
        self.storages
            .get_or_create(&HealthLabels { health })
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn projects_have(&self, status: ProjectStatus, number: u64) {
        let state = status.as_str();
        self.imports
            .get_or_create(&StateLabels { state })
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn tried_role(&self, outcome: TryOutcome) {
        let result = outcome.as_str();
        self.role_tries
            .get_or_create(&ResultLabels { result })
            .inc();
    }

    fn setups_wait(&self, number: u64) {
        self.waiting_setups
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn sent_event(&self, succeeded: bool, took: Duration) {
        let result = done_or_failed(succeeded);
        self.deliveries
            .get_or_create(&ResultLabels { result })
            .inc();
        self.delivery_durations.observe(took.as_secs_f64());
    }

    fn gave_up_event(&self) {
        self.given_up_deliveries.inc();
    }

    fn events_wait(&self, number: u64) {
        self.waiting_deliveries
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn jobs_wait(&self, kind: &str, waiting: u64, longest: Duration) {
        match kind {
            SCHEDULED_CHECK => self.waiting_checks.set(waiting, longest),
            IMPORT => self.waiting_imports.set(waiting, longest),
            // No other kind is measured.
            _ => {}
        }
    }

    fn called_aws(&self, call: AwsCall<'_>) {
        let labels = CallLabels {
            service: call.service.to_owned(),
            operation: call.operation.to_owned(),
            result: result_word(call.result),
        };
        self.aws_calls.get_or_create(&labels).inc();
        self.aws_durations
            .get_or_create(&labels)
            .observe(call.took.as_secs_f64());
    }

    fn service_identity(&self, fault: Option<IdentityFault>) {
        self.identity_up.set(i64::from(fault.is_none()));
        for one in IdentityFault::ALL {
            let code = one.as_str();
            self.identity_faults
                .get_or_create(&CodeLabels { code })
                .set(i64::from(fault == Some(one)));
        }
    }

    fn needed_session(&self, was_there: bool) {
        let found = if was_there { "yes" } else { "no" };
        self.sessions.get_or_create(&SessionLabels { found }).inc();
    }

    fn looked_for_tokens(&self) {
        self.token_lookups.inc();
    }

    fn asked_for_job(&self, kind: &str, took: Duration) {
        let kind = kind.to_owned();
        self.job_claims
            .get_or_create(&JobLabels { kind })
            .observe(took.as_secs_f64());
    }

    fn began_job(&self, kind: &str) {
        let kind = kind.to_owned();
        self.jobs_running.get_or_create(&JobLabels { kind }).inc();
    }

    fn jobs_waiting(&self, kind: &str, number: u64) {
        let kind = kind.to_owned();
        self.jobs_waiting
            .get_or_create(&JobLabels { kind })
            .set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn ended_job(&self, kind: &str, succeeded: bool) {
        let kind = kind.to_owned();
        let labels = JobLabels { kind: kind.clone() };
        self.jobs_running.get_or_create(&labels).dec();
        let result = done_or_failed(succeeded);
        self.jobs
            .get_or_create(&JobResultLabels { kind, result })
            .inc();
    }
}
