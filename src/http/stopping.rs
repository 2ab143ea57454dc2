//! What a stop waits for: requests that are worked on, and answers that are on their way.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Whether the service is being stopped, and what it still does. One for all listeners.
#[derive(Default)]
pub struct Stopping {
    has_begun: AtomicBool,
    next: AtomicU64,
    active: Mutex<Active>,
}

#[derive(Default)]
struct Active {
    requests: usize,
    /// Since when each body waits for its client to take more; `None`: it is the body that is waited
    /// for.
    bodies: HashMap<u64, Option<Instant>>,
    last_end: Option<Instant>,
}

impl Stopping {
    /// From now on the service is not ready, and each answer ends its connection.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Counts a request as worked on until the guard is dropped.
    pub fn request(self: &Arc<Self>) -> ActiveRequest {
        self.active().requests += 1;
        ActiveRequest(self.clone())
    }

    /// Watches a body that is not in memory.
    pub fn watch(self: &Arc<Self>, body: BoxBody) -> BoxBody {
        match body.try_into_bytes() {
            Ok(bytes) => BoxBody::new(bytes),
            Err(body) => {
                let id = self.next.fetch_add(1, Ordering::Relaxed);
                self.active().bodies.insert(id, None);
                BoxBody::new(WatchedBody {
                    body,
                    id,
                    stopping: self.clone(),
                })
            }
        }
    }

    /// Whether nothing is left to wait for: no request is worked on, and every answer on its way has
    /// waited for its client for `stalled`. What ended just now may still be in a buffer: `linger`.
    pub fn is_quiet(&self, stalled: Duration, linger: Duration) -> bool {
        let active = self.active();
        active.requests == 0
            && active
                .bodies
                .values()
                .all(|waits| waits.is_some_and(|since| since.elapsed() >= stalled))
            && active.last_end.is_none_or(|end| end.elapsed() >= linger)
    }

    fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is worked on.
pub struct ActiveRequest(Arc<Stopping>);

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let mut active = self.0.active();
        active.requests -= 1;
        active.last_end = Some(Instant::now());
    }
}

struct WatchedBody {
    body: BoxBody,
    id: u64,
    stopping: Arc<Stopping>,
}

impl WatchedBody {
    fn note(&self, waits: Option<Instant>) {
        self.stopping.active().bodies.insert(self.id, waits);
    }
}

impl MessageBody for WatchedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let polled = self.body.as_pin_mut().poll_next(cx);
        self.note(match &polled {
            // The server asks for more once the client has taken enough of what it was given.
            Poll::Ready(_) => Some(Instant::now()),
            Poll::Pending => None,
        });
        polled
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        let mut active = self.stopping.active();
        active.bodies.remove(&self.id);
        active.last_end = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::future::poll_fn;

    const STALLED: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_stop_waits_for_what_moves_and_not_for_a_client_that_takes_nothing() {
        let stopping = Arc::new(Stopping::default());
        let is_quiet = || stopping.is_quiet(STALLED, Duration::ZERO);
        assert!(is_quiet());
        let request = stopping.request();
        assert!(!is_quiet());
        drop(request);
        assert!(is_quiet());
        assert!(!stopping.is_quiet(STALLED, Duration::from_secs(9)));

        let chunks = stream::unfold((), |()| async {
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let body = actix_web::body::BodyStream::new(Box::pin(chunks));
        let mut body = stopping.watch(BoxBody::new(body));
        assert!(!is_quiet(), "it has not begun");
        poll_fn(|cx| body.as_pin_mut().poll_next(cx)).await;
        assert!(!is_quiet(), "the client may take more");
        tokio::time::sleep(STALLED * 2).await;
        assert!(is_quiet(), "the client takes nothing");
        poll_fn(|cx| body.as_pin_mut().poll_next(cx)).await;
        assert!(!is_quiet());
        drop(body);
        assert!(is_quiet());

        let never = stream::pending::<Result<Bytes, std::io::Error>>();
        let mut body = stopping.watch(BoxBody::new(actix_web::body::BodyStream::new(never)));
        let polled = futures_util::poll!(poll_fn(|cx| body.as_pin_mut().poll_next(cx)));
        assert!(polled.is_pending());
        tokio::time::sleep(STALLED * 2).await;
        assert!(!is_quiet(), "it is the service that is waited for");
        let whole = stopping.watch(BoxBody::new("whole"));
        assert!(whole.try_into_bytes().is_ok());
    }
}
