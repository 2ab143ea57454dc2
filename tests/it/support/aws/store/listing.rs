//! How the store lists.

use crate::it::support::aws::store::behaviour::Behaviour;
use crate::it::support::aws::store::{Holdings, StoredObject, escaped};
use crate::it::support::aws::wire::{Reply, Request};
use std::collections::BTreeSet;

/// S3's own way with `encoding-type=url`.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace("%2F", "/")
}

/// A key or a common prefix.
enum Entry {
    Key(String, StoredObject),
    Folder(String),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Key(name, _) | Self::Folder(name) => name,
        }
    }
}

impl Holdings {
    /// What a listing below this prefix has, in S3's order.
    fn entries(&self, prefix: &str, delimiter: Option<&str>) -> Vec<Entry> {
        let mut folders = BTreeSet::new();
        let mut entries = Vec::new();
        for (key, object) in &self.objects {
            let Some(below) = key.strip_prefix(prefix) else {
                continue;
            };
            let end =
                delimiter.and_then(|delimiter| Some(below.find(delimiter)? + delimiter.len()));
            match end {
                None => entries.push(Entry::Key(key.clone(), object.clone())),
                Some(end) => {
                    let folder = format!("{prefix}{}", &below[..end]);
                    if folders.insert(folder.clone()) {
                        entries.push(Entry::Folder(folder));
                    }
                }
            }
        }
        if let Some(also) = self.find(|b| match b {
            Behaviour::ListsAlso(key) => Some(*key),
            _ => None,
        }) {
            let object = StoredObject {
                body: b"hello".to_vec(),
                etag: "\"also\"".into(),
                headers: Vec::new(),
                crc32: None,
            };
            entries.push(Entry::Key(also.to_owned(), object));
        }
        entries.sort_by(|a, b| a.name().cmp(b.name()));
        if self.does(|b| matches!(b, Behaviour::Descending)) {
            entries.reverse();
        }
        entries
    }

    pub(super) fn list(&mut self, request: &Request) -> Reply {
        let prefix = request.query("prefix").unwrap_or_default();
        let delimiter = request.query("delimiter").filter(|text| !text.is_empty());
        let asked = request.query("max-keys").and_then(|text| text.parse().ok());
        let heeded = delimiter
            .as_deref()
            .filter(|_| !self.does(|b| matches!(b, Behaviour::DelimiterIgnored)));
        let mut entries = self.entries(&prefix, heeded);
        let mut most: usize = asked.unwrap_or(1000);
        if self.does(|b| matches!(b, Behaviour::MaxKeysIgnored)) {
            most = 1000;
        }
        if let Some(own) = self.find(|b| match b {
            Behaviour::PagesOf(most)
            | Behaviour::SamePageForEver(most)
            | Behaviour::SamePageOtherTokens(most)
            | Behaviour::TwoPagesInTurn(most) => Some(*most),
            _ => None,
        }) {
            most = most.min(own);
        }
        let token = request.query("continuation-token");
        let after = request.query("start-after").filter(|text| !text.is_empty());
        let heeds = !self.does(|b| matches!(b, Behaviour::StartAfterIgnored));
        let descends = self.does(|b| matches!(b, Behaviour::Descending));
        let repeats = self.does(|b| matches!(b, Behaviour::RepeatsLastKey));
        // A token is the place of the next entry.
        let mut from = match (&token, &after) {
            (Some(token), _) => token.split('-').next().unwrap_or("0").parse().unwrap_or(0),
            (None, Some(after)) if heeds && !descends => entries
                .iter()
                .position(|entry| entry.name() > after.as_str())
                .unwrap_or(entries.len()),
            _ => 0usize,
        };
        self.pages += 1;
        let mut next = Some(from + most).filter(|next| *next < entries.len());
        let mut token = next.map(|next| next.to_string());
        let pages = self.pages;
        match self.find(|b| match b {
            Behaviour::SamePageForEver(_)
            | Behaviour::SamePageOtherTokens(_)
            | Behaviour::TwoPagesInTurn(_) => Some(b.clone()),
            _ => None,
        }) {
            Some(Behaviour::SamePageForEver(_)) => {
                from = 0;
                token = Some("0-same".into());
            }
            Some(Behaviour::SamePageOtherTokens(_)) => {
                from = 0;
                token = Some(format!("0-{pages}"));
            }
            Some(_) => {
                from = if from == 0 { 0 } else { most };
                token = Some(if from == 0 {
                    most.to_string()
                } else {
                    "0".into()
                });
            }
            None => {}
        }
        if let Some(empty) = self.find(|b| match b {
            Behaviour::EmptyPages(number) => Some(*number),
            _ => None,
        }) {
            if self.empty < empty {
                self.empty += 1;
                entries.clear();
                token = Some(format!("{from}-{pages}"));
            } else {
                self.empty = 0;
            }
        }
        if repeats && from > 0 && !entries.is_empty() {
            from -= 1;
        }
        next = next.map(|next| next.max(from));
        let end = next
            .unwrap_or(entries.len())
            .min(from + most)
            .min(entries.len());
        let page: Vec<Entry> = entries.drain(from.min(end)..end).collect();
        let of = [
            ("Name", Some(request.bucket_and_key().0)),
            ("Prefix", Some(prefix)),
            ("Delimiter", delimiter),
            ("StartAfter", after),
        ];
        self.page(&of, asked, &page, token)
    }

