//! Counts and times of requests and of files' content on its way, for Prometheus.

use crate::application::codes::PROBLEMS;
use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The HTTP layer's metrics. Other parts register their own with the same [`Registry`].
#[derive(Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    responses: Family<ClassLabels, Counter>,
    in_flight: Gauge,
    transfers_in_flight: Gauge,
    transfer_bytes: Family<DirectionLabels, Counter>,
    broken_downloads: Family<EndLabels, Counter>,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabels {
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    by: &'static str,
}

/// The classes of statuses (RFC 9110, section 15). An upgrade is no answer of this service.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// In seconds: from an answer out of memory to a check that waits for IAM.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
];

impl HttpMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            responses: Family::default(),
            in_flight: Gauge::default(),
            transfers_in_flight: Gauge::default(),
            transfer_bytes: Family::default(),
            broken_downloads: Family::default(),
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
            "sallyport_http_responses",
            "Requests answered, by the class of their status",
            metrics.responses.clone(),
        );
        registry.register(
            "sallyport_transfers_in_flight",
            "Files whose content is on its way through the service, up or down",
            metrics.transfers_in_flight.clone(),
        );
        registry.register(
            "sallyport_transfer_bytes",
            "Bytes of files' content that went through the service, by direction: upload, download",
            metrics.transfer_bytes.clone(),
        );
        registry.register(
            "sallyport_downloads_broken_off",
            "Downloads that ended before their end: by the connection to the client, by the bucket, or because the reader was too slow",
            metrics.broken_downloads.clone(),
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
        // An alert on growth needs the value from before the first event.
        for code in PROBLEMS.iter().copied() {
            drop(metrics.problems.get_or_create(&ProblemLabels { code }));
        }
        for class in CLASSES {
            drop(metrics.responses.get_or_create(&ClassLabels { class }));
        }
        for direction in [Direction::Upload, Direction::Download] {
            drop(metrics.transfer_bytes.get_or_create(&direction.labels()));
        }
        for end in [BrokenBy::Connection, BrokenBy::Bucket, BrokenBy::Reader] {
            drop(metrics.broken_downloads.get_or_create(&end.labels()));
        }
        metrics
    }

    /// Counts a request as under way until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub fn observe(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let class = usize::from(status / 100).checked_sub(2);
        if let Some(class) = class.and_then(|at| CLASSES.get(at).copied()) {
            self.responses.get_or_create(&ClassLabels { class }).inc();
        }
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
        if matches!(
            code,
            "database_busy" | "database_unavailable" | "record_damaged"
        ) {
            self.database_errors.inc();
        }
    }

    pub fn audit_dropped(&self) {
        self.audit_dropped.inc();
    }
}

impl HttpMetrics {
    /// Counts a file's content as on its way until what comes back is dropped.
    pub fn begin_transfer(&self, direction: Direction) -> Transfer {
        self.transfers_in_flight.inc();
        let labels = direction.labels();
        Transfer {
            in_flight: self.transfers_in_flight.clone(),
            bytes: self.transfer_bytes.get_or_create(&labels).clone(),
        }
    }

    pub fn download_broke_off(&self, by: BrokenBy) {
        self.broken_downloads.get_or_create(&by.labels()).inc();
    }
}

/// Which way a file's content goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Upload,
    Download,
}

impl Direction {
    fn labels(self) -> DirectionLabels {
        DirectionLabels {
            direction: match self {
                Self::Upload => "upload",
                Self::Download => "download",
            },
        }
    }
}

/// Where a download ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenBy {
    /// The client left, or the service stopped.
    Connection,
    /// The bucket sent an error, or less than it had announced.
    Bucket,
    /// The client took the content too slowly, so it was cut off.
    Reader,
}

impl BrokenBy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Bucket => "bucket",
            Self::Reader => "reader",
        }
    }

    fn labels(self) -> EndLabels {
        EndLabels { by: self.as_str() }
    }
}

/// A file's content on its way.
pub struct Transfer {
    in_flight: Gauge,
    bytes: Counter,
}

impl Transfer {
    /// So many bytes more have gone through.
    pub fn carried(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

/// A request under way.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
