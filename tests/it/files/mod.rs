//! Files of a storage, by file key.

mod acls;
mod browsing;
mod buckets;
mod causes;
mod content;
mod copies;
mod deletes;
mod echoes;
mod endpoint_path;
mod every_kind;
mod hostile_writes;
pub mod keys;
mod multipart;
pub mod odd_stores;
mod other_stores;
mod page_uploads;
mod pages;
mod permissions;
mod proved_writes;
mod request_headers;
mod signed_urls;
mod stored_headers;
pub mod uploads;
mod used_by;
mod version_pages;
mod versions;
