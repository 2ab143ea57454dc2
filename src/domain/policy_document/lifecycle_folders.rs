//! The folders that the lifecycle rules empty.

use crate::domain::Invalid;

/// The names of the two folders below the bucket prefix whose files S3 deletes after 7 days, each with its
/// slash at the end. The operator chooses them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleFolders {
    temp: String,
    export: String,
}

impl Default for LifecycleFolders {
    fn default() -> Self {
        Self {
            temp: "temp/".to_owned(),
            export: "export/".to_owned(),
        }
    }
}

impl LifecycleFolders {
    /// Two names with a comma between, such as `temp,export`. A name may have slashes inside: `.sallyport/temp`.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "invalid_lifecycle_folders",
                "The lifecycle folders are two different folder names with a comma between: letters, digits and `._-`, with `/` between parts. Example: temp,export",
            )
        };
        let (temp, export) = value.split_once(',').ok_or_else(invalid)?;
        let folder = |name: &str| {
            let name = name.trim().trim_end_matches('/');
            let fits = |part: &str| {
                !part.is_empty()
                    && part != "."
                    && part != ".."
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            };
            (name.len() <= 100 && name.split('/').all(fits)).then(|| format!("{name}/"))
        };
        let (temp, export) = folder(temp).zip(folder(export)).ok_or_else(invalid)?;
        if temp == export {
            return Err(invalid());
        }
        Ok(Self { temp, export })
    }

    /// Both, each with its slash at the end.
    pub fn both(&self) -> [&str; 2] {
        [&self.temp, &self.export]
    }

    /// The folder of what is needed for a short time only.
    pub fn temp(&self) -> &str {
        &self.temp
    }

    /// The folder of exports.
    pub fn export(&self) -> &str {
        &self.export
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_of_plain_names() {
        assert_eq!(
            LifecycleFolders::parse("temp,export/"),
            Ok(LifecycleFolders::default())
        );
        let other = LifecycleFolders::parse(".sallyport/temp, .sallyport/export").unwrap();
        assert_eq!(
            (other.temp(), other.export()),
            (".sallyport/temp/", ".sallyport/export/")
        );
        for bad in [
            "",
            "temp",
            "temp,temp/",
            "/temp,export",
            "a,b,c",
            "a/../b,c",
            "ä,b",
            "a b,c",
            ",",
            "a,",
        ] {
            assert!(LifecycleFolders::parse(bad).is_err(), "{bad:?}");
        }
    }
}
