//! Signed URLs of objects, and of parts of uploads.

use crate::application::bucket::read::BucketResult;
use crate::application::bucket::sign::{BucketSign, ReadMethod, SignedCall, SignedUrls};
use crate::aws::failure::{classify, local};
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::acl_of;
use crate::aws::files::encryption::Encryption;
use crate::aws::files::signing_life::{SigningLife, give_way};
use crate::aws::sessions::AwsSession;
use crate::aws::signer::{Place, SessionSigner, Terms, WholeUrls, method_of, shapes_of};
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::{ConnectedBucket, Connection};
use async_trait::async_trait;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use std::sync::Arc;
use std::time::Duration;

/// A call for at least so many URLs has the SDK sign one of each shape again, whatever the session remembers
/// of it: that costs little beside the others.
const MANY: usize = 64;

#[async_trait]
impl BucketSign for S3Bucket {
    async fn sign(
        &self,
        bucket: &ConnectedBucket,
        call: SignedCall,
        expires_in: Duration,
    ) -> BucketResult<SignedUrls> {
        let session = self.sessions.signing_session(bucket, expires_in).await?;
        let life = SigningLife::new("Sign", session.remaining(), expires_in)?;
        let connection = &bucket.connection;
        let headers = headers_of(&call, connection);
        let signing = Signing {
            session: &session,
            connection,
            life: &life,
            terms: Terms::new(
                connection.bucket.as_str(),
                connection.settings.prefix.as_str(),
                &headers,
                life.start,
                life.length,
            ),
        };
        let own = match &session.signer {
            Some(signer) => {
                let place = signing.place(signer, &call).await?;
                place.map(|place| (signer, place))
            }
            None => None,
        };
        let method = method_of(&call);
        let Some((signer, place)) = own else {
            return signing.by_the_sdk(method, &call).await;
        };
        let urls = signer.urls(&place, call, &signing.terms);
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        Ok(SignedUrls::new(
            method,
            headers,
            life.expires_at,
            Box::new(urls),
        ))
    }
}

/// One call at work.
struct Signing<'a> {
    session: &'a AwsSession,
    connection: &'a Connection,
    life: &'a SigningLife,
    terms: Terms<'a>,
}

impl Signing<'_> {
    /// Where the call's URLs lead, if the own signer gives the same as the SDK for a URL of each of their
    /// shapes. `None`: the SDK signs them.
    async fn place(
        &self,
        signer: &SessionSigner,
        call: &SignedCall,
    ) -> BucketResult<Option<Arc<Place>>> {
        let Some(shapes) = shapes_of(call, self.terms.headers) else {
            return Ok(None);
        };
        let mut found: Option<Arc<Place>> = None;
        for (shape, at) in shapes {
            let known = match call.count() < MANY {
                true => signer.proved(shape, self.terms.bucket),
                false => None,
            };
            let place = match known {
                Some(place) => place,
                None => {
                    let signed = self.presign(call, at).await?;
                    match signer.prove(shape, &signed, (call, at), &self.terms) {
                        Some(place) => place,
                        None => return Ok(None),
                    }
                }
            };
            match &found {
                Some(first) if *first != place => return Ok(None),
                Some(_) | None => found = Some(place),
            }
        }
        Ok(found)
    }

    async fn by_the_sdk(
        &self,
        method: &'static str,
        call: &SignedCall,
    ) -> BucketResult<SignedUrls> {
        let mut urls = WholeUrls::default();
        let mut headers = Vec::new();
        for at in 0..call.count() {
            give_way(at).await;
            let signed = self.presign(call, at).await?;
            // They are the call's, and so the same for all.
            if at == 0 {
                headers = signed
                    .headers()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
            }
            urls.push(signed.uri());
        }
        Ok(SignedUrls::new(
            method,
            headers,
            self.life.expires_at,
            Box::new(urls),
        ))
    }

    async fn presign(&self, call: &SignedCall, at: usize) -> BucketResult<PresignedRequest> {
        let config = self.life.config.clone();
        presign(&self.session.links, self.connection, (call, at), config).await
    }
}

