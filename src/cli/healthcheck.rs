//! `sallyport healthcheck`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The address that the service listens on.
    /// Default: 127.0.0.1:8080. Example: 127.0.0.1:9000
    #[arg(long, env = "SALLYPORT_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,
}

/// Asks `/healthz`. The error is for the terminal.
pub async fn run(arguments: &Arguments) -> Result<(), String> {
    let listen = arguments.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let listen: SocketAddr = listen.trim().parse().map_err(|_| {
        format!("`{listen}` is not an IP address and a port. Example: 127.0.0.1:8080")
    })?;
    let url = format!("http://{}/healthz", reachable(listen));
    let answer = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .map_err(|error| error.to_string())?
        .get(&url)
        .send()
        .await
        .map_err(|error| format!("no answer from {url}: {error}"))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("{url} answered {}", answer.status()))
    }
}

/// An address to call, for one to listen on.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
