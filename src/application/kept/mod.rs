//! What is kept: the port to the database, and what is sealed before it goes there.

pub mod idempotency;
pub mod master_key;
pub mod page_tokens;
pub mod rekey;
pub mod retention;
pub mod store;
pub mod upkeep;
pub mod vault;
