//! The signing of one call's URLs: what they share is made once, and the buffers are used again.

use crate::application::bucket::sign::{CommonParts, OwnParts, SignedCall, UrlMaker};
use crate::aws::signer::encode::{hex, push_path, push_query};
use crate::aws::signer::key::{SigningKeys, stamp};
use crate::aws::signer::place::Place;
use crate::aws::signer::shape::{Item, Operation};
use aws_lc_rs::{digest, hmac};
use std::time::{Duration, SystemTime};

/// What a call's URLs are signed for, besides the objects.
pub(crate) struct Terms<'a> {
    pub bucket: &'a str,
    /// What the keys begin with. It becomes part of what all URLs have in common.
    pub prefix: &'a str,
    /// What each request must carry, in the order of names.
    pub headers: &'a [(&'static str, String)],
    stamp: String,
    seconds: u64,
}

impl<'a> Terms<'a> {
    /// For URLs that work from `start` for `life`, in whole seconds.
    pub fn new(
        bucket: &'a str,
        prefix: &'a str,
        headers: &'a [(&'static str, String)],
        start: SystemTime,
        life: Duration,
    ) -> Self {
        Self {
            bucket,
            prefix,
            headers,
            stamp: stamp(start),
            seconds: life.as_secs(),
        }
    }
}

/// The parts of a call's URLs and of their canonical requests that do not change from key to key.
///
/// The query of a canonical request is in the order of names. What changes in it is between what begins with
/// `X-Amz-` and the rest, and has there the order that it has in the URL.
pub(super) struct Run {
    common: CommonParts,
    id: &'static str,
    /// Whether what changes in a query does not change in this call: it is in `common` then.
    is_shared: bool,
    /// How much of each key is in `common`.
    prefix: usize,
    /// Of the canonical request: before the key, between the key and what changes in the query, and behind.
    head: String,
    middle: String,
    tail: String,
    /// Has taken all that is signed but the hash of the canonical request.
    begun: hmac::Context,
    canonical: String,
    asked: String,
}

impl Run {
    /// `shared`: what all URLs of the call ask for, where they ask for the same.
    pub fn new(
        keys: &SigningKeys,
        place: &Place,
        call: &SignedCall,
        shared: Option<&Item<'_>>,
        prefix: &str,
        terms: &Terms<'_>,
    ) -> Self {
        let operation = Operation::of(call);
        let id = operation.id();
        let key = keys.of(terms.stamp.get(..8).unwrap_or_default(), place);

        let headers = terms.headers.iter();
        let mut headers: Vec<(&str, &str)> = headers
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("host", place.host.as_str())])
            .collect();
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");

        let mut scope = String::new();
        push_query(&mut scope, &key.scope);
        let issued = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{scope}&X-Amz-Date={}&X-Amz-Expires={}",
            keys.access_key_id, terms.stamp, terms.seconds
        );
        let mut signed_headers = String::from("&X-Amz-SignedHeaders=");
        push_query(&mut signed_headers, &names);
        let token = keys.token.as_ref();
        let end = token.map_or_else(String::new, |token| {
            format!("&X-Amz-Security-Token={token}")
        });

        // With `&` in front, in the order of names, which is the URL's own.
        let mut fixed = String::new();
        match call {
            SignedCall::Parts { upload_id, .. } => {
                fixed.push_str("&uploadId=");
                push_query(&mut fixed, upload_id);
            }
            SignedCall::Read { .. } | SignedCall::Put { .. } | SignedCall::Delete { .. } => {}
        }
        if place.pays {
            fixed.push_str("&x-amz-request-payer=requester");
        }

        let mut base = place.base.clone();
        push_path(&mut base, prefix);
        let mut head = format!("{}\n{}", operation.method(), place.path());
        push_path(&mut head, prefix);
        let middle = format!("\n{issued}{end}{signed_headers}");
        let mut tail = fixed.clone();
        if !id.is_empty() {
            tail.push('&');
            tail.push_str(id);
        }
        tail.push('\n');
        for &(name, value) in &headers {
            tail.extend([name, ":", value, "\n"]);
        }
        tail.extend(["\n", names.as_str(), "\nUNSIGNED-PAYLOAD"]);

        let mut query = String::new();
        if let Some(item) = shared {
            let mut asked = String::new();
            push_asked(&mut asked, item);
            push_own(&mut query, id, &asked);
        }
        if let Some(fixed) = fixed.strip_prefix('&') {
            query.extend([fixed, "&"]);
        }
        query.extend([
            issued.as_str(),
            signed_headers.as_str(),
            "&X-Amz-Signature=",
        ]);
        Self {
            common: CommonParts { base, query, end },
            id,
            is_shared: shared.is_some(),
            prefix: prefix.len(),
            head,
            middle,
            tail,
            begun: key.begin(&terms.stamp),
            canonical: String::new(),
            asked: String::new(),
        }
    }

    pub fn common(&self) -> &CommonParts {
        &self.common
    }

    /// Signs for an item whose key begins with the prefix.
    pub fn make(&mut self, item: &Item<'_>, parts: &mut OwnParts) {
        push_path(
            &mut parts.key,
            item.key.get(self.prefix..).unwrap_or_default(),
        );
        self.asked.clear();
        push_asked(&mut self.asked, item);
        if !self.is_shared {
            push_own(&mut parts.own, self.id, &self.asked);
        }
        self.canonical.clear();
        self.canonical.extend([
            self.head.as_str(),
            parts.key.as_str(),
            self.middle.as_str(),
            self.asked.as_str(),
            self.tail.as_str(),
        ]);
        let hash = digest::digest(&digest::SHA256, self.canonical.as_bytes());
        let mut signed = self.begun.clone();
        signed.update(&hex(hash.as_ref()));
        let digits = hex(signed.sign().as_ref());
        parts.signature.push_str(&String::from_utf8_lossy(&digits));
    }
}

