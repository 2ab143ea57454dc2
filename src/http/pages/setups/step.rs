//! The dialog's path of steps.

use crate::application::setups::SetupView;
use crate::domain::connection::access::Auth;
use crate::domain::ids::SetupId;
use crate::domain::setup::Draft;
use crate::http::pages::setups::setting_words::Apply;

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
    /// The steps of these settings, in their order. An access key needs no role; a bucket that browsers do
    /// not use and nobody writes to needs no rules.
    pub fn path(draft: &Draft) -> Vec<DialogStep> {
        let has_rules = draft.settings.browser_access || draft.settings.access.writes();
        let has_role = match draft.sign_in.by {
            Auth::Role => true,
            Auth::AccessKey => false,
        };
        let mut path = vec![Self::Bucket];
        path.extend(has_rules.then_some(Self::Cors));
        path.push(Self::Policy);
        path.extend(has_role.then_some(Self::Role));
        path.push(Self::Check);
        path
    }

    /// The step that was asked for, or the first that has something to do.
    pub fn asked(text: Option<&str>, view: &SetupView) -> Self {
        let draft = &view.setup.draft;
        let path = Self::path(draft);
        let asked = path.iter().find(|step| Some(step.as_str()) == text);
        match asked {
            Some(step) => *step,
            None if draft.bucket.is_none() => Self::Bucket,
            None if view.setup.connection().is_ok() => Self::Check,
            None if draft.sign_in.by == Auth::AccessKey => Self::Bucket,
            None => Self::Bucket.next(draft).unwrap_or(Self::Policy),
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

    pub fn label(self, draft: &Draft) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::Cors if !draft.settings.browser_access => "Lifecycle",
            Self::Cors => "CORS and lifecycle",
            Self::Policy => "Policy",
            Self::Role => "Role",
            Self::Check => "Check and add",
        }
    }

    pub fn next(self, draft: &Draft) -> Option<Self> {
        let path = Self::path(draft);
        let at = path.iter().position(|step| *step == self)?;
        path.get(at + 1).copied()
    }

    pub fn previous(self, draft: &Draft) -> Option<Self> {
        let path = Self::path(draft);
        let at = path.iter().position(|step| *step == self)?;
        path.get(at.checked_sub(1)?).copied()
    }

    /// Whether nothing is left to do in it, as far as the service knows.
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
        let draft = &view.setup.draft;
        Self::path(draft)
            .into_iter()
            .map(|step| StepLink {
                href: address(&view.setup.id, step),
                label: step.label(draft),
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
