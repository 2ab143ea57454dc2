//! What a page shows of a file's content.

use crate::application::bucket::query::{Archive, ObjectDetails, Restore};
use crate::application::bucket::read::{ObjectMetadata, ReadConditions};
use crate::application::error::{Error, Result};
use crate::application::files::safe_content::Serving;
use crate::application::files::sign::{ReadMethod, SignRequest};
use crate::application::files::text::{DecodedText, decode};
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::pages::files::json_text::laid_out;
use crate::http::pages::files::markdown;
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
    /// Browsers show it by themselves, apart from the page.
    Pdf {
        url: String,
    },
    Text {
        text: String,
        /// Whether it is JSON that is shown over more lines than it has.
        is_laid_out: bool,
        /// Whether there is more of it.
        is_cut: bool,
        /// The encoding in which some of the bytes are no text.
        damaged: Option<&'static str>,
        /// The same as rows and columns, where it is such a text.
        table: Option<Table>,
        /// The same as HTML of ours, where it is Markdown.
        rendered: Option<String>,
    },
    /// Why there is none.
    Nothing(String),
}

impl Preview {
    /// The address that the page fetches it from.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Picture { url } | Self::Audio { url } | Self::Video { url } => Some(url),
            // No part of the page.
            Self::Pdf { .. } => None,
            Self::Text { .. } | Self::Nothing(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Picture,
    Audio,
    Video,
    Pdf,
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
        "application/pdf" => Sort::Pdf,
        essence if essence.starts_with("image/") => Sort::Picture,
        essence if essence.starts_with("audio/") => Sort::Audio,
        essence if essence.starts_with("video/") => Sort::Video,
        essence if essence.starts_with("text/") => Sort::Text,
        _ => match key.name().rsplit_once('.').map(|(_, ending)| ending) {
            // Served as attachments, and harmless as text in a page.
            Some(
                "jsonl" | "ndjson" | "log" | "yaml" | "yml" | "xml" | "html" | "svg" | "toml"
                | "js" | "css" | "sql" | "markdown" | "mdown" | "mkd",
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

/// An earlier version of a file, as far as its preview has to know.
pub struct OfVersion<'a> {
    pub id: &'a str,
    /// The address of its content among our pages: signed links lead to the current version.
    pub content: &'a str,
}

/// Makes the preview of a file, or of an earlier version of it. That there is none is no failure of the page.
pub async fn of_file(
    services: &Services,
    visitor: &Visitor,
    storage: &StorageRef,
    key: &FileKey,
    details: &ObjectDetails,
    version: Option<OfVersion<'_>>,
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
            let version = version.map(|version| version.id.to_owned());
            text(services, visitor, storage, key, version, metadata).await
        }
        Sort::Picture | Sort::Audio | Sort::Video | Sort::Pdf => match version {
            // What we serve ourselves stands in a sandbox, in which browsers show no PDF.
            Some(_) if sort == Sort::Pdf => {
                return nothing(
                    "An earlier version of a PDF has no preview. Download it to see it.",
                );
            }
            Some(version) => Ok(fetched(sort, version.content.to_owned())),
            None => {
                let content_type = match sort {
                    // Stored without a type, it would be saved instead of shown.
                    Sort::Pdf => Some("application/pdf".to_owned()),
                    _ => metadata.content_type.clone(),
                };
                let request = SignRequest {
                    keys: vec![key.clone()],
                    expires_in: Some(LIFE.min(services.files.longest_url_life)),
                    content_type: content_type.filter(|t| sort_of(key, Some(t)) == sort),
                    download_name: None,
                    method: ReadMethod::Get,
                    range: None,
                    alike: false,
                };
                let url = signed(services, visitor, storage, &request).await;
                url.map(|url| fetched(sort, url))
            }
        },
    };
    made.unwrap_or_else(|error| {
        let error = match visitor.is_admin() {
            true => error.for_admins(),
            false => error,
        };
        Preview::Nothing(error.detail.clone())
    })
}

/// What browsers show of what they fetch from an address.
fn fetched(sort: Sort, url: String) -> Preview {
    match sort {
        Sort::Audio => Preview::Audio { url },
        Sort::Video => Preview::Video { url },
        Sort::Pdf => Preview::Pdf { url },
        Sort::Picture | Sort::Text | Sort::Other => Preview::Picture { url },
    }
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
    let first = urls.into_first();
    Ok(first.ok_or_else(|| Error::bug("no URL was signed"))?.url)
}

/// The beginning of a text, read by the service itself: whatever it holds stays text.
async fn text(
    services: &Services,
    visitor: &Visitor,
    storage: &StorageRef,
    key: &FileKey,
    version_id: Option<String>,
    metadata: &ObjectMetadata,
) -> Result<Preview> {
    // A whole file is asked for as such: not every store serves ranges of everything.
    let size = metadata.size.and_then(|size| usize::try_from(size).ok());
    let is_whole = size.is_some_and(|size| size <= TEXT);
    let conditions = ReadConditions {
        range: (!is_whole).then(|| format!("bytes=0-{}", TEXT - 1)),
        version_id,
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
        .and_then(|range| range.rsplit('/').next()?.parse::<usize>().ok())
        .or(content
            .content_length
            .and_then(|length| usize::try_from(length).ok()));
    Ok(as_text(
        key.name(),
        &bytes,
        metadata.content_type.as_deref(),
        total.is_some_and(|total| total > bytes.len()),
    ))
}

fn as_text(name: &str, bytes: &[u8], content_type: Option<&str>, is_cut: bool) -> Preview {
    match decode(bytes, content_type, is_cut) {
        DecodedText::Text {
            text,
            encoding,
            is_damaged,
        } => {
            let is_json = !is_cut && is_json(name, content_type);
            let is_markdown = markdown::is_markdown(name, content_type);
            let readable = is_json.then(|| laid_out(&text)).flatten();
            Preview::Text {
                table: Table::of(name, &text, is_cut),
                rendered: is_markdown.then(|| markdown::rendered(&text)).flatten(),
                is_laid_out: readable.is_some(),
                text: readable.unwrap_or(text),
                is_cut,
                damaged: is_damaged.then_some(encoding),
            }
        }
        DecodedText::UnknownCharset(charset) => Preview::Nothing(format!(
            "The file’s type names the charset “{charset}”, which is not known here, so the text is not shown."
        )),
        DecodedText::Binary => Preview::Nothing(
            "The file says it is text and holds binary data, so it is not shown.".to_owned(),
        ),
    }
}

/// Whether a file says that it is one JSON text.
fn is_json(name: &str, content_type: Option<&str>) -> bool {
    let ends_so = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("json"));
    let essence = content_type.and_then(|stored| stored.split(';').next());
    ends_so || essence.is_some_and(|essence| essence.trim() == "application/json")
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
            ("/a.md", None, Sort::Text),
            ("/a.markdown", None, Sort::Text),
            ("/a.MKD", Some("text/markdown"), Sort::Text),
            ("/a.json", Some("application/json"), Sort::Text),
            ("/a", Some("text/plain; charset=utf-8"), Sort::Text),
            ("/a.mp4", None, Sort::Video),
            ("/a.mp3", None, Sort::Audio),
            ("/a.pdf", None, Sort::Pdf),
            ("/a", Some("application/pdf"), Sort::Pdf),
            ("/a.pdf", Some("text/html"), Sort::Other),
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
    fn json_is_laid_out_where_all_of_it_is_there() {
        let shown = |name: &str, content_type, is_cut| match as_text(
            name,
            b"[1,2]",
            content_type,
            is_cut,
        ) {
            Preview::Text {
                text, is_laid_out, ..
            } => (text, is_laid_out),
            _ => panic!("it is text"),
        };
        let whole = ("[\n  1,\n  2\n]".to_owned(), true);
        let json = Some("application/json; charset=utf-8");
        assert_eq!(shown("a.JSON", None, false), whole);
        assert_eq!(shown("a", json, false), whole);
        for other in [shown("a.json", None, true), shown("a.txt", None, false)] {
            assert_eq!(other, ("[1,2]".to_owned(), false));
        }
    }

    #[test]
    fn markdown_is_rendered_and_its_text_kept() {
        let shown = |name: &str| match as_text(name, b"# A\n<b>", None, true) {
            Preview::Text { text, rendered, .. } => (text, rendered),
            _ => panic!("it is text"),
        };
        let (text, rendered) = shown("a.md");
        assert_eq!(text, "# A\n<b>");
        assert!(rendered.is_some_and(|html| html.contains("<h3>A</h3>") && !html.contains("<b>")));
        assert_eq!(shown("a.txt").1, None);
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
