//! The way of a body from the client's connection, which belongs to one thread, to whoever stores it.

use crate::application::bucket::body::{BodyFault, Expected, Piece, UploadBody};
use crate::application::pace::{Credit, LeastPace};
use crate::http::metrics::{Direction, Transfer};
use crate::http::state::RunningService;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How many pieces wait between the client's connection and the bucket's.
const PIECES_AHEAD: usize = 1;
/// How much goes on at once, in bytes, while more comes: each piece wakes another thread.
const PIECE: usize = 128 << 10;
/// How many chunks go on at once: a client may send very small ones, and each takes memory besides its bytes.
const CHUNKS: usize = 64;
/// How long a piece that is not full waits for more.
const LULL: Duration = Duration::from_millis(2);

/// A body for the bucket, and the work that reads it from the client's connection, on the connection's own thread.
pub fn upload<S, E>(
    chunks: S,
    length: Option<u64>,
    expected: Vec<Expected>,
    running: &RunningService,
) -> (UploadBody, impl Future<Output = ()> + use<S, E>)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let transfer = running.metrics.begin_transfer(Direction::Upload);
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    let (asking, wanted) = oneshot::channel();
    let body = UploadBody::new(pieces, length, expected).asking(asking);
    let reading = pump(chunks, sender, wanted, running.sender_pace(), transfer);
    (body, reading)
}

/// Sends on what the client sends, as fast as the bucket takes it. Only the time in which the client is waited
/// for counts against its pace.
///
/// Nothing is read before it is `wanted`: a request that waits for room in memory would have some already.
async fn pump<E>(
    mut chunks: impl Stream<Item = Result<Bytes, E>> + Unpin,
    sender: mpsc::Sender<Piece>,
    wanted: oneshot::Receiver<()>,
    pace: LeastPace,
    transfer: Transfer,
) {
    if wanted.await.is_err() {
        return;
    }
    let mut credit = Credit::new(pace);
    let mut held = Held::default();
    // For how long nothing has come.
    let mut silence = Duration::ZERO;
    loop {
        let wait = match held.chunks.is_empty() {
            true => credit.left(),
            false => LULL.min(credit.left()),
        };
        let began = Instant::now();
        let next = tokio::select! {
            next = tokio::time::timeout(wait, chunks.next()) => next,
            // Nobody wants the rest.
            () = sender.closed() => return,
        };
        let waited = began.elapsed();
        credit.spend(waited);
        silence += waited;
        let piece = match next {
            Ok(Some(Ok(chunk))) => {
                transfer.carried(chunk.len());
                credit.earn(chunk.len());
                silence = Duration::ZERO;
                held.bytes += chunk.len();
                held.chunks.push(chunk);
                if held.bytes < PIECE && held.chunks.len() < CHUNKS {
                    continue;
                }
                held.piece(false)
            }
            Ok(Some(Err(_))) => Piece::Fault(BodyFault::Incomplete),
            Ok(None) => held.piece(true),
            // What has come goes on, while more is waited for.
            Err(_) if !held.chunks.is_empty() => held.piece(false),
            Err(_) => Piece::Fault(match 2 * silence >= pace.patience {
                true => BodyFault::Stalled,
                false => BodyFault::BelowRate {
                    least_rate: pace.rate,
                },
            }),
        };
        let goes_on = matches!(
            piece,
            Piece::Batch {
                is_complete: false,
                ..
            }
        );
        if sender.send(piece).await.is_err() || !goes_on {
            return;
        }
    }
}

/// What has come of a body and was not sent on yet.
#[derive(Default)]
struct Held {
    chunks: Vec<Bytes>,
    bytes: usize,
}

