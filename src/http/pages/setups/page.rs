//! A step of the dialog as a page.

use crate::application::connections::input::ConnectionInput;
use crate::application::error::{FieldError, Result};
use crate::application::setups::SetupView;
use crate::domain::check::Outcome;
use crate::domain::connection::account::Partition;
use crate::domain::policy_document::DocumentName;
use crate::domain::setup::SetupStatus;
use crate::http::assets;
use crate::http::pages::setups::documents;
use crate::http::pages::setups::documents::{AccountsView, Console, DocumentView};
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::link_panel::LinkPanel;
use crate::http::pages::setups::report::{Add, OutcomeView, ReportView};
use crate::http::pages::setups::step;
use crate::http::pages::setups::step::{DialogStep, StepLink};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::state::Services;
use actix_web::HttpResponse;
use askama::Template;
use secrecy::{ExposeSecret, SecretString};

/// What is shown besides what is stored.
#[derive(Default)]
pub struct Content {
    pub typed: Option<ConnectionInput>,
    pub refused: Vec<FieldError>,
    pub done: Option<String>,
    /// Whether the page may talk to the bucket.
    pub probe: bool,
    /// A link just made, which is shown this once.
    pub new_link: Option<SecretString>,
}

impl Content {
    pub fn stored() -> Self {
        Self::default()
    }

    pub fn typed(typed: ConnectionInput, refused: Vec<FieldError>) -> Self {
        Self {
            typed: Some(typed),
            refused,
            ..Self::default()
        }
    }
}

#[derive(Template)]
#[template(path = "pages/setup/page.html")]
pub struct SetupPage {
    pub chrome: Chrome,
    pub script: &'static str,
    pub id: String,
    pub step: DialogStep,
    pub steps: Vec<StepLink>,
    pub back: Option<String>,
    pub next: Option<String>,
    pub expires: Moment,
    pub fields: ConnectionFields,
    pub reach: Reach,
    pub account_id: String,
    pub external_id: String,
    pub role_name: String,
    pub console: Console,
    /// Those of the step; none before the bucket has a name.
    pub documents: Vec<DocumentView>,
    pub accounts: AccountsView,
    /// For doing it all at once.
    pub scripts: Vec<DocumentView>,
    pub link: LinkPanel,
    pub report: ReportView,
    pub outcome: OutcomeView,
}

/// What the settings let the service do, in words.
pub struct Reach {
    pub bucket: Option<String>,
    pub prefix: String,
    pub writes: bool,
    /// Whether browsers use the bucket.
    pub browsers: bool,
    pub encrypted: bool,
}

impl DialogStep {
    pub fn title(&self) -> &'static str {
        match self {
            Self::Bucket => "Which bucket, and how much of it",
            Self::Cors => "Prepare the bucket",
            Self::Policy => "Create the permission policy",
            Self::Role => "Create the role",
            Self::Check => "Check the connection",
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.as_str() == name
    }

    fn documents(self) -> &'static [DocumentName] {
        match self {
            Self::Bucket | Self::Policy => &[DocumentName::PermissionPolicy],
            Self::Cors => &[DocumentName::Cors, DocumentName::Lifecycle],
            Self::Role => &[DocumentName::TrustPolicy],
            Self::Check => &[],
        }
    }
}

/// What does not apply has no view: the last four are for the bucket's and the key's side.
const SCRIPTS: [DocumentName; 7] = [
    DocumentName::Cli,
    DocumentName::Cloudformation,
    DocumentName::Terraform,
    DocumentName::CliBucket,
    DocumentName::CloudformationBucket,
    DocumentName::CliKey,
    DocumentName::KeyPolicy,
];

