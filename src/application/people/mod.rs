//! Who calls: workspaces, tokens, sign-in, and the log of what they did.

pub mod admission;
pub mod allowance;
pub mod audit;
pub mod audit_export;
pub mod authenticate;
pub mod browser_tokens;
pub mod caller;
pub mod counted;
pub mod in_progress;
pub mod issuer;
pub mod key_set;
pub mod keys;
pub mod link_rate;
pub mod openid;
pub mod operator_token;
pub mod origins;
pub mod product_tokens;
pub mod secrets;
pub mod sign_in;
pub mod tokens;
pub mod usage;
pub mod workspaces;
