//! What a log filter may name: the parts of this program that log, and the libraries that do.

use crate::domain::invalid::shown;
use tracing::level_filters::LevelFilter;

/// What the targets of this program begin with.
const OWN: &str = "sallyport";

/// The modules of this program that log, below `sallyport::`. A test compares them with the sources.
const MODULES: &[&str] = &[
    "application::checks",
    "application::checks::checker",
    "application::checks::health",
    "application::checks::probe_steps",
    "application::checks::recorder",
    "application::checks::scheduled",
    "application::connections::identity",
    "application::connections::quick_create",
    "application::events::deliver",
    "application::files::archive",
    "application::files::read_watch",
    "application::jobs::janitor",
    "application::jobs::lag",
    "application::kept::idempotency",
    "application::kept::rekey",
    "application::kept::retention",
    "application::moving::exports",
    "application::moving::imports",
    "application::outage",
    "application::people::audit",
    "application::people::authenticate",
    "application::people::issuer",
    "application::people::openid::provider",
    "application::projects::imports",
    "application::readiness",
    "application::setups::instructions",
    "application::setups::waiting",
    "aws::client::clients",
    "aws::client::own_credentials",
    "aws::client::trust",
    "aws::files::body_source",
    "aws::files::content",
    "aws::files::lost_answer",
    "aws::files::parts",
    "aws::files::pieces",
    "aws::files::read",
    "aws::files::spool",
    "aws::files::upload_call",
    "aws::files::upload_parts",
    "aws::files::write",
    "aws::sessions::cache",
    "aws::sessions::opener",
    "database",
    "database::backup",
    "database::connect",
    "database::erasure",
    "database::feed",
    "database::lock",
    "database::open",
    "database::reach",
    "http::boundary",
    "http::cors",
    "http::delivery",
    "http::json_pieces",
    "http::pages::files::place",
    "http::pages::people::openid",
    "http::pages::projects::new",
    "http::pages::projects::project",
    "http::pages::setups::check",
    "http::setup_events",
    "http::trail",
    "logging",
    "outgoing::webhooks",
    "startup",
    "startup::closing",
    "startup::first_contact",
    "startup::listening",
    "startup::places",
    "startup::program",
    "startup::reload",
    "startup::token_file",
];

/// The libraries that write to the log: those that use `tracing`.
const LIBRARIES: &[&str] = &[
    "actix_codec",
    "actix_http",
    "actix_router",
    "actix_server",
    "actix_web",
    "aws_config",
    "aws_runtime",
    "aws_sdk_iam",
    "aws_sdk_s3",
    "aws_sdk_sso",
    "aws_sdk_ssooidc",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_checksums",
    "aws_smithy_http",
    "aws_smithy_http_client",
    "aws_smithy_observability",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "aws_types",
    "h2",
    "hyper_util",
    "quinn",
    "quinn_proto",
    "quinn_udp",
    // The target of its statements.
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_sqlite",
];

/// Libraries whose log goes elsewhere. To name them is no slip.
const ELSEWHERE: &[&str] = &["hyper", "reqwest", "rustls"];

/// Whether one directive of a filter, like `sallyport::http=debug`, names a level and something that logs. The error
/// says what is allowed.
pub(super) fn check(directive: &str) -> Result<(), String> {
    let is_level = !directive.contains(['=', '[']);
    let level = match (is_level, directive.rsplit_once(']')) {
        (true, _) => Some(directive),
        (false, Some((_, rest))) => rest.strip_prefix('='),
        (false, None) => directive.split_once('=').map(|(_, level)| level),
    };
    if let Some(word) = level.filter(|word| word.is_empty() || word.parse::<LevelFilter>().is_err())
    {
        return Err(format!(
            "The log filter cannot be read: `{}` is not a level, which is off, error, warn, info, debug or trace. The level of a part is written like `sallyport=debug`.",
            shown(word)
        ));
    }
    let target = directive.split(['=', '[']).next().unwrap_or_default();
    if is_level || target.is_empty() || names_something(target) {
        return Ok(());
    }
    Err(format!(
        "The log filter cannot be used: nothing that logs is called `{}`. There are `{OWN}`, its parts like `{OWN}::http` ({}), and the libraries {}.",
        shown(target),
        parts().join(", "),
        LIBRARIES.join(", ")
    ))
}

