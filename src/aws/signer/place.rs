//! Where URLs of a bucket lead, as the SDK has shown it by one.

use crate::aws::signer::encode::push_path;

/// What is the same in all URLs of a kind, whatever the time and the key. It is read from a URL of the
/// SDK's, so whatever its rules make of Regions, partitions, dual-stack and customers' endpoints is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub bucket: String,
    /// Scheme, host, and the bucket where it is in the path: ends before the key.
    pub base: String,
    /// Where the path begins in the base.
    pub path_at: usize,
    /// The header `Host` as it is signed.
    pub host: String,
    pub region: String,
    pub service: String,
    /// Whether the query agrees to pay.
    pub pays: bool,
}

impl Place {
    /// Reads the place from a URL that the SDK signed for this key. `None`: it is of another form.
    pub fn read(signed: &str, bucket: &str, key: &str) -> Option<Self> {
        let (address, query) = signed.split_once('?')?;
        let mut path = String::new();
        push_path(&mut path, key);
        let base = address.strip_suffix(&path)?;
        let (scheme, rest) = base.split_once("://")?;
        let authority = &rest[..rest.find('/')?];
        let credential = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        let mut scope = credential.rsplit("%2F");
        let (Some("aws4_request"), Some(service), Some(region)) =
            (scope.next(), scope.next(), scope.next())
        else {
            return None;
        };
        if service.contains('%') || region.contains('%') {
            return None;
        }
        Some(Self {
            bucket: bucket.to_owned(),
            base: base.to_owned(),
            path_at: scheme.len() + "://".len() + authority.len(),
            host: host(scheme, authority).to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            pays: query
                .split('&')
                .any(|pair| pair == "x-amz-request-payer=requester"),
        })
    }

    /// The path up to the key.
    pub fn path(&self) -> &str {
        &self.base[self.path_at..]
    }
}

/// HTTP clients leave a scheme's own port out of the header (RFC 9110, section 7.2).
fn host<'a>(scheme: &str, authority: &'a str) -> &'a str {
    match (scheme, authority.rsplit_once(':')) {
        ("http", Some((host, "80"))) | ("https", Some((host, "443"))) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_url_is_not_read() {
        let credential = "X-Amz-Credential=A%2F20260301%2Feu-central-1%2Fs3%2Faws4_request";
        let read = |url: &str| Place::read(url, "a-bucket", "first");
        let place = read(&format!(
            "https://a-bucket.s3.amazonaws.com:443/first?{credential}"
        ));
        let place = place.unwrap();
        assert_eq!(place.host, "a-bucket.s3.amazonaws.com");
        assert_eq!((place.path(), place.pays), ("/", false));
        for url in [
            "https://a-bucket.s3.amazonaws.com/first".to_owned(),
            "https://a-bucket.s3.amazonaws.com/first?x-id=GetObject".to_owned(),
            format!("https://a-bucket.s3.amazonaws.com/other?{credential}"),
            format!("first?{credential}"),
            "https://a/first?X-Amz-Credential=A%2F20260301%2Fs3%2Faws5".to_owned(),
        ] {
            assert_eq!(read(&url), None, "{url}");
        }
    }
}
