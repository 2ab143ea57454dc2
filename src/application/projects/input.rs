//! A new project as somebody gave it, parsed once for every face.

use crate::application::error::{Error, FieldError, Result};
use crate::application::projects::manifest::FileReference;
use crate::application::projects::selection::Selection;
use crate::application::projects::{FileSource, ListedFile, NewProject};
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::names::Name;
use crate::domain::project::{FileName, OnArchived, OnMissing};

/// More would make the answer longer than it is of use.
const MOST_ERRORS: usize = 100;

/// The texts of a new project. Exactly one of `files`, `folder` and `manifest_file_key` is given. Errors
/// name these fields.
#[derive(Debug, Clone, Default)]
pub struct NewProjectInput {
    pub name: String,
    /// `None`: the default storage.
    pub storage_id: Option<String>,
    pub files: Option<Vec<NewFileInput>>,
    pub folder: Option<String>,
    /// Globs, only with a folder.
    pub include: Option<Vec<String>>,
    pub exclude: Option<Vec<String>>,
    /// Whether files of the product's working folders are taken too. Only with a folder.
    pub include_working_folders: Option<bool>,
    pub manifest_file_key: Option<String>,
    /// A list of files as it was pasted into the field `files`.
    pub pasted: Option<String>,
    pub on_missing: Option<String>,
    pub on_archived: Option<String>,
}

/// The texts of one listed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFileInput {
    pub file_key: String,
    pub name: Option<String>,
}

/// The refusals so far.
#[derive(Default)]
struct Refusals(Vec<FieldError>);

impl NewProjectInput {
    /// The project that is meant, or what is wrong with each field.
    pub fn parse(self) -> Result<NewProject> {
        let mut refusals = Refusals::default();
        let name = refusals.taken("name", Name::parse(&self.name));
        let storage = self
            .storage_id
            .and_then(|id| refusals.taken("storage_id", StorageRef::parse(&id)));
        let on_missing = self
            .on_missing
            .and_then(|text| refusals.taken("on_missing", OnMissing::parse(&text)));
        let on_archived = self
            .on_archived
            .and_then(|text| refusals.taken("on_archived", OnArchived::parse(&text)));
        let choices = [
            ("include", self.include.is_some()),
            ("exclude", self.exclude.is_some()),
            (
                "include_working_folders",
                self.include_working_folders.is_some(),
            ),
        ];
        for (field, is_given) in choices {
            if is_given && self.folder.is_none() {
                let detail = format!("`{field}` chooses among the files of a `folder`.");
                let invalid = Invalid::new("only_with_folder", detail);
                refusals.0.push(FieldError::new(field, invalid));
            }
        }
        let source = match (self.files, self.folder, self.manifest_file_key, self.pasted) {
            (Some(files), None, None, None) => Some(FileSource::Listed(refusals.files(files))),
            (None, Some(folder), None, None) => {
                let include = self.include.unwrap_or_default();
                let exclude = self.exclude.unwrap_or_default();
                refusals.selection(&folder, include, exclude)
            }
            (None, None, Some(key), None) => refusals
                .taken("manifest_file_key", FileKey::parse(&key))
                .map(FileSource::Manifest),
            (None, None, None, Some(text)) => Some(FileSource::Pasted(text)),
            _ => {
                let detail = "Give exactly one of `files`, `folder` and `manifest_file_key`.";
                let invalid = Invalid::new("one_source_needed", detail);
                refusals.0.push(FieldError::new("files", invalid));
                None
            }
        };
        match (name, source) {
            (Some(name), Some(files)) if refusals.0.is_empty() => Ok(NewProject {
                name,
                storage,
                files,
                include_working_folders: self.include_working_folders.unwrap_or_default(),
                on_missing: on_missing.unwrap_or_default(),
                on_archived: on_archived.unwrap_or_default(),
            }),
            _ => Err(Error::invalid(refusals.0)),
        }
    }
}

/// The files that are meant, or what is wrong with each. Errors name the field `files`.
pub fn parse_files(files: Vec<NewFileInput>) -> Result<Vec<ListedFile>> {
    let mut refusals = Refusals::default();
    let listed = refusals.files(files);
    match refusals.0.is_empty() {
        true => Ok(listed),
        false => Err(Error::invalid(refusals.0)),
    }
}

impl Refusals {
    /// The value, or its refusal among the errors.
    fn taken<T>(&mut self, field: &str, parsed: std::result::Result<T, Invalid>) -> Option<T> {
        self.or_refused(parsed, |invalid| FieldError::new(field, invalid))
    }

