//! Signing in, and who is signed in.

pub mod session;
pub mod sign_in;
