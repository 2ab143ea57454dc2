//! A body on its way from a client to a bucket, checked as it passes.

use crate::application::error::{Error, Kind};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use std::task::{Context, Poll, ready};
use tokio::sync::{mpsc, oneshot};

/// What the reader of the client's connection sends on. A piece without the end of the body stands for more to
/// come: a channel that closes without one stands for a body that is not complete.
#[derive(Debug)]
pub enum Piece {
    /// Several chunks at once, because each piece wakes another thread. The body `is_complete` with them.
    Batch {
        chunks: Vec<Bytes>,
        is_complete: bool,
    },
    /// The body is complete.
    End,
    Fault(BodyFault),
}

#[cfg(test)]
impl Piece {
    /// One chunk, with more to come.
    pub fn chunk(chunk: Bytes) -> Self {
        Self::Batch {
            chunks: vec![chunk],
            is_complete: false,
        }
    }
}

/// Why a body never became an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFault {
    /// The client left, or the connection broke, before the end.
    Incomplete,
    /// The client sent nothing for too long.
    Stalled,
    /// A body of unknown length came slower than so many bytes a second.
    TooSlow { least_rate: u64 },
    /// The body came slower than any body may: so many bytes a second.
    BelowRate { least_rate: u64 },
    /// It has not the digest that the client named in this header.
    Mismatch(&'static str),
    /// A body of unknown length became longer than such bodies may be.
    TooLong { most: u64 },
}

impl From<BodyFault> for Error {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Incomplete => Self::new(
                Kind::Malformed,
                "body_incomplete",
                "The request's body ended before it was complete. Nothing was stored.",
            ),
            BodyFault::Stalled => Self::new(
                Kind::Malformed,
                "body_stalled",
                "The request's body stopped coming. Nothing was stored.",
            ),
            BodyFault::TooSlow { least_rate } => Self::new(
                Kind::Malformed,
                "body_too_slow",
                format!(
                    "A body without `Content-Length` must come with {least_rate} bytes a second at least. Nothing was stored."
                ),
            )
            .remedy("Send the file's size as `Content-Length`: then it may take as long as it needs."),
            BodyFault::BelowRate { least_rate } => Self::new(
                Kind::ClientTimeout,
                "upload_too_slow",
                format!(
                    "The request's body came with less than {least_rate} bytes a second. Nothing was stored."
                ),
            )
            .remedy("Upload the file again over a faster connection."),
            BodyFault::Mismatch(header) => Self::new(
                Kind::Unprocessable,
                "checksum_mismatch",
                format!("The body does not have the digest of `{header}`. Nothing was stored."),
            )
            .remedy("Send the file again. If the problem persists, compute the digest of the very bytes that are sent."),
            BodyFault::TooLong { most } => Self::new(
                Kind::TooLarge,
                "body_too_large",
                format!(
                    "A body without `Content-Length` may have {most} bytes at most. Nothing was stored."
                ),
            )
            .remedy("Send the file's size as `Content-Length`: then up to 5 TiB are accepted."),
        }
    }
}

/// A digest that the client named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Sha256 {
        header: &'static str,
        digest: [u8; 32],
    },
    Sha512 {
        header: &'static str,
        digest: [u8; 64],
    },
    Md5 {
        header: &'static str,
        digest: [u8; 16],
    },
}

/// The SHA-256 of what passed, in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256Text(pub String);

/// A body that is hashed while it is read.
///
/// Invariant: the last chunk is given out only after the body was found complete and every expected
/// digest to match. What is made of a faulty body is therefore short, and a store that knows the
/// length refuses it.
pub struct UploadBody {
    pieces: mpsc::Receiver<Piece>,
    /// Tells whoever sends the pieces that the first one is wanted.
    wanted: Option<oneshot::Sender<()>>,
    length: Option<u64>,
    expected: Vec<Expected>,
    sha256: digest::Context,
    sha512: Option<digest::Context>,
    md5: Option<Md5>,
    received: u64,
    /// Of the last piece, the chunks that were not looked at yet.
    batch: std::vec::IntoIter<Bytes>,
    /// Nothing comes after the batch.
    is_complete: bool,
    held: Option<Bytes>,
    result: Option<Sha256Text>,
}

