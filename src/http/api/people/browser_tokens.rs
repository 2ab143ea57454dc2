//! `/v1/browser-tokens`

use crate::application::closed_sets;
use crate::application::error::{Error, FieldError, Result};
use crate::application::kept::idempotency::Keep;
use crate::application::people::browser_tokens::{Maker, NewBrowserToken};
use crate::application::people::caller::Member;
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::StorageRef;
use crate::domain::origin::Origin;
use crate::domain::people::reach::BrowserOperation;
use crate::domain::people::scope::Scope;
use crate::http::body::{Body, read_field};
use crate::http::caller::{FurtherScopes, MemberCaller, TokenMaker};
use crate::http::declare::changes;
use crate::http::idempotency::{Idempotent, MadeAnswer};
use crate::http::state::Services;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn configure(config: &mut ServiceConfig) {
    config.service(changes(create_browser_token));
}

/// A token for a browser.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBrowserToken)]
struct NewBrowserTokenBody {
    /// The storage's ID, or `built-in`.
    #[schema(example = "sto_019a1f0e7c1b7d439a520c8c2f6f6b1e")]
    storage_id: String,
    /// The only folder that it reaches, with all below it. Without it: all that the caller reaches.
    #[schema(example = "/some-folder/")]
    folder: Option<String>,
    /// What it may do: `list` and `read` where it is absent.
    #[schema(value_type = Option<Vec<closed_sets::BrowserOperationName>>, example = json!(["list", "read"]))]
    operations: Option<Vec<String>>,
    /// The origin of the pages that use it: one of `SALLYPORT_ALLOWED_ORIGINS` or of the workspace's own. A request with
    /// another `Origin`, or without one, is refused.
    #[schema(example = "https://app.example.com")]
    origin: String,
    /// For how many seconds it works: 1 to 3600, 900 where it is absent.
    #[schema(minimum = 1, maximum = 3600, example = 900)]
    expires_in: Option<u64>,
}

/// A new token for a browser.
#[derive(Serialize, ToSchema)]
#[schema(as = BrowserToken)]
struct BrowserTokenBody {
    /// For `Authorization: Bearer`. It is shown here only.
    #[schema(example = "sb_…")]
    token: String,
    /// When it stops working; sooner, if whoever made it ends.
    #[serde(with = "crate::domain::rfc3339")]
    expires_at: OffsetDateTime,
}

impl NewBrowserTokenBody {
    fn parse(self) -> Result<NewBrowserToken> {
        let mut errors = Vec::new();
        let storage = read_field(
            &mut errors,
            "storage_id",
            StorageRef::parse(&self.storage_id),
        );
        let folder = self
            .folder
            .and_then(|folder| read_field(&mut errors, "folder", Folder::parse(&folder)));
        let mut operations = Vec::new();
        let words = self.operations;
        let words = words.unwrap_or_else(|| vec!["list".to_owned(), "read".to_owned()]);
        for (at, word) in words.iter().take(MOST_OPERATIONS).enumerate() {
            match BrowserOperation::parse(word) {
                Ok(operation) => operations.push(operation),
                Err(invalid) => errors.push(FieldError::of_item("operations", at, None, invalid)),
            }
        }
        operations.sort();
        operations.dedup();
        if words.is_empty() {
            let detail = "A token is for at least one operation.";
            let invalid = Invalid::new("empty_list", detail);
            errors.push(FieldError::new("operations", invalid));
        }
        let origin = read_field(&mut errors, "origin", Origin::parse(&self.origin));
        match (storage, origin) {
            (Some(storage), Some(origin)) if errors.is_empty() => Ok(NewBrowserToken {
                storage,
                folder,
                operations,
                origin,
                expires_in: self.expires_in.map(Duration::from_secs),
            }),
            _ => Err(Error::invalid(errors)),
        }
    }
}

/// How many operations a request names at most: each once would be enough.
const MOST_OPERATIONS: usize = 100;

/// Make a token for a browser
///
/// For a page of the product's: it reaches one storage, and only `GET …/files`, `…/files/content`,
/// `…/files/metadata`, `…/files/sign` and the uploads in parts, as far as its operations go. It is sealed, has no row
/// of its own, and ends with whoever made it. It makes no further tokens.
#[utoipa::path(
    tag = "Tokens",
    request_body = NewBrowserTokenBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repetitions by the same caller with the same key get the same token.")),
    responses(
        (status = 201, description = "Made", body = BrowserTokenBody),
        (status = 404, description = "There is no such storage in the workspace"),
        (status = 422, description = "`origin_not_allowed`: pages of this origin may not call the API from a browser"),
        (status = 429, description = "`too_many_browser_tokens`: the workspace makes more of them than it may"),
    ),
)]
#[post("/v1/browser-tokens")]
async fn create_browser_token(
    member: MemberCaller,
    maker: TokenMaker,
    further: FurtherScopes,
    once: Idempotent,
    services: Data<Services>,
    body: Body<NewBrowserTokenBody>,
) -> Result<HttpResponse> {
    let new = body.value.parse()?;
    if new.operations.contains(&BrowserOperation::Write) {
        further.need(Scope::FilesWrite)?;
    }
    let answer = |(token, expires_at): &MadeToken| {
        let body = BrowserTokenBody {
            token: token.clone(),
            expires_at: *expires_at,
        };
        // It has no ID: the audit log names what it is for.
        Ok(MadeAnswer::new(StatusCode::CREATED, &body)?.about(new.storage.to_string()))
    };
    // It ends with the secret that made it, and is for one person.
    let once = once.of_caller_alone(&member.0);
    once.run(&services, body.fingerprint, answer, async |keep| {
        make(&services, &member.0, &maker.0, &new, keep).await
    })
    .await
}

/// A token, and until when it works.
type MadeToken = (String, OffsetDateTime);

async fn make(
    services: &Services,
    member: &Member,
    maker: &Maker,
    new: &NewBrowserToken,
    keep: Keep<'_, MadeToken>,
) -> Result<MadeToken> {
    // Whether there is one.
    services.storages.get(member, &new.storage).await?;
    services.people.origins.admit(&new.origin, member).await?;
    let made = services.people.browser_tokens.make(member, maker, new)?;
    services.idempotency.keep_alone(keep, &made).await?;
    Ok(made)
}
