//! File keys and folders: paths below bucket and prefix, as the product's users know them.

use crate::domain::invalid::{Invalid, shown};
use crate::domain::invisible::{meant, unveiled};
use std::fmt;

/// The longest key that S3 stores, in bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects").
pub const MAX_KEY_LEN: usize = 1024;

/// A file's path below the bucket prefix, written with a leading slash; the form without it means the
/// same.
///
/// Invariants: not empty, at most [`MAX_KEY_LEN`] bytes, no NUL, and no `.` or `..` segment (browsers
/// and HTTP clients fold those away, so a signed URL would reach another object). Otherwise the key is
/// opaque: spaces, `+`, `%`, empty segments and every script are kept byte for byte; nothing is decoded
/// or normalised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey(String);

impl FileKey {
    /// Parses either form. Exactly one leading slash is the mark of a file key; a second one belongs to
    /// the key.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::of_path(value.strip_prefix('/').unwrap_or(value))
    }

    /// Parses the part of an object key below the prefix, as S3 and the database have it: a slash at its
    /// beginning belongs to the key.
    pub fn of_path(path: &str) -> Result<Self, Invalid> {
        if path.is_empty() {
            return Err(Invalid::new(
                "empty_file_key",
                "A file key names a file, like `/some-folder/image.png`; this one is empty.",
            ));
        }
        check_path(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Without the leading slash: the part of the object key below the prefix.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The last segment: what a file browser shows. The key itself where it ends in a slash.
    pub fn name(&self) -> &str {
        match self.0.rsplit('/').next() {
            Some("") | None => &self.0,
            Some(name) => name,
        }
    }

    /// Whether an object of `size` bytes with this key is a folder marker: the key ends in a slash, and the
    /// object is empty. S3's console makes such objects (S3 user guide, "Organizing objects in the Amazon
    /// S3 console by using folders"). One with bytes is a file like any other.
    pub fn is_folder_marker(&self, size: i64) -> bool {
        size == 0 && self.0.ends_with('/')
    }

    /// The folder that holds the file.
    pub fn folder(&self) -> Folder {
        match self.0.rfind('/') {
            Some(at) => Folder(self.0[..=at].to_owned()),
            None => Folder::root(),
        }
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

/// A folder below the bucket prefix: the root, or a path that ends in a slash. Like [`FileKey`] in all
/// else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Folder(String);

impl Folder {
    /// The bucket prefix itself.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Parses `/a/b/`, with or without the outer slashes; nothing, or `/` alone, is the root.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let path = value.strip_prefix('/').unwrap_or(value);
        if path.is_empty() {
            return Ok(Self::root());
        }
        check_path(path)?;
        let slash = if path.ends_with('/') { "" } else { "/" };
        Ok(Self(format!("{path}{slash}")))
    }

    /// Why a folder in which nothing was found may not be the one that was meant: its path has characters that
    /// nobody sees. `None` where it has none.
    pub fn mistyped(&self) -> Option<Invalid> {
        let meant = meant(&self.0)?;
        Some(Invalid::new(
            "invalid_folder",
            format!(
                "No file was found in `/{}`, whose name has blanks or invisible characters. Use `/{meant}`.",
                unveiled(&self.0),
            ),
        ))
    }

    /// Empty, or without the leading and with the trailing slash.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The last segment, without its slash; empty for the root.
    pub fn name(&self) -> &str {
        let path = self.0.strip_suffix('/').unwrap_or(&self.0);
        path.rsplit('/').next().unwrap_or(path)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

fn check_path(path: &str) -> Result<(), Invalid> {
    if path.len() > MAX_KEY_LEN {
        return Err(Invalid::new(
            "file_key_too_long",
            format!(
                "S3 keys have at most {MAX_KEY_LEN} bytes, prefix included; this one has {}.",
                path.len()
            ),
        ));
    }
    if path.contains('\0') {
        return Err(Invalid::new(
            "invalid_file_key",
            "A file key cannot hold a NUL character.",
        ));
    }
    if let Some(dots) = path
        .split('/')
        .find(|segment| matches!(*segment, "." | ".."))
    {
        return Err(Invalid::new(
            "dot_segment",
            format!(
                "`{}` has the segment `{dots}`: browsers fold it away, so a link to it would reach another file. Rename the object.",
                shown(path)
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_the_leading_slash() {
        let key = FileKey::parse("/some-folder/image.png").unwrap();
        assert_eq!(FileKey::parse("some-folder/image.png"), Ok(key.clone()));
        assert_eq!(key.to_string(), "/some-folder/image.png");
        assert_eq!(key.name(), "image.png");
        assert_eq!(key.folder().to_string(), "/some-folder/");
    }

    #[test]
    fn odd_keys_are_opaque() {
        for path in [
            "a b",
            "a+b",
            "%2e%2e/x",
            "a//b",
            "/a",
            "…/ü",
            "a/...",
            "..a/b..",
            "a\\..\\b",
            "a/",
            "\u{202e}x",
        ] {
            let key = FileKey::parse(&format!("/{path}")).unwrap();
            assert_eq!(key.path(), path);
            assert_eq!(FileKey::of_path(path), Ok(key));
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            "/",
            ".",
            "/..",
            "a/../b",
            "/./a",
            "a/..",
            "a\0b",
            &"a".repeat(1025),
        ] {
            assert!(FileKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn folders() {
        for text in ["/a/b/", "a/b", "/a/b", "a/b/"] {
            assert_eq!(Folder::parse(text).unwrap().to_string(), "/a/b/");
        }
        assert_eq!(Folder::parse("").unwrap(), Folder::root());
        assert_eq!(Folder::parse("/").unwrap().to_string(), "/");
        assert_eq!(Folder::parse("/a/b/").unwrap().name(), "b");
        assert!(Folder::parse("/a/../").is_err());
        assert_eq!(Folder::parse("/a b/").unwrap().mistyped(), None);
        let odd = Folder::parse("/team\u{200b}/x /")
            .unwrap()
            .mistyped()
            .unwrap();
        assert!(
            odd.detail.contains("`/team[U+200B]/x[U+0020]/`"),
            "{}",
            odd.detail
        );
        assert!(odd.detail.ends_with("Use `/team/x/`."), "{}", odd.detail);
    }
}
