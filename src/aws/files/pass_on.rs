//! A call to the store whose body comes while it is sent. It may take as long as its sender needs: what
//! ends it is silence.
//!
//! No time limit of the SDK fits such a call. Its limit for an attempt and its read timeout run from the
//! request's first byte to the answer's first, with the whole body in between
//! (`aws-smithy-http-client`, `client/timeout.rs`), so they would bound the size of a file by the speed of
//! its sender. [`unhurried`] switches them off, and [`pass_on`] has limits of its own.

use crate::application::bucket::body::BodyFault;
use crate::application::bucket::write::PutFailure;
use crate::domain::aws_failure::AwsFailure;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;

/// Where a body's bytes come from.
pub(crate) trait Chunks: Send {
    /// The next bytes, at most so many; `None` at the end. Where the future is dropped, nothing is lost
    /// that a repetition needs.
    fn next(&mut self, most: u64)
    -> impl Future<Output = Result<Option<Bytes>, PutFailure>> + Send;
}

/// Settings of a call that [`pass_on`] makes: no time limit for the body, and no repetition, because its
/// bytes are gone.
pub(crate) fn unhurried() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new()
        .timeout_config(
            TimeoutConfig::builder()
                .disable_operation_timeout()
                .disable_operation_attempt_timeout()
                .disable_read_timeout()
                .build(),
        )
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

/// Makes a call with the next `size` bytes as its body, while they come. Where they do not come, the
/// call is cut off, and S3 stores nothing of a body that is shorter than announced.
///
/// `stall`: how long the store may take nothing of the body, and how long it may think after its end.
pub(crate) async fn pass_on<T, F>(
    source: &mut impl Chunks,
    size: u64,
    stall: Duration,
    send: impl FnOnce(ByteStream) -> F,
) -> Result<T, PutFailure>
where
    F: Future<Output = Result<T, AwsFailure>>,
{
    let stalled = |all_sent| PutFailure::StoreStalled {
        limit: stall,
        all_sent,
    };
    let (sender, chunks) = mpsc::channel(1);
    let sending = send(ByteStream::from_body_1_x(PassedOn { chunks, left: size }));
    tokio::pin!(sending);
    let feeding = async {
        let mut left = size;
        while left > 0 {
            let Some(chunk) = source.next(left).await? else {
                return Err(BodyFault::Incomplete.into());
            };
            left -= chunk.len() as u64;
            match tokio::time::timeout(stall, sender.send(chunk)).await {
                Ok(Ok(())) => {}
                // The call has ended: its answer has the reason.
                Ok(Err(_)) => break,
                Err(_) => return Err(stalled(false)),
            }
        }
        drop(sender);
        Ok::<_, PutFailure>(())
    };
    tokio::select! {
        biased;
        fed = feeding => fed?,
        answer = &mut sending => return Ok(answer?),
    }
    match tokio::time::timeout(stall, sending).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(stalled(true)),
    }
}

/// A call's body that is passed on chunk by chunk. It breaks where chunks end too early.
struct PassedOn {
    chunks: mpsc::Receiver<Bytes>,
    left: u64,
}

impl http_body::Body for PassedOn {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.chunks.poll_recv(context)) {
            Some(chunk) => {
                self.left = self.left.saturating_sub(chunk.len() as u64);
                Some(Ok(Frame::data(chunk)))
            }
            None => Some(Err(std::io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
