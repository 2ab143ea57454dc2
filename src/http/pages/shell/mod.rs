//! What every page has: its visitor, its frame, its forms, its headers, its errors.

pub mod answer;
pub mod chrome;
pub mod cookies;
pub mod csrf;
pub mod error;
pub mod filters;
pub mod form;
pub mod headers;
pub mod list;
pub mod moment;
pub mod session;
pub mod setup_link;
pub mod words;
