//! The connection check, on the emulator and, where that differs from AWS, on a stub.

mod confused_deputy;
mod health;
mod on_emulator;
mod on_stub;
mod proof;
mod scheduled;
mod timing;
