//! The own signer of URLs gives those of the SDK, byte for byte.

use crate::application::bucket::sign::{
    OwnParts, ReadMethod, SignedCall, SignedResponse, SignedUpload, SignedUrls,
};
use crate::aws::client::payer::RequesterPays;
use crate::aws::files::sign::{headers_of, presign};
use crate::aws::signer::{SessionSigner, Terms, method_of, shapes_of};
use crate::domain::connection::Connection;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::files::file_key::FileKey;
use crate::domain::files::object_key::ObjectKey;
use crate::it::aws::adapter::own_bucket;
use aws_credential_types::Credentials;
use aws_sdk_s3::config::{BehaviorVersion, Region, ResponseChecksumValidation};
use aws_sdk_s3::presigning::PresigningConfig;
use proptest::prelude::*;
use proptest::sample::select;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// Where a bucket is, and how it is addressed.
#[derive(Debug, Clone, Copy)]
struct Host {
    bucket: &'static str,
    region: &'static str,
    endpoint: Option<&'static str>,
    by_path: bool,
    dual_stack: bool,
    pays: bool,
}

const AMAZON: Host = Host {
    bucket: "a-bucket",
    region: "eu-central-1",
    endpoint: None,
    by_path: false,
    dual_stack: false,
    pays: false,
};

const HOSTS: [Host; 11] = [
    AMAZON,
    Host {
        pays: true,
        ..AMAZON
    },
    Host {
        dual_stack: true,
        ..AMAZON
    },
    Host {
        region: "us-gov-west-1",
        dual_stack: true,
        ..AMAZON
    },
    Host {
        region: "cn-north-1",
        ..AMAZON
    },
    Host {
        bucket: "a.bucket.with.dots",
        ..AMAZON
    },
    Host {
        bucket: "my_training_data",
        region: "us-east-1",
        ..AMAZON
    },
    Host {
        endpoint: Some("http://127.0.0.1:4566"),
        by_path: true,
        ..AMAZON
    },
    Host {
        endpoint: Some("https://s3.example.com/base/"),
        by_path: true,
        pays: true,
        ..AMAZON
    },
    Host {
        endpoint: Some("http://store.example:80"),
        by_path: true,
        ..AMAZON
    },
    Host {
        endpoint: Some("https://store.example:443/a/b"),
        ..AMAZON
    },
];

const TOKENS: [Option<&str>; 3] = [None, Some("to/ken+=="), Some("IQoJb3JpZ2luX2VjEA~ü")];

/// The beginning of 2026, in seconds.
const START: u64 = 1_767_225_600;
const KMS_KEY: &str =
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn credentials(token: Option<&str>) -> Credentials {
    let token = token.map(str::to_owned);
    Credentials::new("ASIAEXAMPLE", "s/e+c=r", token, None, "test")
}

/// A client that makes no call: it only signs.
fn client(host: &Host, token: Option<&str>) -> aws_sdk_s3::Client {
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(host.region))
        .credentials_provider(credentials(token))
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .use_dual_stack(host.dual_stack)
        .force_path_style(host.by_path);
    if let Some(endpoint) = host.endpoint {
        config = config.endpoint_url(endpoint);
    }
    if host.pays {
        config = config.interceptor(RequesterPays::InQuery);
    }
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Signing in one place with one session.
struct Stage {
    client: aws_sdk_s3::Client,
    signer: SessionSigner,
    connection: Connection,
    life: Duration,
}

impl Stage {
    fn new(host: &Host, token: Option<&str>, prefix: &str, has_kms_key: bool) -> Self {
        let mut connection = own_bucket("a-bucket", "").connection;
        connection.bucket = BucketName::parse(host.bucket).unwrap();
        connection.settings.prefix = BucketPrefix::parse(prefix).unwrap();
        connection.settings.kms_key = has_kms_key.then(|| KmsKeyArn::parse(KMS_KEY).unwrap());
        Self {
            client: client(host, token),
            signer: SessionSigner::new(credentials(token)),
            connection,
            life: Duration::from_secs(900),
        }
    }

