//! What a request is about, for the audit log: noted by its handler, written around it.

use crate::application::error::{Error, Kind, Result};
use crate::application::people::audit::{Look, Outcome};
use crate::application::people::caller::{Caller, Credential};
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditResult, Deed, FilePart, NamedFile, SignedUrls};
use crate::domain::people::audit_action::AuditAction;
use crate::domain::people::subject::SubjectId;
use crate::http::context::SeenCaller;
use crate::http::face::RouteEffect;
use crate::http::problem::{Problem, status_of};
use crate::http::state::Services;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use std::cell::RefCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use time::OffsetDateTime;

/// How many files an entry names at most. No request takes more.
const MOST_FILES: usize = 10_000;

/// The trail of a request, in its extensions. A handler that changes files names them before it does,
/// by [`changes`](Self::changes).
#[derive(Clone)]
pub struct Trail(Rc<Inner>);

struct Inner {
    services: web::Data<Services>,
    about: About,
    caller: SeenCaller,
    noted: RefCell<Noted>,
}

/// What is known of a request before its handler runs.
pub struct About {
    pub action: String,
    pub effect: RouteEffect,
    /// The path's values by their names in the pattern.
    pub parameters: Vec<(String, String)>,
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
}

impl About {
    /// The action's name in the log: what the request turned out to be, or else its route's.
    fn action_or(&self, noted: Option<AuditAction>) -> String {
        noted.map_or_else(|| self.action.clone(), |action| action.as_str().to_owned())
    }
}

#[derive(Default)]
struct Noted {
    files: Vec<NamedFile>,
    signed: Option<SignedUrls>,
    of_files: Vec<(usize, AuditResult, Option<String>)>,
    is_change: bool,
    is_read: bool,
    intent: Option<AuditId>,
    on_behalf_of: Option<SubjectId>,
    /// What the request turned out to be, where its route's name says less.
    action: Option<AuditAction>,
}

impl Trail {
    pub fn new(services: web::Data<Services>, about: About, caller: SeenCaller) -> Self {
        Self(Rc::new(Inner {
            services,
            about,
            caller,
            noted: RefCell::default(),
        }))
    }

    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The caller, once it is known.
    pub fn caller(&self) -> Option<&Caller> {
        self.0.caller.get()
    }

    /// Notes the person of the product's for whom the request is.
    pub fn is_for(&self, subject: Option<SubjectId>) {
        self.0.noted.borrow_mut().on_behalf_of = subject;
    }

    /// Writes down, before a handler runs, that it may change something. A handler that changes files
    /// does so itself, when it knows which.
    pub async fn begin(&self) -> Result<()> {
        match self.0.about.effect {
            RouteEffect::Changes => self.write_intent().await,
            RouteEffect::Shows | RouteEffect::Asks | RouteEffect::ChangesFiles => Ok(()),
        }
    }

    /// Names files that are about to be changed, and writes that down. Where this fails, they must not
    /// be changed.
    pub async fn changes(&self, files: impl IntoIterator<Item = NamedFile>) -> Result<()> {
        {
            let mut noted = self.0.noted.borrow_mut();
            noted.is_change = true;
            let before = noted.files.len();
            noted.files.extend(files.into_iter().take(MOST_FILES + 1));
            if noted.files.len() > MOST_FILES {
                noted.files.truncate(before);
                let detail = format!("One request changes at most {MOST_FILES} files.");
                return Err(Error::field("keys", Invalid::new("too_many_keys", detail)));
            }
        }
        self.write_intent().await
    }

    /// The same for one file.
    pub async fn changes_file(&self, key: &FileKey) -> Result<()> {
        self.changes([NamedFile::new(key, FilePart::File)]).await
    }

    /// The same for URLs that let their holder change the files.
    pub async fn signs(&self, method: &str, keys: &[FileKey]) -> Result<()> {
        self.note_signed(method);
        let files = keys.iter().map(|key| NamedFile::new(key, FilePart::File));
        self.changes(files).await
    }

