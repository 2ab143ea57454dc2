//! The settings as the log shows them: what is written, or the default. Never a secret.

use crate::settings::options::Options;
use crate::settings::read::shown;
use clap::{Args, Command};
use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// The names of all settings, as variables.
pub fn names() -> Vec<String> {
    let command = Options::augment_args(Command::new("settings"));
    command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned))
        .collect()
}

/// Every setting with its value, in the order of the help: `NAME=value`, separated by `; `. A secret that is given
/// is masked; one that is in a file has the name of the file's setting. `written` is what the settings were parsed from, and `parsed` has those that are shown as they were
/// understood.
pub fn in_force(written: &Options, parsed: &[(&str, String)]) -> String {
    // Texts and nulls alone: this does not fail.
    let written = serde_json::to_value(written).unwrap_or_default();
    let command = Options::augment_args(Command::new("settings"));
    let mut lines = Vec::new();
    for argument in command.get_arguments() {
        let Some(name) = argument.get_env().and_then(|name| name.to_str()) else {
            continue;
        };
        let given = |id: &str| {
            let text = written.get(id).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty())
        };
        let id = argument.get_id().as_str();
        let value = given(id);
        let file = given(&format!("{id}_file"));
        let parsed = parsed.iter().find(|(parsed, _)| *parsed == name);
        let value = match (parsed, value) {
            (Some((_, parsed)), _) => shown(parsed),
            (None, Some(_)) if argument.is_hide_env_values_set() => MASK.to_owned(),
            (None, Some(value)) => shown(value),
            (None, None) if file.is_some() => format!("read from {name}_FILE"),
            (None, None) => {
                let help = argument.get_help().map(ToString::to_string);
                default_of(&help.unwrap_or_default()).to_owned()
            }
        };
        lines.push(format!("{name}={value}"));
    }
    lines.join("; ")
}

/// What a setting's help calls its default.
fn default_of(help: &str) -> &str {
    let Some((_, rest)) = help.split_once("Default") else {
        return "";
    };
    let rest = rest.split_once(": ").map_or(rest, |(_, rest)| rest);
    let end = rest.find(". Example: ").unwrap_or(rest.len());
    rest[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_setting_is_shown_and_no_secret() {
        let secret = "0123456789abcdef0123456789abcdef";
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let options = Options {
            operator_token: Some(secret.into()),
            operator_token_previous: Some(format!("{secret}-before")),
            database_url: Some("postgres://me:hunter2@localhost/x".into()),
            master_key: Some(key.into()),
            master_key_previous: Some(key.into()),
            drain: Some("3s".into()),
            ..Options::default()
        };
        let settings = Settings::parse(options.clone()).unwrap();
        let shown = settings.in_force(&options);
        for secret in [secret, "hunter2", "AAAA"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        for name in names() {
            assert!(shown.contains(&format!("{name}=")), "{name}: {shown}");
        }
        for part in [
            "SALLYPORT_OPERATOR_TOKEN=***",
            "SALLYPORT_DATABASE_URL=postgres://localhost:5432/x",
            "SALLYPORT_DRAIN=3s",
            "SALLYPORT_SHUTDOWN_GRACE=25s",
            "SALLYPORT_LISTEN=127.0.0.1:8080;",
            "SALLYPORT_MEMORY_BUDGET=256MiB;",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn a_secret_in_a_file_is_not_said_to_be_made() {
        let options = Options {
            operator_token_file: Some("/run/secrets/token".into()),
            oidc_client_secret_file: Some(" /run/secrets/oidc ".into()),
            master_key_file: Some(" ".into()),
            ..Options::default()
        };
        let shown = in_force(&options, &[]);
        for part in [
            "SALLYPORT_OPERATOR_TOKEN=read from SALLYPORT_OPERATOR_TOKEN_FILE;",
            "SALLYPORT_OPERATOR_TOKEN_FILE=/run/secrets/token;",
            "SALLYPORT_OIDC_CLIENT_SECRET=read from SALLYPORT_OIDC_CLIENT_SECRET_FILE;",
            "SALLYPORT_MASTER_KEY=made on the first start",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn whatever_sounds_like_a_secret_is_masked() {
        let command = Options::augment_args(Command::new("settings"));
        let mut masked = 0;
        for argument in command.get_arguments() {
            let Some(name) = argument.get_env().and_then(|name| name.to_str()) else {
                continue;
            };
            let sounds = ["TOKEN", "KEY", "SECRET", "PASSWORD"]
                .iter()
                .any(|word| name.contains(word));
            let is_value = !name.ends_with("_FILE")
                && !name.ends_with("_PER_MINUTE")
                && !name.ends_with("_KEYS");
            if sounds && is_value {
                assert!(argument.is_hide_env_values_set(), "{name}");
                masked += 1;
            }
        }
        assert!(masked >= 4, "{masked}");
    }
}
