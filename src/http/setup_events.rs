//! What happens to a setup, as server-sent events: the same for the API and the pages.

use crate::application::error::{Kind, Result};
use crate::application::setups::events::{News, Position, SetupEvent, StreamPlace};
use crate::domain::ids::{SetupId, WorkspaceId};
use crate::domain::rfc3339;
use crate::http::state::Services;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// How often a stream asks what is new.
const INTERVAL: Duration = Duration::from_secs(2);
/// After how long without an event a line of comment is sent: proxies end connections that are silent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. Whoever opens it again shows that they still may.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// The header in which a client says what it has received.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// An open stream.
struct Following {
    services: Data<Services>,
    workspace: WorkspaceId,
    setup: SetupId,
    position: Position,
    /// What is to be sent first.
    news: Option<News>,
    begun: Instant,
    last_sent: Instant,
    has_ended: bool,
    _place: StreamPlace,
}

/// Answers with the events of a setup that the caller may read.
pub async fn respond(
    services: Data<Services>,
    workspace: WorkspaceId,
    setup: SetupId,
    request: &HttpRequest,
) -> Result<HttpResponse> {
    let position = request
        .headers()
        .get(LAST_EVENT_ID)
        .and_then(|value| value.to_str().ok())
        .map(Position::parse)
        .unwrap_or_default();
    let events = &services.dialog.events;
    let news = events.since(&workspace, &setup, &position).await?;
    if news.has_ended && news.events.is_empty() {
        // A browser does not open such a stream again.
        return Ok(HttpResponse::NoContent().finish());
    }
    let place = events.enter(&workspace)?;
    let following = Following {
        services,
        workspace,
        setup,
        position,
        news: Some(news),
        begun: Instant::now(),
        last_sent: Instant::now(),
        has_ended: false,
        _place: place,
    };
    let stream = stream::unfold(following, |following| following.next());
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Some proxies collect an answer before they pass it on.
        .insert_header(("X-Accel-Buffering", "no"))
        // Compression would hold the events back.
        .insert_header(ContentEncoding::Identity)
        .streaming(stream))
}

impl Following {
    /// The next piece of the stream; `None` at its end.
    async fn next(mut self) -> Option<(std::result::Result<Bytes, Infallible>, Self)> {
        if let Some(news) = self.news.take() {
            // The first piece comes at once, so the client knows that it is heard.
            let text = format!("retry: 3000\n: following\n\n{}", self.sent(news));
            return Some((Ok(text.into()), self));
        }
        while !self.has_ended {
            tokio::time::sleep(INTERVAL).await;
            if self.begun.elapsed() >= LONGEST || self.services.running.stopping.has_begun() {
                return None;
            }
            let events = &self.services.dialog.events;
            let news = events
                .since(&self.workspace, &self.setup, &self.position)
                .await;
            let text = match news {
                Ok(news) => self.sent(news),
                // It was removed.
                Err(error) if error.kind == Kind::NotFound => return None,
                Err(error) => {
                    tracing::debug!(code = error.code, "a stream cannot ask what is new");
                    String::new()
                }
            };
            if !text.is_empty() {
                return Some((Ok(text.into()), self));
            }
            if self.last_sent.elapsed() >= HEARTBEAT {
                self.last_sent = Instant::now();
                return Some((Ok(Bytes::from_static(b": still following\n\n")), self));
            }
        }
        None
    }

    /// The events as text, with which they count as sent.
    fn sent(&mut self, news: News) -> String {
        self.has_ended = news.has_ended;
        let mut text = String::new();
        for (event, position) in news.events {
            text.push_str(&format!(
                "id: {position}\nevent: {}\ndata: {}\n\n",
                event.name(),
                data(&event)
            ));
            self.position = position;
        }
        if !text.is_empty() {
            self.last_sent = Instant::now();
        }
        text
    }
}

/// An event's data, on one line: JSON has no line break outside of its texts.
fn data(event: &SetupEvent) -> serde_json::Value {
    match event {
        SetupEvent::RoleAppeared { role_arn, at } => json!({
            "role_arn": role_arn.as_str(),
            "at": rfc3339::text(*at),
        }),
        SetupEvent::CheckFinished { report, is_current } => json!({
            "check_id": report.id.as_str(),
            "outcome": report.outcome().as_str(),
            "is_current": is_current,
        }),
        SetupEvent::Completed { storage } => json!({"storage_id": storage.as_str()}),
    }
}
