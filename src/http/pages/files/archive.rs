//! Several files of a folder, downloaded as one archive.

use crate::application::error::{Error, Result};
use crate::application::files::archive::MOST_ARCHIVED;
use crate::application::files::safe_content::attachment;
use crate::domain::Invalid;
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::StorageRef;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::file_content::{as_it_is, with_body};
use crate::http::pages::files::place::Place;
use crate::http::pages::shell::form::FormFields;
use crate::http::pages::shell::session::Visitor;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

const ZIP: &str = "application/zip";

pub fn configure(routes: &mut PageRoutes) {
    let route = PageRoute::at("/storages/{storage_id}/files/archive", "archive_files");
    routes.add(route.asks(download));
}

async fn download(
    visitor: Visitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let place = Place::of(&services.storages.get(&visitor.member, &id.0).await?);
    let folder = Folder::parse(fields.text("folder")).map_err(|i| Error::field("folder", i))?;
    let keys = chosen(&fields)?;
    keys.iter().for_each(|key| visitor.reads(key));
    let archive = services
        .files
        .archive(&visitor.member, &id.0, &folder, keys)
        .await?;
    let disposition = attachment(&archive_name(&folder, &place.name));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, ZIP))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ));
    Ok(as_it_is(with_body(
        &mut response,
        archive.length,
        archive.body,
        archive.cut,
    )))
}

fn chosen(fields: &FormFields) -> Result<Vec<FileKey>> {
    if fields.all("key").count() > MOST_ARCHIVED {
        let detail = format!("An archive has at most {MOST_ARCHIVED} files.");
        return Err(Error::field("key", Invalid::new("too_many_keys", detail)));
    }
    fields
        .all("key")
        .map(|key| FileKey::parse(key).map_err(|invalid| Error::field("key", invalid)))
        .collect()
}

/// What the archive is saved as: the folder's name, or the storage's.
fn archive_name(folder: &Folder, storage: &str) -> String {
    let name = match folder.name() {
        "" => storage,
        name => name,
    };
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| {
            if matches!(c, '/' | '\\' | ':') {
                '_'
            } else {
                c
            }
        })
        .take(100)
        .collect();
    format!("{name}.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_called_as_its_folder() {
        let named = |folder: &str| archive_name(&Folder::parse(folder).unwrap(), "Acme: a/b");
        assert_eq!(named("/x/y z/"), "y z.zip");
        assert_eq!(named("/"), "Acme_ a_b.zip");
        assert_eq!(named("/a\r\n\"b/"), "a\"b.zip");
    }

    #[test]
    fn more_files_than_an_archive_has_are_refused() {
        let fields = |number: usize| {
            let keys = (0..number).map(|at| ("key".to_owned(), format!("/{at}")));
            FormFields(keys.collect())
        };
        assert_eq!(chosen(&fields(MOST_ARCHIVED)).unwrap().len(), MOST_ARCHIVED);
        assert!(chosen(&fields(MOST_ARCHIVED + 1)).is_err());
    }
}
