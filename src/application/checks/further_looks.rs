//! Questions that are asked only after a failure, to tell its causes apart. A check that passes asks none of them.

use crate::application::bucket::probe::{
    BucketProbe, ExternalIdSent, PreflightSent, PutEncryption,
};
use crate::application::checks::run::CheckRun;
use crate::application::diagnosis::evidence::{
    AbsentKey, AcceptedId, CorsDifference, CorsLook, Gathered, Looks,
};
use crate::application::diagnosis::fault::{Fault, What};
use crate::domain::aws_failure::{
    AssumeRoleRefusal, AwsFailure, DenialReason, FailureKind, PolicyEffect, PolicyKind,
};
use crate::domain::check::StepName;
use crate::domain::connection::{Credentials, Owner};
use crate::domain::files::version::NULL_VERSION;
use crate::domain::origin::OriginPattern;
use futures_util::future::{join_all, join5};
use std::sync::Arc;

/// How many other external IDs of the workspace are tried.
const OTHER_IDS: u32 = 5;

impl CheckRun<'_> {
    /// What the steps gathered, with the answers of the further questions. `probe`: what the bucket may be asked
    /// with. `None`: nothing may be asked of it.
    pub async fn look_further(&self, probe: Option<Arc<dyn BucketProbe>>) -> Gathered {
        let mut gathered = self.record.gathered();
        if let Some(What::RoleNotAssumed(failure)) = what(&gathered, StepName::AssumeRole)
            && failure.assume_role_refusal() == Some(AssumeRoleRefusal::Role)
        {
            gathered.looks.accepted_id = self.accepted_id().await;
            gathered.looks.is_awaited = self.is_awaited().await;
        }
        if let Some(probe) = probe {
            let (pays, absent_key, put_passes_with, cors, folders_beside) = join5(
                self.pays(&probe, &gathered),
                self.absent(&probe, &gathered),
                self.put_passes_with(&probe, &gathered),
                self.cors_looks(&probe, &gathered),
                self.beside(&probe, &gathered),
            )
            .await;
            gathered.looks = Looks {
                pays,
                absent_key,
                put_passes_with,
                cors,
                folders_beside,
                ..gathered.looks
            };
        }
        gathered
    }

    /// Whether the setup waits for this role, which has not let the service in yet.
    async fn is_awaited(&self) -> bool {
        let (Owner::Setup(workspace, setup), Credentials::Role { role_arn, .. }) =
            (&self.bucket.owner, &self.bucket.connection.credentials)
        else {
            return false;
        };
        // Without an answer, the role is one like any other.
        let wait = self.store.role_wait(workspace, setup).await.ok().flatten();
        wait.is_some_and(|wait| wait.role_arn == *role_arn && wait.appeared_at.is_none())
    }

    /// Whether the role lets us in by another ID of the same workspace. IDs of other workspaces are never sent.
    async fn accepted_id(&self) -> Option<AcceptedId> {
        let Credentials::Role { external_id, .. } = &self.bucket.connection.credentials else {
            return None;
        };
        let capitals = external_id.in_capitals();
        let workspace = self.bucket.owner.workspace();
        let others = self
            .store
            .other_external_ids(workspace, external_id, OTHER_IDS)
            .await
            .unwrap_or_default();
        let asked = others.iter().map(|(_, other)| {
            let sent = ExternalIdSent::OfOtherSetup(other.clone());
            self.prober.assume_role(self.bucket, sent)
        });
        let in_capitals = self
            .prober
            .assume_role(self.bucket, ExternalIdSent::Capitals)
            .await;
        if in_capitals.is_ok() {
            return Some(AcceptedId::OtherCase(capitals));
        }
        let answers = join_all(asked).await;
        let accepted: Vec<_> = others
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.is_ok())
            .collect();
        match accepted.as_slice() {
            [((setup, other), _)] => Some(AcceptedId::Other {
                owner: setup.to_string(),
                external_id: other.to_string(),
            }),
            // A role that takes several asks for none of them in particular.
            _ => None,
        }
    }

    /// Whether a listing that was refused without a reason is answered with the agreement to pay.
    async fn pays(&self, probe: &Arc<dyn BucketProbe>, gathered: &Gathered) -> Option<bool> {
        let failure = failed(gathered, StepName::ListBucket)?;
        let is_bare =
            failure.kind == FailureKind::AccessDenied && failure.reason() == DenialReason::NotGiven;
        // A store has no such setting.
        let is_at_store = self.bucket.connection.endpoint().is_some();
        if !is_bare || is_at_store || self.bucket.connection.settings.requester_pays {
            return None;
        }
        match probe.list_paying().await {
            Ok(_) => Some(true),
            Err(failure) if failure.kind == FailureKind::AccessDenied => Some(false),
            Err(_) => None,
        }
    }

    /// What a file that does not exist is answered, where one that was listed is refused.
    async fn absent(&self, probe: &Arc<dyn BucketProbe>, gathered: &Gathered) -> Option<AbsentKey> {
        let failure = failed(gathered, StepName::GetObject)?;
        gathered.listed_key.as_ref()?;
        if failure.kind != FailureKind::AccessDenied {
            return None;
        }
        match probe.read_absent(&self.absent_key()?).await {
            Err(failure) if failure.kind == FailureKind::NoSuchKey => Some(AbsentKey::NotFound),
            // S3 names s3:ListBucket only to those who may read: a session that lists below a prefix alone gets this
            // answer for every file that does not exist.
            Err(failure) if names_listing(&failure) => Some(AbsentKey::NotFound),
            Err(failure) if failure.kind == FailureKind::AccessDenied => Some(AbsentKey::Refused),
            Ok(_) | Err(_) => None,
        }
    }

    /// With which encryption a refused write passes. What that writes is removed again.
    async fn put_passes_with(
        &self,
        probe: &Arc<dyn BucketProbe>,
        gathered: &Gathered,
    ) -> Option<PutEncryption> {
        let failure = failed(gathered, StepName::PutObject)?;
        let may_be_encryption = matches!(
            failure.reason(),
            DenialReason::By(
                PolicyKind::Resource | PolicyKind::ResourceControl,
                PolicyEffect::ExplicitDeny
            )
        );
        // Where everything is denied, it is not about encryption.
        let others_pass = gathered.passed(StepName::ListBucket);
        if !may_be_encryption || !others_pass || failure.kind != FailureKind::AccessDenied {
            return None;
        }
        let key = self.probe_key()?;
        for encryption in [PutEncryption::S3, PutEncryption::Kms] {
            match probe.put_encrypted(&key, encryption).await {
                Ok(answer) => {
                    let version = answer.value;
                    // A deletion that is refused too is said in its own step already.
                    let deleted = probe.delete(&key, None).await.ok();
                    let marker = deleted.and_then(|answer| answer.value);
                    let made = version.filter(|id| id != NULL_VERSION).into_iter();
                    for id in made.chain(marker) {
                        let _ = probe.delete(&key, Some(&id)).await;
                    }
                    return Some(encryption);
                }
                // Past the policy: the value itself is looked at after it.
                Err(failure) if failure.kind == FailureKind::InvalidRequest => {
                    return Some(encryption);
                }
                Err(_) => {}
            }
        }
        None
    }

    /// Preflights that differ in one thing from those that were refused.
    async fn cors_looks(&self, probe: &Arc<dyn BucketProbe>, gathered: &Gathered) -> Vec<CorsLook> {
        let (Some(What::CorsRefused(refused)), Some(key)) =
            (what(gathered, StepName::Cors), self.probe_key())
        else {
            return Vec::new();
        };
        let mut looks = Vec::new();
        for one in refused {
            if looks
                .iter()
                .any(|look: &CorsLook| look.origin == one.origin)
            {
                continue;
            }
            let key = &key;
            let tried = differences(&one.origin)
                .into_iter()
                .map(|(sent, difference)| {
                    let probe = probe.clone();
                    async move {
                        let with_headers = difference != CorsDifference::NoHeaders;
                        let answer = probe
                            .preflight(
                                key,
                                PreflightSent {
                                    origin: &sent,
                                    method: &one.method,
                                    with_headers,
                                },
                            )
                            .await;
                        let is_allowed = answer.is_ok_and(|answer| answer.value.is_allowed);
                        is_allowed.then_some(difference)
                    }
                });
            let allowed = join_all(tried).await.into_iter().flatten().next();
            if let Some(difference) = allowed {
                looks.push(CorsLook {
                    origin: one.origin.clone(),
                    difference,
                });
            }
        }
        looks
    }

    /// Names of the folders beside a prefix with nothing below it, where they may be listed.
    async fn beside(&self, probe: &Arc<dyn BucketProbe>, gathered: &Gathered) -> Vec<String> {
        let is_empty = matches!(
            what(gathered, StepName::GetObject),
            Some(What::NothingBelowPrefix)
        );
        if !is_empty || self.bucket.connection.settings.prefix.as_str().is_empty() {
            return Vec::new();
        }
        let mut folders = match probe.folders_beside().await {
            Ok(answer) => answer.value,
            // The session is limited to the prefix.
            Err(_) => Vec::new(),
        };
        folders.truncate(5);
        folders
    }
}

