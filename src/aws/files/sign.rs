//! Signed URLs of objects.

use crate::application::bucket::read::BucketResult;
use crate::application::bucket::sign::{BucketSign, SignedMethod, SignedUrl};
use crate::aws::failure::classify;
use crate::aws::files::bucket::S3Bucket;
use crate::aws::files::convert::acl_of;
use crate::aws::files::encryption::Encryption;
use crate::aws::files::signing_life::{SigningLife, give_way};
use crate::aws::files::url_signer::UrlSigner;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl BucketSign for S3Bucket {
    async fn sign(
        &self,
        bucket: &ConnectedBucket,
        keys: &[(ObjectKey, SignedMethod)],
        expires_in: Duration,
    ) -> BucketResult<Vec<SignedUrl>> {
        let session = self.sessions.signing_session(bucket, expires_in).await?;
        let life = SigningLife::new("Sign", session.remaining(), expires_in)?;
        let name = bucket.connection.bucket.as_str();
        let mut urls = Vec::with_capacity(keys.len());
        let mut signer: Option<UrlSigner> = None;
        for (at, (key, method)) in keys.iter().enumerate() {
            give_way(at).await;
            let key = key.as_str();
            let url = match method {
                SignedMethod::Get(response) => {
                    let wanted = (key, response);
                    if let Some(url) = signer.as_ref().and_then(|signer| signer.sign(wanted)) {
                        urls.push(SignedUrl {
                            url,
                            method: "GET",
                            headers: Vec::new(),
                            expires_at: life.expires_at,
                        });
                        continue;
                    }
                    let request = session.links.get_object().bucket(name).key(key);
                    let signed = request
                        .set_response_content_type(response.content_type.clone())
                        .set_response_content_disposition(response.content_disposition.clone())
                        .set_range(response.range.clone())
                        .presigned(life.config.clone())
                        .await
                        .map_err(|error| classify("GetObject", &error))?;
                    if at == 0 && keys.len() > 1 && signed.headers().next().is_none() {
                        signer = session.credentials.clone().and_then(|credentials| {
                            let region = session.s3.config().region()?.as_ref();
                            let (start, length) = (life.start, life.length);
                            UrlSigner::like(
                                signed.uri(),
                                wanted,
                                credentials,
                                region,
                                start,
                                length,
                            )
                        });
                    }
                    life.url("GET", &signed)
                }
                SignedMethod::Head(response) => {
                    let request = session.links.head_object().bucket(name).key(key);
                    let signed = request
                        .set_response_content_type(response.content_type.clone())
                        .set_response_content_disposition(response.content_disposition.clone())
                        .set_range(response.range.clone())
                        .presigned(life.config.clone())
                        .await
                        .map_err(|error| classify("HeadObject", &error))?;
                    life.url("HEAD", &signed)
                }
                SignedMethod::Put(upload) => {
                    let request = session.links.put_object().bucket(name).key(key);
                    let length = upload.size.and_then(|size| i64::try_from(size).ok());
                    // As headers: S3 takes no encryption from a query.
                    let encryption = Encryption::of(&bucket.connection);
                    let signed = request
                        .set_content_type(upload.content_type.clone())
                        .set_acl(upload.acl.map(acl_of))
                        .set_content_length(length)
                        .set_if_none_match(upload.if_none_match.then(|| "*".to_owned()))
                        .set_server_side_encryption(encryption.algorithm)
                        .set_ssekms_key_id(encryption.key_id)
                        .presigned(life.config.clone())
                        .await
                        .map_err(|error| classify("PutObject", &error))?;
                    life.url("PUT", &signed)
                }
                SignedMethod::Delete => {
                    let request = session.links.delete_object().bucket(name).key(key);
                    let signed = request
                        .presigned(life.config.clone())
                        .await
                        .map_err(|error| classify("DeleteObject", &error))?;
                    life.url("DELETE", &signed)
                }
            };
            urls.push(url);
        }
        Ok(urls)
    }
}
