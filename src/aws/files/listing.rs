//! Whether a page of a listing can be believed.
//!
//! A store that answers the same page again and again, forgets its own token, or contradicts itself would
//! make an endless listing or a short one. The token that is given out for the next page says besides S3's
//! own token how far the listing is, so each page is compared with what came before it.
//!
//! Amazon S3 lists general purpose buckets in the order of the keys' UTF-8 bytes (S3 API reference,
//! ListObjectsV2). A store that does not keep this order within a page is listed by its tokens alone. Then
//! a page that comes twice shows that it goes in a circle (R. P. Brent, "An improved Monte Carlo
//! factorization algorithm", section 2).

use crate::application::bucket::read::{ListFrom, ListPage, ListRequest};
use crate::aws::files::convert::decode;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many pages without a key may follow each other. Amazon S3 gives some where it skips much.
const MOST_EMPTY: u32 = 100;
/// Begins a token of this kind. Tokens of earlier releases are S3's own.
const FORM: &str = "sallyport-1:";

/// Why a page is not believed. For the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contradiction(pub &'static str);

/// How far a listing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// S3's own token.
    token: String,
    /// The greatest key or common prefix so far.
    #[serde(default)]
    last: Option<String>,
    /// Pages without a key since the last key.
    #[serde(default)]
    empty: u32,
    /// Whether the store keeps no order.
    #[serde(default)]
    disordered: bool,
    /// A page seen before, how many have come since, and after how many a later one takes its place.
    #[serde(default)]
    seen: u64,
    #[serde(default)]
    since: u32,
    #[serde(default)]
    until: u32,
}

impl Mark {
    /// Reads a token that was given out.
    pub fn read(token: &str) -> Self {
        token
            .strip_prefix(FORM)
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_else(|| Self {
                token: token.to_owned(),
                ..Self::default()
            })
    }

    fn write(&self) -> Option<String> {
        let json = serde_json::to_string(self).ok()?;
        Some(format!("{FORM}{json}"))
    }

    /// S3's own token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token for the next page of a list of other things, of which this page has these. `None` where this
    /// page has come before.
    pub fn beyond<'a>(
        mut self,
        next: String,
        names: impl ExactSizeIterator<Item = &'a str>,
    ) -> Option<String> {
        let is_empty = names.len() == 0;
        let mut hasher = DefaultHasher::new();
        match is_empty {
            true => next.hash(&mut hasher),
            false => names.for_each(|name| name.hash(&mut hasher)),
        }
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if next == self.token || self.empty > MOST_EMPTY || !self.goes_on(hasher.finish()) {
            return None;
        }
        self.token = next;
        self.write()
    }

    /// Goes on to the next page. False where this one has come before.
    fn goes_on(&mut self, page: u64) -> bool {
        if self.since > 0 && self.seen == page {
            return false;
        }
        if self.since >= self.until {
            self.seen = page;
            self.until = self.until.saturating_mul(2).max(1);
            self.since = 0;
        }
        self.since += 1;
        true
    }
}

/// What a page says of itself. Stores leave much of it out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub of: Echo,
    pub is_truncated: Option<bool>,
    pub token: Option<String>,
    pub key_count: Option<i32>,
}

/// What a listing was asked for, and what its answer repeats of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Echo {
    pub bucket: Option<String>,
    pub prefix: Option<String>,
    pub delimiter: Option<String>,
    pub start_after: Option<String>,
}

