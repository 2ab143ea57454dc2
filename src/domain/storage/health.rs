//! How a storage is, by its checks, over time.

use crate::domain::Invalid;
use crate::domain::check::{CheckReport, Verdict};
use crate::domain::ids::{CheckId, StorageId, WorkspaceId};
use time::OffsetDateTime;

/// What the latest check that could tell said, and since when that has been so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: HealthState,
    /// When the check began that first found this state with this code.
    pub since: OffsetDateTime,
    /// The code of the problem that decided the state; `None` where there is none.
    pub code: Option<String>,
    /// The latest check, also one that could not tell.
    pub last_check: Option<CheckId>,
    pub reports: HealthReports,
}

/// The checks that tell what changed. They are kept for as long as they are named here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthReports {
    /// The last that found the storage healthy; before there was one, the one that it was added with.
    pub last_good: Option<CheckId>,
    /// The first since then that found it otherwise. `None` while it is healthy.
    pub first_bad: Option<CheckId>,
    /// The first that found the present state with the present code. `None` while it is healthy.
    pub present: Option<CheckId>,
    /// When the check began that decided the state last. A check that began before it decides nothing.
    /// `None`: only a release decided that did not keep it.
    pub as_of: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthState {
    Healthy,
    Degraded,
    Broken,
    Unknown,
}

impl HealthState {
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Degraded, Self::Broken, Self::Unknown];

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "healthy" => Ok(Self::Healthy),
            "degraded" => Ok(Self::Degraded),
            "broken" => Ok(Self::Broken),
            "unknown" => Ok(Self::Unknown),
            _ => Err(Invalid::new(
                "unknown_health",
                "A storage's health is `healthy`, `degraded`, `broken` or `unknown`.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }

    /// What a check makes of a storage's health. `None`: it proved nothing, and the health stays as it was.
    pub fn after(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Works => Some(Self::Healthy),
            Verdict::WorksWithWarnings | Verdict::WorksInPart => Some(Self::Degraded),
            Verdict::OpenToOthers(_) | Verdict::RefusesUs | Verdict::Broken => Some(Self::Broken),
            Verdict::Undecided => Some(Self::Unknown),
            Verdict::OwnSide | Verdict::Nothing => None,
        }
    }

    /// Whether the storage is checked again sooner than others: what is wrong may be mended at any moment.
    pub fn is_watched(self) -> bool {
        match self {
            Self::Healthy | Self::Degraded => false,
            Self::Broken | Self::Unknown => true,
        }
    }
}

/// A state and the code of what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub state: HealthState,
    pub code: Option<String>,
}

impl Health {
    /// The health of a storage that is added with this check.
    pub fn of_first(check: &CheckReport) -> Self {
        Self {
            state: HealthState::after(&check.verdict()).unwrap_or(HealthState::Unknown),
            since: check.started_at,
            code: check.problem_code().map(str::to_owned),
            last_check: Some(check.id.clone()),
            reports: HealthReports {
                last_good: Some(check.id.clone()),
                ..HealthReports::default()
            },
        }
    }

    pub fn condition(&self) -> Condition {
        Condition {
            state: self.state,
            // Earlier releases kept the code of a hint with a healthy state.
            code: match self.state {
                HealthState::Healthy => None,
                HealthState::Degraded | HealthState::Broken | HealthState::Unknown => {
                    self.code.clone()
                }
            },
        }
    }

    /// Whether a check that began then began before the one that decided the state.
    pub fn is_outdated(&self, began: OffsetDateTime) -> bool {
        self.reports.as_of.is_some_and(|as_of| began < as_of)
    }

    /// The health after this check of the storage's present connection. Checks may end in another order than
    /// they began: of two, the one that began later decides. `last_began` is when the last check began.
    pub fn after(&self, report: &CheckReport, last_began: Option<OffsetDateTime>) -> Self {
        let mut next = self.clone();
        if last_began.is_none_or(|last| last <= report.started_at) {
            next.last_check = Some(report.id.clone());
        }
        let Some(state) = HealthState::after(&report.verdict()) else {
            return next;
        };
        if self.is_outdated(report.started_at) {
            return next;
        }
        let was = self.condition();
        next.state = state;
        next.code = report.problem_code().map(str::to_owned);
        next.reports.as_of = Some(report.started_at);
        if next.condition() != was {
            next.since = report.started_at;
            next.reports.present = Some(report.id.clone());
            if was.state == HealthState::Healthy || self.reports.first_bad.is_none() {
                next.reports.first_bad = Some(report.id.clone());
            }
        }
        if state == HealthState::Healthy {
            next.reports = HealthReports {
                last_good: Some(report.id.clone()),
                first_bad: None,
                present: None,
                as_of: next.reports.as_of,
            };
        }
        next
    }
}

