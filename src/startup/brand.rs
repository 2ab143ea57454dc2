//! The product's look, from the settings.

use crate::domain::brand::Logo;
use crate::http::brand::Brand;
use crate::settings::{BRAND_LOGO_EXAMPLE, BadSetting, BadSettings, BrandSettings};
use crate::startup::error::StartError;
use tokio::io::AsyncReadExt;

/// Reads the logo. One that cannot be used stops the start, as any other setting does.
pub async fn of(settings: &BrandSettings) -> Result<Brand, StartError> {
    let logo = match &settings.logo {
        None => None,
        Some(path) => {
            let read = async {
                let file = tokio::fs::File::open(path).await?;
                let mut bytes = Vec::new();
                // One byte more than is allowed tells that there are too many.
                let most = u64::try_from(Logo::MAX_LEN + 1).unwrap_or(u64::MAX);
                file.take(most).read_to_end(&mut bytes).await?;
                Ok::<_, std::io::Error>(bytes)
            };
            let refuse = |why: String| {
                BadSettings(vec![BadSetting {
                    name: "SALLYPORT_BRAND_LOGO",
                    why,
                    example: BRAND_LOGO_EXAMPLE,
                }])
            };
            let bytes = read.await.map_err(|error| {
                refuse(format!("`{}` cannot be read: {error}.", path.display()))
            })?;
            Some(Logo::parse(bytes).map_err(|invalid| refuse(invalid.detail))?)
        }
    };
    Ok(Brand::new(
        settings.name.clone(),
        logo,
        settings.colour,
        settings.support.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_logo_that_cannot_be_used_stops_the_start_with_its_name_and_an_example() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let large = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; 64 << 10]].concat();
        for path in [
            folder.path().join("absent.svg"),
            file("page.svg", b"<html></html>"),
            file("large.png", &large),
        ] {
            let settings = BrandSettings {
                logo: Some(path),
                ..BrandSettings::default()
            };
            let error = of(&settings).await.err().unwrap().to_string();
            assert!(
                error.starts_with("SALLYPORT_BRAND_LOGO (--brand-logo): "),
                "{error}"
            );
            assert!(
                error.ends_with("Example: /etc/sallyport/logo.svg"),
                "{error}"
            );
        }
    }
}