impl Held {
    fn piece(&mut self, is_complete: bool) -> Piece {
        self.bytes = 0;
        Piece::Batch {
            chunks: std::mem::take(&mut self.chunks),
            is_complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::metrics::HttpMetrics;
    use futures_util::stream;
    use prometheus_client::registry::Registry;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const PATIENCE: Duration = Duration::from_millis(300);

    /// What is sent on of chunks of these lengths, each of which comes after a pause.
    async fn pumped(chunks: Vec<(Duration, usize)>, rate: u64) -> Vec<Piece> {
        let metrics = HttpMetrics::register(&mut Registry::default());
        let transfer = metrics.begin_transfer(Direction::Upload);
        let chunks = stream::iter(chunks).then(|(pause, length)| async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            Ok::<_, ()>(Bytes::from(vec![1; length]))
        });
        let pace = LeastPace {
            rate,
            patience: PATIENCE,
        };
        let (sender, mut pieces) = mpsc::channel(1);
        let gather = async {
            let mut all = Vec::new();
            while let Some(piece) = pieces.recv().await {
                all.push(piece);
            }
            all
        };
        let pumping = pump(Box::pin(chunks), sender, at_once(), pace, transfer);
        let ((), all) = tokio::join!(pumping, gather);
        all
    }

    fn at_once() -> oneshot::Receiver<()> {
        let (asking, wanted) = oneshot::channel();
        asking.send(()).unwrap();
        wanted
    }

    #[tokio::test]
    async fn nothing_is_read_before_it_is_wanted() {
        let metrics = HttpMetrics::register(&mut Registry::default());
        let pace = LeastPace {
            rate: 1 << 30,
            patience: PATIENCE,
        };
        for is_wanted in [true, false] {
            let read = AtomicUsize::new(0);
            let chunks = (0..4).map(|_| Ok::<_, ()>(Bytes::from(vec![1; PIECE])));
            let chunks = chunks.inspect(|_| {
                read.fetch_add(1, Ordering::Relaxed);
            });
            let (sender, pieces) = mpsc::channel(1);
            let (asking, wanted) = oneshot::channel();
            let transfer = metrics.begin_transfer(Direction::Upload);
            let pumping = pump(stream::iter(chunks), sender, wanted, pace, transfer);
            let store = async {
                // Longer than the client may be silent.
                tokio::time::sleep(2 * PATIENCE).await;
                assert_eq!(read.load(Ordering::Relaxed), 0);
                let mut body = UploadBody::new(pieces, None, Vec::new()).asking(asking);
                if is_wanted {
                    while body.next().await.unwrap().is_some() {}
                    assert!(body.has_ended());
                }
            };
            tokio::join!(pumping, store);
            assert_eq!(read.load(Ordering::Relaxed), if is_wanted { 4 } else { 0 });
        }
    }

    #[tokio::test]
    async fn chunks_go_on_together_and_with_the_end() {
        let pieces = pumped(vec![(Duration::ZERO, 1_000); 3], 0).await;
        let [
            Piece::Batch {
                chunks,
                is_complete,
            },
        ] = pieces.as_slice()
        else {
            panic!("{} pieces", pieces.len());
        };
        assert!(chunks.len() == 3 && *is_complete);
        // 256 KiB in chunks of 16 KiB: two pieces, and the end.
        let pieces = pumped(vec![(Duration::ZERO, 16 << 10); 16], 0).await;
        assert_eq!(pieces.len(), 3);
        // What has come does not wait for what comes late.
        let late = vec![(Duration::ZERO, 10), (PATIENCE / 2, 10)];
        assert_eq!(pumped(late, 0).await.len(), 2);
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_is_not_the_senders_fault() {
        let metrics = HttpMetrics::register(&mut Registry::default());
        let transfer = metrics.begin_transfer(Direction::Upload);
        let chunks = (0..4).map(|_| Ok::<_, ()>(Bytes::from(vec![1; PIECE])));
        let pace = LeastPace {
            rate: 1 << 30,
            patience: PATIENCE,
        };
        let (sender, mut pieces) = mpsc::channel(1);
        let pumping = pump(stream::iter(chunks), sender, at_once(), pace, transfer);
        let store = async {
            let mut bytes = 0;
            loop {
                tokio::time::sleep(2 * PATIENCE).await;
                match pieces.recv().await {
                    Some(Piece::Batch {
                        chunks,
                        is_complete,
                    }) => {
                        bytes += chunks.iter().map(Bytes::len).sum::<usize>();
                        if is_complete {
                            return bytes;
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        let ((), bytes) = tokio::join!(pumping, store);
        assert_eq!(bytes, 4 * PIECE);
    }

    #[tokio::test]
    async fn a_sender_that_stops_and_one_that_is_too_slow_are_told_apart() {
        let last = |pieces: Vec<Piece>| match pieces.into_iter().next_back() {
            Some(Piece::Fault(fault)) => fault,
            other => panic!("{other:?}"),
        };
        let stops = vec![(Duration::ZERO, 10), (3 * PATIENCE, 10)];
        assert_eq!(last(pumped(stops.clone(), 0).await), BodyFault::Stalled);
        let slow = vec![(PATIENCE / 3, 10); 20];
        let least_rate = 1 << 20;
        let below = BodyFault::BelowRate { least_rate };
        assert_eq!(last(pumped(slow.clone(), least_rate).await), below);
        // The same is fast enough where the least rate is low.
        let pieces = pumped(slow, 10).await;
        let has_fault = |piece: &Piece| matches!(piece, Piece::Fault(_));
        assert!(!pieces.iter().any(has_fault), "{pieces:?}");
    }
}
