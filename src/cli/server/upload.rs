//! A file on its way to the server: read as it is sent, never whole in memory.

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, Take};
use tokio_util::io::ReaderStream;

/// The bytes of a file or of standard input.
pub struct Upload {
    bytes: ReaderStream<Take<tokio::fs::File>>,
    /// How many there are, where that is known before.
    pub size: Option<u64>,
}

/// How much is read at once.
const PIECE: usize = 256 * 1024;

impl Upload {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &str) -> io::Result<Self> {
        let mut file = match path {
            "-" => File::from(io::stdin().as_fd().try_clone_to_owned()?),
            path => File::open(path)?,
        };
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        let size = match about.is_file() {
            true => Some(about.len().saturating_sub(file.stream_position()?)),
            false => None,
        };
        // A file that grows meanwhile is sent as long as it was.
        let file = tokio::fs::File::from_std(file).take(size.unwrap_or(u64::MAX));
        Ok(Self {
            bytes: ReaderStream::with_capacity(file, PIECE),
            size,
        })
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = Pin::new(&mut self.bytes).poll_next(context);
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.size
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
