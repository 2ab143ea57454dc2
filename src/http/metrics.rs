//! Counts and times of requests, for Prometheus.

use crate::application::kept::store::{IMPORT, SCHEDULED_CHECK};
use crate::application::observe::Observer;
use crate::domain::check::Outcome;
use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// The HTTP layer's metrics. Other parts register their own with the same [`Registry`].
#[derive(Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    in_flight: Gauge,
    problems: Family<ProblemLabels, Counter>,
    database_errors: Counter,
    audit_dropped: Counter,
}

/// `route` is the pattern, never the path: a path would make a series for each ID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabels {
    code: &'static str,
}

/// In seconds: from an answer out of memory to a check that waits for IAM.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
];

impl HttpMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
            problems: Family::default(),
            database_errors: Counter::default(),
            audit_dropped: Counter::default(),
        };
        registry.register(
            "sallyport_http_requests",
            "Requests answered",
            metrics.requests.clone(),
        );
        registry.register(
            "sallyport_http_request_duration_seconds",
            "Time from a request's head to its answer's head",
            metrics.durations.clone(),
        );
        registry.register(
            "sallyport_http_requests_in_flight",
            "Requests being worked on",
            metrics.in_flight.clone(),
        );
        registry.register(
            "sallyport_http_problems",
            "Requests refused or failed, by the problem's code",
            metrics.problems.clone(),
        );
        registry.register(
            "sallyport_database_errors",
            "Requests that failed because of the database",
            metrics.database_errors.clone(),
        );
        registry.register(
            "sallyport_audit_anonymous_dropped",
            "Refusals of anonymous callers beyond the rate that the audit log takes",
            metrics.audit_dropped.clone(),
        );
        metrics
    }

    /// Counts a request as under way until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub fn observe(&self, method: &Method, route: &str, status: u16, took: Duration) {
        // Clients can invent methods; series they cannot.
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
            _ => "OTHER",
        };
        self.requests
            .get_or_create(&RequestLabels {
                method: method.to_owned(),
                route: route.to_owned(),
                status,
            })
            .inc();
        self.durations
            .get_or_create(&RouteLabels {
                method: method.to_owned(),
                route: route.to_owned(),
            })
            .observe(took.as_secs_f64());
    }

    pub fn problem(&self, code: &'static str) {
        self.problems.get_or_create(&ProblemLabels { code }).inc();
        if matches!(code, "database_unavailable" | "record_damaged") {
            self.database_errors.inc();
        }
    }

    pub fn audit_dropped(&self) {
        self.audit_dropped.inc();
    }
}

/// Counts of what is done with AWS.
pub struct BucketMetrics {
    assumed_roles: Family<ResultLabels, Counter>,
    checks: Family<OutcomeLabels, Counter>,
    waiting_checks: Queue,
    waiting_imports: Queue,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

impl BucketMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            assumed_roles: Family::default(),
            checks: Family::default(),
            waiting_checks: Queue::default(),
            waiting_imports: Queue::default(),
        };
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
            "sallyport_assumed_roles",
            "AssumeRole calls for sessions to work with; those of checks are not counted",
            metrics.assumed_roles.clone(),
        );
        registry.register(
            "sallyport_connection_checks",
            "Connection checks, by outcome",
            metrics.checks.clone(),
        );
        metrics
    }
}

impl Observer for BucketMetrics {
    fn assumed_role(&self, succeeded: bool) {
        let result = if succeeded { "done" } else { "failed" };
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

    fn jobs_wait(&self, kind: &str, waiting: u64, longest: Duration) {
        match kind {
            SCHEDULED_CHECK => self.waiting_checks.set(waiting, longest),
            IMPORT => self.waiting_imports.set(waiting, longest),
            // No other kind is measured.
            _ => {}
        }
    }
}

/// A request under way.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
