//! A folder of a storage.

use crate::application::error::{Error, Result};
use crate::application::files::read::SearchFrom;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::files::folder_page::{FilesPage, Listed, Upload};
use crate::http::pages::files::folder_query::FolderQuery;
use crate::http::pages::files::place::{Place, Trouble};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use time::OffsetDateTime;

/// How many files and folders a page shows.
const PAGE: u32 = 100;

pub fn configure(routes: &mut PageRoutes) {
    routes.add(PageRoute::at("/storages/{storage_id}/files", "files_page").shows(show));
}

async fn show(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    query: Query<FolderQuery>,
) -> Result<HttpResponse> {
    page(&visitor, &services, &id.0, query.0, Upload::default()).await
}

/// The page of a folder. A storage that cannot be read now has one too, which says why.
pub async fn page(
    visitor: &Visitor,
    services: &Services,
    id: &StorageRef,
    query: FolderQuery,
    upload: Upload,
) -> Result<HttpResponse> {
    let place = Place::of(&services.storages.get(&visitor.member, id).await?);
    let folder = Folder::parse(query.folder.as_deref().unwrap_or_default())
        .map_err(|invalid| Error::field("folder", invalid))?;
    // A token goes on with the search that it came from.
    let token_place = format!(
        "{}/storages/{id}/pages/files{folder}\0{}",
        visitor.member.workspace,
        query.find()
    );
    let from = match services
        .page_tokens
        .open(&token_place, query.page.as_deref())?
    {
        Some(token) => SearchFrom::Continuation(token),
        None => beginning_at(&folder, query.at())?,
    };
    let listed = services
        .files
        .search(
            &visitor.member,
            id,
            folder.clone(),
            query.find(),
            PAGE,
            from,
        )
        .await;
    let (found, trouble) = match listed {
        Ok(found) => (Some(found), None),
        // What was typed is wrong, not the storage.
        Err(error) if !error.fields.is_empty() => return Err(error),
        Err(error) => (None, Some(Trouble::of(error, visitor.is_admin()))),
    };
    let next = match found.as_ref().and_then(|page| page.continuation.as_deref()) {
        Some(token) => Some(services.page_tokens.seal(&token_place, token)?),
        None => None,
    };
    let listed = Listed {
        found,
        trouble,
        next,
        now: OffsetDateTime::now_utc(),
    };
    let chrome = Chrome::of(visitor, Section::Settings).flash(query.done.as_deref());
    let mut page = FilesPage::of(place, folder, &query, listed);
    page.chrome = chrome;
    page.is_admin = visitor.is_admin();
    page.upload = upload;
    let mut response = html(&page)?;
    if let Some(trouble) = &page.trouble {
        trouble.mark(&mut response);
    }
    Ok(response)
}

/// Where a listing begins that shows this name, and what comes after it.
fn beginning_at(folder: &Folder, name: &str) -> Result<SearchFrom> {
    let refuse = |invalid| Error::field("at", invalid);
    // S3 begins after a key. The key before this one is the same text with a smaller last character.
    let Some(before) = just_before(name) else {
        return Ok(SearchFrom::Beginning);
    };
    FileKey::parse(&format!("{folder}{name}")).map_err(refuse)?;
    match before.as_str() {
        "" => Ok(SearchFrom::Beginning),
        before => FileKey::parse(&format!("{folder}{before}"))
            .map(SearchFrom::After)
            .map_err(refuse),
    }
}

/// A text that comes right before another one in the order of keys; `None` for nothing.
fn just_before(name: &str) -> Option<String> {
    let last = name.chars().next_back()?;
    let mut before = name.strip_suffix(last)?.to_owned();
    let smaller = (u32::from(' ')..u32::from(last))
        .rev()
        .find_map(char::from_u32);
    if let Some(smaller) = smaller {
        before.push(smaller);
        // What begins with the smaller character comes before too, as far as anybody names files.
        before.push('\u{fffd}');
    }
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_at_a_name_and_not_after_it() {
        for name in ["m", "scan-0200", "ü", "a b", "!", "\u{e000}"] {
            let before = just_before(name).unwrap();
            assert!(before.as_str() < name, "{name}");
            // What is smaller in its last character stays out.
            assert!(before.chars().next_back().unwrap() > ' ');
        }
        assert_eq!(just_before(""), None);
        let root = Folder::root();
        assert_eq!(beginning_at(&root, "").unwrap(), SearchFrom::Beginning);
        let SearchFrom::After(key) = beginning_at(&root, "b").unwrap() else {
            panic!("it begins elsewhere");
        };
        assert!(key.to_string().starts_with("/a"));
    }
}
