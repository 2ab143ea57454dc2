//! How a listener takes its last connections, so that none is lost that a client was given.

use actix_web::dev::ServerHandle;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::time::sleep;

/// How long established connections are still accepted while new ones are held back.
const LAST_ACCEPTS: Duration = Duration::from_millis(250);

/// Takes no more connections; those that come are refused, so that a proxy tries another replica.
///
/// The kernel resets established connections that wait to be accepted when their socket stops to listen, also where
/// the client has sent its request, which no proxy may then repeat. So with `gently` new connections are held back
/// first, and those that are there are accepted. A client that is held back tries again after a second, by its
/// kernel, and is refused.
pub(super) async fn close(handle: &ServerHandle, socket: TcpListener, gently: bool) {
    if gently {
        match hold_back(&socket) {
            Ok(()) => sleep(LAST_ACCEPTS).await,
            Err(error) => tracing::debug!(%error, "new connections come until the end"),
        }
    }
    handle.pause().await;
    // A paused server still holds the socket. On Linux, a listening socket that is shut down stops to
    // listen (tcp(7) leaves it open; the kernel's inet_shutdown does it).
    let shut = TcpStream::from(OwnedFd::from(socket)).shutdown(Shutdown::Both);
    if let Err(error) = shut {
        tracing::debug!(%error, "the listening socket stays open until the end");
    }
}

/// Lets the kernel drop requests for new connections, which then count as lost on their way.
#[cfg(target_os = "linux")]
fn hold_back(socket: &TcpListener) -> std::io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // Classic BPF, for a segment from its TCP header on: octet 13 has the flags (RFC 9293). The first segment of a
    // connection has SYN (0x02) without ACK (0x10). The last one of a handshake passes.
    let filter = [
        SockFilter::new(LOAD_OCTET, 0, 0, 13),
        SockFilter::new(AND, 0, 0, 0x12),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, 0x02),
        SockFilter::new(ANSWER, 0, 0, 0),
        SockFilter::new(ANSWER, 0, 0, u32::MAX),
    ];
    SockRef::from(socket).attach_filter(&filter)
}

/// `BPF_LD | BPF_B | BPF_ABS` (linux/filter.h, as the next ones).
#[cfg(target_os = "linux")]
const LOAD_OCTET: u16 = 0x30;
/// `BPF_ALU | BPF_AND | BPF_K`
#[cfg(target_os = "linux")]
const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JEQ | BPF_K`
#[cfg(target_os = "linux")]
const JUMP_IF_EQUAL: u16 = 0x15;
/// `BPF_RET | BPF_K`: how many octets pass.
#[cfg(target_os = "linux")]
const ANSWER: u16 = 0x06;

#[cfg(not(target_os = "linux"))]
fn hold_back(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn what_is_established_is_accepted_and_nothing_new_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut early = TcpStream::connect(address).unwrap();
        early.write_all(b"early").unwrap();
        if let Err(error) = hold_back(&listener) {
            assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
            return;
        }
        let late = TcpStream::connect_timeout(&address, Duration::from_millis(300));
        assert!(late.is_err());
        let (mut accepted, _) = listener.accept().unwrap();
        early.write_all(b", and more").unwrap();
        drop(early);
        let mut text = String::new();
        accepted.read_to_string(&mut text).unwrap();
        assert_eq!(text, "early, and more");
        listener.set_nonblocking(true).unwrap();
        let none = listener.accept().unwrap_err();
        assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
    }
}
