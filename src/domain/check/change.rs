//! What differs between two reports of the same storage, in words.

use crate::domain::cause::entry::Bearing;
use crate::domain::check::problem::{DecidedBy, Denied, DeniedEffect, StepProblem};
use crate::domain::check::{CheckReport, Step, StepName, StepStatus};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const MOMENT: &[BorrowedFormatItem<'static>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");

/// What differs, in sentences, in the order of the steps. Each says what a check found at its time, and
/// nothing of the time between. `before` began earlier. Faults that pass are left out: they say nothing of the
/// storage.
pub fn between(before: &CheckReport, after: &CheckReport) -> Vec<String> {
    let (then, now) = (moment(before.started_at), moment(after.started_at));
    let (mut sentences, mut said) = (Vec::new(), Vec::new());
    for (was, is) in before.steps.as_slice().iter().zip(after.steps.as_slice()) {
        let sentence = match (Found::of(was), Found::of(is)) {
            (Found::Works, Found::Wrong(problem)) => {
                format!(
                    "On {then}, {}. On {now}, {}.",
                    works(is.name),
                    wrong(problem)
                )
            }
            (Found::Wrong(old), Found::Wrong(problem)) if old.code != problem.code => {
                format!("On {then}, {}. On {now}, {}.", wrong(old), wrong(problem))
            }
            (Found::Nothing, Found::Wrong(problem)) => {
                format!("On {now}, {}.", wrong(problem))
            }
            (Found::Wrong(old), Found::Works) => {
                format!("On {then}, {}. On {now}, {}.", wrong(old), works(is.name))
            }
            (Found::Wrong(_), Found::Wrong(_) | Found::Nothing)
            | (Found::Works | Found::Nothing, Found::Works | Found::Nothing) => continue,
        };
        // One cause over several steps is said once, at the first of them.
        let codes = (Found::of(was).code(), Found::of(is).code());
        if !said.contains(&codes) {
            said.push(codes);
            sentences.push(sentence);
        }
    }
    sentences
}

/// Whether the two are of different settings. `before` began earlier; it is of the same storage, or of the
/// setup that became it.
pub fn is_of_other_settings(before: &CheckReport, after: &CheckReport) -> bool {
    match before.target == after.target {
        true => before.revision != after.revision,
        // A storage begins with exactly the settings of its setup's last check, as its first revision.
        false => after.revision != 1,
    }
}

/// Says that the settings were changed between two checks, and by whom, where that is known.
pub fn settings_changed(by: Option<(&str, OffsetDateTime)>) -> String {
    match by {
        Some((actor, at)) => format!(
            "Between the two checks, on {}, `{actor}` changed the storage's settings.",
            moment(at)
        ),
        None => "Between the two checks, the storage's settings were changed.".to_owned(),
    }
}

/// What a step says of the storage.
enum Found<'a> {
    Works,
    Wrong(&'a StepProblem),
    /// It was not made, or a fault came in that passes.
    Nothing,
}

impl<'a> Found<'a> {
    fn of(step: &'a Step) -> Self {
        let problem = step.problem.as_ref();
        match (step.status, problem) {
            (StepStatus::Passed, _) => Self::Works,
            (StepStatus::Skipped, _) | (StepStatus::Failed | StepStatus::Warning, None) => {
                Self::Nothing
            }
            (StepStatus::Failed | StepStatus::Warning, Some(problem)) => match problem.bearing {
                Bearing::Passing => Self::Nothing,
                Bearing::Harmless => Self::Works,
                Bearing::Definite
                | Bearing::OpenToOthers
                | Bearing::RefusesUs
                | Bearing::Undecided => Self::Wrong(problem),
            },
        }
    }

    fn code(&self) -> Option<&'a str> {
        match self {
            Self::Wrong(problem) => Some(&problem.code),
            Self::Works | Self::Nothing => None,
        }
    }
}

fn moment(at: OffsetDateTime) -> String {
    at.format(MOMENT).unwrap_or_default()
}

/// What a check found where the step passed.
fn works(step: StepName) -> &'static str {
    match step {
        StepName::AssumeRole => "the role let the service in",
        StepName::RefusesMissingExternalId => "the role refused a call without an external ID",
        StepName::RefusesWrongExternalId => "the role refused calls with a wrong external ID",
        StepName::GetBucketLocation => "the bucket's Region could be read",
        StepName::BucketOwner => "the bucket belonged to the account in the settings",
        StepName::ListBucket => "files could be listed",
        StepName::GetObject => "reading a file was allowed",
        StepName::PutObject => "a file could be written",
        StepName::DeleteObject => "the check's own file could be deleted",
        StepName::Cors => "the bucket's CORS rules allowed every origin of the service",
    }
}

