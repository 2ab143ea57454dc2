//! The pages, driven in Chromium against the emulator.

mod accessibility;
mod administrator;
pub mod catalogue;
mod dialog;
mod elsewhere;
mod files;
mod files_many;
mod frame;
mod hostile_keys;
mod keyboard;
mod large_files;
mod main_path;
mod picker;
mod refusals;
mod screenshots;
mod security;
mod session;
mod signing_in;
mod storages;
mod tabs;
mod waiting;
mod workspaces;
pub mod world;
