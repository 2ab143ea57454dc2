//! What the operator sets, and what the service has sealed itself.

use crate::application::kept::page_tokens::PageTokens;
use crate::application::kept::vault::{MasterKey, Vault};
use crate::database::{DatabaseTls, DatabaseUrl};
use crate::it::fuzz::{fuzz, is_error, is_refusal};
use crate::logging::check_filter;
use crate::settings::parse_duration;
use std::sync::Arc;

#[test]
fn durations() {
    fuzz("duration", |text| {
        if let Err(why) = parse_duration(text) {
            assert!(why.len() > 5);
        }
    });
}

#[test]
fn database_urls() {
    fuzz("database_url", |text| {
        match DatabaseUrl::parse(text, DatabaseTls::Verified) {
            Ok(url) => {
                // A changed text can have the word in its host or database, which are shown.
                let parsed = url::Url::parse(text).ok();
                let is_only_password = parsed.is_some_and(|url| url.password() == Some("hunter2"))
                    && text.matches("hunter2").count() == 1;
                let is_shown = format!("{url:?} {url}").contains("hunter2");
                assert!(!(is_only_password && is_shown), "{text:?}");
            }
            Err(invalid) => {
                is_refusal(&invalid);
                assert!(!invalid.detail.contains("hunter2"), "{invalid:?}");
            }
        }
    });
}

#[test]
fn log_filters() {
    fuzz("log_filter", |text| {
        if let Err(why) = check_filter(text) {
            assert!(why.len() > 5);
        }
    });
}

/// No text is a page token but those that the service made, each for its own place.
#[test]
fn page_tokens() {
    let (key, _) = MasterKey::generate().unwrap();
    let vault = Vault::new(&key).unwrap();
    let tokens = PageTokens::new(Arc::new(vault));
    let sealed = tokens.seal("a place", "what follows").unwrap();
    fuzz("page_token", |text| {
        for token in [
            text.to_owned(),
            format!("{sealed}{text}"),
            format!("{text}{sealed}"),
        ] {
            match tokens.open("a place", Some(&token)) {
                Ok(inner) => {
                    assert_eq!((inner.as_deref(), &token), (Some("what follows"), &sealed))
                }
                Err(error) => is_error(&error),
            }
            assert!(tokens.open("another place", Some(&token)).is_err());
        }
    });
}
