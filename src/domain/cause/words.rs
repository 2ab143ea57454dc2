//! What a person reads of a cause.

use crate::domain::check::Bearing;

/// What a person reads of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseWords {
    /// Stable, `snake_case`.
    pub code: &'static str,
    pub title: String,
    pub explanation: String,
    pub remedy: String,
}

pub(crate) fn words(
    code: &'static str,
    title: impl Into<String>,
    explanation: impl Into<String>,
    remedy: impl Into<String>,
) -> CauseWords {
    CauseWords {
        code,
        title: title.into(),
        explanation: explanation.into(),
        remedy: remedy.into(),
    }
}

/// An entry of a table of answers: its words, and what it says of the connection.
pub(crate) struct Entry {
    pub words: CauseWords,
    pub bearing: Bearing,
    /// Whether the same call may be answered otherwise later, with nothing changed by anybody now.
    pub passes: bool,
}

impl Entry {
    /// Something lasts until somebody changes it.
    pub fn lasting(
        bearing: Bearing,
        code: &'static str,
        title: impl Into<String>,
        explanation: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            words: words(code, title, explanation, remedy),
            bearing,
            passes: false,
        }
    }

    /// It may pass by itself.
    pub fn passing(
        code: &'static str,
        title: impl Into<String>,
        explanation: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            words: words(code, title, explanation, remedy),
            bearing: Bearing::Passing,
            passes: true,
        }
    }
}
