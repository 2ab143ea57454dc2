//! Reading single values, and collecting what is wrong with them.

use crate::settings::bad::BadSetting;
use ipnet::IpNet;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Reads settings and collects what is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) faults: Vec<BadSetting>,
}

impl Reader {
    pub(super) fn fault(&mut self, name: &'static str, why: String, example: &'static str) {
        self.faults.push(BadSetting { name, why, example });
    }

    pub(super) fn has_fault(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.name == name)
    }

    /// `None` when it is not set, or cannot be used, which is noted.
    pub(super) fn text<T>(
        &mut self,
        name: &'static str,
        value: Option<String>,
        example: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = value.filter(|text| !text.trim().is_empty())?;
        match parse(value.trim()) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.fault(name, why, example);
                None
            }
        }
    }

    /// A whole number above zero.
    pub(super) fn count(
        &mut self,
        name: &'static str,
        value: Option<String>,
        example: &'static str,
        default: NonZeroU32,
    ) -> NonZeroU32 {
        self.text(name, value, example, |text| {
            text.parse()
                .map_err(|_| format!("`{}` is not a whole number above zero.", shown(text)))
        })
        .unwrap_or(default)
    }

    /// From one second to `longest`.
    pub(super) fn duration(
        &mut self,
        name: &'static str,
        value: Option<String>,
        example: &'static str,
        default: Duration,
        longest: Duration,
    ) -> Duration {
        self.text(name, value, example, |text| {
            let duration = parse_duration(text)?;
            if (Duration::from_secs(1)..=longest).contains(&duration) {
                Ok(duration)
            } else {
                Err(format!(
                    "`{}` is out of range: from 1s to {}s.",
                    shown(text),
                    longest.as_secs()
                ))
            }
        })
        .unwrap_or(default)
    }
}

/// A time after which something is removed: from an hour to ten years. `None`: it is kept.
pub(super) fn retention(text: &str) -> Result<Option<Duration>, String> {
    const HOUR: Duration = Duration::from_secs(3_600);
    const TEN_YEARS: Duration = Duration::from_secs(3_650 * 24 * 3_600);
    if text == "keep" {
        return Ok(None);
    }
    let duration = parse_duration(text).map_err(|why| format!("{why} Or `keep`."))?;
    match (HOUR..=TEN_YEARS).contains(&duration) {
        true => Ok(Some(duration)),
        false => Err(format!(
            "`{}` is out of range: from 1h to 3650d, or `keep`.",
            shown(text)
        )),
    }
}

/// Durations like `30s`, `15m`, `12h`, `7d` or `1h30m`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || {
        format!(
            "`{}` is not a duration: a number and `s`, `m`, `h` or `d`.",
            shown(text)
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| refuse())?;
        let (seconds, after) = match rest.as_bytes().get(digits) {
            Some(b's') => (1, digits + 1),
            Some(b'm') => (60, digits + 1),
            Some(b'h') => (3_600, digits + 1),
            Some(b'd') => (24 * 3_600, digits + 1),
            _ => return Err(refuse()),
        };
        total = number
            .checked_mul(seconds)
            .and_then(|seconds| total.checked_add(Duration::from_secs(seconds)))
            .ok_or_else(refuse)?;
        rest = &rest[after..];
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

/// The smallest memory budget, in bytes: a workspace's quarter must hold a few bodies.
const LEAST_MEMORY: u64 = 16 << 20;

/// A size like `64MiB` or `2GiB`, in bytes; at least [`LEAST_MEMORY`].
pub(super) fn memory_budget(text: &str) -> Result<u64, String> {
    let refuse = || {
        format!(
            "`{}` is not a size: a number and `MiB` or `GiB`, 16MiB at least.",
            shown(text)
        )
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| refuse())?;
    let unit: u64 = match &text[digits..] {
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(refuse()),
    };
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes >= LEAST_MEMORY)
        .ok_or_else(refuse)
}

/// The highest rate that may be asked of a client, in bytes a second.
const HIGHEST_RATE: u64 = 1 << 20;

/// A rate like `1KiB`, in bytes a second; up to [`HIGHEST_RATE`]. 0 is any.
pub(super) fn transfer_rate(text: &str) -> Result<u64, String> {
    let refuse = || {
        format!(
            "`{}` is not a rate: a number of bytes a second with `KiB` or `MiB`, 1MiB at most, or 0.",
            shown(text)
        )
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| refuse())?;
    let unit: u64 = match &text[digits..] {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "" if number == 0 => 1,
        _ => return Err(refuse()),
    };
    number
        .checked_mul(unit)
        .filter(|rate| *rate <= HIGHEST_RATE)
        .ok_or_else(refuse)
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err("A path has no NUL character.".into());
    }
    Ok(PathBuf::from(text))
}

/// A web address, with the path that a proxy strips if there is one. The path does not end with a slash.
pub(super) fn public_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter(|url| url.has_host() && url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            format!(
                "`{}` is not a web address without query and user.",
                shown(text)
            )
        })?;
    let path = url.path();
    let path = path.strip_suffix('/').unwrap_or(path).to_owned();
    if !is_plain_path(&path) {
        return Err(format!(
            "The path of `{}` has more than letters, digits and `-._~` between its slashes.",
            shown(text)
        ));
    }
    url.set_path(&path);
    Ok(url)
}

/// Whether the path is empty, or needs no escape in a link, a header and a cookie.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    path.is_empty()
        || path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|segment| !segment.is_empty() && segment.bytes().all(is_plain))
        })
}

/// The shortest operator token, in characters.
const OPERATOR_TOKEN_MIN: usize = 32;

pub(super) fn operator_token(text: &str) -> Result<SecretString, String> {
    let length = text.chars().count();
    if length < OPERATOR_TOKEN_MIN {
        return Err(format!(
            "The operator's token has at least {OPERATOR_TOKEN_MIN} characters; this one has {length}."
        ));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("The operator's token has visible ASCII characters only.".into());
    }
    Ok(SecretString::from(text))
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("`{}` is not an IP address and a port.", shown(text)))
}

pub(super) fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{}` is neither `on` nor `off`.", shown(text))),
    }
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .map_err(|_| format!("`{}` is not a network in CIDR form.", shown(text)))
}

pub(super) fn list<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse)
        .collect()
}

pub(super) fn shown(text: &str) -> String {
    crate::domain::invalid::shown(text)
}
