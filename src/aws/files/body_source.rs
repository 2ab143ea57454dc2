//! A client's body, cut where it is asked to be.

use crate::application::bucket::body::{BodyFault, UploadBody};
use crate::application::bucket::write::{PutFailure, StoredObject};
use crate::aws::files::pass_on::Chunks;
use crate::aws::files::spool::{Spool, SpoolReader, broken};
use bytes::{Bytes, BytesMut};

pub(crate) struct BodySource {
    pub body: UploadBody,
    carry: Option<Bytes>,
}

impl BodySource {
    pub fn new(body: UploadBody) -> Self {
        Self { body, carry: None }
    }

    /// The next bytes, at most so many. Where the future is dropped, nothing is lost.
    pub async fn next(&mut self, most: u64) -> Result<Option<Bytes>, BodyFault> {
        let chunk = match self.carry.take() {
            Some(chunk) => Some(chunk),
            None => self.body.next().await?,
        };
        let Some(mut chunk) = chunk else {
            return Ok(None);
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if chunk.len() > most {
            self.carry = Some(chunk.split_off(most));
        }
        Ok(Some(chunk))
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

    pub fn stored(&self, etag: Option<String>, version_id: Option<String>) -> StoredObject {
        StoredObject {
            size: Some(self.body.received()),
            etag,
            version_id,
            sha256: self.body.sha256().cloned(),
        }
    }
}

/// A body on its way from its client to the store, with a copy of it in a spool where there is one.
pub(crate) struct Recorded<'a> {
    pub source: &'a mut BodySource,
    /// Gone as soon as the disk fails: the body goes on without it.
    pub copy: &'a mut Option<Spool>,
    /// How many bytes were taken from the source.
    pub taken: u64,
}

impl Chunks for Recorded<'_> {
    async fn next(&mut self, most: u64) -> Result<Option<Bytes>, PutFailure> {
        let chunk = self.source.next(most).await?;
        if let Some(chunk) = &chunk {
            self.taken += chunk.len() as u64;
            if let Some(copy) = self.copy {
                copy.push(chunk);
                if let Err(error) = copy.settle().await {
                    tracing::warn!(%error, "cannot spool: a part that breaks is not sent again");
                    *self.copy = None;
                }
            }
        }
        Ok(chunk)
    }
}

impl Chunks for SpoolReader {
    async fn next(&mut self, most: u64) -> Result<Option<Bytes>, PutFailure> {
        self.next(most).await.map_err(broken)
    }
}
