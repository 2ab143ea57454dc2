//! Encryption with the service's master key: access-key secrets, stored answers and page tokens.
//!
//! AES-256-GCM-SIV: a repeated nonce does not break it, so random nonces are safe for any number of
//! records. The first bytes of a nonce name the master key, so the key that a ciphertext needs is known;
//! the rest is random. A ciphertext whose nonce is all random, as older releases made them, opens too.
//! Each use has a key of its own, derived from the master key by HKDF-SHA-256, and each
//! ciphertext is bound to where it belongs by its authenticated data: moved to another row, or another
//! workspace, it does not open.

use crate::application::error::Error;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{digest, hkdf};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretBox};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// 256 bits that all of the service's encryption comes from. Losing it loses every stored access key.
pub struct MasterKey(SecretBox<[u8; 32]>);

impl MasterKey {
    /// Parses 32 bytes in base64. The error never repeats the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(|bytes| Self(SecretBox::new(Box::new(bytes))))
            .ok_or_else(|| {
                "a key is 32 random bytes in base64, as `openssl rand -base64 32` prints".into()
            })
    }

    /// A new one from the operating system's generator, and its text for the key file.
    pub fn generate() -> Result<(Self, String), Error> {
        let bytes = random_bytes::<32>()?;
        let text = STANDARD.encode(bytes);
        Ok((Self(SecretBox::new(Box::new(bytes))), text))
    }
}

/// What something is encrypted for. One key each, so a ciphertext of one kind never opens as
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    AccessKeySecret,
    PageToken,
    UploadId,
    IdempotentAnswer,
    BrowserToken,
    /// A known value that shows whether two processes have the same master key.
    KeyCheck,
    WebhookSecret,
    /// What a browser keeps while its person signs in elsewhere.
    SignInState,
    /// A workspace that leaves the database in a file.
    WorkspaceExport,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AccessKeySecret => b"sallyport/1/access-key-secret",
            // One key for both, because upload IDs that clients hold were sealed with it. Their places differ.
            Self::PageToken | Self::UploadId => b"sallyport/1/page-token",
            Self::IdempotentAnswer => b"sallyport/1/idempotent-answer",
            Self::BrowserToken => b"sallyport/1/browser-token",
            Self::KeyCheck => b"sallyport/1/key-check",
            Self::WebhookSecret => b"sallyport/1/webhook-secret",
            Self::SignInState => b"sallyport/1/sign-in-state",
            Self::WorkspaceExport => b"sallyport/1/workspace-export",
        }
    }
}

/// What is sealed in the place of something that was sealed with a lost master key: nothing. Neither a secret nor an
/// answer is empty.
pub const LOST: &[u8] = b"";

/// It does not open: made with another key, for another place, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not open")]
pub struct DoesNotOpen;

/// Names a master key without revealing anything of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; KeyId::LENGTH]);

impl KeyId {
    const LENGTH: usize = 4;
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// What is derived from one master key.
struct Derived {
    id: KeyId,
    keys: [LessSafeKey; 9],
}

impl Derived {
    fn from(master: &MasterKey) -> Result<Self, Error> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sallyport");
        let secret = salt.extract(master.0.expose_secret());
        let bytes = |label: &[u8]| -> Result<[u8; 32], Error> {
            let mut bytes = [0u8; 32];
            secret
                .expand(&[label], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut bytes))
                .map_err(|_| Error::bug("cannot derive a key from the master key"))?;
            Ok(bytes)
        };
        let derive = |purpose: Purpose| -> Result<LessSafeKey, Error> {
            UnboundKey::new(&AES_256_GCM_SIV, &bytes(purpose.label())?)
                .map(LessSafeKey::new)
                .map_err(|_| Error::bug("cannot use a derived key"))
        };
        let mut id = [0u8; KeyId::LENGTH];
        id.copy_from_slice(&bytes(b"sallyport/1/key-id")?[..KeyId::LENGTH]);
        Ok(Self {
            id: KeyId(id),
            keys: [
                derive(Purpose::AccessKeySecret)?,
                derive(Purpose::PageToken)?,
                derive(Purpose::UploadId)?,
                derive(Purpose::IdempotentAnswer)?,
                derive(Purpose::BrowserToken)?,
                derive(Purpose::KeyCheck)?,
                derive(Purpose::WebhookSecret)?,
                derive(Purpose::SignInState)?,
                derive(Purpose::WorkspaceExport)?,
            ],
        })
    }

    fn open(&self, purpose: Purpose, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut buffer = sealed.to_vec();
        let plain = self.keys[purpose as usize]
            .open_in_place(nonce, Aad::from(place), &mut buffer)
            .map_err(|_| DoesNotOpen)?;
        Ok(plain.to_vec())
    }
}

