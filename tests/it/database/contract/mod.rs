//! What `application::store` promises, on both engines: a file for each aggregate.

mod audit;
mod checks;
mod day_two;
mod engine;
mod erasure;
mod events;
mod health;
mod idempotency;
pub mod imports;
mod jobs;
mod origins;
mod pending;
mod projects;
mod retention;
mod role_waits;
pub mod samples;
mod setups;
mod signing_in;
mod storages;
mod webhooks;
mod workspaces;
