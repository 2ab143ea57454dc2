//! One file's bytes down or up: through the service, or by the plain SDK.

use super::stub::{BUCKET, Stub};
use super::{Outcome, Service, connect_for, s3_client, sdk_config};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::Method;
use serde_json::Value;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What a program that reads a file hands on at once.
const CHUNK: usize = 64 * 1024;
/// A body up to this size is given to the SDK as a whole, which is how small ones are sent.
const WHOLE: u64 = 256 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Down,
    Up,
    /// Without a `Content-Length`.
    UpUntold,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::UpUntold => "up, length untold",
        }
    }
}

/// Who carries the bytes.
#[derive(Clone)]
pub enum Carrier {
    Service(Arc<Through>),
    Sdk(aws_sdk_s3::Client),
}

pub struct Through {
    pub service: Service,
    storage: String,
    token: String,
}

impl Carrier {
    /// A service that has just started, with a storage.
    pub async fn service(stub: &Stub) -> Outcome<(Self, Arc<Through>)> {
        let service = Service::start(&stub.url()).await?;
        let (storage, token) = connect_for(&service, stub, "read_write").await?;
        let through = Arc::new(Through {
            service,
            storage,
            token,
        });
        Ok((Self::Service(through.clone()), through))
    }

    pub fn sdk(stub: &Stub) -> Self {
        Self::Sdk(s3_client(&sdk_config(&stub.url())))
    }

    /// Carries an object of this length. With `meeting`, it waits after its first bytes until all who
    /// meet there have got as far.
    pub async fn carry(&self, way: Way, length: u64, meeting: Option<Arc<Barrier>>) -> Outcome<()> {
        match (self, way) {
            (Self::Service(through), Way::Down) => through.down(length, meeting).await,
            (Self::Service(through), way) => {
                let body = Made::new(length, way == Way::Up, meeting);
                through.up(length, reqwest::Body::wrap(body)).await
            }
            (Self::Sdk(s3), Way::Down) => sdk_down(s3, length, meeting).await,
            (Self::Sdk(s3), _) => {
                let body = match length <= WHOLE {
                    true => ByteStream::from(vec![b'x'; usize::try_from(length)?]),
                    false => ByteStream::from_body_1_x(Made::new(length, true, meeting)),
                };
                let put = s3.put_object().bucket(BUCKET).key("upload.bin");
                put.body(body).send().await?;
                Ok(())
            }
        }
    }

    /// Carries so many objects, so many at once, and tells how long it took.
    pub async fn carry_many(
        &self,
        way: Way,
        length: u64,
        count: u64,
        at_once: u64,
    ) -> Outcome<Duration> {
        let began = Instant::now();
        let mut lanes = JoinSet::new();
        for lane in 0..at_once {
            let carrier = self.clone();
            let its = count / at_once + u64::from(lane < count % at_once);
            lanes.spawn(async move {
                for _ in 0..its {
                    carrier.carry(way, length, None).await?;
                }
                Outcome::Ok(())
            });
        }
        while let Some(lane) = lanes.join_next().await {
            lane??;
        }
        Ok(began.elapsed())
    }

    /// Carries so many objects, all under way at the same moment.
    pub async fn carry_crowd(&self, way: Way, length: u64, count: u64) -> Outcome<Duration> {
        let meeting = Arc::new(Barrier::new(usize::try_from(count)?));
        let began = Instant::now();
        let mut crowd = JoinSet::new();
        for _ in 0..count {
            let (carrier, meeting) = (self.clone(), meeting.clone());
            crowd.spawn(async move { carrier.carry(way, length, Some(meeting)).await });
        }
        while let Some(one) = crowd.join_next().await {
            one??;
        }
        Ok(began.elapsed())
    }
}

impl Through {
    async fn down(&self, length: u64, meeting: Option<Arc<Barrier>>) -> Outcome<()> {
        let path = format!("{}/files/content?key=%2F{length}.bin", self.storage);
        let mut answer = self
            .service
            .request(Method::GET, &path, &self.token)
            .send()
            .await?;
        let mut got = 0;
        let mut meeting = meeting;
        while let Some(chunk) = answer.chunk().await? {
            got += chunk.len() as u64;
            meet(&mut meeting).await;
        }
        whole(got, length)
    }

    async fn up(&self, length: u64, body: reqwest::Body) -> Outcome<()> {
        let path = format!("{}/files/content?key=%2Fupload.bin", self.storage);
        let answer = self
            .service
            .request(Method::PUT, &path, &self.token)
            .header("content-type", "application/octet-stream")
            .body(body)
            .send()
            .await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("an upload: {status}: {text}").into());
        }
        let stored: Value = serde_json::from_str(&text)?;
        whole(stored["size"].as_u64().unwrap_or(0), length)
    }
}

async fn sdk_down(
    s3: &aws_sdk_s3::Client,
    length: u64,
    meeting: Option<Arc<Barrier>>,
) -> Outcome<()> {
    let object = s3.get_object().bucket(BUCKET).key(format!("{length}.bin"));
    let mut body = object.send().await?.body;
    let mut got = 0;
    let mut meeting = meeting;
    while let Some(chunk) = body.next().await {
        got += chunk?.len() as u64;
        meet(&mut meeting).await;
    }
    whole(got, length)
}

async fn meet(meeting: &mut Option<Arc<Barrier>>) {
    if let Some(meeting) = meeting.take() {
        meeting.wait().await;
    }
}

fn whole(got: u64, length: u64) -> Outcome<()> {
    match got == length {
        true => Ok(()),
        false => Err(format!("{got} bytes of {length} came").into()),
    }
}

/// A body that is made up as it is sent.
struct Made {
    left: u64,
    known_length: bool,
    begun: bool,
    /// In a mutex because a body must be fit to be shared, which it never is.
    pause: Option<Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Made {
    fn new(length: u64, known_length: bool, meeting: Option<Arc<Barrier>>) -> Self {
        let pause = meeting.map(|meeting| async move {
            meeting.wait().await;
        });
        Self {
            left: length,
            known_length,
            begun: false,
            pause: pause.map(|pause| Mutex::new(Box::pin(pause) as _)),
        }
    }
}

impl Body for Made {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static BYTES: [u8; CHUNK] = [b'x'; CHUNK];
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.begun
            && let Some(pause) = &mut self.pause
        {
            let pause = pause.get_mut().unwrap_or_else(PoisonError::into_inner);
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        self.begun = true;
        let now = usize::try_from(self.left).map_or(CHUNK, |left| left.min(CHUNK));
        self.left -= now as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&BYTES[..now])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.known_length {
            true => SizeHint::with_exact(self.left),
            false => SizeHint::default(),
        }
    }
}