/// Appends what an item asks for in the query, each pair with `&` in front.
fn push_asked(out: &mut String, item: &Item<'_>) {
    if let Some(number) = item.number {
        out.push_str("&partNumber=");
        out.push_str(&number.to_string());
    }
    if let Some(disposition) = item.disposition {
        out.push_str("&response-content-disposition=");
        push_query(out, disposition);
    }
    if let Some(content_type) = item.content_type {
        out.push_str("&response-content-type=");
        push_query(out, content_type);
    }
}

/// Appends the beginning of a URL's query, with `&` behind where there is any.
fn push_own(out: &mut String, id: &str, asked: &str) {
    let begins_at = out.len();
    out.push_str(id);
    out.push_str(match id.is_empty() {
        true => asked.strip_prefix('&').unwrap_or(asked),
        false => asked,
    });
    if out.len() > begins_at {
        out.push('&');
    }
}

/// The URLs of a call, signed here.
pub(crate) struct OwnUrls {
    call: SignedCall,
    run: Run,
}

impl OwnUrls {
    /// For a call whose every [shape](super::shapes_of) was proved at this place.
    pub(super) fn new(
        keys: &SigningKeys,
        place: &Place,
        call: SignedCall,
        terms: &Terms<'_>,
    ) -> Self {
        let of = &call;
        let items = move || (0..of.count()).filter_map(move |at| Item::of(of, at));
        let first = items().next();
        let shared = first.filter(|first| items().all(|item| item.asks_as(first)));
        let prefix = match items().all(|item| item.key.starts_with(terms.prefix)) {
            true => terms.prefix,
            false => "",
        };
        let run = Run::new(keys, place, of, shared.as_ref(), prefix, terms);
        Self { call, run }
    }
}

impl UrlMaker for OwnUrls {
    fn count(&self) -> usize {
        self.call.count()
    }

    fn common(&self) -> &CommonParts {
        self.run.common()
    }

    fn make(&mut self, at: usize, parts: &mut OwnParts) {
        if let Some(item) = Item::of(&self.call, at) {
            self.run.make(&item, parts);
        }
    }
}