    fn object(&self, key: &str) -> ObjectKey {
        let key = FileKey::parse(key).unwrap();
        ObjectKey::within(&self.connection.settings.prefix, &key).unwrap()
    }

    async fn by_the_sdk(&self, call: &SignedCall, at: usize, start: SystemTime) -> String {
        let signed = self.presign(call, at, start).await;
        signed.uri().to_owned()
    }

    async fn presign(
        &self,
        call: &SignedCall,
        at: usize,
        start: SystemTime,
    ) -> aws_sdk_s3::presigning::PresignedRequest {
        let config = PresigningConfig::builder()
            .start_time(start)
            .expires_in(self.life)
            .build()
            .unwrap();
        presign(&self.client, &self.connection, (call, at), config)
            .await
            .unwrap()
    }

    /// Proves the call's shapes at one time, and compares all its URLs at another.
    async fn compare(&self, call: &SignedCall, proved: SystemTime, signed: SystemTime) {
        let headers = headers_of(call, &self.connection);
        let terms = |start| {
            Terms::new(
                self.connection.bucket.as_str(),
                self.connection.settings.prefix.as_str(),
                &headers,
                start,
                self.life,
            )
        };
        let shapes = shapes_of(call, &headers).expect("the own signer takes it");
        let mut place = None;
        for (shape, at) in shapes {
            let theirs = self.presign(call, at, proved).await;
            let bucket = self.connection.bucket.as_str();
            let found = self
                .signer
                .prove(shape, &theirs, (call, at), &terms(proved));
            let found = found.unwrap_or_else(|| panic!("otherwise than {}", theirs.uri()));
            assert_eq!(self.signer.proved(shape, bucket), Some(found.clone()));
            place = Some(found);
        }
        let Some(place) = place else { return };
        let urls = self.signer.urls(&place, call.clone(), &terms(signed));
        let end = OffsetDateTime::from(signed);
        let mut urls = SignedUrls::new(method_of(call), Vec::new(), end, Box::new(urls));
        let mut parts = OwnParts::default();
        for at in 0..call.count() {
            urls.make(at, &mut parts);
            let common = urls.common();
            let own = [
                common.base.as_str(),
                parts.key.as_str(),
                "?",
                parts.own.as_str(),
                common.query.as_str(),
                parts.signature.as_str(),
                common.end.as_str(),
            ]
            .concat();
            assert_eq!(own, self.by_the_sdk(call, at, signed).await);
        }
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(START + seconds)
}

/// What a call signs, without the objects.
#[derive(Debug, Clone)]
enum Kind {
    Read(ReadMethod, Vec<SignedResponse>, Option<String>),
    Put(SignedUpload),
    Delete,
    Parts(String),
}

impl Kind {
    /// The call for these objects.
    fn of(&self, objects: Vec<ObjectKey>) -> SignedCall {
        match self.clone() {
            Self::Read(method, responses, range) => SignedCall::Read {
                method,
                objects: objects
                    .into_iter()
                    .zip(responses.into_iter().cycle())
                    .collect(),
                range,
            },
            Self::Put(upload) => SignedCall::Put {
                keys: objects,
                upload,
            },
            Self::Delete => SignedCall::Delete { keys: objects },
            Self::Parts(upload_id) => SignedCall::Parts {
                key: objects[0].clone(),
                upload_id,
                numbers: vec![1, 2, 10_000],
            },
        }
    }
}

fn response() -> impl Strategy<Value = SignedResponse> {
    let text = || proptest::option::of("[ -~]{1,40}|inline; filename=\"[ -~é日]{0,10}\"");
    (text(), text()).prop_map(|(content_type, content_disposition)| SignedResponse {
        content_type,
        content_disposition,
    })
}

/// Types without what a signature leaves out of a header: several spaces in a row, and those at its ends.
fn content_type() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[!-~]{1,20}( [!-~]{1,10}){0,2}")
}

