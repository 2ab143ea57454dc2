//! Who is at the other end: the client's address, also behind proxies.

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address, in the request's extensions. `None`: the connection has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub Option<IpAddr>);

impl ClientAddr {
    /// The peer's address, unless the peer is a trusted proxy: then the last address in
    /// `X-Forwarded-For` that is not a trusted proxy's, or in `Forwarded` (RFC 7239) where there is no
    /// `X-Forwarded-For`. A proxy appends the address that it was called from, so everything before
    /// the last untrusted one may be made up.
    pub fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        let Some(peer) = peer.map(|address| address.to_canonical()) else {
            return Self(None);
        };
        if !is_trusted(&peer) {
            return Self(Some(peer));
        }
        let mut client = peer;
        for hop in hops(headers).into_iter().rev() {
            // What cannot be read says nothing, and neither does anything before it.
            let Some(address) = hop else { break };
            client = address;
            if !is_trusted(&address) {
                break;
            }
        }
        Self(Some(client))
    }

    /// What counts as one client for a limit: an IPv4 address, or a network of the size that one
    /// subscriber is given in IPv6 (/64).
    pub fn for_limits(self) -> IpAddr {
        match self.0 {
            Some(IpAddr::V6(address)) => {
                let kept = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(kept))
            }
            Some(address) => address,
            None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// The addresses that the headers name, in their order; `None` for one that cannot be read.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let all = |name: HeaderName| {
        let values: Vec<&str> = headers
            .get_all(name)
            .map(|value| value.to_str().unwrap_or("?"))
            .collect();
        values.join(",")
    };
    if headers.contains_key(X_FORWARDED_FOR) {
        let text = all(X_FORWARDED_FOR);
        return text.split(',').map(address).collect();
    }
    if !headers.contains_key(FORWARDED) {
        return Vec::new();
    }
    let text = all(FORWARDED);
    text.split(',')
        .map(|element| {
            element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                let is_for = name.trim().eq_ignore_ascii_case("for");
                is_for.then(|| address(value.trim().trim_matches('"')))?
            })
        })
        .collect()
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()))
        .map(|address: IpAddr| address.to_canonical())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let found = ClientAddr::of(Some(peer.parse().unwrap()), &map, &trusted);
        found.0.unwrap().to_string()
    }

    #[test]
    fn a_stranger_s_headers_say_nothing() {
        let spoofed = [
            ("x-forwarded-for", "192.0.2.9"),
            ("forwarded", "for=192.0.2.9"),
        ];
        assert_eq!(client("198.51.100.1", &spoofed), "198.51.100.1");
        assert_eq!(client("::ffff:198.51.100.1", &spoofed), "198.51.100.1");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_s_counts() {
        for (headers, expected) in [
            (vec![], "10.0.0.1"),
            (vec![("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
            (
                vec![("x-forwarded-for", "192.0.2.9, 192.0.2.1, 10.1.1.1")],
                "192.0.2.1",
            ),
            // Two headers are one list.
            (
                vec![
                    ("x-forwarded-for", "192.0.2.9"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                "192.0.2.1",
            ),
            (
                vec![("x-forwarded-for", "192.0.2.9, unknown, 10.1.1.1")],
                "10.1.1.1",
            ),
            (vec![("x-forwarded-for", "10.1.1.1, 10.1.1.2")], "10.1.1.1"),
            (vec![("x-forwarded-for", "192.0.2.1:4711")], "192.0.2.1"),
            (vec![("x-forwarded-for", "::ffff:192.0.2.1")], "192.0.2.1"),
            (vec![("x-forwarded-for", "")], "10.0.0.1"),
            (
                vec![(
                    "forwarded",
                    "for=192.0.2.9;proto=https, For=\"[2001:db8::1]:80\"",
                )],
                "2001:db8::1",
            ),
            (vec![("forwarded", "for=_hidden, for=fd00::1")], "fd00::1"),
            // Where both are there, a client may have sent the other one.
            (
                vec![
                    ("forwarded", "for=192.0.2.9"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                "192.0.2.1",
            ),
        ] {
            assert_eq!(client("10.0.0.1", &headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_subscriber_s_network_is_one_client() {
        let of = |text: &str| ClientAddr(Some(text.parse().unwrap())).for_limits();
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
