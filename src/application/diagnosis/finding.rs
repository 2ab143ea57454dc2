//! A cause found in one step of a check, with what can be pasted to remove it.

use crate::domain::cause::Cause;
use crate::domain::check::StepProblem;

/// What to name where a key's action is missing and the settings do not say which key it is.
pub(crate) const UNKNOWN_KEY: &str = "the ARN of the bucket's KMS key";

/// What is wrong with a step: its cause, and what the report says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub cause: Cause,
    pub problem: StepProblem,
}

impl Finding {
    pub fn of(cause: Cause) -> Self {
        let words = cause.words();
        Self {
            problem: StepProblem {
                code: words.code.to_owned(),
                title: words.title,
                explanation: words.explanation,
                remedy: words.remedy,
                missing: Vec::new(),
                patch: None,
                bearing: cause.bearing(),
            },
            cause,
        }
    }

    pub fn with_patch(mut self, patch: Option<serde_json::Value>) -> Self {
        self.problem.patch = patch;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_its_cause_s_code() {
        let finding = Finding::of(Cause::CorsNotAllowed {
            bucket: "acme-data".into(),
            refused: "GET from https://app.example.com".into(),
        });
        let StepProblem { code, .. } = finding.problem;
        assert_eq!(code, "cors_not_allowed");
    }
}
