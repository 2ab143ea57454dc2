//! Counts the bytes of requests' and responses' bodies, for what a workspace uses.

use crate::application::people::usage::UsageMeter;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::usage::Used;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{HttpMessage, error::PayloadError};
use bytes::Bytes;
use futures_util::StreamExt;
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How many bytes of a request's body were read so far.
#[derive(Clone, Default)]
pub struct Received(Rc<Cell<u64>>);

impl Received {
    /// Counts the request's body from now on, as whoever takes it reads it.
    pub fn count(request: &mut ServiceRequest) -> Self {
        let received = Self::default();
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return received;
        }
        let counted = received.clone();
        let stream = payload.inspect(move |chunk: &Result<Bytes, PayloadError>| {
            if let Ok(chunk) = chunk {
                counted.0.set(counted.0.get() + chunk.len() as u64);
            }
        });
        let payload: Payload = Payload::Stream {
            payload: Box::pin(stream),
        };
        request.set_payload(payload);
        received
    }

    pub fn bytes(&self) -> u64 {
        self.0.get()
    }
}

/// Counts a response's body for the workspace: at once where it is in memory, and otherwise as it is sent.
pub fn count_sent(body: BoxBody, meter: &Arc<UsageMeter>, workspace: &WorkspaceId) -> BoxBody {
    match body.try_into_bytes() {
        Ok(bytes) => {
            add(meter, workspace, bytes.len() as u64);
            BoxBody::new(bytes)
        }
        Err(body) => BoxBody::new(CountedBody {
            body,
            sent: 0,
            meter: meter.clone(),
            workspace: workspace.clone(),
        }),
    }
}

fn add(meter: &UsageMeter, workspace: &WorkspaceId, bytes_out: u64) {
    if bytes_out > 0 {
        let used = Used {
            bytes_out,
            ..Used::default()
        };
        meter.add(workspace, &used);
    }
}

/// A body that is counted when it has ended, or its client has left.
struct CountedBody {
    body: BoxBody,
    sent: u64,
    meter: Arc<UsageMeter>,
    workspace: WorkspaceId,
}

impl MessageBody for CountedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let polled = self.body.as_pin_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.sent += chunk.len() as u64;
        }
        polled
    }
}

impl Drop for CountedBody {
    fn drop(&mut self) {
        add(&self.meter, &self.workspace, self.sent);
    }
}
