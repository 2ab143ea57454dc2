//! Files of a storage: its folders, one file, and what admins change.

mod change;
mod file;
mod file_name;
mod folder;
mod link;
pub(super) mod place;
mod preview;

pub use file::{download_name, only};
pub use link::SignedLinkPage;
pub use place::{KeyQuery, Place, Trouble, address, shown};
pub use preview::{LIFE, is_picture, origin};

use crate::http::declare::PageRoutes;

pub fn configure(routes: &mut PageRoutes) {
    folder::configure(routes);
    file::configure(routes);
    change::configure(routes);
}
