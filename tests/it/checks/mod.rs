//! The connection check, on the emulator and, where that differs from AWS, on a stub.

mod confused_deputy;
mod on_emulator;
mod on_stub;
mod scheduled;
mod timing;
