//! Choosing the bucket and the folder from what the setup's credentials may list, instead of typing them.

use crate::application::error::{Error, Kind, Result};
use crate::application::setups::SetupView;
use crate::application::setups::places::PlaceFolders;
use crate::domain::connection::access::Auth;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::SetupId;
use crate::domain::setup::SetupStatus;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::ended;
use crate::http::pages::setups::fields::{ConnectionFields, ConnectionForm};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// How many buckets, or names of a bucket, a page looks at.
const PAGE: u32 = 100;

pub fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/settings/setups/{setup_id}/choose", "enter_key_to_choose")
            .shows(show)
            .changes(enter_key),
    );
}

#[derive(Template)]
#[template(path = "pages/setup/choose.html")]
struct ChoosePage {
    chrome: Chrome,
    id: String,
    by_key: bool,
    fields: ConnectionFields,
    /// What is to be entered before anything can be listed.
    needs: Option<Needs>,
    /// Why nothing is listed.
    trouble: Option<Trouble>,
    /// `None`: buckets are listed.
    place: Option<Place>,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
}

/// What signing in needs and has not got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Key,
    Role,
}

impl Needs {
    fn is_key(&self) -> bool {
        *self == Self::Key
    }
}

struct Trouble {
    detail: String,
    remedy: Option<String>,
}

/// The folder that is shown.
struct Place {
    bucket: String,
    /// From the bucket's root, with both slashes.
    folder: String,
    /// Each folder on the way, and where it is.
    crumbs: Vec<(String, String)>,
}

