//! How a command ends.

use crate::application::error::{Error, Kind};
use crate::cli::terminal::printable;

/// It did what it was asked, and what it looked at is right.
pub const PASSED: u8 = 0;
/// It did what it was asked, and what it looked at is wrong; or it could not do it.
pub const FAILED: u8 = 1;
/// It was not asked properly, and did nothing.
pub const USAGE: u8 = 2;

/// Why a command ended without having done what it was asked, in words for the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub status: u8,
    pub why: String,
}

impl Failed {
    pub fn usage(why: impl Into<String>) -> Self {
        Self {
            status: USAGE,
            why: why.into(),
        }
    }

    /// The error of a use case. Fields are named as options.
    pub fn of(error: &Error) -> Self {
        let mut lines = Vec::new();
        for field in &error.fields {
            let option = field.field.replace('_', "-");
            lines.push(format!("--{option}: {}", printable(&field.detail)));
        }
        if lines.is_empty() {
            lines.push(printable(&error.detail));
            lines.extend(error.remedy.as_deref().map(printable));
        }
        let status = match error.kind {
            Kind::Malformed | Kind::Unprocessable => USAGE,
            Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::ClientTimeout
            | Kind::Conflict
            | Kind::PreconditionFailed
            | Kind::TooLarge
            | Kind::RangeNotSatisfiable
            | Kind::CustomerSide
            | Kind::TooMany
            | Kind::Internal
            | Kind::Upstream
            | Kind::Unavailable
            | Kind::UpstreamTimeout => FAILED,
        };
        Self {
            status,
            why: format!("{} ({})", lines.join("\n"), error.code),
        }
    }
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self {
            status: FAILED,
            why,
        }
    }
}

/// A result that cannot be printed. Where the reader of a pipe has left, nobody is told.
impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::from(String::new());
        }
        Self::from(format!("the result cannot be printed: {error}"))
    }
}
