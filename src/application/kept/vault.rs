//! Encryption with the service's master key: access-key secrets, stored answers and page tokens.
//!
//! AES-256-GCM-SIV: a repeated nonce does not break it, so random nonces are safe for any number of
//! records. Each use has a key of its own, derived from the master key by HKDF-SHA-256, and each
//! ciphertext is bound to where it belongs by its authenticated data: moved to another row, or another
//! workspace, it does not open.

use crate::application::error::Error;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{digest, hkdf};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretBox};

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
                "a master key is 32 random bytes in base64, as `openssl rand -base64 32` prints"
                    .into()
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
    /// A known value that shows whether two processes have the same master key.
    KeyCheck,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AccessKeySecret => b"sallyport/1/access-key-secret",
            // One key for both, because upload IDs that clients hold were sealed with it. Their places differ.
            Self::PageToken | Self::UploadId => b"sallyport/1/page-token",
            Self::IdempotentAnswer => b"sallyport/1/idempotent-answer",
            Self::KeyCheck => b"sallyport/1/key-check",
        }
    }
}

/// It does not open: made with another key, for another place, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext does not open")]
pub struct DoesNotOpen;

/// Seals and opens. Cheap to share.
pub struct Vault {
    keys: [LessSafeKey; 5],
    random: SystemRandom,
}

impl Vault {
    pub fn new(master: &MasterKey) -> Result<Self, Error> {
        let derive = |purpose: Purpose| -> Result<LessSafeKey, Error> {
            let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sallyport");
            let secret = salt.extract(master.0.expose_secret());
            let mut key = [0u8; 32];
            secret
                .expand(&[purpose.label()], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key))
                .map_err(|_| Error::bug("cannot derive a key from the master key"))?;
            UnboundKey::new(&AES_256_GCM_SIV, &key)
                .map(LessSafeKey::new)
                .map_err(|_| Error::bug("cannot use a derived key"))
        };
        Ok(Self {
            keys: [
                derive(Purpose::AccessKeySecret)?,
                derive(Purpose::PageToken)?,
                derive(Purpose::UploadId)?,
                derive(Purpose::IdempotentAnswer)?,
                derive(Purpose::KeyCheck)?,
            ],
            random: SystemRandom::new(),
        })
    }

    /// Encrypts `plain`, bound to `place`: whatever names the one place it may be opened for.
    pub fn seal(&self, purpose: Purpose, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0u8; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| Error::bug("the operating system gave no randomness"))?;
        let mut sealed = plain.to_vec();
        self.keys[purpose as usize]
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
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut buffer = sealed.to_vec();
        let plain = self.keys[purpose as usize]
            .open_in_place(nonce, Aad::from(place), &mut buffer)
            .map_err(|_| DoesNotOpen)?;
        Ok(plain.to_vec())
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
