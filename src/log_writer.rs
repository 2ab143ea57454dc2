//! Writes the log from a thread of its own, so that nobody who logs ever waits for whoever reads it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};
use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait to be written before further ones are dropped. A line has a few hundred bytes.
const WAITING_LINES: usize = 4_096;
/// How long the end of the process waits for lines that are not written yet.
const LAST_LINES: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// Answer when everything before is written.
    End(Sender<()>),
}

/// Takes lines. When too many wait, further ones are dropped and counted.
#[derive(Clone)]
pub struct LogWriter {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// Waits, when it is dropped, until what was logged is written, unless nobody takes it.
pub struct LogGuard(SyncSender<Message>);

impl LogWriter {
    /// A writer to standard output.
    pub fn to_stdout() -> io::Result<(Self, LogGuard)> {
        // Not by way of the standard library's own lock on it, which whoever prints would wait for.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Self::to(out)
    }

    fn to(out: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let (lines, waiting) = sync_channel(WAITING_LINES);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&waiting, BufWriter::new(out)))?;
        let guard = LogGuard(lines.clone());
        let dropped = Arc::default();
        Ok((Self { lines, dropped }, guard))
    }

    /// The number of lines that were dropped.
    pub fn dropped(&self) -> Arc<AtomicU64> {
        self.dropped.clone()
    }
}

/// Writes until nobody logs any more. A line that cannot be written is lost: there is nowhere to say so.
fn write_all(waiting: &Receiver<Message>, mut out: impl Write) {
    loop {
        let message = match waiting.try_recv() {
            Ok(message) => message,
            Err(TryRecvError::Empty) => {
                let _ = out.flush();
                match waiting.recv() {
                    Ok(message) => message,
                    Err(_) => return,
                }
            }
            Err(TryRecvError::Disconnected) => {
                let _ = out.flush();
                return;
            }
        };
        match message {
            Message::Line(line) => {
                let _ = out.write_all(&line);
            }
            Message::End(done) => {
                let _ = out.flush();
                let _ = done.send(());
            }
        }
    }
}

impl Write for LogWriter {
    /// The subscriber gives each line in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lines.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let end = Instant::now() + LAST_LINES;
        let (sender, done) = channel();
        // While too many lines wait, there is no place for the question either.
        while self.0.try_send(Message::End(sender.clone())).is_err() {
            let _ = done.recv_timeout(Duration::from_millis(10));
            if Instant::now() >= end {
                return;
            }
        }
        let _ = done.recv_timeout(end.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Takes nothing while it is locked.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_written_in_their_order_before_the_end() {
        let pipe = Pipe::default();
        let (mut writer, guard) = LogWriter::to(pipe.clone()).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            writer.write_all(line.as_bytes()).unwrap();
        }
        drop(guard);
        assert_eq!(*pipe.0.lock().unwrap(), b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_reader_that_takes_nothing_holds_up_nobody_and_what_is_dropped_is_counted() {
        let pipe = Pipe::default();
        let (mut writer, guard) = LogWriter::to(pipe.clone()).unwrap();
        let stalled = pipe.0.lock().unwrap();
        let began = Instant::now();
        // More than the queue and the buffer before the pipe hold.
        let line = [b'x'; 1_000];
        for _ in 0..3 * WAITING_LINES {
            writer.write_all(&line).unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(2));
        let dropped = writer.dropped().load(Ordering::Relaxed);
        assert!(dropped > WAITING_LINES as u64, "{dropped}");
        drop(guard);
        assert!(began.elapsed() < Duration::from_secs(5));
        drop(stalled);
    }
}
