//! How a customer's file is handed to a browser: nothing that could run is shown in place.

use crate::domain::files::file_key::FileKey;

/// What a file that could run is served as.
pub const INERT_TYPE: &str = "application/octet-stream";

/// Types that browsers show without running anything in them.
const SHOWN: &[&str] = &[
    "application/json",
    "application/pdf",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "text/csv",
    "text/markdown",
    "text/plain",
    "text/tab-separated-values",
    "video/mp4",
    "video/ogg",
    "video/webm",
];

/// How to serve a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    pub content_type: String,
    pub content_disposition: String,
}

/// What S3 and its clients store where nobody said a type.
const NO_TYPE: &[&str] = &["binary/octet-stream", "application/octet-stream"];

impl Serving {
    /// For a stored object. Where it was stored without a type, the key's ending says one.
    pub fn of_stored(file_key: &FileKey, content_type: Option<&str>) -> Self {
        let known = content_type.filter(|stored| !NO_TYPE.contains(stored));
        Self::of(file_key, known, None)
    }

    /// Decides by the type that the caller, the object or else the key's ending says. HTML, SVG, XML,
    /// scripts and whatever is unknown become attachments of an inert type, whatever was asked for.
    pub fn of(file_key: &FileKey, content_type: Option<&str>, download_name: Option<&str>) -> Self {
        let guessed = || {
            mime_guess::from_path(file_key.name())
                .first_raw()
                .unwrap_or(INERT_TYPE)
        };
        let content_type = content_type.unwrap_or_else(guessed);
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let shown = SHOWN.contains(&essence.as_str())
            && content_type.bytes().all(|b| (0x20..0x7f).contains(&b));
        let content_type = if !shown {
            INERT_TYPE.to_owned()
        } else if essence.starts_with("text/") && !content_type.contains("charset") {
            format!("{content_type}; charset=utf-8")
        } else {
            content_type.to_owned()
        };
        let kind = match (shown, download_name) {
            (true, None) => "inline",
            _ => "attachment",
        };
        let name = download_name.unwrap_or(file_key.name());
        Self {
            content_type,
            content_disposition: disposition(kind, name),
        }
    }
}

/// A `Content-Disposition` with the name in both forms of RFC 6266: ASCII for old clients, and RFC 8187
/// for all others. Nothing of the name can end the header or its quotes.
fn disposition(kind: &str, name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if (' '..='~').contains(&c) => c,
            _ => '_',
        })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, ATTR_CHAR);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// Everything but RFC 8187's `attr-char`.
const ATTR_CHAR: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(key: &str, content_type: Option<&str>) -> Serving {
        Serving::of(&FileKey::parse(key).unwrap(), content_type, None)
    }

    #[test]
    fn pictures_and_text_are_shown() {
        assert_eq!(serving("/a/b.png", None).content_type, "image/png");
        assert!(
            serving("/a/b.png", None)
                .content_disposition
                .starts_with("inline;")
        );
        assert_eq!(
            serving("/a/b.txt", None).content_type,
            "text/plain; charset=utf-8"
        );
    }

    #[test]
    fn what_could_run_is_an_attachment_of_an_inert_type() {
        for (key, content_type) in [
            ("/a.html", None),
            ("/a.svg", None),
            ("/a.xml", None),
            ("/a.js", None),
            ("/a", None),
            ("/a.png", Some("text/html")),
            ("/a.png", Some("TEXT/HTML; charset=utf-8")),
            ("/a.png", Some("image/svg+xml")),
            ("/a.png", Some("text/plain\r\nx-y: z")),
            ("/a.png", Some("")),
        ] {
            let served = serving(key, content_type);
            assert_eq!(served.content_type, INERT_TYPE, "{key} {content_type:?}");
            assert!(served.content_disposition.starts_with("attachment;"));
        }
    }

    #[test]
    fn a_stored_object_without_a_type_is_told_by_its_ending() {
        let stored = |key: &str, content_type| {
            Serving::of_stored(&FileKey::parse(key).unwrap(), content_type).content_type
        };
        for none in [
            None,
            Some("binary/octet-stream"),
            Some("application/octet-stream"),
        ] {
            assert_eq!(stored("/a.png", none), "image/png");
            assert_eq!(stored("/a.html", none), INERT_TYPE);
            assert_eq!(stored("/a", none), INERT_TYPE);
        }
        assert_eq!(stored("/a.png", Some("text/html")), INERT_TYPE);
    }

    #[test]
    fn names_cannot_leave_the_header() {
        let name = "a\"b\r\nSet-Cookie: x=1\\ü;%41.png";
        let served = Serving::of(&FileKey::parse("/x.png").unwrap(), None, Some(name));
        assert!(!served.content_disposition.contains(['\r', '\n', '\\', 'ü']));
        assert_eq!(served.content_disposition.matches('"').count(), 2);
        assert!(served.content_disposition.starts_with("attachment;"));
        assert!(
            served
                .content_disposition
                .ends_with("%5C%C3%BC%3B%2541.png")
        );
    }
}
