//! The file with the operator's token that the service made while nobody looked.
//!
//! Once the token is replaced, nothing takes what is in the file, and it is removed. A file with any other token is
//! somebody's own and stays.

use crate::application::kept::store::Store;
use crate::application::kept::vault::sha256;
use crate::application::people::authenticate::Authenticator;
use crate::application::people::operator_token::{MadeToken, made_token};
use crate::startup::error::with_cause;
use secrecy::{ExposeSecret, SecretString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Its name, in the data folder.
const NAME: &str = "operator.token";
/// A file with more bytes than this holds something else.
const MOST_BYTES: u64 = 1024;

/// What was done with the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tidied {
    /// Nothing: it is not there, or its token is taken, or not one of the service's.
    Stays,
    /// Its token was replaced.
    Removed(PathBuf),
    /// Nothing, although its token is not taken: the settings have another one, without which it is.
    Unused(PathBuf),
}

/// Where a token that is made now is put.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(NAME)
}

/// Removes the file if its token was replaced. `authenticator` knows which tokens are taken, and `None` is for a command
/// that has just replaced the one which the service made.
pub(super) async fn tidy(
    store: &dyn Store,
    data_dir: &Path,
    authenticator: Option<&Authenticator>,
) -> Result<Tidied, String> {
    let path = path(data_dir);
    let text = |error: std::io::Error| error.to_string();
    let Some(token) = read(&path).await.map_err(text)? else {
        return Ok(Tidied::Stays);
    };
    let hash = sha256(token.expose_secret().trim().as_bytes());
    if let Some(authenticator) = authenticator
        && authenticator.is_operator(&hash).await
    {
        return Ok(Tidied::Stays);
    }
    let made = made_token(store, &hash).await;
    match made.map_err(|error| with_cause(&error))? {
        MadeToken::Present => Ok(Tidied::Unused(path)),
        MadeToken::Foreign => Ok(Tidied::Stays),
        MadeToken::Replaced => {
            tokio::fs::remove_file(&path).await.map_err(text)?;
            Ok(Tidied::Removed(path))
        }
    }
}

/// The same in a running service, which says what was done in its log.
pub(super) async fn tidy_and_log(
    store: &dyn Store,
    data_dir: &Path,
    authenticator: &Authenticator,
) {
    match tidy(store, data_dir, Some(authenticator)).await {
        Ok(Tidied::Stays) => {}
        Ok(Tidied::Removed(file)) => tracing::info!(
            file = %file.display(),
            "this file was removed: the operator's token in it was replaced, and nothing takes it any more"
        ),
        Ok(Tidied::Unused(file)) => tracing::warn!(
            file = %file.display(),
            "the operator's token in this file is not taken while SALLYPORT_OPERATOR_TOKEN is set, and is taken again without it. Run `sallyport operator-token --replace` without that setting, or remove the file"
        ),
        Err(error) => tracing::warn!(
            error,
            file = %path(data_dir).display(),
            "it is not known whether the operator's token in this file was replaced. If it was, remove the file"
        ),
    }
}

/// What is in the file. `None`: there is none, or nothing that the service writes.
async fn read(path: &Path) -> std::io::Result<Option<SecretString>> {
    let found = match tokio::fs::symlink_metadata(path).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // The service makes no links.
    if !found.is_file() || found.len() > MOST_BYTES {
        return Ok(None);
    }
    let bytes = tokio::fs::read(path).await?;
    Ok(String::from_utf8(bytes).ok().map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::people::operator_token::replace_operator_token;
    use crate::database::Database;

    #[tokio::test]
    async fn only_a_token_that_the_service_has_replaced_is_removed() {
        let store = Database::in_memory().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = path(folder.path());
        let tidied = async || tidy(&store, folder.path(), None).await.unwrap();
        assert_eq!(tidied().await, Tidied::Stays, "there is none");

        let first = replace_operator_token(&store).await.unwrap();
        std::fs::write(&file, format!("{}\n", first.expose_secret())).unwrap();
        assert_eq!(tidied().await, Tidied::Unused(file.clone()));
        let second = replace_operator_token(&store).await.unwrap();
        let _third = replace_operator_token(&store).await.unwrap();
        assert_eq!(tidied().await, Tidied::Removed(file.clone()));
        assert!(!file.exists());

        // What somebody else has put there stays, and so does a link to what was replaced.
        for own in ["a-token-of-the-operator-s-own-0123456789", "", "\u{fffd}"] {
            std::fs::write(&file, own).unwrap();
            assert_eq!(tidied().await, Tidied::Stays, "{own}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), own);
        }
        std::fs::remove_file(&file).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, second.expose_secret()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert_eq!(tidied().await, Tidied::Stays);
        std::fs::rename(&elsewhere, &file).unwrap();
        assert_eq!(tidied().await, Tidied::Removed(file));
    }
}
