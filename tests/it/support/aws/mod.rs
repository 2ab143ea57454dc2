//! AWS in this process: its wire format, a stub and a store that
//! speak it, and a proxy before the emulator.

pub mod proxy;
pub mod store;
pub mod stub;
pub mod versioned;
pub mod wire;
