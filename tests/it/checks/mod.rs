//! The connection check, on the emulator and, where that differs from AWS, on a stub.

mod answers;
mod confused_deputy;
pub mod health;
mod on_emulator;
mod on_stub;
mod over_time;
mod probe;
mod proof;
mod real_policies;
mod scheduled;
mod timing;
mod troubleshooting;
