//! When an issuer is asked for its keys.

use crate::application::clock::Clock;
use crate::application::people::issuer::{
    DocumentPlace, IssuerClient, IssuerKeys, NoAnswer, NotVerified, Reply, TokenRequest,
};
use crate::domain::people::claims::Refused;
use crate::it::support::signer::{Kind as Algorithm, Signer};
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;
use url::Url;

struct Fake {
    text: StdMutex<Option<String>>,
    asked: AtomicUsize,
    now: StdMutex<OffsetDateTime>,
}

impl Fake {
    fn new(text: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            text: StdMutex::new(text),
            asked: AtomicUsize::new(0),
            now: StdMutex::new(datetime!(2026-11-27 12:00:00 UTC)),
        })
    }

    fn publish(&self, text: Option<String>) {
        *self.text.lock().unwrap() = text;
    }

    fn wait(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl IssuerClient for Fake {
    async fn document(&self, _: &DocumentPlace) -> Result<Vec<u8>, NoAnswer> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let text = self.text.lock().unwrap().clone();
        text.map(String::into_bytes)
            .ok_or_else(|| NoAnswer("away".to_owned()))
    }

    async fn tokens(&self, _: TokenRequest<'_>) -> Result<Reply, NoAnswer> {
        Err(NoAnswer("not asked for here".to_owned()))
    }

    async fn userinfo(&self, _: &Url, _: &SecretString) -> Result<Vec<u8>, NoAnswer> {
        Err(NoAnswer("not asked for here".to_owned()))
    }
}

impl Clock for Fake {
    fn now(&self) -> OffsetDateTime {
        *self.now.lock().unwrap()
    }
}

fn published(signer: &Signer) -> Option<String> {
    Some(Signer::key_set(&[signer]).to_string())
}

fn place() -> DocumentPlace {
    DocumentPlace::File(PathBuf::from("/keys.json"))
}

#[tokio::test]
async fn a_new_key_is_found_and_made_up_ones_do_not_flood_the_issuer() {
    let (old, new) = (
        Signer::new(Algorithm::Es256, "old"),
        Signer::new(Algorithm::Es256, "new"),
    );
    let fake = Fake::new(published(&old));
    let keys = IssuerKeys::new(fake.clone(), fake.clone());
    let verify = async |signer: &Signer| keys.verify(&place(), &signer.token(&json!({}))).await;
    assert!(verify(&old).await.is_ok() && verify(&old).await.is_ok());
    assert_eq!(fake.asked(), 1);
    fake.publish(published(&new));
    // Too soon after the last time.
    let unknown = Err(NotVerified::Refused(Refused::UnknownKey));
    assert_eq!(verify(&new).await, unknown);
    assert_eq!(fake.asked(), 1);
    fake.wait(31);
    assert!(verify(&new).await.is_ok());
    assert_eq!(fake.asked(), 2);
    // The old key is gone; asking for it costs one question in half a minute.
    for _ in 0..10 {
        assert_eq!(verify(&old).await, unknown);
    }
    assert_eq!(fake.asked(), 2);
    fake.wait(31);
    for _ in 0..10 {
        assert_eq!(verify(&old).await, unknown);
    }
    assert_eq!(fake.asked(), 3);
}

#[tokio::test]
async fn known_keys_are_used_while_the_issuer_is_away() {
    let signer = Signer::new(Algorithm::EdDsa, "one");
    let fake = Fake::new(None);
    let keys = IssuerKeys::new(fake.clone(), fake.clone());
    let verify = async || keys.verify(&place(), &signer.token(&json!({}))).await;
    assert!(matches!(verify().await, Err(NotVerified::NoKeys(_))));
    assert!(matches!(verify().await, Err(NotVerified::NoKeys(_))));
    assert_eq!(fake.asked(), 1);
    fake.publish(published(&signer));
    fake.wait(3);
    assert!(verify().await.is_ok());
    fake.publish(None);
    fake.wait(3_601);
    assert!(verify().await.is_ok() && verify().await.is_ok());
    assert_eq!(fake.asked(), 3);
}
