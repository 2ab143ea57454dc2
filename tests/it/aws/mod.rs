//! The AWS adapter alone, its sessions, and the emulator that the other tests rest on.

pub mod adapter;
mod emulator;
mod faults;
mod reading;
mod sessions;
mod uploads;
