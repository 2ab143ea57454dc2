//! The pages, driven in Chromium against the emulator.

mod accessibility;
pub mod catalogue;
mod elsewhere;
mod screenshots;
mod security;
mod session;
pub mod world;
