//! The policy doctor: a page for a setup, and one for a storage. It only reads what is pasted.

use crate::application::error::Result;
use crate::domain::check::patch::PatchOperation;
use crate::domain::doctor::finding::{DocumentKind, Finding, Severity};
use crate::domain::doctor::{Pasted, worst};
use crate::domain::ids::{SetupId, StorageRef};
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::shell::answer::html;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::filters;
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::{AdminVisitor, Visitor};
use crate::http::path::Id;
use crate::http::state::Services;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde::Deserialize;

pub fn configure(routes: &mut PageRoutes) {
    routes
        .add(
            PageRoute::at(
                "/settings/setups/{setup_id}/doctor",
                "examine_setup_documents",
            )
            .shows(of_setup)
            .asks(examine_for_setup),
        )
        .add(
            PageRoute::at(
                "/settings/storages/{storage_id}/doctor",
                "examine_storage_documents",
            )
            .shows(of_storage)
            .asks(examine_for_storage),
        );
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DoctorForm {
    #[serde(default)]
    permission_policy: String,
    #[serde(default)]
    trust_policy: String,
    #[serde(default)]
    bucket_policy: String,
    #[serde(default)]
    cors: String,
    #[serde(default)]
    key_policy: String,
}

impl DoctorForm {
    fn text(&self, kind: DocumentKind) -> &str {
        match kind {
            DocumentKind::PermissionPolicy => &self.permission_policy,
            DocumentKind::TrustPolicy => &self.trust_policy,
            DocumentKind::BucketPolicy => &self.bucket_policy,
            DocumentKind::Cors => &self.cors,
            DocumentKind::KeyPolicy => &self.key_policy,
        }
    }

    /// Those that something was pasted for.
    fn documents(&self) -> Vec<Pasted> {
        let given = DocumentKind::ALL.into_iter().map(|kind| Pasted {
            kind,
            // A browser sends the ends of lines as two characters.
            text: self.text(kind).replace("\r\n", "\n"),
        });
        given
            .filter(|document| !document.text.trim().is_empty())
            .collect()
    }
}

#[derive(Template)]
#[template(path = "pages/doctor.html")]
struct DoctorPage {
    chrome: Chrome,
    /// Where the setup or storage is.
    base: String,
    name: String,
    documents: Vec<DocumentPart>,
    /// What came of it; None before anything was sent.
    summary: Option<SummaryView>,
}

struct SummaryView {
    kind: &'static str,
    title: &'static str,
    counts: String,
}

/// One document with what was found in it.
struct DocumentPart {
    name: &'static str,
    title: &'static str,
    hint: &'static str,
    text: String,
    lines: Vec<LineView>,
    findings: Vec<FindingView>,
}

struct LineView {
    number: usize,
    text: String,
    /// How bad the worst finding of the line is.
    kind: Option<&'static str>,
}

struct FindingView {
    id: String,
    kind: &'static str,
    word: &'static str,
    line: usize,
    column: usize,
    title: String,
    explanation: String,
    remedy: String,
    code: &'static str,
    patch: Option<PatchView>,
}

struct PatchView {
    what: &'static str,
    text: String,
    cli: Option<String>,
    console: Option<String>,
}

fn kind(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("bad", "Error"),
        Severity::Security => ("bad", "Security"),
        Severity::Warning => ("warn", "Warning"),
        Severity::Note => ("none", "Note"),
    }
}

fn hint(document: DocumentKind) -> &'static str {
    match document {
        DocumentKind::PermissionPolicy => {
            "IAM > Roles > the role > Permissions > the policy > JSON"
        }
        DocumentKind::TrustPolicy => "IAM > Roles > the role > Trust relationships",
        DocumentKind::BucketPolicy => "S3 > the bucket > Permissions > Bucket policy",
        DocumentKind::Cors => {
            "S3 > the bucket > Permissions > Cross-origin resource sharing (CORS)"
        }
        DocumentKind::KeyPolicy => "KMS > Customer managed keys > the key > Key policy",
    }
}

impl DoctorPage {
    fn of(
        visitor: &Visitor,
        base: String,
        name: String,
        form: &DoctorForm,
        found: Option<Vec<Finding>>,
    ) -> Self {
        let summary = found.as_deref().map(|findings| summary(findings, form));
        let findings = found.unwrap_or_default();
        let documents = DocumentKind::ALL
            .into_iter()
            .map(|document| {
                let own: Vec<&Finding> = findings
                    .iter()
                    .filter(|finding| finding.document == document)
                    .collect();
                let text = form.text(document).replace("\r\n", "\n");
                DocumentPart {
                    name: document.as_str(),
                    title: document.title(),
                    hint: hint(document),
                    lines: match summary.is_some() && !text.trim().is_empty() {
                        true => lines(&text, &own),
                        false => Vec::new(),
                    },
                    findings: own
                        .iter()
                        .enumerate()
                        .map(|(number, finding)| view(number, finding))
                        .collect(),
                    text,
                }
            })
            .collect();
        Self {
            chrome: Chrome::of(visitor, Section::Settings),
            base,
            name,
            documents,
            summary,
        }
    }
}

