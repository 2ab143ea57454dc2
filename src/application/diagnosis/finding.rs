//! What was found: a cause, the steps that it explains, and the answers that show it.

use crate::domain::cause::Cause;
use crate::domain::check::StepName;
use crate::domain::check::problem::Evidence;

/// One cause, over one step or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub cause: Cause,
    /// The steps that it explains, in the order of the report, each with its answers. Never empty.
    pub steps: Vec<(StepName, Vec<Evidence>)>,
    /// To follow the cause's own explanation.
    pub also: Option<String>,
}
