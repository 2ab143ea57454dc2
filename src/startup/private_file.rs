//! Files with a secret, for the user alone that the service runs as.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes the file with this line, unless it is there. It appears whole or not at all.
pub(super) fn make(path: &Path, line: &str) -> Result<()> {
    let draft = draft(path, line)?;
    // Unlike a rename, a link never replaces what another process has just made.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Makes the file with this line, in the place of what is there. It appears whole or not at all.
pub(super) fn replace(path: &Path, line: &str) -> Result<()> {
    let draft = draft(path, line)?;
    std::fs::rename(&draft, path)
}

/// A file beside it, written to the disk.
fn draft(path: &Path, line: &str) -> Result<PathBuf> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_made_once_and_replaced_where_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new folder/secret");
        let text = || std::fs::read_to_string(&path).unwrap();
        make(&path, "one").unwrap();
        make(&path, "two").unwrap();
        assert_eq!(text(), "one\n");
        replace(&path, "three").unwrap();
        assert_eq!(text(), "three\n");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1, "no draft is left");
    }
}
