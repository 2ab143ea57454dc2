//! Readers that stop reading, or hardly read: their places are freed.

use crate::application::pace::{Credit, CutMark, LeastPace};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// How much is given out at once, in bytes: a slow reader asks for more at least every so many bytes.
const PIECE: usize = 32 << 10;

type Body = BoxStream<'static, Result<Bytes, io::Error>>;

/// A body that ends when its reader is slower than its least pace: what it holds (the connection to the store,
/// places, memory) is dropped then, whether or not the reader comes back. Time in which the store sends
/// nothing does not count.
///
/// Cut off, it gives an error of the kind `TimedOut`, and no other body does.
pub struct WatchedBody {
    shared: Arc<Mutex<State>>,
    cut: CutMark,
}

struct State {
    /// `None`: the body has ended, or was cut off.
    body: Option<Body>,
    /// What of the last chunk was not given out yet.
    rest: Bytes,
    /// Since when the reader has had something and has not asked for more.
    idle_since: Option<Instant>,
    /// What the reader has left, without the time since then.
    credit: Credit,
    /// How many bytes it was given and has not asked for more yet.
    given: usize,
}

impl WatchedBody {
    /// Needs a Tokio runtime.
    pub fn new(body: Body, pace: LeastPace) -> Self {
        let shared = Arc::new(Mutex::new(State {
            body: Some(body),
            rest: Bytes::new(),
            idle_since: Some(Instant::now()),
            credit: Credit::new(pace),
            given: 0,
        }));
        let cut = CutMark::default();
        let (watched, mark) = (Arc::downgrade(&shared), cut.clone());
        tokio::spawn(async move {
            let mut wait = pace.patience;
            loop {
                tokio::time::sleep(wait).await;
                let Some(shared) = watched.upgrade() else {
                    return;
                };
                let mut state = lock(&shared);
                if state.body.is_none() {
                    return;
                }
                let left = state.left();
                if left.is_zero() {
                    state.cut_off(&mark);
                    return;
                }
                // Not over and over, where the store is waited for with little left.
                wait = left.max(pace.patience / 20);
            }
        });
        Self { shared, cut }
    }

    /// Is set where the body is cut off.
    pub fn cut_mark(&self) -> CutMark {
        self.cut.clone()
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// How long the reader may still take.
    fn left(&self) -> Duration {
        let idle = self.idle_since.map(|since| since.elapsed());
        self.credit.left().saturating_sub(idle.unwrap_or_default())
    }

    /// The reader asks for more: it has taken what it was given.
    fn has_taken(&mut self) {
        if let Some(since) = self.idle_since.take() {
            self.credit.spend(since.elapsed());
        }
    }

    fn cut_off(&mut self, mark: &CutMark) {
        tracing::info!("a reader that takes too little was cut off");
        mark.set();
        self.rest = Bytes::new();
        self.body = None;
    }
}

impl Stream for WatchedBody {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = lock(&self.shared);
        let state = &mut *state;
        state.has_taken();
        if state.body.is_some() && state.credit.left().is_zero() {
            state.cut_off(&self.cut);
        }
        if self.cut.is_set() {
            let cause = "the reader took too little for too long";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, cause))));
        }
        let given = std::mem::take(&mut state.given);
        if given > 0 {
            state.credit.earn(given);
        }
        if state.rest.is_empty() {
            let Some(body) = &mut state.body else {
                return Poll::Ready(None);
            };
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
        let piece = state.rest.len().min(PIECE);
        state.given = piece;
        state.idle_since = Some(Instant::now());
        Poll::Ready(Some(Ok(state.rest.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use tokio::sync::mpsc;

    const LIMIT: Duration = Duration::from_millis(200);

    fn pace(rate: u64) -> LeastPace {
        LeastPace {
            rate,
            patience: LIMIT,
        }
    }

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
        let mut watched = WatchedBody::new(chunks, pace(0));
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
        let mut watched = WatchedBody::new(chunks, pace(0));
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
    async fn a_reader_that_takes_too_little_is_cut_off() {
        let (chunks, held) = body(vec![Bytes::from(vec![1; 100 * PIECE])]);
        // A piece gives back a few milliseconds.
        let mut watched = WatchedBody::new(chunks, pace(10 << 20));
        let cut = watched.cut_mark();
        let mut read = 0;
        let error = loop {
            match watched.next().await.unwrap() {
                Ok(piece) => read += piece.len(),
                Err(error) => break error,
            }
            tokio::time::sleep(LIMIT / 4).await;
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(read < 100 * PIECE, "{read}");
        assert!(cut.is_set());
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn a_store_that_sends_nothing_is_not_the_readers_fault() {
        let (sender, mut chunks) = mpsc::channel::<Bytes>(1);
        let slow = stream::poll_fn(move |context| chunks.poll_recv(context)).map(Ok);
        let mut watched = WatchedBody::new(slow.boxed(), pace(1 << 40));
        tokio::spawn(async move {
            tokio::time::sleep(3 * LIMIT).await;
            let _ = sender.send(Bytes::from_static(b"late")).await;
        });
        assert_eq!(watched.next().await.unwrap().unwrap(), "late");
        assert!(watched.next().await.is_none());
    }
}
