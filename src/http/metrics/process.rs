//! What is read at the time of a scrape: the process, and the parts that keep their own count.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use std::fmt;
use std::time::Duration;

/// Ticks in a second, as the kernel counts a process's time for programs: 100 on every platform of Linux
/// (proc(5), `USER_HZ`).
const TICKS: f64 = 100.0;

/// A number that some part knows.
pub type Reading = Box<dyn Fn() -> u64 + Send + Sync>;

/// What the service's parts are asked for at each scrape.
pub struct ServiceReadings {
    pub database_connections_used: Reading,
    pub database_connections_idle: Reading,
    pub database_connections_limit: u64,
    pub database_connections_taken: Reading,
    /// Rows that were needed and in memory.
    pub rows_found: Reading,
    /// Rows that were needed and asked for.
    pub rows_not_found: Reading,
    /// How long ago the changes of all processes were last read.
    pub changes_age: Box<dyn Fn() -> Duration + Send + Sync>,
    pub role_sessions: Reading,
    pub dropped_log_lines: Reading,
}

impl fmt::Debug for ServiceReadings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceReadings")
    }
}

impl ServiceReadings {
    pub fn register(self, registry: &mut Registry) {
        let build = Family::<[(&str, &str); 1], Gauge>::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        build.get_or_create(&version).set(1);
        registry.register("sallyport_build_info", "1, with the version", build);
        registry.register_collector(Box::new(self));
        registry.register_collector(Box::new(ThisProcess));
    }
}

impl Collector for ServiceReadings {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let states = [
            ("used", (self.database_connections_used)()),
            ("idle", (self.database_connections_idle)()),
        ];
        for (name, help) in [
            (
                "sallyport_database_connections",
                "Connections to the database, by state",
            ),
            (
                "sallyport_database_pool",
                "The same as sallyport_database_connections",
            ),
        ] {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (state, number) in states {
                whole(number).encode(family.encode_family(&[("state", state)])?)?;
            }
        }
        gauge(
            &mut encoder,
            "sallyport_database_connections_limit",
            "The most connections to the database",
            whole(self.database_connections_limit),
        )?;
        counter(
            &mut encoder,
            "sallyport_database_connections_taken",
            "How often a connection to the database was taken",
            (self.database_connections_taken)() as f64,
        )?;
        {
            let mut needed = encoder.encode_descriptor(
                "sallyport_rows_needed",
                "Rows that requests needed, by whether they were found in memory",
                None,
                MetricType::Counter,
            )?;
            for (found, number) in [
                ("yes", (self.rows_found)()),
                ("no", (self.rows_not_found)()),
            ] {
                let number = ConstCounter::new(number as f64);
                number.encode(needed.encode_family(&[("found", found)])?)?;
            }
        }
        gauge(
            &mut encoder,
            "sallyport_changes_age_seconds",
            "How long ago it was last read what other processes have changed",
            ConstGauge::new((self.changes_age)().as_secs_f64()),
        )?;
        gauge(
            &mut encoder,
            "sallyport_role_sessions",
            "Sessions of customers' roles in the cache, about",
            whole((self.role_sessions)()),
        )?;
        counter(
            &mut encoder,
            "sallyport_log_lines_dropped",
            "Lines of the log that were dropped because nobody took them",
            (self.dropped_log_lines)() as f64,
        )
    }
}

/// This process, as the kernel sees it. What cannot be read is left out.
#[derive(Debug)]
struct ThisProcess;

impl Collector for ThisProcess {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
        let stat = read("stat").unwrap_or_default();
        let kernel = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        if let Some(seconds) = started(&stat, &kernel) {
            gauge(
                &mut encoder,
                "process_start_time_seconds",
                "When the process began, in seconds since 1970",
                ConstGauge::new(seconds),
            )?;
        }
        if let Some(seconds) = cpu_seconds(&stat) {
            counter(
                &mut encoder,
                "process_cpu_seconds",
                "Processor time that the process has used, in seconds",
                seconds,
            )?;
        }
        let status = read("status").unwrap_or_default();
        for (field, name, help) in [
            (
                "VmRSS:",
                "process_resident_memory_bytes",
                "Memory that is in use",
            ),
            (
                "VmSize:",
                "process_virtual_memory_bytes",
                "Memory that is addressed",
            ),
        ] {
            if let Some(kib) = first_number(&status, field) {
                gauge(&mut encoder, name, help, ConstGauge::new(kib * 1024.0))?;
            }
        }
        if let Some(threads) = first_number(&status, "Threads:") {
            let threads = ConstGauge::new(threads);
            gauge(&mut encoder, "process_threads", "Threads", threads)?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // One of them reads the folder.
            let open = ConstGauge::new(open.count().saturating_sub(1) as f64);
            gauge(
                &mut encoder,
                "process_open_fds",
                "Open file descriptors",
                open,
            )?;
        }
        let limits = read("limits").unwrap_or_default();
        if let Some(most) = first_number(&limits, "Max open files") {
            let most = ConstGauge::new(most);
            gauge(
                &mut encoder,
                "process_max_fds",
                "The most file descriptors",
                most,
            )?;
        }
        Ok(())
    }
}

fn whole(number: u64) -> ConstGauge<f64> {
    ConstGauge::new(number as f64)
}

fn gauge(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    value: ConstGauge<f64>,
) -> fmt::Result {
    value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
}

fn counter(encoder: &mut DescriptorEncoder, name: &str, help: &str, value: f64) -> fmt::Result {
    let value = ConstCounter::new(value);
    value.encode(encoder.encode_descriptor(name, help, None, value.metric_type())?)
}

/// The time in user and in kernel mode, of `/proc/self/stat` (fields 14 and 15, proc(5)). The second
/// field is the program's name in parentheses, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// When the process began, in seconds since 1970: field 22 of `/proc/self/stat` counts ticks since the machine's
/// start, which is `btime` of `/proc/stat` (proc(5)).
fn started(stat: &str, kernel: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    Some(first_number(kernel, "btime ")? + ticks / TICKS)
}

/// The first number after the field's name.
fn first_number(text: &str, field: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_files_are_read() {
        let stat = "12 (a) b) S 1 1 1 0 -1 4 1 0 0 0 250 150 0 0 20 0 9 0 5 6 7";
        assert_eq!(cpu_seconds(stat), Some(4.0));
        assert_eq!(cpu_seconds("nothing"), None);
        let kernel = "cpu  1 2 3\nbtime 1700000000\nprocesses 9\n";
        assert_eq!(started(stat, kernel), Some(1_700_000_000.05));
        assert_eq!(started(stat, ""), None);
        let status = "Name:\tx\nVmRSS:\t  1024 kB\n";
        assert_eq!(first_number(status, "VmRSS:"), Some(1024.0));
        assert_eq!(
            first_number("Max open files   unlimited", "Max open files"),
            None
        );
    }
}
