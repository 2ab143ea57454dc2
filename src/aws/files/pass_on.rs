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
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Where a body's bytes come from.
pub(crate) trait Chunks: Send + 'static {
    /// The next bytes, at most so many; `None` at the end. Is polled by whoever sends the call, on a Tokio
    /// runtime. What is not given out stays for the next poll, whoever makes it.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<Result<Option<Bytes>, PutFailure>>;
}

/// A source that the body of a call reads from while it is sent, without a channel in between, and its owner
/// before and after.
pub(crate) struct Shared<S>(Arc<Mutex<S>>);

impl<S: Chunks> Shared<S> {
    pub fn new(source: S) -> Self {
        Self(Arc::new(Mutex::new(source)))
    }

    /// Not to be kept over an `await`.
    pub fn lock(&self) -> MutexGuard<'_, S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bytes, at most so many; `None` at the end. For while no call is under way.
    pub async fn next(&self, most: u64) -> Result<Option<Bytes>, PutFailure> {
        poll_fn(|context| self.lock().poll_next(context, most)).await
    }
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
/// call is cut off, and S3 stores nothing of a body that is shorter than announced. What the call has not
/// taken when it ends stays in the source.
///
/// `stall`: how long the store may take nothing of the body, and how long it may think after its end.
pub(crate) async fn pass_on<S: Chunks, T, F>(
    source: &Shared<S>,
    size: u64,
    stall: Duration,
    send: impl FnOnce(ByteStream) -> F,
) -> Result<T, PutFailure>
where
    F: Future<Output = Result<T, AwsFailure>>,
{
    let flow = Arc::new(Flow::new(size));
    // Whatever ends this call: what the connection still asks for afterwards, it does not get.
    let _end = EndOfCall(&flow);
    let sending = send(ByteStream::from_body_1_x(PassedOn {
        flow: flow.clone(),
        source: source.0.clone(),
        left: size,
    }));
    tokio::pin!(sending);
    let mut wait = stall;
    let outcome = loop {
        tokio::select! {
            biased;
            answer = &mut sending => break answer.map_err(PutFailure::from),
            () = flow.has_fault.notified() => break Err(BodyFault::Incomplete.into()),
            () = tokio::time::sleep(wait) => {}
        }
        let state = flow.lock();
        wait = match state.idle_since.map(|since| since.elapsed()) {
            None => stall,
            Some(idle) if idle < stall => stall - idle,
            Some(_) => {
                break Err(PutFailure::StoreStalled {
                    limit: stall,
                    all_sent: state.left == 0,
                });
            }
        };
    };
    // A body that failed is why the call failed.
    let fault = flow.lock().fault.take();
    match fault {
        Some(fault) => Err(fault),
        None => outcome,
    }
}

/// How far the body of a call is.
struct Flow {
    state: Mutex<FlowState>,
    has_fault: Notify,
}

struct FlowState {
    /// The call has ended.
    is_over: bool,
    /// Why the body has no more bytes although there should be.
    fault: Option<PutFailure>,
    /// Since when it is the store that is waited for: it has not asked for more, or not answered. `None`: the
    /// sender is waited for.
    idle_since: Option<Instant>,
    /// How many bytes the store has not asked for yet.
    left: u64,
}

impl Flow {
    fn new(size: u64) -> Self {
        Self {
            state: Mutex::new(FlowState {
                is_over: false,
                fault: None,
                idle_since: Some(Instant::now()),
                left: size,
            }),
            has_fault: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, FlowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a call when it is dropped.
struct EndOfCall<'a>(&'a Flow);

impl Drop for EndOfCall<'_> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
    }
}

/// A call's body that is passed on chunk by chunk. It breaks where chunks end too early.
struct PassedOn<S> {
    flow: Arc<Flow>,
    source: Arc<Mutex<S>>,
    left: u64,
}

impl<S: Chunks> http_body::Body for PassedOn<S> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        // Held while the source is polled: once the call is over, its owner alone does that.
        let mut state = this.flow.lock();
        if state.is_over || state.fault.is_some() {
            return Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())));
        }
        state.idle_since = None;
        let polled = {
            let mut source = this.source.lock().unwrap_or_else(PoisonError::into_inner);
            source.poll_next(context, this.left)
        };
        let fault = match ready!(polled) {
            Ok(Some(chunk)) => {
                this.left = this.left.saturating_sub(chunk.len() as u64);
                state.left = this.left;
                state.idle_since = Some(Instant::now());
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            Ok(None) => BodyFault::Incomplete.into(),
            Err(failure) => failure,
        };
        state.fault = Some(fault);
        this.flow.has_fault.notify_one();
        Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::aws_failure::FailureKind;
    use std::collections::VecDeque;

    /// Gives out what it has, and is not ready afterwards.
    struct Given(VecDeque<&'static str>);

    impl Chunks for Given {
        fn poll_next(
            &mut self,
            _: &mut Context<'_>,
            _: u64,
        ) -> Poll<Result<Option<Bytes>, PutFailure>> {
            match self.0.pop_front() {
                Some(text) => Poll::Ready(Ok(Some(Bytes::from_static(text.as_bytes())))),
                None => Poll::Pending,
            }
        }
    }

    fn given(texts: &[&'static str]) -> Shared<Given> {
        Shared::new(Given(texts.iter().copied().collect()))
    }

    const STALL: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_an_ended_call_did_not_take_stays_and_its_body_gets_no_more() {
        let source = given(&["ab", "cd"]);
        let mut kept = None;
        let place = &mut kept;
        let answer = pass_on(&source, 4, STALL, move |mut body: ByteStream| async move {
            let first = body.next().await;
            assert_eq!(first.unwrap().unwrap(), "ab");
            *place = Some(body);
            Ok(7)
        });
        assert_eq!(answer.await, Ok(7));
        let mut body = kept.unwrap();
        assert!(body.next().await.unwrap().is_err());
        assert_eq!(source.next(2).await.unwrap().unwrap(), "cd");
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_stalls_and_a_sender_that_sends_nothing_does_not() {
        let never = |_: ByteStream| std::future::pending::<Result<(), _>>();
        let stalled = pass_on(&given(&["ab"]), 2, STALL, never).await;
        let limit = STALL;
        let all_sent = false;
        assert_eq!(stalled, Err(PutFailure::StoreStalled { limit, all_sent }));

        let reads_all = |mut body: ByteStream| async move {
            while body.next().await.is_some() {}
            std::future::pending::<Result<(), _>>().await
        };
        let stalled = pass_on(&given(&["ab"]), 2, STALL, reads_all).await;
        let all_sent = true;
        assert_eq!(stalled, Err(PutFailure::StoreStalled { limit, all_sent }));

        let source = given(&["ab"]);
        let waits = pass_on(&source, 4, STALL, reads_all);
        assert!(tokio::time::timeout(4 * STALL, waits).await.is_err());
    }

    /// Has nothing, and is at its end.
    struct Broken;

    impl Chunks for Broken {
        fn poll_next(
            &mut self,
            _: &mut Context<'_>,
            _: u64,
        ) -> Poll<Result<Option<Bytes>, PutFailure>> {
            Poll::Ready(Err(BodyFault::Stalled.into()))
        }
    }

    #[tokio::test]
    async fn a_body_that_fails_is_why_the_call_fails() {
        let refused = |mut body: ByteStream| async move {
            assert!(body.next().await.unwrap().is_err());
            let failure = crate::aws::failure::local("PutObject", FailureKind::Network, "cut");
            Err::<(), _>(failure)
        };
        let failed = pass_on(&Shared::new(Broken), 2, STALL, refused).await;
        assert_eq!(failed, Err(PutFailure::Body(BodyFault::Stalled)));
    }
}
