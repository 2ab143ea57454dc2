//! Logs, as text or JSON, to standard output.
//!
//! Lines are written by a thread of their own. When nobody takes them (a stalled pipe), they are dropped
//! and counted; no request ever waits for the log.

mod targets;

use crate::log_writer::{LogGuard, LogWriter};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Directives of `tracing_subscriber`, like `info,sqlx=debug`.
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Libraries whose logs below `warn` can hold credentials, signed URLs or bodies. A filter that names
/// one of them, or a part of it, is followed.
const QUIET: &str =
    "aws=warn,hyper=warn,h2=warn,rustls=warn,reqwest=warn,sqlx=warn,actix_http=warn";

/// Whether this filter can be used; the error says why not.
pub fn check_filter(filter: &str) -> Result<(), String> {
    // Names of modules have no others, and the library's parser panics on some.
    if let Some(odd) = filter.chars().find(|c| !c.is_ascii()) {
        return Err(format!(
            "The log filter cannot be read: it has the character `{odd}`, and filters are plain ASCII."
        ));
    }
    // The library takes a single word for the name of a part, and a name that nothing has for one that may come. It
    // then logs nothing else, or not what was meant.
    let mut directives = filter
        .split(',')
        .filter(|directive| !directive.is_empty())
        .peekable();
    if directives.peek().is_none() {
        return Err(
            "The log filter names no level, so nothing would be logged. `off` is the level for that.".to_owned(),
        );
    }
    for directive in directives {
        targets::check(directive)?;
    }
    EnvFilter::builder()
        .parse(filter)
        .map(|_| ())
        .map_err(|error| format!("The log filter cannot be read: {error}."))
}

/// A subscriber that writes to `writer`.
pub fn subscriber<W>(settings: &LogSettings, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    subscriber_while(&IS_CLOSING, settings, writer)
}

/// `is_closing`: whether the listeners are being closed.
fn subscriber_while<W>(
    is_closing: &'static AtomicBool,
    settings: &LogSettings,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::new(format!("{QUIET},{}", settings.filter));
    let lines = match settings.format {
        LogFormat::Text => fmt::layer()
            .with_ansi(std::io::stdout().is_terminal())
            .with_writer(writer)
            .boxed(),
        // The span of the request is in `span`; a list of all spans would say it twice.
        LogFormat::Json => fmt::layer()
            .json()
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .with(WithoutClosing(is_closing))
}

/// The part of the HTTP server that accepts connections.
const ACCEPT: &str = "actix_server::accept";

/// Whether this process is closing its listeners.
static IS_CLOSING: AtomicBool = AtomicBool::new(false);

/// From now on this process closes its listeners. The server cannot accept from them any more and logs that as errors,
/// which are left out: an orderly stop has none.
pub fn listeners_close() {
    IS_CLOSING.store(true, Ordering::Relaxed);
}

/// Leaves out the errors of listeners while they are closed.
struct WithoutClosing(&'static AtomicBool);

impl<S: Subscriber> Layer<S> for WithoutClosing {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let about = event.metadata();
        let is_of_listener = about.target() == ACCEPT && *about.level() == Level::ERROR;
        !(is_of_listener && self.0.load(Ordering::Relaxed))
    }
}

static DROPPED: OnceLock<Arc<AtomicU64>> = OnceLock::new();

/// How many lines were dropped.
pub fn dropped_lines() -> u64 {
    DROPPED
        .get()
        .map_or(0, |dropped| dropped.load(Ordering::Relaxed))
}

/// Starts logging, panics included. Once for each process. What waits to be written is written when the
/// guard is dropped, unless nobody takes it.
pub fn init(settings: &LogSettings) -> Result<LogGuard, String> {
    let (writer, guard) = LogWriter::to_stdout().map_err(|error| error.to_string())?;
    DROPPED.get_or_init(|| writer.dropped());
    tracing::subscriber::set_global_default(subscriber(settings, writer))
        .map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        // The message is left out of no log: it says what broke, in our or a library's code.
        tracing::error!(%panic, "panicked");
    }));
    Ok(guard)
}

/// An error that ends the program, as a line like those of the log in JSON.
pub fn json_line(error: &str) -> String {
    let timestamp = crate::domain::rfc3339::text(time::OffsetDateTime::now_utc());
    serde_json::json!({
        "timestamp": timestamp,
        "level": "ERROR",
        "fields": {"message": error},
        "target": "sallyport",
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn errors_of_listeners_that_are_closed_are_left_out() {
        // Other tests of this process stop services.
        static IS_CLOSING: AtomicBool = AtomicBool::new(false);
        let kept = Kept::default();
        let settings = LogSettings {
            filter: "info".to_owned(),
            format: LogFormat::Text,
        };
        let subscriber = subscriber_while(&IS_CLOSING, &settings, kept.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: ACCEPT, "no descriptors are left");
            IS_CLOSING.store(true, Ordering::Relaxed);
            tracing::error!(target: ACCEPT, "the listener is closed");
            tracing::info!(target: ACCEPT, "it has stopped");
            tracing::error!(target: "actix_server::worker", "a worker died");
        });
        let said = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        for line in ["no descriptors are left", "it has stopped", "a worker died"] {
            assert!(said.contains(line), "{said}");
        }
        assert!(!said.contains("the listener is closed"), "{said}");
    }

    #[test]
    fn a_filter_without_any_level_is_refused() {
        for filter in ["", ",", ",,"] {
            let refused = check_filter(filter).unwrap_err();
            assert!(refused.contains("nothing would be logged"), "{refused}");
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for filter in ["inof", "info,sallyport", "sallyport::http", "info, debug"] {
            let refused = check_filter(filter).unwrap_err();
            assert!(refused.contains("is not a level"), "{filter}: {refused}");
            assert!(refused.contains("off, error, warn"), "{refused}");
        }
        for filter in [
            "info",
            "WARN",
            "off",
            "info,sallyport=debug",
            "[request{request_id=a}]=debug,info",
            "info,",
            "warn,sallyport::http=debug,sqlx=info",
        ] {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
    }

    #[test]
    fn the_last_line_is_json_whatever_the_error_is() {
        let line = json_line("line one\n\"line two\"");
        assert_eq!(line.lines().count(), 1);
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["fields"]["message"], "line one\n\"line two\"");
        assert_eq!(line["level"], "ERROR");
    }
}