/// A bucket, or a folder.
struct Row {
    name: String,
    /// Where what is in it is shown.
    href: String,
    bucket: String,
    folder: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ChooseQuery {
    bucket: Option<String>,
    folder: Option<String>,
    page: Option<String>,
}

async fn show(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    query: Query<ChooseQuery>,
) -> Result<HttpResponse> {
    let view = services.setups.get(&visitor.admin, &id.0).await?;
    if view.status != SetupStatus::Open {
        return html(&ended::ended(&visitor.visitor, &view, None));
    }
    let mut shown = ChoosePage::of(&visitor, &view)?;
    if shown.needs.is_none() {
        shown.list(&visitor, &services, &id.0, query.0).await?;
    }
    html(&shown)
}

/// Takes an access key before there is a bucket, so that the bucket can be chosen with it.
async fn enter_key(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<ConnectionForm>,
) -> Result<HttpResponse> {
    let form = form.0;
    let (view, refused) = services
        .setups
        .save_valid(&visitor.admin, &id.0, &form.input())
        .await?;
    let mut shown = ChoosePage::of(&visitor, &view)?;
    if refused.is_empty() && shown.needs.is_none() {
        return Ok(see_other(&address(&id.0, None, None, None)));
    }
    shown.needs = Some(Needs::Key);
    shown.fields = shown.fields.typed(&form.typed, &refused);
    let mut response = html(&shown)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Whether the dialog offers the choice: an access key can be entered for it, and a role has to be known.
pub fn is_offered(view: &SetupView) -> bool {
    let draft = &view.setup.draft;
    match draft.sign_in.by {
        Auth::AccessKey => true,
        Auth::Role => draft.role(&view.setup.external_id).is_some(),
    }
}

/// Where a page of the choice is.
pub fn address(
    id: &SetupId,
    bucket: Option<&str>,
    folder: Option<&str>,
    page: Option<&str>,
) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [("bucket", bucket), ("folder", folder), ("page", page)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let path = format!("/settings/setups/{id}/choose");
    match query.finish() {
        empty if empty.is_empty() => path,
        query => format!("{path}?{query}"),
    }
}

impl ChoosePage {
    fn of(visitor: &AdminVisitor, view: &SetupView) -> Result<Self> {
        let draft = &view.setup.draft;
        let key = &draft.sign_in.access_key;
        let needs = match draft.sign_in.by {
            Auth::AccessKey => (key.id.is_none() || key.secret.is_none()).then_some(Needs::Key),
            Auth::Role => draft
                .role(&view.setup.external_id)
                .is_none()
                .then_some(Needs::Role),
        };
        Ok(Self {
            chrome: Chrome::of(&visitor.visitor, Section::Settings),
            id: view.setup.id.to_string(),
            by_key: draft.sign_in.by == Auth::AccessKey,
            fields: ConnectionFields::of(draft)?,
            needs,
            trouble: None,
            place: None,
            rows: Vec::new(),
            next: None,
        })
    }

    /// A refusal is shown on the page, where something else can be chosen.
    async fn list(
        &mut self,
        visitor: &AdminVisitor,
        services: &Services,
        id: &SetupId,
        query: ChooseQuery,
    ) -> Result<()> {
        let listed = match query.bucket {
            None => {
                self.list_buckets(visitor, services, id, query.page.as_deref())
                    .await
            }
            Some(bucket) => {
                let bucket = BucketName::parse(&bucket)
                    .map_err(|invalid| Error::field("bucket", invalid))?;
                let folder = Folder::parse(query.folder.as_deref().unwrap_or_default())
                    .map_err(|invalid| Error::field("folder", invalid))?;
                self.place = Some(Place::of(id, &bucket, &folder));
                self.list_folders(visitor, services, id, (bucket, folder), query.page)
                    .await
            }
        };
        match listed {
            Err(error) if error.kind != Kind::Internal => {
                self.trouble = Some(Trouble {
                    detail: error.detail.to_string(),
                    remedy: error.remedy.as_ref().map(ToString::to_string),
                });
                Ok(())
            }
            other => other,
        }
    }

    async fn list_buckets(
        &mut self,
        visitor: &AdminVisitor,
        services: &Services,
        id: &SetupId,
        token: Option<&str>,
    ) -> Result<()> {
        let place = format!("{}/{id}/choose", visitor.admin.workspace());
        let from = services.page_tokens.open(&place, token)?;
        let places = &services.dialog.places;
        let page = places
            .buckets(&visitor.admin, id, PAGE, from.as_deref())
            .await?;
        self.rows = page
            .buckets
            .into_iter()
            .map(|bucket| Row {
                href: address(id, Some(&bucket.name), None, None),
                name: bucket.name.clone(),
                bucket: bucket.name,
                folder: String::new(),
            })
            .collect();
        if let Some(token) = page.continuation {
            let token = services.page_tokens.seal(&place, &token)?;
            self.next = Some(address(id, None, None, Some(&token)));
        }
        Ok(())
    }

    async fn list_folders(
        &mut self,
        visitor: &AdminVisitor,
        services: &Services,
        id: &SetupId,
        (bucket, folder): (BucketName, Folder),
        token: Option<String>,
    ) -> Result<()> {
        let place = format!("{}/{id}/choose/{bucket}{folder}", visitor.admin.workspace());
        let from = services.page_tokens.open(&place, token.as_deref())?;
        let (places, named) = (&services.dialog.places, Some(bucket.clone()));
        let PlaceFolders {
            folder,
            folders,
            continuation,
        } = places
            .folders(&visitor.admin, id, named, folder, PAGE, from.as_deref())
            .await?;
        self.rows = folders
            .into_iter()
            .map(|one| Row {
                href: address(id, Some(bucket.as_str()), Some(&one.key), None),
                name: one.name,
                bucket: bucket.to_string(),
                folder: one.key,
            })
            .collect();
        if let Some(token) = continuation {
            let token = services.page_tokens.seal(&place, &token)?;
            let folder = folder.to_string();
            self.next = Some(address(
                id,
                Some(bucket.as_str()),
                Some(&folder),
                Some(&token),
            ));
        }
        Ok(())
    }
}

impl Place {
    fn of(id: &SetupId, bucket: &BucketName, folder: &Folder) -> Self {
        let mut at = String::from("/");
        let mut crumbs = Vec::new();
        for name in folder.path().split('/').filter(|name| !name.is_empty()) {
            at.push_str(name);
            at.push('/');
            let href = address(id, Some(bucket.as_str()), Some(&at), None);
            crumbs.push((name.to_owned(), href));
        }
        Self {
            bucket: bucket.to_string(),
            folder: folder.to_string(),
            crumbs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encoded() {
        let id = SetupId::parse("set_019a1f0e7c1b7d439a520c8c2f6f6b1e").unwrap();
        let base = "/settings/setups/set_019a1f0e7c1b7d439a520c8c2f6f6b1e/choose";
        assert_eq!(address(&id, None, None, None), base);
        assert_eq!(
            address(&id, Some("acme"), Some("/a b&c/"), None),
            format!("{base}?bucket=acme&folder=%2Fa+b%26c%2F")
        );
    }

    #[test]
    fn names_are_escaped_and_each_can_be_used() {
        const HOSTILE: &str = "<script>alert('1')</script>";
        for place in [
            None,
            Some(Place {
                bucket: "acme".into(),
                folder: format!("/{HOSTILE}/"),
                crumbs: vec![(HOSTILE.into(), "/settings/setups/set_1/choose".into())],
            }),
        ] {
            let page = ChoosePage {
                chrome: Chrome::bare(),
                id: "set_1".into(),
                by_key: true,
                fields: ConnectionFields::default(),
                needs: None,
                trouble: Some(Trouble {
                    detail: HOSTILE.into(),
                    remedy: Some(HOSTILE.into()),
                }),
                place,
                rows: vec![Row {
                    name: HOSTILE.into(),
                    href: "/settings/setups/set_1/choose?bucket=acme".into(),
                    bucket: HOSTILE.into(),
                    folder: HOSTILE.into(),
                }],
                next: Some("/settings/setups/set_1/choose?page=x".into()),
            };
            let html = page.render().unwrap();
            assert!(!html.contains("<script>alert"), "{html}");
            assert!(html.contains("Next page"));
        }
    }
}