/// Seals with one master key, and opens with that one and the previous ones. Cheap to share. Its keys can be
/// exchanged while it is in use.
pub struct Vault {
    keys: RwLock<Arc<Keys>>,
    random: SystemRandom,
}

struct Keys {
    present: Arc<Derived>,
    previous: Vec<Arc<Derived>>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &Arc<Derived>> {
        std::iter::once(&self.present).chain(&self.previous)
    }
}

impl Vault {
    pub fn new(master: &MasterKey) -> Result<Self, Error> {
        Self::with_previous(master, &[])
    }

    /// `previous` are keys that open what is there already; nothing is sealed with them.
    pub fn with_previous(master: &MasterKey, previous: &[MasterKey]) -> Result<Self, Error> {
        let derived = |master: &MasterKey| Derived::from(master).map(Arc::new);
        Ok(Self::of(Keys {
            present: derived(master)?,
            previous: previous.iter().map(derived).collect::<Result<_, _>>()?,
        }))
    }

    fn of(keys: Keys) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            random: SystemRandom::new(),
        }
    }

    fn keys(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    /// One that seals as this one does, and opens what this one or `other` opens.
    pub fn opening_also(&self, other: &Self) -> Self {
        let (own, others) = (self.keys(), other.keys());
        let mut previous = own.previous.clone();
        for key in others.all() {
            let is_known = own.all().any(|known| known.id == key.id);
            if !is_known {
                previous.push(key.clone());
            }
        }
        Self::of(Keys {
            present: own.present.clone(),
            previous,
        })
    }

    /// From now on has the keys of `other`.
    pub fn take_keys_of(&self, other: &Self) {
        let keys = other.keys();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The names of all keys that it has, the one that it seals with first.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.keys().all().map(|key| key.id).collect()
    }

    /// The key that everything is sealed with.
    pub fn key_id(&self) -> KeyId {
        self.keys().present.id
    }

    /// Encrypts `plain`, bound to `place`: whatever names the one place it may be opened for.
    pub fn seal(&self, purpose: Purpose, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let present = self.keys().present.clone();
        let mut nonce = [0u8; NONCE_LEN];
        let (key, random) = nonce.split_at_mut(KeyId::LENGTH);
        key.copy_from_slice(&present.id.0);
        self.random
            .fill(random)
            .map_err(|_| Error::bug("the operating system gave no randomness"))?;
        let mut sealed = plain.to_vec();
        present.keys[purpose as usize]
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut sealed,
            )
            .map_err(|_| Error::bug("cannot encrypt"))?;
        sealed.splice(..0, nonce);
        Ok(sealed)
    }

    /// Decrypts what was sealed for the same purpose and place.
    pub fn open(
        &self,
        purpose: Purpose,
        place: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, DoesNotOpen> {
        // The key that the nonce names, and then the others: an older release named none.
        let keys = self.keys();
        let named = |key: &&Arc<Derived>| sealed.starts_with(&key.id.0);
        let first = keys.all().filter(named);
        let others = keys.all().filter(|key| !named(key));
        first
            .chain(others)
            .find_map(|key| key.open(purpose, place, sealed).ok())
            .ok_or(DoesNotOpen)
    }

    /// Whether this was sealed with the present key, and names it.
    pub fn is_present(&self, purpose: Purpose, place: &[u8], sealed: &[u8]) -> bool {
        let present = self.keys().present.clone();
        sealed.starts_with(&present.id.0) && present.open(purpose, place, sealed).is_ok()
    }

    /// Seals a token for a client: opaque text that is only good for the same purpose and `place`
    /// (workspace, resource and filters).
    pub fn seal_token(&self, purpose: Purpose, place: &str, inner: &str) -> Result<String, Error> {
        let sealed = self.seal(purpose, place.as_bytes(), inner.as_bytes())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a token for the same purpose and place.
    pub fn open_token(
        &self,
        purpose: Purpose,
        place: &str,
        token: &str,
    ) -> Result<String, DoesNotOpen> {
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| DoesNotOpen)?;
        let plain = self.open(purpose, place.as_bytes(), &sealed)?;
        String::from_utf8(plain).map_err(|_| DoesNotOpen)
    }
}

/// Random bytes from the operating system's generator.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::bug("the operating system gave no randomness"))?;
    Ok(bytes)
}

