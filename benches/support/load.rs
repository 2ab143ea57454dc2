//! Requests in lanes, each of which sends one after the other, and what they took.

use super::{OPERATOR, Outcome, Service, text};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Who sends a request.
#[derive(Clone)]
pub enum Who {
    Token(String),
    /// Somebody signed in to the pages.
    Session(String),
}

/// A request.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub who: Who,
    /// JSON.
    pub body: Option<String>,
}

impl Call {
    pub fn get(path: String, who: &Who) -> Self {
        Self {
            method: Method::GET,
            path,
            who: who.clone(),
            body: None,
        }
    }

    pub fn post(path: String, who: &Who, body: &Value) -> Self {
        Self {
            method: Method::POST,
            path,
            who: who.clone(),
            body: Some(body.to_string()),
        }
    }

    /// Sends it and reads the answer to its end. Gives the time, and the status.
    pub async fn send(&self, service: &Service) -> Outcome<(Duration, u16)> {
        let url = format!("{}{}", service.url, self.path);
        let request = service.client.request(self.method.clone(), url);
        let request = match &self.who {
            Who::Token(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            Who::Session(cookie) => request.header(COOKIE, cookie),
        };
        let request = match &self.body {
            None => request,
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
        };
        let began = Instant::now();
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        Ok((began.elapsed(), status))
    }
}

/// The middle of some times, and their 99th percentile.
#[derive(Clone, Copy)]
pub struct Times {
    pub count: usize,
    pub median: Duration,
    pub p99: Duration,
}

impl Times {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |place: usize| times.get(place).copied().unwrap_or_default();
        Self {
            count: times.len(),
            median: at(times.len() / 2),
            p99: at(times.len() * 99 / 100),
        }
    }
}

/// Sends all calls, so many at once. Fails when one is not answered with a success.
pub async fn send_all(service: &Arc<Service>, calls: Vec<Call>, lanes: usize) -> Outcome<Times> {
    let calls = Arc::new(calls);
    let mut running = JoinSet::new();
    for lane in 0..lanes.max(1) {
        let (service, calls) = (service.clone(), calls.clone());
        running.spawn(async move {
            let mut times = Vec::new();
            for call in calls.iter().skip(lane).step_by(lanes.max(1)) {
                let (time, status) = call.send(&service).await?;
                if !(200..300).contains(&status) {
                    return Err(format!("{} {}: {status}", call.method, call.path).into());
                }
                times.push(time);
            }
            Outcome::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(lane) = running.join_next().await {
        times.extend(lane??);
    }
    Ok(Times::of(times))
}

/// A token of an admin in the workspace.
pub async fn admin(service: &Service, workspace: &str) -> Outcome<Who> {
    let path = format!("/v1/workspaces/{workspace}/tokens");
    let body = json!({"name": "bench", "role": "admin"});
    let made = service.send(Method::POST, &path, OPERATOR, &body).await?;
    Ok(Who::Token(text(&made["token"])?))
}

/// Signs an admin in to the workspace's pages.
pub async fn sign_in(service: &Service, workspace: &str) -> Outcome<Who> {
    let path = format!("/v1/workspaces/{workspace}/sign-in-links");
    let body = json!({"role": "admin", "purpose": "settings"});
    let made = service.send(Method::POST, &path, OPERATOR, &body).await?;
    let link = text(&made["url"])?;
    let link = url::Url::parse(&link)?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()?;
    let answer = client
        .get(format!("{}{}", service.url, link.path()))
        .send()
        .await?;
    let cookie = answer
        .headers()
        .get("set-cookie")
        .ok_or("no session")?
        .to_str()?;
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    Ok(Who::Session(cookie))
}
