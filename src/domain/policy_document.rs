//! The documents that a customer applies, rendered from `policies/`.
