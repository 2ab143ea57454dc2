//! The dialog's path of steps.

use crate::application::setups::SetupView;
use crate::domain::connection::access::Auth;
use crate::domain::ids::SetupId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogStep {
    Bucket,
    Cors,
    Policy,
    Role,
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
    /// The steps of this way to sign in, in their order. An access key needs no role.
    pub fn path(auth: Auth) -> &'static [DialogStep] {
        match auth {
            Auth::Role => &[
                Self::Bucket,
                Self::Cors,
                Self::Policy,
                Self::Role,
                Self::Check,
            ],
            Auth::AccessKey => &[Self::Bucket, Self::Cors, Self::Policy, Self::Check],
        }
    }

    /// The step that was asked for, or the first that has something to do.
    pub fn asked(text: Option<&str>, view: &SetupView) -> Self {
        let draft = &view.setup.draft;
        let path = Self::path(draft.sign_in.by);
        let asked = path.iter().find(|step| Some(step.as_str()) == text);
        match asked {
            Some(step) => *step,
            None if draft.bucket.is_none() => Self::Bucket,
            None if view.setup.connection().is_ok() => Self::Check,
            None if draft.sign_in.by == Auth::AccessKey => Self::Bucket,
            None => Self::Cors,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Cors => "cors",
            Self::Policy => "policy",
            Self::Role => "role",
            Self::Check => "check",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::Cors => "CORS and lifecycle",
            Self::Policy => "Policy",
            Self::Role => "Role",
            Self::Check => "Check and add",
        }
    }

    pub fn next(self, auth: Auth) -> Option<Self> {
        let path = Self::path(auth);
        let at = path.iter().position(|step| *step == self)?;
        path.get(at + 1).copied()
    }

    pub fn previous(self, auth: Auth) -> Option<Self> {
        let path = Self::path(auth);
        let at = path.iter().position(|step| *step == self)?;
        path.get(at.checked_sub(1)?).copied()
    }

    /// Whether nothing is left to do in it, as far as the service can tell.
    pub fn is_done(self, view: &SetupView) -> bool {
        let draft = &view.setup.draft;
        match self {
            Self::Bucket => draft.bucket.is_some(),
            Self::Role => draft.sign_in.role_arn.is_some(),
            Self::Check => {
                view.check_is_current()
                    && view
                        .last_check
                        .as_ref()
                        .is_some_and(|c| c.outcome().is_pass())
            }
            // What is done in AWS shows in the check only.
            Self::Cors | Self::Policy => false,
        }
    }

    pub fn links(self, view: &SetupView) -> Vec<StepLink> {
        Self::path(view.setup.draft.sign_in.by)
            .iter()
            .map(|step| StepLink {
                href: address(&view.setup.id, *step),
                label: step.label(),
                is_current: *step == self,
                is_done: step.is_done(view),
            })
            .collect()
    }
}

/// Where a step is.
pub fn address(id: &SetupId, step: DialogStep) -> String {
    format!("/settings/setups/{id}?step={}", step.as_str())
}