impl Echo {
    /// Whether the answer is one to this question. What it leaves out, or leaves empty, agrees, blanks of an
    /// indented answer included; so does a text that is encoded in one of the two ways that `encoding-type`
    /// knows, whatever the answer says of that.
    pub fn answers(&self, asked: &Self) -> Result<(), Contradiction> {
        let agrees = |said: &Option<String>, asked: &Option<String>| {
            let said = said.as_deref().unwrap_or_default();
            let asked = asked.as_deref().unwrap_or_default();
            said.trim().is_empty() || said == asked || decode(said).is_ok_and(|said| said == asked)
        };
        let same_name = |said: &str, asked: &str| {
            // A store with tenants may put the tenant's name before it.
            let said = said.rsplit([':', '/']).next().unwrap_or(said);
            said.eq_ignore_ascii_case(asked)
        };
        match (&self.bucket, &asked.bucket) {
            (Some(said), Some(asked))
                if !said.trim().is_empty() && !same_name(said.trim(), asked) =>
            {
                return Err(Contradiction("it is of another bucket"));
            }
            (Some(_) | None, Some(_) | None) => {}
        }
        for (said, asked, why) in [
            (&self.prefix, &asked.prefix, "it is of another prefix"),
            (
                &self.delimiter,
                &asked.delimiter,
                "it is by another delimiter",
            ),
            (
                &self.start_after,
                &asked.start_after,
                "it begins after another key",
            ),
        ] {
            if !agrees(said, asked) {
                return Err(Contradiction(why));
            }
        }
        Ok(())
    }
}

