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

/// Types in which a browser runs something, or that hold other documents, besides everything that ends in
/// `+xml` and the types of scripts.
const ACTIVE: &[&str] = &[
    "application/hta",
    "application/vnd.wap.wml",
    "application/x-shockwave-flash",
    "application/x-xpinstall",
    "application/xml",
    "message/rfc822",
    "text/cache-manifest",
    "text/css",
    "text/html",
    "text/x-component",
    "text/xml",
    "text/xsl",
];

/// What S3 and its clients store where nobody said a type.
const NO_TYPE: &[&str] = &["binary/octet-stream", "application/octet-stream"];

/// How to serve a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    pub content_type: String,
    pub content_disposition: String,
}

/// What a signed URL makes the bucket say of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkServing {
    /// `None`: the stored type stays.
    pub content_type: Option<String>,
    pub content_disposition: String,
}

impl Serving {
    /// For a stored object, as it is relayed: with its own type and charset. Where it was stored without a
    /// type, the key's ending says one. What could run becomes inert, and only the types of [`SHOWN`] are
    /// shown in place.
    pub fn of_stored(file_key: &FileKey, content_type: Option<&str>) -> Self {
        let known = content_type.filter(|stored| !NO_TYPE.contains(stored));
        let Some(stored) = known else {
            return Self::of(file_key, None, None);
        };
        let kind = Kind::of(stored);
        Self {
            content_type: match kind {
                Kind::Shown | Kind::Other => stored.to_owned(),
                Kind::Active => INERT_TYPE.to_owned(),
            },
            content_disposition: kind.disposition(file_key.name(), None),
        }
    }

    /// Whether a browser shows it in place.
    pub fn is_shown(&self) -> bool {
        self.content_disposition.starts_with("inline")
    }

    /// Decides by the type that the caller or else the key's ending says. What could run becomes an
    /// attachment of an inert type, whatever was asked for; what no browser shows is an attachment.
    pub fn of(file_key: &FileKey, content_type: Option<&str>, download_name: Option<&str>) -> Self {
        let content_type = content_type.unwrap_or_else(|| guessed(file_key));
        let kind = Kind::of(content_type);
        Self {
            content_type: match kind {
                Kind::Shown | Kind::Other => content_type.to_owned(),
                Kind::Active => INERT_TYPE.to_owned(),
            },
            content_disposition: kind.disposition(file_key.name(), download_name),
        }
    }
}

impl LinkServing {
    /// For a link to the bucket, whose stored type nobody asks for.
    ///
    /// A type that is asked for is judged as in [`Serving::of`]. Where none is:
    /// - a key whose ending stands for an active type is an attachment of an inert type;
    /// - one that stands for a picture, a video or the like is shown in place, as that type: the stored one
    ///   could be active;
    /// - everything else keeps its type and charset, and is an attachment, which runs nothing.
    pub fn of(file_key: &FileKey, content_type: Option<&str>, download_name: Option<&str>) -> Self {
        let guess = guessed(file_key);
        let named = content_type.is_some();
        let is_text = guess.starts_with("text/");
        match Kind::of(guess) {
            Kind::Other if !named => Self::stored(file_key, download_name),
            Kind::Shown if !named && (is_text || download_name.is_some()) => {
                Self::stored(file_key, download_name)
            }
            Kind::Shown | Kind::Other | Kind::Active => {
                let serving = Serving::of(file_key, content_type, download_name);
                Self {
                    content_type: Some(serving.content_type),
                    content_disposition: serving.content_disposition,
                }
            }
        }
    }

    /// For links that make the bucket answer alike, whatever their keys are. A type that is asked for is judged as in
    /// [`Serving::of`]. Where none is, the stored one stays and the file is an attachment, which runs nothing. The
    /// file has no other name than the one that is asked for: browsers take the end of the address.
    pub fn alike(content_type: Option<&str>, download_name: Option<&str>) -> Self {
        let kind = content_type.map_or(Kind::Other, Kind::of);
        let content_type = content_type.map(|asked| match kind {
            Kind::Shown | Kind::Other => asked.to_owned(),
            Kind::Active => INERT_TYPE.to_owned(),
        });
        let word = kind.word(download_name);
        Self {
            content_type,
            content_disposition: match download_name {
                Some(name) => disposition(word, name),
                None => word.to_owned(),
            },
        }
    }

    fn stored(file_key: &FileKey, download_name: Option<&str>) -> Self {
        let name = download_name.unwrap_or(file_key.name());
        Self {
            content_type: None,
            content_disposition: disposition("attachment", name),
        }
    }
}

/// The `Content-Disposition` of a file that is saved under this name.
pub fn attachment(name: &str) -> String {
    disposition("attachment", name)
}

/// What a browser does with a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It shows it, and runs nothing.
    Shown,
    /// It could run something in it. Everything that is no type at all counts as such.
    Active,
    /// It offers to save it.
    Other,
}

impl Kind {
    fn of(content_type: &str) -> Self {
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        let is_type = essence.split_once('/').is_some_and(|(main, sub)| {
            let good = |part: &str| !part.is_empty() && part.chars().all(is_token);
            good(main) && good(sub)
        });
        if !is_type || !content_type.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Self::Active;
        }
        if SHOWN.contains(&essence.as_str()) {
            return Self::Shown;
        }
        let scripts = [
            "javascript",
            "ecmascript",
            "jscript",
            "livescript",
            "vbscript",
        ];
        let is_active = ACTIVE.contains(&essence.as_str())
            || essence.ends_with("+xml")
            || essence.starts_with("multipart/")
            || scripts.iter().any(|script| essence.contains(script));
        match is_active {
            true => Self::Active,
            false => Self::Other,
        }
    }

    /// What a `Content-Disposition` begins with.
    fn word(self, download_name: Option<&str>) -> &'static str {
        match (self, download_name) {
            (Self::Shown, None) => "inline",
            (Self::Shown, Some(_)) | (Self::Active | Self::Other, _) => "attachment",
        }
    }

    fn disposition(self, name: &str, download_name: Option<&str>) -> String {
        disposition(self.word(download_name), download_name.unwrap_or(name))
    }
}

