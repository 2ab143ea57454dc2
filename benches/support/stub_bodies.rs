//! Bodies that the stub takes in: of any size, and kept by nobody.

use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

/// How much is read at once.
const PART: usize = 256 * 1024;

/// Holds a transfer down to so many bytes a second; 0 is as fast as can be.
pub struct Pace {
    bytes_a_second: u64,
    began: Instant,
}

impl Pace {
    pub fn new(bytes_a_second: u64) -> Self {
        Self {
            bytes_a_second,
            began: Instant::now(),
        }
    }

    /// Waits until so many bytes may have passed since the beginning.
    pub async fn keep(&self, bytes: u64) {
        if self.bytes_a_second > 0 {
            let time = bytes as f64 / self.bytes_a_second as f64;
            tokio::time::sleep_until(self.began + Duration::from_secs_f64(time)).await;
        }
    }
}

/// Reads a body of this length, of which `buffer` may have the beginning, and throws it away. What
/// follows the body stays in `buffer`. False when the client has left.
pub async fn pass_over(
    read: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut Vec<u8>,
    length: u64,
    pace: &Pace,
    mut see: impl FnMut(&[u8]),
) -> std::io::Result<bool> {
    let here = usize::try_from(length).map_or(buffer.len(), |length| length.min(buffer.len()));
    see(&buffer[..here]);
    buffer.drain(..here);
    let mut left = length - here as u64;
    let mut part = vec![0; PART.min(usize::try_from(left).unwrap_or(PART))];
    while left > 0 {
        let most = part.len().min(usize::try_from(left).unwrap_or(PART));
        let got = read.read(&mut part[..most]).await?;
        if got == 0 {
            return Ok(false);
        }
        see(&part[..got]);
        left -= got as u64;
        pace.keep(length - left).await;
    }
    Ok(true)
}

/// Reads `aws-chunked` (S3 API reference, "Signature calculations: transferring a payload in multiple
/// chunks"): sizes in hexadecimal, chunks, and a trailer. It counts the chunks' bytes.
#[derive(Default)]
pub struct AwsChunks {
    state: State,
    line: Vec<u8>,
    /// What the chunks held.
    pub payload: u64,
    /// What follows the last chunk.
    pub trailer: String,
    /// Something was no chunk.
    pub broken: bool,
}

#[derive(Default, Clone, Copy)]
enum State {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailer,
}

impl AwsChunks {
    pub fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if let State::Data(left) = self.state {
                let now = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.payload += now as u64;
                bytes = &bytes[now..];
                self.state = match left - now as u64 {
                    0 => State::DataEnd,
                    left => State::Data(left),
                };
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.line.extend_from_slice(bytes);
                return;
            };
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            self.state = self.after(line.trim_end());
        }
    }

    fn after(&mut self, line: &str) -> State {
        match self.state {
            State::Size => {
                let size = line.split(';').next().unwrap_or_default();
                match u64::from_str_radix(size, 16) {
                    Ok(0) => State::Trailer,
                    Ok(size) => State::Data(size),
                    Err(_) => {
                        self.broken = true;
                        State::Trailer
                    }
                }
            }
            State::DataEnd => {
                self.broken |= !line.is_empty();
                State::Size
            }
            State::Trailer | State::Data(_) => {
                self.trailer += line;
                self.trailer.push('\n');
                State::Trailer
            }
        }
    }
}
