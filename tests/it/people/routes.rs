//! Every route of the API, as the table of gates has it.

use crate::application::people::admission::Gate;
use crate::http::openapi;
use crate::it::support::app::{Answer, TestApp};
use reqwest::Method;

/// An operation: its ID, its method, its path with IDs in place of the parameters, and whom it is for.
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub pattern: String,
    pub gate: Gate,
}

/// Every operation that needs a token.
pub fn operations() -> Vec<Operation> {
    let (_, addresses) = openapi::declared();
    let mut found = Vec::new();
    for address in addresses {
        for operation in address.operations {
            let Some(gate) = operation.gate else {
                assert!(!address.pattern.starts_with("/v1/"), "{}", address.pattern);
                continue;
            };
            found.push(Operation {
                id: operation.id.unwrap(),
                method: Method::from_bytes(operation.method.as_str().as_bytes()).unwrap(),
                pattern: address.pattern.clone(),
                gate,
            });
        }
    }
    assert!(found.len() > 50, "{}", found.len());
    found
}

impl Operation {
    /// The path with IDs of the right form, which nothing has.
    pub fn path(&self) -> String {
        let prefixes = [
            ("workspace_id", "wrk_"),
            ("token_id", "tok_"),
            ("key_id", "key_"),
            ("setup_id", "set_"),
            ("storage_id", "sto_"),
            ("check_id", "chk_"),
            ("project_id", "prj_"),
            ("session_id", "ses_"),
            ("link_id", "inl_"),
            ("audit_event_id", "aud_"),
        ];
        let mut path = self.pattern.clone();
        for (name, prefix) in prefixes {
            let id = format!("{prefix}{}", "0".repeat(32));
            path = path.replace(&format!("{{{name}}}"), &id);
        }
        path.replace(['{', '}'], "")
    }

    /// Sends a request that the handler refuses by its body, if it comes so far.
    pub async fn send(&self, app: &TestApp, token: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = app.request(self.method.clone(), &self.path(), token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match self.method {
            Method::GET | Method::HEAD | Method::DELETE => request,
            _ => request
                .header("content-type", "application/json")
                .body(r#"{"no such field": "#),
        };
        Answer::of(request).await
    }
}