    fn or_refused<T>(
        &mut self,
        parsed: std::result::Result<T, Invalid>,
        error: impl FnOnce(Invalid) -> FieldError,
    ) -> Option<T> {
        parsed
            .map_err(|invalid| {
                if self.0.len() < MOST_ERRORS {
                    self.0.push(error(invalid));
                }
            })
            .ok()
    }

    fn files(&mut self, files: Vec<NewFileInput>) -> Vec<ListedFile> {
        let mut listed = Vec::with_capacity(files.len());
        for (at, file) in files.into_iter().enumerate() {
            let of = |inner| move |invalid| FieldError::of_item("files", at, Some(inner), invalid);
            let reference = FileReference::parse(file.file_key);
            let file_key = self.or_refused(reference, of("file_key"));
            let name = file
                .name
                .and_then(|name| self.or_refused(FileName::parse(&name), of("name")));
            if let Some(file) = file_key {
                listed.push(ListedFile { file, name });
            }
        }
        listed
    }

    fn selection(
        &mut self,
        folder: &str,
        include: Vec<String>,
        exclude: Vec<String>,
    ) -> Option<FileSource> {
        let folder = self.taken("folder", Folder::parse(folder))?;
        match Selection::new(folder, include, exclude) {
            Ok(selection) => Some(FileSource::Folder(selection)),
            Err(error) => {
                self.0.extend(error.fields.iter().cloned());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> NewProjectInput {
        NewProjectInput {
            name: "Cats".to_owned(),
            ..NewProjectInput::default()
        }
    }

    fn file(key: &str, name: Option<&str>) -> NewFileInput {
        NewFileInput {
            file_key: key.to_owned(),
            name: name.map(str::to_owned),
        }
    }

    fn refused(input: NewProjectInput) -> Vec<FieldError> {
        input.parse().unwrap_err().fields.clone()
    }

    #[test]
    fn each_source_is_parsed() {
        let new = NewProjectInput {
            files: Some(vec![file("/a", None), file("b", Some("B"))]),
            storage_id: Some("built-in".to_owned()),
            on_missing: Some("skip".to_owned()),
            ..input()
        };
        let new = new.parse().unwrap();
        assert!(matches!(new.files, FileSource::Listed(files) if files.len() == 2));
        assert_eq!(new.on_missing, OnMissing::Skip);
        assert_eq!(new.storage, Some(StorageRef::BuiltIn));
        let new = NewProjectInput {
            folder: Some("/x y/".to_owned()),
            include: Some(vec!["*.png".to_owned()]),
            ..input()
        };
        let FileSource::Folder(selection) = new.parse().unwrap().files else {
            panic!("a folder")
        };
        assert_eq!(selection.folder().to_string(), "/x y/");
        assert_eq!(selection.include(), ["*.png"]);
        let new = NewProjectInput {
            manifest_file_key: Some("/list.csv".to_owned()),
            ..input()
        };
        let new = new.parse().unwrap();
        assert!(matches!(new.files, FileSource::Manifest(_)));
        assert_eq!((new.on_missing, new.storage), (OnMissing::Fail, None));
    }

    #[test]
    fn every_fault_is_named_by_its_field_and_its_place() {
        let errors = refused(NewProjectInput {
            storage_id: Some("sto_x".to_owned()),
            files: Some(vec![file("/a", None), file("/b/../c", Some(""))]),
            include: Some(Vec::new()),
            ..NewProjectInput::default()
        });
        let fields: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "name",
                "storage_id",
                "include",
                "files[1].file_key",
                "files[1].name"
            ]
        );
        assert_eq!(errors[0].item, None);
        let item = errors[3].item.as_ref().unwrap();
        assert_eq!((item.list.as_str(), item.index), ("files", 1));
        let errors = refused(NewProjectInput {
            folder: Some("/".to_owned()),
            exclude: Some(vec!["a".to_owned(), "[".to_owned()]),
            ..input()
        });
        assert_eq!(errors[0].field, "exclude[1]");
        assert_eq!(errors[0].item.as_ref().unwrap().index, 1);
        let many = vec![file("..", None); 2 * MOST_ERRORS];
        let errors = refused(NewProjectInput {
            files: Some(many),
            ..input()
        });
        assert_eq!(errors.len(), MOST_ERRORS);
    }
}
