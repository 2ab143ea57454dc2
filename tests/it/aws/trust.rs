//! One list of authorities for every connection that the service opens.

use crate::application::bucket::probe::{ExpectedOwner, PreflightSent, Prober};
use crate::application::kept::vault::Purpose;
use crate::aws::checks::AwsProber;
use crate::aws::client::clients::AwsClients;
use crate::aws::client::egress::Egress;
use crate::aws::client::trust::TrustedAuthorities;
use crate::aws::sessions::SessionPace;
use crate::domain::connection::Credentials;
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::endpoint::{Endpoint, EndpointNetworks};
use crate::it::aws::adapter::{Nobody, object_key, own_bucket, sessions_on};
use crate::it::support::app::ORIGIN;
use crate::it::support::aws::sdk_config_at;
use crate::it::support::aws::stub::{denied, identity};
use crate::it::support::aws::tls::Authority;
use futures_util::FutureExt;
use std::sync::Arc;

#[tokio::test]
async fn the_sdk_the_preflight_and_customers_endpoints_trust_the_same_authorities() {
    let (own, stranger) = (Authority::make(), Authority::make());
    let wire = own
        .serve(|request| {
            let reply = match request.operation().as_str() {
                "GetCallerIdentity" => identity(),
                _ => denied("Access Denied"),
            };
            async { reply }.boxed()
        })
        .await;
    let of = |authority: &Authority| {
        TrustedAuthorities::of_pem(&std::fs::read(authority.bundle()).unwrap())
    };
    for (trust, trusted) in [
        (of(&own), true),
        (of(&stranger), false),
        (TrustedAuthorities::default(), false),
    ] {
        wire.clear();
        let egress = Egress {
            trust,
            ..Egress::default()
        };
        let networks = EndpointNetworks::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let sdk = sdk_config_at(&wire.url, "AKIASTUBSTUBSTUBSTUB");
        let clients = AwsClients::new(&sdk, Arc::new(networks), egress, Arc::new(Nobody)).unwrap();
        assert_eq!(clients.identity().await.is_ok(), trusted);

        let (vault, sessions) = sessions_on(clients, SessionPace::default());
        let prober = AwsProber::new(sessions).unwrap();
        let mut bucket = own_bucket("acme-data", "");
        for customers_endpoint in [false, true] {
            if customers_endpoint {
                let secret = vault.seal(Purpose::AccessKeySecret, b"record", b"secret");
                bucket.connection.credentials = Credentials::AccessKey {
                    access_key_id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
                    secret: SealedSecret(secret.unwrap()),
                    sealed_for: "record".into(),
                    endpoint: Some(Endpoint::parse(&wire.url).unwrap()),
                };
            }
            wire.clear();
            let probe = prober.with_key(&bucket).await.unwrap();
            probe.list(ExpectedOwner::Omit).await.unwrap_err();
            let key = object_key(&bucket, "/a");
            let sent = PreflightSent {
                origin: ORIGIN,
                method: "GET",
                with_headers: true,
            };
            let _ = probe.preflight(&key, sent).await;
            let asked = ["ListObjectsV2", "CorsPreflight"].map(|of| wire.count(of) > 0);
            assert_eq!(asked, [trusted; 2], "{customers_endpoint}");
        }
    }
}
