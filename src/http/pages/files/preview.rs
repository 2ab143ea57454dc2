//! What a page shows of a file's content.

use crate::application::bucket::query::{Archive, ObjectDetails, Restore};
use crate::application::bucket::read::ReadConditions;
use crate::application::error::{Error, Result};
use crate::application::files::safe_content::Serving;
use crate::application::files::sign::{ReadMethod, SignRequest};
use crate::application::files::text::{DecodedText, decode};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::pages::files::table::Table;
use crate::http::pages::shell::session::Visitor;
use crate::http::state::Services;
use futures_util::TryStreamExt;
use std::time::Duration;

/// How much of a text is shown, in bytes.
const TEXT: usize = 64 << 10;
/// The largest picture that is shown, in bytes.
const PICTURE: i64 = 50 << 20;
/// How long the links of a page's pictures live.
pub const LIFE: Duration = Duration::from_secs(5 * 60);

pub enum Preview {
    Picture {
        url: String,
    },
    Audio {
        url: String,
    },
    Video {
        url: String,
    },
    Text {
        text: String,
        /// Whether there is more of it.
        is_cut: bool,
        /// The encoding in which some of the bytes are no text.
        damaged: Option<&'static str>,
        /// The same as rows and columns, where it is such a text.
        table: Option<Table>,
    },
    /// Why there is none.
    Nothing(String),
}

