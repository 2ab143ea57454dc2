//! Speaks with issuers of tokens over HTTP, and reads their keys from files.
//!
//! The operator has named the issuer's host, so it may be inside the operator's own network. Every other host, which
//! only the issuer's description names, must be reachable as a customer's endpoint must: by a public address, or one in
//! the allowed networks.

use crate::application::people::issuer::{
    DocumentPlace, IssuerClient, NoAnswer, Reply, TokenRequest,
};
use crate::aws::client::endpoint_guard::GuardedResolver;
use crate::domain::connection::endpoint::EndpointNetworks;
use crate::domain::people::issuer_url::may_be_asked;
use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use url::{Host, Url, form_urlencoded};

/// How long a connection may take, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a request may take, its answer included.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest answer and the largest file, in bytes.
const LARGEST: usize = 256 << 10;

/// [`IssuerClient`] over HTTP.
pub struct HttpIssuerClient {
    /// For the host that the operator named.
    named: reqwest::Client,
    guarded: reqwest::Client,
    networks: Arc<EndpointNetworks>,
    own: Vec<Host<String>>,
}

impl HttpIssuerClient {
    /// `own`: the addresses that the operator named.
    ///
    /// # Errors
    /// TLS cannot be used.
    pub fn new<'u>(
        networks: Arc<EndpointNetworks>,
        own: impl IntoIterator<Item = &'u Url>,
    ) -> Result<Self, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("Sallyport/", env!("CARGO_PKG_VERSION")))
                // A redirect would lead past the look at the address, and a proxy resolves names itself.
                .redirect(Policy::none())
                .no_proxy()
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT_LIMIT)
                .timeout(LIMIT)
        };
        Ok(Self {
            named: builder().build()?,
            guarded: builder()
                .dns_resolver(GuardedResolver::new(networks.clone()))
                .build()?,
            networks,
            own: own
                .into_iter()
                .filter_map(|url| url.host().map(|host| host.to_owned()))
                .collect(),
        })
    }

    /// The client for an address; no resolver is asked for one that is written in digits.
    fn client(&self, url: &Url) -> Result<&reqwest::Client, NoAnswer> {
        let host = url.host().map(|host| host.to_owned());
        let host = host.filter(|_| may_be_asked(url));
        let Some(host) = host else {
            return Err(NoAnswer(format!("{} is not https", place(url))));
        };
        if self.own.contains(&host) {
            return Ok(&self.named);
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match literal.is_some_and(|address| !self.networks.permits(address)) {
            true => Err(NoAnswer(format!("{} is an internal address", place(url)))),
            false => Ok(&self.guarded),
        }
    }
}

#[async_trait]
impl IssuerClient for HttpIssuerClient {
    async fn document(&self, wanted: &DocumentPlace) -> Result<Vec<u8>, NoAnswer> {
        match wanted {
            DocumentPlace::File(path) => file(path).await,
            DocumentPlace::Url(url) => {
                let request = self.client(url)?.get(url.as_str());
                found(url, request).await
            }
        }
    }

    async fn tokens(&self, request: TokenRequest<'_>) -> Result<Reply, NoAnswer> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(request.fields)
            .finish();
        let mut post = self
            .client(request.url)?
            .post(request.url.as_str())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some((name, secret)) = request.basic {
            post = post.basic_auth(name, Some(secret.expose_secret()));
        }
        send(request.url, post).await
    }

    async fn userinfo(&self, url: &Url, token: &SecretString) -> Result<Vec<u8>, NoAnswer> {
        let request = self.client(url)?.get(url.as_str());
        found(url, request.bearer_auth(token.expose_secret())).await
    }
}

/// An address without its query, which may have a secret in it.
fn place(url: &Url) -> String {
    format!(
        "{}{}",
        url.origin().ascii_serialization(),
        url.path().chars().take(200).collect::<String>()
    )
}

/// The body of an answer with the status 200.
async fn found(url: &Url, request: RequestBuilder) -> Result<Vec<u8>, NoAnswer> {
    let reply = send(url, request).await?;
    match reply.status {
        200 => Ok(reply.body),
        status => Err(NoAnswer(format!("{} answered {status}", place(url)))),
    }
}

async fn send(url: &Url, request: RequestBuilder) -> Result<Reply, NoAnswer> {
    let failed = |error: reqwest::Error| {
        NoAnswer(format!("{} did not answer: {}", place(url), cause(error)))
    };
    let response = request
        .header(ACCEPT, "application/json")
        .send()
        .await
        .map_err(failed)?;
    let status = response.status().as_u16();
    let body = body(response)
        .await
        .map_err(failed)?
        .ok_or_else(|| NoAnswer(format!("{} answered with too much", place(url))))?;
    Ok(Reply { status, body })
}

/// The body. `None`: it is too large.
async fn body(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// An error with what lies behind it, without the URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

async fn file(path: &Path) -> Result<Vec<u8>, NoAnswer> {
    let read = async {
        let file = tokio::fs::File::open(path).await?;
        let mut bytes = Vec::new();
        // One byte more than is allowed tells that there are too many.
        let most = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
        file.take(most).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read
        .await
        .map_err(|error| NoAnswer(format!("`{}` cannot be read: {error}", path.display())))?;
    match bytes.len() > LARGEST {
        true => Err(NoAnswer(format!(
            "`{}` has more than {LARGEST} bytes",
            path.display()
        ))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(own: &[&str]) -> HttpIssuerClient {
        let own: Vec<Url> = own.iter().map(|url| Url::parse(url).unwrap()).collect();
        HttpIssuerClient::new(Arc::default(), &own).unwrap()
    }

    #[test]
    fn only_the_operator_s_own_host_may_be_inside() {
        let client = client(&["http://127.0.0.1:4000/a", "https://id.internal"]);
        let is_asked = |url: &str| client.client(&Url::parse(url).unwrap()).is_ok();
        assert!(is_asked("http://127.0.0.1:4000/keys"));
        assert!(is_asked("https://id.internal/keys") && is_asked("https://keys.example.com/"));
        for url in [
            "http://127.0.0.2:4000/keys",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://[fd00::1]/",
            "http://id.internal/keys",
            "http://keys.example.com/",
            "file:///etc/passwd",
        ] {
            assert!(!is_asked(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_asked() {
        let client = client(&["https://id.example.com"]);
        let url = Url::parse("https://localhost:9/keys").unwrap();
        let error = client.document(&DocumentPlace::Url(url)).await.unwrap_err();
        assert!(error.0.contains("did not answer"), "{}", error.0);
    }

    #[tokio::test]
    async fn a_file_has_a_largest_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let client = client(&[]);
        let read = async || {
            let place = DocumentPlace::File(path.clone());
            client.document(&place).await.map(|bytes| bytes.len())
        };
        assert!(read().await.is_err());
        std::fs::write(&path, vec![b' '; LARGEST]).unwrap();
        assert_eq!(read().await, Ok(LARGEST));
        std::fs::write(&path, vec![b' '; LARGEST + 1]).unwrap();
        assert!(read().await.is_err());
    }
}
