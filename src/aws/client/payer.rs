//! Agreeing to pay, as S3 wants of everybody but the owner of a Requester Pays bucket (S3 user guide,
//! "Downloading objects from Requester Pays general purpose buckets").

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;

const NAME: &str = "x-amz-request-payer";

/// Says in each request that the requester pays.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RequesterPays {
    InHeader,
    /// For signed URLs: whoever opens a link sends no such header.
    InQuery,
}

impl Intercept for RequesterPays {
    fn name(&self) -> &'static str {
        "RequesterPays"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        match self {
            Self::InHeader => {
                request.headers_mut().insert(NAME, "requester");
            }
            Self::InQuery => {
                let uri = request.uri();
                let joint = if uri.contains('?') { '&' } else { '?' };
                let uri = format!("{uri}{joint}{NAME}=requester");
                request.set_uri(uri)?;
            }
        }
        Ok(())
    }
}
