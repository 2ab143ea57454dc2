//! Running a check from a page: with a script each step is shown as it finishes, without one the page
//! comes back with the report.

use crate::application::error::{Error, Result};
use crate::domain::check;
use crate::domain::check::CheckReport;
use crate::domain::ids::SetupId;
use crate::http::declare::{PageRoute, PageRoutes};
use crate::http::pages::setups::page;
use crate::http::pages::setups::report::{
    Explained, OutcomeEvent, OutcomeView, StepEvent, StepView,
};
use crate::http::pages::setups::setting_words::Apply;
use crate::http::pages::setups::step;
use crate::http::pages::setups::step::DialogStep;
use crate::http::pages::shell::answer::see_other;
use crate::http::pages::shell::chrome::{Chrome, Section};
use crate::http::pages::shell::form::Form;
use crate::http::pages::shell::session::AdminVisitor;
use crate::http::path::Id;
use crate::http::state::Services;
use crate::http::tenant;
use crate::http::tenant::Place;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What "wait for IAM" waits.
const WAIT: Duration = Duration::from_secs(60);

pub fn configure(routes: &mut PageRoutes) {
    routes.add(
        PageRoute::at("/settings/setups/{setup_id}/check", "check_storage_setup").changes(check),
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckForm {
    /// `60`: goes on trying for a minute while a change of IAM may still spread.
    wait: Option<String>,
}

impl CheckForm {
    pub fn wait(&self) -> Duration {
        match self.wait {
            Some(_) => WAIT,
            None => Duration::ZERO,
        }
    }
}

async fn check(
    visitor: AdminVisitor,
    services: Data<Services>,
    id: Id<SetupId>,
    request: HttpRequest,
    form: Form<CheckForm>,
) -> Result<HttpResponse> {
    let wait = form.0.wait();
    if !wants_events(&request) {
        services
            .setups
            .check(&visitor.admin, &id.0, wait, None)
            .await?;
        return Ok(see_other(&step::address(&id.0, DialogStep::Check)));
    }
    let (admin, setup) = (visitor.admin.clone(), id.0.clone());
    let action = format!("/settings/setups/{setup}/check");
    let for_check = services.clone();
    let apply = step::apply(
        &id.0,
        Chrome::of(&visitor.visitor, Section::Settings).csrf(),
    );
    let run = move |listener| async move {
        for_check
            .setups
            .check(&admin, &setup, wait, Some(listener))
            .await
    };
    let then = move |_| async move {
        let view = services.setups.get(&visitor.admin, &id.0).await?;
        let chrome = Chrome::of(&visitor.visitor, Section::Settings);
        Ok(page::outcome(&view, chrome.csrf(), false))
    };
    events(run, then, Some(apply), Some(action)).await
}

/// Whether the page's script asks.
pub fn wants_events(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/event-stream"))
}

type Events = UnboundedReceiver<check::Step>;
type End = Pin<Box<dyn Future<Output = Result<OutcomeView>>>>;

/// A step to send, and where the next one comes from. `None` at the end.
type Progress = Option<(check::Step, Events, End, Told)>;

/// What the steps so far said of others, how their settings are changed, where the check is sent to, and where the
/// page is.
type Told = (Explained, Option<Apply>, Option<String>, Place);

/// Runs a check and answers with its steps as they finish, as server-sent events whose data is HTML. A step with a
/// problem comes twice: without it at once, and with it when all steps have been tried.
/// A refusal before the first step is an error like any other.
pub async fn events<R, T>(
    run: impl FnOnce(UnboundedSender<check::Step>) -> R,
    then: impl FnOnce(CheckReport) -> T + 'static,
    apply: Option<Apply>,
    action: Option<String>,
) -> Result<HttpResponse>
where
    R: Future<Output = Result<CheckReport>> + 'static,
    T: Future<Output = Result<OutcomeView>> + 'static,
{
    let (sender, mut steps) = unbounded_channel();
    let task = actix_web::rt::spawn(run(sender));
    let end = async move { then(task.await.map_err(Error::bug)??).await };
    let Some(first) = steps.recv().await else {
        return Err(match end.await {
            Err(error) => error,
            Ok(_) => Error::bug("a check without steps"),
        });
    };
    let begin: Progress = Some((
        first,
        steps,
        Box::pin(end),
        (Explained::default(), apply, action, tenant::place()),
    ));
    let stream = stream::unfold(begin, |progress: Progress| async move {
        let (step, mut steps, end, mut told) = progress?;
        told.0.note(&step);
        let step = StepView::of_running(&step, &told.0, told.1.as_ref());
        let place = told.3.clone();
        let mut text = event("step", place.clone(), &StepEvent { step });
        let next = match steps.recv().await {
            Some(step) => Some((step, steps, end, told)),
            None => {
                text.push_str(&match end.await {
                    Ok(outcome) => {
                        let check_action = told.2;
                        event(
                            "outcome",
                            place,
                            &OutcomeEvent {
                                outcome,
                                check_action,
                            },
                        )
                    }
                    Err(error) => lines("failed", &error.to_string()),
                });
                None
            }
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), next))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Some proxies collect an answer before they pass it on.
        .insert_header(("X-Accel-Buffering", "no"))
        // Compression would hold the events back.
        .insert_header(ContentEncoding::Identity)
        .streaming(stream))
}

/// An event with a part of a page at this place.
fn event(name: &str, place: Place, template: &impl Template) -> String {
    match tenant::within(place, || template.render()) {
        Ok(html) => lines(name, &html),
        Err(error) => {
            tracing::error!(%error, "an event cannot be rendered");
            lines("failed", "The page could not be shown. Load it again.")
        }
    }
}

/// An event of this name. A line break within its data begins a new line of it.
fn lines(name: &str, data: &str) -> String {
    let mut text = format!("event: {name}\n");
    for line in data.lines() {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_several_lines_stays_one_event() {
        assert_eq!(lines("step", "a\nb"), "event: step\ndata: a\ndata: b\n\n");
    }
}
