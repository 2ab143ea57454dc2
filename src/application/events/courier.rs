//! One attempt to send an event: its body, its signatures, and what came of it.

use crate::application::clock::Clock;
use crate::application::error::{Error, Result};
use crate::application::events::sender::{SignedRequest, WebhookSender};
use crate::application::events::signature::sign;
use crate::application::kept::vault::{Purpose, Vault};
use crate::domain::event::Event;
use crate::domain::ids::{WebhookId, WorkspaceId};
use crate::domain::people::workspace::WorkspaceExternalId;
use crate::domain::webhook::{AttemptError, Webhook};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The type of the event that a test sends. It is in no feed.
pub const TEST: &str = "webhook.test";

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub answered: std::result::Result<u16, AttemptError>,
    pub took: Duration,
}

impl Attempt {
    /// The receiver has taken it: any 2xx.
    pub fn is_success(&self) -> bool {
        self.answered
            .is_ok_and(|status| (200..300).contains(&status))
    }

    /// The receiver wants no more events: 410, as Standard Webhooks has it.
    pub fn is_gone(&self) -> bool {
        self.answered == Ok(410)
    }
}

/// Sends single events.
#[derive(Clone)]
pub struct Courier {
    pub vault: Arc<Vault>,
    pub clock: Arc<dyn Clock>,
    pub sender: Arc<dyn WebhookSender>,
}

impl Courier {
    pub async fn event(&self, webhook: &Webhook, event: &Event) -> Result<Attempt> {
        let body = body(event.kind.as_str(), event.at, &event.data);
        self.send(webhook, event.id.as_str(), body).await
    }

    /// Sends an event that says nothing but that the webhook is tried. Like any other it has `workspace_id`, which is
    /// null where the webhook is for all workspaces, and the workspace's external ID, if it has one.
    pub async fn test(
        &self,
        webhook: &Webhook,
        external_id: Option<&WorkspaceExternalId>,
        id: &str,
    ) -> Result<Attempt> {
        let mut data = Map::new();
        let workspace = webhook.workspace.as_ref().map(WorkspaceId::as_str);
        data.insert("workspace_id".to_owned(), workspace.into());
        if let Some(external_id) = external_id {
            let external_id = external_id.as_str();
            data.insert("workspace_external_id".to_owned(), external_id.into());
        }
        data.insert("webhook_id".to_owned(), webhook.id.as_str().into());
        let body = body(TEST, self.clock.now(), &data);
        self.send(webhook, id, body).await
    }

    async fn send(&self, webhook: &Webhook, id: &str, body: String) -> Result<Attempt> {
        let now = self.clock.now();
        let timestamp = now.unix_timestamp();
        let request = SignedRequest {
            url: webhook.url.clone(),
            id: id.to_owned(),
            timestamp,
            signature: sign(&self.secrets(webhook, now)?, id, timestamp, &body)?,
            body,
        };
        let began = Instant::now();
        let answered = self.sender.send(&request).await;
        Ok(Attempt {
            answered,
            took: began.elapsed(),
        })
    }

    /// The secrets that sign now, the present one first.
    fn secrets(&self, webhook: &Webhook, now: OffsetDateTime) -> Result<Vec<SecretString>> {
        let mut secrets = vec![self.open(&webhook.id, &webhook.secret)?];
        if let Some(previous) = &webhook.previous
            && now < previous.until
        {
            secrets.push(self.open(&webhook.id, &previous.sealed)?);
        }
        Ok(secrets)
    }

    fn open(&self, id: &WebhookId, sealed: &[u8]) -> Result<SecretString> {
        let place = id.as_str().as_bytes();
        let plain = self
            .vault
            .open(Purpose::WebhookSecret, place, sealed)
            .map_err(Error::bug)?;
        String::from_utf8(plain)
            .map(SecretString::from)
            .map_err(|_| Error::bug("the secret of a webhook is not text"))
    }
}

/// An event as it is sent.
fn body(kind: &str, at: OffsetDateTime, data: &Map<String, Value>) -> String {
    json!({"type": kind, "timestamp": moment(at), "data": data}).to_string()
}

const MOMENT: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A time in UTC, always to the millisecond, so that such texts sort as times.
pub fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.format(MOMENT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_have_three_decimals() {
        let at = datetime!(2030-01-31 01:02:03.1 +1);
        assert_eq!(moment(at), "2030-01-31T00:02:03.100Z");
        let at = datetime!(2030-01-31 01:02:03.123456 UTC);
        assert_eq!(moment(at), "2030-01-31T01:02:03.123Z");
    }

    #[test]
    fn a_2xx_is_a_success_and_nothing_else_is() {
        let attempt = |answered| Attempt {
            answered,
            took: Duration::ZERO,
        };
        assert!(attempt(Ok(200)).is_success() && attempt(Ok(299)).is_success());
        for answered in [
            Ok(199),
            Ok(302),
            Ok(410),
            Ok(500),
            Err(AttemptError::Timeout),
        ] {
            assert!(!attempt(answered).is_success(), "{answered:?}");
        }
        assert!(attempt(Ok(410)).is_gone() && !attempt(Ok(404)).is_gone());
    }
}
