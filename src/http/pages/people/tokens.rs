//! Settings > API tokens.

use crate::application::error::{Error, Result};
use crate::application::kept::idempotency::{BegunRequest, IdempotencyKey, Keep, Once};
use crate::application::kept::page_tokens::PageRequest;
use crate::application::kept::vault::sha256;
use crate::application::people::tokens::{CreatedToken, NewToken};
use crate::application::storages::StorageView;
use crate::domain::files::file_key::Folder;
use crate::domain::ids::{StorageRef, TokenId};
use crate::domain::names::Name;
use crate::domain::people::reach::Bounds;
use crate::domain::people::workspace::{ApiToken, Role};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::{Confirmed, FormFields};
use crate::http::pages::shell::list::ListQuery;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::pages::shell::words::ending;
use crate::http::path::Id;
use crate::http::query::Query;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use askama::Template;
use secrecy::ExposeSecret;
use time::{Duration, OffsetDateTime};

/// How many tokens a page shows.
const PAGE: u32 = 25;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/settings/tokens", "create_token")
                .shows(list)
                .changes(create),
        )
        .add(PageRoute::at("/settings/tokens/{token_id}/revoke", "revoke_token").changes(revoke));
}

/// The workspace's tokens, and the form of a new one.
#[derive(Template)]
#[template(path = "pages/people/tokens.html")]
pub(super) struct TokensPage {
    pub chrome: Chrome,
    pub tokens: Vec<TokenRow>,
    pub is_first_page: bool,
    pub next: Option<String>,
    pub form: NewTokenForm,
    pub made: Option<MadeToken>,
}

pub(super) struct TokenRow {
    pub id: String,
    pub ending: String,
    pub name: String,
    pub role: &'static str,
    /// What it is narrowed to, in sentences.
    pub narrowed: Vec<String>,
    pub created: Moment,
    pub expires: Option<Moment>,
    pub has_expired: bool,
}

/// A token that was just made: its secret is on this one page.
pub(super) struct MadeToken {
    pub name: String,
    pub secret: String,
}

/// The form of a new token: what was typed, and what is wrong with it.
#[derive(Default)]
pub(super) struct NewTokenForm {
    pub name: String,
    pub is_admin: bool,
    pub life: Life,
    /// Names this one form, so a token is made of it once.
    pub once: String,
    pub name_error: Option<String>,
}

/// For how long a new token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Life {
    Month,
    #[default]
    Quarter,
    Year,
    UntilRevoked,
}

impl Life {
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::UntilRevoked];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|life| life.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "30",
            Self::Quarter => "90",
            Self::Year => "365",
            Self::UntilRevoked => "never",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Month => "30 days",
            Self::Quarter => "90 days",
            Self::Year => "1 year",
            Self::UntilRevoked => "Until it is revoked",
        }
    }

    fn end(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let days = match self {
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Year => 365,
            Self::UntilRevoked => return None,
        };
        Some(now + Duration::days(days))
    }
}

impl NewTokenForm {
    fn new() -> Self {
        Self {
            once: uuid::Uuid::new_v4().simple().to_string(),
            ..Self::default()
        }
    }
}

impl TokenRow {
    fn of(token: &ApiToken, now: OffsetDateTime) -> Self {
        Self {
            id: token.id.to_string(),
            ending: ending(token.id.as_str()),
            name: token.name.to_string(),
            role: role_in_words(token.role),
            narrowed: narrowed_in_words(&token.bounds),
            created: Moment(token.created_at),
            expires: token.expires_at.map(Moment),
            has_expired: token.expires_at.is_some_and(|end| end <= now),
        }
    }
}

pub(super) fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Member => "Member",
    }
}

/// What a token is narrowed to, in sentences. Nothing where it reaches what its role does.
fn narrowed_in_words(bounds: &Bounds) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(storages) = &bounds.storages {
        let names = storages.iter().map(|storage| match storage {
            StorageRef::BuiltIn => StorageView::BUILT_IN_NAME.to_owned(),
            StorageRef::Own(id) => format!("storage {}", ending(id.as_str())),
        });
        sentences.push(format!("Only {}", joined(names)));
    }
    if let Some(folders) = &bounds.folders {
        sentences.push(format!(
            "Reads {}",
            joined(folders.iter().map(shown_folder))
        ));
    }
    if let Some(folders) = &bounds.write_folders {
        sentences.push(format!(
            "Writes {}",
            joined(folders.iter().map(shown_folder))
        ));
    }
    sentences
}

