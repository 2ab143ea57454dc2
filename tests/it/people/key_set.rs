//! Tokens with a wrong key, a wrong algorithm, or a key of their own.

use crate::application::people::key_set::{KeySet, LONGEST_TOKEN};
use crate::domain::people::claims::Refused;
use crate::it::support::signer::{Kind, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

fn set(signers: &[&Signer]) -> KeySet {
    KeySet::parse(Signer::key_set(signers).to_string().as_bytes()).unwrap()
}

/// A token with this header and payload, and a signature by the signer.
fn forged(signer: &Signer, header: &Value, payload: &Value) -> String {
    signer.signed(header, payload)
}

fn unsigned(header: &Value, payload: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(signature);
    format!("{}.{}.{signature}", part(header), part(payload))
}

#[test]
fn each_accepted_algorithm_verifies() {
    for kind in [Kind::Rs256, Kind::Ps256, Kind::Es256, Kind::EdDsa] {
        let signer = Signer::new(kind, "one");
        let keys = set(&[&signer]);
        let token = signer.token(&json!({"sub": "user-1"}));
        let claims = keys.verify(&token).unwrap();
        assert_eq!(claims.text("sub"), Ok(Some("user-1")), "{kind:?}");
        // Another key of the same kind, with the same name.
        let other = set(&[&Signer::new(kind, "one")]);
        assert_eq!(other.verify(&token), Err(Refused::Signature), "{kind:?}");
        // Each part changed.
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (head, _) = signed.split_once('.').unwrap();
        let payload = URL_SAFE_NO_PAD.encode(json!({"sub": "user-2"}).to_string());
        let (_, signature) = token.rsplit_once('.').unwrap();
        let changed = format!("{head}.{payload}.{signature}");
        assert_eq!(keys.verify(&changed), Err(Refused::Signature), "{kind:?}");
        assert_eq!(
            keys.verify(&format!("{signed}.")),
            Err(Refused::Signature),
            "{kind:?}"
        );
    }
}

#[test]
fn no_algorithm_but_the_accepted_ones() {
    let signer = Signer::new(Kind::Es256, "one");
    let keys = set(&[&signer]);
    let payload = json!({"sub": "user-1"});
    for algorithm in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS384", "ES384", "ES512",
        "PS512", "RS1", "ES256K", "dir",
    ] {
        let header = json!({"alg": algorithm, "kid": "one"});
        for token in [
            unsigned(&header, &payload, b""),
            unsigned(&header, &payload, b"x"),
            forged(&signer, &header, &payload),
        ] {
            assert_eq!(keys.verify(&token), Err(Refused::Algorithm), "{algorithm}");
        }
    }
    let without = unsigned(&json!({"kid": "one"}), &payload, b"");
    assert_eq!(keys.verify(&without), Err(Refused::Algorithm));
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let signer = Signer::new(Kind::Rs256, "one");
    let keys = set(&[&signer]);
    let header = json!({"alg": "HS256", "kid": "one"});
    let payload = json!({"sub": "user-1"});
    let public = Signer::key_set(&[&signer]).to_string();
    let message = unsigned(&header, &payload, b"");
    let message = message.trim_end_matches('.');
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()));
    assert_eq!(keys.verify(&token), Err(Refused::Algorithm));
    // A set with a shared secret has no key at all.
    let secret = json!({"keys": [{"kty": "oct", "k": "AAAA", "alg": "HS256"}]});
    assert!(KeySet::parse(secret.to_string().as_bytes()).is_err());
}

#[test]
fn a_token_brings_no_key_along() {
    let (own, other) = (
        Signer::new(Kind::Es256, "one"),
        Signer::new(Kind::Es256, "two"),
    );
    let keys = set(&[&own]);
    let payload = json!({"sub": "user-1"});
    let brought = Signer::key_set(&[&other])["keys"][0].clone();
    let forged = |header: Value| keys.verify(&forged(&other, &header, &payload));
    assert_eq!(
        forged(json!({"alg": "ES256", "kid": "one", "jwk": brought})),
        Err(Refused::Signature)
    );
    assert_eq!(
        forged(json!({"alg": "ES256", "kid": "two", "jku": "https://evil.example/keys"})),
        Err(Refused::UnknownKey)
    );
    assert_eq!(
        forged(json!({"alg": "ES256", "x5u": "https://evil.example/chain"})),
        Err(Refused::Signature)
    );
    assert_eq!(
        forged(json!({"alg": "ES256", "kid": "one", "crit": ["b64"], "b64": false})),
        Err(Refused::Critical)
    );
    // The algorithm of a key of another type.
    assert_eq!(
        forged(json!({"alg": "RS256", "kid": "one"})),
        Err(Refused::UnknownKey)
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let signer = Signer::new(Kind::EdDsa, "one");
    let keys = set(&[&signer]);
    let long = "x".repeat(LONGEST_TOKEN + 1);
    for text in ["", ".", "..", "a.b", "a.b.c.d", &long] {
        assert!(keys.verify(text).is_err(), "{text}");
    }
    let list = signer.token(&json!(["sub"]));
    assert_eq!(keys.verify(&list), Err(Refused::Malformed));
}

#[test]
fn keys_that_cannot_be_used_are_left_out() {
    let signer = Signer::new(Kind::Es256, "one");
    let mut document = Signer::key_set(&[&signer]);
    let mut for_encryption = document["keys"][0].clone();
    for_encryption["use"] = json!("enc");
    let listed = document["keys"].as_array_mut().unwrap();
    listed.extend([
        for_encryption,
        json!({"kty": "new", "kid": "two"}),
        json!({"kty": "RSA", "kid": "three"}),
        json!("text"),
    ]);
    let keys = KeySet::parse(document.to_string().as_bytes()).unwrap();
    assert!(
        keys.verify(&signer.token(&json!({"sub": "user-1"})))
            .is_ok()
    );
    document["keys"].as_array_mut().unwrap().remove(0);
    assert!(KeySet::parse(document.to_string().as_bytes()).is_err());
    for text in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": []}"#] {
        assert!(KeySet::parse(text.as_bytes()).is_err(), "{text}");
    }
}