    /// Names files that are read. Written where the operator wants reads in the log.
    pub fn reads<'k>(&self, keys: impl IntoIterator<Item = &'k FileKey>) {
        if !self.0.services.people.audit_log.reads {
            return;
        }
        let mut noted = self.0.noted.borrow_mut();
        noted.is_read = true;
        let files = keys.into_iter().take(MOST_FILES);
        noted
            .files
            .extend(files.map(|key| NamedFile::new(key, FilePart::File)));
    }

    /// The same for URLs that let their holder read the files.
    pub fn signs_reads<'k>(&self, keys: impl IntoIterator<Item = &'k FileKey>) {
        if self.0.services.people.audit_log.reads {
            self.note_signed("GET");
            self.reads(keys);
        }
    }

    fn note_signed(&self, method: &str) {
        self.0.noted.borrow_mut().signed = Some(SignedUrls {
            method: method.to_owned(),
            until: None,
        });
    }

    /// Notes until when the URLs work.
    pub fn signed_until(&self, ends: impl IntoIterator<Item = OffsetDateTime>) {
        if let Some(signed) = &mut self.0.noted.borrow_mut().signed {
            signed.until = ends.into_iter().max();
        }
    }

    /// Notes what became of single files, by their place among those that were named. Without a note, a
    /// file shares what became of the request.
    pub fn became<'e>(&self, of: impl IntoIterator<Item = (usize, Option<&'e Error>)>) {
        let mut noted = self.0.noted.borrow_mut();
        noted
            .of_files
            .extend(of.into_iter().map(|(at, error)| match error {
                None => (at, AuditResult::Done, None),
                Some(error) => (
                    at,
                    result_of(status_of(error.kind)),
                    Some(error.code.to_owned()),
                ),
            }));
    }

    /// Notes what the request turned out to be.
    pub fn was(&self, action: AuditAction) {
        self.0.noted.borrow_mut().action = Some(action);
    }

    /// The same before anything is done: what was written down before gets this name too. Where this fails, nothing
    /// must be done.
    pub async fn is(&self, action: AuditAction) -> Result<()> {
        self.was(action);
        let is_begun = self.0.noted.borrow().intent.is_some();
        match is_begun {
            true => self.write_intent().await,
            false => Ok(()),
        }
    }

    /// How many files were named so far.
    pub fn file_count(&self) -> usize {
        self.0.noted.borrow().files.len()
    }

    async fn write_intent(&self) -> Result<()> {
        let (id, deed) = {
            let noted = self.0.noted.borrow();
            (noted.intent.clone(), self.deed(&noted, None))
        };
        let log = &self.0.services.people.audit_log;
        let id = log.begin(id, &deed).await?;
        self.0.noted.borrow_mut().intent = Some(id);
        Ok(())
    }

    /// Notes that the request is still worked on.
    pub async fn touch(&self) {
        let intent = self.0.noted.borrow().intent.clone();
        if let Some(intent) = intent {
            self.0.services.people.audit_log.touch(&intent).await;
        }
    }

    /// Forgets what was written down before the change: there was none.
    pub async fn discard(&self) {
        let intent = self.0.noted.borrow_mut().intent.take();
        if let Some(intent) = intent {
            self.0.services.people.audit_log.discard(&intent).await;
        }
    }

    /// Whether a request with this answer is written.
    pub fn is_written(&self, status: StatusCode) -> bool {
        let noted = self.0.noted.borrow();
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        refused
            || noted.is_change
            || noted.is_read
            || match self.0.about.effect {
                RouteEffect::Changes | RouteEffect::ChangesFiles => true,
                RouteEffect::Asks => !status.is_success(),
                RouteEffect::Shows => false,
            }
    }

    /// Whether a request that changed nothing is written because somebody from outside looked at the workspace: the
    /// operator, or a key of the product's. Their calls are in its audit log.
    pub async fn is_look_to_write(&self, status: StatusCode) -> bool {
        let Some(Caller::Workspace(member)) = self.caller() else {
            return false;
        };
        match &member.credential {
            Credential::Key(_) | Credential::Operator => {}
            Credential::Token(_) | Credential::Session(_) => return false,
        }
        let action = self.0.noted.borrow().action;
        let look = Look {
            workspace: member.workspace.clone(),
            actor: member.credential.as_str().to_owned(),
            on_behalf_of: member.on_behalf_of.clone(),
            action: self.0.about.action_or(action),
            result: result_of(status),
        };
        self.0.services.people.audit_log.is_to_write(look).await
    }

    /// Writes the entry. `created` is the ID of what was made.
    pub async fn record(
        &self,
        status: StatusCode,
        problem: Option<&Problem>,
        created: Option<String>,
    ) {
        let (deed, outcome, intent) = {
            let mut noted = self.0.noted.borrow_mut();
            let outcome = Outcome {
                result: result_of(status),
                code: problem.map(|problem| problem.error.code.to_owned()),
                of_files: std::mem::take(&mut noted.of_files),
            };
            let unnamed = noted.files.is_empty() && outcome.result == AuditResult::Done;
            if unnamed && self.0.about.effect == RouteEffect::ChangesFiles {
                tracing::error!(
                    action = self.0.about.action,
                    "files were changed that the audit log does not name"
                );
            }
            (self.deed(&noted, created), outcome, noted.intent.take())
        };
        let log = &self.0.services.people.audit_log;
        log.record(deed, outcome, intent.as_ref()).await;
    }

    fn deed(&self, noted: &Noted, created: Option<String>) -> Deed {
        let about = &self.0.about;
        let caller = self.0.caller.get();
        let target = created.or_else(|| about.parameters.last().map(|(_, id)| id.clone()));
        Deed {
            workspace: workspace_of(caller, &about.parameters, target.as_deref()),
            actor: match caller {
                None => Actor::Anonymous,
                Some(Caller::Operator) => Actor::Operator,
                Some(Caller::Key(key)) => Actor::Key(key.id.clone()),
                Some(Caller::Workspace(member)) => member.actor(),
                Some(Caller::InstructionLink { link, .. }) => Actor::InstructionLink(link.clone()),
            },
            actor_name: match caller {
                Some(Caller::Key(key)) => Some(key.name.clone()),
                Some(Caller::Workspace(member)) => member.credential.name().cloned(),
                Some(Caller::Operator | Caller::InstructionLink { .. }) | None => None,
            },
            on_behalf_of: match caller {
                // A session's person is that of its link.
                Some(Caller::Workspace(member)) => member.on_behalf_of.clone(),
                Some(Caller::Operator | Caller::Key(_)) => noted.on_behalf_of.clone(),
                Some(Caller::InstructionLink { .. }) | None => None,
            },
            action: about.action_or(noted.action),
            target: target.map(|target| target.chars().take(200).collect()),
            remote_addr: about.remote_addr.clone(),
            request_id: about.request_id.clone(),
            files: noted.files.clone(),
            signed: noted.signed.clone(),
        }
    }
}

impl FromRequest for Trail {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request).ok_or_else(|| {
            Error::new(
                Kind::Internal,
                "internal_error",
                "The service could not note what this request does, so nothing was done.",
            )
            .internal("the route is not known to the audit log")
        }))
    }
}

fn result_of(status: StatusCode) -> AuditResult {
    if status.is_server_error() {
        AuditResult::Failed
    } else if status.is_client_error() {
        AuditResult::Refused
    } else {
        AuditResult::Done
    }
}

/// The caller's workspace; for the operator and a product's key, the one that the request is about.
fn workspace_of(
    caller: Option<&Caller>,
    parameters: &[(String, String)],
    target: Option<&str>,
) -> Option<WorkspaceId> {
    match caller {
        None => None,
        Some(Caller::Workspace(member)) => Some(member.workspace.clone()),
        Some(Caller::InstructionLink { workspace, .. }) => Some(workspace.clone()),
        Some(Caller::Operator | Caller::Key(_)) => parameters
            .iter()
            .find(|(name, _)| name == "workspace_id")
            .map(|(_, id)| id.as_str())
            .or(target)
            .and_then(|id| WorkspaceId::parse(id).ok()),
    }
}
