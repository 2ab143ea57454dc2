//! A server whose certificate is of a private authority, as in companies that look into TLS.

use super::wire::{Reply, Request, Wire};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that nobody trusts without being told, with a certificate for 127.0.0.1.
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// By the command `openssl`, as `tools/services.py` does for PostgreSQL.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("names"),
            "subjectAltName=IP:127.0.0.1,DNS:localhost\n",
        )
        .unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for step in [
            format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=private -days 2"),
            format!("req {key} -keyout server.key -out server.csr -subj /CN=server"),
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem"
                .to_owned(),
        ] {
            let made = Command::new("openssl")
                .args(step.split(' '))
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        Self { folder }
    }

    /// The file that an operator names in `AWS_CA_BUNDLE`.
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(Path::new(self.folder.path()).join(name)).unwrap()
    }

    /// A server with a certificate of this authority.
    pub async fn serve(
        &self,
        handler: impl Fn(Request) -> BoxFuture<'static, Reply> + Send + Sync + 'static,
    ) -> Wire {
        let certificate = CertificateDer::from_pem_slice(&self.file("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&self.file("server.key")).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let open = move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.ok() }.boxed()
        };
        Wire::serve_through("https", open, handler).await
    }
}
