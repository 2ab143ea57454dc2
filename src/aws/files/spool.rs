//! Parts of bodies on disk, so that a call that breaks is made again with the same bytes, and a part of
//! unknown length is measured before S3 hears of it.
//!
//! A spool is a file that has no name any more: whatever ends the service, nothing of it stays. Its bytes
//! are not encrypted. In memory there are two blocks of it at most.

use crate::application::bucket::write::PutFailure;
use crate::application::budget::{ByteBudget, Reserved};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use std::fs::{File, OpenOptions};
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// How much is written or read at once, in bytes.
const BLOCK: usize = 256 << 10;
/// How much all spools together may have, in bytes; a workspace has a quarter of it.
const ROOM: u64 = 2 << 30;

/// Where spools are made, and how much room they have.
pub(crate) struct Spools {
    folder: PathBuf,
    room: ByteBudget,
}

/// Some bytes of a body.
pub(crate) struct Spool {
    file: Arc<File>,
    /// How much it may hold.
    size: u64,
    /// How much it holds.
    length: u64,
    /// How much of that was handed to the file.
    flushed: u64,
    buffer: BytesMut,
    writing: Option<JoinHandle<io::Result<()>>>,
    md5: Option<Md5>,
    reserved: Vec<Reserved>,
}

impl Spools {
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self::with_room(folder, ByteBudget::new(ROOM))
    }

    pub fn with_room(folder: impl Into<PathBuf>, room: ByteBudget) -> Self {
        Self {
            folder: folder.into(),
            room,
        }
    }

    /// A spool for so many bytes, if there is room for it now and the disk takes it.
    pub async fn if_there_is_room(&self, workspace: &str, size: u64) -> Option<Spool> {
        let reserved = self.room.try_take(workspace, size)?;
        match self.make(size, reserved).await {
            Ok(spool) => Some(spool),
            Err(error) => {
                tracing::warn!(%error, "cannot make a spool: a body goes on without it");
                None
            }
        }
    }

    /// The same; waits for room.
    pub async fn open(&self, workspace: &str, size: u64) -> Result<Spool, PutFailure> {
        let reserved = self.reserve(workspace, size).await?;
        self.make(size, reserved).await.map_err(broken)
    }

    /// Lets a spool hold so many bytes.
    pub async fn enlarge(
        &self,
        spool: &mut Spool,
        workspace: &str,
        size: u64,
    ) -> Result<(), PutFailure> {
        if size > spool.size {
            let more = self.reserve(workspace, size - spool.size).await?;
            spool.reserved.push(more);
            spool.size = size;
        }
        Ok(())
    }

    /// The same, if there is room for it now.
    pub fn enlarge_at_once(&self, spool: &mut Spool, workspace: &str, size: u64) -> bool {
        if size > spool.size {
            let Some(more) = self.room.try_take(workspace, size - spool.size) else {
                return false;
            };
            spool.reserved.push(more);
            spool.size = size;
        }
        true
    }

    async fn reserve(&self, workspace: &str, size: u64) -> Result<Reserved, PutFailure> {
        let taken = self.room.take(workspace, size).await;
        taken.map_err(|_| PutFailure::NoRoom)
    }

    async fn make(&self, size: u64, reserved: Reserved) -> io::Result<Spool> {
        let folder = self.folder.clone();
        let file = tokio::task::spawn_blocking(move || nameless(&folder))
            .await
            .map_err(io::Error::other)??;
        Ok(Spool {
            file: Arc::new(file),
            size,
            length: 0,
            flushed: 0,
            buffer: BytesMut::new(),
            writing: None,
            md5: None,
            reserved: vec![reserved],
        })
    }
}

/// A new file that only its handle leads to, for this user alone.
fn nameless(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("part-{}", uuid::Uuid::new_v4()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// A spool that cannot be written or read.
pub(crate) fn broken(error: io::Error) -> PutFailure {
    PutFailure::Spool(error.to_string())
}

impl Spool {
    /// How many bytes it holds.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Takes the room of another one, whose bytes nobody needs any more.
    pub fn take_room_of(&mut self, other: Self) {
        self.size += other.size;
        self.reserved.extend(other.reserved);
    }

    /// Empties it. `with_md5`: the digest of what comes is computed.
    pub async fn begin(&mut self, with_md5: bool) -> io::Result<()> {
        // A write that ends later would spoil what comes now.
        self.written().await?;
        self.buffer.clear();
        self.length = 0;
        self.flushed = 0;
        self.md5 = with_md5.then(Md5::new);
        Ok(())
    }

    /// Adds bytes. Nothing waits: follow it with [`settle`](Self::settle).
    pub fn push(&mut self, chunk: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(chunk);
        }
        self.buffer.extend_from_slice(chunk);
        self.length += chunk.len() as u64;
    }

    /// Waits until the disk has taken all but two blocks. Where it is dropped before its end, nothing is
    /// lost.
    pub async fn settle(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_settle(context)).await
    }

    /// The same, for whoever is polled. Needs a Tokio runtime.
    pub fn poll_settle(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.buffer.len() < BLOCK {
            true => Poll::Ready(Ok(())),
            false => self.poll_write(context),
        }
    }

    /// Waits until the file has everything, so it can be read.
    pub async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_write(context)).await?;
        self.written().await
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_written(context))?;
        if !self.buffer.is_empty() {
            let block = self.buffer.split().freeze();
            let (file, at) = (self.file.clone(), self.flushed);
            self.flushed += block.len() as u64;
            let writing = move || file.write_all_at(&block, at);
            self.writing = Some(tokio::task::spawn_blocking(writing));
        }
        Poll::Ready(Ok(()))
    }

    /// Waits for the write under way.
    async fn written(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_written(context)).await
    }

    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(writing) = &mut self.writing else {
            return Poll::Ready(Ok(()));
        };
        let done = ready!(Pin::new(writing).poll(context));
        self.writing = None;
        Poll::Ready(done.unwrap_or_else(|error| Err(io::Error::other(error))))
    }

    /// The MD5 of what it holds, in base64, if that was asked for.
    pub fn md5(&self) -> Option<String> {
        let md5 = self.md5.clone()?;
        Some(STANDARD.encode(md5.finalize()))
    }

    /// Reads from the beginning, after [`finish`](Self::finish).
    pub fn reader(&self) -> SpoolReader {
        SpoolReader {
            file: self.file.clone(),
            at: 0,
            end: self.length,
            reading: None,
        }
    }
}

