//! The page for the customer's AWS administrator, who has a link and no session.

use crate::application::error::{Kind, Result};
use crate::application::people::caller::Caller;
use crate::application::setups::instructions::Opened;
use crate::domain::connection::access::Auth;
use crate::domain::policy_document::DocumentName;
use crate::domain::setup::SetupStatus;
use crate::http::api::setups::documents as raw_documents;
use crate::http::context::SeenCaller;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::bundle;
use crate::http::pages::setups::documents;
use crate::http::pages::setups::documents::{AccountsView, Console, DocumentView};
use crate::http::pages::setups::fields::Field;
use crate::http::pages::shell::answer::{html, see_other};
use crate::http::pages::shell::chrome::Chrome;
use crate::http::pages::shell::csrf::Csrf;
use crate::http::pages::shell::form::LinkForm;
use crate::http::pages::shell::moment::Moment;
use crate::http::query::Query;
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
    /// Where the page is.
    base: String,
    expires: Moment,
    is_added: bool,
    /// `None`: the bucket has no name yet.
    filled: Option<Filled>,
    writes: bool,
    /// Whether browsers use the bucket.
    browsers: bool,
    role_arn: Field,
    has_role_arn: bool,
}

/// What there is once the bucket has a name.
struct Filled {
    bucket: String,
    prefix: String,
    account_id: String,
    external_id: String,
    role_name: String,
    console: Console,
    accounts: AccountsView,
    bucket_documents: Vec<DocumentView>,
    permission_policy: Vec<DocumentView>,
    trust_policy: Vec<DocumentView>,
    scripts: Vec<DocumentView>,
}

impl InstructionsPage {
    /// Whether the bucket needs rules of its own.
    fn has_rules(&self) -> bool {
        self.browsers || self.writes
    }