impl Preview {
    /// The address that the browser fetches it from.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Picture { url } | Self::Audio { url } | Self::Video { url } => Some(url),
            Self::Text { .. } | Self::Nothing(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Picture,
    Audio,
    Video,
    Text,
    Other,
}

/// What browsers can show, by the type that the file is served with.
fn sort_of(key: &FileKey, stored_type: Option<&str>) -> Sort {
    let served = Serving::of_stored(key, stored_type);
    let essence = match served.is_shown() {
        true => served.content_type.split(';').next().unwrap_or_default(),
        false => "",
    };
    match essence.trim() {
        "image/tiff" => Sort::Other,
        "application/json" => Sort::Text,
        essence if essence.starts_with("image/") => Sort::Picture,
        essence if essence.starts_with("audio/") => Sort::Audio,
        essence if essence.starts_with("video/") => Sort::Video,
        essence if essence.starts_with("text/") => Sort::Text,
        _ => match key.name().rsplit_once('.').map(|(_, ending)| ending) {
            // Served as attachments, and harmless as text in a page.
            Some(
                "jsonl" | "ndjson" | "log" | "yaml" | "yml" | "xml" | "html" | "svg" | "toml"
                | "js" | "css" | "sql",
            ) => Sort::Text,
            _ => Sort::Other,
        },
    }
}

/// Whether a file of this key can be shown as a picture, as far as its name says.
pub fn is_picture(key: &FileKey) -> bool {
    sort_of(key, None) == Sort::Picture
}

/// What must happen before an archived object can be read; `None` where it can be read now.
pub fn archived(archive: &Archive, storage_class: &str) -> Option<String> {
    archive.archived.then(|| match archive.restore {
        Some(Restore::InProgress) => format!(
            "This file is archived ({storage_class}) and is being restored. That takes up to two days."
        ),
        _ => format!(
            "This file is archived ({storage_class}). It must be restored in the S3 console before anybody can read it."
        ),
    })
}

/// Makes the preview of a file. That there is none is no failure of the page.
pub async fn of_file(
    services: &Services,
    visitor: &Visitor,
    storage: &StorageRef,
    key: &FileKey,
    details: &ObjectDetails,
) -> Preview {
    let nothing = |why: &str| Preview::Nothing(why.to_owned());
    let metadata = &details.metadata;
    if details.archive.archived {
        return nothing("An archived file has no preview.");
    }
    if metadata.size == Some(0) {
        return nothing("The file is empty.");
    }
    let sort = sort_of(key, metadata.content_type.as_deref());
    let coded = metadata.content_encoding.as_deref();
    let made = match sort {
        Sort::Other => return nothing("There is no preview of files of this type."),
        Sort::Picture if metadata.size.is_some_and(|size| size > PICTURE) => {
            return nothing("The picture is too large for a preview.");
        }
        Sort::Text if coded.is_some_and(|coding| !matches!(coding, "" | "aws-chunked")) => {
            return nothing("The text is stored compressed, so it is not shown here.");
        }
        Sort::Text => {
            let content_type = metadata.content_type.as_deref();
            text(services, visitor, storage, key, content_type).await
        }
        Sort::Picture | Sort::Audio | Sort::Video => {
            let content_type = metadata.content_type.clone();
            let request = SignRequest {
                keys: vec![key.clone()],
                expires_in: Some(LIFE.min(services.files.longest_url_life)),
                content_type: content_type.filter(|t| sort_of(key, Some(t)) == sort),
                download_name: None,
                method: ReadMethod::Get,
                range: None,
            };
            signed(services, visitor, storage, &request)
                .await
                .map(|url| match sort {
                    Sort::Audio => Preview::Audio { url },
                    Sort::Video => Preview::Video { url },
                    _ => Preview::Picture { url },
                })
        }
    };
    made.unwrap_or_else(|error| {
        let error = match visitor.is_admin() {
            true => error.for_admins(),
            false => error,
        };
        Preview::Nothing(error.detail.clone())
    })
}

async fn signed(
    services: &Services,
    visitor: &Visitor,
    storage: &StorageRef,
    request: &SignRequest,
) -> Result<String> {
    request
        .keys
        .iter()
        .for_each(|key| visitor.reads_by_url(key));
    let urls = services
        .files
        .sign_get(&visitor.member, storage, request)
        .await?;
    let first = urls.into_iter().next();
    Ok(first.ok_or_else(|| Error::bug("no URL was signed"))?.url)
}

/// The beginning of a text, read by the service itself: whatever it holds stays text.
async fn text(
    services: &Services,
    visitor: &Visitor,
    storage: &StorageRef,
    key: &FileKey,
    content_type: Option<&str>,
) -> Result<Preview> {
    let conditions = ReadConditions {
        range: Some(format!("bytes=0-{}", TEXT - 1)),
        ..ReadConditions::default()
    };
    visitor.reads(key);
    let mut content = services
        .files
        .content(&visitor.member, storage, key, &conditions)
        .await?;
    let mut bytes = Vec::new();
    while bytes.len() < TEXT
        && let Some(chunk) = content.body.try_next().await.map_err(Error::bug)?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(TEXT);
    let total = content
        .content_range
        .as_deref()
        .and_then(|range| range.rsplit('/').next()?.parse::<usize>().ok());
    Ok(as_text(
        key.name(),
        &bytes,
        content_type,
        total.is_some_and(|total| total > bytes.len()),
    ))
}

fn as_text(name: &str, bytes: &[u8], content_type: Option<&str>, is_cut: bool) -> Preview {
    match decode(bytes, content_type, is_cut) {
        DecodedText::Text {
            text,
            encoding,
            is_damaged,
        } => Preview::Text {
            table: Table::of(name, &text, is_cut),
            text,
            is_cut,
            damaged: is_damaged.then_some(encoding),
        },
        DecodedText::UnknownCharset(charset) => Preview::Nothing(format!(
            "The file's type names the charset “{charset}”, which is not known here, so the text is not shown."
        )),
        DecodedText::Binary => Preview::Nothing(
            "The file says it is text and holds binary data, so it is not shown.".to_owned(),
        ),
    }
}

/// The numbers of a text's lines, one below the other.
pub fn line_numbers(text: &str) -> String {
    let numbers: Vec<String> = (1..=text.lines().count().max(1))
        .map(|number| number.to_string())
        .collect();
    numbers.join("\n")
}

/// The origin of an address, for a page's Content-Security-Policy.
pub fn origin(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_how() {
        for (key, stored, sort) in [
            ("/a.png", None, Sort::Picture),
            ("/a.PNG", Some("binary/octet-stream"), Sort::Picture),
            ("/a.svg", None, Sort::Text),
            ("/a.png", Some("text/html"), Sort::Other),
            ("/a.csv", None, Sort::Text),
            ("/a.json", Some("application/json"), Sort::Text),
            ("/a", Some("text/plain; charset=utf-8"), Sort::Text),
            ("/a.mp4", None, Sort::Video),
            ("/a.mp3", None, Sort::Audio),
            ("/a.pdf", None, Sort::Other),
            ("/a.zip", None, Sort::Other),
            ("/a", None, Sort::Other),
        ] {
            let key = FileKey::parse(key).unwrap();
            assert_eq!(sort_of(&key, stored), sort, "{key} {stored:?}");
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        let shown = |bytes: &[u8], is_cut| match as_text("a.txt", bytes, None, is_cut) {
            Preview::Text { text, .. } => text,
            Preview::Nothing(why) => why,
            _ => String::new(),
        };
        assert_eq!(shown(&"aü".as_bytes()[..2], true), "a");
        assert_eq!(shown(b"a\xffb", false), "a\u{fffd}b");
        assert!(shown(b"a\0b", false).contains("binary"));
        let latin = as_text(
            "a",
            b"Z\xfcrich",
            Some("text/plain; Charset=ISO-8859-1"),
            false,
        );
        assert!(matches!(latin, Preview::Text { text, damaged: None, .. } if text == "Zürich"));
        let unknown = as_text("a", b"a", Some("text/plain; charset=klingon"), false);
        assert!(matches!(unknown, Preview::Nothing(why) if why.contains("klingon")));
    }

    #[test]
    fn origins() {
        assert_eq!(
            origin("https://a.s3.eu-west-1.amazonaws.com/x?y").as_deref(),
            Some("https://a.s3.eu-west-1.amazonaws.com")
        );
        assert_eq!(
            origin("http://127.0.0.1:4566/b/x").as_deref(),
            Some("http://127.0.0.1:4566")
        );
        assert_eq!(origin("data:text/html,x"), None);
    }
}
