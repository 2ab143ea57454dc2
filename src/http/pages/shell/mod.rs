//! What every page has: its frame, its forms, its headers, its errors.

pub mod chrome;
pub mod error;
pub mod fields;
pub mod form;
pub mod headers;
pub mod moment;
