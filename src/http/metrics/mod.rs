//! Counts and times, for Prometheus.

mod format;
mod labels;
mod process;
mod requests;
mod work;

pub use format::MetricsFormat;
pub use process::ServiceReadings;
pub use requests::{BrokenBy, Direction, HttpMetrics, Transfer};
pub use work::WorkMetrics;
