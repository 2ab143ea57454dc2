//! `sallyport operator-token`

use crate::settings::Options;

/// Replace the operator's token that the service made on its first start.
///
/// Prints the new token, once. Running services take it, and refuse the old one, within seconds. All other
/// tokens stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport operator-token --replace")]
pub struct Arguments {
    /// Make a new token now
    #[arg(long, required = true)]
    pub replace: bool,

    #[command(flatten)]
    pub options: Options,
}
