//! AWS, behind the application's traits.
//!
//! Architecture invariant: no other layer names a type of the AWS SDK.

pub mod provision;
