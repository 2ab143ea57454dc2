//! The port that signed events leave by.

use crate::domain::webhook::{AttemptError, WebhookUrl};
use async_trait::async_trait;

/// A signed request to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    pub url: WebhookUrl,
    /// The header `webhook-id`.
    pub id: String,
    /// The header `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// The header `webhook-signature`.
    pub signature: String,
    /// JSON.
    pub body: String,
}

#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether the URL leads to an address that must not be reached. A name that cannot be resolved now does not.
    async fn leads_inside(&self, url: &WebhookUrl) -> bool;

    /// Sends a request and returns the status of its answer. Redirects are not followed, the answer's body is not
    /// read, and the addresses that a name resolves to are looked at for each connection.
    async fn send(&self, request: &SignedRequest) -> Result<u16, AttemptError>;
}
