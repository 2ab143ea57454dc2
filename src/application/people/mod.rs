//! Who calls: workspaces, tokens, sign-in, and the log of what they did.

pub mod audit;
pub mod audit_export;
pub mod authenticate;
pub mod caller;
pub mod origins;
pub mod sign_in;
pub mod tokens;
pub mod workspaces;
