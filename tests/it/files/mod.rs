//! Files of a storage, by file key.

mod acls;
mod browsing;
mod buckets;
mod content;
mod copies;
mod deletes;
mod every_kind;
mod hostile_writes;
pub mod keys;
mod multipart;
mod odd_stores;
mod other_stores;
mod pages;
mod permissions;
mod signed_urls;
mod stored_headers;
pub mod uploads;
mod versions;
