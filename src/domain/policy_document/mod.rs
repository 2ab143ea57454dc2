//! The documents that a customer applies, rendered from `policies/`, and the policies of sessions.
//!
//! Each file of `policies/` is parsed once, at start, into a typed model in which a placeholder such as
//! `{bucket_arn}` is a node of its own. Rendering fills those nodes with values, and a value can become
//! nothing else: no text is pasted into text. What must hold of a policy is in its type: a trust policy
//! cannot lose its external-ID condition, and a placeholder that is unknown, or in a wrong place, stops
//! the start.

mod access_policy;
mod accounts;
mod bucket_rules;
mod cli;
mod cloudformation;
mod document_name;
mod documents;
pub mod escape;
mod lifecycle_folders;
mod parameters;
mod quick_create;
mod role_name;
mod session_policies;
mod templates;
mod terraform;
mod trust_policy;
mod words;

pub use accounts::DocumentAccount;
pub(crate) use bucket_rules::earlier_lifecycle_id;
pub use document_name::DocumentName;
pub use documents::{Documents, POLICY_NAME};
pub use lifecycle_folders::LifecycleFolders;
pub use parameters::DocumentParameters;
pub(crate) use parameters::sid_prefix;
pub use quick_create::{QuickCreateTemplate, link as quick_create_link, object_url};
pub use role_name::RoleName;
pub use templates::PolicyTemplates;
