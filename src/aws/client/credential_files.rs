//! The files that the service's own credentials may be in, and whether they have changed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How the files of the AWS configuration are at a moment. Two are equal while nobody has written or replaced a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialFiles([Option<Stamp>; 2]);

/// A file: its inode, its size, and when it was written, in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

impl CredentialFiles {
    /// The files that the environment names, or the usual ones of the home folder (AWS SDKs and tools reference guide,
    /// "Finding and customizing the location of the shared config and credentials files").
    pub fn now() -> Self {
        let named = |variable: &str, usual: &str| {
            let given = std::env::var_os(variable).filter(|path| !path.is_empty());
            let at_home = || std::env::home_dir().map(|home| home.join(".aws").join(usual));
            given.map(PathBuf::from).or_else(at_home)
        };
        let files = [
            named("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            named("AWS_CONFIG_FILE", "config"),
        ];
        Self(files.map(|path| path.as_deref().and_then(stamp)))
    }
}

/// `None`: there is no such file, or it cannot be looked at.
fn stamp(path: &Path) -> Option<Stamp> {
    // Of what a link leads to: secrets that are mounted are replaced by another link.
    let found = std::fs::metadata(path).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_appears_or_is_replaced_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        assert_eq!(stamp(&path), None);
        std::fs::write(&path, "one").unwrap();
        let first = stamp(&path);
        assert_eq!((first.is_some(), stamp(&path)), (true, first));
        let other = folder.path().join("other");
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(stamp(&path), first);
    }
}
