//! Files of a storage: its folders, one file, and what admins change.

mod change;
mod file;
mod folder;
mod link;
pub(super) mod place;
mod preview;

pub use file::{download_name, only};
pub use link::SignedLinkPage;
pub use place::{KeyQuery, Place, Trouble, address, shown};
pub use preview::{LIFE, is_picture, origin};

use actix_web::web::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    folder::configure(config);
    file::configure(config);
    change::configure(config);
}