fn summary(findings: &[Finding], form: &DoctorForm) -> SummaryView {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let counts = [
        (Severity::Error, "error", "errors"),
        (Severity::Security, "security finding", "security findings"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ]
    .into_iter()
    .filter(|(severity, ..)| count(*severity) > 0)
    .map(|(severity, one, many)| match count(severity) {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    })
    .collect::<Vec<_>>()
    .join(", ");
    let (kind, title) = match worst(findings) {
        None if form.documents().is_empty() => ("warn", "Nothing was pasted."),
        None => (
            "good",
            "Nothing was found that is wrong with these documents.",
        ),
        Some(Severity::Note) => ("good", "Nothing is wrong with these documents."),
        Some(Severity::Warning) => ("warn", "The documents work, with a surprise."),
        Some(Severity::Security) => ("bad", "The documents let more in than is meant."),
        Some(Severity::Error) => ("bad", "The documents do not work as they are."),
    };
    SummaryView {
        kind,
        title,
        counts,
    }
}

fn lines(text: &str, findings: &[&Finding]) -> Vec<LineView> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n')
        .enumerate()
        .map(|(index, text)| {
            let number = index + 1;
            let here = findings
                .iter()
                .filter(|finding| finding.place.at.line == number);
            LineView {
                number,
                text: text.to_owned(),
                kind: here
                    .map(|finding| finding.severity)
                    .max()
                    .map(|severity| kind(severity).0),
            }
        })
        .collect()
}

fn view(number: usize, finding: &Finding) -> FindingView {
    let (kind, word) = kind(finding.severity);
    FindingView {
        id: format!("{}-{number}", finding.document),
        kind,
        word,
        line: finding.place.at.line,
        column: finding.place.at.column,
        title: finding.title.clone(),
        explanation: finding.explanation.clone(),
        remedy: finding.remedy.clone(),
        code: finding.code.as_str(),
        patch: finding.patch.as_ref().map(|patch| PatchView {
            what: match patch.operation {
                PatchOperation::AddStatement => "Statement to add",
                PatchOperation::Replace => "In place of the document",
                PatchOperation::Set => "Settings to change",
            },
            // Writing a value into a text cannot fail.
            text: format!("{:#}", patch.document),
            cli: patch.cli.clone(),
            console: patch.console.clone(),
        }),
    }
}

async fn setup_page(
    visitor: &AdminVisitor,
    services: &Services,
    id: &SetupId,
    form: &DoctorForm,
    found: Option<Vec<Finding>>,
) -> Result<HttpResponse> {
    let setup = services.setups.get(&visitor.admin, id).await?.setup;
    let name = setup
        .draft
        .bucket
        .map_or_else(|| "the new storage".to_owned(), |b| b.to_string());
    let base = format!("/settings/setups/{id}");
    html(&DoctorPage::of(&visitor.visitor, base, name, form, found))
}

async fn of_setup(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
) -> Result<HttpResponse> {
    setup_page(&visitor, &services, &id.0, &DoctorForm::default(), None).await
}

async fn examine_for_setup(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    form: Form<DoctorForm>,
) -> Result<HttpResponse> {
    let documents = form.0.documents();
    let found = services
        .doctor
        .of_setup(&visitor.admin, &id.0, documents)
        .await?;
    setup_page(&visitor, &services, &id.0, &form.0, Some(found)).await
}

async fn storage_page(
    visitor: &AdminVisitor,
    services: &Services,
    id: &StorageRef,
    form: &DoctorForm,
    found: Option<Vec<Finding>>,
) -> Result<HttpResponse> {
    let view = services.storages.get(&visitor.visitor.member, id).await?;
    let base = format!("/settings/storages/{}", view.reference());
    let name = view.display_name().to_owned();
    html(&DoctorPage::of(&visitor.visitor, base, name, form, found))
}

async fn of_storage(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
) -> Result<HttpResponse> {
    storage_page(&visitor, &services, &id.0, &DoctorForm::default(), None).await
}

async fn examine_for_storage(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<StorageRef>,
    form: Form<DoctorForm>,
) -> Result<HttpResponse> {
    let documents = form.0.documents();
    let found = services
        .doctor
        .of_storage(&visitor.admin, &id.0, documents)
        .await?;
    storage_page(&visitor, &services, &id.0, &form.0, Some(found)).await
}
