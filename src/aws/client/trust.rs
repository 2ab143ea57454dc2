//! Which authorities the servers that are called must be certified by: one list for every HTTP client.
//!
//! `AWS_CA_BUNDLE`, or else `ca_bundle` of the profile in use, replaces the system's list, as in the AWS CLI
//! and the SDKs that know it (AWS CLI user guide, "Environment variables": the variable "overrides the value
//! for the profile setting ca_bundle"; botocore hands the file to urllib3 as its only authorities). The SDK
//! for Rust reads neither. Without them the system's list counts, which `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! replace.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_types::os_shim_internal::{Env, Fs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

/// The variable with the file of authorities.
const VARIABLE: &str = "AWS_CA_BUNDLE";
/// The same as a line of a profile.
const PROFILE_LINE: &str = "ca_bundle";
/// Every public authority takes some 250 kilobytes; more than this is another file.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The authorities that are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedAuthorities {
    /// `None`: the system's.
    bundle: Option<Arc<Vec<CertificateDer<'static>>>>,
    tls: TlsContext,
}

impl TrustedAuthorities {
    /// As the environment and the profile in use say.
    ///
    /// # Errors
    /// A bundle that cannot be used, with the name of its variable; configuration files that cannot be read.
    pub async fn from_environment() -> Result<Self, String> {
        let (env, files) = (Env::real(), Fs::real());
        if let Some(path) = env.get(VARIABLE).ok().filter(|path| !path.is_empty()) {
            return Self::read(VARIABLE, &path);
        }
        let profile = aws_config::profile::load(&files, &env, &Default::default(), None)
            .await
            .map_err(|error| {
                let texts: Vec<String> =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source())
                        .map(ToString::to_string)
                        .collect();
                format!(
                    "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE: the AWS configuration files cannot be read: {}",
                    texts.join(": ")
                )
            })?;
        match profile.get(PROFILE_LINE).filter(|path| !path.is_empty()) {
            Some(path) => {
                let name = format!(
                    "{PROFILE_LINE} of the AWS profile `{}`",
                    profile.selected_profile()
                );
                Self::read(&name, path)
            }
            None => Ok(Self::default()),
        }
    }

    /// The authorities of a PEM file. `name` is what the operator set.
    fn read(name: &str, path: &str) -> Result<Self, String> {
        use std::io::Read;
        let unusable = |why: String| {
            format!(
                "{name}: the file `{path}` {why}. Name a readable PEM file with the certificates of the authorities to trust. Example: {VARIABLE}=/etc/ssl/certs/ca-certificates.crt"
            )
        };
        let mut pem = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST).read_to_end(&mut pem))
            .map_err(|error| unusable(format!("cannot be read: {error}")))?;
        Self::parse(&pem).map_err(unusable)
    }

    /// Authorities that TLS cannot use are left out, as in the system's list; a bundle of nothing else is
    /// refused.
    fn parse(pem: &[u8]) -> Result<Self, String> {
        let mut usable = Vec::new();
        let mut others = 0;
        for found in CertificateDer::pem_slice_iter(pem) {
            let found = found.map_err(|error| format!("is not PEM: {error}"))?;
            match RootCertStore::empty().add(found.clone()) {
                Ok(()) => usable.push(found),
                Err(_) => others += 1,
            }
        }
        if usable.is_empty() {
            return Err(match others {
                0 => "has no certificate".to_owned(),
                _ => "has no certificate that can be used".to_owned(),
            });
        }
        if others > 0 {
            tracing::warn!(
                "{others} certificates of the AWS CA bundle cannot be used and are left out"
            );
        }
        let mut store = TrustStore::empty();
        for authority in &usable {
            store.add_pem_certificate(as_pem(authority));
        }
        let tls = TlsContext::builder().with_trust_store(store).build();
        Ok(Self {
            bundle: Some(Arc::new(usable)),
            tls: tls.map_err(|error| format!("cannot be used: {error}"))?,
        })
    }

    /// For the SDK's clients.
    pub(super) fn of_sdk(&self) -> TlsContext {
        self.tls.clone()
    }

    /// For the preflight.
    ///
    /// # Errors
    /// As [`reqwest::Certificate::from_der`]; every certificate was tried when it was read.
    pub fn of_preflight(
        &self,
        client: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        let Some(bundle) = &self.bundle else {
            return Ok(client);
        };
        let authorities: Result<Vec<_>, _> = bundle
            .iter()
            .map(|authority| reqwest::Certificate::from_der(authority))
            .collect();
        Ok(client.tls_certs_only(authorities?))
    }
}

fn as_pem(certificate: &CertificateDer<'_>) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(certificate)
    )
}

#[cfg(test)]
impl TrustedAuthorities {
    /// Those of a PEM text.
    pub fn of_pem(pem: &[u8]) -> Self {
        Self::parse(pem).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_refused_with_its_name_its_cause_and_an_example() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        for (path, cause) in [
            ("/nowhere/ca.pem".to_owned(), "cannot be read: No such file"),
            (folder.path().to_str().unwrap().to_owned(), "cannot be read"),
            (file("empty", ""), "has no certificate."),
            (file("text", "hello"), "has no certificate."),
            (file("key", key), "has no certificate."),
            (file("odd", odd), "has no certificate that can be used."),
            (file("torn", torn), "is not PEM"),
        ] {
            let why = TrustedAuthorities::read(VARIABLE, &path).unwrap_err();
            assert!(why.starts_with("AWS_CA_BUNDLE: "), "{why}");
            assert!(why.contains(cause) && why.contains(&path), "{why}");
            assert!(why.contains("Example: AWS_CA_BUNDLE=/etc/"), "{why}");
        }
    }
}
