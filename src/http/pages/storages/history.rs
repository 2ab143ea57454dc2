//! A storage's health over time: its last checks as a strip of bars, with words for what failed.

use crate::application::storages::StorageView;
use crate::domain::check::{CheckReport, Outcome, StepStatus};
use crate::domain::connection::Credentials;
use crate::domain::storage::HealthState;
use crate::http::pages::shell::moment::{Moment, thousands};

/// How many checks the strip shows.
pub const BARS: u32 = 40;
/// How many failures are described in words.
const MOST_FAILURES: usize = 3;

/// The last checks of a storage.
#[derive(Default)]
pub struct History {
    /// Oldest first.
    pub bars: Vec<Bar>,
    /// Those that failed or warned, newest first.
    pub failures: Vec<Failure>,
    passed: usize,
    warned: usize,
    /// How long the check in the middle took, of those that passed.
    typical: Option<u64>,
}

/// One check of the strip.
pub struct Bar {
    /// The class of its colour.
    pub kind: &'static str,
    pub words: String,
}

/// A check that did not pass, or not without a warning.
pub struct Failure {
    pub at: Moment,
    pub kind: &'static str,
    pub word: &'static str,
    /// The titles of its steps that failed or warned.
    pub steps: String,
}

impl History {
    /// `checks` are the newest first.
    pub fn of(checks: &[CheckReport]) -> Self {
        let count = |wanted| checks.iter().filter(|c| c.outcome() == wanted).count();
        let mut took: Vec<u64> = checks
            .iter()
            .filter(|check| check.outcome().is_pass())
            .map(|check| check.duration_ms)
            .collect();
        took.sort_unstable();
        Self {
            bars: checks.iter().rev().map(Bar::of).collect(),
            failures: checks
                .iter()
                .filter_map(Failure::of)
                .take(MOST_FAILURES)
                .collect(),
            passed: count(Outcome::Passed),
            warned: count(Outcome::PassedWithWarnings),
            typical: took.get(took.len() / 2).copied(),
        }
    }

    pub fn number(&self) -> usize {
        self.bars.len()
    }

    /// `38 of 40`: how many found the connection working.
    pub fn worked(&self) -> String {
        format!("{} of {}", self.passed + self.warned, self.number())
    }

    /// The strip, for those who do not see it.
    pub fn in_words(&self) -> String {
        let failed = self.number() - self.passed - self.warned;
        let mut words = format!("The last {}: {} passed", checks(self.number()), self.passed);
        if self.warned > 0 {
            words.push_str(&format!(", {} passed with a warning", self.warned));
        }
        words.push_str(&format!(", {failed} failed."));
        words
    }

    /// How long a check takes, like `213 ms`.
    pub fn typical(&self) -> Option<String> {
        self.typical.map(duration)
    }
}

impl Bar {
    fn of(check: &CheckReport) -> Self {
        let (kind, word) = match check.outcome() {
            Outcome::Passed => ("g", "passed"),
            Outcome::PassedWithWarnings => ("w", "passed with a warning"),
            Outcome::Failed => ("b", "failed"),
        };
        let at = Moment(check.started_at).words();
        Self {
            kind,
            words: format!("{at}: {word}"),
        }
    }
}

impl Failure {
    fn of(check: &CheckReport) -> Option<Self> {
        let (kind, word, status) = match check.outcome() {
            Outcome::Passed => return None,
            Outcome::PassedWithWarnings => ("warn", "Warning", StepStatus::Warning),
            Outcome::Failed => ("bad", "Failed", StepStatus::Failed),
        };
        let steps: Vec<&str> = check
            .steps
            .as_slice()
            .iter()
            .filter(|step| step.status == status)
            .map(|step| step.name.title())
            .collect();
        Some(Self {
            at: Moment(check.started_at),
            kind,
            word,
            steps: match steps.as_slice() {
                [] => word.to_owned(),
                [only] => (*only).to_owned(),
                [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
            },
        })
    }
}

fn checks(number: usize) -> String {
    match number {
        1 => "check".to_owned(),
        more => format!("{more} checks"),
    }
}

fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        _ => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}