/// The type that the key's ending stands for.
fn guessed(file_key: &FileKey) -> &'static str {
    mime_guess::from_path(file_key.name())
        .first_raw()
        .unwrap_or(INERT_TYPE)
}

/// A `Content-Disposition` with the name in both forms of RFC 6266: ASCII for old clients, and RFC 8187
/// for all others. Nothing of the name can end the header or its quotes.
fn disposition(kind: &str, name: &str) -> String {
    // In one piece: a request signs ten thousand of them.
    let mut text = String::with_capacity(kind.len() + 2 * name.len() + 40);
    text.push_str(kind);
    text.push_str("; filename=\"");
    text.extend(name.chars().map(|c| match c {
        '"' | '\\' | '%' => '_',
        c if (' '..='~').contains(&c) => c,
        _ => '_',
    }));
    text.push_str("\"; filename*=UTF-8''");
    text.extend(percent_encoding::utf8_percent_encode(name, ATTR_CHAR));
    text
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
        assert_eq!(serving("/a/b.txt", None).content_type, "text/plain");
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
    fn a_stored_type_stays_unless_it_is_active() {
        let key = FileKey::parse("/a").unwrap();
        for (stored, kind) in [
            ("text/plain", "inline;"),
            ("text/plain; Charset=ISO-8859-1", "inline;"),
            ("text/csv", "inline;"),
            ("application/zip", "attachment;"),
            ("application/vnd.apache.parquet", "attachment;"),
            ("audio/flac", "attachment;"),
            ("application/x-ndjson", "attachment;"),
        ] {
            let served = Serving::of_stored(&key, Some(stored));
            assert_eq!(served.content_type, stored);
            assert!(served.content_disposition.starts_with(kind), "{stored}");
        }
        for active in [
            "text/html",
            "TEXT/HTML;charset=x",
            "image/svg+xml",
            "application/xhtml+xml",
            "application/xml",
            "text/javascript",
            "application/x-javascript",
            "text/ecmascript",
            "multipart/x-mixed-replace",
            "message/rfc822",
            "no type",
            "",
            "text/plain\r\nx-y: z",
        ] {
            let served = Serving::of_stored(&key, Some(active));
            assert_eq!(served.content_type, INERT_TYPE, "{active}");
            assert!(served.content_disposition.starts_with("attachment;"));
        }
    }

    #[test]
    fn links_that_are_alike_run_nothing() {
        let alike = |asked: Option<&str>, name: Option<&str>| {
            let served = LinkServing::alike(asked, name);
            (served.content_type, served.content_disposition)
        };
        let named = "attachment; filename=\"a b\"; filename*=UTF-8''a%20b".to_owned();
        let inert = || Some(INERT_TYPE.to_owned());
        assert_eq!(alike(None, None), (None, "attachment".to_owned()));
        assert_eq!(alike(None, Some("a b")), (None, named.clone()));
        let png = || Some("image/png".to_owned());
        assert_eq!(alike(png().as_deref(), None), (png(), "inline".to_owned()));
        assert_eq!(alike(png().as_deref(), Some("a b")), (png(), named));
        for active in ["text/html", "image/svg+xml", "", "no type"] {
            let served = alike(Some(active), None);
            assert_eq!(served, (inert(), "attachment".to_owned()), "{active}");
        }
    }

    #[test]
    fn a_link_overrides_only_what_is_dangerous() {
        let link = |key: &str, asked: Option<&str>, name: Option<&str>| {
            let served = LinkServing::of(&FileKey::parse(key).unwrap(), asked, name);
            let inline = served.content_disposition.starts_with("inline;");
            (served.content_type, inline)
        };
        let inert = || Some(INERT_TYPE.to_owned());
        for kept in [
            "/a",
            "/a.zip",
            "/a.parquet",
            "/a.docx",
            "/a.flac",
            "/a.csv",
            "/a.txt",
        ] {
            assert_eq!(link(kept, None, None), (None, false), "{kept}");
            assert_eq!(link(kept, None, Some("b")), (None, false), "{kept}");
        }
        for active in ["/a.html", "/a.svg", "/a.xml", "/a.js", "/a.xhtml", "/a.mht"] {
            assert_eq!(link(active, None, None), (inert(), false), "{active}");
            assert_eq!(link(active, None, Some("b")), (inert(), false), "{active}");
        }
        assert_eq!(link("/a.png", None, None), (Some("image/png".into()), true));
        assert_eq!(link("/a.png", None, Some("b")), (None, false));
        // Nobody knows the charset of a file whose type names none.
        let plain = Some("text/csv".to_owned());
        assert_eq!(link("/a", Some("text/csv"), None), (plain, true));
        let latin = Some("text/csv; charset=iso-8859-1".to_owned());
        assert_eq!(
            link("/a", Some("text/csv; charset=iso-8859-1"), None),
            (latin, true)
        );
        assert_eq!(link("/a.csv", Some("text/html"), None), (inert(), false));
        let zip = Some("application/zip".to_owned());
        assert_eq!(link("/a", Some("application/zip"), None), (zip, false));
    }

    #[test]
    fn a_stored_object_without_a_type_is_known_by_its_ending() {
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