/// What a check does to a storage's quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quarantining {
    /// It begins, because of the problem with this code.
    Began(String),
    Ended,
}

/// What a check does to the quarantine of a storage that had this health before. `since`: it is in
/// quarantine since then.
pub fn quarantining(
    report: &CheckReport,
    before: &Health,
    since: Option<OffsetDateTime>,
) -> Option<Quarantining> {
    let is_outdated = before.is_outdated(report.started_at);
    match (report.verdict(), since) {
        (Verdict::OpenToOthers(code), None) => {
            let refuses_since = match before.state {
                // That check was refused with each wrong ID.
                HealthState::Healthy | HealthState::Degraded => is_outdated,
                // It may not have come so far as to ask.
                HealthState::Broken | HealthState::Unknown => false,
            };
            (!refuses_since).then_some(Quarantining::Began(code))
        }
        // One that began earlier may have asked the role before it was loosened.
        (Verdict::Works | Verdict::WorksWithWarnings | Verdict::WorksInPart, Some(since)) => {
            (report.started_at > since && !is_outdated).then_some(Quarantining::Ended)
        }
        (Verdict::Works | Verdict::WorksWithWarnings | Verdict::WorksInPart, None)
        | (Verdict::OpenToOthers(_), Some(_))
        | (
            Verdict::RefusesUs
            | Verdict::Broken
            | Verdict::Undecided
            | Verdict::OwnSide
            | Verdict::Nothing,
            Some(_) | None,
        ) => None,
    }
}

/// A storage is otherwise than it was: in its state, in the code of the cause, in whether it is used, or in
/// several of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthChange {
    pub workspace: WorkspaceId,
    pub storage: StorageId,
    pub from: Condition,
    pub to: Condition,
    pub quarantine: Option<Quarantining>,
    /// The check that found it.
    pub check: CheckId,
    /// When that check began.
    pub at: OffsetDateTime,
}

