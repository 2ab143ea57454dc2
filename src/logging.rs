//! Logs, as text or JSON, to standard error.

use std::io::IsTerminal;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
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
    let filter = EnvFilter::new(format!("{QUIET},{}", settings.filter));
    let lines = match settings.format {
        LogFormat::Text => fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => fmt::layer().json().with_writer(writer).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines)
}

/// Starts logging, panics included. Once for each process.
pub fn init(settings: &LogSettings) -> Result<(), String> {
    tracing::subscriber::set_global_default(subscriber(settings, std::io::stderr))
        .map_err(|error| error.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        // The message is left out of no log: it says what broke, in our or a library's code.
        tracing::error!(%panic, "panicked");
    }));
    Ok(())
}
