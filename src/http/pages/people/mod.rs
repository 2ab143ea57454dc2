//! Signing in and out; and for admins the workspace's tokens, sessions and audit log.

pub mod audit_log;
mod audit_words;
pub mod sessions;
pub mod sign_in;
pub mod tokens;

/// The end of an ID, by which people tell one from another.
fn ending(id: &str) -> String {
    let end: String = id.chars().rev().take(8).collect();
    format!("…{}", end.chars().rev().collect::<String>())
}

#[cfg(test)]
mod tests;
