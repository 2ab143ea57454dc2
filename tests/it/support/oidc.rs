//! An OpenID provider of the tests: `tools/oidc/provider.mjs`, a process of its own for each test that wants one.

use crate::it::support::app::Answer;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use url::Url;

pub const CLIENT: &str = "sallyport";
/// With signs that have to be encoded in the header of the token request.
pub const SECRET: &str = "s+e/c:r e%t of the tests";

/// A running provider. It ends with this value.
pub struct OidcProvider {
    pub issuer: String,
    /// Whether people's claims are at the userinfo endpoint alone. For `serve`.
    pub claims_at_userinfo: bool,
    process: Child,
    /// Its end is the process's end.
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl OidcProvider {
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".build/oidc");
        let program = folder.join("provider.mjs");
        assert!(
            program.exists(),
            "the OpenID provider is not installed: run `tools/install oidc`"
        );
        let mut process = Command::new("node")
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self {
            issuer: lines.next().unwrap().unwrap(),
            claims_at_userinfo: false,
            input: process.stdin.take(),
            process,
            lines,
        }
    }

    /// Answers from now on: for one client, whose callback is below this address, and for these people.
    pub fn serve(&mut self, service: &str, algorithm: &str, people: &Value) {
        let settings = json!({
            "client": {
                "client_id": CLIENT,
                "client_secret": SECRET,
                "redirect_uris": [format!("{service}/sign-in/oidc/callback")],
                "post_logout_redirect_uris": [format!("{service}/signed-out")],
                "id_token_signed_response_alg": algorithm,
                "backchannel_logout_uri": format!("{service}/sign-in/oidc/logout"),
                "backchannel_logout_session_required": true,
            },
            "people": people,
            "claims_at_userinfo": self.claims_at_userinfo,
        });
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{settings}").unwrap();
        assert_eq!(self.lines.next().unwrap().unwrap(), "ready");
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of this machine that is free at this moment.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Somebody with a browser, at several servers.
pub struct Person {
    client: Client,
    /// By server and name.
    cookies: RefCell<BTreeMap<(String, String), String>>,
}

impl Person {
    pub fn new() -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            cookies: RefCell::default(),
        }
    }

    /// Sends one request, with the cookies of its server.
    pub async fn send(&self, method: Method, url: &str, form: Option<&str>) -> Answer {
        let server = Url::parse(url).unwrap().authority().to_owned();
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .filter(|((of, _), _)| *of == server)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self
            .client
            .request(method, url)
            .header(COOKIE, cookies.join("; "))
            .header("accept", "text/html");
        if let Some(form) = form {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned());
        }
        let answer = Answer::of(request).await;
        let mut kept = self.cookies.borrow_mut();
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let place = (server.clone(), name.to_owned());
            match value.is_empty() {
                true => kept.remove(&place),
                false => kept.insert(place, value.to_owned()),
            };
        }
        answer
    }

    pub async fn get(&self, url: &str) -> Answer {
        self.send(Method::GET, url, None).await
    }

    /// Opens a page, goes wherever it leads, and signs in by this name where a provider asks. Gives the last address
    /// and its answer.
    pub async fn walk(&self, url: &str, name: &str) -> (String, Answer) {
        let mut at = Url::parse(url).unwrap();
        for _ in 0..12 {
            let mut answer = self.get(at.as_str()).await;
            if at.path().starts_with("/people/") {
                let form = format!("name={name}");
                answer = self.send(Method::POST, at.as_str(), Some(&form)).await;
            }
            match answer.headers.get(LOCATION) {
                Some(to) => at = at.join(to.to_str().unwrap()).unwrap(),
                None => return (at.to_string(), answer),
            }
        }
        panic!("it leads on and on: {at}");
    }

    /// The same up to the address that the provider sends the browser back to, without opening it.
    pub async fn walk_to_callback(&self, url: &str, name: &str) -> String {
        let mut at = Url::parse(url).unwrap();
        while at.path() != "/sign-in/oidc/callback" {
            let answer = match at.path().starts_with("/people/") {
                true => {
                    let form = format!("name={name}");
                    self.send(Method::POST, at.as_str(), Some(&form)).await
                }
                false => self.get(at.as_str()).await,
            };
            let to = answer.headers[LOCATION].to_str().unwrap();
            at = at.join(to).unwrap();
        }
        at.into()
    }

    /// Signs out at the provider.
    pub async fn end_at(&self, provider: &OidcProvider) {
        let page = format!("{}/session/end", provider.issuer);
        self.end_on(&page).await;
    }

    /// Signs out on this page of a provider. Gives where it leads then.
    pub async fn end_on(&self, page: &str) -> String {
        let asked = self.get(page).await;
        let (_, rest) = asked.text.split_once("name=\"xsrf\" value=\"").unwrap();
        let token = rest.split('"').next().unwrap();
        let form = format!("logout=yes&xsrf={token}");
        let confirm = Url::parse(page)
            .unwrap()
            .join("/session/end/confirm")
            .unwrap();
        let ended = self.send(Method::POST, confirm.as_str(), Some(&form)).await;
        assert_eq!(ended.status, 303, "{ended:?}");
        ended.headers[LOCATION].to_str().unwrap().to_owned()
    }
}
