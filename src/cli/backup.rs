//! `sallyport backup`

use crate::application::kept::upkeep::BackupMade;
use crate::cli::terminal::printable;
use crate::domain::policy_document::escape;
use crate::settings::Options;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Copy a SQLite database to a new file, while the service runs.
///
/// The copy has everything that was answered before it began. It is looked at before it gets its name, and nothing is
/// overwritten. The master key is not in it. For PostgreSQL the command says what to run instead, and ends with status
/// 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport backup /backups/sallyport-2026-01-31.db")]
pub struct Arguments {
    /// The new file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub options: Options,
}

/// Says what was copied.
pub fn print(made: &BackupMade, file: &Path, out: &mut impl Write) -> io::Result<()> {
    let name = printable(&file.display().to_string());
    let tables = &made.inspection.tables;
    let rows: u64 = tables.iter().map(|count| count.rows).sum();
    writeln!(
        out,
        "{name}: {rows} rows of {} tables, {} bytes. The copy is whole.",
        tables.len(),
        made.size
    )?;
    writeln!(
        out,
        "The master key is not in it: keep it in another place. To look at the copy: sallyport restore --check {name}"
    )
}

/// What to run where the database is PostgreSQL. `connection`: how libpq is told where it is, quoted for a shell.
pub fn print_for_postgres(connection: &str, file: &Path, out: &mut impl Write) -> io::Result<()> {
    let file = escape::for_shell(&printable(&file.display().to_string()));
    writeln!(
        out,
        "\
The database is PostgreSQL, whose own programs copy it. While the service runs:

    pg_dump --format=custom --no-owner --no-privileges --file={file} --dbname={connection}

One dump is one snapshot, so it is consistent. The custom format is compressed, and pg_restore reads it. Without owners
and privileges it can be restored by another role. pg_dump must not be older than the server. The password comes from
PGPASSWORD or ~/.pgpass.

To restore it, into a new database and before a service is started on it:

    pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname=NEW_DATABASE {file}
    sallyport restore --check postgres://USER@HOST/NEW_DATABASE

For a loss of seconds rather than of a day, archive the write-ahead log as well (PostgreSQL, \"Continuous Archiving and
Point-in-Time Recovery\"). The master key is in no dump: keep it in another place."
    )
}
