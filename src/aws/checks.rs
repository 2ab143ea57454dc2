//! The questions of the connection check, asked of AWS.

use crate::application::bucket::probe::{
    self, Answer, Answered, BucketProbe, ExpectedOwner, ExternalIdSent, PreflightSent, Preflighted,
    Prober, PutEncryption, ReadBack,
};
use crate::application::bucket::read::ListedObject;
use crate::aws::client::clients::AwsClients;
use crate::aws::failure::{classify, local, origin_of};
use crate::aws::files::convert::{expected_owner, key_of};
use crate::aws::files::encryption::Encryption;
use crate::aws::files::head::of_version;
use crate::aws::files::lock::lock_of;
use crate::aws::files::proof::{self, At, Content};
use crate::aws::files::upload_call::taken;
use crate::aws::sessions::RoleSessions;
use crate::domain::aws_failure::{AnswerDetails, AwsFailure, FailureKind};
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::region::Region;
use crate::domain::connection::service_identity::ServiceIdentity;
use crate::domain::connection::{ConnectedBucket, Credentials, Owner};
use crate::domain::files::object_key::{ObjectKey, ObjectKeyPrefix};
use crate::domain::files::version::NULL_VERSION;
use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{EncodingType, ObjectCannedAcl, RequestPayer, ServerSideEncryption};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

/// What the probe object holds, for whoever finds one that could not be deleted.
const PROBE_BODY: &[u8] =
    b"Written by Sallyport to check that it may write here. It may be deleted.\n";

/// How much is read back at most. What is longer is not the probe.
const MOST_READ_BACK: usize = 64 * 1024;

/// How many names a listing has at most.
const LISTED: i32 = probe::LISTED as i32;

const PREFLIGHT_TIMEOUT: Duration = Duration::from_secs(10);

/// [`Prober`] on AWS.
pub struct AwsProber {
    sessions: Arc<RoleSessions>,
    http: reqwest::Client,
    guarded_http: reqwest::Client,
}

impl AwsProber {
    pub fn new(sessions: Arc<RoleSessions>) -> Result<Self, reqwest::Error> {
        let egress = sessions.clients().egress();
        let client = || {
            let client = reqwest::Client::builder()
                // A redirect would lead past the address check, and S3's mean "another Region".
                .redirect(reqwest::redirect::Policy::none())
                .timeout(PREFLIGHT_TIMEOUT);
            egress.trust.of_preflight(client)
        };
        Ok(Self {
            http: egress.proxy.of_preflight(client()?)?.build()?,
            guarded_http: client()?
                // As the SDK's calls to such an endpoint.
                .no_proxy()
                .dns_resolver(sessions.clients().guard().clone())
                .build()?,
            sessions,
        })
    }

    fn clients(&self) -> &Arc<AwsClients> {
        self.sessions.clients()
    }

    async fn probe(
        &self,
        bucket: &ConnectedBucket,
        credentials: SharedCredentialsProvider,
    ) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        let region = bucket
            .connection
            .settings
            .region
            .unwrap_or(self.clients().region());
        let guarded = bucket.connection.endpoint().is_some();
        S3Probe::new(
            Arc::new(Common {
                clients: self.clients().clone(),
                http: if guarded {
                    self.guarded_http.clone()
                } else {
                    self.http.clone()
                },
                credentials,
                bucket: bucket.clone(),
            }),
            region,
        )
        .await
        .map(|probe| Arc::new(probe) as Arc<dyn BucketProbe>)
    }
}

#[async_trait]
impl Prober for AwsProber {
    async fn identity(&self) -> Result<ServiceIdentity, AwsFailure> {
        self.clients().identity().await
    }

    async fn assume_role(
        &self,
        bucket: &ConnectedBucket,
        sent: ExternalIdSent,
    ) -> Answer<Arc<dyn BucketProbe>> {
        let Credentials::Role {
            role_arn,
            external_id,
        } = &bucket.connection.credentials
        else {
            return Err(local("AssumeRole", FailureKind::InvalidRequest, "no role"));
        };
        let external_id = match sent {
            ExternalIdSent::Own => Some(external_id.to_string()),
            ExternalIdSent::Missing => None,
            ExternalIdSent::Stranger => Some(ExternalId::issue().to_string()),
            ExternalIdSent::NearMiss => Some(external_id.near_miss().to_string()),
            ExternalIdSent::Capitals => Some(external_id.in_capitals()),
            ExternalIdSent::OfOtherSetup(other) => Some(other.to_string()),
        };
        let assumed = self
            .sessions
            .opener()
            .assume(
                &bucket.owner,
                &bucket.connection,
                role_arn,
                external_id.as_deref(),
            )
            .await?;
        let credentials = SharedCredentialsProvider::new(assumed.credentials);
        Ok(Answered {
            value: self.probe(bucket, credentials).await?,
            operation: "AssumeRole",
            http_status: Some(200),
            request_id: assumed.request_id,
            bucket_region: None,
        })
    }