    /// The number of the step that makes the policy; the role's is the next one.
    fn policy_step(&self) -> usize {
        1 + usize::from(self.has_rules())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowQuery {
    done: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role_arn: String,
}

async fn show(
    services: Data<Services>,
    secret: Path<String>,
    request: HttpRequest,
    query: Query<ShowQuery>,
) -> Result<HttpResponse> {
    let opened = open(&services, &secret, &request).await?;
    let role_arn = stored(&opened);
    render(
        &services,
        &opened,
        &secret,
        role_arn,
        query.0.done.as_deref(),
    )
    .await
}

/// Takes the role's ARN, and nothing else.
async fn save(
    services: Data<Services>,
    secret: Path<String>,
    request: HttpRequest,
    form: LinkForm<RoleForm>,
) -> Result<HttpResponse> {
    let opened = open(&services, &secret, &request).await?;
    if let Some(trail) = Trail::of(&request) {
        trail.begin().await?;
    }
    let typed = form.0.role_arn.trim();
    let saved = services
        .dialog
        .instructions
        .set_role_arn(&opened.link, typed.to_owned())
        .await;
    let error = match saved {
        Ok(_) => {
            return Ok(see_other(&format!("/instructions/{secret}?done=saved")));
        }
        Err(error) if error.kind == Kind::Unprocessable => error,
        Err(error) => return Err(error),
    };
    let role_arn = Field {
        value: form.0.role_arn,
        error: Some(
            error
                .fields
                .first()
                .map_or_else(|| error.detail.clone(), |field| field.detail.clone()),
        ),
    };
    let mut response = render(&services, &opened, &secret, role_arn, None).await?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

async fn all_documents(
    services: Data<Services>,
    secret: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let opened = open(&services, &secret, &request).await?;
    let (documents, parameters) = services.dialog.instructions.documents(&opened.link).await?;
    bundle(documents.into(), parameters.bucket.as_str())
}

async fn one_document(
    services: Data<Services>,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let opened = open(&services, &path.0, &request).await?;
    let (documents, parameters) = services.dialog.instructions.documents(&opened.link).await?;
    raw_documents::file(&path.1, &documents, &parameters.bucket)
}

/// What the secret opens. Its holder is left in the request for the log and the audit log.
async fn open(services: &Services, secret: &str, request: &HttpRequest) -> Result<Opened> {
    let opened = services.dialog.instructions.open(secret).await?;
    let caller = Caller::InstructionLink {
        workspace: opened.link.workspace.clone(),
        link: opened.link.id.clone(),
    };
    SeenCaller::note(request, &caller);
    Ok(opened)
}

fn stored(opened: &Opened) -> Field {
    let role_arn = opened.view.setup.draft.sign_in.role_arn.as_ref();
    Field {
        value: role_arn.map(ToString::to_string).unwrap_or_default(),
        error: None,
    }
}

async fn render(
    services: &Services,
    opened: &Opened,
    secret: &str,
    role_arn: Field,
    done: Option<&str>,
) -> Result<HttpResponse> {
    let setup = &opened.view.setup;
    let base = format!("/instructions/{secret}");
    let is_open = opened.view.status == SetupStatus::Open;
    let filled =
        match setup.draft.bucket.is_some() && is_open && setup.draft.sign_in.by == Auth::Role {
            true => Some(filled(services, opened, &base).await?),
            false => None,
        };
    html(&InstructionsPage {
        chrome: Chrome::of_site(&services.site)
            .with_csrf(Csrf::of_secret(secret))
            .flash(done),
        base,
        expires: Moment(opened.link.expires_at),
        is_added: !is_open,
        filled,
        writes: setup.draft.settings.access.writes(),
        browsers: setup.draft.settings.browser_access,
        has_role_arn: setup.draft.sign_in.role_arn.is_some(),
        role_arn,
    })
}

async fn filled(services: &Services, opened: &Opened, base: &str) -> Result<Filled> {
    let rendered = services.dialog.instructions.documents(&opened.link).await?;
    let parameters = &rendered.1;
    let downloads = format!("{base}/documents");
    let of = |names: &[DocumentName]| documents::views(names, &rendered, &downloads);
    // What does not apply has no view.
    let for_bucket: &[DocumentName] = match parameters.lifecycle {
        true => &[DocumentName::Cors, DocumentName::Lifecycle],
        false => &[DocumentName::Cors],
    };
    Ok(Filled {
        bucket: parameters.bucket.to_string(),
        prefix: parameters.prefix.to_string(),
        account_id: parameters.service_principal.account().to_string(),
        external_id: parameters.external_id.to_string(),
        role_name: parameters.role_name().name,
        console: Console::of(parameters.partition, Some(parameters.bucket.as_str())),
        accounts: AccountsView::of(parameters),
        bucket_documents: of(for_bucket)?,
        permission_policy: of(&[DocumentName::PermissionPolicy])?,
        trust_policy: of(&[DocumentName::TrustPolicy])?,
        scripts: of(&[
            DocumentName::Cli,
            DocumentName::Cloudformation,
            DocumentName::Terraform,
            DocumentName::CliBucket,
            DocumentName::CloudformationBucket,
            DocumentName::CliKey,
            DocumentName::KeyPolicy,
        ])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::account::Partition;
    use time::OffsetDateTime;

    const HOSTILE: &str = "<script>alert('1')</script>";

    fn page(filled: Option<Filled>, is_added: bool, error: Option<&str>) -> String {
        page_for(filled, is_added, error, true)
    }

    fn page_for(
        filled: Option<Filled>,
        is_added: bool,
        error: Option<&str>,
        browsers: bool,
    ) -> String {
        let page = InstructionsPage {
            chrome: Chrome::bare(),
            base: "/instructions/secret".into(),
            expires: Moment(OffsetDateTime::UNIX_EPOCH),
            is_added,
            filled,
            writes: true,
            browsers,
            role_arn: Field {
                value: HOSTILE.into(),
                error: error.map(str::to_owned),
            },
            has_role_arn: true,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    fn filled() -> Filled {
        Filled {
            bucket: "b".repeat(63),
            prefix: HOSTILE.into(),
            account_id: "111122223333".into(),
            external_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
            role_name: "sallyport-acme".into(),
            console: Console::of(Partition::AwsUsGov, Some("acme-data")),
            accounts: AccountsView {
                role: None,
                bucket_apart: Some("222222222222".into()),
                key_apart: Some("333333333333".into()),
            },
            bucket_documents: Vec::new(),
            permission_policy: Vec::new(),
            trust_policy: Vec::new(),
            scripts: Vec::new(),
        }
    }

    #[test]
    fn an_administrator_sees_what_to_do_and_where() {
        let html = page(Some(filled()), false, None);
        assert!(html.contains("111122223333") && html.contains("Saved"));
        assert!(html.contains("https://console.amazonaws-us-gov.com/"));
        assert!(html.contains("action=\"/instructions/secret\""));
        // Nothing of the workspace, and no way into it.
        assert!(!html.contains("/settings/") && !html.contains("Sign out"));
        for account in ["222222222222", "333333333333"] {
            assert!(
                html.contains(&format!("<code>{account}</code>")),
                "{account}"
            );
        }
        let refused = page(Some(filled()), false, Some("`x` is not a role."));
        assert!(refused.contains("<code>x</code> is not a role.") && !refused.contains("Saved"));
    }

    #[test]
    fn before_and_after_there_is_nothing_to_do() {
        assert!(page(None, false, None).contains("There is nothing to do yet"));
        assert!(page(None, true, None).contains("The storage has been added"));
    }
}
