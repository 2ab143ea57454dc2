//! The product that the service is a part of.

use crate::domain::brand::{BrandName, Colour, SupportUrl};
use crate::settings::options::Options;
use crate::settings::read::{Reader, path};
use std::path::PathBuf;

pub const BRAND_LOGO_EXAMPLE: &str = "/etc/sallyport/logo.svg";

/// The product that the service is a part of, as pages show it.
#[derive(Debug, Clone, Default)]
pub struct BrandSettings {
    pub name: Option<BrandName>,
    /// A file, read at start.
    pub logo: Option<PathBuf>,
    pub colour: Option<Colour>,
    pub support: Option<SupportUrl>,
}

/// What pages show of the product.
pub(super) fn brand(read: &mut Reader, options: &mut Options) -> BrandSettings {
    BrandSettings {
        name: read.text(
            "SALLYPORT_BRAND_NAME",
            options.brand_name.take(),
            "Annotate",
            |t| BrandName::parse(t).map_err(|e| e.detail),
        ),
        logo: read.text(
            "SALLYPORT_BRAND_LOGO",
            options.brand_logo.take(),
            BRAND_LOGO_EXAMPLE,
            path,
        ),
        colour: read.text(
            "SALLYPORT_BRAND_COLOUR",
            options.brand_colour.take(),
            "#1f5fd6",
            |t| Colour::parse(t).map_err(|e| e.detail),
        ),
        support: read.text(
            "SALLYPORT_BRAND_SUPPORT_URL",
            options.brand_support_url.take(),
            "https://annotate.example.com/support",
            |t| SupportUrl::parse(t).map_err(|e| e.detail),
        ),
    }
}
