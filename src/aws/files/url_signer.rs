//! Many signed GET URLs at once.
//!
//! The SDK signs one URL as if it were a call: it resolves the endpoint and runs its whole pipeline for
//! each. In a batch all of that is the same but for the key, so the first URL is signed by the SDK, and
//! the others by the SDK's own signer directly. The signer is used only when it gives the first URL
//! byte for byte; otherwise the SDK signs them all.

use crate::application::bucket::sign::SignedResponse;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, SystemTime};

/// Everything but the unreserved characters of RFC 3986, as SigV4 wants it (S3 API reference,
/// "Authenticating requests: using query parameters").
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same for a path, whose slashes stay.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A key, and how the store is to answer.
pub type KeyAndResponse<'a> = (&'a str, &'a SignedResponse);

/// Signs URLs of one bucket with one session, all from the same second.
pub struct UrlSigner {
    /// Scheme, host, and the bucket where it is in the path: ends before the key.
    base: String,
    request_payer: bool,
    identity: Identity,
    region: String,
    start: SystemTime,
    settings: SigningSettings,
}

impl UrlSigner {
    /// A signer that gives the same URLs as the SDK, shown by one of them: `signed`, for `first`, from
    /// `start` and for `life`. `None`: it would not.
    pub fn like(
        signed: &str,
        first: KeyAndResponse<'_>,
        credentials: Credentials,
        region: &str,
        start: SystemTime,
        life: Duration,
    ) -> Option<Self> {
        let (address, _) = signed.split_once('?')?;
        let path = utf8_percent_encode(first.0, PATH).to_string();
        let mut settings = SigningSettings::default();
        // S3 takes the path as it is sent.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(life);
        let signer = Self {
            base: address.strip_suffix(&path)?.to_owned(),
            request_payer: signed.contains("&x-amz-request-payer=requester&"),
            identity: credentials.into(),
            region: region.to_owned(),
            start,
            settings,
        };
        (signer.sign(first).as_deref() == Some(signed)).then_some(signer)
    }

