//! What each entry of the catalogue says of itself.

use crate::domain::cause::fix::Fix;
use serde::{Deserialize, Serialize};

/// A cause of the catalogue. Each has a file of its own, with its words and its tests, and a line in
/// [`Cause`](crate::domain::cause::Cause).
pub trait CauseEntry {
    /// What is decided by, and what documents list.
    fn facts(&self) -> Facts;

    /// What a person reads. Title, explanation and remedy together have at most 1,500 characters.
    fn words(&self) -> Words;

    /// What may be behind it, the likeliest first, where AWS does not say which.
    fn candidates(&self) -> Vec<Candidate> {
        Vec::new()
    }

    /// The change that removes it, where one document can.
    fn fix(&self) -> Option<Fix> {
        None
    }

    /// One of each form that its words have, for documents and tests. Names in capitals stand for what a real
    /// one names.
    #[cfg(test)]
    fn examples() -> Vec<Self>
    where
        Self: Sized;
}

/// The part of a connection that a cause is about: the sections of `docs/troubleshooting.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// AssumeRole, and the service's own credentials.
    SigningIn,
    /// The bucket, its store and its endpoint.
    Bucket,
    /// Who may do what.
    Permissions,
    /// KMS and other keys.
    Encryption,
    /// Files, the check's own among them.
    Objects,
    /// CORS.
    Browsers,
    /// No usable answer.
    Answers,
}

/// Who can remove a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Whoever administers the customer's AWS account, or the store.
    CustomerAccount,
    /// Whoever manages the policies of the customer's organization.
    CustomerOrganization,
    /// The operator of this service.
    Service,
    /// Whoever enters the connection's settings.
    Settings,
    /// AWS, or the store itself.
    Aws,
    /// Something between the service and the store.
    Network,
}

impl Side {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerAccount => "customer_account",
            Self::CustomerOrganization => "customer_organization",
            Self::Service => "service",
            Self::Settings => "settings",
            Self::Aws => "aws",
            Self::Network => "network",
        }
    }
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// AWS said so, or no other cause gives these answers.
    Proved,
    /// Other causes give the same answers, and seldom do.
    Likely,
    /// One of the candidates, and the answers do not say which.
    OneOf,
}

impl Certainty {
    /// As in the API and in stored reports: stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Likely => "likely",
            Self::OneOf => "one_of",
        }
    }
}

/// What a failed step says of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// The connection does not work before somebody changes something. Also what every failed step of a
    /// report from before this field counts as.
    #[default]
    Definite,
    /// The role let in a call that it must refuse.
    OpenToOthers,
    /// The role refuses us.
    RefusesUs,
    /// A fault of AWS or of the network that passes, or a change that is still spreading. It says nothing
    /// about the connection.
    Passing,
    /// It lasts, and says nothing about the customer's side: the service itself cannot ask.
    Undecided,
    /// Nothing is wrong, and something is worth a look.
    Harmless,
}

/// What is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Stable, `snake_case`.
    pub code: &'static str,
    /// What the code means, in one sentence for the list of codes.
    pub meaning: &'static str,
    pub stage: Stage,
    pub side: Side,
    pub certainty: Certainty,
    pub bearing: Bearing,
    /// Whether the same call may be answered otherwise soon, with nothing changed by anybody now: a fault that
    /// passes, or a change of IAM that is still spreading. It spreads both ways.
    pub may_pass_later: bool,
    /// Where AWS, or a standard, describes it.
    pub learn_more: Option<&'static str>,
}

impl Facts {
    /// Something definite that AWS said itself, and that lasts until somebody changes it.
    pub const fn proved(
        code: &'static str,
        stage: Stage,
        side: Side,
        meaning: &'static str,
    ) -> Self {
        Self {
            code,
            meaning,
            stage,
            side,
            certainty: Certainty::Proved,
            bearing: Bearing::Definite,
            may_pass_later: false,
            learn_more: None,
        }
    }

    /// One of several candidates.
    pub const fn one_of(self) -> Self {
        Self {
            certainty: Certainty::OneOf,
            ..self
        }
    }

    pub const fn likely(self) -> Self {
        Self {
            certainty: Certainty::Likely,
            ..self
        }
    }

    pub const fn bearing(self, bearing: Bearing) -> Self {
        Self { bearing, ..self }
    }

    /// Waiting may help.
    pub const fn may_pass(self) -> Self {
        Self {
            may_pass_later: true,
            ..self
        }
    }

    /// A fault that passes, and says nothing about the connection.
    pub const fn passing(self) -> Self {
        self.bearing(Bearing::Passing).may_pass()
    }

    pub const fn learn_more(self, url: &'static str) -> Self {
        Self {
            learn_more: Some(url),
            ..self
        }
    }
}

/// What a person reads of a cause. Names and values stand between backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What is wrong.
    pub title: String,
    /// Why, on what evidence.
    pub explanation: String,
    /// What to change.
    pub remedy: String,
}

impl Words {
    pub fn new(
        title: impl Into<String>,
        explanation: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            explanation: explanation.into(),
            remedy: remedy.into(),
        }
    }
}

/// One of several causes that give the same answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Stable, `snake_case`. Not always a code of the catalogue: some cannot be told from outside.
    pub code: String,
    pub text: String,
    /// The look that decides.
    #[serde(default, skip_serializing_if = "Decide::is_empty")]
    pub decide: Decide,
}

/// How to find out whether it is this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decide {
    /// Where in the AWS console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// By which command of the AWS CLI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
}

impl Decide {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Candidate {
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
            decide: Decide::default(),
        }
    }

    pub fn console(mut self, path: impl Into<String>) -> Self {
        self.decide.console = Some(path.into());
        self
    }

    pub fn cli(mut self, command: impl Into<String>) -> Self {
        self.decide.cli = Some(command.into());
        self
    }
}
