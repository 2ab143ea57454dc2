//! Another website: a page of an origin that is not the service's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

pub struct Elsewhere {
    address: SocketAddr,
}

impl Elsewhere {
    /// A server that answers every request with this page. It lives as long as the test process.
    pub fn serve(html: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let html = html.into();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, html) = (stream.unwrap(), html.clone());
                // Browsers also connect ahead, and then say nothing for a while.
                std::thread::spawn(move || answer(stream, &html));
            }
        });
        Self { address }
    }

    /// Its address on the service's own site (the host is the same), but of another origin.
    pub fn same_site(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its address as another site.
    pub fn cross_site(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }
}

fn answer(mut stream: TcpStream, html: &str) {
    if stream.read(&mut [0; 8192]).is_ok_and(|length| length > 0) {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{html}",
            html.len()
        );
        let _ = stream.write_all(answer.as_bytes());
    }
}
