//! STS and S3 as AWS speaks them, for what the emulator does otherwise: one role, one bucket, and any
//! answer a test asks for.

use crate::it::support::aws::sdk_config_at;
use crate::it::support::aws::wire::{Reply, Request, Wire};
use crate::it::support::emulator::random_name;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use futures_util::FutureExt;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub const CUSTOMER: &str = "222222222222";
pub const VENDOR: &str = "111111111111";

/// What there is in AWS.
pub struct World {
    /// Whom the role lets in. `None`: nobody.
    pub external_id: Option<String>,
    /// The account that owns the bucket.
    pub owner: String,
    pub region: String,
    /// Key, and storage class.
    pub objects: BTreeMap<String, String>,
    pub may_read_location: bool,
    pub cors: bool,
    /// How long an answer takes.
    pub delay: Duration,
    /// An operation that is answered after 30 s only.
    pub slow: Option<&'static str>,
    /// How long a session lives.
    pub session_life: Duration,
    /// How many sessions were given: part of their access keys.
    pub sessions: usize,
    /// The probe objects of checks, as they were written.
    probes: BTreeMap<String, Vec<u8>>,
    rules: Vec<Rule>,
}

/// Answers a request otherwise than the world would.
type Rule = Box<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;

#[derive(Clone)]
pub struct AwsStub {
    wire: Wire,
    world: Arc<Mutex<World>>,
    pub bucket: String,
}

impl AwsStub {
    pub async fn start() -> Self {
        let world = Arc::new(Mutex::new(World {
            external_id: None,
            owner: CUSTOMER.into(),
            region: "us-east-1".into(),
            objects: BTreeMap::from([("a.txt".into(), "STANDARD".into())]),
            may_read_location: true,
            cors: true,
            delay: Duration::ZERO,
            slow: None,
            session_life: Duration::from_secs(3600),
            sessions: 0,
            probes: BTreeMap::new(),
            rules: Vec::new(),
        }));
        let bucket = random_name("stub");
        let (own, name) = (world.clone(), bucket.clone());
        let wire = Wire::serve(move |request| {
            let mut world = own.lock().unwrap();
            let scripted = world.rules.iter().find_map(|rule| rule(&request));
            let reply = scripted.unwrap_or_else(|| world.answer(&name, &request));
            let delay = match world.slow {
                Some(slow) if request.operation() == slow => Duration::from_secs(30),
                _ => world.delay,
            };
            async move {
                tokio::time::sleep(delay).await;
                reply.with("x-amz-request-id", "STUBREQUESTID")
            }
            .boxed()
        })
        .await;
        Self {
            wire,
            world,
            bucket,
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Answers some requests otherwise. The first rule that answers counts.
    pub fn when(&self, rule: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) {
        self.world().rules.push(Box::new(rule));
    }

    /// Answers every call of an operation otherwise.
    pub fn answer_to(&self, operation: &'static str, reply: Reply) {
        self.when(move |request| (request.operation() == operation).then(|| reply.clone()));
    }

    pub fn forget_rules(&self) {
        self.world().rules.clear();
    }

    pub fn role_arn(&self) -> String {
        format!("arn:aws:iam::{CUSTOMER}:role/stub")
    }

    /// SDK settings that lead here.
    pub fn sdk_config(&self) -> SdkConfig {
        sdk_config_at(&self.wire.url, "AKIASTUBSTUBSTUBSTUB")
    }

    /// The same, with little patience.
    pub fn hurried_sdk_config(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(800))
            .operation_timeout(Duration::from_secs(2))
            .build();
        self.sdk_config()
            .into_builder()
            .timeout_config(timeouts)
            .build()
    }
}

impl Deref for AwsStub {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

impl World {
    fn answer(&mut self, bucket: &str, request: &Request) -> Reply {
        match request.operation().as_str() {
            "GetCallerIdentity" => identity(),
            "AssumeRole" => self.assume_role(request),
            operation => self.s3(bucket, operation, request),
        }
    }

    fn assume_role(&mut self, request: &Request) -> Reply {
        let sent = request.form("ExternalId");
        if sent.is_none() || sent != self.external_id {
            return role_denied();
        }
        self.sessions += 1;
        session(self.sessions, self.session_life)
    }

