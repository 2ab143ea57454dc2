//! A proxy before the emulator that counts what the service asks of AWS.

use crate::it::support::aws::wire::{Reply, Request, Wire};
use crate::it::support::emulator::Emulator;
use aws_config::SdkConfig;
use futures_util::FutureExt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct AwsProxy {
    wire: Wire,
    rules: Rules,
}

/// Answers a request in the emulator's place.
type Rule = Box<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;
type Rules = Arc<Mutex<Vec<Rule>>>;

impl AwsProxy {
    pub async fn start() -> Self {
        Self::delaying(Duration::ZERO).await
    }

    /// Holds every request back for this long.
    pub async fn delaying(delay: Duration) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let to = Emulator::url();
        let rules = Rules::default();
        let own = rules.clone();
        let wire = Wire::serve(move |request| {
            let (client, to) = (client.clone(), to.clone());
            let rules = own.lock().unwrap();
            let scripted = rules.iter().find_map(|rule| rule(&request));
            async move {
                tokio::time::sleep(delay).await;
                if let Some(reply) = scripted {
                    return reply;
                }
                forward(&client, &to, request).await
            }
            .boxed()
        })
        .await;
        Self { wire, rules }
    }

    /// Answers some requests in the emulator's place. The first rule that answers counts.
    pub fn when(&self, rule: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) {
        self.rules.lock().unwrap().push(Box::new(rule));
    }

    /// SDK settings that lead through the proxy.
    pub fn sdk_config(&self, sdk: &SdkConfig) -> SdkConfig {
        sdk.clone()
            .into_builder()
            .endpoint_url(&self.wire.url)
            .build()
    }
}

impl Deref for AwsProxy {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

/// The request as it came, the signed `Host` included.
pub async fn forward(client: &reqwest::Client, to: &str, request: Request) -> Reply {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut forwarded = client.request(method, format!("{to}{}", request.target));
    for (name, value) in &request.headers {
        if !matches!(name.as_str(), "connection" | "content-length" | "expect") {
            forwarded = forwarded.header(name, value);
        }
    }
    let Ok(answer) = forwarded.body(request.body).send().await else {
        return Reply::Reset;
    };
    let mut reply = Reply::answer(answer.status().as_u16(), Vec::new());
    let is_head = request.method == "HEAD";
    for (name, value) in answer.headers() {
        let skip = matches!(
            name.as_str(),
            "connection" | "transfer-encoding" | "keep-alive"
        ) || (name == "content-length" && !is_head);
        if let (false, Ok(value)) = (skip, value.to_str()) {
            reply = reply.with(name.as_str(), value);
        }
    }
    let bytes = answer.bytes().await.unwrap_or_default();
    if let Reply::Answer { body, .. } = &mut reply {
        *body = bytes.to_vec();
    }
    reply
}
