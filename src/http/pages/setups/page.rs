//! A step of the dialog as a page.

use crate::application::connections::input::ConnectionInput;
use crate::application::error::{FieldError, Result};
use crate::application::setups::SetupView;
use crate::domain::check::Outcome;
use crate::domain::connection::access::Auth;
use crate::domain::overlap::Overlap;
use crate::http::assets;
use crate::http::pages::setups::choose;
use crate::http::pages::setups::fields::ConnectionFields;
use crate::http::pages::setups::grants::{ChangeGrants, GrantsView};
use crate::http::pages::setups::link_panel::LinkPanel;
use crate::http::pages::setups::report::{Add, OutcomeView, ReportView};
use crate::http::pages::setups::setting_words::Apply;
use crate::http::pages::setups::step;
use crate::http::pages::setups::step::{DialogStep, StepLink};
use crate::http::pages::setups::wait::WaitView;
use crate::http::pages::setups::way::{AwsView, Making, Way};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::headers::AlsoAllowed;
use crate::http::pages::shell::moment::Moment;
use crate::http::pages::shell::session::AdminVisitor;
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
    /// How AWS is set up.
    pub way: Option<Way>,
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
    pub expires: Moment,
    pub fields: ConnectionFields,
    /// What is odd about the place, in sentences.
    pub warnings: Vec<String>,
    pub grants: GrantsView,
    /// `None` before the bucket has a name.
    pub aws: Option<AwsView>,
    pub ways: Vec<Way>,
    /// The one that was chosen.
    pub way: Option<Way>,
    pub connect: ConnectView,
    /// Whether bucket and folder can be chosen from a list.
    pub offers_choice: bool,
    pub link: LinkPanel,
    pub report: ReportView,
    pub outcome: OutcomeView,
}

/// What the connection signs in with.
#[derive(Default)]
pub struct ConnectView {
    /// The role in use.
    pub role_arn: Option<String>,
    /// Whether it is another than the documents make.
    pub is_other: bool,
}

/// The fields that say which role it is.
pub const ROLE_FIELDS: [&str; 4] = [
    "customer_account_id",
    "role_arn",
    "role_path",
    "permissions_boundary_arn",
];

impl DialogStep {
    pub fn is(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl SetupPage {
    /// Where the ways' pages are, up to the way's name.
    pub fn way_base(&self) -> String {
        format!("/settings/setups/{}?step=role&way=", self.id)
    }

    /// Where the forms of the setup are sent to.
    pub fn action(&self) -> String {
        format!("/settings/setups/{}", self.id)
    }

    pub fn check_action(&self) -> String {
        format!("/settings/setups/{}/check", self.id)
    }

    /// Whether the fields of the role are shown at once: there is no role, or something typed is wrong.
    pub fn asks_for_role(&self) -> bool {
        self.connect.role_arn.is_none() || self.fields.any_wrong(&ROLE_FIELDS)
    }

    /// What the account is asked for, with the role that is looked for there.
    pub fn account_hint(&self) -> String {
        let role = self.aws.as_ref().map_or("", |aws| aws.role_name.as_str());
        format!(
            "12 digits. The role `{role}` is looked for in this account, so there is nothing to paste back."
        )
    }
}

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
    let making = Making::of(&setup.draft);
    let chrome = Chrome::of(&visitor.visitor, Section::Settings).flash(content.done.as_deref());
    let rendered = match setup.draft.bucket {
        Some(_) => Some(services.setups.documents(admin, id).await?),
        None => None,
    };
    let base = format!("/settings/setups/{id}/documents");
    let aws = match &rendered {
        Some(rendered) => Some(AwsView::of(rendered, &view.principal, making, &base)?),
        None => None,
    };
    let connect = ConnectView::of(&view);
    let offers_choice = choose::is_offered(&view);
    let mut fields = ConnectionFields::of(&setup.draft)?;
    if let Some(typed) = &content.typed {
        fields = fields.typed(typed, &content.refused);
    }
    let ways = Way::offered(making, true);
    let way = content.way.filter(|way| ways.contains(way));
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
    let mut allowed = AlsoAllowed::to_the_product(&visitor.visitor);
    if content.probe
        && setup.draft.settings.browser_access
        && let Ok(origin) = services.dialog.browser_probes.origin(admin, id).await
    {
        allowed.fetches.push(origin);
    }
    let change = ChangeGrants {
        action: format!("/settings/setups/{id}"),
        csrf: chrome.csrf(),
        step: step.as_str(),
        way: way.as_ref().map(Way::as_str),
    };
    let page = SetupPage {
        script: assets::SETUP_SCRIPT.path(),
        id: id.to_string(),
        step,
        steps: step.links(&view),
        expires: Moment(setup.expires_at),
        fields,
        warnings: view.overlaps.iter().map(Overlap::words).collect(),
        grants: GrantsView::of(&setup.draft, Some(change))
            .with_lifecycle_folders(&services.setups.connections.lifecycle_folders),
        aws,
        ways,
        way,
        connect,
        offers_choice,
        link,
        report: report(&view, Some(&step::apply(id, chrome.csrf()))),
        outcome: outcome(&view, chrome.csrf(), !allowed.fetches.is_empty()),
        chrome,
    };
    let mut response = html(&page)?;
    response.extensions_mut().insert(allowed);
    Ok(response)
}

impl ConnectView {
    pub fn of(view: &SetupView) -> Self {
        let setup = &view.setup;
        let by_role = setup.draft.sign_in.by == Auth::Role;
        let role = setup.draft.role(&setup.external_id).filter(|_| by_role);
        Self {
            is_other: setup.draft.sign_in.role_arn.is_some(),
            role_arn: role.map(|role| role.to_string()),
        }
    }
}

/// What a check of the present settings found, or the steps that one will make.
pub fn report(view: &SetupView, apply: Option<&Apply>) -> ReportView {
    match view.last_check.as_ref().filter(|_| view.check_is_current()) {
        Some(check) => ReportView::of(check, apply),
        None => ReportView::waiting(has_role(view)),
    }
}

fn has_role(view: &SetupView) -> bool {
    match view.setup.draft.sign_in.by {
        Auth::Role => true,
        Auth::AccessKey => false,
    }
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
                "role_arn" => ("the role", "check"),
                "access_key_id" => ("the access key ID", "check"),
                "secret_access_key" => ("the secret access key", "check"),
                _ => ("the bucket", "bucket"),
            })
            .collect(),
        add: Some(Add {
            setup: view.setup.id.to_string(),
            can_add: is_current && passed && view.check_is_fresh,
            is_stale: view.has_outlived_its_check(),
            offers_probe: view.setup.draft.settings.browser_access,
            probe_now,
        }),
        is_of_link: false,
        has_role: has_role(view),
        waiting: WaitView::of(
            view,
            &format!("/settings/setups/{}", view.setup.id),
            step::address(&view.setup.id, DialogStep::Check),
        ),
        csrf,
    }
}