impl UploadBody {
    /// `length`: the body's, where the client sent it.
    pub fn new(
        pieces: mpsc::Receiver<Piece>,
        length: Option<u64>,
        expected: Vec<Expected>,
    ) -> Self {
        let wants_sha512 = expected
            .iter()
            .any(|e| matches!(e, Expected::Sha512 { .. }));
        let wants_md5 = expected.iter().any(|e| matches!(e, Expected::Md5 { .. }));
        Self {
            pieces,
            wanted: None,
            length,
            expected,
            sha256: digest::Context::new(&digest::SHA256),
            sha512: wants_sha512.then(|| digest::Context::new(&digest::SHA512)),
            md5: wants_md5.then(Md5::new),
            received: 0,
            batch: Vec::new().into_iter(),
            is_complete: false,
            held: None,
            result: None,
        }
    }

    /// The same, which sends a word when it is read for the first time: until then no piece needs memory.
    pub fn asking(mut self, wanted: oneshot::Sender<()>) -> Self {
        self.wanted = Some(wanted);
        self
    }

    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// How many bytes have come so far; all of them after the end.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether it is complete and every chunk was given out.
    pub fn has_ended(&self) -> bool {
        self.result.is_some() && self.held.is_none()
    }

    /// The body's SHA-256, after its end.
    pub fn sha256(&self) -> Option<&Sha256Text> {
        self.result.as_ref()
    }

