//! AWS in this process: its wire format, a stub that speaks it, and a proxy before the emulator.

pub mod proxy;
pub mod stub;
pub mod versioned;
pub mod wire;
