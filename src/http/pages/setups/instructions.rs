//! The page for the customer's AWS administrator, who has a link and no session.

use crate::application::connections::change::Change;
use crate::application::connections::input::ConnectionInput;
use crate::application::error::{FieldError, Kind, Result};
use crate::application::kept::store::Window;
use crate::application::people::caller::Caller;
use crate::application::setups::RoleInput;
use crate::application::setups::instructions::Opened;
use crate::domain::Invalid;
use crate::domain::people::audit::Actor;
use crate::domain::people::sign_in::InstructionLink;
use crate::domain::setup::SetupStatus;
use crate::http::api::setups::documents as raw_documents;
use crate::http::assets;
use crate::http::context::SeenCaller;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::grants::GrantsView;
use crate::http::pages::setups::page::ConnectView;
use crate::http::pages::setups::report::{OutcomeView, ReportView};
use crate::http::pages::setups::wait::WaitView;
use crate::http::pages::setups::way::{AwsView, Making, Way};
use crate::http::pages::setups::{bundle, check, page};
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::LinkForm;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::setup_link::NamedLink;
use crate::http::pages::shell::words::ending;
use crate::http::query::Query;
use crate::http::setup_events;
use crate::http::state::Services;
use crate::http::trail::Trail;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at("/instructions/{secret}", "set_role_arn_by_link")
                .shows(show)
                .changes(save),
        )
        .add(PageRoute::at("/instructions/{secret}/events", "follow_setup_by_link").shows(follow))
        .add(PageRoute::at("/instructions/{secret}/check", "check_by_link").changes(run_check))
        .add(
            PageRoute::at("/instructions/{secret}/documents", "get_documents_by_link")
                .shows(all_documents),
        )
        .add(
            PageRoute::at(
                "/instructions/{secret}/documents/{document_name}",
                "get_document_by_link",
            )
            .shows(one_document),
        );
}

#[derive(Template)]
#[template(path = "pages/instructions.html")]
struct InstructionsPage {
    chrome: Chrome,
    script: &'static str,
    /// Where the page is.
    base: String,
    workspace: String,
    /// Who made the link, as far as that is known.
    maker: Maker,
    created: Moment,
    expires: Moment,
    is_added: bool,
    /// `None`: the bucket has no name yet.
    aws: Option<AwsView>,
    grants: GrantsView,
    ways: Vec<Way>,
    way: Option<Way>,
    fields: ConnectionFields,
    connect: ConnectView,
    /// What our calls are called in CloudTrail.
    session_name: String,
    report: ReportView,
    outcome: OutcomeView,
}

/// Who made a link. A session has no name: it is shown by the end of its ID, as in the workspace's list of sessions.
enum Maker {
    /// An earlier release did not write it down.
    Unknown,
    Session(String),
    /// The token's name; `None`: it has been revoked since.
    Token(Option<String>),
    Operator,
}

impl Maker {
    /// The beginning of a sentence.
    fn words(&self, product: &str) -> String {
        match self {
            Self::Session(session) => {
                format!("An admin of that workspace, signed in to {product} (session {session}),")
            }
            Self::Token(Some(name)) => {
                format!("A program of that workspace, with the API token “{name}”,")
            }
            Self::Token(None) => {
                "A program of that workspace, with an API token that has been revoked since,"
                    .to_owned()
            }
            Self::Operator => format!("The operator of {product}"),
            Self::Unknown => "An admin of that workspace".to_owned(),
        }
    }

    /// In how many tokens of a workspace a link's is looked for.
    const MOST_TOKENS: u32 = 1000;

    async fn of(services: &Services, link: &InstructionLink) -> Result<Self> {
        Ok(match &link.made_by {
            Some(Actor::Session(id)) => Self::Session(ending(id.as_str())),
            Some(Actor::Token(id)) => {
                let window = Window {
                    after: None,
                    limit: Self::MOST_TOKENS,
                };
                let tokens = services
                    .people
                    .tokens
                    .list(&link.workspace, &window)
                    .await?;
                let made = tokens.into_iter().find(|token| token.id == *id);
                Self::Token(made.map(|token| token.name.to_string()))
            }
            // A key of the product's acts for the operator.
            Some(Actor::Operator | Actor::Key(_)) => Self::Operator,
            Some(Actor::Service | Actor::Anonymous | Actor::InstructionLink(_)) | None => {
                Self::Unknown
            }
        })
    }
}

