//! What is stored with a file besides its bytes: headers, metadata, encryption.

use crate::application::bucket::body::{Piece, UploadBody};
use crate::application::bucket::multipart::BucketMultipart;
use crate::application::bucket::sign::{BucketSign, SignedCall, SignedUpload};
use crate::application::bucket::write::{BucketWrite, NewObject};
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::it::aws::adapter::{adapter, object_key};
use crate::it::files::uploads::bytes;
use crate::it::support::aws::proxy::AwsProxy;
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::Request;
use crate::it::support::client::plain_client;
use crate::it::support::emulator::{Emulator, s3_client};
use crate::it::support::scene::Scene;
use std::time::Duration;
use tokio::sync::mpsc;

const MIB: usize = 1 << 20;
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_a_file_are_kept() {
    let place = Scene::on(Emulator).connect().await;
    let headers = [
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment; filename=\"a.txt\""),
        ("content-language", "de"),
        ("expires", "Tue, 01 Jan 2030 00:00:00 GMT"),
        ("x-sallyport-meta-city", "Zürich"),
        ("content-type", "text/plain; Charset=ISO-8859-1"),
    ];
    // By one call, and in parts.
    for (key, length) in [("/small", 3), ("/large", 17 * MIB)] {
        place
            .upload_with(key, bytes(length), &headers)
            .await
            .expect(200);
        let kept = place.metadata(key).await.expect(200);
        for (field, value) in [
            ("cache_control", "max-age=60"),
            ("content_disposition", "attachment; filename=\"a.txt\""),
            ("content_language", "de"),
            ("expires", "Tue, 01 Jan 2030 00:00:00 GMT"),
            ("content_type", "text/plain; Charset=ISO-8859-1"),
        ] {
            assert_eq!(kept[field], value, "{key} {field}");
        }
        assert_eq!(kept["metadata"]["city"], "Zürich", "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_an_effect_are_refused_by_name() {
    let place = Scene::on(Emulator).connect().await;
    for (name, value) in [
        ("x-amz-tagging", "a=b"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-meta-owner", "Ann"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-website-redirect-location", "/b"),
        ("x-goog-meta-owner", "Ann"),
        ("content-range", "bytes 0-0/5"),
        ("content-location", "/b"),
        ("if-unmodified-since", "Tue, 01 Jan 2030 00:00:00 GMT"),
        ("last-modified", "Tue, 01 Jan 2030 00:00:00 GMT"),
    ] {
        let refused = place.upload_with("/a", "x", &[(name, value)]).await;
        let problem = refused.refused_field(name);
        assert_eq!(problem["errors"][0]["code"], "unsupported_header");
    }
    let odd = place
        .upload_with("/a", "x", &[("expires", "tomorrow")])
        .await;
    odd.refused_field("Expires");
    place.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_words_of_metadata_are_decoded() {
    let place = Scene::on(Emulator).connect().await;
    let s3 = s3_client(&place.storage.customer.sdk_config);
    let put = s3.put_object().bucket(&place.storage.bucket).key("a");
    put.metadata("title", "=?UTF-8?B?WsO8cmljaA==?=")
        .metadata("odd", "=?UTF-8?X?abc?=")
        .send()
        .await
        .unwrap();
    let metadata = place.metadata("/a").await.expect(200);
    assert_eq!(metadata["metadata"]["title"], "Zürich");
    assert_eq!(metadata["metadata"]["odd"], "=?UTF-8?X?abc?=");
}

fn names_the_key(request: &Request) -> bool {
    request.header("x-amz-server-side-encryption") == Some("aws:kms")
        && request.header("x-amz-server-side-encryption-aws-kms-key-id") == Some(KEY)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_asks_for_the_connections_key() {
    /// The calls that make an object. The parts of an upload follow its beginning.
    const MAKES: [&str; 3] = ["PutObject", "CopyObject", "CreateMultipartUpload"];
    let place = Scene::on(Emulator).prefix("team").connect().await;
    let proxy = AwsProxy::start().await;
    // As a bucket policy that denies objects without the key.
    proxy.when(|request| {
        let makes = MAKES.contains(&request.operation().as_str());
        (makes && !names_the_key(request)).then(|| s3_error(403, "AccessDenied", "Access Denied"))
    });
    let sdk = proxy.sdk_config(&place.storage.customer.sdk_config);
    let (files, mut bucket) = adapter(&place, &sdk);
    let body = |length: usize| {
        let (sender, pieces) = mpsc::channel(4);
        tokio::spawn(async move {
            let _ = sender.send(Piece::chunk(bytes(length).into())).await;
            let _ = sender.send(Piece::End).await;
        });
        pieces
    };
    let object = NewObject::default();
    let (key, copy) = (object_key(&bucket, "/a"), object_key(&bucket, "/b"));
    let without = UploadBody::new(body(3), Some(3), Vec::new());
    assert!(files.put(&bucket, &key, &object, without).await.is_err());

    bucket.connection.settings.kms_key = Some(KmsKeyArn::parse(KEY).unwrap());
    for (length, announced) in [
        (3, true),
        (9 * MIB, true),
        (65 * MIB, true),
        (9 * MIB, false),
    ] {
        let announced = announced.then_some(length as u64);
        let body = UploadBody::new(body(length), announced, Vec::new());
        files.put(&bucket, &key, &object, body).await.unwrap();
    }
    // In parts, and by one call.
    files.copy(&bucket, &key, None, &copy, false).await.unwrap();
    let small = UploadBody::new(body(3), Some(3), Vec::new());
    files.put(&bucket, &key, &object, small).await.unwrap();
    files.copy(&bucket, &key, None, &copy, false).await.unwrap();
    let upload = files.begin_multipart(&bucket, &copy, &object).await;
    let upload = upload.unwrap();
    files
        .abort_multipart(&bucket, &copy, &upload.id)
        .await
        .unwrap();

    let wanted = SignedCall::Put {
        keys: vec![copy],
        upload: SignedUpload::default(),
    };
    let signed = files.sign(&bucket, wanted, Duration::from_secs(60)).await;
    let signed = signed.unwrap().into_first().unwrap();
    let send = async |with_headers: bool| {
        let mut request = plain_client().put(&signed.url).body("x");
        for (name, value) in signed.headers.iter().filter(|_| with_headers) {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status()
    };
    assert_eq!(send(true).await, 200);
    assert_eq!(send(false).await, 403);
    for operation in MAKES {
        assert!(proxy.count(operation) > 0, "{operation}");
    }
}