    /// The next bytes; `None` after the last ones. Where the future is dropped, nothing is lost.
    #[cfg(test)]
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyFault> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// The same, for whoever is polled: the body of a call to the store.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, BodyFault>> {
        if self.result.is_some() {
            return Poll::Ready(Ok(self.held.take()));
        }
        if let Some(wanted) = self.wanted.take() {
            // Without anybody there, the pieces end.
            let _ = wanted.send(());
        }
        loop {
            if let Some(chunk) = self.batch.next() {
                if chunk.is_empty() {
                    continue;
                }
                self.take(&chunk)?;
                if let Some(before) = self.held.replace(chunk) {
                    return Poll::Ready(Ok(Some(before)));
                }
                continue;
            }
            if self.is_complete {
                self.result = Some(self.finish()?);
                return Poll::Ready(Ok(self.held.take()));
            }
            match ready!(self.pieces.poll_recv(context)) {
                Some(Piece::Batch {
                    chunks,
                    is_complete,
                }) => {
                    self.batch = chunks.into_iter();
                    self.is_complete = is_complete;
                }
                Some(Piece::End) => self.is_complete = true,
                Some(Piece::Fault(fault)) => return Poll::Ready(Err(fault)),
                None => return Poll::Ready(Err(BodyFault::Incomplete)),
            }
        }
    }

    fn take(&mut self, chunk: &Bytes) -> Result<(), BodyFault> {
        self.sha256.update(chunk);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(chunk);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(chunk);
        }
        self.received += chunk.len() as u64;
        match self.length {
            Some(length) if self.received > length => Err(BodyFault::Incomplete),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<Sha256Text, BodyFault> {
        if self.length.is_some_and(|length| length != self.received) {
            return Err(BodyFault::Incomplete);
        }
        let sha256 = self.sha256.clone().finish();
        let md5 = self.md5.take().map(|md5| <[u8; 16]>::from(md5.finalize()));
        let sha512 = self.sha512.take().map(digest::Context::finish);
        let sha512 = sha512.as_ref().map(AsRef::as_ref);
        for expected in &self.expected {
            let (header, same) = match expected {
                Expected::Sha256 { header, digest } => (*header, sha256.as_ref() == digest),
                Expected::Sha512 { header, digest } => (*header, sha512 == Some(&digest[..])),
                Expected::Md5 { header, digest } => (*header, md5.as_ref() == Some(digest)),
            };
            if !same {
                return Err(BodyFault::Mismatch(header));
            }
        }
        Ok(Sha256Text(STANDARD.encode(sha256.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<Piece>, length: Option<u64>, expected: Vec<Expected>) -> UploadBody {
        let (sender, receiver) = mpsc::channel(pieces.len() + 1);
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        UploadBody::new(receiver, length, expected)
    }

    fn chunk(text: &'static str) -> Piece {
        Piece::chunk(Bytes::from_static(text.as_bytes()))
    }

    async fn read(mut body: UploadBody) -> (String, Result<String, BodyFault>) {
        let mut seen = Vec::new();
        loop {
            match body.next().await {
                Ok(Some(bytes)) => seen.extend_from_slice(&bytes),
                Ok(None) => {
                    let sha256 = body.sha256().unwrap().0.clone();
                    return (String::from_utf8(seen).unwrap(), Ok(sha256));
                }
                Err(fault) => return (String::from_utf8(seen).unwrap(), Err(fault)),
            }
        }
    }

    const SHA256_OF_ABC: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

    #[tokio::test]
    async fn a_whole_body_passes_with_its_digest() {
        let expected = vec![
            Expected::Sha256 {
                header: "Content-Digest",
                digest: STANDARD.decode(SHA256_OF_ABC).unwrap().try_into().unwrap(),
            },
            Expected::Md5 {
                header: "Content-MD5",
                digest: STANDARD
                    .decode("kAFQmDzST7DWlj99KOF/cg==")
                    .unwrap()
                    .try_into()
                    .unwrap(),
            },
        ];
        let pieces = vec![chunk("a"), chunk(""), chunk("bc"), Piece::End];
        let (text, end) = read(body(pieces, Some(3), expected)).await;
        assert_eq!((text.as_str(), end), ("abc", Ok(SHA256_OF_ABC.into())));
        let (text, end) = read(body(vec![Piece::End], Some(0), vec![])).await;
        assert!(text.is_empty() && end.is_ok());
    }

    fn batch(texts: &[&'static str], is_complete: bool) -> Piece {
        Piece::Batch {
            chunks: texts
                .iter()
                .map(|text| Bytes::from_static(text.as_bytes()))
                .collect(),
            is_complete,
        }
    }

    #[tokio::test]
    async fn chunks_that_come_together_pass_in_their_order() {
        for pieces in [
            vec![batch(&["a", "", "b"], false), batch(&["c"], true)],
            vec![batch(&["a"], false), chunk("b"), batch(&["c"], true)],
            vec![batch(&["abc"], false), batch(&[], true)],
            vec![batch(&["ab", "c"], false), Piece::End],
        ] {
            let (text, end) = read(body(pieces, Some(3), vec![])).await;
            assert_eq!((text.as_str(), end), ("abc", Ok(SHA256_OF_ABC.into())));
        }
        // Without its end a body is not complete, and its last chunk is not given out.
        let (text, end) = read(body(vec![batch(&["a", "b"], false)], None, vec![])).await;
        assert_eq!((text.as_str(), end), ("a", Err(BodyFault::Incomplete)));
    }

    #[tokio::test]
    async fn a_faulty_body_never_gives_its_last_chunk() {
        let wrong = || {
            vec![Expected::Md5 {
                header: "Content-MD5",
                digest: [0; 16],
            }]
        };
        let ab = || vec![chunk("a"), chunk("b")];
        let with = |piece| ab().into_iter().chain([piece]).collect();
        for (pieces, length, expected, fault) in [
            (with(Piece::End), Some(3), vec![], BodyFault::Incomplete),
            (ab(), None, vec![], BodyFault::Incomplete),
            (
                with(Piece::Fault(BodyFault::Stalled)),
                None,
                vec![],
                BodyFault::Stalled,
            ),
            (
                with(Piece::End),
                None,
                wrong(),
                BodyFault::Mismatch("Content-MD5"),
            ),
            (with(chunk("c")), Some(2), vec![], BodyFault::Incomplete),
        ] {
            let (text, end) = read(body(pieces, length, expected)).await;
            assert_eq!(end, Err(fault));
            assert!(!text.contains(['b', 'c']), "{text}");
        }
    }
}
