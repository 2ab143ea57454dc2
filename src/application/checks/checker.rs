//! The connection check: proves a connection, step by step, and says what to change.
//!
//! A check is a report, not an error. Every step appears exactly once; one whose ground is missing is
//! skipped with the reason. What is independent is asked at the same time, so that a check takes three
//! round trips to AWS for read access and four for read and write:
//!
//! 1. AssumeRole with the external ID, without one, and with a wrong one;
//! 2. the bucket's location, its owner, the listing, and the CORS preflights;
//! 3. reading an object, and putting the probe object;
//! 4. deleting the probe object.
//!
//! Nothing is asked of S3 before the role has been proved to refuse everybody else.

use crate::application::bucket::probe::{
    Answer, BucketProbe, ExpectedOwner, ExternalIdSent, Preflight, Prober,
};
use crate::application::bucket::read::ListedObject;
use crate::application::checks::recorder::{Recorder, Timed, call_of, call_of_failure};
use crate::application::connections::principal::PrincipalSource;
use crate::application::diagnosis::explain::Explain;
use crate::application::kept::vault::random_bytes;
use crate::domain::aws_failure::{AwsFailure, DenialCause, FailureKind};
use crate::domain::check::{StepName, Steps};
use crate::domain::connection::region::Region;
use crate::domain::connection::{ConnectedBucket, Credentials};
use crate::domain::files::file_key::FileKey;
use crate::domain::files::object_key::ObjectKey;
use crate::domain::origin::Origin;
use crate::domain::policy_document::PolicyTemplates;
use futures_util::future::{join, join_all, join3, join4};
use std::sync::Arc;

/// The folder that probe objects are written to: the lifecycle document lets it expire.
const PROBE_FOLDER: &str = "/temp/";

/// Storage classes whose objects must be restored before they can be read.
const ARCHIVED: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Runs the ten steps.
pub struct ConnectionChecker {
    prober: Arc<dyn Prober>,
    policies: Arc<PolicyTemplates>,
    origins: Vec<Origin>,
    principal: Arc<PrincipalSource>,
}

/// What the steps found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub steps: Steps,
    /// Where the bucket is, if it could be told.
    pub region: Option<Region>,
}

impl ConnectionChecker {
    pub fn new(
        prober: Arc<dyn Prober>,
        policies: Arc<PolicyTemplates>,
        origins: Vec<Origin>,
        principal: Arc<PrincipalSource>,
    ) -> Self {
        Self {
            prober,
            policies,
            origins,
            principal,
        }
    }

    /// Runs every step once. Each is sent to the recorder as it finishes.
    pub async fn check(&self, bucket: &ConnectedBucket, recorder: &Recorder) -> Findings {
        let explain = Explain {
            policies: &self.policies,
            connection: &bucket.connection,
            principal: self.principal.known().await,
            origins: &self.origins,
        };
        let run = Run {
            checker: self,
            bucket,
            explain,
            record: recorder,
        };
        let region = match run.sign_in().await {
            Some(probe) => run.bucket_steps(probe).await,
            None => None,
        };
        Findings {
            steps: recorder.finish(),
            region,
        }
    }
}

struct Run<'a> {
    checker: &'a ConnectionChecker,
    bucket: &'a ConnectedBucket,
    explain: Explain<'a>,
    record: &'a Recorder,
}