/// The page with the token for the next one, if it agrees with itself, with what was asked, and with what
/// came before. Keys outside of the `bounds`, the bucket prefix, are not judged here: they are an error of
/// their own.
pub(crate) fn believed(
    request: &ListRequest,
    bounds: &str,
    mark: Option<Mark>,
    said: Said,
    mut page: ListPage,
) -> Result<ListPage, Contradiction> {
    let number = page.objects.len() + page.folders.len();
    if number > request.page_size.min(1000) as usize {
        return Err(Contradiction("it has more keys than were asked for"));
    }
    // Some stores count the keys alone.
    let counts = [number, page.objects.len()].map(|count| i32::try_from(count).ok());
    if said.key_count.is_some() && !counts.contains(&said.key_count) {
        return Err(Contradiction("it has another number of keys than it says"));
    }
    if request.recursive && !page.folders.is_empty() {
        return Err(Contradiction("it leaves out what is in folders"));
    }
    let prefix = request.prefix.as_str();
    let below = |name: &str| match (name.strip_prefix(prefix), name.starts_with(bounds)) {
        (Some(below), _) => Ok(Some(below.to_owned())),
        (None, false) => Ok(None),
        (None, true) => Err(Contradiction("it has a key outside of what was asked for")),
    };
    for object in &page.objects {
        let slash = below(&object.key)?.and_then(|below| Some((below.find('/')?, below.len())));
        // Some stores list a folder's marker beside the folder.
        if !request.recursive && slash.is_some_and(|(at, length)| at + 1 < length) {
            return Err(Contradiction("it goes into folders"));
        }
    }
    for folder in &page.folders {
        let slash = below(folder)?.map(|below| (below.find('/'), below.len()));
        if slash.is_some_and(|(at, length)| length > 0 && at != length.checked_sub(1)) {
            return Err(Contradiction("it has a folder that is none"));
        }
    }
    if page.folders.iter().any(|folder| folder == prefix) {
        return Err(Contradiction("it names the folder as a folder in itself"));
    }
    let names = || {
        let keys = page.objects.iter().map(|object| object.key.as_str());
        keys.chain(page.folders.iter().map(String::as_str))
    };
    if names().any(str::is_empty) {
        return Err(Contradiction("it has an object without a key"));
    }
    let in_order = page.objects.is_sorted_by(|a, b| a.key < b.key) && page.folders.is_sorted();
    // Keys that grow are no keys twice.
    let may_repeat = !in_order || !page.folders.is_empty();
    if may_repeat && names().collect::<HashSet<_>>().len() != number {
        return Err(Contradiction("it has a key twice"));
    }
    let more = match (
        said.is_truncated,
        said.token.filter(|token| !token.is_empty()),
    ) {
        (None, _) => return Err(Contradiction("it does not say whether there is more")),
        (Some(true), None) => return Err(Contradiction("it has no token for the rest")),
        (Some(false), Some(_)) => return Err(Contradiction("it is complete and has a token")),
        (Some(_), more) => more,
    };
    let mut mark = mark.unwrap_or_default();
    mark.disordered |= !in_order;
    let begin = match &request.from {
        ListFrom::After(key) => Some(key.as_str()),
        ListFrom::Continuation(_) if !mark.disordered => mark.last.as_deref(),
        ListFrom::Continuation(_) | ListFrom::Beginning => None,
    };
    if let Some(begin) = begin {
        let is_beyond = |key: &str| key > begin;
        // Some stores go on within a folder that has been named.
        let is_around = |folder: &String| {
            matches!(request.from, ListFrom::After(_)) && begin.starts_with(folder.as_str())
        };
        let grows = page.objects.iter().all(|object| is_beyond(&object.key))
            && page
                .folders
                .iter()
                .all(|folder| is_beyond(folder) || is_around(folder));
        if !grows {
            return Err(Contradiction("it has keys that were listed before"));
        }
    }
    if let Some(token) = more {
        if token == mark.token {
            return Err(Contradiction("it brings the token that was sent"));
        }
        let mut hasher = DefaultHasher::new();
        match number {
            0 => token.hash(&mut hasher),
            _ => names().for_each(|name| name.hash(&mut hasher)),
        }
        if !mark.goes_on(hasher.finish()) {
            return Err(Contradiction("it has come before"));
        }
        mark.empty = if number == 0 { mark.empty + 1 } else { 0 };
        if mark.empty > MOST_EMPTY {
            return Err(Contradiction("one page after the other has no key"));
        }
        let greatest = names().max().map(str::to_owned);
        mark.last = greatest.max(mark.last.take());
        mark.token = token;
        page.continuation = mark.write();
    }
    page.disordered = mark.disordered;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_an_earlier_release_is_taken() {
        assert_eq!(Mark::read("1ueGcxLPRx1Tr").token(), "1ueGcxLPRx1Tr");
        assert_eq!(
            Mark::read("sallyport-1:no json").token(),
            "sallyport-1:no json"
        );
        let mark = Mark {
            token: "t".into(),
            last: Some("ü".into()),
            ..Mark::default()
        };
        assert_eq!(Mark::read(&mark.write().unwrap()), mark);
    }

    #[test]
    fn an_answer_is_one_to_its_question() {
        let echo = |bucket: &str, prefix: &str, delimiter: &str, after: &str| Echo {
            bucket: Some(bucket.into()),
            prefix: Some(prefix.into()),
            delimiter: Some(delimiter.into()),
            start_after: Some(after.into()),
        };
        let asked = echo("photos", "a b+/", "/", "");
        assert!(Echo::default().answers(&asked).is_ok());
        for said in [
            echo("photos", "a b+/", "/", ""),
            echo("Photos", "a+b%2B/", "%2F", ""),
            echo("tenant:photos", "", "", ""),
            echo("\n  photos\n", "\n  ", "\n  ", "\n  "),
        ] {
            assert!(said.answers(&asked).is_ok(), "{said:?}");
        }
        for said in [
            echo("other", "", "", ""),
            echo("", "a b", "", ""),
            echo("", "a b+/c/", "", ""),
            echo("", "", "|", ""),
            echo("", "", "", "x"),
        ] {
            assert!(said.answers(&asked).is_err(), "{said:?}");
        }
    }

    #[test]
    fn a_circle_of_any_length_is_seen() {
        for length in 1..40u64 {
            let mut mark = Mark::default();
            let steps = (0..).take_while(|step| mark.goes_on(step % length)).count() as u64;
            assert!(steps <= 4 * length, "{length}: {steps}");
        }
        let mut mark = Mark::default();
        assert!((0..10_000).all(|step| mark.goes_on(step)));
    }
}