fn upload() -> impl Strategy<Value = SignedUpload> {
    let acl = proptest::option::of(select(CannedAcl::ALL.to_vec()));
    let size = proptest::option::of(0..=5_u64 << 30);
    (content_type(), acl, size, any::<bool>()).prop_map(
        |(content_type, acl, size, if_none_match)| SignedUpload {
            content_type,
            acl: acl.map(|acl| CannedAcl::parse(acl).unwrap()),
            size,
            if_none_match,
        },
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    let method = select(vec![ReadMethod::Get, ReadMethod::Head]);
    let responses = prop::collection::vec(response(), 1..4);
    let range = select(vec![None, None, Some("bytes=0-99".to_owned())]);
    prop_oneof![
        3 => (method, responses, range).prop_map(|(m, r, range)| Kind::Read(m, r, range)),
        2 => upload().prop_map(Kind::Put),
        1 => Just(Kind::Delete),
        1 => "[ -~é]{1,60}".prop_map(Kind::Parts),
    ]
}

/// A key that is no white space alone, which the SDK refuses.
fn key() -> impl Strategy<Value = String> {
    let any = "[^\u{0}]{1,40}";
    let odd = "([a-c/%+ .~ü日🙂?&=#]|%2F|//|\\.\\.\\.){1,20}";
    prop_oneof![any, odd].prop_filter("a key that is signed", |key| {
        let path = key.strip_prefix('/').unwrap_or(key);
        !path.trim().is_empty() && FileKey::parse(key).is_ok()
    })
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn the_same_urls_as_the_sdk(
        (host, token, prefix, has_kms_key) in
            (select(HOSTS.to_vec()), select(TOKENS.to_vec()), select(vec!["", "team", "a b/ü%"]), any::<bool>()),
        kind in kind(),
        keys in prop::collection::vec(key(), 1..5),
        (proved, later, life) in (0..40_000_000_u64, 0..200_000_u64, 1..604_800_u64),
    ) {
        let mut stage = Stage::new(&host, token, prefix, has_kms_key);
        stage.life = Duration::from_secs(life);
        let objects = keys.iter().map(|key| stage.object(key)).collect();
        let call = kind.of(objects);
        block_on(stage.compare(&call, at(proved), at(proved + later)));
    }
}

#[tokio::test]
async fn every_kind_at_every_host() {
    let keys = [
        "a",
        "a b",
        "a+b",
        "a%20b",
        "a//b",
        "//a",
        "///a",
        "a/",
        "a?b=c&d#e",
        "a;b:c@d,e!f$g",
        "~-._*'()",
        "[x]{y}|^`<>\"\\",
        "ü",
        "日本語/🙂",
        "tab\there",
        "...",
        "\u{7f}\u{feff}",
    ];
    let shown = SignedResponse {
        content_type: Some("text/plain; charset=utf-8".into()),
        content_disposition: Some("inline; filename=\"a b_\"; filename*=UTF-8''a%20b%C3%BC".into()),
    };
    let bare = SignedResponse::default();
    let kinds = [
        Kind::Read(ReadMethod::Get, vec![shown.clone(), bare.clone()], None),
        Kind::Read(ReadMethod::Get, vec![shown.clone()], None),
        Kind::Read(ReadMethod::Head, vec![bare, shown], None),
        Kind::Read(
            ReadMethod::Get,
            vec![SignedResponse::default()],
            Some("bytes=2-4".into()),
        ),
        Kind::Put(SignedUpload::default()),
        Kind::Put(SignedUpload {
            content_type: Some("text/csv; charset=utf-8".into()),
            acl: Some(CannedAcl::parse("bucket-owner-full-control").unwrap()),
            size: Some(10),
            if_none_match: true,
        }),
        Kind::Delete,
        Kind::Parts("2~an/upload+ID==".into()),
    ];
    for host in &HOSTS {
        for token in TOKENS {
            let stage = Stage::new(host, token, "team", true);
            for kind in &kinds {
                let objects = keys.map(|key| stage.object(key)).to_vec();
                stage.compare(&kind.of(objects), at(0), at(86_400)).await;
            }
        }
    }
}

#[test]
fn what_only_the_sdk_signs_is_left_to_it() {
    let stage = Stage::new(&AMAZON, None, "", false);
    let shapes = |call: &SignedCall| shapes_of(call, &headers_of(call, &stage.connection));
    let put = |content_type: &str| SignedCall::Put {
        keys: vec![stage.object("a")],
        upload: SignedUpload {
            content_type: Some(content_type.to_owned()),
            ..SignedUpload::default()
        },
    };
    assert!(shapes(&put("text/plain")).is_some());
    for odd in [
        "",
        " text/plain",
        "text/plain ",
        "text/plain;  a=b",
        "text/plain\t",
        "ü",
    ] {
        assert!(shapes(&put(odd)).is_none(), "{odd:?}");
    }
    let blank = SignedCall::Delete {
        keys: vec![stage.object("a"), stage.object(" ")],
    };
    assert!(shapes(&blank).is_none());
    let no_upload = SignedCall::Parts {
        key: stage.object("a"),
        upload_id: String::new(),
        numbers: vec![1],
    };
    assert!(shapes(&no_upload).is_none());
}

#[test]
fn a_signer_knows_its_credentials() {
    let signer = SessionSigner::new(credentials(Some("token")));
    assert!(signer.signs_with(&credentials(Some("token"))));
    let other = Credentials::new("ASIAEXAMPLE", "other", Some("token".into()), None, "test");
    for other in [credentials(None), credentials(Some("other")), other] {
        assert!(!signer.signs_with(&other));
    }
}

/// Neither another address nor another signature is continued.
#[tokio::test]
async fn a_url_that_is_not_the_own_one_proves_nothing() {
    let stage = Stage::new(&AMAZON, Some("token"), "", false);
    let call = SignedCall::Delete {
        keys: vec![stage.object("a"), stage.object("b")],
    };
    let headers = headers_of(&call, &stage.connection);
    let terms = |seconds| {
        let life = Duration::from_secs(seconds);
        Terms::new("a-bucket", "", &headers, at(0), life)
    };
    let (shape, _) = shapes_of(&call, &headers).unwrap()[0];
    let signed = stage.presign(&call, 0, at(0)).await;
    let proves = |at, terms: &Terms<'_>| {
        let proved = stage.signer.prove(shape, &signed, (&call, at), terms);
        assert_eq!(stage.signer.proved(shape, "a-bucket"), proved);
        proved.is_some()
    };
    assert!(proves(0, &terms(900)));
    assert!(stage.signer.proved(shape, "another-bucket").is_none());
    // It was, and is no longer.
    assert!(!proves(1, &terms(900)));
    assert!(!proves(0, &terms(901)));
    let other = SessionSigner::new(credentials(Some("another")));
    let proved = other.prove(shape, &signed, (&call, 0), &terms(900));
    assert!(proved.is_none());
}

/// The certificate of S3's hosts fits no name with capitals or `_` in front of it.
#[tokio::test]
async fn an_old_bucket_name_is_in_the_path() {
    for bucket in ["my_training_data", "Acme", "acme-"] {
        let config = PresigningConfig::expires_in(Duration::from_secs(900)).unwrap();
        let client = client(&AMAZON, None);
        let request = client.get_object().bucket(bucket).key("a");
        let signed = request.presigned(config).await.unwrap();
        let start = format!("https://s3.eu-central-1.amazonaws.com/{bucket}/a?");
        assert!(signed.uri().starts_with(&start), "{}", signed.uri());
    }
}