/// Renders a step of an open setup.
pub async fn respond(
    visitor: &AdminVisitor,
    services: &Services,
    view: SetupView,
    step: DialogStep,
    content: Content,
) -> Result<HttpResponse> {
    let setup = &view.setup;
    let (admin, id) = (&visitor.admin, &setup.id);
    let chrome = Chrome::of(&visitor.visitor, Section::Settings).flash(content.done.as_deref());
    let rendered = match setup.draft.bucket {
        Some(_) => Some(services.setups.documents(admin, id).await?),
        None => None,
    };
    let base = format!("/settings/setups/{id}/documents");
    let (documents, scripts) = match &rendered {
        Some(rendered) => {
            // Without write access there is nothing to expire.
            let names: Vec<DocumentName> = step
                .documents()
                .iter()
                .copied()
                .filter(|name| {
                    *name != DocumentName::Lifecycle || setup.draft.settings.access.writes()
                })
                .collect();
            let scripts: &[DocumentName] = match step {
                DialogStep::Role => &SCRIPTS,
                _ => &[],
            };
            (
                documents::views(&names, rendered, &base)?,
                documents::views(scripts, rendered, &base)?,
            )
        }
        None => (Vec::new(), Vec::new()),
    };
    let partition = rendered
        .as_ref()
        .map_or(view.principal.partition(), |(_, p)| p.partition);
    let role_name = rendered
        .as_ref()
        .map(|(_, parameters)| parameters.role_name())
        .map(|role| role.name)
        .unwrap_or_default();
    let accounts = rendered
        .as_ref()
        .map(|(_, parameters)| AccountsView::of(parameters))
        .unwrap_or_default();
    let mut fields = ConnectionFields::of(&setup.draft)?;
    if let Some(typed) = &content.typed {
        fields = fields.typed(typed, &content.refused);
    }
    let link = match services.dialog.instructions.of(admin, id).await? {
        Some(link) => LinkPanel {
            expires: Some(Moment(link.expires_at)),
            url: content.new_link.as_ref().map(|secret| {
                let path = format!("/instructions/{}", secret.expose_secret());
                services.site.url(&path)
            }),
        },
        None => LinkPanel::default(),
    };
    let mut allowed = AlsoAllowed::default();
    if content.probe
        && setup.draft.settings.browser_access
        && let Ok(origin) = services.dialog.browser_probes.origin(admin, id).await
    {
        allowed.fetches.push(origin);
    }
    let page = SetupPage {
        script: assets::SETUP_SCRIPT.path(),
        id: id.to_string(),
        step,
        steps: step.links(&view),
        back: step
            .previous(&setup.draft)
            .map(|step| step::address(id, step)),
        next: step.next(&setup.draft).map(|step| step::address(id, step)),
        expires: Moment(setup.expires_at),
        fields,
        reach: reach(&view),
        account_id: view.principal.account().to_string(),
        external_id: setup.external_id.to_string(),
        role_name,
        console: console(partition, &view),
        documents,
        accounts,
        scripts,
        link,
        report: ReportView::of(
            view.last_check.as_ref(),
            view.check_is_current()
                .then(|| step::apply(id, chrome.csrf()))
                .as_ref(),
        ),
        outcome: outcome(&view, chrome.csrf(), !allowed.fetches.is_empty()),
        chrome,
    };
    let mut response = html(&page)?;
    response.extensions_mut().insert(allowed);
    Ok(response)
}

/// What came of the last check, and what it opens the way to.
pub fn outcome(view: &SetupView, csrf: String, probe_now: bool) -> OutcomeView {
    let is_current = view.check_is_current();
    let passed = view
        .last_check
        .as_ref()
        .is_some_and(|check| check.outcome() != Outcome::Failed);
    let missing = view.setup.connection().err().unwrap_or_default();
    OutcomeView {
        summary: view.last_check.as_ref().map(Into::into),
        is_current,
        missing: missing
            .into_iter()
            .map(|field| match field {
                "role_arn" => ("the role's ARN", "role"),
                "access_key_id" => ("the access key ID", "bucket"),
                "secret_access_key" => ("the secret access key", "bucket"),
                _ => ("the bucket's name", "bucket"),
            })
            .collect(),
        add: Some(Add {
            setup: view.setup.id.to_string(),
            can_add: is_current && passed && view.check_is_fresh,
            is_stale: view.has_outlived_its_check(),
            offers_probe: view.setup.draft.settings.browser_access,
            probe_now,
        }),
        csrf,
    }
}

pub fn reach(view: &SetupView) -> Reach {
    let draft = &view.setup.draft;
    Reach {
        bucket: draft.bucket.as_ref().map(ToString::to_string),
        prefix: draft.settings.prefix.to_string(),
        writes: draft.settings.access.writes(),
        browsers: draft.settings.browser_access,
        encrypted: draft.settings.kms_key.is_some(),
    }
}

pub fn console(partition: Partition, view: &SetupView) -> Console {
    let bucket = view.setup.draft.bucket.as_ref();
    Console::of(partition, bucket.map(|bucket| bucket.as_str()))
}

/// A setup that is no longer open.
#[derive(Template)]
#[template(path = "pages/setup/ended.html")]
pub struct EndedPage {
    chrome: Chrome,
    title: &'static str,
    words: &'static str,
    /// Whether another setup can take its place.
    offers_new: bool,
    return_url: Option<String>,
}

pub fn ended(visitor: &Visitor, status: SetupStatus, done: Option<&str>) -> EndedPage {
    let (title, words) = match status {
        SetupStatus::Completed => (
            "The storage has been added",
            "This setup has become a storage. You find it in the list of external object storages.",
        ),
        SetupStatus::Expired => (
            "This setup has expired",
            "Nothing was added. Its external ID will never be used again; what was made in AWS can be removed, or changed to the external ID of a new setup.",
        ),
        _ => (
            "This setup was closed",
            "Nothing was added. Its external ID will never be used again; what was made in AWS can be removed, or changed to the external ID of a new setup.",
        ),
    };
    EndedPage {
        chrome: Chrome::of(visitor, Section::Settings).flash(done),
        title,
        words,
        offers_new: status != SetupStatus::Completed,
        return_url: visitor
            .return_url
            .clone()
            .filter(|_| status == SetupStatus::Completed),
    }
}