    async fn assume_role_in(
        &self,
        bucket: &ConnectedBucket,
        region: Region,
    ) -> Answer<Arc<dyn BucketProbe>> {
        self.sessions.opener().ask_in(&bucket.owner, region).await;
        self.assume_role(bucket, ExternalIdSent::Own).await
    }

    async fn with_key(&self, bucket: &ConnectedBucket) -> Result<Arc<dyn BucketProbe>, AwsFailure> {
        let credentials = match &bucket.connection.credentials {
            Credentials::Service => self.clients().own_credentials()?,
            key => SharedCredentialsProvider::new(self.sessions.opener().access_key(key)?),
        };
        self.probe(bucket, credentials).await
    }

    async fn forget(&self, owner: &Owner) {
        self.sessions.forget(owner).await;
    }
}

/// What the probes of one check share, whichever Region they ask.
struct Common {
    clients: Arc<AwsClients>,
    http: reqwest::Client,
    credentials: SharedCredentialsProvider,
    bucket: ConnectedBucket,
}

struct S3Probe {
    common: Arc<Common>,
    region: Region,
    s3: aws_sdk_s3::Client,
}

impl S3Probe {
    async fn new(common: Arc<Common>, region: Region) -> Result<Self, AwsFailure> {
        let ConnectedBucket {
            owner, connection, ..
        } = &common.bucket;
        let credentials = common.credentials.clone();
        let s3 = common
            .clients
            .s3(owner, connection, region, credentials)
            .await?
            .calls;
        Ok(Self { common, region, s3 })
    }

    fn bucket(&self) -> &str {
        self.common.bucket.connection.bucket.as_str()
    }

    fn owner(&self, owner: ExpectedOwner) -> Option<String> {
        match owner {
            ExpectedOwner::Omit => None,
            ExpectedOwner::Require => expected_owner(&self.common.bucket.connection),
        }
    }

    /// Reads one byte: what a permission is proved by, without a transfer.
    async fn read(&self, key: &str) -> Answer<()> {
        const OPERATION: &str = "GetObject";
        let answer = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key)
            .range("bytes=0-0")
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    /// The beginning of a listing, with the owner that the connection expects.
    fn listing(&self, prefix: &str, most: i32) -> ListObjectsV2FluentBuilder {
        self.s3
            .list_objects_v2()
            .bucket(self.bucket())
            .prefix(prefix)
            .max_keys(most)
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
    }

    /// The writing of the probe object, without an encryption.
    fn putting(&self, key: &ObjectKey) -> PutObjectFluentBuilder {
        self.s3
            .put_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .content_type("text/plain; charset=utf-8")
            // A bucket with Object Lock by default takes no object without it.
            .content_md5(STANDARD.encode(Md5::digest(PROBE_BODY)))
            .body(ByteStream::from_static(PROBE_BODY))
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
    }

    fn prefix(&self) -> &str {
        self.common.bucket.connection.settings.prefix.as_str()
    }

    fn at<'a>(
        &'a self,
        key: &'a ObjectKey,
        version_id: Option<&'a str>,
        owner: Option<&'a str>,
    ) -> At<'a> {
        At {
            bucket: self.bucket(),
            key: key.as_str(),
            version_id,
            owner,
        }
    }

    /// Where a browser would find the object: the address that a signed URL has.
    async fn object_url(&self, key: &ObjectKey) -> Result<Url, AwsFailure> {
        let unusable =
            |why: &dyn std::fmt::Display| local("CorsPreflight", FailureKind::InvalidRequest, why);
        let config = PresigningConfig::expires_in(Duration::from_secs(60))
            .map_err(|error| unusable(&error))?;
        let signed = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .presigned(config)
            .await
            .map_err(|error| classify("CorsPreflight", &error))?;
        let mut url = Url::parse(signed.uri()).map_err(|error| unusable(&error))?;
        url.set_query(None);
        Ok(url)
    }
}

/// The day of `expiry-date="Fri, 23 Dec 2012 00:00:00 GMT", rule-id="…"`.
fn expiry_of(header: &str) -> Option<OffsetDateTime> {
    let (_, rest) = header.split_once("expiry-date=\"")?;
    let (date, _) = rest.split_once('"')?;
    OffsetDateTime::parse(date, &Rfc2822).ok()
}

