//! Sends signed events over HTTP, only to addresses that may be reached.

use crate::application::events::deliver::ATTEMPT_LIMIT;
use crate::application::events::sender::{SignedRequest, WebhookSender};
use crate::aws::client::endpoint_guard::GuardedResolver;
use crate::aws::failure::ForbiddenAddress;
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::webhook::{AttemptError, WebhookUrl};
use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long the look at a new webhook's host may take.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(3);

/// [`WebhookSender`] over HTTP.
pub struct HttpWebhookSender {
    http: reqwest::Client,
    guard: GuardedResolver,
    networks: Arc<EndpointNetworks>,
}

impl HttpWebhookSender {
    /// `networks`: which addresses may be reached besides the public ones.
    ///
    /// # Errors
    /// TLS cannot be used.
    pub fn new(networks: Arc<EndpointNetworks>) -> Result<Self, reqwest::Error> {
        let guard = GuardedResolver::new(networks.clone());
        let http = reqwest::Client::builder()
            .user_agent(concat!("Sallyport/", env!("CARGO_PKG_VERSION")))
            // A redirect would lead past the look at the address, and a proxy resolves names itself.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(guard.clone())
            // Each request opens a connection of its own: the address is looked at each time, and no connection
            // belongs to the runtime of a thread that another one waits for.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ATTEMPT_LIMIT)
            .build()?;
        Ok(Self {
            http,
            guard,
            networks,
        })
    }

    /// Whether the host is written as an address that must not be reached. No resolver is asked for those.
    fn is_forbidden_literal(&self, url: &WebhookUrl) -> bool {
        url.literal_address()
            .is_some_and(|address| !self.networks.permits(address))
    }
}

#[async_trait]
impl WebhookSender for HttpWebhookSender {
    async fn leads_inside(&self, url: &WebhookUrl) -> bool {
        if self.is_forbidden_literal(url) {
            return true;
        }
        if url.literal_address().is_some() {
            return false;
        }
        let found = tokio::time::timeout(LOOK_UP_LIMIT, self.guard.addresses(url.host_name()));
        match found.await {
            Ok(Err(error)) => error.is::<ForbiddenAddress>(),
            Ok(Ok(_)) | Err(_) => false,
        }
    }

    async fn send(&self, request: &SignedRequest) -> Result<u16, AttemptError> {
        if self.is_forbidden_literal(&request.url) {
            return Err(AttemptError::InternalAddress);
        }
        let sent = self
            .http
            .post(request.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &request.id)
            .header("webhook-timestamp", request.timestamp)
            .header("webhook-signature", &request.signature)
            .body(request.body.clone())
            .send()
            .await;
        match sent {
            // The body is dropped with the connection.
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => {
                let why = reason(&error);
                // A URL may have a secret in it.
                let error = error.without_url();
                tracing::debug!(%error, "an attempt to send an event had no answer");
                Err(why)
            }
        }
    }
}

fn reason(error: &reqwest::Error) -> AttemptError {
    let first: &(dyn Error + 'static) = error;
    let mut causes = successors(Some(first), |&error| error.source());
    let is_forbidden = causes.any(|error| error.is::<ForbiddenAddress>());
    if is_forbidden {
        AttemptError::InternalAddress
    } else if error.is_timeout() {
        AttemptError::Timeout
    } else {
        AttemptError::ConnectionFailed
    }
}
