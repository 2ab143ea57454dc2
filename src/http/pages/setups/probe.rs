//! The check's step that the browser itself makes.

use crate::application::bucket::sign::SignedUrl;
use crate::application::error::Result;
use crate::application::setups::browser_probe::ProbeId;
use crate::domain::ids::SetupId;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::form::{Confirmed, Form};
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/browser-probe",
                "probe_from_browser",
            )
            .changes(begin),
        )
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/browser-probe/clean-up",
                "clean_up_browser_probe",
            )
            .changes(clean_up),
        );
}

/// What the script is to call, in this order. Secrets for two minutes.
#[derive(Serialize)]
struct ProbeBody {
    probe: String,
    put: Option<Call>,
    get: Call,
    delete: Option<Call>,
}

#[derive(Serialize)]
struct Call {
    url: String,
    headers: BTreeMap<String, String>,
}

impl From<SignedUrl> for Call {
    fn from(signed: SignedUrl) -> Self {
        Self {
            // The browser sets this one itself, and lets nobody else.
            headers: signed
                .headers
                .into_iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
                .collect(),
            url: signed.url,
        }
    }
}

async fn begin(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let urls = services
        .dialog
        .browser_probes
        .begin(&visitor.admin, &id.0)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ProbeBody {
            probe: urls.id.as_str().to_owned(),
            put: urls.put.map(Call::from),
            get: urls.get.into(),
            delete: urls.delete.map(Call::from),
        }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CleanUp {
    probe: String,
}

async fn clean_up(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<CleanUp>,
) -> Result<HttpResponse> {
    let probe = ProbeId::parse(&form.0.probe)?;
    services
        .dialog
        .browser_probes
        .clean_up(&visitor.admin, &id.0, &probe)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
