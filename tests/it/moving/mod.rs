//! Workspaces that leave in a file and come in from one.

mod collisions;
mod foreign;
mod kit;
mod large;
mod refused;
mod same;
