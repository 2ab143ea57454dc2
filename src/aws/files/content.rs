//! An object's bytes, as they come. Where S3 breaks off, the rest is asked for: of the same object, or
//! not at all.

use crate::aws::failure::classify;
use crate::aws::files::bucket::scope_of;
use crate::aws::files::convert::expected_owner;
use crate::aws::gates::Turn;
use crate::aws::sessions::{AwsSession, RoleSessions};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How often a read goes on after breaks that come close together.
const RESUMES: u32 = 3;
/// After so many bytes without a break, earlier ones no longer count: a read of terabytes may meet many.
const STEADY: u64 = 64 << 20;
/// How long it waits before the first time; twice as long each further time.
const PAUSE: Duration = Duration::from_millis(100);

/// The object that is read.
pub(crate) struct ReadObject {
    pub sessions: Arc<RoleSessions>,
    pub bucket: ConnectedBucket,
    pub key: ObjectKey,
    pub version_id: Option<String>,
    /// What each part of it must have. Without one, no other part is asked for.
    pub etag: Option<String>,
}

impl ReadObject {
    /// Asks for the bytes from `first` to `end`, which is not one of them. Anything but exactly these bytes, of
    /// exactly this object, is an error.
    pub async fn part(&self, first: u64, end: u64) -> io::Result<ByteStream> {
        let scope = scope_of(self.version_id.as_deref());
        let bucket = &self.bucket;
        let range = format!("bytes={first}-{}", end.saturating_sub(1));
        let call = |session: Arc<AwsSession>| {
            let request = session
                .s3
                .get_object()
                .bucket(bucket.connection.bucket.as_str())
                .key(self.key.as_str())
                .set_version_id(self.version_id.clone())
                .range(&range)
                .set_if_match(self.etag.clone())
                .set_expected_bucket_owner(expected_owner(&bucket.connection));
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| classify("GetObject", &error))
            }
        };
        let sessions = &self.sessions;
        let answer = match sessions.session_in(bucket, scope).await {
            Ok(session) => sessions.call(bucket, scope, session, call).await,
            Err(failure) => Err(failure),
        };
        let answer = answer.map_err(io::Error::other)?;
        let begins = format!("bytes {first}-{}/", end.saturating_sub(1));
        let is_same = self.etag.is_some()
            && answer.e_tag == self.etag
            && answer
                .content_range
                .is_some_and(|range| range.starts_with(&begins));
        match is_same {
            true => Ok(answer.body),
            false => Err(io::Error::other("the rest is not of the same object")),
        }
    }
}

/// A read under way, by one call after the other.
pub(crate) struct Reading {
    object: Arc<ReadObject>,
    /// The offset in the object of the next byte.
    next: u64,
    /// The one after the last. `None` where the store has not said how much it sends: then nothing is
    /// resumed, and the body ends where the store ends it.
    end: Option<u64>,
    body: ByteStream,
    resumes: u32,
    resumed_at: u64,
}

impl Reading {
    pub fn new(object: Arc<ReadObject>, next: u64, end: Option<u64>, body: ByteStream) -> Self {
        Self {
            object,
            next,
            end,
            body,
            resumes: 0,
            resumed_at: next,
        }
    }

    /// The offset in the object of the next byte.
    pub fn next_at(&self) -> u64 {
        self.next
    }

    /// The bytes; an error where they end too early. `turn` is kept until the last one.
    pub fn stream(self, turn: Turn) -> BoxStream<'static, io::Result<Bytes>> {
        stream::unfold(Some((self, turn)), |state| async move {
            let (mut reading, turn) = state?;
            let chunk = reading.next().await?;
            let state = chunk.is_ok().then_some((reading, turn));
            Some((chunk, state))
        })
        .boxed()
    }

    /// The next bytes; `None` after the last ones, and an error where they end too early or do not end there.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            let broken: io::Error = match self.body.next().await {
                Some(Ok(chunk)) => {
                    self.next += chunk.len() as u64;
                    // They would be given out in place of what follows.
                    if self.end.is_some_and(|end| self.next > end) {
                        let cause = "the store sends more than it announced";
                        return Some(Err(io::Error::other(cause)));
                    }
                    return Some(Ok(chunk));
                }
                None if self.end.is_none_or(|end| self.next >= end) => return None,
                None => io::ErrorKind::UnexpectedEof.into(),
                Some(Err(error)) => io::Error::other(error),
            };
            if self.next - self.resumed_at >= STEADY {
                self.resumes = 0;
            }
            self.resumed_at = self.next;
            let Some(end) = self.end.filter(|end| {
                self.resumes < RESUMES && self.object.etag.is_some() && self.next < *end
            }) else {
                return Some(Err(broken));
            };
            tokio::time::sleep(PAUSE * 2u32.pow(self.resumes)).await;
            self.resumes += 1;
            match self.object.part(self.next, end).await {
                Ok(body) => self.body = body,
                Err(error) => return Some(Err(error)),
            }
            tracing::info!(
                storage = %self.object.bucket.owner, offset = self.next, "a read goes on after a break"
            );
        }
    }
}