fn shown_folder(folder: &Folder) -> String {
    crate::http::pages::files::shown(&folder.to_string())
}

/// The first five of them, and how many there are besides.
fn joined(names: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 5;
    let further = names.len().saturating_sub(SHOWN);
    let names: Vec<String> = names.take(SHOWN).collect();
    match further {
        0 => names.join(", "),
        further => format!("{} and {further} more", names.join(", ")),
    }
}

async fn list(
    visitor: AdminVisitor,
    services: Data<Services>,
    query: Query<ListQuery>,
) -> Result<HttpResponse> {
    let form = NewTokenForm::new();
    let mut page = page(&visitor, &services, query.0.page, form).await?;
    page.chrome = page.chrome.flash(query.0.done.as_deref());
    html(&page)
}

async fn page(
    visitor: &AdminVisitor,
    services: &Services,
    token: Option<String>,
    form: NewTokenForm,
) -> Result<TokensPage> {
    let is_first_page = token.is_none();
    let workspace = visitor.admin.workspace();
    let place = format!("{workspace}/pages/tokens");
    let request = PageRequest { size: PAGE, token };
    let window = services.page_tokens.window(&place, &request)?;
    let rows = services.people.tokens.list(workspace, &window).await?;
    let page = services
        .page_tokens
        .page(&place, &request, rows, |token| token.id.to_string())?;
    let now = OffsetDateTime::now_utc();
    Ok(TokensPage {
        chrome: Chrome::of(&visitor.visitor, Section::People),
        tokens: page.items.iter().map(|t| TokenRow::of(t, now)).collect(),
        is_first_page,
        next: page.next_page_token,
        form,
        made: None,
    })
}

/// Makes a token, once for each form. The answer is the only page that ever has its secret.
async fn create(
    visitor: AdminVisitor,
    services: Data<Services>,
    fields: FormFields,
) -> Result<HttpResponse> {
    let life = Life::parse(fields.text("life"));
    let role = Role::parse(fields.text("role"));
    let role = role.map_err(|invalid| Error::field("role", invalid))?;
    let mut form = NewTokenForm {
        name: fields.text("name").to_owned(),
        is_admin: role == Role::Admin,
        life: life.unwrap_or_default(),
        ..NewTokenForm::new()
    };
    let name = match Name::parse(&form.name) {
        Ok(name) => name,
        Err(invalid) => {
            form.name_error = Some(invalid.detail);
            let mut response = html(&page(&visitor, &services, None, form).await?)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
    };
    let workspace = visitor.admin.workspace().clone();
    let once = Once {
        scope: format!("{workspace} POST /settings/tokens"),
        key: IdempotencyKey::parse(fields.text("once").as_bytes())
            .map_err(|invalid| Error::field("once", invalid))?,
        fingerprint: sha256(format!("{:?}", fields.0).as_bytes()),
    };
    let held = match services.idempotency.begin_or_wait(once).await? {
        BegunRequest::First(held) => held,
        BegunRequest::Done(_) => return Ok(see_other("/settings/tokens?done=token_made_before")),
    };
    let new = NewToken {
        name,
        role,
        bounds: Bounds::default(),
        expires_at: form.life.end(OffsetDateTime::now_utc()),
    };
    // The secret is not kept for a repetition.
    let render = |(token, _): &CreatedToken| Ok(token.id.to_string().into_bytes());
    let keep = Keep::new(Some(&held), &render);
    let (token, secret) = match services.people.tokens.create(workspace, new, keep).await {
        Ok(made) => made,
        Err(error) => {
            held.give_back(&error).await;
            return Err(error);
        }
    };
    let mut page = page(&visitor, &services, None, NewTokenForm::new()).await?;
    page.made = Some(MadeToken {
        name: token.name.to_string(),
        secret: secret.expose_secret().to_owned(),
    });
    let mut response = html(&page)?;
    *response.status_mut() = StatusCode::CREATED;
    // The audit log takes from here what was made.
    let location = format!("/settings/tokens/{}", token.id);
    let location = header::HeaderValue::from_str(&location).map_err(Error::bug)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

async fn revoke(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<TokenId>,
    _: Confirmed,
) -> Result<HttpResponse> {
    let tokens = &services.people.tokens;
    tokens.revoke(visitor.admin.workspace(), &id.0).await?;
    Ok(see_other("/settings/tokens?done=token_revoked"))
}
