//! Webhooks: where events are sent, and what became of each delivery.

use crate::domain::Invalid;
use crate::domain::event::EventType;
use crate::domain::ids::{DeliveryId, EventId, WebhookId, WorkspaceId};
use crate::domain::invalid::shown;
use crate::domain::names::Name;
use std::fmt;
use std::net::IpAddr;
use time::OffsetDateTime;
use url::{Host, Url};

/// An address that events are sent to: `https`, or `http` on this machine.
///
/// Parsing decides the form only. Whether the addresses that the host resolves to may be reached is decided when a
/// webhook is made, and at each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// In characters.
    pub const MAX_LEN: usize = 2_000;

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let refuse = |detail: &str| {
            Err(Invalid::new(
                "invalid_url",
                format!("{detail} A webhook looks like `https://app.example.com/hooks/sallyport`."),
            ))
        };
        if value.len() > Self::MAX_LEN {
            return refuse("The URL of a webhook has at most 2000 characters.");
        }
        let Ok(url) = Url::parse(value) else {
            return refuse(&format!("`{}` is not a URL.", shown(value)));
        };
        if url.host().is_none() {
            return refuse("The URL of a webhook names a host.");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("The URL of a webhook holds no user name or password.");
        }
        if url.fragment().is_some() {
            return refuse("The URL of a webhook has no fragment.");
        }
        let url = Self(url);
        match url.0.scheme() {
            "https" => Ok(url),
            "http" if url.is_loopback() => Ok(url),
            _ => refuse("Events are sent by `https` only, or by `http` on the same machine."),
        }
    }

    fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name of the host; empty where it is written as an address.
    pub fn host_name(&self) -> &str {
        self.0.domain().unwrap_or_default()
    }

    /// The address, where the host is written as one.
    pub fn literal_address(&self) -> Option<IpAddr> {
        match self.0.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        }
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A webhook. Its secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    /// `None`: the operator's, for all workspaces.
    pub workspace: Option<WorkspaceId>,
    pub url: WebhookUrl,
    /// Only events of these types; empty for all.
    pub types: Vec<EventType>,
    pub description: Option<Name>,
    pub is_enabled: bool,
    /// Its receiver has answered 410, which disabled it.
    pub is_gone: bool,
    /// Since when no attempt has succeeded. `None`: the last one did, or there was none.
    pub failing_since: Option<OffsetDateTime>,
    pub secret: Vec<u8>,
    /// The secret of before, which signs too until then.
    pub previous: Option<PreviousSecret>,
    pub created_at: OffsetDateTime,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    pub sealed: Vec<u8>,
    pub until: OffsetDateTime,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub kind: EventType,
    pub status: DeliveryStatus,
    pub attempts: u32,
    pub created_at: OffsetDateTime,
    /// What came of the last attempt. `None`: there was none yet, or it has not ended.
    pub last: Option<LastAttempt>,
    /// `None`: there is no further one.
    pub next_attempt_at: Option<OffsetDateTime>,
}

/// What came of the last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: OffsetDateTime,
    /// The answer's status. `None`: there was no answer.
    pub answered: Option<u16>,
    pub error: Option<AttemptError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It is sent now, or again at its time.
    Pending,
    Succeeded,
    /// It was given up.
    Failed,
}

impl DeliveryStatus {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "pending" => Ok(Self::Pending),
            "succeeded" => Ok(Self::Succeeded),
            "failed" => Ok(Self::Failed),
            _ => Err(Invalid::new(
                "unknown_status",
                "Not the status of a delivery.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Why an attempt had no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptError {
    /// The host leads to an address that must not be reached.
    InternalAddress,
    Timeout,
    /// No connection, no TLS, or it broke.
    ConnectionFailed,
}

impl AttemptError {
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        match value {
            "internal_address" => Ok(Self::InternalAddress),
            "timeout" => Ok(Self::Timeout),
            "connection_failed" => Ok(Self::ConnectionFailed),
            _ => Err(Invalid::new(
                "unknown_error",
                "Not the error of an attempt.",
            )),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InternalAddress => "internal_address",
            Self::Timeout => "timeout",
            Self::ConnectionFailed => "connection_failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_reached_by_https_or_on_this_machine() {
        for url in [
            "https://app.example.com/hooks?of=us",
            "https://10.0.0.1/",
            "http://127.0.0.1:9000/hook",
            "http://localhost/",
            "http://[::1]:80/",
        ] {
            assert!(WebhookUrl::parse(url).is_ok(), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(2_000));
        for url in [
            "",
            "app.example.com",
            "ftp://a",
            "http://app.example.com/",
            "http://10.0.0.1/",
            "https://u:p@a",
            "https://a#b",
            "https://",
            &long,
        ] {
            assert!(WebhookUrl::parse(url).is_err(), "{url}");
        }
        // The URL standard reads this as 127.0.0.1.
        let url = WebhookUrl::parse("https://0x7f.1/").unwrap();
        assert_eq!(url.literal_address(), Some([127, 0, 0, 1].into()));
        assert_eq!(url.host_name(), "");
    }
}
