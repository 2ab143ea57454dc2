//! Files of a storage: its folders, one file, and what admins change.

mod archive;
mod delete;
mod file;
mod file_name;
mod filter;
mod folder;
mod folder_page;
mod folder_query;
mod form_fields;
mod json_text;
mod link;
mod markdown;
mod move_many;
mod multipart;
pub(super) mod place;
mod preview;
mod shown;
mod snippet;
mod table;
mod thumbnail;
mod transfer;
mod upload;
mod used_by;
mod version;
mod version_restore;
mod versions;

pub use file::{download_name, only};
pub use link::SignedLinkPage;
pub use place::{KeyQuery, Place, Trouble, address, shown};
pub use preview::{LIFE, is_picture, origin};

use crate::http::declare::PageRoutes;

pub fn configure(routes: &mut PageRoutes) {
    folder::configure(routes);
    file::configure(routes);
    upload::configure(routes);
    multipart::configure(routes);
    delete::configure(routes);
    transfer::configure(routes);
    move_many::configure(routes);
    archive::configure(routes);
    thumbnail::configure(routes);
    version::configure(routes);
    version_restore::configure(routes);
}
