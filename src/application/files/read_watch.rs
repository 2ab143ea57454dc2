//! Readers that stop reading: their places are freed.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// How much is given out at once, in bytes: a slow reader asks for more at least every so many bytes.
const PIECE: usize = 32 << 10;

type Body = BoxStream<'static, Result<Bytes, io::Error>>;

/// A body that ends when its reader takes nothing for `limit`: what it holds (the connection to the store,
/// places, memory) is dropped then, whether or not the reader comes back. Time in which the store sends
/// nothing does not count.
pub struct WatchedBody(Arc<Mutex<State>>);

struct State {
    /// `None`: the body has ended, or was cut off.
    body: Option<Body>,
    /// What of the last chunk was not given out yet.
    rest: Bytes,
    /// Since when the reader has had something and has not asked for more.
    idle_since: Option<Instant>,
    was_cut: bool,
}

impl WatchedBody {
    /// Needs a Tokio runtime.
    pub fn new(body: Body, limit: Duration) -> Self {
        let state = Arc::new(Mutex::new(State {
            body: Some(body),
            rest: Bytes::new(),
            idle_since: Some(Instant::now()),
            was_cut: false,
        }));
        let watched = Arc::downgrade(&state);
        tokio::spawn(async move {
            let mut wait = limit;
            loop {
                tokio::time::sleep(wait).await;
                let Some(state) = watched.upgrade() else {
                    return;
                };
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.body.is_none() {
                    return;
                }
                wait = match state.idle_since.map(|since| since.elapsed()) {
                    None => limit,
                    Some(idle) if idle < limit => limit - idle,
                    Some(_) => {
                        tracing::info!("a reader that takes nothing was cut off");
                        state.was_cut = true;
                        state.rest = Bytes::new();
                        state.body = None;
                        return;
                    }
                };
            }
        });
        Self(state)
    }
}

impl Stream for WatchedBody {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if state.was_cut {
            let cause = "the reader took nothing for too long";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, cause))));
        }
        if state.rest.is_empty() {
            let Some(body) = &mut state.body else {
                return Poll::Ready(None);
            };
            state.idle_since = None;
            match ready!(body.poll_next_unpin(context)) {
                Some(Ok(chunk)) => state.rest = chunk,
                Some(Err(error)) => {
                    state.body = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    state.body = None;
                    return Poll::Ready(None);
                }
            }
        }
        state.idle_since = Some(Instant::now());
        let piece = state.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(state.rest.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use tokio::sync::mpsc;

    const LIMIT: Duration = Duration::from_millis(200);

    /// A body of these chunks, and what shows whether it is still held.
    fn body(chunks: Vec<Bytes>) -> (Body, Arc<()>) {
        let held = Arc::new(());
        let own = held.clone();
        let chunks = stream::iter(chunks).map(move |chunk| {
            let _held = &own;
            Ok(chunk)
        });
        (chunks.boxed(), held)
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_is_cut_off_and_its_place_freed() {
        let (chunks, held) = body(vec![Bytes::from_static(b"ab"); 3]);
        let mut watched = WatchedBody::new(chunks, LIMIT);
        assert_eq!(watched.next().await.unwrap().unwrap(), "ab");
        assert_eq!(Arc::strong_count(&held), 2);
        tokio::time::sleep(3 * LIMIT).await;
        assert_eq!(Arc::strong_count(&held), 1, "the place is still taken");
        let error = watched.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_slow_reader_gets_everything() {
        let (chunks, _) = body(vec![
            Bytes::from(vec![1; 3 * PIECE]),
            Bytes::from_static(b"end"),
        ]);
        let mut watched = WatchedBody::new(chunks, LIMIT);
        let mut read = 0;
        let began = Instant::now();
        while let Some(piece) = watched.next().await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE);
            read += piece.len();
            tokio::time::sleep(LIMIT * 2 / 3).await;
        }
        assert_eq!(read, 3 * PIECE + 3);
        assert!(began.elapsed() > 2 * LIMIT);
    }

    #[tokio::test]
    async fn a_store_that_sends_nothing_is_not_the_readers_fault() {
        let (sender, mut chunks) = mpsc::channel::<Bytes>(1);
        let slow = stream::poll_fn(move |context| chunks.poll_recv(context)).map(Ok);
        let mut watched = WatchedBody::new(slow.boxed(), LIMIT);
        tokio::spawn(async move {
            tokio::time::sleep(3 * LIMIT).await;
            let _ = sender.send(Bytes::from_static(b"late")).await;
        });
        assert_eq!(watched.next().await.unwrap().unwrap(), "late");
        assert!(watched.next().await.is_none());
    }
}
