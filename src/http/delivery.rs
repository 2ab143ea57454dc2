//! The line that each request has in the log. A file's content is on its way for long after its head: its line is
//! written when it has ended, and says whether all of it was sent.

use crate::application::pace::CutMark;
use crate::http::metrics::{BrokenBy, Direction, HttpMetrics, Transfer};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::Method;
use bytes::Bytes;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tracing::Span;

/// In the extensions of a response whose body is a file's content.
#[derive(Debug, Clone)]
pub struct FileContent {
    /// Set where the body is cut off because its reader is too slow.
    pub cut: CutMark,
}

/// What the log says of a request.
#[derive(Debug)]
pub struct AnsweredLine {
    pub method: Method,
    /// The pattern, never the path.
    pub route: String,
    pub status: u16,
    /// Until the answer's head.
    pub took: Duration,
    /// Of the body; `None`: not known before its end.
    pub bytes: Option<u64>,
    pub workspace: Option<String>,
    pub actor: String,
    pub address: Option<IpAddr>,
    /// The problem's.
    pub code: Option<&'static str>,
}

impl AnsweredLine {
    /// Writes the line of a request whose answer is known.
    pub fn write(&self) {
        tracing::info!(
            method = %self.method,
            route = self.route,
            status = self.status,
            duration_ms = milliseconds(self.took),
            bytes = self.bytes,
            workspace = self.workspace,
            actor = self.actor,
            remote_addr = self.address.map(display),
            code = self.code,
            "answered"
        );
    }

    /// Writes the line of a download that was sent as a whole, after so long.
    fn write_sent(&self, sent: u64, transfer: Duration) {
        tracing::info!(
            method = %self.method,
            route = self.route,
            status = self.status,
            duration_ms = milliseconds(self.took),
            bytes = sent,
            transfer_ms = milliseconds(transfer),
            workspace = self.workspace,
            actor = self.actor,
            remote_addr = self.address.map(display),
            "answered"
        );
    }

