//! `sallyport healthcheck`

use crate::cli::terminal::printable;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sallyport healthcheck
  sallyport healthcheck --ready --management-listen 127.0.0.1:9090")]
pub struct Arguments {
    /// The address that the service listens on.
    /// Default: 127.0.0.1:8080. Example: 127.0.0.1:9000
    #[arg(long, env = "SALLYPORT_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,

    /// The address of readiness and metrics, where they have one of their own.
    /// Default: none. Example: 127.0.0.1:9090
    #[arg(long, env = "SALLYPORT_MANAGEMENT_LISTEN", value_name = "ADDRESS")]
    management_listen: Option<String>,

    /// Ask whether the service can do its work, and not only whether the process runs
    #[arg(long)]
    ready: bool,
}

/// Asks `/healthz`, or `/readyz`. The error is for the terminal.
pub async fn run(arguments: &Arguments) -> Result<(), String> {
    let given = |address: &Option<String>| {
        let address = address.as_deref().map(str::trim);
        address
            .filter(|address| !address.is_empty())
            .map(str::to_owned)
    };
    let listen = given(&arguments.listen).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let (listen, path) = match arguments.ready {
        true => (
            given(&arguments.management_listen).unwrap_or(listen),
            "/readyz",
        ),
        false => (listen, "/healthz"),
    };
    let listen: SocketAddr = listen.parse().map_err(|_| {
        format!("`{listen}` is not an IP address and a port. Example: 127.0.0.1:8080")
    })?;
    let url = format!("http://{}{path}", reachable(listen));
    let answer = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .map_err(|error| error.to_string())?
        .get(&url)
        .send()
        .await
        .map_err(|error| format!("no answer from {url}: {error}"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    // Which part is not ready, in one line.
    let body: serde_json::Value = answer
        .text()
        .await
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let parts = body["checks"].as_array().into_iter().flatten();
    let why: Vec<&str> = parts.filter_map(|part| part["detail"].as_str()).collect();
    Err(match why.is_empty() {
        true => format!("{url} answered {status}"),
        false => format!("{url} answered {status}: {}", printable(&why.join(" "))),
    })
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
