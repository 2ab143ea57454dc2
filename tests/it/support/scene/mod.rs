//! A workspace, and a customer's bucket that it connects: as far as a test wants it.

mod applied;
mod bucket;
mod builder;
mod connected;
mod dialog;
mod reading;
mod report;
mod storage;
mod writing;

pub use applied::Applied;
pub use connected::Scene;
pub use dialog::Dialog;
pub use report::Report;
pub use storage::ConnectedStorage;
