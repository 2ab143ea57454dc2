//! The product's working folders, which a project of a folder leaves out.

use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::policy_document::LifecycleFolders;

/// Folders that a project leaves out, by their paths without the leading slash. None of them: the project takes
/// whatever its folder has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkingFolders(Vec<String>);

impl WorkingFolders {
    /// Those of the product's working folders that are below this folder. A folder that is a working folder, or in
    /// one, was chosen by its name: nothing of it is left out.
    pub fn below(folder: &Folder, folders: &LifecycleFolders) -> Self {
        let chosen = folder.path();
        let below = |path: &&str| path.starts_with(chosen) && *path != chosen;
        let paths = folders.both().into_iter().filter(below);
        Self(paths.map(str::to_owned).collect())
    }

    /// As they were stored: paths with a slash at the end.
    pub fn stored(paths: Vec<String>) -> Self {
        Self(paths)
    }

    pub fn paths(&self) -> &[String] {
        &self.0
    }

    /// Whether the file is in one of them.
    pub fn have(&self, key: &FileKey) -> bool {
        self.0.iter().any(|path| key.path().starts_with(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(folder: &str, folders: &str) -> Vec<String> {
        let folders = LifecycleFolders::parse(folders).unwrap();
        let folder = Folder::parse(folder).unwrap();
        WorkingFolders::below(&folder, &folders).paths().to_vec()
    }

    #[test]
    fn a_folder_leaves_out_what_is_below_it_and_nothing_that_was_chosen() {
        let default = "temp,export";
        assert_eq!(below("/", default), ["temp/", "export/"]);
        for folder in ["/data/", "/export/", "/export/2026/", "/temporary/"] {
            assert!(below(folder, default).is_empty(), "{folder}");
        }
        let own = ".sallyport/temp,.sallyport/export";
        assert_eq!(
            below("/.sallyport/", own),
            [".sallyport/temp/", ".sallyport/export/"]
        );
        assert!(below("/.sallyport/temp/", own).is_empty());
    }

    #[test]
    fn a_file_is_in_them_by_its_whole_folder() {
        let folders = WorkingFolders::below(&Folder::root(), &LifecycleFolders::default());
        for (key, is_in) in [
            ("/export/a.json", true),
            ("/temp/x/y", true),
            ("/export", false),
            ("/exported/a", false),
            ("/data/export/a", false),
            ("/Export/a", false),
        ] {
            let key = FileKey::parse(key).unwrap();
            assert_eq!(folders.have(&key), is_in, "{key}");
            assert!(!WorkingFolders::default().have(&key));
        }
    }
}