    /// Writes the line of a download that ended before its end. Clients leave every day; a bucket does not.
    fn write_broken(&self, sent: u64, transfer: Duration, by: BrokenBy) {
        macro_rules! write_at {
            ($level:ident) => {
                tracing::$level!(
                    method = %self.method,
                    route = self.route,
                    status = self.status,
                    duration_ms = milliseconds(self.took),
                    bytes = sent,
                    expected_bytes = self.bytes,
                    transfer_ms = milliseconds(transfer),
                    broken_off_by = by.as_str(),
                    workspace = self.workspace,
                    actor = self.actor,
                    remote_addr = self.address.map(display),
                    "broken off"
                )
            };
        }
        match by {
            BrokenBy::Connection | BrokenBy::Reader => write_at!(info),
            BrokenBy::Bucket => write_at!(warn),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A file's content on its way to the client.
pub struct Delivery {
    body: BoxBody,
    line: AnsweredLine,
    cut: CutMark,
    metrics: HttpMetrics,
    transfer: Transfer,
    /// The request's: the line belongs to it.
    span: Span,
    begun: Instant,
    sent: u64,
    end: Option<End>,
}

/// What the body has said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NothingMore,
    Failed,
}

impl Delivery {
    /// Counts the body, and writes the line when it has ended.
    pub fn of(body: BoxBody, line: AnsweredLine, cut: CutMark, metrics: HttpMetrics) -> BoxBody {
        let transfer = metrics.begin_transfer(Direction::Download);
        BoxBody::new(Self {
            body,
            line,
            cut,
            metrics,
            transfer,
            span: Span::current(),
            begun: Instant::now(),
            sent: 0,
            end: None,
        })
    }

    /// `None`: everything was given to the connection. The server does not ask for an end after the last byte that
    /// was announced.
    fn broken_by(&self) -> Option<BrokenBy> {
        let is_whole = self
            .line
            .bytes
            .is_some_and(|expected| self.sent >= expected);
        if self.cut.is_set() && !is_whole {
            return Some(BrokenBy::Reader);
        }
        match (self.end, self.line.bytes) {
            (Some(End::Failed), _) => Some(BrokenBy::Bucket),
            (_, Some(_)) if is_whole => None,
            (Some(End::NothingMore), Some(_)) => Some(BrokenBy::Bucket),
            (Some(End::NothingMore), None) => None,
            (None, _) => Some(BrokenBy::Connection),
        }
    }
}

impl MessageBody for Delivery {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let polled = self.body.as_pin_mut().poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => {
                self.transfer.carried(bytes.len());
                self.sent += bytes.len() as u64;
            }
            Poll::Ready(Some(Err(_))) => self.end = Some(End::Failed),
            Poll::Ready(None) => self.end = self.end.or(Some(End::NothingMore)),
            Poll::Pending => {}
        }
        polled
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let span = self.span.clone();
        let _entered = span.enter();
        let transfer = self.begun.elapsed();
        match self.broken_by() {
            None => self.line.write_sent(self.sent, transfer),
            Some(by) => {
                self.metrics.download_broke_off(by);
                self.line.write_broken(self.sent, transfer, by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::SizedStream;
    use futures_util::stream;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;
    use std::future::poll_fn;
    use std::io;

    fn line(bytes: Option<u64>) -> AnsweredLine {
        AnsweredLine {
            method: Method::GET,
            route: "/files".to_owned(),
            status: 200,
            took: Duration::ZERO,
            bytes,
            workspace: None,
            actor: "anonymous".to_owned(),
            address: None,
            code: None,
        }
    }

    /// What the metrics say after a body of these pieces was read so often.
    async fn after(announced: Option<u64>, pieces: Vec<io::Result<Bytes>>, reads: usize) -> String {
        after_with(CutMark::default(), announced, pieces, reads).await
    }

    /// The same where the reader may have been cut off.
    async fn after_with(
        cut: CutMark,
        announced: Option<u64>,
        pieces: Vec<io::Result<Bytes>>,
        reads: usize,
    ) -> String {
        let mut registry = Registry::default();
        let metrics = HttpMetrics::register(&mut registry);
        let body = BoxBody::new(SizedStream::new(9, stream::iter(pieces)));
        let mut body = Delivery::of(body, line(announced), cut, metrics);
        for _ in 0..reads {
            poll_fn(|cx| body.as_pin_mut().poll_next(cx)).await;
        }
        drop(body);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    fn piece(text: &'static str) -> io::Result<Bytes> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn a_download_that_ends_early_is_counted_by_who_ended_it() {
        let has = |text: &str, line: &str| assert!(text.contains(line), "{line}: {text}");
        let connection = "sallyport_downloads_broken_off_total{by=\"connection\"} ";
        let bucket = "sallyport_downloads_broken_off_total{by=\"bucket\"} ";
        let whole = after(Some(5), vec![piece("12"), piece("345")], 2).await;
        has(&whole, &format!("{connection}0"));
        has(&whole, &format!("{bucket}0"));
        has(
            &whole,
            "sallyport_transfer_bytes_total{direction=\"download\"} 5",
        );
        has(&whole, "sallyport_transfers_in_flight 0");
        let left = after(Some(5), vec![piece("12"), piece("345")], 1).await;
        has(&left, &format!("{connection}1"));
        let short = after(Some(5), vec![piece("12")], 2).await;
        has(&short, &format!("{bucket}1"));
        let failed = after(None, vec![piece("12"), Err(io::Error::other("reset"))], 2).await;
        has(&failed, &format!("{bucket}1"));
        let unknown = after(None, vec![piece("12")], 2).await;
        has(&unknown, &format!("{bucket}0"));
        has(&unknown, &format!("{connection}0"));
        let reader = "sallyport_downloads_broken_off_total{by=\"reader\"} ";
        has(&unknown, &format!("{reader}0"));
        let cut = CutMark::default();
        cut.set();
        let stuck = after_with(cut.clone(), Some(5), vec![piece("12")], 1).await;
        has(&stuck, &format!("{reader}1"));
        has(&stuck, &format!("{connection}0"));
        let late = after_with(cut, Some(5), vec![piece("12"), piece("345")], 2).await;
        has(&late, &format!("{reader}0"));
    }
}
