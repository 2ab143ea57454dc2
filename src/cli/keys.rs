//! `sallyport keys`

use crate::application::kept::store::SealedColumn;
use crate::application::lost_key::{LostKey, LostKeyError, SealedCount};
use crate::cli::provision::Consent;
use crate::settings::Options;
use std::io::{self, Write};

/// The master key, as an operator handles it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport keys replace --lost")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: KeysCommand,
}

#[derive(Debug, clap::Subcommand)]
pub enum KeysCommand {
    Replace(Box<ReplaceArguments>),
}

/// Go on with another master key after the one of before was lost.
///
/// Stop every replica first, and give the new key in the settings; without one, the file `master.key` is made. The
/// command says first what dies with the lost key, and asks. Connections by role, external IDs, tokens, projects and the
/// audit log stay as they are. To change a key that you have, use `sallyport rekey`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport keys replace --lost
  sallyport keys replace --lost --yes")]
pub struct ReplaceArguments {
    /// The key of before is lost: give up what only it opens
    #[arg(long, required = true)]
    pub lost: bool,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,

    #[command(flatten)]
    pub options: Options,
}

/// Why it ended without having done it, in words for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    LostKey(#[from] LostKeyError),
    #[error("nothing was changed")]
    Refused,
    #[error(
        "nobody was there to ask. Nothing was changed. To do it without being asked, add --yes"
    )]
    NobodyToAsk,
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

/// What becomes of the owner of such a value.
fn consequence(column: SealedColumn) -> &'static str {
    match column {
        SealedColumn::SetupSecrets => "must be entered again in the setup",
        SealedColumn::StorageSecrets => {
            "the storage is `broken` with the code `credentials_lost`, until its owner enters the secret again"
        }
        SealedColumn::PendingSecrets => "must be entered again in the storage's settings",
        SealedColumn::IdempotentAnswers => {
            "a repetition of the request gets a 409 `kept_response_lost`, for a day at most"
        }
        SealedColumn::WebhookSecrets => {
            "the webhook is disabled, until its owner makes another secret and enables it"
        }
        SealedColumn::PreviousWebhookSecrets => "does not sign any more",
    }
}

/// Says what dies, asks, and does it.
pub async fn replace(
    arguments: &ReplaceArguments,
    work: &LostKey,
    ask: impl FnOnce() -> io::Result<Consent>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let counts = work.survey().await?;
    writeln!(
        out,
        "The master key that was given does not open this database. With the lost one these die:\n"
    )?;
    print(&counts, out)?;
    writeln!(
        out,
        "\nPage tokens, upload IDs and browser tokens of before are refused. Connections by role go on, external IDs stay, and so do tokens, keys, sessions, projects and the audit log. Where the lost key may be found again, stop here: what is given up does not come back."
    )?;
    if !arguments.yes {
        match ask()? {
            Consent::Given => {}
            Consent::Refused => return Err(Error::Refused),
            Consent::NobodyToAsk => return Err(Error::NobodyToAsk),
        }
    }
    let counts = work.replace().await?;
    let lost: u64 = counts.iter().map(|count| count.lost).sum();
    writeln!(
        out,
        "{lost} values were given up. The database has the new master key now: keep a copy of it apart from the database, and start the service."
    )?;
    Ok(())
}

fn print(counts: &[SealedCount], out: &mut impl Write) -> io::Result<()> {
    for count in counts {
        let title = count.column.title();
        write!(out, "    {title}: {} lost", count.lost)?;
        if count.kept > 0 {
            write!(out, ", {} stay", count.kept)?;
        }
        match count.lost {
            0 => writeln!(out)?,
            _ => writeln!(out, " ({})", consequence(count.column))?,
        }
    }
    Ok(())
}
