//! The keys that a session signs with, and the times as they are in a URL.

use crate::aws::signer::encode::push_query;
use crate::aws::signer::place::Place;
use aws_credential_types::Credentials;
use aws_lc_rs::hmac;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use time::OffsetDateTime;

/// A time as `X-Amz-Date` has it. Its first eight characters are the day.
pub(super) fn stamp(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// What a session signs with.
pub(super) struct SigningKeys {
    credentials: Credentials,
    /// The ID of the access key, and the session's token, as a query has them.
    pub access_key_id: String,
    pub token: Option<String>,
    day: Mutex<Option<Arc<DayKey>>>,
}

impl SigningKeys {
    pub fn new(credentials: Credentials) -> Self {
        let encoded = |text: &str| {
            let mut encoded = String::new();
            push_query(&mut encoded, text);
            encoded
        };
        Self {
            access_key_id: encoded(credentials.access_key_id()),
            token: credentials.session_token().map(encoded),
            credentials,
            day: Mutex::default(),
        }
    }

    /// Whether these are the same credentials.
    pub fn are_of(&self, credentials: &Credentials) -> bool {
        let own = &self.credentials;
        own.access_key_id() == credentials.access_key_id()
            && own.secret_access_key() == credentials.secret_access_key()
            && own.session_token() == credentials.session_token()
    }

    /// The day's key, derived once for as long as the day and the Region stay.
    pub fn of(&self, day: &str, place: &Place) -> Arc<DayKey> {
        let scope = format!("{day}/{}/{}/aws4_request", place.region, place.service);
        // What is kept is whole at any time.
        let mut kept = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = kept.as_ref().filter(|key| key.scope == scope) {
            return key.clone();
        }
        let key = Arc::new(DayKey::derive(self.credentials.secret_access_key(), scope));
        *kept = Some(key.clone());
        key
    }
}

/// A signing key with what it is for: a day in a Region, as in `20260301/eu-central-1/s3/aws4_request`.
pub(super) struct DayKey {
    pub scope: String,
    key: hmac::Key,
}

impl DayKey {
    /// Derives the key for a scope (IAM user guide, "Create a signed AWS API request", step 4).
    pub fn derive(secret: &str, scope: String) -> Self {
        let first = format!("AWS4{secret}");
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
        for step in scope.split('/') {
            let tag = hmac::sign(&key, step.as_bytes());
            key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
        }
        Self { scope, key }
    }

    /// An HMAC that has taken all of a text to sign but its hash.
    pub fn begin(&self, stamp: &str) -> hmac::Context {
        let mut begun = hmac::Context::with_key(&self.key);
        begun.update(format!("AWS4-HMAC-SHA256\n{stamp}\n{}\n", self.scope).as_bytes());
        begun
    }
}
