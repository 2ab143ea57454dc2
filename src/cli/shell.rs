//! `sallyport completions` and `sallyport man`

use clap::Command;
use clap_complete::Shell;
use std::io::{self, Write};

/// Print a shell's completions of the command line.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport completions bash > /etc/bash_completion.d/sallyport
  sallyport completions zsh > ~/.zfunc/_sallyport
  sallyport completions fish > ~/.config/fish/completions/sallyport.fish")]
pub struct Arguments {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of the whole command line.
pub fn completions(
    arguments: &Arguments,
    mut whole: Command,
    out: &mut impl Write,
) -> io::Result<()> {
    // In memory first: the generator has no word for a pipe whose reader has left.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut whole, "sallyport", &mut text);
    out.write_all(&text)
}

/// Prints the manual: a page for each command, one after the other.
pub fn man(mut whole: Command, out: &mut impl Write) -> io::Result<()> {
    whole.build();
    pages(&whole, "sallyport", out)
}

/// A command's page, and those of the commands below it.
fn pages(command: &Command, name: &str, out: &mut impl Write) -> io::Result<()> {
    let page = command.clone().display_name(name.to_owned());
    clap_mangen::Man::new(page).render(out)?;
    for below in command.get_subcommands() {
        if below.get_name() != "help" && !below.is_hide_set() {
            pages(below, &format!("{name} {}", below.get_name()), out)?;
        }
    }
    Ok(())
}
