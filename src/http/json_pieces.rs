//! Large answers in JSON, written in pieces: neither their text nor a tree of their values is in memory as a
//! whole.

use crate::application::budget::Reserved;
use crate::application::error::{Error, Result};
use crate::application::files::read_watch::WatchedBody;
use crate::application::files::shared::Files;
use crate::application::pace::LeastPace;
use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use serde::Serialize;
use std::io;
use std::task::Poll;

/// How large a piece is at least, in bytes, unless it is the last.
const PIECE: usize = 64 << 10;
/// A piece ends with the item that makes it large enough. One of them takes about this.
const ITEM: usize = 4 << 10;

/// How an answer is sent that goes on after its handler has ended: what it is made of is in memory until then.
pub struct Sending {
    /// A reader that is slower is cut off.
    pub pace: LeastPace,
    /// The memory of the request's body and of the answer, given back after the last byte.
    pub memory: Option<Reserved>,
}

impl Sending {
    /// As files are sent.
    pub fn of(files: &Files, memory: Option<Reserved>) -> Self {
        Self {
            pace: files.reader_pace,
            memory,
        }
    }
}

/// An answer with what `write` appends, one item in each call, until it gives `false`. What fails before the
/// first piece is full is refused as any error; whatever can fail belongs there. A small answer has its
/// length in its head.
pub fn in_pieces(
    mut write: impl FnMut(&mut Vec<u8>) -> Result<bool> + Send + 'static,
    sending: Sending,
) -> Result<HttpResponse> {
    let mut first = Vec::new();
    let mut goes_on = fill(&mut write, &mut first)?;
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::json());
    if !goes_on {
        return Ok(response.body(first));
    }
    let mut first = Some(first);
    let mut has_waited = false;
    let Sending { pace, memory } = sending;
    let pieces = stream::poll_fn(move |context| {
        let _until_the_end = &memory;
        if let Some(piece) = first.take() {
            return Poll::Ready(Some(Ok(Bytes::from(piece))));
        }
        if !goes_on {
            return Poll::Ready(None);
        }
        // Others have their turn before each piece: to make one takes a while.
        if !has_waited {
            has_waited = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        has_waited = false;
        let mut piece = Vec::with_capacity(PIECE + ITEM);
        let filled = fill(&mut write, &mut piece);
        goes_on = matches!(filled, Ok(true));
        Poll::Ready(Some(match filled {
            Ok(_) => Ok(Bytes::from(piece)),
            Err(error) => {
                tracing::error!(cause = error.internal, "an answer was broken off");
                Err(io::Error::other(error.code))
            }
        }))
    });
    Ok(response.streaming(WatchedBody::new(pieces.boxed(), pace)))
}

fn fill(write: &mut impl FnMut(&mut Vec<u8>) -> Result<bool>, piece: &mut Vec<u8>) -> Result<bool> {
    while piece.len() < PIECE {
        if !write(piece)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Appends a value.
pub fn push_value(out: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(out, value).map_err(Error::bug)
}

/// Appends a text without its quotes.
pub fn push_text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    // Most texts are as they are in JSON. Without a branch for each byte, which is what takes the time.
    let is_plain = text.bytes().fold(true, |plain, b| {
        plain & (b >= 0x20) & (b != b'"') & (b != b'\\')
    });
    if is_plain {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let quoted = serde_json::to_string(text).map_err(Error::bug)?;
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    out.extend_from_slice(inner.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::budget::ByteBudget;
    use actix_web::body::{BodySize, MessageBody, to_bytes};
    use serde_json::{Value, json};
    use std::future::poll_fn;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_millis(200);

    fn sending(memory: Option<Reserved>) -> Sending {
        Sending {
            pace: LeastPace {
                rate: 0,
                patience: PATIENCE,
            },
            memory,
        }
    }

    /// An array of so many texts of 1,000 bytes, whose text at `broken` fails.
    fn texts(count: usize, broken: Option<usize>) -> Result<HttpResponse> {
        let mut at = 0;
        let write = move |out: &mut Vec<u8>| -> Result<bool> {
            if broken == Some(at) {
                return Err(Error::bug("broken"));
            }
            out.push(if at == 0 { b'[' } else { b',' });
            push_value(out, &format!("{at:01000}"))?;
            at += 1;
            if at == count {
                out.push(b']');
            }
            Ok(at < count)
        };
        in_pieces(write, sending(None))
    }

    #[actix_web::test]
    async fn a_large_answer_is_whole_and_a_small_one_has_a_length() {
        for count in [1, 60, 66, 67, 500] {
            let answer = texts(count, None).unwrap();
            let kind = answer.headers().get("content-type").unwrap();
            assert_eq!(kind, "application/json");
            let body = answer.into_body();
            assert_eq!(
                matches!(body.size(), BodySize::Sized(_)),
                count <= 66,
                "{count}"
            );
            let bytes = to_bytes(body).await.ok().unwrap();
            let read: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(read.len(), count);
            assert_eq!(read[count - 1], format!("{:01000}", count - 1));
        }
    }

    #[actix_web::test]
    async fn what_fails_at_once_is_an_error_and_later_breaks_off() {
        assert!(texts(500, Some(10)).is_err());
        let late = texts(500, Some(400)).unwrap();
        assert!(to_bytes(late.into_body()).await.is_err());
    }

    #[actix_web::test]
    async fn a_large_answer_has_its_memory_until_its_end_and_no_longer_than_its_reader_may_take() {
        let budget = ByteBudget::new(1 << 20);
        let text = "x".repeat(1_000);
        let answer = async || {
            let memory = budget.take("a", 100_000).await.unwrap();
            let (text, mut left) = (text.clone(), 500);
            let write = move |out: &mut Vec<u8>| -> Result<bool> {
                push_value(out, &text)?;
                left -= 1;
                Ok(left > 0)
            };
            in_pieces(write, sending(Some(memory))).unwrap().into_body()
        };
        let read = answer().await;
        assert!(budget.taken() > 0);
        assert!(to_bytes(read).await.is_ok());
        assert_eq!(budget.taken(), 0);
        let mut stuck = answer().await;
        let first = poll_fn(|cx| std::pin::Pin::new(&mut stuck).poll_next(cx)).await;
        assert!(first.unwrap().is_ok());
        tokio::time::sleep(3 * PATIENCE).await;
        assert_eq!(budget.taken(), 0);
        let next = poll_fn(|cx| std::pin::Pin::new(&mut stuck).poll_next(cx)).await;
        assert!(next.unwrap().is_err());
    }

    #[test]
    fn texts_are_escaped_as_serde_does() {
        for text in ["", "/a b/ü🙂.png", "\"", "a\\b\n\u{7f}\u{1}"] {
            let mut out = b"\"".to_vec();
            push_text(&mut out, text).unwrap();
            out.push(b'"');
            assert_eq!(out, json!(text).to_string().into_bytes());
        }
    }
}
