//! The AWS adapter alone, its sessions, and the emulator that the other tests rest on.

pub mod adapter;
mod ahead;
mod connections;
mod emulator;
mod faults;
mod isolation;
mod lost_answers;
mod reading;
mod revoked;
mod sessions;
mod signer;
mod trust;
mod uploads;