/// One of the four facts that a storage's page begins with.
pub struct Tile {
    pub label: &'static str,
    /// Shown as how long ago, in place of the text.
    pub at: Option<Moment>,
    pub text: String,
    pub note: String,
}

impl Tile {
    pub fn text(label: &'static str, text: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            label,
            at: None,
            text: text.into(),
            note: note.into(),
        }
    }

    pub fn at(label: &'static str, at: Moment, note: impl Into<String>) -> Self {
        Self {
            at: Some(at),
            ..Self::text(label, "", note)
        }
    }

    pub fn number(label: &'static str, number: i64, note: impl Into<String>) -> Self {
        Self::text(label, thousands(number), note)
    }
}

/// The facts that the page begins with. The built-in storage has no record of any.
pub fn tiles(view: &StorageView, last: Option<&CheckReport>, history: &History) -> Vec<Tile> {
    let Some(storage) = view.own() else {
        return Vec::new();
    };
    let settings = &view.connection.settings;
    let checked = storage.health.last_check.as_ref();
    let last_check = match checked.and_then(|check| check.ended_at()) {
        Some(at) => Tile::at("Last check", Moment(at), last.map_or("", steps_in_words)),
        None => Tile::text("Last check", "None yet", ""),
    };
    let access = match settings.access.writes() {
        true => "Read and write",
        false => "Read",
    };
    let signs_in = match &view.connection.credentials {
        Credentials::Role { .. } => "by a role",
        Credentials::AccessKey { .. } => "by an access key",
        Credentials::Service => "by the service’s own role",
    };
    let third = match (history.typical(), &settings.region) {
        (Some(took), _) => Tile::text("A check takes", took, "median of those that passed"),
        (None, Some(region)) => Tile::text("Region", region.to_string(), ""),
        (None, None) => Tile::text("Region", "Not known", ""),
    };
    vec![
        last_check,
        Tile::number("Projects", storage.project_count, ""),
        third,
        Tile::text("Access", access, signs_in),
    ]
}

/// What came of a check, as the note below its time.
fn steps_in_words(check: &CheckReport) -> &'static str {
    match check.outcome() {
        Outcome::Passed => "passed",
        Outcome::PassedWithWarnings => "passed with a warning",
        Outcome::Failed => "failed",
    }
}

/// Whether the page shows a failed check below a state that it did not change. docs/health.md says which
/// answers prove nothing.
pub fn proves_nothing(view: &StorageView, last: Option<&CheckReport>) -> bool {
    let failed = last.is_some_and(|check| check.outcome() == Outcome::Failed);
    let works = view.own().is_some_and(|storage| {
        storage.quarantine.is_none()
            && storage.is_verified()
            && match storage.health.state {
                HealthState::Healthy | HealthState::Degraded => true,
                HealthState::Broken | HealthState::Unknown => false,
            }
    });
    failed && works
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::entry::Bearing;
    use crate::domain::check::StepName;
    use crate::domain::check::testing::{report, with};
    use time::{Duration, OffsetDateTime};

    #[test]
    fn a_strip_has_words_for_what_failed() {
        let at = |minutes| OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes);
        let bad = with(
            report(at(2)),
            StepName::ListBucket,
            StepStatus::Failed,
            "x_missing",
            Bearing::Definite,
        );
        let history = History::of(&[report(at(3)), bad, report(at(1))]);
        let kinds: Vec<_> = history.bars.iter().map(|bar| bar.kind).collect();
        assert_eq!(kinds, ["g", "b", "g"]);
        assert_eq!(history.worked(), "2 of 3");
        assert_eq!(history.in_words(), "The last 3 checks: 2 passed, 1 failed.");
        assert!(history.typical().is_some());
        let [failure] = history.failures.as_slice() else {
            panic!("one failed")
        };
        assert_eq!(failure.at.machine(), "1970-01-01T00:02:00Z");
        assert!(failure.steps.starts_with(StepName::ListBucket.title()));
    }

    #[test]
    fn none_has_no_strip() {
        let none = History::of(&[]);
        assert!(none.bars.is_empty() && none.failures.is_empty());
        assert_eq!(none.typical(), None);
    }
}
