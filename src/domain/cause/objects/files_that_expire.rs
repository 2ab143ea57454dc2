//! Files are in the folders that the lifecycle document empties.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// A setup's bucket has files in the folders of the lifecycle rules that the service did not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesThatExpire {
    pub bucket: String,
    /// Of the settings. Empty: the whole bucket.
    pub prefix: String,
    /// The folders, without the prefix.
    pub folders: [String; 2],
    /// Keys or folders of others, with the prefix. Never empty.
    pub found: Vec<String>,
}

/// A key, fit to stand between backticks, and cut where it is long.
fn shown(key: &str) -> String {
    let plain = key.replace('`', "'");
    match plain.char_indices().nth(150) {
        Some((end, _)) => format!("{}…", &plain[..end]),
        None => plain,
    }
}

impl CauseEntry for FilesThatExpire {
    fn facts(&self) -> Facts {
        Facts::proved(
            "files_that_expire",
            Stage::Objects,
            Side::CustomerAccount,
            "A warning: files of others are in the folders that the lifecycle configuration of the documents empties after 7 days.",
        )
        .bearing(Bearing::Harmless)
        .learn_more("https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html")
    }

    fn words(&self) -> Words {
        let found: Vec<String> = self
            .found
            .iter()
            .map(|key| format!("`{}`", shown(key)))
            .collect();
        let [one, other] = self
            .folders
            .each_ref()
            .map(|folder| format!("{}{folder}", shown(&self.prefix)));
        Words::new(
            "Files are in the folders that the lifecycle configuration empties",
            format!(
                "The bucket `{}` has files there that this service did not write, such as {}. The lifecycle configuration of the documents lets S3 delete everything below `{one}` and `{other}` after 7 days.",
                self.bucket,
                found.join(" and ")
            ),
            "Move these files to another folder before the lifecycle configuration is applied, or leave that configuration out, or choose another prefix. If the product has written them in an earlier connection, nothing needs to be changed.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![Self {
            bucket: "BUCKET".to_owned(),
            prefix: "PREFIX/".to_owned(),
            folders: ["temp/".to_owned(), "export/".to_owned()],
            found: vec!["PREFIX/export/KEY".to_owned()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_both_folders_and_a_file_of_each() {
        let cause = FilesThatExpire {
            bucket: "b".to_owned(),
            prefix: "p/".to_owned(),
            folders: ["temp/".to_owned(), "export/".to_owned()],
            found: vec![
                "p/temp/a.csv".to_owned(),
                format!("p/export/{}", "é".repeat(900)),
            ],
        };
        let words = cause.words();
        for part in [
            "`p/temp/`",
            "`p/export/`",
            "`p/temp/a.csv` and `p/export/éé",
        ] {
            assert!(words.explanation.contains(part), "{}", words.explanation);
        }
        assert!(words.explanation.chars().count() < 700);
    }
}
