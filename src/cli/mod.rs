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
    after_help = "\
Examples:
  sallyport dev
  sallyport serve
  sallyport man > sallyport.1

AWS credentials, Region and endpoints come from the AWS SDK's own variables and files, like AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL."
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
    #[command(after_help = "\
Examples:
  sallyport serve
  SALLYPORT_PUBLIC_URL=https://sallyport.example.com sallyport serve --listen 0.0.0.0:8080")]
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
    #[command(after_help = "\
Examples:
  sallyport openapi > openapi.json")]
    Openapi,
    Completions(shell::Arguments),
    /// Print the manual page of all commands.
    #[command(after_help = "\
Examples:
  sallyport man > sallyport.1
  sallyport man | man -l -")]
    Man,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Every command that people see, with its whole name.
    fn commands(command: &clap::Command, name: &str, found: &mut Vec<(String, clap::Command)>) {
        found.push((name.to_owned(), command.clone()));
        for below in command.get_subcommands() {
            if below.get_name() != "help" && !below.is_hide_set() {
                commands(below, &format!("{name} {}", below.get_name()), found);
            }
        }
    }

    /// The calls of the program in the examples of a help, as words. Those with `...` leave a value out.
    fn calls(help: &str) -> Vec<Vec<String>> {
        let examples = help
            .split_once("Examples:\n")
            .map_or("", |(_, after)| after);
        let examples = examples.replace("\\\n", " ");
        let parts = examples.lines().flat_map(|line| line.split(" | "));
        parts
            .map(|part| {
                part.split_whitespace()
                    .map(|word| word.trim_matches('\'').to_owned())
                    .skip_while(|word| word.starts_with("AWS_") || word.starts_with("SALLYPORT_"))
                    .take_while(|word| word != ">")
                    .collect::<Vec<_>>()
            })
            .filter(|words| words.first().is_some_and(|first| first == "sallyport"))
            .collect()
    }

    #[test]
    fn every_command_has_examples_that_it_takes_and_a_page_of_the_manual() {
        let mut found = Vec::new();
        commands(&Cli::command(), "sallyport", &mut found);
        assert!(found.len() > 25, "{}", found.len());
        let mut manual = Vec::new();
        shell::man(Cli::command(), &mut manual).unwrap();
        let manual = String::from_utf8(manual).unwrap().replace("\\-", "-");
        for (name, command) in found {
            let help = command.get_after_help().map(ToString::to_string);
            let calls = calls(&help.unwrap_or_default());
            let of_it = calls.iter().any(|call| call.join(" ").starts_with(&name));
            assert!(of_it, "{name} has no example: {calls:?}");
            let whole = calls
                .iter()
                .filter(|call| !call.iter().any(|word| word == "..."));
            for call in whole {
                let taken = Cli::command().try_get_matches_from(call);
                assert!(taken.is_ok(), "{call:?}: {:?}", taken.err());
            }
            assert!(manual.contains(&name), "{name} is not in the manual");
        }
    }

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
