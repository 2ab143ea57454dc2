//! Which way connections go, and who drives them.

use crate::application::bucket::probe::{ExpectedOwner, PreflightSent, Prober};
use crate::application::kept::vault::Purpose;
use crate::aws::checks::AwsProber;
use crate::aws::client::clients::AwsClients;
use crate::aws::client::egress::Egress;
use crate::aws::client::egress_proxy::EgressProxy;
use crate::aws::sessions::SessionPace;
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::endpoint::{Endpoint, EndpointNetworks};
use crate::domain::connection::{ConnectedBucket, Credentials};
use crate::it::aws::adapter::Nobody;
use crate::it::aws::adapter::{files_on, list, object_key, own_bucket, sessions_on};
use crate::it::support::app::ORIGIN;
use crate::it::support::aws::stub::AwsStub;
use crate::it::support::emulator::credentials;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::SharedCredentialsProvider;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that opens no tunnel, and remembers where it was asked to.
struct Proxy {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    log.lock().unwrap().push(line.trim_end().to_owned());
                    let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(refusal).await;
                });
            }
        });
        Self { url, asked }
    }

    /// The hosts that a tunnel was asked to, since the last time.
    fn hosts(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.asked.lock().unwrap());
        lines
            .iter()
            .map(|line| {
                let host = line.strip_prefix("CONNECT ").unwrap();
                host.split(' ').next().unwrap().to_owned()
            })
            .collect()
    }
}

fn sdk(endpoint: Option<&str>) -> SdkConfig {
    let own = credentials("AKIASTUBSTUBSTUBSTUB", "secret", None);
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .retry_config(RetryConfig::standard().with_max_attempts(1));
    builder.set_endpoint_url(endpoint.map(str::to_owned));
    builder.build()
}

fn loopback() -> Arc<EndpointNetworks> {
    Arc::new(EndpointNetworks::new(vec!["127.0.0.0/8".parse().unwrap()]))
}

/// Lists, and asks as a browser would.
async fn ask(prober: &AwsProber, bucket: &ConnectedBucket) {
    let probe = prober.with_key(bucket).await.unwrap();
    probe.list(ExpectedOwner::Omit).await.unwrap_err();
    let key = object_key(bucket, "/a");
    let sent = PreflightSent {
        origin: ORIGIN,
        method: "GET",
        with_headers: true,
    };
    probe.preflight(&key, sent).await.unwrap_err();
}

#[tokio::test]
async fn every_call_to_aws_goes_through_the_proxy_and_none_to_a_customer_s_endpoint() {
    let proxy = Proxy::start().await;
    let egress = Egress {
        proxy: EgressProxy::at(&proxy.url, ""),
        ..Egress::default()
    };
    let clients = AwsClients::new(&sdk(None), loopback(), egress, Arc::new(Nobody)).unwrap();
    clients.identity().await.unwrap_err();
    assert_eq!(proxy.hosts(), ["sts.us-east-1.amazonaws.com:443"]);

    let (vault, sessions) = sessions_on(clients, SessionPace::default());
    let prober = AwsProber::new(sessions).unwrap();
    let mut bucket = own_bucket("acme-data", "");
    ask(&prober, &bucket).await;
    assert_eq!(
        proxy.hosts(),
        ["acme-data.s3.us-east-1.amazonaws.com:443"; 2]
    );

    // A proxy resolves names itself. That would go around the look at the addresses.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let reached = Arc::<AtomicUsize>::default();
    let counted = reached.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let secret = vault
        .seal(Purpose::AccessKeySecret, b"record", b"secret-of-the-key")
        .unwrap();
    bucket.connection.credentials = Credentials::AccessKey {
        access_key_id: AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap(),
        secret: SealedSecret(secret),
        sealed_for: "record".into(),
        endpoint: Some(Endpoint::parse(&format!("https://{address}")).unwrap()),
    };
    ask(&prober, &bucket).await;
    assert_eq!(proxy.hosts(), [""; 0]);
    assert_eq!(reached.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn hosts_that_need_no_proxy_are_reached_directly() {
    let proxy = Proxy::start().await;
    let store = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}", store.local_addr().unwrap());
    let reached = tokio::spawn(async move { store.accept().await.map(drop) });
    let egress = Egress {
        proxy: EgressProxy::at(&proxy.url, "127.0.0.1"),
        ..Egress::default()
    };
    let clients =
        AwsClients::new(&sdk(Some(&endpoint)), loopback(), egress, Arc::new(Nobody)).unwrap();
    clients.identity().await.unwrap_err();
    reached.await.unwrap().unwrap();
    assert_eq!(proxy.hosts(), [""; 0]);
}

/// Requests are served by threads with a runtime each, which end before the service does.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlives_the_thread_that_opened_it() {
    let stub = AwsStub::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let opened = Arc::<AtomicUsize>::default();
    let counted = opened.clone();
    let to = stub.url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let to = to.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let sdk = stub.sdk_config().into_builder().endpoint_url(url).build();
    let files = Arc::new(files_on(&sdk, SessionPace::default()));
    let bucket = own_bucket(&stub.bucket, "");
    for _ in 0..2 {
        let (files, bucket) = (files.clone(), bucket.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { list(&files, &bucket).await.map(drop) })
        });
        let listed = tokio::task::spawn_blocking(move || thread.join());
        listed.await.unwrap().unwrap().unwrap();
    }
    list(&files, &bucket).await.unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}