/// Whether something that logs has this target, or one that begins with it: that is how filters are applied.
fn names_something(target: &str) -> bool {
    match target.strip_prefix(OWN).map(|rest| rest.strip_prefix("::")) {
        Some(Some(below)) => MODULES.iter().any(|module| module.starts_with(below)),
        // The module of a library may have any name.
        Some(None) | None => {
            let library = target.split("::").next().unwrap_or_default();
            OWN.starts_with(target)
                || LIBRARIES.contains(&library)
                || ELSEWHERE.contains(&library)
                || LIBRARIES.iter().any(|library| library.starts_with(target))
        }
    }
}

/// The parts of the program, without what is below them.
fn parts() -> Vec<&'static str> {
    let mut parts: Vec<&str> = MODULES
        .iter()
        .map(|module| module.split("::").next().unwrap_or(module))
        .collect();
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_target_is_of_something_that_logs() {
        for directive in [
            "sallyport=debug",
            "sallyport::http=debug",
            "sallyport::http::boundary=off",
            "sallyport::application::jobs=trace",
            "sqlx=info",
            "sqlx::query=debug",
            "aws=trace",
            "aws_smithy_runtime::client=debug",
            "actix_http=debug",
            "rustls=warn",
            "[request]=debug",
            "[request]",
            "sallyport::http[request{request_id=a}]=trace",
        ] {
            assert_eq!(check(directive), Ok(()), "{directive}");
        }
        for directive in [
            "salyport=debug",
            "sallyport::htpp=debug",
            "sallyport::http::bondary=debug",
            "sallyports=debug",
            " sallyport=debug",
            "sqlxx=warn",
            "awss[request]=info",
            "tower_http=debug",
        ] {
            let refused = check(directive).unwrap_err();
            assert!(refused.contains("nothing that logs"), "{refused}");
            for allowed in ["`sallyport`", "database, http, logging", "actix_http"] {
                assert!(refused.contains(allowed), "{allowed}: {refused}");
            }
        }
    }

    #[test]
    fn a_part_has_a_level() {
        for directive in [
            "sallyport=loud",
            "sallyport=",
            "[request]=loud",
            "inof",
            "sqlx= info",
        ] {
            let refused = check(directive).unwrap_err();
            assert!(refused.contains("is not a level"), "{directive}: {refused}");
        }
    }

    /// A module that begins to log is added to the list, and one that ends to is taken out.
    #[test]
    fn the_modules_are_those_of_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = Vec::new();
        gather(&root, &root, &mut found);
        found.sort();
        assert_eq!(found, MODULES);
    }

    fn gather(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(root, &path, found);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap_or_default();
            let logs = ["trace", "debug", "info", "warn", "error", "event"]
                .iter()
                .any(|word| {
                    source.contains(&format!("tracing::{word}!("))
                        || source.contains(&format!("tracing::{word}_span!("))
                });
            if logs {
                let name = path.strip_prefix(root).unwrap().with_extension("");
                let name = name.to_str().unwrap().replace('/', "::");
                found.push(name.strip_suffix("::mod").unwrap_or(&name).to_owned());
            }
        }
    }

    /// What uses `tracing` by the lock file: libraries of other systems, and of other databases, are not built.
    #[test]
    fn the_libraries_are_those_of_the_lock_file() {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let mut found: Vec<String> = lock
            .split("[[package]]")
            .filter(|package| package.contains("\n \"tracing\","))
            .filter_map(|package| package.split('"').nth(1))
            .map(|name| name.replace('-', "_"))
            .filter(|name| {
                !["sallyport", "sqlx_mysql", "tracing_subscriber"].contains(&name.as_str())
            })
            .collect();
        found.push("sqlx".to_owned());
        found.sort();
        assert_eq!(found, LIBRARIES);
    }
}