fn answered<T>(operation: &'static str, request_id: Option<&str>, value: T) -> Answered<T> {
    Answered {
        value,
        operation,
        http_status: Some(200),
        request_id: request_id.map(str::to_owned),
        bucket_region: None,
    }
}

#[async_trait]
impl BucketProbe for S3Probe {
    fn region(&self) -> Region {
        self.region
    }

    fn in_region(&self, region: Region) -> Arc<dyn BucketProbe> {
        let s3 = aws_sdk_s3::Client::from_conf(
            self.s3
                .config()
                .to_builder()
                .region(aws_config::Region::new(region.to_string()))
                .build(),
        );
        Arc::new(Self {
            common: self.common.clone(),
            region,
            s3,
        })
    }

    async fn location(&self, owner: ExpectedOwner) -> Answer<Region> {
        const OPERATION: &str = "GetBucketLocation";
        let answer = self
            .s3
            .get_bucket_location()
            .bucket(self.bucket())
            .set_expected_bucket_owner(self.owner(owner))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let constraint = answer.location_constraint().map(|c| c.as_str());
        let region = Region::from_location_constraint(constraint)
            .map_err(|invalid| local(OPERATION, FailureKind::InvalidResponse, invalid))?;
        Ok(answered(OPERATION, answer.request_id(), region))
    }

    async fn region_of_bucket(&self) -> Answer<()> {
        const OPERATION: &str = "HeadBucket";
        let answer = self
            .s3
            .head_bucket()
            .bucket(self.bucket())
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let bucket_region = answer
            .bucket_region()
            .and_then(|name| Region::parse(name).ok());
        Ok(Answered {
            bucket_region,
            ..answered(OPERATION, answer.request_id(), ())
        })
    }

    async fn list(&self, owner: ExpectedOwner) -> Answer<Vec<ListedObject>> {
        const OPERATION: &str = "ListObjectsV2";
        let answer = self
            .listing(self.prefix(), LISTED + 1)
            .set_expected_bucket_owner(self.owner(owner))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let objects = answer
            .contents()
            .iter()
            .map(|object| {
                let raw = object.key().unwrap_or_default();
                Ok(ListedObject {
                    key: key_of(raw, answer.encoding_type())?,
                    size: object.size().unwrap_or_default(),
                    last_modified: None,
                    etag: None,
                    storage_class: object
                        .storage_class()
                        .map(|class| class.as_str().to_owned()),
                })
            })
            .collect::<Result<Vec<_>, AwsFailure>>()?;
        Ok(answered(OPERATION, answer.request_id(), objects))
    }

    async fn read_listed(&self, key: &str) -> Answer<()> {
        if !key.starts_with(self.prefix()) {
            return Err(local(
                "GetObject",
                FailureKind::InvalidResponse,
                "a key outside of the prefix",
            ));
        }
        self.read(key).await
    }

    async fn read_absent(&self, key: &ObjectKey) -> Answer<()> {
        self.read(key.as_str()).await
    }

    async fn read_absent_version(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "GetObject";
        let answer = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .version_id(NULL_VERSION)
            .range("bytes=0-0")
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| of_version(Some(NULL_VERSION), classify(OPERATION, &error)))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn list_folder(&self, folder: &ObjectKeyPrefix) -> Answer<Vec<String>> {
        const OPERATION: &str = "ListObjectsV2";
        let answer = self
            .listing(folder.as_str(), LISTED)
            .delimiter("/")
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let keys = answer.contents().iter().filter_map(|object| object.key());
        let folders = answer.common_prefixes().iter();
        let names = keys
            .chain(folders.filter_map(|folder| folder.prefix()))
            .map(|raw| key_of(raw, answer.encoding_type()))
            .collect::<Result<Vec<_>, AwsFailure>>()?;
        Ok(answered(OPERATION, answer.request_id(), names))
    }

