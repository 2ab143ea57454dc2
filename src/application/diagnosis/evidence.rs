//! Everything that one check found out, as the diagnosis reads it.

use crate::application::bucket::probe::PutEncryption;
use crate::application::diagnosis::fault::Fault;
use crate::domain::aws_failure::AwsFailure;
use crate::domain::check::StepName;
use crate::domain::origin::OriginPattern;
use std::collections::BTreeSet;

/// What a check found out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gathered {
    /// In the order in which they were found.
    pub faults: Vec<Fault>,
    pub passed: BTreeSet<StepName>,
    /// Actions that were denied and that the connection works without, also where their step failed by another.
    pub optional: Vec<(&'static str, AwsFailure)>,
    /// The key of the file that was read, of those that were listed.
    pub listed_key: Option<String>,
    pub looks: Looks,
}

/// Answers of the questions that are asked only after a failure, to tell causes apart. `None`: not asked, or
/// not answered in a way that tells anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Looks {
    /// The setup waits for the role, which has not let the service in yet.
    pub is_awaited: bool,
    /// Another external ID that the role accepts.
    pub accepted_id: Option<AcceptedId>,
    /// A call that was refused without a reason is answered with the agreement to pay.
    pub pays: Option<bool>,
    /// What reading an object that does not exist was answered.
    pub absent_key: Option<AbsentKey>,
    /// With which encryption a refused write passes.
    pub put_passes_with: Option<PutEncryption>,
    /// What preflights were answered that differ from the browser's in one thing.
    pub cors: Vec<CorsLook>,
    /// Names of folders beside a prefix with nothing below it.
    pub folders_beside: Vec<String>,
}

/// An external ID of this workspace that the role let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AcceptedId {
    /// That of another setup or storage.
    Other { owner: String, external_id: String },
    /// The own one in another letter case.
    OtherCase(String),
}

/// What reading an object that does not exist was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbsentKey {
    /// That there is none, or that it takes s3:ListBucket to know. S3 says either only to those who may read it.
    NotFound,
    Refused,
}

/// A preflight that differs from a browser's in one thing, and was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CorsLook {
    pub origin: OriginPattern,
    pub difference: CorsDifference,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CorsDifference {
    /// Without the headers that an upload sends.
    NoHeaders,
    /// The origin with a slash at its end, as it was allowed.
    Slash(String),
    /// `http` in place of `https`, or the other way round.
    Scheme(String),
    /// Without its port, or with one.
    Port(String),
}

impl Gathered {
    pub fn passed(&self, step: StepName) -> bool {
        self.passed.contains(&step)
    }

    pub fn fault(&self, step: StepName) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.step == step)
    }
}