/// What a check found where the step did not pass: what AWS said of a denial, or else the problem's title.
fn wrong(problem: &StepProblem) -> String {
    let denied = problem.evidence.iter().filter_map(|e| e.denied.as_ref());
    denied
        .filter_map(refusal)
        .next()
        .unwrap_or_else(|| format!("the check found: {}", problem.title.trim_end_matches('.')))
}

fn refusal(denied: &Denied) -> Option<String> {
    let (action, by) = (denied.action.as_deref()?, denied.by?);
    let policy = policy(by, action)?;
    let named = match &denied.policy_arn {
        Some(arn) => format!(" (`{arn}`)"),
        None => String::new(),
    };
    Some(match denied.effect? {
        DeniedEffect::ExplicitDeny => {
            format!("AWS refused `{action}`: a statement in a {policy}{named} denies it")
        }
        DeniedEffect::ImplicitDeny => {
            format!("AWS refused `{action}`: no {policy}{named} allows it")
        }
    })
}

/// `None`: it was no policy.
fn policy(by: DecidedBy, action: &str) -> Option<&'static str> {
    Some(match by {
        DecidedBy::IdentityPolicy => "identity-based policy",
        DecidedBy::ResourcePolicy => match action.split_once(':').map(|(service, _)| service) {
            Some("s3") => "bucket policy",
            Some("kms") => "key policy",
            Some(_) | None => "resource-based policy",
        },
        DecidedBy::TrustPolicy => "role trust policy",
        DecidedBy::SessionPolicy => "session policy",
        DecidedBy::PermissionsBoundary => "permissions boundary",
        DecidedBy::ServiceControlPolicy => "service control policy",
        DecidedBy::ResourceControlPolicy => "resource control policy",
        DecidedBy::VpcEndpointPolicy => "VPC endpoint policy",
        DecidedBy::Mfa => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::AwsCall;
    use crate::domain::check::problem::Evidence;
    use crate::domain::check::testing::{edit, report, with};
    use crate::domain::ids::CheckId;
    use time::macros::datetime;

    const GOOD: OffsetDateTime = datetime!(2026-11-24 14:02:10 UTC);
    const BAD: OffsetDateTime = datetime!(2026-11-24 15:01:59 UTC);

    fn bad(step: StepName, code: &str, bearing: Bearing) -> CheckReport {
        with(report(BAD), step, StepStatus::Failed, code, bearing)
    }

    fn denied(report: CheckReport, step: StepName, denied: Denied) -> CheckReport {
        edit(report, step, |step| {
            if let Some(problem) = &mut step.problem {
                problem.evidence.push(Evidence {
                    call: AwsCall {
                        operation: "X".to_owned(),
                        http_status: Some(403),
                        error_code: None,
                        request_id: None,
                    },
                    denied: Some(denied),
                });
            }
        })
    }

    fn by(action: &str, by: DecidedBy, effect: DeniedEffect) -> Denied {
        Denied {
            action: Some(action.to_owned()),
            resource: None,
            by: Some(by),
            effect: Some(effect),
            policy_arn: None,
        }
    }

    #[test]
    fn what_passed_and_what_aws_refuses_now() {
        let step = StepName::GetObject;
        let after = denied(
            bad(step, "storage_access_denied", Bearing::Definite),
            step,
            by(
                "s3:GetObject",
                DecidedBy::ResourcePolicy,
                DeniedEffect::ExplicitDeny,
            ),
        );
        assert_eq!(
            between(&report(GOOD), &after),
            [
                "On 24 Nov 2026, 14:02 UTC, reading a file was allowed. On 24 Nov 2026, 15:01 UTC, AWS refused `s3:GetObject`: a statement in a bucket policy denies it."
            ]
        );
        let no_allow = by(
            "kms:Decrypt",
            DecidedBy::ResourcePolicy,
            DeniedEffect::ImplicitDeny,
        );
        assert_eq!(
            refusal(&no_allow).unwrap(),
            "AWS refused `kms:Decrypt`: no key policy allows it"
        );
        let named = Denied {
            policy_arn: Some("arn:aws:organizations::1:policy/x".to_owned()),
            ..by(
                "s3:PutObject",
                DecidedBy::ServiceControlPolicy,
                DeniedEffect::ExplicitDeny,
            )
        };
        assert_eq!(
            refusal(&named).unwrap(),
            "AWS refused `s3:PutObject`: a statement in a service control policy (`arn:aws:organizations::1:policy/x`) denies it"
        );
        // AWS's words are not enough for a sentence of their own.
        for denied in [
            Denied {
                by: None,
                ..no_allow.clone()
            },
            Denied {
                action: None,
                ..no_allow.clone()
            },
            Denied {
                effect: None,
                ..no_allow.clone()
            },
            Denied {
                by: Some(DecidedBy::Mfa),
                ..no_allow
            },
        ] {
            assert_eq!(refusal(&denied), None, "{denied:?}");
        }
    }

    #[test]
    fn one_cause_over_several_steps_is_said_once() {
        let mut after = bad(StepName::ListBucket, "denied", Bearing::Definite);
        for step in [StepName::GetObject, StepName::PutObject] {
            after = with(after, step, StepStatus::Failed, "denied", Bearing::Definite);
        }
        // It was not asked for.
        after = edit(after, StepName::DeleteObject, |step| {
            step.status = StepStatus::Skipped;
        });
        assert_eq!(
            between(&report(GOOD), &after),
            [
                "On 24 Nov 2026, 14:02 UTC, files could be listed. On 24 Nov 2026, 15:01 UTC, the check found: Words of denied."
            ]
        );
        // Two causes are two sentences, in the order of the steps.
        let two = with(
            after,
            StepName::Cors,
            StepStatus::Failed,
            "cors",
            Bearing::Definite,
        );
        let sentences = between(&report(GOOD), &two);
        assert_eq!(sentences.len(), 2, "{sentences:?}");
        assert!(
            sentences[1].contains("the bucket's CORS rules")
                && sentences[1].contains("Words of cors.")
        );
    }

    #[test]
    fn what_says_nothing_of_the_storage_is_left_out() {
        let passing = bad(StepName::ListBucket, "aws_throttled", Bearing::Passing);
        assert_eq!(between(&report(GOOD), &passing), Vec::<String>::new());
        // A step that worked with a hint still works.
        let hint = with(
            report(BAD),
            StepName::GetObject,
            StepStatus::Warning,
            "nothing_below_prefix",
            Bearing::Harmless,
        );
        assert_eq!(between(&report(GOOD), &hint), Vec::<String>::new());
        // The same is wrong as before.
        let same = bad(StepName::Cors, "cors_none", Bearing::Definite);
        assert_eq!(between(&same, &same), Vec::<String>::new());
        // What it was before is not known, so nothing is said of it.
        let definite = bad(StepName::ListBucket, "denied", Bearing::Definite);
        assert_eq!(
            between(&passing, &definite),
            ["On 24 Nov 2026, 15:01 UTC, the check found: Words of denied."]
        );
    }

    #[test]
    fn what_works_again_and_what_is_wrong_otherwise_is_said_too() {
        let mut role = bad(StepName::AssumeRole, "role_refused", Bearing::RefusesUs);
        role.started_at = GOOD;
        let listing = bad(StepName::ListBucket, "denied", Bearing::Definite);
        assert_eq!(
            between(&role, &listing),
            [
                "On 24 Nov 2026, 14:02 UTC, the check found: Words of role_refused. On 24 Nov 2026, 15:01 UTC, the role let the service in.",
                "On 24 Nov 2026, 14:02 UTC, files could be listed. On 24 Nov 2026, 15:01 UTC, the check found: Words of denied.",
            ]
        );
        let other = bad(
            StepName::AssumeRole,
            "trust_explicit_deny",
            Bearing::RefusesUs,
        );
        assert_eq!(
            between(&role, &other),
            [
                "On 24 Nov 2026, 14:02 UTC, the check found: Words of role_refused. On 24 Nov 2026, 15:01 UTC, the check found: Words of trust_explicit_deny."
            ]
        );
    }

    #[test]
    fn every_step_and_every_kind_of_policy_has_words() {
        for step in StepName::ALL {
            let after = bad(*step, "x", Bearing::Definite);
            assert_eq!(between(&report(GOOD), &after).len(), 1);
        }
    }

    #[test]
    fn settings_of_another_revision_are_others() {
        let (before, mut after) = (report(GOOD), report(BAD));
        assert!(!is_of_other_settings(&before, &after));
        after.revision = 2;
        assert!(is_of_other_settings(&before, &after));
        // The setup that became the storage counts its revisions for itself.
        let mut of_setup = report(GOOD);
        (of_setup.target, of_setup.revision) = (CheckId::generate().to_string(), 7);
        assert!(is_of_other_settings(&of_setup, &after));
        after.revision = 1;
        assert!(!is_of_other_settings(&of_setup, &after));
        let by = settings_changed(Some(("tok_1", BAD)));
        assert!(by.contains("15:01") && by.contains("`tok_1`"), "{by}");
        assert!(!settings_changed(None).contains('`'));
    }
}
