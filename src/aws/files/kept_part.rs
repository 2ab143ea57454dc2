//! Bytes of a body that are kept, so that they can be sent as often as is needed.

use crate::application::bucket::body::BodyFault;
use crate::application::bucket::write::PutFailure;
use crate::aws::files::blocks::Blocks;
use crate::aws::files::pass_on::{Chunks, Shared};
use crate::aws::files::spool::{Spool, SpoolReader};
use bytes::Bytes;
use std::task::{Context, Poll};
use std::vec::IntoIter;

/// Bytes that can be read again and again.
pub(crate) trait KeptBytes: Sync {
    type Reader: Chunks;

    /// How many there are.
    fn length(&self) -> u64;

    /// Their MD5 in base64, where it was computed.
    fn md5(&self) -> Option<String>;

    /// Reads from the beginning.
    fn reader(&self) -> Self::Reader;
}

/// A part in memory.
pub(crate) struct MemoryPart {
    chunks: Vec<Bytes>,
    length: u64,
}

impl MemoryPart {
    /// The next `length` bytes of a source.
    pub async fn read(source: &Shared<impl Chunks>, length: u64) -> Result<Self, PutFailure> {
        let mut chunks = Blocks::default();
        let mut left = length;
        while left > 0 {
            let Some(chunk) = source.next(left).await? else {
                return Err(BodyFault::Incomplete.into());
            };
            left = left.saturating_sub(chunk.len() as u64);
            chunks.push(chunk);
        }
        Ok(Self {
            chunks: chunks.into_vec(),
            length,
        })
    }
}

impl KeptBytes for MemoryPart {
    type Reader = MemoryReader;

    fn length(&self) -> u64 {
        self.length
    }

    fn md5(&self) -> Option<String> {
        None
    }

    fn reader(&self) -> MemoryReader {
        MemoryReader {
            chunks: self.chunks.clone().into_iter(),
            carry: None,
        }
    }
}

impl KeptBytes for Spool {
    type Reader = SpoolReader;

    fn length(&self) -> u64 {
        Spool::length(self)
    }

    fn md5(&self) -> Option<String> {
        Spool::md5(self)
    }

    fn reader(&self) -> SpoolReader {
        Spool::reader(self)
    }
}

/// Reads a part in memory.
pub(crate) struct MemoryReader {
    chunks: IntoIter<Bytes>,
    carry: Option<Bytes>,
}

impl Chunks for MemoryReader {
    fn poll_next(
        &mut self,
        _: &mut Context<'_>,
        most: u64,
    ) -> Poll<Result<Option<Bytes>, PutFailure>> {
        let next = self.carry.take().or_else(|| self.chunks.next());
        let Some(mut chunk) = next else {
            return Poll::Ready(Ok(None));
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if chunk.len() > most {
            self.carry = Some(chunk.split_off(most));
        }
        Poll::Ready(Ok(Some(chunk)))
    }
}
