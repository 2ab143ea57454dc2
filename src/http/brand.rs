//! The product's look on the pages: its name, and the files that come from the operator's settings.

use crate::application::kept::vault::sha256;
use crate::domain::brand::{BrandName, Colour, Logo, LogoKind, SupportUrl};
use actix_web::web::Bytes;

/// The product, as pages show it.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    pub name: BrandName,
    pub support: Option<SupportUrl>,
    logo: Option<BrandFile>,
    style: Option<BrandFile>,
}

/// A file made of the settings. Its address has the hash of its content in it.
#[derive(Debug, Clone)]
pub struct BrandFile {
    path: String,
    pub content_type: &'static str,
    pub content: Bytes,
}

impl BrandFile {
    fn new(name: &str, content_type: &'static str, content: Vec<u8>) -> Self {
        let hash: String = sha256(&content)[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: format!("/static/{hash}/{name}"),
            content_type,
            content: content.into(),
        }
    }
}

impl Brand {
    pub fn new(
        name: Option<BrandName>,
        logo: Option<Logo>,
        colour: Option<Colour>,
        support: Option<SupportUrl>,
    ) -> Self {
        Self {
            name: name.unwrap_or_default(),
            support,
            logo: logo.map(|logo| match logo.kind {
                LogoKind::Svg => BrandFile::new("logo.svg", "image/svg+xml", logo.bytes),
                LogoKind::Png => BrandFile::new("logo.png", "image/png", logo.bytes),
            }),
            style: colour.map(|colour| {
                let css = style(colour).into_bytes();
                BrandFile::new("brand.css", "text/css; charset=utf-8", css)
            }),
        }
    }

    /// The file at this address.
    pub fn file(&self, path: &str) -> Option<&BrandFile> {
        let mut files = [&self.logo, &self.style].into_iter().flatten();
        files.find(|file| file.path == path)
    }

    /// The address of the product's logo.
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(|file| file.path.as_str())
    }

    /// The address of the style with the product's colour.
    pub fn style(&self) -> Option<&str> {
        self.style.as_ref().map(|file| file.path.as_str())
    }
}

/// The accent in light and dark, made readable as text on each ground that it stands on, and as the
/// ground of a button's text.
fn style(colour: Colour) -> String {
    let known = |text| Colour::parse(text).unwrap_or(Colour::WHITE);
    let light = rules(
        colour,
        &[Colour::WHITE, known("#f6f7f9"), known("#f1f3f6")],
        (Colour::WHITE, 8),
        Colour::BLACK,
        Colour::WHITE,
    );
    let card = known("#161a21");
    let dark = rules(
        colour,
        &[card, known("#0e1116"), known("#1c212a")],
        (card, 18),
        Colour::WHITE,
        known("#0b1020"),
    );
    format!(":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n")
}

fn rules(
    colour: Colour,
    grounds: &[Colour],
    (card, part): (Colour, u16),
    end: Colour,
    on_accent: Colour,
) -> String {
    let tinted = card.mixed(colour, part);
    let mut all = grounds.to_vec();
    all.extend([tinted, on_accent]);
    let accent = colour.readable_on(&all, end);
    let strong = accent.mixed(end, 22);
    format!(
        "--accent:{accent};--accent-strong:{strong};--accent-ground:{tinted};--on-accent:{on_accent}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_colour_gives_readable_text_in_light_and_dark() {
        for text in [
            "#ffe600", "#000000", "#ffffff", "#1f5fd6", "#ff0055", "#808080",
        ] {
            let css = style(Colour::parse(text).unwrap());
            let values: Vec<Colour> = css
                .split("--")
                .skip(1)
                .map(|rule| {
                    let value = rule.split(':').nth(1).unwrap();
                    Colour::parse(&value[..7]).unwrap()
                })
                .collect();
            let [light, dark] = [&values[..4], &values[4..8]];
            for (colours, card) in [(light, "#ffffff"), (dark, "#161a21")] {
                let [accent, strong, tinted, on_accent] = colours else {
                    panic!()
                };
                let card = Colour::parse(card).unwrap();
                for (text, ground) in [
                    (accent, &card),
                    (accent, tinted),
                    (on_accent, accent),
                    (on_accent, strong),
                ] {
                    assert!(text.contrast(*ground) >= 4.5, "{text} on {ground}: {css}");
                }
            }
        }
    }

    #[test]
    fn a_logo_has_an_address_of_its_own() {
        let logo = Logo::parse(b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()).unwrap();
        let brand = Brand::new(None, Some(logo), None, None);
        let path = brand.logo().unwrap();
        assert!(
            path.starts_with("/static/") && path.ends_with("/logo.svg"),
            "{path}"
        );
        assert!(brand.style().is_none() && brand.name == BrandName::default());
    }
}