    async fn list_paying(&self) -> Answer<()> {
        const OPERATION: &str = "ListObjectsV2";
        let answer = self
            .listing(self.prefix(), 1)
            .request_payer(RequestPayer::Requester)
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn folders_beside(&self) -> Answer<Vec<String>> {
        const OPERATION: &str = "ListObjectsV2";
        let parent = self
            .prefix()
            .trim_end_matches('/')
            .rsplit_once('/')
            .map_or_else(String::new, |(parent, _)| format!("{parent}/"));
        let answer = self
            .listing(&parent, LISTED)
            .delimiter("/")
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let folders = answer
            .common_prefixes()
            .iter()
            .filter_map(|folder| key_of(folder.prefix()?, answer.encoding_type()).ok())
            .filter_map(|folder| Some(folder.strip_prefix(&parent)?.to_owned()))
            .filter(|folder| !folder.is_empty() && !folder.contains('`'))
            .collect();
        Ok(answered(OPERATION, answer.request_id(), folders))
    }

    async fn put_encrypted(
        &self,
        key: &ObjectKey,
        encryption: PutEncryption,
    ) -> Answer<Option<String>> {
        const OPERATION: &str = "PutObject";
        let algorithm = match encryption {
            PutEncryption::S3 => ServerSideEncryption::Aes256,
            PutEncryption::Kms => ServerSideEncryption::AwsKms,
        };
        let answer = self
            .putting(key)
            .server_side_encryption(algorithm)
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let id = answer.version_id().filter(|id| !id.is_empty());
        let id = id.map(str::to_owned);
        Ok(answered(OPERATION, answer.request_id(), id))
    }

    async fn versions(&self, key: &ObjectKey) -> Answer<Vec<String>> {
        const OPERATION: &str = "ListObjectVersions";
        let answer = self
            .s3
            .list_object_versions()
            .bucket(self.bucket())
            .prefix(key.as_str())
            .max_keys(LISTED)
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let named = |found: Option<&str>| found == Some(key.as_str());
        let versions = answer.versions().iter();
        let versions = versions.filter(|one| named(one.key()));
        let markers = answer.delete_markers().iter();
        let markers = markers.filter(|one| named(one.key()));
        let ids: Vec<String> = versions
            .filter_map(|one| one.version_id())
            .chain(markers.filter_map(|one| one.version_id()))
            .filter(|id| !id.is_empty() && *id != NULL_VERSION)
            .map(str::to_owned)
            .collect();
        Ok(answered(OPERATION, answer.request_id(), ids))
    }

    async fn current_version(&self, key: &ObjectKey) -> Answer<Option<String>> {
        const OPERATION: &str = "HeadObject";
        let answer = self
            .s3
            .head_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let id = answer.version_id().filter(|id| *id != NULL_VERSION);
        let id = id.map(str::to_owned);
        Ok(answered(OPERATION, answer.request_id(), id))
    }

    async fn put(&self, key: &ObjectKey, if_absent: bool) -> Answer<Option<String>> {
        const OPERATION: &str = "PutObject";
        let owner = self.owner(ExpectedOwner::Require);
        let encryption = Encryption::of(&self.common.bucket.connection);
        let answer = self
            .putting(key)
            .set_if_none_match(if_absent.then(|| "*".to_owned()))
            .set_server_side_encryption(encryption.algorithm)
            .set_ssekms_key_id(encryption.key_id)
            .send()
            .await;
        let request_id = match &answer {
            Ok(answer) => answer.request_id().map(str::to_owned),
            Err(_) => None,
        };
        let at = self.at(key, None, owner.as_deref());
        let content = Content::of(PROBE_BODY);
        let taken = proof::stored(&self.s3, at, &content, taken(answer)).await?;
        let id = taken.version_id.filter(|id| !id.is_empty());
        Ok(answered(OPERATION, request_id.as_deref(), id))
    }

    async fn read_back(&self, key: &ObjectKey) -> Answer<ReadBack> {
        const OPERATION: &str = "GetObject";
        let answer = self
            .s3
            .get_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        let request_id = answer.request_id().map(str::to_owned);
        let encryption = answer.server_side_encryption();
        let mut found = ReadBack {
            is_same: false,
            size: 0,
            encryption: encryption.map(|algorithm| algorithm.as_str().to_owned()),
            kms_key: answer.ssekms_key_id().map(str::to_owned),
            lock: lock_of(
                answer.object_lock_retain_until_date(),
                answer.object_lock_mode(),
                answer.object_lock_legal_hold_status(),
            ),
            expires: answer.expiration().and_then(expiry_of),
        };
        // What answers in the store's place may answer without an end.
        let mut body = answer.body;
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            let part = part.map_err(|error| local(OPERATION, FailureKind::Network, error))?;
            bytes.extend_from_slice(&part);
            if bytes.len() > MOST_READ_BACK {
                break;
            }
        }
        found.size = bytes.len() as u64;
        found.is_same = bytes == PROBE_BODY;
        Ok(answered(OPERATION, request_id.as_deref(), found))
    }

