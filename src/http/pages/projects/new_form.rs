//! The form of a new project: what was typed, and what is wrong with it.

use crate::application::error::{Error, FieldError, ItemPlace};
use crate::application::projects::NewProject;
use crate::application::projects::input::NewProjectInput;
use crate::application::projects::manifest::{Fault, duplicate, faults_of_pasted};
use crate::http::pages::shell::form::FormFields;

/// How many bad lines the page names.
const MOST_BAD_LINES: usize = 100;

/// Where the files of the project come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilesFrom {
    #[default]
    Keys,
    Folder,
    Manifest,
}

impl FilesFrom {
    fn parse(text: &str) -> Self {
        match text {
            "folder" => Self::Folder,
            "manifest" => Self::Manifest,
            _ => Self::Keys,
        }
    }
}

/// What was typed, as it was.
#[derive(Debug, Clone, Default)]
pub struct NewProjectForm {
    pub storage: String,
    pub name: String,
    pub from: FilesFrom,
    pub keys: String,
    pub folder: String,
    pub include: String,
    pub exclude: String,
    /// Whether files of the product's working folders are taken too.
    pub with_working_folders: bool,
    pub manifest: String,
    pub skip_missing: bool,
    /// What becomes of archived files, as the API has it; empty: they are kept.
    pub on_archived: String,
    /// Names this one form, so a project is made of it once.
    pub token: String,
}

/// What is wrong with each field.
#[derive(Debug, Default)]
pub struct NewProjectErrors {
    pub storage: Option<String>,
    pub name: Option<String>,
    pub keys: Vec<String>,
    pub folder: Option<String>,
    pub include: Option<String>,
    pub exclude: Option<String>,
    pub manifest: Vec<String>,
    /// Of the form as a whole, with its remedy.
    pub whole: Option<(String, Option<String>)>,
}

impl NewProjectForm {
    pub fn new() -> Self {
        Self {
            token: uuid::Uuid::new_v4().simple().to_string(),
            ..Self::default()
        }
    }

    pub fn of(fields: &FormFields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            storage: text("storage_id"),
            name: text("name"),
            from: FilesFrom::parse(fields.text("from")),
            keys: text("keys"),
            folder: text("folder"),
            include: text("include"),
            exclude: text("exclude"),
            with_working_folders: fields.text("include_working_folders") == "true",
            manifest: text("manifest"),
            skip_missing: fields.text("on_missing") == "skip",
            on_archived: text("on_archived"),
            token: text("token"),
        }
    }

    /// The project that was meant, or what is wrong beside each field.
    pub fn parse(&self) -> std::result::Result<NewProject, Box<NewProjectErrors>> {
        let mut input = NewProjectInput {
            name: self.name.clone(),
            storage_id: Some(self.storage.clone()),
            on_missing: self.skip_missing.then(|| "skip".to_owned()),
            on_archived: (!self.on_archived.is_empty()).then(|| self.on_archived.clone()),
            ..NewProjectInput::default()
        };
        match self.from {
            FilesFrom::Keys => input.pasted = Some(self.keys.clone()),
            FilesFrom::Folder => {
                let folder = self.folder.trim_end_matches(['\r', '\n']);
                input.folder = Some(folder.to_owned());
                input.include = Some(globs(&self.include));
                input.exclude = Some(globs(&self.exclude));
                input.include_working_folders = Some(self.with_working_folders);
            }
            FilesFrom::Manifest => input.manifest_file_key = Some(self.manifest.clone()),
        }
        let is_empty = self.from == FilesFrom::Keys && self.keys.trim().is_empty();
        match input.parse() {
            Ok(new) if !is_empty => Ok(new),
            parsed => {
                let refused = parsed.err();
                let refused = refused.as_ref().map_or(&[][..], |error| &error.fields);
                let mut errors = NewProjectErrors::of_fields(refused);
                if self.from == FilesFrom::Keys {
                    // Named together with the form's other faults, before the storage is asked anything.
                    let faults = faults_of_pasted(&self.keys);
                    let details = faults.iter().take(MOST_BAD_LINES).map(Fault::detail);
                    errors.keys.extend(details);
                }
                if is_empty {
                    let detail = "Type or paste at least one file key.";
                    errors.keys.push(detail.to_owned());
                }
                Err(Box::new(errors))
            }
        }
    }
}

/// The keys as lines, to be edited.
pub fn written<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text
}