/// Reads a spool.
pub(crate) struct SpoolReader {
    file: Arc<File>,
    at: u64,
    end: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl SpoolReader {
    /// The next bytes, at most so many; `None` at the end. Needs a Tokio runtime.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<io::Result<Option<Bytes>>> {
        if self.reading.is_none() {
            let length = (self.end - self.at).min(most).min(BLOCK as u64);
            if length == 0 {
                return Poll::Ready(Ok(None));
            }
            let (file, at) = (self.file.clone(), self.at);
            self.reading = Some(tokio::task::spawn_blocking(move || {
                let mut block = BytesMut::zeroed(length as usize);
                file.read_exact_at(&mut block, at)?;
                Ok(block.freeze())
            }));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(Ok(None));
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let block = read.unwrap_or_else(|error| Err(io::Error::other(error)))?;
        self.at += block.len() as u64;
        Poll::Ready(Ok(Some(block)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn read(spool: &Spool) -> Vec<u8> {
        let mut reader = spool.reader();
        let mut all = Vec::new();
        while let Some(block) = poll_fn(|context| reader.poll_next(context, 100_000))
            .await
            .unwrap()
        {
            all.extend_from_slice(&block);
        }
        all
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_as_often_as_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let spools = Spools::in_folder(folder.path().join("spool"));
        let mut spool = spools.open("a", 1 << 20).await.unwrap();
        for (round, length) in [900_001_usize, 3, 0, 700_000].into_iter().enumerate() {
            let body: Vec<u8> = (0..length).map(|at| (at * 31 + round) as u8).collect();
            spool.begin(round == 1).await.unwrap();
            for chunk in body.chunks(10_000) {
                spool.push(chunk);
                spool.settle().await.unwrap();
            }
            spool.finish().await.unwrap();
            assert_eq!(spool.length(), length as u64);
            assert!(read(&spool).await == body && read(&spool).await == body);
            assert_eq!(spool.md5().is_some(), round == 1);
        }
        let names = std::fs::read_dir(folder.path().join("spool")).unwrap();
        assert_eq!(names.count(), 0, "a spool has a name");
    }

    #[tokio::test]
    async fn a_spool_grows_by_what_there_is_and_by_the_room_of_another() {
        let folder = tempfile::tempdir().unwrap();
        // Three blocks of the budget for a workspace.
        let spools = Spools::with_room(folder.path(), ByteBudget::new(12 * 4_096));
        let mut one = spools.open("a", 4_096).await.unwrap();
        let two = spools.open("a", 4_096).await.unwrap();
        assert!(spools.enlarge_at_once(&mut one, "a", 2 * 4_096));
        assert!(!spools.enlarge_at_once(&mut one, "a", 3 * 4_096));
        one.take_room_of(two);
        assert!(spools.enlarge_at_once(&mut one, "a", 3 * 4_096));
        assert!(spools.if_there_is_room("a", 1).await.is_none());
        drop(one);
        assert!(spools.if_there_is_room("a", 3 * 4_096).await.is_some());
    }

    #[tokio::test]
    async fn without_room_or_a_folder_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let room = ByteBudget::with_patience(4 << 20, Duration::from_millis(50));
        let spools = Spools::with_room(folder.path(), room);
        let first = spools.open("a", 1 << 20).await.unwrap();
        assert!(spools.if_there_is_room("a", 1).await.is_none());
        assert!(matches!(spools.open("a", 1).await, Err(PutFailure::NoRoom)));
        assert!(spools.open("b", 1).await.is_ok());
        drop(first);
        assert!(spools.if_there_is_room("a", 1).await.is_some());
        let file = folder.path().join("a-file");
        std::fs::write(&file, "x").unwrap();
        let spools = Spools::in_folder(file);
        assert!(spools.if_there_is_room("a", 1).await.is_none());
        let refused = spools.open("a", 1).await;
        assert!(matches!(refused, Err(PutFailure::Spool(_))));
    }
}
