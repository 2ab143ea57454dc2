//! The use cases, in one folder for each subject, and the ports that they need from the outside.
//!
//! Architecture invariant: nothing here knows an AWS SDK, SQL or HTTP type. Adapters implement the
//! traits of [`kept::store`] and [`bucket`]; `startup` puts them together. No folder imports
//! itself by way of others; `tests/it/layers/` fails on one that does.

pub mod bucket;
pub mod budget;
pub mod checks;
pub mod clock;
pub mod closed_sets;
pub mod codes;
pub mod connections;
pub mod diagnosis;
pub mod doctor;
pub mod error;
pub mod events;
pub mod files;
pub mod jobs;
pub mod kept;
pub mod lost_key;
pub mod moving;
pub mod not_ready;
pub mod observe;
pub mod outage;
pub mod pace;
pub mod people;
pub mod projects;
pub mod rate;
pub mod readiness;
pub mod setups;
pub mod storages;
