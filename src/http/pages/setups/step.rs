//! The dialog's path of steps.

use crate::application::setups::SetupView;
use crate::domain::ids::SetupId;
use crate::domain::setup::Draft;
use crate::http::pages::setups::setting_words::Apply;
use crate::http::pages::setups::way::{Making, Way};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogStep {
    Bucket,
    /// Setting up AWS, in one of several ways.
    Role,
    /// Connecting: waiting for the role, and the check.
    Check,
}

/// A step in the path, seen from the present one.
pub struct StepLink {
    pub href: String,
    pub label: &'static str,
    pub is_current: bool,
    pub is_done: bool,
}

impl DialogStep {
    pub const PATH: [Self; 3] = [Self::Bucket, Self::Role, Self::Check];

    /// The step that was asked for, or the first that has something to do.
    pub fn asked(text: Option<&str>, view: &SetupView) -> Self {
        match Self::PATH
            .into_iter()
            .find(|step| Some(step.as_str()) == text)
        {
            Some(step) => step,
            // Links to the steps that there were before.
            None if matches!(text, Some("cors" | "policy")) => Self::Role,
            None if view.setup.draft.bucket.is_none() => Self::Bucket,
            None if view.setup.connection().is_ok() => Self::Check,
            None => Self::Role,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Role => "role",
            Self::Check => "check",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::Role => "Set up AWS",
            Self::Check => "Connect",
        }
    }

    /// The same for this draft: an S3-compatible store is not AWS.
    fn label_for(self, draft: &Draft) -> &'static str {
        match (self, Making::of(draft)) {
            (Self::Role, Making::StoreKey) => "Set up the store",
            (Self::Role, Making::Role | Making::User) | (Self::Bucket | Self::Check, _) => {
                self.label()
            }
        }
    }

    pub fn next(self) -> Option<Self> {
        match self {
            Self::Bucket => Some(Self::Role),
            Self::Role => Some(Self::Check),
            Self::Check => None,
        }
    }

    /// Whether nothing is left to do in it, as far as the service knows.
    pub fn is_done(self, view: &SetupView) -> bool {
        match self {
            Self::Bucket => view.setup.draft.bucket.is_some(),
            // Whoever has the role's ARN, or the key, has been in AWS.
            Self::Role => view.setup.draft.bucket.is_some() && view.setup.connection().is_ok(),
            Self::Check => {
                view.check_is_current()
                    && view
                        .last_check
                        .as_ref()
                        .is_some_and(|c| c.outcome().is_pass())
            }
        }
    }

    pub fn links(self, view: &SetupView) -> Vec<StepLink> {
        Self::PATH
            .into_iter()
            .map(|step| StepLink {
                href: address(&view.setup.id, step),
                label: step.label_for(&view.setup.draft),
                is_current: step == self,
                is_done: step.is_done(view),
            })
            .collect()
    }
}

/// How a better value of a setting, found by a check, is taken over.
pub fn apply(id: &SetupId, csrf: String) -> Apply {
    Apply {
        action: format!("/settings/setups/{id}"),
        csrf,
        step: Some(DialogStep::Check.as_str()),
    }
}

/// Where a step is.
pub fn address(id: &SetupId, step: DialogStep) -> String {
    format!("/settings/setups/{id}?step={}", step.as_str())
}

/// Where the page of a way to set up AWS is.
pub fn address_of(id: &SetupId, step: DialogStep, way: Option<Way>) -> String {
    let address = address(id, step);
    match way {
        Some(way) => format!("{address}&way={}", way.as_str()),
        None => address,
    }
}