    fn s3(&mut self, bucket: &str, operation: &str, request: &Request) -> Reply {
        let (asked, key) = request.bucket_and_key();
        if asked != bucket {
            return s3_error(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        if operation == "CorsPreflight" {
            return self.preflight(request);
        }
        if request.region() != Some(&self.region) {
            return s3_error(301, "PermanentRedirect", "Use the specified endpoint.")
                .with("x-amz-bucket-region", &self.region);
        }
        let expected = request.header("x-amz-expected-bucket-owner");
        if expected.is_some_and(|account| account != self.owner) {
            return denied("Access Denied").with("x-amz-bucket-region", &self.region);
        }
        match operation {
            "GetBucketLocation" if !self.may_read_location => {
                denied("Access Denied").with("x-amz-bucket-region", &self.region)
            }
            "GetBucketLocation" => location(&self.region),
            "HeadBucket" => Reply::answer(200, "").with("x-amz-bucket-region", &self.region),
            "ListObjectsV2" => self.list(bucket, &request.query("prefix").unwrap_or_default()),
            "GetObject" | "HeadObject" if self.probes.contains_key(&key) => {
                Reply::answer(200, self.probes[&key].clone()).with("etag", "\"e\"")
            }
            "GetObject" | "HeadObject" => match self.objects.get(&key) {
                Some(class) if class == "GLACIER" => s3_error(
                    403,
                    "InvalidObjectState",
                    "The operation is not valid for the object's storage class",
                ),
                Some(_) => object(request),
                None => s3_error(404, "NoSuchKey", "The specified key does not exist."),
            },
            "PutObject" => {
                if key.contains("sallyport-check-") {
                    self.probes.insert(key, request.body.clone());
                }
                Reply::answer(200, "").with("etag", "\"e\"")
            }
            "DeleteObject" if self.probes.remove(&key).is_some() => Reply::answer(204, ""),
            "GetObjectAcl" | "PutObjectAcl" => {
                s3_error(404, "NoSuchKey", "The specified key does not exist.")
            }
            "DeleteObject" | "AbortMultipartUpload" => Reply::answer(204, ""),
            "CreateMultipartUpload" => xml(
                200,
                format!(
                    "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{bucket}\
                     </Bucket><Key>{key}</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
                ),
            ),
            "UploadPart" => Reply::answer(200, "").with("etag", "\"part\""),
            // As some stores do: without a look at conditions, and without an ETag.
            "CompleteMultipartUpload" => xml(
                200,
                format!(
                    "<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{bucket}\
                     </Bucket><Key>{key}</Key></CompleteMultipartUploadResult>"
                ),
            ),
            "CopyObject" => xml(
                200,
                "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>&quot;e&quot;</ETag>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified></CopyObjectResult>"
                    .into(),
            ),
            _ => s3_error(501, "NotImplemented", "not in the stub"),
        }
    }

    fn preflight(&self, request: &Request) -> Reply {
        if !self.cors {
            return s3_error(403, "AccessForbidden", "CORSResponse: not allowed");
        }
        Reply::answer(200, "")
            .with(
                "access-control-allow-origin",
                request.header("origin").unwrap(),
            )
            .with(
                "access-control-allow-methods",
                "GET, PUT, POST, HEAD, DELETE",
            )
            .with("access-control-expose-headers", "ETag")
    }

    fn list(&self, bucket: &str, prefix: &str) -> Reply {
        let listed = || {
            self.objects
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
        };
        let contents: String = listed()
            .map(|(key, class)| {
                format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                     <ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>{class}</StorageClass></Contents>"
                )
            })
            .collect();
        xml(
            200,
            format!(
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name>\
                 <Prefix>{prefix}</Prefix><EncodingType>url</EncodingType><KeyCount>{}</KeyCount>\
                 <MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>",
                listed().count()
            ),
        )
    }
}

fn object(request: &Request) -> Reply {
    let reply = |status, body: &str| {
        Reply::answer(status, body)
            .with("etag", "\"e\"")
            .with("content-type", "text/plain")
            .with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
    };
    match request.header("range") {
        Some("bytes=0-0") => reply(206, "h").with("content-range", "bytes 0-0/5"),
        _ => reply(200, "hello"),
    }
}

/// An object of this size, from where the request asks for it. No reply gets beyond `until`, so a read that
/// goes on from there comes no further.
pub fn large_object(request: &Request, size: u64, until: u64) -> Reply {
    let first = request
        .header("range")
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.split('-').next()?.parse().ok())
        .unwrap_or(0);
    let reply = Reply::Stream {
        status: if first == 0 { 200 } else { 206 },
        headers: Vec::new(),
        length: size - first,
        sent: until.saturating_sub(first),
    };
    let reply = reply
        .with("etag", "\"e\"")
        .with("content-type", "application/octet-stream")
        .with("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        .with("accept-ranges", "bytes");
    match first {
        0 => reply,
        _ => reply.with(
            "content-range",
            format!("bytes {first}-{}/{size}", size - 1),
        ),
    }
}

/// Whom STS says that the service is.
pub fn identity() -> Reply {
    xml(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::{VENDOR}:user/service</Arn><UserId>AIDA</UserId>\
             <Account>{VENDOR}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId>\
             </ResponseMetadata></GetCallerIdentityResponse>"
        ),
    )
}

/// What STS answers when it lets the caller in.
pub fn session(number: usize, life: Duration) -> Reply {
    let end = (OffsetDateTime::now_utc() + life).format(&Rfc3339).unwrap();
    xml(
        200,
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::{CUSTOMER}:assumed-role/stub/s\
             </Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIASTUB{number:08}</AccessKeyId>\
             <SecretAccessKey>stub-session-secret</SecretAccessKey><SessionToken>stub-session-token</SessionToken>\
             <Expiration>{end}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId>\
             </ResponseMetadata></AssumeRoleResponse>"
        ),
    )
}

/// What STS answers when the role refuses, and when there is none.
pub fn role_denied() -> Reply {
    sts_error(
        403,
        "AccessDenied",
        "User: arn:aws:iam::999999999999:user/foreign is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/stub",
    )
}

pub fn sts_error(status: u16, code: &str, message: &str) -> Reply {
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>STUBREQUESTID</RequestId></ErrorResponse>"
        ),
    )
}

pub fn s3_error(status: u16, code: &str, message: &str) -> Reply {
    xml(
        status,
        format!(
            "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>STUBREQUESTID</RequestId>\
             <HostId>host</HostId></Error>"
        ),
    )
}

pub fn denied(message: &str) -> Reply {
    s3_error(403, "AccessDenied", message)
}

fn location(region: &str) -> Reply {
    let text = if region == "us-east-1" { "" } else { region };
    xml(
        200,
        format!(
            "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{text}</LocationConstraint>"
        ),
    )
}

/// What a proxy in between answers.
pub fn html(status: u16) -> Reply {
    Reply::answer(status, "<html><body>Forbidden by the proxy</body></html>")
        .with("content-type", "text/html")
}

fn xml(status: u16, body: String) -> Reply {
    Reply::answer(
        status,
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"),
    )
    .with("content-type", "text/xml")
}
