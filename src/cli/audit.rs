//! `sallyport audit export`

use crate::application::people::audit_export::{AuditExport, ExportError};
use crate::domain::day_or_time::DayOrTime;
use crate::settings::Options;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// The audit log, as an operator handles it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport audit export --before 2026-01-01 --output audit-2025.jsonl")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    Export(Box<ExportArguments>),
}

/// Write old entries of the audit log as lines of JSON, oldest first.
///
/// What was exported to a file may be removed afterwards: at once by `--delete`, or later by
/// SALLYPORT_RETENTION_AUDIT. What was not exported can never be removed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport audit export --before 2026-01-01 --output audit-2025.jsonl --delete
  sallyport audit export --before 2026-01-01T12:00:00Z | gzip > audit.jsonl.gz")]
pub struct ExportArguments {
    /// Export the entries from before this time, like 2026-01-01 (in UTC) or 2026-01-01T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_time)]
    before: OffsetDateTime,

    /// Write to this new file. Without it the entries go to standard output, and count as not exported
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Remove from the database what was exported
    #[arg(long, requires = "output")]
    delete: bool,

    #[command(flatten)]
    pub options: Options,
}

/// Why it ended without having done it, in words for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the export cannot be written to `{path}`: {cause}. Nothing was removed")]
    File { path: String, cause: io::Error },
    #[error("the result cannot be printed: {0}")]
    Output(#[from] io::Error),
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    DayOrTime::parse(text)
        .map(DayOrTime::begins)
        .map_err(|_| "not a date like 2026-01-01, nor a time like 2026-01-01T12:00:00Z".to_owned())
}

/// Exports, and says on `report` what was done. `out` gets the entries where no file is named.
pub async fn export(
    arguments: &ExportArguments,
    log: &AuditExport,
    out: &mut (impl Write + Send),
    report: &mut impl Write,
) -> Result<(), Error> {
    let before = arguments.before;
    let Some(path) = &arguments.output else {
        log.write(before, out).await?;
        return Ok(());
    };
    let failed = |cause| Error::File {
        path: path.display().to_string(),
        cause,
    };
    // Before the file is there: the same command may be run again an hour later.
    log.refuse_too_young(before)?;
    let file = create(path).map_err(failed)?;
    let mut buffer = BufWriter::new(file);
    let written = log.write(before, &mut buffer).await?;
    let file = buffer
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    // On the disk before anything may be removed.
    file.sync_all().map_err(failed)?;
    log.record(before, written).await?;
    writeln!(report, "{written} entries exported to {}", path.display())?;
    if arguments.delete {
        let removed = log.remove(before).await?;
        writeln!(report, "{removed} entries removed")?;
    }
    Ok(())
}

/// A new file that only its owner reads: an export of before is never overwritten.
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_moment_in_utc() {
        let day = parse_time("2026-01-02").unwrap();
        assert_eq!(day, parse_time("2026-01-02T01:00:00+01:00").unwrap());
        for text in ["", "2026", "2026-13-01", "yesterday", "2026-01-01T"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
