//! Counts each call to AWS.

use crate::application::observe::{AwsCall, AwsResult, Observer};
use aws_sdk_s3::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Notes when a call began and what came of it. Signing a URL is no call: nothing is sent.
#[derive(Clone)]
pub(crate) struct Observed(pub Arc<dyn Observer>);

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed")
    }
}

/// A call under way. One that is given up, as at its time limit, ends by being dropped.
struct Call {
    observer: Arc<dyn Observer>,
    service: String,
    operation: String,
    began: Instant,
    /// Nothing is counted before something is sent, nor twice.
    counts: AtomicBool,
}

impl Call {
    fn end(&self, result: AwsResult) {
        if self.counts.swap(false, Ordering::Relaxed) {
            self.observer.called_aws(AwsCall {
                service: &self.service,
                operation: &self.operation,
                result,
                took: self.began.elapsed(),
            });
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(AwsResult::Failed);
    }
}

#[derive(Clone)]
struct Began(Arc<Call>);

impl fmt::Debug for Began {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Began")
    }
}

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Observed {
    fn name(&self) -> &'static str {
        "Observed"
    }

    // The first hook of a client's interceptor that knows the operation.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Metadata>() {
            let call = Call {
                observer: self.0.clone(),
                service: call.service().to_owned(),
                operation: call.name().to_owned(),
                began: Instant::now(),
                counts: AtomicBool::new(false),
            };
            config.interceptor_state().store_put(Began(Arc::new(call)));
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Began(call)) = config.load::<Began>() {
            call.counts.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Began(call)) = config.load::<Began>() else {
            return Ok(());
        };
        let status = context.response().map(|response| response.status());
        match (context.output_or_error(), status) {
            // A URL was signed: the SDK stops before it sends something.
            (None, None) => call.counts.store(false, Ordering::Relaxed),
            (Some(Ok(_)), _) => call.end(AwsResult::Done),
            (_, Some(status)) if status.is_client_error() => call.end(AwsResult::Refused),
            // An answer that cannot be read, a 5xx, or none.
            (Some(Err(_)) | None, _) => call.end(AwsResult::Failed),
        }
        Ok(())
    }
}
