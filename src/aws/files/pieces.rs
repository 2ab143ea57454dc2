//! A large object that is read by several calls at the same time, and given out in its order.
//!
//! The first bytes come by one call, as every object does. Where the reader has to wait for the store, the pieces
//! after them are asked for before they are needed, each on a connection of its own, for as long as the memory
//! budget has room. Where it has none, the reader is the slower one or a piece fails, the rest comes by one call.
//!
//! Every call says by `If-Match` which object it means, so no two objects are mixed.

use crate::application::budget::{ByteBudget, Reserved};
use crate::aws::files::ahead::AheadSizes;
use crate::aws::files::blocks::Blocks;
use crate::aws::files::content::{ReadObject, Reading};
use crate::aws::gates::Turn;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::IntoIter;
use tokio_util::task::AbortOnDropHandle;

/// A piece that lies ready for so long, or is given out for so long, shows that the reader is slower than the store.
/// Then what is ahead is given up: its memory would be taken for as long as the reader needs.
const UNWANTED: Duration = Duration::from_secs(2);

/// A read under way, in pieces.
pub(crate) struct Pieces {
    pub object: Arc<ReadObject>,
    /// By the call that is under way.
    pub reading: Option<Reading>,
    /// Where the bytes end that the calls so far are for.
    pub asked_to: u64,
    /// The offset in the object after the last byte.
    pub end: u64,
    pub memory: Arc<ByteBudget>,
    pub sizes: AheadSizes,
    /// Kept until the last byte.
    pub _turn: Turn,
}

/// A piece that is read before it is needed.
struct Piece {
    end: u64,
    bytes: AbortOnDropHandle<io::Result<(Vec<Bytes>, Instant)>>,
    room: Reserved,
}

/// The piece that is given out.
struct Current {
    chunks: IntoIter<Bytes>,
    /// Since when.
    since: Instant,
    _room: Reserved,
}

/// The same between two chunks.
struct State {
    read: Pieces,
    ahead: VecDeque<Piece>,
    current: Option<Current>,
    /// Everything before it was given out, or is being given out.
    at: u64,
    began: Instant,
    /// How long it has waited for the store.
    waited: Duration,
    /// No more pieces are asked for ahead.
    is_plain: bool,
}

impl Pieces {
    /// The bytes; an error where they end too early. Needs a Tokio runtime.
    pub fn stream(self) -> BoxStream<'static, io::Result<Bytes>> {
        let state = State {
            at: self.asked_to,
            read: self,
            ahead: VecDeque::new(),
            current: None,
            began: Instant::now(),
            waited: Duration::ZERO,
            is_plain: false,
        };
        stream::unfold(Some(state), |state| async move {
            let mut state = state?;
            let chunk = state.next().await?;
            let state = chunk.is_ok().then_some(state);
            Some((chunk, state))
        })
        .boxed()
    }
}

impl State {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(current) = &mut self.current {
                let is_slow = current.since.elapsed() > UNWANTED;
                if let Some(chunk) = current.chunks.next() {
                    if is_slow {
                        self.give_up_ahead();
                    }
                    return Some(Ok(chunk));
                }
                self.current = None;
            }
            self.look_ahead();
            let asked = Instant::now();
            if let Some(reading) = &mut self.read.reading {
                let chunk = reading.next().await;
                self.waited += asked.elapsed();
                if chunk.is_some() {
                    return chunk;
                }
                self.read.reading = None;
                continue;
            }
            if let Some(piece) = self.ahead.pop_front() {
                let read = piece.bytes.await;
                self.waited += asked.elapsed();
                match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
                    Ok((chunks, ready)) => {
                        if ready.elapsed() > UNWANTED {
                            self.give_up_ahead();
                        }
                        self.at = piece.end;
                        self.current = Some(Current {
                            chunks: chunks.into_iter(),
                            since: Instant::now(),
                            _room: piece.room,
                        });
                    }
                    // Nothing of it was given out. Without pieces there would have been no such call to fail.
                    Err(error) => {
                        let storage = &self.read.object.bucket.owner;
                        tracing::info!(%storage, offset = self.at, %error, "a piece of a read has failed");
                        self.give_up_ahead();
                    }
                }
                continue;
            }
            if self.at >= self.read.end {
                return None;
            }
            // Nothing is ahead: the rest comes by one call.
            self.is_plain = true;
            let (at, end) = (self.at, self.read.end);
            let body = match self.read.object.part(at, end).await {
                Ok(body) => body,
                Err(error) => return Some(Err(error)),
            };
            self.at = end;
            self.read.reading = Some(Reading::new(self.read.object.clone(), at, Some(end), body));
        }
    }

    /// What was not given out yet comes by one call.
    fn give_up_ahead(&mut self) {
        self.is_plain = true;
        self.ahead.clear();
    }

    /// Asks for the pieces that come next, where that helps and there is memory for them.
    fn look_ahead(&mut self) {
        let sizes = self.read.sizes;
        let given_out = match &self.read.reading {
            Some(reading) => reading.next_at(),
            None => self.at,
        };
        // Of the first bytes only the last ones are so near to the pieces that these are wanted.
        let near = given_out.saturating_add(sizes.piece.saturating_mul(sizes.pieces as u64));
        while !self.is_plain
            && self.ahead.len() < sizes.pieces
            && self.read.asked_to < self.read.end
            && self.read.asked_to <= near
            && self.helps()
        {
            let workspace = self.read.object.bucket.owner.workspace().as_str();
            let Some(room) = self.read.memory.try_take_ahead(workspace, sizes.piece) else {
                return;
            };
            let first = self.read.asked_to;
            let end = (first + sizes.piece).min(self.read.end);
            let reading = collect(self.read.object.clone(), first, end);
            self.ahead.push_back(Piece {
                end,
                bytes: AbortOnDropHandle::new(tokio::spawn(reading)),
                room,
            });
            self.read.asked_to = end;
        }
    }

    /// Whether the reader waits for the store. Once pieces come ahead, it waits less because of them.
    fn helps(&self) -> bool {
        let is_ahead = !self.ahead.is_empty() || self.current.is_some();
        is_ahead
            || self.waited.as_secs_f64() * 100.0
                >= self.began.elapsed().as_secs_f64() * f64::from(self.read.sizes.least_waiting)
    }
}

/// Reads a piece into memory, and notes when it was there.
async fn collect(
    object: Arc<ReadObject>,
    first: u64,
    end: u64,
) -> io::Result<(Vec<Bytes>, Instant)> {
    let body = object.part(first, end).await?;
    let mut reading = Reading::new(object, first, Some(end), body);
    let mut chunks = Blocks::default();
    while let Some(chunk) = reading.next().await {
        chunks.push(chunk?);
    }
    Ok((chunks.into_vec(), Instant::now()))
}