    /// What an answer repeats of its question.
    fn echo(&self, of: &[(&str, Option<String>)], name: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for (element, asked) in of {
            let own = self.find(|b| match b {
                Behaviour::Says(of, said) if of == element => Some((*said).to_owned()),
                _ => None,
            });
            if let Some(said) = own.or_else(|| asked.as_deref().map(&name)) {
                text += &format!("<{element}>{said}</{element}>");
            }
        }
        text
    }

    fn page(
        &self,
        of: &[(&str, Option<String>)],
        asked: Option<usize>,
        page: &[Entry],
        mut token: Option<String>,
    ) -> Reply {
        let plain = self.does(|b| matches!(b, Behaviour::UnencodedKeys));
        let name = |text: &str| match plain {
            true => escaped(text),
            false => encoded(text),
        };
        let mut truncated = Some(token.is_some());
        if self.does(|b| matches!(b, Behaviour::TruncatedWithoutToken)) {
            (truncated, token) = (Some(true), None);
        }
        if self.does(|b| matches!(b, Behaviour::TokenWithoutTruncation)) {
            (truncated, token) = (Some(false), Some("1".into()));
        }
        if self.does(|b| matches!(b, Behaviour::TruncationUnsaid)) {
            truncated = None;
        }
        let count = self.find(|b| match b {
            Behaviour::KeyCount(count) => Some(*count),
            _ => None,
        });
        let count = count.unwrap_or(page.len() as i64);
        let mut text = match self.does(|b| matches!(b, Behaviour::SaysNothing)) {
            true => String::new(),
            false => self.echo(of, name),
        };
        if !plain {
            text += "<EncodingType>url</EncodingType>";
        }
        if self.does(|b| matches!(b, Behaviour::UnknownElements)) {
            text += "<Weather><Sun>yes</Sun></Weather>";
        }
        text += &format!(
            "<KeyCount>{count}</KeyCount><MaxKeys>{}</MaxKeys>",
            asked.unwrap_or(1000)
        );
        if let Some(truncated) = truncated {
            text += &format!("<IsTruncated>{truncated}</IsTruncated>");
        }
        if let Some(token) = token {
            text += &format!("<NextContinuationToken>{token}</NextContinuationToken>");
        }
        for entry in page {
            match entry {
                Entry::Key(key, object) => text += &self.contents(&name(key), object),
                Entry::Folder(folder) => {
                    text += &format!(
                        "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                        name(folder)
                    );
                }
            }
        }
        self.xml("ListBucketResult", text)
    }

    fn contents(&self, key: &str, object: &StoredObject) -> String {
        let mut text = format!("<Key>{key}</Key>{}", self.date());
        let size = object.body.len().to_string();
        let size = match self.find(|b| match b {
            Behaviour::SizesOf(text) => Some(*text),
            _ => None,
        }) {
            None => Some(size),
            Some(own) => own.map(str::to_owned),
        };
        if let Some(size) = size {
            text += &format!("<Size>{size}</Size>");
        }
        if !self.does(|b| matches!(b, Behaviour::EtagsUnlisted)) {
            text += &format!("<ETag>{}</ETag>", object.etag.replace('"', "&quot;"));
        }
        let class = self.find(|b| match b {
            Behaviour::StorageClassOf(class) => Some(*class),
            _ => None,
        });
        let class = class.unwrap_or("STANDARD");
        format!("<Contents>{text}<StorageClass>{class}</StorageClass></Contents>")
    }

    /// The element `LastModified`.
    pub(super) fn date(&self) -> String {
        let date = self.find(|b| match b {
            Behaviour::DatesOf(text) => Some(*text),
            _ => None,
        });
        match date.unwrap_or(Some("2026-01-01T00:00:00.000Z")) {
            Some(date) => format!("<LastModified>{date}</LastModified>"),
            None => String::new(),
        }
    }

    /// One version of each object.
    pub(super) fn list_versions(&mut self, request: &Request) -> Reply {
        let prefix = request.query("prefix").unwrap_or_default();
        let marker = request.query("key-marker").unwrap_or_default();
        let loops = self.does(|b| matches!(b, Behaviour::SamePageForEver(_)));
        let of = [
            ("Name", Some(request.bucket_and_key().0)),
            ("Prefix", Some(prefix.clone())),
        ];
        let mut text = self.echo(&of, encoded);
        text += &format!("<EncodingType>url</EncodingType><IsTruncated>{loops}</IsTruncated>");
        let mut last = String::new();
        for (key, object) in &self.objects {
            if !key.starts_with(&prefix) || (!loops && *key <= marker) {
                continue;
            }
            last = encoded(key);
            text += &format!(
                "<Version><Key>{last}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>{}<Size>{}</Size></Version>",
                self.date(),
                object.body.len()
            );
        }
        if loops {
            text += &format!(
                "<NextKeyMarker>{last}</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"
            );
        }
        self.xml("ListVersionsResult", text)
    }
}