impl HealthChange {
    /// Whether state or code differ, and not the quarantine alone.
    pub fn is_of_health(&self) -> bool {
        self.from != self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::entry::Bearing;
    use crate::domain::check::testing::{report, with};
    use crate::domain::check::{StepName, StepStatus};
    use time::Duration;

    fn at(minutes: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::minutes(minutes)
    }

    fn passed(minutes: i64) -> CheckReport {
        report(at(minutes))
    }

    fn failed(minutes: i64, step: StepName, code: &str, bearing: Bearing) -> CheckReport {
        with(report(at(minutes)), step, StepStatus::Failed, code, bearing)
    }

    /// A storage's checks, in the order in which they end, with what each leaves: state, since, code.
    struct History {
        health: Health,
        last: OffsetDateTime,
    }

    impl History {
        fn new() -> Self {
            Self {
                health: Health::of_first(&passed(0)),
                last: at(0),
            }
        }

        fn then(&mut self, report: &CheckReport) -> (HealthState, i64, Option<&str>) {
            self.health = self.health.after(report, Some(self.last));
            self.last = self.last.max(report.started_at);
            let Health {
                state, since, code, ..
            } = &self.health;
            let minutes = (*since - OffsetDateTime::UNIX_EPOCH).whole_minutes();
            (*state, minutes, code.as_deref())
        }
    }

    #[test]
    fn since_follows_state_and_code() {
        use HealthState::{Broken, Degraded, Healthy, Unknown};
        let mut history = History::new();
        let cors = |at| failed(at, StepName::Cors, "cors_origin_missing", Bearing::Definite);
        let role = |at| failed(at, StepName::AssumeRole, "role_refused", Bearing::RefusesUs);
        let listing = |at| failed(at, StepName::ListBucket, "x_missing", Bearing::Definite);
        let slow = |at| failed(at, StepName::GetObject, "aws_throttled", Bearing::Passing);
        let ours = |at| failed(at, StepName::AssumeRole, "clock", Bearing::Undecided);
        for (check, left) in [
            (passed(1), (Healthy, 0, None)),
            (slow(2), (Healthy, 0, None)),
            (cors(3), (Degraded, 3, Some("cors_origin_missing"))),
            (cors(4), (Degraded, 3, Some("cors_origin_missing"))),
            (slow(5), (Degraded, 3, Some("cors_origin_missing"))),
            (role(6), (Broken, 6, Some("role_refused"))),
            (listing(7), (Broken, 7, Some("x_missing"))),
            (listing(8), (Broken, 7, Some("x_missing"))),
            (slow(9), (Broken, 7, Some("x_missing"))),
            (ours(10), (Unknown, 10, Some("clock"))),
            (passed(11), (Healthy, 11, None)),
            (passed(12), (Healthy, 11, None)),
        ] {
            assert_eq!(history.then(&check), left);
            assert_eq!(history.health.last_check, Some(check.id));
        }
    }

    #[test]
    fn the_checks_of_a_bad_spell_are_known() {
        let mut history = History::new();
        let good = passed(1);
        let cors = failed(2, StepName::Cors, "cors_none", Bearing::Definite);
        let role = failed(3, StepName::AssumeRole, "role_refused", Bearing::RefusesUs);
        for check in [&good, &cors, &role] {
            history.then(check);
        }
        // Again, and one that proves nothing.
        history.then(&failed(
            4,
            StepName::AssumeRole,
            "role_refused",
            Bearing::RefusesUs,
        ));
        history.then(&failed(5, StepName::AssumeRole, "x", Bearing::Passing));
        let reports = &history.health.reports;
        assert_eq!(
            (&reports.last_good, &reports.first_bad, &reports.present),
            (&Some(good.id), &Some(cors.id), &Some(role.id))
        );
        let healed = passed(6);
        history.then(&healed);
        let reports = history.health.reports;
        assert_eq!(
            (reports.last_good, reports.first_bad, reports.present),
            (Some(healed.id), None, None)
        );
    }

    #[test]
    fn of_two_checks_the_one_that_began_later_decides() {
        let role = |at| failed(at, StepName::AssumeRole, "role_refused", Bearing::RefusesUs);
        let mut history = History::new();
        let later = role(5);
        history.then(&later);
        // It ended later and began earlier.
        let (state, since, _) = history.then(&passed(4));
        assert_eq!((state, since), (HealthState::Broken, 5));
        assert_eq!(history.health.last_check, Some(later.id));
        let mut history = History::new();
        history.then(&passed(5));
        assert_eq!(history.then(&role(4)).0, HealthState::Healthy);
        // One that proves nothing is the last check, and an earlier one still decides.
        history.then(&failed(9, StepName::GetObject, "x", Bearing::Passing));
        assert_eq!(history.then(&role(8)).0, HealthState::Broken);
    }

    #[test]
    fn a_quarantine_begins_and_ends_by_the_latest_word() {
        let open = |at| {
            failed(
                at,
                StepName::RefusesMissingExternalId,
                "open",
                Bearing::OpenToOthers,
            )
        };
        let began = Some(Quarantining::Began("open".to_owned()));
        let mut history = History::new();
        history.then(&passed(5));
        assert_eq!(quarantining(&open(6), &history.health, None), began);
        // A later check was refused with each wrong ID.
        assert_eq!(quarantining(&open(4), &history.health, None), None);
        // A later check that was refused altogether says nothing of others.
        history.then(&failed(7, StepName::AssumeRole, "x", Bearing::RefusesUs));
        assert_eq!(quarantining(&open(6), &history.health, None), began);
        history.then(&open(8));
        let since = Some(at(8));
        assert_eq!(quarantining(&open(9), &history.health, since), None);
        assert_eq!(quarantining(&passed(7), &history.health, since), None);
        let ended = Some(Quarantining::Ended);
        assert_eq!(quarantining(&passed(9), &history.health, since), ended);
        let cors = failed(9, StepName::Cors, "cors_none", Bearing::Definite);
        assert_eq!(quarantining(&cors, &history.health, since), ended);
        // Loosened again since.
        history.then(&open(12));
        assert_eq!(quarantining(&passed(11), &history.health, since), None);
    }
}
