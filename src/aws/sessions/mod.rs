//! Sessions of customers' roles: kept for an hour at most, and made once however many requests wait.

mod cache;
mod limits;
mod opener;
mod people;
mod session;

pub use cache::RoleSessions;
#[cfg(test)]
pub use cache::SessionPace;
pub use opener::SessionOpener;
pub use session::{AwsSession, SessionScope};
