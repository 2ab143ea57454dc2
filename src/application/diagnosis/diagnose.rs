//! From everything that a check found out to its findings: no call is made here, and the same answers always give
//! the same findings.

use crate::application::diagnosis::evidence::Gathered;
use crate::application::diagnosis::fault::Fault;
use crate::application::diagnosis::finding::Finding;
use crate::application::diagnosis::subject::Subject;
use crate::domain::cause::Cause;
use crate::domain::cause::denials::Denied;
use crate::domain::cause::encryption::DeniedKey;
use crate::domain::check::StepName;
use crate::domain::check::problem::Evidence;
use std::mem::discriminant;

impl Subject<'_> {
    /// What is behind the faults, in the order of the report. Each fault is explained by one finding.
    pub(crate) fn diagnose(&self, gathered: &Gathered) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut left: Vec<&Fault> = gathered.faults.iter().collect();
        // What the location shares with other calls is said of those.
        left.sort_by_key(|fault| fault.step == StepName::GetBucketLocation);
        for (cause, steps) in self.patterns(gathered) {
            let (explained, rest): (Vec<&Fault>, Vec<&Fault>) = left
                .into_iter()
                .partition(|fault| steps.contains(&fault.step));
            left = rest;
            findings.extend(over(cause, &explained));
        }
        for fault in left {
            let (cause, also) = self.cause(fault, gathered);
            match findings
                .iter_mut()
                .find_map(|finding| takes_in(&mut finding.cause, &cause).then_some(finding))
            {
                Some(finding) => {
                    finding.steps.push((fault.step, fault.evidence.clone()));
                    finding.also = finding.also.take().or(also);
                }
                None => findings.push(Finding {
                    cause,
                    steps: vec![(fault.step, fault.evidence.clone())],
                    also,
                }),
            }
        }
        for finding in &mut findings {
            finding.steps.sort_by_key(|(step, _)| *step);
        }
        findings.sort_by_key(|finding| finding.steps.first().map(|(step, _)| *step));
        findings
    }
}

/// What a cause that may cover several actions denies.
enum Covers<'a> {
    Actions(&'a mut Denied),
    Key(&'a mut DeniedKey),
}

impl<'a> Covers<'a> {
    /// `None`: the cause is of one step alone, or of everything that it covers already.
    fn of(cause: &'a mut Cause) -> Option<Self> {
        Some(match cause {
            Cause::DeniedByBucketPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedByIdentityPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedByPermissionsBoundary(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedByServiceControlPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedByResourceControlPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedByVpcEndpointPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedBySessionPolicy(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedWithoutReason(cause) => Self::Actions(&mut cause.denied),
            Cause::DeniedForUnknownReason(cause) => Self::Actions(&mut cause.denied),
            Cause::BucketPolicyMissing(cause) => Self::Actions(&mut cause.denied),
            Cause::KmsKeyNotEntered(cause) => Self::Key(&mut cause.denied),
            Cause::KmsOtherKey(cause) => Self::Key(&mut cause.denied),
            Cause::KmsDenied(cause) => Self::Key(&mut cause.denied),
            Cause::KmsForeignKey(cause) => Self::Key(&mut cause.denied),
            Cause::KmsKeyPolicy(cause) => Self::Key(&mut cause.denied),
            _ => return None,
        })
    }
}

/// Takes `other` into `known` where both are one cause: the same one, or the same policy that refuses another action.
/// False: they are two.
fn takes_in(known: &mut Cause, other: &Cause) -> bool {
    if known == other {
        return true;
    }
    if discriminant(known) != discriminant(other) {
        return false;
    }
    let mut other = other.clone();
    match (Covers::of(known), Covers::of(&mut other)) {
        (Some(Covers::Actions(denied)), Some(Covers::Actions(one))) => denied.and(&one.action),
        // A read names no key of KMS, and a write does.
        (Some(Covers::Key(denied)), Some(Covers::Key(one))) => {
            if denied.key.is_none() && one.key.is_some() {
                *known = other;
            }
        }
        (Some(_) | None, Some(_) | None) => return false,
    }
    true
}

/// One finding over these faults. `None`: there are none.
fn over(cause: Cause, faults: &[&Fault]) -> Option<Finding> {
    let steps: Vec<(StepName, Vec<Evidence>)> = faults
        .iter()
        .map(|fault| (fault.step, fault.evidence.clone()))
        .collect();
    (!steps.is_empty()).then_some(Finding {
        cause,
        steps,
        also: None,
    })
}
