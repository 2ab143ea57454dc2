//! `sallyport rekey`

use crate::application::kept::rekey::{ColumnCount, Rekey, RekeyError};
use crate::settings::Options;
use std::io::{self, Write};

/// Seal everything in the database with the present master key, while the service runs.
///
/// First give every replica the new key as SALLYPORT_MASTER_KEY and the one of before as
/// SALLYPORT_MASTER_KEY_PREVIOUS. After this command the previous key can be removed. It may be stopped and
/// run again at any time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport rekey")]
pub struct Arguments {
    #[command(flatten)]
    pub options: Options,
}

/// Why it ended without having done it, in words for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Rekey(#[from] RekeyError),
    #[error("the result cannot be printed: {0}")]
    Output(#[from] io::Error),
}

/// Seals, and prints what was done.
pub async fn run(rekey: &Rekey, out: &mut impl Write) -> Result<(), Error> {
    let counts = rekey.run().await?;
    for ColumnCount {
        column, resealed, ..
    } in counts
    {
        writeln!(
            out,
            "{}: {resealed} sealed with the present key",
            column.title()
        )?;
    }
    writeln!(
        out,
        "Everything is sealed with the present master key. SALLYPORT_MASTER_KEY_PREVIOUS is not needed any more."
    )?;
    Ok(())
}
