//! A client's body, cut where it is asked to be.

use crate::application::bucket::body::{BodyFault, Sha256Text, UploadBody};
use crate::application::bucket::write::{PutFailure, StoredObject};
use crate::aws::files::pass_on::Chunks;
use crate::aws::files::spool::{Spool, SpoolReader, broken};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

pub(crate) struct BodySource {
    pub body: UploadBody,
    carry: Option<Bytes>,
}

/// What is known of a body that was given out as a whole.
#[derive(Debug, Clone)]
pub(crate) struct WholeBody {
    /// In bytes.
    pub size: u64,
    sha256: Option<Sha256Text>,
}

impl WholeBody {
    pub fn stored(self, etag: Option<String>, version_id: Option<String>) -> StoredObject {
        StoredObject {
            size: Some(self.size),
            etag,
            version_id,
            sha256: self.sha256,
        }
    }
}

impl BodySource {
    pub fn new(body: UploadBody) -> Self {
        Self { body, carry: None }
    }

    /// The next bytes, at most so many. Where the future is dropped, nothing is lost.
    pub async fn next(&mut self, most: u64) -> Result<Option<Bytes>, BodyFault> {
        poll_fn(|context| self.poll_next(context, most)).await
    }

    /// The same, for whoever is polled.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<Result<Option<Bytes>, BodyFault>> {
        let chunk = match self.carry.take() {
            Some(chunk) => Some(chunk),
            None => ready!(self.body.poll_next(context))?,
        };
        let Some(mut chunk) = chunk else {
            return Poll::Ready(Ok(None));
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if chunk.len() > most {
            self.carry = Some(chunk.split_off(most));
        }
        Poll::Ready(Ok(Some(chunk)))
    }

    /// So many bytes, or fewer at the end, in memory.
    pub async fn fill(&mut self, size: u64) -> Result<Bytes, BodyFault> {
        let mut buffer = BytesMut::new();
        while (buffer.len() as u64) < size {
            match self.next(size - buffer.len() as u64).await? {
                Some(chunk) => buffer.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(buffer.freeze())
    }

    pub fn put_back(&mut self, head: Bytes) {
        let mut all = BytesMut::from(head);
        if let Some(rest) = self.carry.take() {
            all.extend_from_slice(&rest);
        }
        self.carry = Some(all.freeze());
    }

    /// Whether everything was given out, and is as the client said.
    pub fn has_ended(&self) -> bool {
        self.body.has_ended() && self.carry.is_none()
    }

    /// What is known of the body, after its end.
    pub fn whole(&self) -> WholeBody {
        WholeBody {
            size: self.body.received(),
            sha256: self.body.sha256().cloned(),
        }
    }
}

/// A body on its way from its client to the store, with a copy of it in a spool where there is one.
pub(crate) struct Recorded {
    pub source: BodySource,
    /// Gone as soon as the disk fails: the body goes on without it.
    pub copy: Option<Spool>,
    /// How many bytes of the part were taken from the source.
    pub taken: u64,
}

impl Recorded {
    /// Without a copy.
    pub fn new(source: BodySource) -> Self {
        Self {
            source,
            copy: None,
            taken: 0,
        }
    }
}

impl Chunks for Recorded {
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<Result<Option<Bytes>, PutFailure>> {
        // The disk holds the sender back: in memory there are two blocks at most.
        let settled = match &mut self.copy {
            Some(copy) => ready!(copy.poll_settle(context)),
            None => Ok(()),
        };
        if let Err(error) = settled {
            tracing::warn!(%error, "cannot spool: a part that breaks is not sent again");
            self.copy = None;
        }
        let chunk = ready!(self.source.poll_next(context, most))?;
        if let Some(chunk) = &chunk {
            self.taken += chunk.len() as u64;
            if let Some(copy) = &mut self.copy {
                copy.push(chunk);
            }
        }
        Poll::Ready(Ok(chunk))
    }
}

impl Chunks for SpoolReader {
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<Result<Option<Bytes>, PutFailure>> {
        SpoolReader::poll_next(self, context, most).map_err(broken)
    }
}
