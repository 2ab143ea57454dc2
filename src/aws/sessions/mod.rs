//! Sessions of customers' roles: one AssumeRole for each storage and hour, however many requests wait.

mod cache;
mod limits;
mod opener;
mod session;

pub use cache::RoleSessions;
#[cfg(test)]
pub use cache::SessionPace;
pub use opener::SessionOpener;
pub use session::{AwsSession, SessionScope};