/// Has the SDK sign for one place of the call.
pub(crate) async fn presign(
    links: &aws_sdk_s3::Client,
    connection: &Connection,
    (call, at): (&SignedCall, usize),
    config: PresigningConfig,
) -> BucketResult<PresignedRequest> {
    let nothing = || local("Sign", FailureKind::InvalidRequest, "nothing to sign");
    let name = connection.bucket.as_str();
    match call {
        SignedCall::Read {
            method,
            objects,
            range,
        } => {
            let (key, response) = objects.get(at).ok_or_else(nothing)?;
            let (content_type, disposition) = (
                response.content_type.clone(),
                response.content_disposition.clone(),
            );
            match method {
                ReadMethod::Get => links
                    .get_object()
                    .bucket(name)
                    .key(key.as_str())
                    .set_response_content_type(content_type)
                    .set_response_content_disposition(disposition)
                    .set_range(range.clone())
                    .presigned(config)
                    .await
                    .map_err(|error| classify("GetObject", &error)),
                ReadMethod::Head => links
                    .head_object()
                    .bucket(name)
                    .key(key.as_str())
                    .set_response_content_type(content_type)
                    .set_response_content_disposition(disposition)
                    .set_range(range.clone())
                    .presigned(config)
                    .await
                    .map_err(|error| classify("HeadObject", &error)),
            }
        }
        SignedCall::Put { keys, upload } => {
            let key = keys.get(at).ok_or_else(nothing)?;
            let length = upload.size.and_then(|size| i64::try_from(size).ok());
            // As headers: S3 takes no encryption from a query.
            let encryption = Encryption::of(connection);
            links
                .put_object()
                .bucket(name)
                .key(key.as_str())
                .set_content_type(upload.content_type.clone())
                .set_acl(upload.acl.map(acl_of))
                .set_content_length(length)
                .set_if_none_match(upload.if_none_match.then(|| "*".to_owned()))
                .set_server_side_encryption(encryption.algorithm)
                .set_ssekms_key_id(encryption.key_id)
                .presigned(config)
                .await
                .map_err(|error| classify("PutObject", &error))
        }
        SignedCall::Delete { keys } => {
            let key = keys.get(at).ok_or_else(nothing)?;
            links
                .delete_object()
                .bucket(name)
                .key(key.as_str())
                .presigned(config)
                .await
                .map_err(|error| classify("DeleteObject", &error))
        }
        SignedCall::Parts {
            key,
            upload_id,
            numbers,
        } => {
            let number = numbers.get(at).ok_or_else(nothing)?;
            links
                .upload_part()
                .bucket(name)
                .key(key.as_str())
                .upload_id(upload_id)
                .part_number(*number as i32)
                .presigned(config)
                .await
                .map_err(|error| classify("UploadPart", &error))
        }
    }
}

/// The headers that each request of a call must carry, in the order of names. What is here is part of the
/// signature.
pub(crate) fn headers_of(
    call: &SignedCall,
    connection: &Connection,
) -> Vec<(&'static str, String)> {
    match call {
        SignedCall::Read { range, .. } => {
            range.iter().map(|range| ("range", range.clone())).collect()
        }
        SignedCall::Put { upload, .. } => {
            let Encryption { algorithm, key_id } = Encryption::of(connection);
            let headers = [
                ("content-length", upload.size.map(|size| size.to_string())),
                ("content-type", upload.content_type.clone()),
                (
                    "if-none-match",
                    upload.if_none_match.then(|| "*".to_owned()),
                ),
                ("x-amz-acl", upload.acl.map(|acl| acl.as_str().to_owned())),
                (
                    "x-amz-server-side-encryption",
                    algorithm.map(|algorithm| algorithm.as_str().to_owned()),
                ),
                ("x-amz-server-side-encryption-aws-kms-key-id", key_id),
            ];
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect()
        }
        SignedCall::Delete { .. } | SignedCall::Parts { .. } => Vec::new(),
    }
}
