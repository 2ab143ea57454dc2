//! The link for the customer's AWS administrator, as `sallyport provision` uses it.

use crate::cli::ending::Failed;
use crate::cli::server::client::{http, reason};
use crate::cli::terminal::printable;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::ids::InstructionLinkId;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

/// A link. Whoever has it sees one setup's documents and may hand in a role: it is never printed.
pub struct SetupLink {
    page: Url,
    secret: String,
}

impl SetupLink {
    pub fn parse(text: &str) -> Result<Self, Failed> {
        let refuse = || {
            Failed::usage(
                "--setup-link is not the link for an AWS administrator. It looks like https://sallyport.example.com/instructions/SECRET",
            )
        };
        let mut page = Url::parse(text.trim()).map_err(|_| refuse())?;
        if !matches!(page.scheme(), "http" | "https") {
            return Err(refuse());
        }
        page.set_query(None);
        page.set_fragment(None);
        let path = page.path().trim_end_matches('/').to_owned();
        page.set_path(&path);
        let secret = path.rsplit('/').next().unwrap_or_default().to_owned();
        // What a browser shows after it has opened the link.
        if InstructionLinkId::parse(&secret).is_ok() {
            return Err(Failed::usage(
                "--setup-link is the address of the opened page, which has no secret. Use the link that you were sent.",
            ));
        }
        match secret.is_empty() {
            true => Err(refuse()),
            false => Ok(Self { page, secret }),
        }
    }

    /// The setup's documents, as the API answers them.
    pub async fn documents(&self) -> Result<Vec<u8>, Failed> {
        let mut url = self.page.clone();
        url.set_path(&format!("{}/documents", self.page.path()));
        let answer = http(HeaderMap::new())?.get(url).send().await;
        let answer = answered(answer)?;
        match answer.status() {
            StatusCode::OK => {
                let text = answer.bytes().await;
                text.map(|text| text.to_vec())
                    .map_err(|error| Failed::from(format!("the answer broke off: {}", reason(error))))
            }
            StatusCode::NOT_FOUND => Err(Failed::from(
                "This setup link has expired or was revoked. Ask the person who sent it to you for a new link.".to_owned(),
            )),
            StatusCode::CONFLICT => Err(Failed::from(
                "The setup has no bucket yet. Ask the person who sent you the link to choose one.".to_owned(),
            )),
            status => Err(Failed::from(format!(
                "the server answered {status}, and not as Sallyport does: is the link whole?"
            ))),
        }
    }

    /// Enters the role's ARN in the setup. `token` makes what the page's own form carries.
    pub async fn hand_over(
        &self,
        role_arn: &RoleArn,
        token: impl FnOnce(&str) -> String,
    ) -> Result<(), Failed> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &token(&self.secret))
            .append_pair("role_arn", role_arn.as_str())
            .finish();
        let answer = http(HeaderMap::new())?
            .post(self.page.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await;
        let by_hand = format!("Open the link and enter it there: {role_arn}");
        let answer = answered(answer).map_err(|failed| {
            Failed::from(format!(
                "The role is made, and the setup does not know it: {}. {by_hand}",
                failed.why
            ))
        })?;
        let to = answer.headers().get(LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
        // The address of the service may have a path, which comes first.
        let is_link = to.starts_with('/') && to.contains("/instructions/");
        if answer.status() == StatusCode::SEE_OTHER && is_link {
            return Ok(());
        }
        Err(Failed::from(format!(
            "The role is made, and the setup did not take its ARN (HTTP {}). {by_hand}",
            answer.status().as_u16()
        )))
    }
}

fn answered(answer: reqwest::Result<Response>) -> Result<Response, Failed> {
    answer.map_err(|error| {
        Failed::from(format!(
            "no answer from the setup link's server: {}",
            printable(&reason(error))
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_one_that_was_sent() {
        let link =
            SetupLink::parse(" https://sallyport.example.com/instructions/sl_a?way=cli#aws\n");
        let link = link.unwrap_or_else(|failed| panic!("{}", failed.why));
        assert_eq!(
            link.page.as_str(),
            "https://sallyport.example.com/instructions/sl_a"
        );
        assert_eq!(link.secret, "sl_a");
        let opened =
            "https://sallyport.example.com/instructions/inl_019a1f0e7c1b7d439a520c8c2f6f6b1e";
        for (text, why) in [
            (opened, "Use the link that you were sent"),
            ("https://sallyport.example.com/", "It looks like"),
            ("ftp://sallyport.example.com/a", "It looks like"),
        ] {
            let refused = SetupLink::parse(text).map(|link| link.secret).unwrap_err();
            assert!(refused.why.contains(why), "{text}: {}", refused.why);
        }
    }
}