impl Run<'_> {
    /// The first three steps. `None`: the bucket must not be asked.
    async fn sign_in(&self) -> Option<Arc<dyn BucketProbe>> {
        use StepName::{AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId};
        const SIGN_IN: [StepName; 3] =
            [AssumeRole, RefusesMissingExternalId, RefusesWrongExternalId];
        if !matches!(self.bucket.connection.credentials, Credentials::Role { .. }) {
            for step in SIGN_IN {
                self.record
                    .skip(step, "The storage does not connect by a role.");
            }
            return match self.checker.prober.with_key(self.bucket).await {
                Ok(probe) => Some(probe),
                Err(failure) => {
                    let why = self.explain.cannot_connect(&failure);
                    self.record
                        .fail_with(StepName::GetBucketLocation, &failure, why);
                    self.record.skip_rest("The store could not be asked.");
                    None
                }
            };
        }
        let assume = |sent| {
            self.record
                .time(self.checker.prober.assume_role(self.bucket, sent))
        };
        let (own, missing, wrong) = join3(
            assume(ExternalIdSent::Own),
            assume(ExternalIdSent::Missing),
            assume(ExternalIdSent::Wrong),
        )
        .await;
        let refusals = [
            (RefusesMissingExternalId, missing),
            (RefusesWrongExternalId, wrong),
        ];
        let probe = match &own.value {
            Ok(answer) => {
                self.record.pass(AssumeRole, &own, answer);
                Some(answer.value.clone())
            }
            Err(failure) => {
                let why = self.explain.role_refused(failure);
                self.record.fail(AssumeRole, &own, failure, why);
                None
            }
        };
        let mut refuses = true;
        for (step, answer) in &refusals {
            match &answer.value {
                Ok(accepted) => {
                    refuses = false;
                    let why = self.explain.role_accepts(*step);
                    self.record
                        .fail_although_answered(*step, answer, accepted, why);
                }
                // While the role refuses our own call too, a refusal tells nothing about external IDs.
                Err(_) if probe.is_none() => {
                    self.record.skip(
                        *step,
                        "The role refuses us with its external ID too, so that refusing others proves nothing.",
                    );
                }
                Err(failure) if refused_by_the_role(failure) => {
                    self.record.pass_by_refusal(*step, answer, failure);
                }
                Err(failure) => {
                    refuses = false;
                    let why = self.explain.refusal_not_proven(failure);
                    self.record.fail(*step, answer, failure, why);
                }
            }
        }
        match probe {
            Some(probe) if refuses => Some(probe),
            Some(_) => {
                self.record.skip_rest(
                    "The bucket is not asked before the role is proved to refuse everybody else.",
                );
                None
            }
            None => {
                self.record.skip_rest("The role could not be assumed.");
                None
            }
        }
    }

    /// The steps that ask the bucket. Returns its Region.
    async fn bucket_steps(&self, probe: Arc<dyn BucketProbe>) -> Option<Region> {
        let has_owner = self.bucket.connection.expected_owner().is_some();
        let probe_key = self.probe_key();
        let (location, owned, list, cors) = join4(
            self.record.time(located(&probe, |p| async move {
                p.location(ExpectedOwner::Omit).await
            })),
            self.record.time(async {
                match has_owner {
                    true => Some(
                        located(&probe, |p| async move {
                            p.location(ExpectedOwner::Require).await
                        })
                        .await,
                    ),
                    false => None,
                }
            }),
            self.record.time(located(&probe, |p| async move {
                p.list(ExpectedOwner::Require).await
            })),
            self.cors(&probe, probe_key.as_ref()),
        )
        .await;

        let region = self.location_step(&probe, &location).await;
        let probe = match region {
            Some(region) if region != probe.region() => probe.in_region(region),
            _ => probe,
        };
        let owner = self
            .owner_step(&probe, &location.value, &owned, list.value.as_ref().err())
            .await;
        if owner == Owner::SomebodyElse {
            self.record
                .skip_rest("The bucket belongs to another account.");
            return region;
        }
        let objects = self.list_step(&list);
        self.cors_step(cors);
        self.object_steps(&probe, objects, probe_key).await;
        region
    }

    /// The Region is a warning at most: S3 tells it in other answers too.
    async fn location_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        location: &Timed<Answer<Region>>,
    ) -> Option<Region> {
        let step = StepName::GetBucketLocation;
        match &location.value {
            Ok(answer) => {
                let found = answer.value;
                match self.bucket.connection.settings.region {
                    Some(typed) if typed != found => {
                        let why = self.explain.region_differs(typed, found);
                        self.record.warn(step, location, &call_of(answer), why);
                    }
                    _ => self.record.pass(step, location, answer),
                }
                Some(found)
            }
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::AccessDenied | FailureKind::InvalidRequest
                ) =>
            {
                let found = match failure.bucket_region {
                    Some(region) => Some(region),
                    None => match probe.region_of_bucket().await {
                        Ok(answer) => answer.bucket_region,
                        Err(failure) => failure.bucket_region,
                    },
                };
                let why = self.explain.location_not_permitted(found);
                self.record
                    .warn(step, location, &call_of_failure(failure), why);
                found
            }
            Err(failure) => {
                let why = self.explain.bucket_failed(failure);
                self.record.fail(step, location, failure, why);
                failure.bucket_region
            }
        }
    }

    async fn owner_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        location: &Answer<Region>,
        owned: &Timed<Option<Answer<Region>>>,
        list_failure: Option<&AwsFailure>,
    ) -> Owner {
        let step = StepName::BucketOwner;
        let failure = match &owned.value {
            None => {
                self.record.skip(
                    step,
                    "Neither a role's ARN nor the bucket's account ID says which account must own the bucket.",
                );
                return Owner::Unknown;
            }
            Some(Ok(answer)) => {
                self.record.pass(step, owned, answer);
                return Owner::AsSaid;
            }
            Some(Err(failure)) => failure,
        };
        let denied = failure.kind == FailureKind::AccessDenied;
        match (location, list_failure) {
            // The same call, with and without saying who must own the bucket.
            (Ok(_), _) if denied => {
                let why = self.explain.another_owner();
                self.record.fail(step, owned, failure, why);
                Owner::SomebodyElse
            }
            // The listing said who must own the bucket, and S3 answered.
            (_, None) => {
                self.record.pass_silently(step, owned);
                Owner::AsSaid
            }
            (Err(_), Some(list_failure))
                if denied && list_failure.kind == FailureKind::AccessDenied =>
            {
                match probe.list(ExpectedOwner::Omit).await {
                    Ok(_) => {
                        let why = self.explain.another_owner();
                        self.record.fail(step, owned, failure, why);
                        Owner::SomebodyElse
                    }
                    Err(_) => {
                        self.record.skip(
                            step,
                            "The owner can only be told once the role may list the bucket or read its location.",
                        );
                        Owner::Unknown
                    }
                }
            }
            _ if failure.kind == FailureKind::NoSuchBucket => {
                self.record.skip(step, "There is no such bucket.");
                Owner::Unknown
            }
            _ => {
                let why = self.explain.bucket_failed(failure);
                self.record.fail(step, owned, failure, why);
                Owner::Unknown
            }
        }
    }

    fn list_step(&self, list: &Timed<Answer<Vec<ListedObject>>>) -> Option<Vec<ListedObject>> {
        let step = StepName::ListBucket;
        match &list.value {
            Ok(answer) => {
                self.record.pass(step, list, answer);
                Some(answer.value.clone())
            }
            Err(failure) => {
                let why = self.explain.denied_or_failed("s3:ListBucket", failure);
                self.record.fail(step, list, failure, why);
                None
            }
        }
    }

    async fn object_steps(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        probe_key: Option<ObjectKey>,
    ) {
        use StepName::{DeleteObject, PutObject};
        let writes = self.bucket.connection.settings.access.writes();
        let (Some(probe_key), Some(absent)) = (probe_key, self.probe_key()) else {
            self.record
                .skip_rest("The bucket prefix leaves no room for a probe object's key.");
            return;
        };
        let put = async {
            match writes {
                true => Some(self.record.time(probe.put(&probe_key)).await),
                false => None,
            }
        };
        let (_, put) = join(self.read_step(probe, objects, &absent), put).await;
        let Some(put) = put else {
            for step in [PutObject, DeleteObject] {
                self.record.skip(step, "The access is read only.");
            }
            return;
        };
        match &put.value {
            Ok(answer) => self.record.pass(PutObject, &put, answer),
            Err(failure) => {
                let why = self.explain.denied_or_failed("s3:PutObject", failure);
                self.record.fail(PutObject, &put, failure, why);
            }
        }
        // Whatever became of the put: the object may be there, and the permission is needed anyway. S3
        // answers the deletion of an absent object like any other.
        let delete = self.record.time(probe.delete(&probe_key)).await;
        match &delete.value {
            Ok(answer) => self.record.pass(DeleteObject, &delete, answer),
            Err(failure) => {
                let left = put.value.is_ok().then_some(&probe_key);
                let why = self.explain.not_deleted(failure, left);
                self.record.fail(DeleteObject, &delete, failure, why);
            }
        }
    }

    async fn read_step(
        &self,
        probe: &Arc<dyn BucketProbe>,
        objects: Option<Vec<ListedObject>>,
        absent: &ObjectKey,
    ) {
        let step = StepName::GetObject;
        let Some(objects) = objects else {
            self.record.skip(
                step,
                "Without the listing, a refusal to read cannot be told from a file that is not there.",
            );
            return;
        };
        let readable = objects.iter().find(|object| {
            let class = object.storage_class.as_deref().unwrap_or_default();
            object.size > 0 && !ARCHIVED.contains(&class)
        });
        let answer = match readable {
            Some(object) => self.record.time(probe.read_listed(&object.key)).await,
            None => self.record.time(probe.read_absent(absent)).await,
        };
        match &answer.value {
            Ok(read) => self.record.pass(step, &answer, read),
            // With ListBucket, S3 says 404 of an absent key only to those who may read it; and it looks
            // at range and archive only after the permission.
            Err(failure)
                if matches!(
                    failure.kind,
                    FailureKind::NoSuchKey | FailureKind::InvalidRange | FailureKind::Archived
                ) =>
            {
                self.record.pass_by_refusal(step, &answer, failure);
            }
            Err(failure) => {
                let why = self.explain.denied_or_failed("s3:GetObject", failure);
                self.record.fail(step, &answer, failure, why);
            }
        }
    }

    /// One preflight for each origin and method, all at the same time.
    async fn cors(
        &self,
        probe: &Arc<dyn BucketProbe>,
        key: Option<&ObjectKey>,
    ) -> Timed<Vec<Preflight>> {
        let methods = self
            .checker
            .policies
            .cors_methods(self.bucket.connection.settings.access);
        let pairs = self
            .checker
            .origins
            .iter()
            .flat_map(|origin| methods.iter().map(move |method| (origin, method)));
        let asked = pairs.filter_map(|(origin, method)| {
            let key = key?;
            Some(async move {
                let answer = located(
                    probe,
                    |p| async move { p.preflight(key, origin, method).await },
                )
                .await;
                Preflight {
                    origin: origin.clone(),
                    method: method.clone(),
                    answer,
                }
            })
        });
        self.record.time(join_all(asked)).await
    }

    fn cors_step(&self, cors: Timed<Vec<Preflight>>) {
        let step = StepName::Cors;
        let refused: Vec<&Preflight> = cors
            .value
            .iter()
            .filter(|preflight| matches!(&preflight.answer, Ok(answer) if !answer.value))
            .collect();
        let failed = cors.value.iter().find_map(|p| p.answer.as_ref().err());
        if let Some(first) = refused.first() {
            let why = self.explain.cors_refused(&refused);
            if let Ok(answer) = &first.answer {
                self.record.fail_although_answered(step, &cors, answer, why);
            }
        } else if let Some(failure) = failed {
            let why = self.explain.cors_not_proven(failure);
            self.record.fail(step, &cors, failure, why);
        } else if let Some(Ok(answer)) = cors.value.first().map(|p| &p.answer) {
            self.record.pass(step, &cors, answer);
        } else {
            self.record
                .skip(step, "No origin is configured to be tried.");
        }
    }

    /// A key that nobody else has, in the folder that expires.
    fn probe_key(&self) -> Option<ObjectKey> {
        let random = u128::from_be_bytes(random_bytes().ok()?);
        let key = FileKey::parse(&format!("{PROBE_FOLDER}sallyport-check-{random:032x}")).ok()?;
        ObjectKey::within(&self.bucket.connection.settings.prefix, &key).ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    AsSaid,
    SomebodyElse,
    Unknown,
}

/// Whether it was the customer's side that refused. A policy on our own side, as one that asks for an
/// external ID in each of our calls, says nothing about the role.
fn refused_by_the_role(failure: &AwsFailure) -> bool {
    use DenialCause::{ExplicitDenyIdentity, NoIdentityPolicy};
    failure.kind == FailureKind::AccessDenied
        && !matches!(
            failure.denial,
            Some(ExplicitDenyIdentity | NoIdentityPolicy)
        )
}

/// Asks, and asks once more in the right Region when S3 says that this one is wrong.
async fn located<T, F>(
    probe: &Arc<dyn BucketProbe>,
    ask: impl Fn(Arc<dyn BucketProbe>) -> F,
) -> Answer<T>
where
    F: Future<Output = Answer<T>>,
{
    match ask(probe.clone()).await {
        Err(failure) if failure.kind == FailureKind::WrongRegion => {
            let told = match failure.bucket_region {
                Some(region) => Some(region),
                None => match probe.region_of_bucket().await {
                    Ok(answer) => answer.bucket_region,
                    Err(failure) => failure.bucket_region,
                },
            };
            match told {
                Some(region) if region != probe.region() => ask(probe.in_region(region)).await,
                _ => Err(failure),
            }
        }
        answer => answer,
    }
}