/// What to send in place of an origin, and the difference that it makes.
fn differences(origin: &OriginPattern) -> Vec<(String, CorsDifference)> {
    let text = origin.as_str();
    let sent = origin.sample();
    let mut all = vec![
        (sent.clone(), CorsDifference::NoHeaders),
        (
            format!("{sent}/"),
            CorsDifference::Slash(format!("{text}/")),
        ),
    ];
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let other = match scheme {
        "http" => "https",
        _ => "http",
    };
    let in_other_scheme = |text: &str| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        format!("{other}://{rest}")
    };
    all.push((
        in_other_scheme(&sent),
        CorsDifference::Scheme(in_other_scheme(text)),
    ));
    // Other ports and hosts cannot be enumerated.
    let port = rest
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    if let Some((_, port)) = port {
        let without = |text: &str| text.trim_end_matches(&format!(":{port}")).to_owned();
        all.push((without(&sent), CorsDifference::Port(without(text))));
    }
    all
}

/// Whether a denial is about the listing, and not about reading.
fn names_listing(failure: &AwsFailure) -> bool {
    let denial = failure.denial.as_deref();
    failure.kind == FailureKind::AccessDenied
        && denial.and_then(|denial| denial.action.as_deref()) == Some("s3:ListBucket")
}

fn what(gathered: &Gathered, step: StepName) -> Option<&What> {
    gathered.fault(step).map(|Fault { what, .. }| what)
}

/// The failed call of a step.
fn failed(gathered: &Gathered, step: StepName) -> Option<&AwsFailure> {
    what(gathered, step)?.failure()
}
