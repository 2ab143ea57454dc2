//! Webhooks and their deliveries, in words.

use crate::application::events::courier::Attempt;
use crate::domain::webhook::{AttemptError, Delivery, DeliveryStatus, Webhook};
use crate::http::pages::shell::moment::Moment;

pub(super) struct WebhookRow {
    pub id: String,
    pub url: String,
    pub description: Option<String>,
    pub is_enabled: bool,
    /// The state as a chip: its kind and its word.
    pub kind: &'static str,
    pub word: &'static str,
    pub failing_since: Option<Moment>,
    pub created: Moment,
}

pub(super) struct DeliveryRow {
    pub id: String,
    pub event: String,
    pub event_type: &'static str,
    pub kind: &'static str,
    pub word: &'static str,
    pub attempts: u32,
    pub answer: String,
    pub created: Moment,
    pub next_attempt: Option<Moment>,
}

/// What came of a test.
pub(super) struct TestResult {
    pub kind: &'static str,
    pub words: String,
}

impl WebhookRow {
    pub fn of(webhook: &Webhook) -> Self {
        let (kind, word) = match (
            webhook.is_enabled,
            webhook.is_gone,
            webhook.failing_since.is_some(),
        ) {
            (true, _, false) => ("good", "Enabled"),
            (true, _, true) => ("bad", "Failing"),
            (false, true, _) => ("bad", "Disabled: the receiver answered 410"),
            (false, false, _) => ("none", "Disabled"),
        };
        Self {
            id: webhook.id.to_string(),
            url: webhook.url.to_string(),
            description: webhook.description.as_ref().map(ToString::to_string),
            is_enabled: webhook.is_enabled,
            kind,
            word,
            failing_since: webhook.failing_since.map(Moment),
            created: Moment(webhook.created_at),
        }
    }
}

fn error_in_words(error: AttemptError) -> &'static str {
    match error {
        AttemptError::InternalAddress => "The address is not public",
        AttemptError::Timeout => "No answer in time",
        AttemptError::ConnectionFailed => "No connection",
    }
}

fn answer_in_words(answered: Option<u16>, error: Option<AttemptError>) -> String {
    match (answered, error) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(error)) => error_in_words(error).to_owned(),
        (None, None) => "Not sent yet".to_owned(),
    }
}

impl DeliveryRow {
    pub fn of(delivery: &Delivery) -> Self {
        let last = delivery.last.as_ref();
        let (kind, word) = match (delivery.status, last.is_some()) {
            (DeliveryStatus::Succeeded, _) => ("good", "Delivered"),
            (DeliveryStatus::Failed, _) => ("bad", "Given up"),
            (DeliveryStatus::Pending, true) => ("warn", "Trying again"),
            (DeliveryStatus::Pending, false) => ("none", "Waiting"),
        };
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.to_string(),
            event_type: delivery.kind.as_str(),
            kind,
            word,
            attempts: delivery.attempts,
            answer: answer_in_words(
                last.and_then(|last| last.answered),
                last.and_then(|last| last.error),
            ),
            created: Moment(delivery.created_at),
            next_attempt: delivery.next_attempt_at.map(Moment),
        }
    }
}

impl TestResult {
    pub fn of(attempt: &Attempt) -> Self {
        let answer = answer_in_words(attempt.answered.ok(), attempt.answered.err());
        let milliseconds = attempt.took.as_millis();
        match attempt.is_success() {
            true => Self {
                kind: "good",
                words: format!(
                    "The receiver took the test event: {answer}, after {milliseconds} ms."
                ),
            },
            false => Self {
                kind: "bad",
                words: format!(
                    "The receiver did not take the test event: {answer}, after {milliseconds} ms. It must answer with a 2xx within 15 seconds."
                ),
            },
        }
    }
}
