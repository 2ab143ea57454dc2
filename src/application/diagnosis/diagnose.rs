//! From everything that a check found out to its findings: no call is made here, and the same answers always give
//! the same findings.

use crate::application::diagnosis::evidence::Gathered;
use crate::application::diagnosis::fault::Fault;
use crate::application::diagnosis::finding::Finding;
use crate::application::diagnosis::subject::Subject;
use crate::domain::cause::Cause;
use crate::domain::cause::denials::Denied;
use crate::domain::check::StepName;
use crate::domain::check::problem::Evidence;
use crate::domain::connection::kms_key_arn::KmsKeyArn;

impl Subject<'_> {
    /// What is behind the faults, in the order of the report. Each fault is explained by one finding.
    pub(crate) fn diagnose(&self, gathered: &Gathered) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut left: Vec<&Fault> = gathered.faults.iter().collect();
        // What the location shares with other calls is told by those.
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
                .find(|finding| is_same(&finding.cause, &cause))
            {
                Some(finding) => {
                    // A read names no key of KMS, and a write does.
                    if key_of(&finding.cause).is_none() && key_of(&cause).is_some() {
                        finding.cause = cause.clone();
                    }
                    let mut cause = cause;
                    if let (Some(known), Some(one)) =
                        (denied_of(&mut finding.cause), denied_of(&mut cause))
                    {
                        known.and(&one.action);
                    }
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

/// The KMS key that AWS named of a cause.
fn key_of(cause: &Cause) -> Option<&KmsKeyArn> {
    match cause {
        Cause::KmsKeyNotEntered(cause) => cause.denied.key.as_ref(),
        Cause::KmsOtherKey(cause) => cause.denied.key.as_ref(),
        Cause::KmsDenied(cause) => cause.denied.key.as_ref(),
        Cause::KmsForeignKey(cause) => cause.denied.key.as_ref(),
        Cause::KmsKeyPolicy(cause) => cause.denied.key.as_ref(),
        _ => None,
    }
}

/// The denial of a cause that may cover several actions.
fn denied_of(cause: &mut Cause) -> Option<&mut Denied> {
    Some(match cause {
        Cause::DeniedByBucketPolicy(cause) => &mut cause.denied,
        Cause::DeniedByIdentityPolicy(cause) => &mut cause.denied,
        Cause::DeniedByPermissionsBoundary(cause) => &mut cause.denied,
        Cause::DeniedByServiceControlPolicy(cause) => &mut cause.denied,
        Cause::DeniedByResourceControlPolicy(cause) => &mut cause.denied,
        Cause::DeniedByVpcEndpointPolicy(cause) => &mut cause.denied,
        Cause::DeniedBySessionPolicy(cause) => &mut cause.denied,
        Cause::DeniedWithoutReason(cause) => &mut cause.denied,
        Cause::DeniedForUnknownReason(cause) => &mut cause.denied,
        Cause::BucketPolicyMissing(cause) => &mut cause.denied,
        _ => return None,
    })
}

/// Whether two faults have one cause: the same one, or the same policy that refuses another action.
fn is_same(one: &Cause, other: &Cause) -> bool {
    match (one, other) {
        (Cause::DeniedByBucketPolicy(_), Cause::DeniedByBucketPolicy(_))
        | (Cause::DeniedByIdentityPolicy(_), Cause::DeniedByIdentityPolicy(_))
        | (Cause::DeniedByPermissionsBoundary(_), Cause::DeniedByPermissionsBoundary(_))
        | (Cause::DeniedByServiceControlPolicy(_), Cause::DeniedByServiceControlPolicy(_))
        | (Cause::DeniedByResourceControlPolicy(_), Cause::DeniedByResourceControlPolicy(_))
        | (Cause::DeniedByVpcEndpointPolicy(_), Cause::DeniedByVpcEndpointPolicy(_))
        | (Cause::DeniedBySessionPolicy(_), Cause::DeniedBySessionPolicy(_))
        | (Cause::DeniedWithoutReason(_), Cause::DeniedWithoutReason(_))
        | (Cause::DeniedForUnknownReason(_), Cause::DeniedForUnknownReason(_))
        | (Cause::BucketPolicyMissing(_), Cause::BucketPolicyMissing(_))
        | (Cause::KmsKeyNotEntered(_), Cause::KmsKeyNotEntered(_))
        | (Cause::KmsOtherKey(_), Cause::KmsOtherKey(_))
        | (Cause::KmsDenied(_), Cause::KmsDenied(_))
        | (Cause::KmsForeignKey(_), Cause::KmsForeignKey(_))
        | (Cause::KmsKeyPolicy(_), Cause::KmsKeyPolicy(_)) => true,
        (one, other) => one == other,
    }
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