    /// `None` where the SDK's signer refuses, which it has not done for the first URL, and for a URL that
    /// is used with a header.
    pub fn sign(&self, (key, response): KeyAndResponse<'_>) -> Option<String> {
        if response.range.is_some() {
            return None;
        }
        let mut url = format!(
            "{}{}?x-id=GetObject",
            self.base,
            utf8_percent_encode(key, PATH)
        );
        let mut append = |name: &str, value: &str| {
            url.push('&');
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, QUERY));
        };
        if let Some(disposition) = &response.content_disposition {
            append("response-content-disposition", disposition);
        }
        if let Some(content_type) = &response.content_type {
            append("response-content-type", content_type);
        }
        if self.request_payer {
            append("x-amz-request-payer", "requester");
        }
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("s3")
            .time(self.start)
            .settings(self.settings.clone())
            .build()
            .ok()?
            .into();
        let request = SignableRequest::new(
            "GET",
            url.as_str(),
            std::iter::empty(),
            SignableBody::UnsignedPayload,
        )
        .ok()?;
        let (instructions, _) = sign(request, &params).ok()?.into_parts();
        for (name, value) in instructions.params() {
            url.push('&');
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, QUERY));
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::{BehaviorVersion, Region};
    use aws_sdk_s3::presigning::PresigningConfig;
    use proptest::prelude::*;

    const LIFE: Duration = Duration::from_secs(900);

    fn credentials(token: Option<&str>) -> Credentials {
        let token = token.map(str::to_owned);
        Credentials::new("ASIAEXAMPLE", "s/e+c=r", token, None, "test")
    }

    /// A client that makes no call: it only signs.
    fn client(endpoint: Option<&str>, token: Option<&str>) -> aws_sdk_s3::Client {
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(credentials(token))
            .force_path_style(endpoint.is_some());
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }

    async fn by_the_sdk(
        client: &aws_sdk_s3::Client,
        (key, response): KeyAndResponse<'_>,
        start: SystemTime,
    ) -> String {
        let config = PresigningConfig::builder()
            .start_time(start)
            .expires_in(LIFE)
            .build()
            .unwrap();
        let signed = client
            .get_object()
            .bucket("a-bucket")
            .key(key)
            .set_response_content_type(response.content_type.clone())
            .set_response_content_disposition(response.content_disposition.clone())
            .presigned(config)
            .await
            .unwrap();
        signed.uri().to_owned()
    }

    fn same_as_the_sdk(keys: &[String]) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let start = SystemTime::now();
        let shown = SignedResponse {
            content_type: Some("text/plain; charset=utf-8".into()),
            content_disposition: Some(
                "inline; filename=\"a b_\"; filename*=UTF-8''a%20b%C3%BC".into(),
            ),
            range: None,
        };
        let plain = SignedResponse::default();
        for endpoint in [
            None,
            Some("http://127.0.0.1:4566"),
            Some("https://s3.example.com/base/"),
        ] {
            for token in [None, Some("to/ken+==")] {
                let client = client(endpoint, token);
                for (response, first) in [(&shown, "first key/ü"), (&plain, "/first")] {
                    let sdk = runtime.block_on(by_the_sdk(&client, (first, response), start));
                    let wanted = (first, response);
                    let credentials = credentials(token);
                    let signer =
                        UrlSigner::like(&sdk, wanted, credentials, "eu-central-1", start, LIFE);
                    let signer = signer.unwrap_or_else(|| panic!("otherwise than {sdk}"));
                    for key in keys {
                        let sdk = runtime.block_on(by_the_sdk(&client, (key, response), start));
                        assert_eq!(signer.sign((key, response)), Some(sdk), "{key:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_urls_as_the_sdk() {
        let keys = [
            "a",
            "a b",
            "a+b",
            "a%20b",
            "a//b",
            "/a",
            "//a",
            "a/",
            "a?b=c&d#e",
            "a;b:c@d,e!f$g",
            "~-._*'()",
            "[x]{y}|^`<>\"\\",
            "ü",
            "日本語/🙂",
            "tab\there",
            "\u{7f}\u{feff}",
        ];
        same_as_the_sdk(&keys.map(str::to_owned));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_same_url_as_the_sdk_for_any_key(key in "[^\u{0}]{1,40}") {
            let dots = key.split('/').any(|segment| matches!(segment, "." | ".."));
            // The SDK refuses a key of white space alone.
            prop_assume!(!dots && !key.trim().is_empty());
            same_as_the_sdk(&[key]);
        }
    }

    /// The certificate of S3's hosts fits no name with capitals or `_` in front of it.
    #[tokio::test]
    async fn an_old_bucket_name_is_in_the_path() {
        for bucket in ["my_training_data", "Acme", "acme-"] {
            let config = PresigningConfig::expires_in(LIFE).unwrap();
            let request = client(None, None).get_object().bucket(bucket).key("a");
            let signed = request.presigned(config).await.unwrap();
            let start = format!("https://s3.eu-central-1.amazonaws.com/{bucket}/a?");
            assert!(signed.uri().starts_with(&start), "{}", signed.uri());
        }
    }

    #[test]
    fn another_url_is_not_continued() {
        let response = SignedResponse::default();
        let start = SystemTime::now();
        for url in [
            "https://a-bucket.s3.amazonaws.com/first",
            "https://a-bucket.s3.amazonaws.com/other?x-id=GetObject",
            "https://a-bucket.s3.amazonaws.com/first?x-id=GetObject&X-Amz-Signature=0",
        ] {
            let wanted = ("first", &response);
            let signer =
                UrlSigner::like(url, wanted, credentials(None), "eu-central-1", start, LIFE);
            assert!(signer.is_none(), "{url}");
        }
    }
}