impl InstructionsPage {
    /// Where the ways' pages are, up to the way's name.
    fn way_base(&self) -> String {
        format!("{}?way=", self.base)
    }

    fn check_action(&self) -> String {
        format!("{}/check", self.base)
    }

    /// Whether the fields of the role are shown at once: there is no role, or something typed is wrong.
    fn asks_for_role(&self) -> bool {
        self.connect.role_arn.is_none() || self.fields.any_wrong(&page::ROLE_FIELDS)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowQuery {
    done: Option<String>,
    way: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    customer_account_id: Option<String>,
    role_arn: Option<String>,
    role_path: Option<String>,
    permissions_boundary_arn: Option<String>,
}

impl RoleForm {
    /// A field that is not in the form is left alone.
    fn input(&self) -> RoleInput {
        let change = |text: &Option<String>| text.clone().map_or(Change::Keep, Change::Set);
        RoleInput {
            role_arn: change(&self.role_arn),
            customer_account_id: change(&self.customer_account_id),
            role_path: change(&self.role_path),
            permissions_boundary_arn: change(&self.permissions_boundary_arn),
        }
    }

    /// The same, to be shown again.
    fn typed(&self) -> ConnectionInput {
        let role = self.input();
        ConnectionInput {
            role_arn: role.role_arn,
            customer_account_id: role.customer_account_id,
            role_path: role.role_path,
            permissions_boundary_arn: role.permissions_boundary_arn,
            ..ConnectionInput::default()
        }
    }

    /// Whether nothing says which role it is.
    fn is_empty(&self) -> bool {
        let is_blank =
            |text: &Option<String>| text.as_deref().unwrap_or_default().trim().is_empty();
        is_blank(&self.role_arn) && is_blank(&self.customer_account_id)
    }
}

/// What is shown besides what is stored.
#[derive(Default)]
struct Shown {
    way: Option<Way>,
    done: Option<String>,
    /// What was typed and cannot be accepted.
    typed: Option<(ConnectionInput, Vec<FieldError>)>,
}

async fn show(
    services: Data<Services>,
    named: NamedLink,
    request: HttpRequest,
    query: Query<ShowQuery>,
) -> Result<HttpResponse> {
    let mut opened = open(&services, &named, &request).await?;
    if named.is_exchanged(&request, &services.site) {
        return named.exchange(&request, &services, &opened);
    }
    let (workspace, setup) = (&opened.link.workspace, &opened.link.setup);
    opened.view = services.dialog.events.watch(workspace, setup).await?;
    let shown = Shown {
        way: Way::parse(query.0.way.as_deref()),
        done: query.0.done,
        typed: None,
    };
    render(&services, &opened, &named, shown).await
}

/// What happens to the setup, as it happens.
async fn follow(
    services: Data<Services>,
    named: NamedLink,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let opened = open(&services, &named, &request).await?;
    let link = opened.link;
    setup_events::respond(services, link.workspace, link.setup, &request).await
}

/// Takes the role, by its account or its ARN, and nothing else.
async fn save(
    services: Data<Services>,
    named: NamedLink,
    request: HttpRequest,
    form: LinkForm<RoleForm>,
) -> Result<HttpResponse> {
    let opened = open(&services, &named, &request).await?;
    if let Some(trail) = Trail::of(&request) {
        trail.begin().await?;
    }
    let instructions = &services.dialog.instructions;
    let refused = match form.0.is_empty() {
        true => vec![FieldError::new(
            "customer_account_id",
            Invalid::new(
                "missing",
                "Enter the 12 digits of the AWS account, or the ARN of another role.",
            ),
        )],
        false => match instructions.set_role(&opened.link, form.0.input()).await {
            Ok(_) => return Ok(see_other(&format!("{}#connect", named.place()))),
            Err(error) if error.kind == Kind::Unprocessable && !error.fields.is_empty() => {
                error.fields.clone()
            }
            Err(error) => return Err(error),
        },
    };
    let shown = Shown {
        typed: Some((form.0.typed(), refused)),
        ..Shown::default()
    };
    let mut response = render(&services, &opened, &named, shown).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Checks the connection. Whoever made the link sees the same report.
async fn run_check(
    services: Data<Services>,
    named: NamedLink,
    request: HttpRequest,
    form: LinkForm<check::CheckForm>,
) -> Result<HttpResponse> {
    let opened = open(&services, &named, &request).await?;
    if let Some(trail) = Trail::of(&request) {
        trail.begin().await?;
    }
    let (wait, link) = (form.0.wait(), opened.link);
    let base = named.place();
    if !check::wants_events(&request) {
        let instructions = &services.dialog.instructions;
        instructions.check(&link, wait, None).await?;
        return Ok(see_other(&format!("{base}#connect")));
    }
    let for_check = services.clone();
    let run = move |listener| async move {
        let instructions = &for_check.dialog.instructions;
        instructions.check(&link, wait, Some(listener)).await
    };
    let action = format!("{base}/check");
    let then = move |_| async move {
        let opened = named.open(&services.dialog.instructions).await?;
        Ok(outcome(&opened, &named))
    };
    check::events(run, then, None, Some(action)).await
}

/// What came of the last check, without the way to a storage, which is the admin's.
fn outcome(opened: &Opened, named: &NamedLink) -> OutcomeView {
    let csrf = Csrf::of_secret(named.secret()).masked();
    let place = named.place();
    OutcomeView {
        is_of_link: true,
        add: None,
        waiting: WaitView::of(&opened.view, &place, format!("{place}#connect")),
        ..page::outcome(&opened.view, csrf, false)
    }
}

async fn all_documents(
    services: Data<Services>,
    named: NamedLink,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let opened = open(&services, &named, &request).await?;
    let (documents, parameters) = services.dialog.instructions.documents(&opened.link).await?;
    bundle(documents.into(), parameters.bucket.as_str())
}

async fn one_document(
    services: Data<Services>,
    named: NamedLink,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let opened = open(&services, &named, &request).await?;
    let (documents, parameters) = services.dialog.instructions.documents(&opened.link).await?;
    raw_documents::file(&path.1, &documents, &parameters.bucket)
}

/// What the link opens. Its holder is left in the request for the log and the audit log.
async fn open(services: &Services, named: &NamedLink, request: &HttpRequest) -> Result<Opened> {
    let opened = named.open(&services.dialog.instructions).await?;
    let caller = Caller::InstructionLink {
        workspace: opened.link.workspace.clone(),
        link: opened.link.id.clone(),
    };
    SeenCaller::note(request, &caller);
    Ok(opened)
}

async fn render(
    services: &Services,
    opened: &Opened,
    named: &NamedLink,
    shown: Shown,
) -> Result<HttpResponse> {
    let (view, setup) = (&opened.view, &opened.view.setup);
    let making = Making::of(&setup.draft);
    let base = named.place();
    let is_open = view.status == SetupStatus::Open;
    let rendered = match setup.draft.bucket.is_some() && is_open {
        true => Some(services.dialog.instructions.documents(&opened.link).await?),
        false => None,
    };
    let aws = match &rendered {
        Some(rendered) => {
            let downloads = format!("{base}/documents");
            Some(AwsView::of(rendered, &view.principal, making, &downloads)?)
        }
        None => None,
    };
    let mut fields = ConnectionFields::of(&setup.draft)?;
    if let Some((typed, refused)) = &shown.typed {
        fields = fields.typed(typed, refused);
    }
    let ways = Way::offered(making, false);
    // Where there is one way, there is no question.
    let only = match ways.as_slice() {
        [only] => Some(*only),
        [] | [_, _, ..] => None,
    };
    let workspace = services.storages.workspace(&opened.link.workspace).await?;
    let maker = Maker::of(services, &opened.link).await?;
    html(&InstructionsPage {
        chrome: Chrome::of_site(&services.site)
            .with_csrf(Csrf::of_secret(named.secret()))
            .flash(shown.done.as_deref()),
        script: assets::SETUP_SCRIPT.path(),
        base,
        workspace: workspace.name.to_string(),
        maker,
        created: Moment(opened.link.created_at),
        expires: Moment(opened.link.expires_at),
        is_added: !is_open,
        aws,
        grants: GrantsView::of(&setup.draft, None)
            .with_lifecycle_folders(&services.setups.connections.lifecycle_folders),
        way: shown.way.filter(|way| ways.contains(way)).or(only),
        ways,
        fields,
        connect: ConnectView::of(view),
        session_name: setup.owner().session_name(),
        report: page::report(view, None),
        outcome: outcome(opened, named),
    })
}

#[cfg(test)]
pub(crate) mod tests;