    async fn delete(&self, key: &ObjectKey, version: Option<&str>) -> Answer<Option<String>> {
        const OPERATION: &str = "DeleteObject";
        let owner = self.owner(ExpectedOwner::Require);
        let request = self
            .s3
            .delete_object()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_version_id(version.map(str::to_owned))
            .set_expected_bucket_owner(owner.clone());
        let at = self.at(key, version, owner.as_deref());
        let answer = proof::delete(&self.s3, at, request)
            .await
            .map_err(|failure| of_version(version, failure))?;
        let made = version.is_none() && answer.delete_marker == Some(true);
        let marker = answer.version_id().filter(|_| made).map(str::to_owned);
        Ok(answered(OPERATION, answer.request_id(), marker))
    }

    async fn read_absent_acl(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "GetObjectAcl";
        let answer = self
            .s3
            .get_object_acl()
            .bucket(self.bucket())
            .key(key.as_str())
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn write_absent_acl(&self, key: &ObjectKey) -> Answer<()> {
        const OPERATION: &str = "PutObjectAcl";
        let answer = self
            .s3
            .put_object_acl()
            .bucket(self.bucket())
            .key(key.as_str())
            .acl(ObjectCannedAcl::Private)
            .set_expected_bucket_owner(self.owner(ExpectedOwner::Require))
            .send()
            .await
            .map_err(|error| classify(OPERATION, &error))?;
        Ok(answered(OPERATION, answer.request_id(), ()))
    }

    async fn preflight(&self, key: &ObjectKey, sent: PreflightSent<'_>) -> Answer<Preflighted> {
        let PreflightSent {
            origin,
            method,
            with_headers,
        } = sent;
        const OPERATION: &str = "CorsPreflight";
        let url = self.object_url(key).await?;
        let mut request = self
            .common
            .http
            .request(reqwest::Method::OPTIONS, url)
            .header(ORIGIN, origin)
            .header(ACCESS_CONTROL_REQUEST_METHOD, method);
        if with_headers && matches!(method, "PUT" | "POST") {
            // What a browser sends with a signed URL.
            let encrypts = self.common.bucket.connection.settings.kms_key.is_some();
            let names = match encrypts && method == "PUT" {
                true => {
                    "content-type,x-amz-server-side-encryption,x-amz-server-side-encryption-aws-kms-key-id"
                }
                false => "content-type",
            };
            request = request.header(ACCESS_CONTROL_REQUEST_HEADERS, names);
        }
        let answer = request.send().await.map_err(|error| {
            let kind = if error.is_timeout() {
                FailureKind::Timeout
            } else {
                FailureKind::Network
            };
            local(OPERATION, kind, error.without_url())
        })?;
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let status = answer.status().as_u16();
        let request_id = header("x-amz-request-id");
        let bucket_region =
            header("x-amz-bucket-region").and_then(|name| Region::parse(&name).ok());
        let failed = |kind| {
            Err(AwsFailure {
                http_status: Some(status),
                request_id: request_id.clone(),
                bucket_region: bucket_region.map(Box::new),
                ..local(
                    OPERATION,
                    kind,
                    format!("the preflight was answered with {status}"),
                )
            })
        };
        match status {
            300..=399 if bucket_region.is_some() => return failed(FailureKind::WrongRegion),
            300..=399 => {
                let target = header("location").and_then(|target| origin_of(&target));
                return failed(FailureKind::Redirected).map_err(|failure| AwsFailure {
                    details: Some(Box::new(AnswerDetails {
                        redirects_to: target,
                        ..AnswerDetails::default()
                    })),
                    ..failure
                });
            }
            404 => return failed(FailureKind::NoSuchBucket),
            429 => return failed(FailureKind::Throttled),
            500..=599 => return failed(FailureKind::Unavailable),
            _ => {}
        }
        let allows_origin = header(ACCESS_CONTROL_ALLOW_ORIGIN.as_str())
            .is_some_and(|value| value == "*" || value == origin);
        let allows_method = header(ACCESS_CONTROL_ALLOW_METHODS.as_str()).is_some_and(|value| {
            value
                .split(',')
                .any(|allowed| allowed.trim() == "*" || allowed.trim().eq_ignore_ascii_case(method))
        });
        Ok(Answered {
            http_status: Some(status),
            bucket_region,
            ..answered(
                OPERATION,
                request_id.as_deref(),
                Preflighted {
                    is_allowed: (200..300).contains(&status) && allows_origin && allows_method,
                    exposes_etag: header(ACCESS_CONTROL_EXPOSE_HEADERS.as_str()).is_some_and(
                        |value| {
                            value.split(',').any(|name| {
                                name.trim() == "*" || name.trim().eq_ignore_ascii_case("etag")
                            })
                        },
                    ),
                },
            )
        })
    }
}