/// SHA-256. Enough to store a secret that has 256 bits of randomness itself.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0u8; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(&MasterKey::generate().unwrap().0).unwrap()
    }

    #[test]
    fn opens_only_for_the_same_purpose_and_place() {
        let vault = vault();
        let sealed = vault
            .seal(Purpose::AccessKeySecret, b"set_1", b"secret")
            .unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(
            vault
                .open(Purpose::AccessKeySecret, b"set_1", &sealed)
                .unwrap(),
            b"secret"
        );
        assert_eq!(
            vault.open(Purpose::AccessKeySecret, b"set_2", &sealed),
            Err(DoesNotOpen)
        );
        assert_eq!(
            vault.open(Purpose::PageToken, b"set_1", &sealed),
            Err(DoesNotOpen)
        );
        assert_eq!(
            super::tests::vault().open(Purpose::AccessKeySecret, b"set_1", &sealed),
            Err(DoesNotOpen)
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(
                vault.open(Purpose::AccessKeySecret, b"set_1", &changed),
                Err(DoesNotOpen)
            );
            assert_eq!(
                vault.open(Purpose::AccessKeySecret, b"set_1", &sealed[..at]),
                Err(DoesNotOpen)
            );
        }
    }

    #[test]
    fn what_a_previous_key_sealed_opens_and_is_known_to_be_of_that_key() {
        let (old, new) = (
            MasterKey::generate().unwrap().0,
            MasterKey::generate().unwrap().0,
        );
        let before = Vault::new(&old).unwrap();
        let after = Vault::with_previous(&new, &[old]).unwrap();
        let purpose = Purpose::AccessKeySecret;
        let sealed = before.seal(purpose, b"set_1", b"secret").unwrap();
        assert_eq!(after.open(purpose, b"set_1", &sealed).unwrap(), b"secret");
        assert!(before.is_present(purpose, b"set_1", &sealed));
        assert!(!after.is_present(purpose, b"set_1", &sealed));
        let again = after.seal(purpose, b"set_1", b"secret").unwrap();
        assert!(after.is_present(purpose, b"set_1", &again));
        assert_eq!(before.open(purpose, b"set_1", &again), Err(DoesNotOpen));
        assert_ne!(before.key_id(), after.key_id());
        assert_eq!(format!("{}", after.key_id()).len(), 8);
        // The previous key's tokens are read on.
        let token = before
            .seal_token(Purpose::PageToken, "here", "next")
            .unwrap();
        let read = after.open_token(Purpose::PageToken, "here", &token);
        assert_eq!(read.unwrap(), "next");
    }

    #[test]
    fn keys_are_exchanged_in_use_and_nothing_becomes_unreadable() {
        let (old, new) = (MasterKey::generate().unwrap().0, vault());
        let shared = Vault::new(&old).unwrap();
        let purpose = Purpose::AccessKeySecret;
        let before = shared.seal(purpose, b"set_1", b"before").unwrap();
        let next = new.opening_also(&shared);
        shared.take_keys_of(&next);
        assert_eq!(shared.key_ids().len(), 2);
        assert_eq!(shared.key_id(), new.key_id());
        assert_eq!(shared.open(purpose, b"set_1", &before).unwrap(), b"before");
        let after = shared.seal(purpose, b"set_1", b"after").unwrap();
        assert_eq!(new.open(purpose, b"set_1", &after).unwrap(), b"after");
        // The same again adds nothing.
        shared.take_keys_of(&new.opening_also(&shared));
        assert_eq!(shared.key_ids().len(), 2);
    }

    #[test]
    fn a_nonce_without_the_key_s_name_opens() {
        let vault = vault();
        // As releases before this one sealed.
        let mut plain = b"secret".to_vec();
        let nonce = [7u8; NONCE_LEN];
        vault.keys().present.keys[Purpose::KeyCheck as usize]
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(b"place".as_slice()),
                &mut plain,
            )
            .unwrap();
        let sealed = [nonce.as_slice(), &plain].concat();
        let opened = vault.open(Purpose::KeyCheck, b"place", &sealed);
        assert_eq!(opened.unwrap(), b"secret");
        assert!(!vault.is_present(Purpose::KeyCheck, b"place", &sealed));
    }

    #[test]
    fn page_tokens_are_bound_to_their_place() {
        let vault = vault();
        let token = vault
            .seal_token(Purpose::PageToken, "sto_1 /a/", "next")
            .unwrap();
        assert_eq!(
            vault
                .open_token(Purpose::PageToken, "sto_1 /a/", &token)
                .unwrap(),
            "next"
        );
        assert!(
            vault
                .open_token(Purpose::PageToken, "sto_1 /b/", &token)
                .is_err()
        );
        assert!(
            vault
                .open_token(Purpose::PageToken, "sto_1 /a/", "not base64!")
                .is_err()
        );
        assert!(
            vault
                .open_token(Purpose::PageToken, "sto_1 /a/", "")
                .is_err()
        );
    }

    #[test]
    fn a_master_key_is_32_bytes_in_base64() {
        let (_, text) = MasterKey::generate().unwrap();
        assert!(MasterKey::parse(&format!("{text}\n")).is_ok());
        for text in ["", "short", "AAAA"] {
            let refused = MasterKey::parse(text).err().unwrap();
            assert!(text.is_empty() || !refused.contains(text));
        }
    }
}
