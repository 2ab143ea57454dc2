//! `sallyport migrate`

use crate::settings::Options;
use std::io::{self, Write};

/// Bring the schema of the database up to date, and end.
///
/// Needs a database role that owns the tables, and of the settings the database's only. A service with
/// SALLYPORT_MIGRATE=off then serves with a role that may read and write rows and nothing else. Services of the
/// release before go on running on the new schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  SALLYPORT_DATABASE_URL=postgres://owner@db.example.com/sallyport sallyport migrate")]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
}

/// Says which migrations were missing, and are there now.
pub fn report(missing: &[i64], out: &mut impl Write) -> io::Result<()> {
    match missing {
        [] => writeln!(out, "The schema is up to date. Nothing was changed."),
        [only] => writeln!(
            out,
            "Migration {only} was applied. The schema is up to date."
        ),
        [first, .., last] => writeln!(
            out,
            "{} migrations were applied, {first} to {last}. The schema is up to date.",
            missing.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_missing() {
        for (missing, said) in [
            (&[][..], "Nothing was changed"),
            (&[3], "Migration 3 was applied"),
            (&[3, 4, 5], "3 migrations were applied, 3 to 5"),
        ] {
            let mut out = Vec::new();
            report(missing, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            assert!(out.contains(said), "{out}");
        }
    }
}
