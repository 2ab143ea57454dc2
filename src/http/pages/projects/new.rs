//! A new project.

use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::kept::idempotency;
use crate::application::kept::idempotency::{Begun, IdempotencyKey, Once};
use crate::application::kept::store::Window;
use crate::application::kept::vault::sha256;
use crate::application::projects::selection::Selection;
use crate::application::projects::{FileSource, NewProject};
use crate::application::storages::StorageView;
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::domain::names::Name;
use crate::domain::project::OnMissing;
use crate::http::pages::files::shown;
use crate::http::pages::people::session::Visitor;
use crate::http::pages::people::sign_in::{html, see_other};
use crate::http::pages::projects::typed;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::fields::Fields;
use crate::http::problem::status_of;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use askama::Template;
use serde::Deserialize;
use std::time::Duration;

/// How many storages the choice offers; those beyond are reached from their files.
const MOST_STORAGES: u32 = 100;
/// How many missing keys the page lists.
const MOST_SHOWN: usize = 200;
/// How often, and how long in all, a form that was sent twice waits for the first one's project.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
const LOOKS: u32 = 100;

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/projects/new")
                .name("new_project_page")
                .route(web::get().to(show))
                .route(web::post().to(show_chosen)),
        )
        .service(
            web::resource("/projects/new/pick")
                .name("pick_project_files")
                .route(web::post().to(pick)),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuery {
    storage_id: Option<String>,
    folder: Option<String>,
    key: Option<String>,
}

/// Where the files of the project come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Source {
    #[default]
    Keys,
    Folder,
    Manifest,
}

impl Source {
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
struct Typed {
    storage: String,
    name: String,
    from: Source,
    keys: String,
    folder: String,
    include: String,
    exclude: String,
    manifest: String,
    skip_missing: bool,
    /// Names this one form, so that a project is made of it once.
    token: String,
}

/// What is wrong with each field.
#[derive(Default)]
struct Errors {
    storage: Option<String>,
    name: Option<String>,
    keys: Vec<String>,
    folder: Option<String>,
    include: Option<String>,
    exclude: Option<String>,
    manifest: Option<String>,
    /// Of the form as a whole, with its remedy.
    whole: Option<(String, Option<String>)>,
}

struct StorageOption {
    id: String,
    words: String,
    is_chosen: bool,
}

/// Files that are not there.
struct Missing {
    count: usize,
    shown: Vec<String>,
    /// Whether a project without them would have any files.
    can_skip: bool,
}

/// The form of a new project.
#[derive(Template)]
#[template(path = "pages/project_new.html")]
struct NewProjectPage {
    chrome: Chrome,
    storages: Vec<StorageOption>,
    has_more_storages: bool,
    typed: Typed,
    errors: Errors,
    missing: Option<Missing>,
}

impl NewProjectPage {
    fn is_from_keys(&self) -> bool {
        self.typed.from == Source::Keys
    }

    fn is_from_folder(&self) -> bool {
        self.typed.from == Source::Folder
    }

    fn is_from_manifest(&self) -> bool {
        self.typed.from == Source::Manifest
    }
}

impl Typed {
    fn new() -> Self {
        Self {
            token: uuid::Uuid::new_v4().simple().to_string(),
            ..Self::default()
        }
    }

    fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            storage: text("storage_id"),
            name: text("name"),
            from: Source::parse(fields.text("from")),
            keys: text("keys"),
            folder: text("folder"),
            include: text("include"),
            exclude: text("exclude"),
            manifest: text("manifest"),
            skip_missing: fields.text("on_missing") == "skip",
            token: text("token"),
        }
    }

    /// The project that was meant, or what is wrong by field.
    fn parse(&self) -> std::result::Result<NewProject, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, invalid| errors.push(FieldError::new(field, invalid));
        let name = Name::parse(&self.name)
            .map_err(|invalid| refuse("name", invalid))
            .ok();
        let storage = StorageRef::parse(&self.storage)
            .map_err(|_| {
                let invalid = Invalid::new("no_storage", "Choose a storage from the list.");
                refuse("storage_id", invalid);
            })
            .ok();
        let files = match self.from {
            Source::Keys => match typed::parse(&self.keys) {
                Ok(files) if files.is_empty() => {
                    let detail = "Type or paste at least one file key.";
                    refuse("keys", Invalid::new("empty_list", detail));
                    None
                }
                Ok(files) => Some(FileSource::Listed(files)),
                Err(refused) => {
                    errors.extend(refused);
                    None
                }
            },
            Source::Folder => match Folder::parse(self.folder.trim_end_matches(['\r', '\n'])) {
                Ok(folder) => {
                    match Selection::new(folder, lines(&self.include), lines(&self.exclude)) {
                        Ok(selection) => Some(FileSource::Folder(selection)),
                        Err(error) => {
                            errors.extend(error.fields.iter().cloned());
                            None
                        }
                    }
                }
                Err(invalid) => {
                    refuse("folder", invalid);
                    None
                }
            },
            Source::Manifest => FileKey::parse(&self.manifest)
                .map_err(|invalid| refuse("manifest_file_key", invalid))
                .ok()
                .map(FileSource::Manifest),
        };
        match (name, storage, files) {
            (Some(name), Some(storage), Some(files)) if errors.is_empty() => Ok(NewProject {
                name,
                storage: Some(storage),
                files,
                on_missing: match self.skip_missing {
                    true => OnMissing::Skip,
                    false => OnMissing::Fail,
                },
            }),
            _ => Err(errors),
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines.filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

impl Errors {
    /// Puts each beside its field. The use case names what it was given; here those are lines.
    fn of(error: &Error) -> Self {
        let mut errors = Self::default();
        for field in &error.fields {
            let detail = field.detail.clone();
            let place = field.field.split(['[', '.']).next().unwrap_or_default();
            let nth = field
                .field
                .split_once('[')
                .and_then(|(_, rest)| rest.split_once(']')?.0.parse::<usize>().ok())
                .map(|at| at + 1);
            let slot = match place {
                "storage_id" => &mut errors.storage,
                "name" => &mut errors.name,
                "keys" => {
                    errors.keys.push(detail);
                    continue;
                }
                "files" => {
                    errors.keys.push(match nth {
                        Some(nth) => format!("Key {nth}: {}", of_keys(&detail)),
                        None => detail,
                    });
                    continue;
                }
                "folder" => &mut errors.folder,
                "include" => &mut errors.include,
                "exclude" => &mut errors.exclude,
                "manifest_file_key" => &mut errors.manifest,
                _ => continue,
            };
            slot.get_or_insert(match nth {
                Some(nth) => format!("Line {nth}: {detail}"),
                None => detail,
            });
        }
        if error.fields.is_empty() {
            errors.whole = Some((error.detail.clone(), error.remedy.clone()));
        }
        errors
    }
}

/// The API's `files[2]` is the third key here.
fn of_keys(detail: &str) -> String {
    let Some((before, rest)) = detail.split_once("`files[") else {
        return detail.to_owned();
    };
    match rest.split_once("]`") {
        Some((at, after)) => match at.parse::<usize>() {
            Ok(at) => format!("{before}key {}{after}", at + 1),
            Err(_) => detail.to_owned(),
        },
        None => detail.to_owned(),
    }
}

impl Missing {
    fn of(error: &Error, wanted: Option<usize>) -> Option<Self> {
        let keys = error.members.get("missing_files")?.as_array()?;
        Some(Self {
            count: keys.len(),
            shown: keys
                .iter()
                .filter_map(|key| key.as_str())
                .take(MOST_SHOWN)
                .map(shown)
                .collect(),
            can_skip: wanted.is_none_or(|wanted| keys.len() < wanted),
        })
    }

    fn unlisted(&self) -> usize {
        self.count - self.shown.len()
    }
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    query: Query<NewQuery>,
) -> Result<HttpResponse> {
    let NewQuery {
        storage_id,
        folder,
        key,
    } = query.0;
    let typed = Typed {
        storage: storage_id.unwrap_or_default(),
        from: match folder {
            Some(_) => Source::Folder,
            None => Source::Keys,
        },
        folder: folder.unwrap_or_default(),
        keys: typed::written(key.as_deref()),
        ..Typed::new()
    };
    page(&visitor, &services, typed, Errors::default(), None).await
}

/// The form with the keys that were ticked in a folder.
async fn show_chosen(
    visitor: Visitor,
    services: Data<Services>,
    fields: Fields,
) -> Result<HttpResponse> {
    let typed = Typed {
        storage: fields.text("storage_id").to_owned(),
        keys: typed::written(fields.all("key")),
        ..Typed::new()
    };
    page(&visitor, &services, typed, Errors::default(), None).await
}

/// Goes where the files of the chosen storage can be ticked.
async fn pick(_: Visitor, fields: Fields) -> Result<HttpResponse> {
    let storage = StorageRef::parse(fields.text("storage_id"))
        .map_err(|invalid| Error::field("storage_id", invalid))?;
    Ok(see_other(&format!("/storages/{storage}/files")))
}

async fn page(
    visitor: &Visitor,
    services: &Services,
    mut typed: Typed,
    errors: Errors,
    missing: Option<Missing>,
) -> Result<HttpResponse> {
    if typed.storage.is_empty() {
        let default = services.storages.default_of(&visitor.member.workspace);
        typed.storage = default.await?.to_string();
    }
    let window = Window {
        after: None,
        limit: MOST_STORAGES + 1,
    };
    let mut own = services.storages.list(&visitor.member, &window).await?;
    let has_more_storages = own.len() > MOST_STORAGES as usize;
    own.truncate(MOST_STORAGES as usize);
    let chosen = StorageRef::parse(&typed.storage).ok();
    let mut views: Vec<StorageView> = services
        .storages
        .get(&visitor.member, &StorageRef::BuiltIn)
        .await
        .ok()
        .into_iter()
        .chain(own)
        .collect();
    if let Some(chosen) = &chosen
        && !views.iter().any(|view| view.reference() == *chosen)
        && let Ok(view) = services.storages.get(&visitor.member, chosen).await
    {
        views.push(view);
    }
    html(&NewProjectPage {
        chrome: Chrome::of(visitor, Section::Projects),
        storages: views.iter().map(|view| option(view, &chosen)).collect(),
        has_more_storages,
        typed,
        errors,
        missing,
    })
}

fn option(view: &StorageView, chosen: &Option<StorageRef>) -> StorageOption {
    let default = if view.is_default { " (default)" } else { "" };
    let reference = view.reference();
    StorageOption {
        words: format!(
            "{}{default}: {}/{}",
            view.display_name(),
            view.connection.bucket,
            view.connection.settings.prefix
        ),
        is_chosen: chosen.as_ref() == Some(&reference),
        id: reference.to_string(),
    }
}

/// Makes the project, once for each form.
pub(super) async fn create(
    visitor: Visitor,
    services: Data<Services>,
    fields: Fields,
) -> Result<HttpResponse> {
    let typed = Typed::of(&fields);
    let new = match typed.parse() {
        Ok(new) => new,
        Err(errors) => {
            let error = Error::invalid(errors);
            return again(&visitor, &services, typed, &error, None).await;
        }
    };
    let wanted = match &new.files {
        FileSource::Listed(files) => Some(files.len()),
        _ => None,
    };
    let once = Once {
        scope: format!("{} POST /projects", visitor.member.workspace),
        key: IdempotencyKey::parse(typed.token.as_bytes())
            .map_err(|invalid| Error::field("token", invalid))?,
        fingerprint: sha256(format!("{:?}", fields.0).as_bytes()),
    };
    match begin(&services, &once).await {
        Ok(Begun::First) => {}
        Ok(Begun::Done(path)) => return Ok(see_other(&String::from_utf8_lossy(&path))),
        Err(error) => return again(&visitor, &services, typed, &error, None).await,
    }
    match services.projects.create(&visitor.member, new).await {
        Ok(project) => {
            let path = format!("/projects/{}?done=project_created", project.id);
            let store = services.store.as_ref();
            let kept = idempotency::finish(store, &services.vault, &once, path.as_bytes()).await;
            if let Err(error) = kept {
                // The project is made, and its visitor shall see it.
                tracing::error!(cause = error.internal, "a form's answer was not kept");
            }
            Ok(see_other(&path))
        }
        Err(error) => {
            idempotency::abandon(services.store.as_ref(), &once).await?;
            if error.kind == Kind::Internal {
                return Err(error);
            }
            again(&visitor, &services, typed, &error, wanted).await
        }
    }
}

/// Waits for the same form's first sending, where it was sent twice.
async fn begin(services: &Services, once: &Once) -> Result<Begun> {
    let (store, clock) = (services.store.as_ref(), services.clock.as_ref());
    for _ in 0..LOOKS {
        match idempotency::begin(store, &services.vault, clock, once).await {
            Err(error) if error.code == "idempotency_key_in_progress" => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            other => return other,
        }
    }
    idempotency::begin(store, &services.vault, clock, once).await
}

/// The form again, with what was typed and what is wrong with it.
async fn again(
    visitor: &Visitor,
    services: &Services,
    typed: Typed,
    error: &Error,
    wanted: Option<usize>,
) -> Result<HttpResponse> {
    let missing = Missing::of(error, wanted);
    let mut errors = Errors::of(error);
    if missing.is_some() {
        errors.whole = None;
    }
    if status_of(error.kind).is_server_error() {
        tracing::warn!(
            code = error.code,
            cause = error.internal,
            "{}",
            error.detail
        );
    }
    let mut typed = typed;
    typed.skip_missing = false;
    let mut response = page(visitor, services, typed, errors, missing).await?;
    *response.status_mut() = status_of(error.kind);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Fields(pairs.iter().map(own).collect())
    }

    fn render(typed: Typed, errors: Errors, missing: Option<Missing>) -> String {
        NewProjectPage {
            chrome: Chrome::bare(),
            storages: vec![StorageOption {
                id: "built-in".into(),
                words: "Built-in <storage>".into(),
                is_chosen: true,
            }],
            has_more_storages: true,
            typed,
            errors,
            missing,
        }
        .render()
        .unwrap()
    }

    #[test]
    fn each_source_is_parsed() {
        let base = [("storage_id", "built-in"), ("name", "Cats")];
        let with = |more: &[(&'static str, &'static str)]| {
            let pairs: Vec<_> = base.iter().chain(more).copied().collect();
            Typed::of(&fields(&pairs)).parse()
        };
        let new = with(&[
            ("from", "keys"),
            ("keys", "/a\r\n/b"),
            ("on_missing", "skip"),
        ])
        .unwrap();
        assert!(matches!(new.files, FileSource::Listed(files) if files.len() == 2));
        assert_eq!(new.on_missing, OnMissing::Skip);
        let new = with(&[
            ("from", "folder"),
            ("folder", "/x y/"),
            ("include", "*.png\r\n\r\n"),
        ]);
        let FileSource::Folder(selection) = new.unwrap().files else {
            panic!("a folder")
        };
        assert_eq!(selection.folder().to_string(), "/x y/");
        assert_eq!(selection.include(), ["*.png"]);
        let new = with(&[("from", "manifest"), ("manifest", "/list.csv")]).unwrap();
        assert!(matches!(new.files, FileSource::Manifest(_)));
        let fields_of = |errors: Vec<FieldError>| -> Vec<String> {
            errors.into_iter().map(|e| e.field).collect()
        };
        let errors = Typed::of(&fields(&[("from", "keys")])).parse().unwrap_err();
        assert_eq!(fields_of(errors), ["name", "storage_id", "keys"]);
        let errors = with(&[("from", "folder"), ("exclude", "a\n[")]).unwrap_err();
        assert_eq!(fields_of(errors), ["exclude[1]"]);
    }

    #[test]
    fn what_was_typed_is_kept_and_errors_are_beside_their_fields() {
        let typed = Typed {
            name: "<b>Cats</b>".into(),
            keys: "</textarea><script>x".into(),
            include: "[".into(),
            ..Typed::new()
        };
        let error = Error::invalid(vec![
            FieldError::new("name", Invalid::new("x", "A bad <name>.")),
            FieldError::new(
                "files[2].file_key",
                Invalid::new("x", "It is the same as `files[0]`."),
            ),
            FieldError::new("include[0]", Invalid::new("x", "No glob.")),
        ]);
        let html = render(typed, Errors::of(&error), None);
        assert!(
            !html.contains("<script>x") && !html.contains("<b>Cats") && !html.contains("<name>")
        );
        assert!(html.contains("Key 3: It is the same as key 1."), "{html}");
        assert!(html.contains("Line 1: No glob."));
        assert!(
            html.contains("id=\"name-error\"") && html.contains("aria-describedby=\"name-error\"")
        );
        assert!(html.contains("aria-invalid=\"true\""));
    }

    #[test]
    fn missing_files_are_listed_before_anything_is_made() {
        let keys: Vec<String> = (0..500).map(|n| format!("/<gone>/{n}")).collect();
        let error = Error::new(
            Kind::Unprocessable,
            "missing_files",
            "500 files are missing.",
        )
        .member("missing_files", keys);
        let missing = Missing::of(&error, Some(600)).unwrap();
        let html = render(Typed::new(), Errors::default(), Some(missing));
        assert!(html.contains("500 files are not in the storage"));
        assert!(html.contains("and 300 more") && !html.contains("<gone>"));
        assert!(html.contains("Create without them"));
        let all = Missing::of(&error, Some(500)).unwrap();
        let html = render(Typed::new(), Errors::default(), Some(all));
        assert!(!html.contains("Create without them"));
        assert!(Missing::of(&Error::bug("x"), None).is_none());
    }
}