fn globs(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines.filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

impl NewProjectErrors {
    /// What the form's own fields have wrong, each beside its field.
    fn of_fields(refused: &[FieldError]) -> Self {
        let mut errors = Self::default();
        for error in refused {
            if error.field == "storage_id" {
                errors.storage = Some("Choose a storage from the list.".to_owned());
            } else {
                errors.put(error);
            }
        }
        errors
    }

    /// What came of the attempt to make the project. Its files are a list of keys here.
    pub fn of(error: &Error) -> Self {
        let mut errors = Self::default();
        for field in &error.fields {
            errors.put(field);
        }
        if error.fields.is_empty() {
            errors.whole = Some((error.detail.clone(), error.remedy.clone()));
        }
        errors
    }

    /// Puts an error beside its field.
    fn put(&mut self, error: &FieldError) {
        let detail = error.detail.clone();
        let (field, item) = match &error.item {
            Some(item) => (item.list.as_str(), Some(item)),
            None => (error.field.as_str(), None),
        };
        let slot = match field {
            "storage_id" => &mut self.storage,
            "name" => &mut self.name,
            "files" => {
                if self.keys.len() < MOST_BAD_LINES {
                    self.keys.push(match item {
                        Some(item) => format!("Key {}: {}", item.index + 1, of_key(item, detail)),
                        None => detail,
                    });
                }
                return;
            }
            "folder" => &mut self.folder,
            "include" => &mut self.include,
            "exclude" => &mut self.exclude,
            "manifest_file_key" => {
                if self.manifest.len() < MOST_BAD_LINES {
                    self.manifest.push(match item {
                        Some(item) => format!("Line {}: {detail}", item.index + 1),
                        None => detail,
                    });
                }
                return;
            }
            _ => return,
        };
        slot.get_or_insert(match item {
            Some(item) => format!("Line {}: {detail}", item.index + 1),
            None => detail,
        });
    }
}

/// The API's `files[2]` is the third key here.
fn of_key(item: &ItemPlace, detail: String) -> String {
    match item.same_as {
        Some(earlier) => duplicate(&format!("key {}", earlier + 1)).detail,
        None => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::projects::FileSource;
    use crate::domain::Invalid;
    use crate::domain::project::{OnArchived, OnMissing};

    fn fields(pairs: &[(&str, &str)]) -> FormFields {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        FormFields(pairs.iter().map(own).collect())
    }

    #[test]
    fn each_source_is_parsed() {
        let base = [("storage_id", "built-in"), ("name", "Cats")];
        let with = |more: &[(&'static str, &'static str)]| {
            let pairs: Vec<_> = base.iter().chain(more).copied().collect();
            NewProjectForm::of(&fields(&pairs)).parse()
        };
        let new = with(&[
            ("from", "keys"),
            ("keys", "/a\r\n/b"),
            ("on_missing", "skip"),
            ("on_archived", "fail"),
        ])
        .unwrap();
        assert_eq!(new.on_archived, OnArchived::Fail);
        assert!(matches!(new.files, FileSource::Pasted(text) if text == "/a\r\n/b"));
        assert_eq!(new.on_missing, OnMissing::Skip);
        let new = with(&[
            ("from", "folder"),
            ("folder", "/x y/"),
            ("include", "*.png\r\n\r\n"),
        ]);
        let new = new.unwrap();
        assert!(!new.include_working_folders);
        let FileSource::Folder(selection) = new.files else {
            panic!("a folder")
        };
        assert_eq!(selection.folder().to_string(), "/x y/");
        assert_eq!(selection.include(), ["*.png"]);
        let new = with(&[
            ("from", "folder"),
            ("folder", "/"),
            ("include_working_folders", "true"),
        ]);
        assert!(new.unwrap().include_working_folders);
        // A choice that was made for a folder does not stand in the way of another source.
        let new = with(&[
            ("from", "manifest"),
            ("manifest", "/list.csv"),
            ("include_working_folders", "true"),
        ])
        .unwrap();
        assert!(matches!(new.files, FileSource::Manifest(_)));
        let form = NewProjectForm::of(&fields(&[("from", "keys")]));
        let errors = form.parse().unwrap_err();
        assert!(errors.name.is_some());
        let storage = Some("Choose a storage from the list.");
        assert_eq!(errors.storage.as_deref(), storage);
        assert_eq!(errors.keys, ["Type or paste at least one file key."]);
        let errors = with(&[("from", "folder"), ("exclude", "a\n[")]).unwrap_err();
        assert!(errors.exclude.unwrap().starts_with("Line 2: "));
        assert!(errors.name.is_none() && errors.storage.is_none() && errors.keys.is_empty());
    }

    #[test]
    fn keys_are_written_on_lines() {
        assert_eq!(written(["/a b", "//c", "/d,e"]), "/a b\n//c\n/d,e\n");
        assert_eq!(written([]), "");
    }

    #[test]
    fn bad_lines_are_named_up_to_some() {
        let refused: Vec<FieldError> = (1..=120)
            .map(|line| FieldError::new("files", Invalid::new("x", format!("Line {line}: No."))))
            .collect();
        let errors = NewProjectErrors::of(&Error::invalid(refused));
        assert_eq!(errors.keys.len(), MOST_BAD_LINES);
        assert_eq!(errors.keys[0], "Line 1: No.");
        let of_manifest: Vec<FieldError> = (1..=120)
            .map(|line| {
                let invalid = Invalid::new("x", format!("Line {line}: No."));
                FieldError::new("manifest_file_key", invalid)
            })
            .collect();
        let errors = NewProjectErrors::of(&Error::invalid(of_manifest));
        assert_eq!(errors.manifest.len(), MOST_BAD_LINES);
    }
}
