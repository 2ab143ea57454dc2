//! `sallyport restore`

use crate::application::kept::upkeep::{Inspection, Schema};
use crate::cli::ending::{FAILED, PASSED};
use crate::cli::terminal::{printable, table};
use crate::settings::Options;
use std::io::{self, Write};

/// Look at a copy of the database: whether the service can go on with it. Changes nothing.
///
/// Says whether the file is whole, which release it needs, how many rows each table has, and whether the master key of
/// the settings opens it. Ends with status 1 where one of these is wrong. To restore a copy, stop the service, put the
/// file in the place of the database and start the service.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport restore --check /backups/sallyport-2026-01-31.db
  sallyport restore --check postgres://sallyport@db.example.com/restored")]
pub struct Arguments {
    /// A file that `sallyport backup` has made, or the URL of a PostgreSQL database that a dump was restored into
    #[arg(long, value_name = "FILE", required = true)]
    pub check: String,

    #[command(flatten)]
    pub options: Options,
}

/// Whether the master key of the settings opens what is sealed in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFits {
    Yes,
    No,
    /// Nothing is sealed in it.
    NothingSealed,
    /// There is none here.
    NoKey,
}

/// What is said of the rest where the damage hides it.
const UNREAD: &str = "not known, because the file is damaged";

impl KeyFits {
    fn words(self) -> (&'static str, bool) {
        match self {
            Self::Yes => ("the given one opens it", true),
            Self::No => (
                "the given one does not open it: name the right one, or see `sallyport keys replace --lost`",
                false,
            ),
            Self::NothingSealed => ("nothing is sealed in it", true),
            Self::NoKey => (
                "none is here: name it with SALLYPORT_MASTER_KEY or SALLYPORT_MASTER_KEY_FILE",
                false,
            ),
        }
    }
}

fn schema(found: Schema) -> (String, bool) {
    match found {
        Schema::Absent => (
            "there are no tables of Sallyport. Where the file was copied from a running service by `cp`, they were in the write-ahead log beside it".to_owned(),
            false,
        ),
        Schema::At { last, known } if last < known => (
            format!("migration {last}: this release brings it to {known} at its start"),
            true,
        ),
        Schema::At { last, known } if last > known => (
            format!("migration {last}, of a newer release; this one has {known} and can use it"),
            true,
        ),
        Schema::At { last, .. } => (format!("migration {last}, that of this release"), true),
        Schema::TooNew { last, known } => (
            format!("migration {last}: it needs a newer release than this one, which has {known}"),
            false,
        ),
    }
}

/// Says what was found, and gives the exit status.
pub fn print(found: &Inspection, key: KeyFits, out: &mut impl Write) -> io::Result<u8> {
    let (schema, schema_fits) = schema(found.schema);
    let (key, key_fits) = key.words();
    // Of a file that cannot be read nothing else is known.
    let is_unread = !found.damage.is_empty() && found.schema == Schema::Absent;
    let (schema, key) = match is_unread {
        true => (UNREAD.to_owned(), UNREAD),
        false => (schema, key),
    };
    match found.damage.is_empty() {
        true => writeln!(out, "file: whole")?,
        false => {
            writeln!(out, "file: damaged")?;
            for line in &found.damage {
                writeln!(out, "    {}", printable(line))?;
            }
        }
    }
    writeln!(out, "schema: {schema}")?;
    writeln!(out, "master key: {key}")?;
    if !found.tables.is_empty() {
        writeln!(out, "rows:")?;
        let rows: Vec<Vec<String>> = found
            .tables
            .iter()
            .map(|count| vec![count.rows.to_string(), printable(&count.table)])
            .collect();
        for line in table(&rows, &[0]).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    match found.damage.is_empty() && schema_fits && key_fits {
        true => {
            writeln!(out, "The service can go on with this copy.")?;
            Ok(PASSED)
        }
        false => {
            writeln!(out, "The service cannot go on with this copy as it is.")?;
            Ok(FAILED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::kept::upkeep::TableCount;

    fn inspection(schema: Schema) -> Inspection {
        Inspection {
            damage: Vec::new(),
            schema,
            tables: vec![TableCount {
                table: "workspaces".to_owned(),
                rows: 12,
            }],
            key_checks: Vec::new(),
        }
    }

    fn status(found: &Inspection, key: KeyFits) -> (u8, String) {
        let mut out = Vec::new();
        let status = print(found, key, &mut out).unwrap();
        (status, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_copy_is_good_where_everything_is() {
        let good = inspection(Schema::At { last: 3, known: 3 });
        let (passed, said) = status(&good, KeyFits::Yes);
        assert_eq!(passed, PASSED);
        assert!(said.contains("12  workspaces"), "{said}");
        for older_or_newer in [
            Schema::At { last: 2, known: 3 },
            Schema::At { last: 4, known: 3 },
        ] {
            assert_eq!(
                status(&inspection(older_or_newer), KeyFits::NothingSealed).0,
                PASSED
            );
        }
        for bad in [Schema::Absent, Schema::TooNew { last: 4, known: 3 }] {
            assert_eq!(status(&inspection(bad), KeyFits::Yes).0, FAILED);
        }
        for key in [KeyFits::No, KeyFits::NoKey] {
            assert_eq!(status(&good, key).0, FAILED);
        }
        let mut damaged = good;
        damaged.damage.push("row 1 missing from index x".to_owned());
        let (failed, said) = status(&damaged, KeyFits::Yes);
        assert_eq!(failed, FAILED);
        assert!(said.contains("row 1 missing"), "{said}");
        assert!(said.contains("that of this release"), "{said}");
        damaged.schema = Schema::Absent;
        let (failed, said) = status(&damaged, KeyFits::NothingSealed);
        assert_eq!(failed, FAILED);
        assert_eq!(said.matches(UNREAD).count(), 2, "{said}");
    }
}
