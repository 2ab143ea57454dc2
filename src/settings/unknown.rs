//! Variables that look like settings and are none: a slip that would otherwise be ignored.

use std::fmt;

/// What the names of all our variables begin with.
const PREFIX: &str = "SALLYPORT_";

/// Variables of ours that are no settings: of the project's tests, and those that `sallyport dev` hands to a product.
const OTHERS: &[&str] = &[
    "SALLYPORT_FUZZ_SECONDS",
    "SALLYPORT_KEY",
    "SALLYPORT_PAGE_BUDGET",
    "SALLYPORT_SCREENSHOTS",
    "SALLYPORT_SCREENSHOTS_EVERY",
    "SALLYPORT_TOKEN",
    "SALLYPORT_UPDATE_DOCS",
    "SALLYPORT_URL",
    "SALLYPORT_WEBHOOK_SECRET",
    "SALLYPORT_WORLD",
];
/// And all of these.
const OTHERS_BEGIN_WITH: &str = "SALLYPORT_TEST_";

/// A variable that is no setting, and the setting whose name is the nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    pub name: String,
    pub nearest: Option<String>,
}

/// Every variable that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct UnknownVariables(pub Vec<UnknownVariable>);

impl fmt::Display for UnknownVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, unknown) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(
                f,
                "{} is not a setting.",
                crate::settings::read::shown(&unknown.name)
            )?;
            if let Some(nearest) = &unknown.nearest {
                write!(f, " The nearest one is {nearest}.")?;
            }
            f.write_str(" Correct its name or remove it; `sallyport --help` lists all settings.")?;
        }
        Ok(())
    }
}

/// Refuses variables that begin like a setting and are none. `variables` are names with values, `settings` the
/// names of all settings, and `commands` the names that other commands read. A variable without a value counts
/// as not set.
pub fn refuse_unknown(
    variables: impl Iterator<Item = (String, String)>,
    settings: &[String],
    commands: &[String],
) -> Result<(), UnknownVariables> {
    let is_known = |name: &String| {
        settings.contains(name)
            || commands.contains(name)
            || OTHERS.contains(&name.as_str())
            || name.starts_with(OTHERS_BEGIN_WITH)
    };
    let mut unknown: Vec<UnknownVariable> = variables
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.trim().is_empty())
        .filter(|(name, value)| !is_known(name) && !is_of_kubernetes(name, value))
        .map(|(name, _)| UnknownVariable {
            nearest: nearest(&name, settings),
            name,
        })
        .collect();
    unknown.sort_by(|a, b| a.name.cmp(&b.name));
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(UnknownVariables(unknown)),
    }
}

/// Whether Kubernetes has set it, for a Service whose name begins with `sallyport`: `{NAME}_SERVICE_HOST`,
/// `{NAME}_SERVICE_PORT`, the same with a port's name, `{NAME}_PORT` with an address as its value, and
/// `{NAME}_PORT_8080_TCP` with three endings (Kubernetes documentation, "Service", "Environment variables").
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    if name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT") {
        return true;
    }
    if name.ends_with("_PORT") && value.contains("://") {
        return true;
    }
    let Some((_, after)) = name.rsplit_once("_PORT_") else {
        return false;
    };
    let (number, rest) = after.split_once('_').unwrap_or((after, ""));
    let protocol = rest.split('_').next().unwrap_or_default();
    !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && matches!(protocol, "TCP" | "UDP" | "SCTP")
}

/// The name with the smallest edit distance.
fn nearest(name: &str, names: &[String]) -> Option<String> {
    names
        .iter()
        .min_by_key(|candidate| distance(name, candidate))
        .cloned()
}

/// How many letters must be added, removed or changed to make one text of the other (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut now = Vec::with_capacity(before.len());
        now.push(row + 1);
        for (column, its) in other.iter().enumerate() {
            let changed = before[column] + usize::from(letter != *its);
            let least = changed.min(before[column + 1] + 1).min(now[column] + 1);
            now.push(least);
        }
        before = now;
    }
    before.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn refused(variables: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let settings = names(&[
            "SALLYPORT_LISTEN",
            "SALLYPORT_SESSION_IDLE",
            "SALLYPORT_SESSION_MAX",
        ]);
        let commands = names(&["SALLYPORT_SERVER", "SALLYPORT_TOKEN"]);
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        match refuse_unknown(variables, &settings, &commands) {
            Ok(()) => Vec::new(),
            Err(UnknownVariables(unknown)) => unknown
                .into_iter()
                .map(|unknown| (unknown.name, unknown.nearest))
                .collect(),
        }
    }

    #[test]
    fn a_slip_is_refused_with_the_nearest_name() {
        let found = refused(&[
            ("SALLYPORT_SESION_IDLE", "5m"),
            ("SALLYPORT_LISTEN", "127.0.0.1:0"),
            ("SALLYPORT_LISTN", "x"),
            ("PATH", "/bin"),
        ]);
        let nearest = |name: &str, nearest: &str| (name.to_owned(), Some(nearest.to_owned()));
        assert_eq!(
            found,
            [
                nearest("SALLYPORT_LISTN", "SALLYPORT_LISTEN"),
                nearest("SALLYPORT_SESION_IDLE", "SALLYPORT_SESSION_IDLE"),
            ]
        );
    }

    #[test]
    fn what_others_set_is_left_alone() {
        let others = [
            ("SALLYPORT_SERVER", "https://x"),
            ("SALLYPORT_TOKEN", "x"),
            ("SALLYPORT_TEST_POSTGRES_URL", "x"),
            ("SALLYPORT_FUZZ_SECONDS", "5"),
            ("SALLYPORT_KEY", "x"),
            ("SALLYPORT_UNKNOWN_AND_EMPTY", ""),
            ("sallyport_listen", "x"),
        ];
        assert!(refused(&others).is_empty());
    }

    #[test]
    fn the_variables_of_kubernetes_for_a_service_of_this_name_are_left_alone() {
        let set = [
            ("SALLYPORT_SERVICE_HOST", "10.0.0.11"),
            ("SALLYPORT_SERVICE_PORT", "8080"),
            ("SALLYPORT_SERVICE_PORT_HTTP", "8080"),
            ("SALLYPORT_PORT", "tcp://10.0.0.11:8080"),
            ("SALLYPORT_PORT_8080_TCP", "tcp://10.0.0.11:8080"),
            ("SALLYPORT_PORT_8080_TCP_PROTO", "tcp"),
            ("SALLYPORT_PORT_8080_TCP_PORT", "8080"),
            ("SALLYPORT_PORT_8080_TCP_ADDR", "10.0.0.11"),
            ("SALLYPORT_MANAGEMENT_PORT_9090_TCP_ADDR", "10.0.0.12"),
        ];
        assert!(refused(&set).is_empty());
        // A port is not a setting.
        assert_eq!(refused(&[("SALLYPORT_PORT", "8080")]).len(), 1);
        assert_eq!(refused(&[("SALLYPORT_PORT_NUMBER", "8080")]).len(), 1);
    }

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("info", "inof", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{one} {other}");
        }
    }
}
