//! The prefix may be read, and no file is below it.

use crate::domain::cause::entry::{Bearing, CauseEntry, Facts, Side, Stage, Words};

/// How many folders are named.
const SHOWN: usize = 5;

/// A name, cut where it is long.
fn short(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The listing answered without a file. A mistyped prefix looks the same as one that is still empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NothingBelowPrefix {
    pub bucket: String,
    /// Empty: the whole bucket.
    pub prefix: String,
    /// Names of folders beside the prefix, where they could be listed.
    pub beside: Vec<String>,
}

impl CauseEntry for NothingBelowPrefix {
    fn facts(&self) -> Facts {
        Facts::proved(
            "nothing_below_prefix",
            Stage::Objects,
            Side::Settings,
            "A warning: the prefix may be read, and no file is below it.",
        )
        .bearing(Bearing::Harmless)
    }

    fn words(&self) -> Words {
        let beside = match self.beside.as_slice() {
            [] => String::new(),
            some => {
                let shown: Vec<String> = some.iter().take(SHOWN).map(|name| short(name)).collect();
                format!(
                    " In the same place there {}: `{}`{}.",
                    match some.len() {
                        1 => "is one folder",
                        _ => "are other folders",
                    },
                    shown.join("`, `"),
                    match some.len() > SHOWN {
                        true => " and more",
                        false => "",
                    }
                )
            }
        };
        let place = match self.prefix.is_empty() {
            true => format!("the bucket `{}`", self.bucket),
            false => format!("`{}` in the bucket `{}`", self.prefix, self.bucket),
        };
        Words::new(
            "Reading is allowed, and no file was found",
            format!(
                "The service may list and read {place}, and nothing is there yet.{beside} Letter case counts."
            ),
            "If files should be there, compare the prefix with the folders of the bucket. If it is new or empty, nothing needs to be changed: the connection works.",
        )
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![
            Self {
                bucket: "BUCKET".to_owned(),
                prefix: "PREFIX/".to_owned(),
                beside: vec!["FOLDER/".to_owned()],
            },
            Self {
                bucket: "BUCKET".to_owned(),
                prefix: "PREFIX/".to_owned(),
                beside: (1..7).map(|n| format!("FOLDER-{n}/")).collect(),
            },
            Self {
                bucket: "BUCKET".to_owned(),
                prefix: String::new(),
                beside: Vec::new(),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::words_of;

    #[test]
    fn a_mistyped_prefix_shows() {
        let [one, six, none]: [String; 3] = words_of::<NothingBelowPrefix>().try_into().unwrap();
        assert!(
            one.contains("one folder: `FOLDER/`.") && one.contains("`PREFIX/`"),
            "{one}"
        );
        assert!(
            six.contains("`FOLDER-5/` and more.") && !six.contains("FOLDER-6"),
            "{six}"
        );
        assert!(
            none.contains("the bucket `BUCKET`") && !none.contains("``"),
            "{none}"
        );
    }

    #[test]
    fn long_names_of_folders_are_cut() {
        let cause = NothingBelowPrefix {
            bucket: "BUCKET".to_owned(),
            prefix: "é".repeat(200),
            beside: vec!["é".repeat(500); 9],
        };
        let words = cause.words();
        let length = words.explanation.chars().count() + words.remedy.chars().count();
        assert!(length < 1_400, "{length}");
    }
}
