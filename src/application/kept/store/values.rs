//! What several of the traits take.

/// Which rows of a list: those after the row with the ID `after` (in the list's order), at most `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub after: Option<String>,
    pub limit: u32,
}

/// A hashed secret, as stored: SHA-256 of a token with 256 bits of randomness.
pub type SecretHash = [u8; 32];
