//! The product that the service is a part of, as people see it on the pages.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use url::Url;

/// A product's name: short enough for a page's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandName(String);

impl BrandName {
    /// In characters.
    pub const MAX_LEN: usize = 40;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_brand_name", detail));
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 || length > Self::MAX_LEN {
            return refuse(format!(
                "A product's name has 1 to {} characters; this one has {length}.",
                Self::MAX_LEN
            ));
        }
        match name.chars().find(|c| c.is_control()) {
            Some(odd) => refuse(format!(
                "`{}` cannot be in a product's name: control characters are refused.",
                odd.escape_debug()
            )),
            None => Ok(Self(name.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The service's own name, until the operator gives the product's.
impl Default for BrandName {
    fn default() -> Self {
        Self("Sallyport".to_owned())
    }
}

/// Where people get help: a web page or a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportUrl(Url);

impl SupportUrl {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = || {
            Invalid::new(
                "invalid_support_url",
                format!(
                    "`{}` is neither an https address nor mailto: with an address.",
                    shown(text)
                ),
            )
        };
        let url = Url::parse(text).map_err(|_| refuse())?;
        let is_page = matches!(url.scheme(), "https" | "http") && url.has_host();
        let is_mailbox = url.scheme() == "mailto" && url.path().contains('@');
        let has_user = !url.username().is_empty() || url.password().is_some();
        match (is_page || is_mailbox) && !has_user {
            true => Ok(Self(url)),
            false => Err(refuse()),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What a link to it says: the mailbox, or the host with its path.
    pub fn words(&self) -> String {
        let path = self.0.path().trim_end_matches('/');
        match self.0.host_str() {
            Some(host) => format!("{host}{path}"),
            None => path.to_owned(),
        }
    }
}

/// A picture of at most 64 KiB.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    pub kind: LogoKind,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    Svg,
    Png,
}

impl Logo {
    /// In bytes.
    pub const MAX_LEN: usize = 64 << 10;

    /// By content: a file's name says nothing about it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Invalid> {
        let refuse = |detail: String| Err(Invalid::new("invalid_logo", detail));
        if bytes.len() > Self::MAX_LEN {
            return refuse(format!(
                "The logo has {} bytes; at most {} are allowed.",
                bytes.len(),
                Self::MAX_LEN
            ));
        }
        let kind = match bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            true => LogoKind::Png,
            false if is_svg(&bytes) => LogoKind::Svg,
            false => return refuse("The logo is neither an SVG nor a PNG picture.".into()),
        };
        Ok(Self { kind, bytes })
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = ["<svg", "<?xml", "<!--", "<!DOCTYPE svg"];
    begins.iter().any(|begin| text.starts_with(begin)) && text.contains("<svg")
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.kind, self.bytes.len())
    }
}

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    pub const WHITE: Self = Self([255; 3]);
    pub const BLACK: Self = Self([0; 3]);

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix('#').filter(|digits| {
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(number) = number else {
            return Err(Invalid::new(
                "invalid_colour",
                format!(
                    "`{}` is not a colour: `#` and six hexadecimal digits.",
                    shown(text)
                ),
            ));
        };
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// This colour with a part of another, from 0 to 100.
    pub fn mixed(self, other: Self, percent: u16) -> Self {
        let mix = |a: u8, b: u8| {
            let sum = u16::from(a) * (100 - percent.min(100)) + u16::from(b) * percent.min(100);
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self(std::array::from_fn(|at| mix(self.0[at], other.0[at])))
    }

    /// The contrast ratio of WCAG, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|byte| {
            let part = f64::from(byte) / 255.0;
            match part <= 0.040_45 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The nearest colour on the way to `end` that can be read as text on all of these grounds.
    pub fn readable_on(self, grounds: &[Self], end: Self) -> Self {
        const READABLE: f64 = 4.5;
        (0..=100)
            .map(|percent| self.mixed(end, percent))
            .find(|colour| grounds.iter().all(|g| colour.contrast(*g) >= READABLE))
            .unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_support() {
        assert_eq!(BrandName::parse(" Annotate ").unwrap().as_str(), "Annotate");
        for bad in ["", " ", "a\u{7}b", &"x".repeat(41)] {
            assert!(BrandName::parse(bad).is_err(), "{bad:?}");
        }
        let words = |text| SupportUrl::parse(text).unwrap().words();
        assert_eq!(words("mailto:help@example.com"), "help@example.com");
        assert_eq!(words("https://example.com/help/"), "example.com/help");
        for bad in [
            "javascript:alert(1)",
            "help@example.com",
            "mailto:nobody",
            "https://a:b@c.d",
        ] {
            assert!(SupportUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn logos_are_known_by_their_content() {
        let kind = |bytes: &[u8]| Logo::parse(bytes.to_vec()).map(|logo| logo.kind);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n..."), Ok(LogoKind::Png));
        assert_eq!(kind(b"<?xml version='1.0'?>\n<svg/>"), Ok(LogoKind::Svg));
        for bad in [&b"<html><svg/></html>"[..], b"GIF89a", b"", &[b' '; 70_000]] {
            assert!(kind(bad).is_err());
        }
    }

    #[test]
    fn colours_stay_readable() {
        assert!((Colour::WHITE.contrast(Colour::BLACK) - 21.0).abs() < 0.01);
        for bad in ["1f5fd6", "#1f5fd", "#1f5fd6f", "#gggggg", "red"] {
            assert!(Colour::parse(bad).is_err(), "{bad}");
        }
        let grounds = [Colour::WHITE];
        for (given, expected) in [("#1f5fd6", true), ("#ffdd00", false), ("#ffffff", false)] {
            let colour = Colour::parse(given).unwrap();
            let shown = colour.readable_on(&grounds, Colour::BLACK);
            assert!(shown.contrast(Colour::WHITE) >= 4.5, "{shown}");
            assert_eq!(shown == colour, expected, "{shown}");
        }
    }
}
