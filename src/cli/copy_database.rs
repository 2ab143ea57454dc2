//! `sallyport copy-database`

use crate::application::kept::upkeep::Copied;
use crate::cli::terminal::table;
use std::io::{self, Write};

/// Copy everything into another database: from SQLite to PostgreSQL, or back.
///
/// The service must be stopped. The target has no tables yet, or empty ones of this release. Everything is written in
/// one transaction: the target has all rows, or none. The source is left as it is. Afterwards start the service with
/// the new database and the same master key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport copy-database --from sqlite:///var/lib/sallyport/sallyport.db \\
      --to postgres://sallyport@db.example.com:5432/sallyport")]
pub struct Arguments {
    /// Where everything is, like sqlite:///var/lib/sallyport/sallyport.db
    #[arg(long, value_name = "URL")]
    pub from: String,

    /// Where it goes, like postgres://sallyport@db.example.com:5432/sallyport. Other users of a machine can see a
    /// password in it: PGPASSWORD has it better
    #[arg(long, value_name = "URL")]
    pub to: String,

    /// Whether a PostgreSQL server on another host must prove its name by a certificate: verified, or unverified
    #[arg(long, env = "SALLYPORT_DATABASE_TLS", value_name = "RULE")]
    pub database_tls: Option<String>,
}

/// Says what was copied.
pub fn print(copied: &Copied, out: &mut impl Write) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> = copied
        .tables
        .iter()
        .map(|count| vec![count.rows.to_string(), count.table.clone()])
        .collect();
    rows.sort_by(|one, other| one[1].cmp(&other[1]));
    write!(out, "{}", table(&rows, &[0]))?;
    let all: u64 = copied.tables.iter().map(|count| count.rows).sum();
    writeln!(
        out,
        "{all} rows of {} tables were copied, and counted in both databases. Start the service with the new database and the same master key.",
        copied.tables.len()
    )
}
