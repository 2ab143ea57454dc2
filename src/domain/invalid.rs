//! Why a value was refused.

/// A refusal to construct a domain value: what is wrong with it, in words for whoever typed it.
///
/// `code` is stable and part of the HTTP API (`errors[].code`); `detail` is a sentence that says what
/// was wrong and what would be right. It never repeats a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    pub code: &'static str,
    pub detail: String,
}

impl Invalid {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

/// Shows a refused value inside an error: shortened, with control characters escaped, so a
/// message stays one readable line whatever was typed.
pub(crate) fn shown(value: &str) -> String {
    const LONGEST: usize = 80;
    let mut out: String = value
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if value.chars().count() > LONGEST {
        out.push('…');
    }
    out
}
