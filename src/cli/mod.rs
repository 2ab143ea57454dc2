//! The command line.

pub mod audit;
pub mod backup;
pub mod check;
pub mod connection;
pub mod copy_database;
pub mod dev;
pub mod doctor;
pub mod ending;
pub mod healthcheck;
pub mod keys;
pub mod migrate;
pub mod operator_token;
pub mod provision;
pub mod rekey;
pub mod render;
pub mod restore;
pub mod server;
pub mod shell;
pub mod terminal;

use crate::settings::Options;
use clap::{Parser, Subcommand};

/// Lets a product's customers connect their own Amazon S3 bucket, without handing over a key.
#[derive(Debug, Parser)]
#[command(
    name = "sallyport",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "AWS credentials, Region and endpoints come from the AWS SDK's own variables and files, like AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service; the same as without a command.
    Serve(Box<Options>),
    Migrate(Box<migrate::Arguments>),
    Dev(Box<dev::Arguments>),
    #[command(hide = true)]
    DevService(Box<dev::ServiceArguments>),
    Check(Box<check::Arguments>),
    Render(Box<render::Arguments>),
    Doctor(Box<doctor::Arguments>),
    Provision(Box<provision::Args>),
    Files(Box<server::files::Arguments>),
    Projects(Box<server::projects::Arguments>),
    Export(Box<server::moving::ExportArguments>),
    Import(Box<server::moving::ImportArguments>),
    Backup(Box<backup::Arguments>),
    Restore(Box<restore::Arguments>),
    CopyDatabase(copy_database::Arguments),
    Rekey(Box<rekey::Arguments>),
    Keys(keys::Arguments),
    OperatorToken(Box<operator_token::Arguments>),
    Audit(audit::Arguments),
    /// Ask a running service whether it is alive, or ready: for containers.
    Healthcheck(healthcheck::Arguments),
    /// Print the API's OpenAPI document.
    Openapi,
    Completions(shell::Arguments),
    /// Print the manual page of all commands.
    Man,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_has_a_variable_of_its_flag_s_name_and_says_its_default() {
        let command = Cli::command();
        let settings: Vec<_> = command
            .get_arguments()
            .filter(|a| a.get_env().is_some())
            .collect();
        assert!(settings.len() > 15);
        for setting in settings {
            let flag = setting.get_long().unwrap();
            let variable = format!("SALLYPORT_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(setting.get_env().unwrap().to_str(), Some(variable.as_str()));
            let help = setting.get_help().unwrap().to_string();
            assert!(help.contains("Default"), "{flag}: {help}");
            assert!(help.contains("Example: "), "{flag}: {help}");
        }
    }
}
