//! Which files of a folder a project takes.

use crate::application::error::{Error, FieldError, Result};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// How many globs a list has at most.
const MOST_GLOBS: usize = 100;
/// The longest glob, in bytes.
const LONGEST_GLOB: usize = 1024;

/// A folder, and globs against the path below it. `*` and `?` stay within a folder, `**` crosses
/// folders, letter case counts. `?` is one byte: `*` serves for a letter like `ü`.
#[derive(Debug, Clone)]
pub struct Selection {
    folder: Folder,
    include: Vec<String>,
    exclude: Vec<String>,
    included: GlobSet,
    excluded: GlobSet,
}

impl Selection {
    /// Every file below the folder; with `include`, those that match one of it; without those that
    /// match one of `exclude`. Bad globs are named by their places.
    pub fn new(folder: Folder, include: Vec<String>, exclude: Vec<String>) -> Result<Self> {
        let mut errors = Vec::new();
        let included = glob_set("include", &include, &mut errors);
        let excluded = glob_set("exclude", &exclude, &mut errors);
        if !errors.is_empty() {
            return Err(Error::invalid(errors));
        }
        Ok(Self {
            folder,
            include,
            exclude,
            included,
            excluded,
        })
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub fn include(&self) -> &[String] {
        &self.include
    }

    pub fn exclude(&self) -> &[String] {
        &self.exclude
    }

    /// Whether the project takes the file of `size` bytes. Markers of folders are no files. The globs see
    /// an empty path where the file has the folder's own key.
    pub fn takes(&self, key: &FileKey, size: i64) -> bool {
        let Some(below) = key.path().strip_prefix(self.folder.path()) else {
            return false;
        };
        !key.is_folder_marker(size)
            && (self.include.is_empty() || self.included.is_match(below))
            && (self.exclude.is_empty() || !self.excluded.is_match(below))
    }
}

fn glob_set(field: &str, globs: &[String], errors: &mut Vec<FieldError>) -> GlobSet {
    if globs.len() > MOST_GLOBS {
        let detail = format!("A list has at most {MOST_GLOBS} globs.");
        errors.push(FieldError::new(
            field,
            Invalid::new("too_many_globs", detail),
        ));
        return GlobSet::empty();
    }
    let mut set = GlobSetBuilder::new();
    for (at, glob) in globs.iter().enumerate() {
        match parse(glob) {
            Ok(glob) => {
                set.add(glob);
            }
            Err(invalid) => errors.push(FieldError::of_item(field, at, None, invalid)),
        }
    }
    set.build().unwrap_or_else(|error| {
        errors.push(FieldError::new(field, refused(&error.to_string())));
        GlobSet::empty()
    })
}

fn parse(glob: &str) -> std::result::Result<globset::Glob, Invalid> {
    if glob.is_empty() || glob.len() > LONGEST_GLOB {
        return Err(refused(&format!("it has 1 to {LONGEST_GLOB} bytes")));
    }
    if glob.starts_with('/') {
        return Err(refused(
            "it is matched against the path below the folder, which begins without a slash",
        ));
    }
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| refused(&error.kind().to_string()))
}

fn refused(why: &str) -> Invalid {
    Invalid::new(
        "invalid_glob",
        format!("This is not a glob, like `*.png` or `**/labels/*.json`: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Result<Selection> {
        let owned = |globs: &[&str]| globs.iter().map(|&glob| glob.to_owned()).collect();
        let folder = Folder::parse("/data").unwrap();
        Selection::new(folder, owned(include), owned(exclude))
    }

    fn takes(include: &[&str], exclude: &[&str], key: &str) -> bool {
        let key = FileKey::parse(key).unwrap();
        let size = if key.path().ends_with('/') { 0 } else { 1 };
        selection(include, exclude).unwrap().takes(&key, size)
    }

    #[test]
    fn a_key_that_ends_in_a_slash_and_has_bytes_is_a_file() {
        for (include, exclude, key, taken) in [
            (&[][..], &[][..], "/data/x/", true),
            (&[], &[], "/data/", true),
            (&[], &[], "/data-b/", false),
            (&["*.png"], &[], "/data/x/", false),
            (&["*.png"], &[], "/data/", false),
            (&["x/"], &[], "/data/x/", true),
            (&[], &["x/"], "/data/x/", false),
        ] {
            let key = FileKey::parse(key).unwrap();
            let found = selection(include, exclude).unwrap().takes(&key, 21);
            assert_eq!(found, taken, "{include:?} {exclude:?} {key}");
        }
    }

    #[test]
    fn globs_see_the_path_below_the_folder() {
        for (include, exclude, key, taken) in [
            (&[][..], &[][..], "/data/a.png", true),
            (&[], &[], "/data/x/", false),
            (&[], &[], "/data/", false),
            (&[], &[], "/data-b/a.png", false),
            (&["*.png"], &[], "/data/a.png", true),
            (&["*.png"], &[], "/data/x/a.png", false),
            (&["*.png"], &[], "/data/a.PNG", false),
            (&["**/*.png"], &[], "/data/a.png", true),
            (&["**/*.png"], &[], "/data/x/y/a.png", true),
            (&["x/**"], &[], "/data/x/y/a.png", true),
            (&["x/?.png"], &[], "/data/x/1.png", true),
            (&["x/*ü?.png"], &[], "/data/x/äü1.png", true),
            (&["*.{png,jpg}"], &["a*"], "/data/b.jpg", true),
            (&["*.{png,jpg}"], &["a*"], "/data/a.jpg", false),
            (&[], &["**/temp/**"], "/data/x/temp/y", false),
            (&["\\[1\\].txt"], &[], "/data/[1].txt", true),
            (&["a b+%20.txt"], &[], "/data/a b+%20.txt", true),
            (&["**"], &[], "/data//a", true),
        ] {
            let found = takes(include, exclude, key);
            assert_eq!(found, taken, "{include:?} {exclude:?} {key}");
        }
    }

    #[test]
    fn bad_globs_are_named_by_their_places() {
        let error = selection(&["a", "[", "/b"], &["{a"]).unwrap_err();
        let fields: Vec<_> = error.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["include[1]", "include[2]", "exclude[0]"]);
        let many = vec!["a"; 101];
        let error = selection(&many, &[""]).unwrap_err();
        assert_eq!(error.fields[0].code, "too_many_globs");
        assert_eq!(error.fields[1].field, "exclude[0]");
        assert!(selection(&[&"a".repeat(1025)], &[]).is_err());
    }
}
