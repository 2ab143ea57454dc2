//! How the store reads, writes and deletes objects.

use crate::it::support::aws::store::behaviour::Behaviour;
use crate::it::support::aws::store::{Holdings, StoredObject, StoredPart, escaped};
use crate::it::support::aws::stub::s3_error;
use crate::it::support::aws::wire::{Reply, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// What everything is dated by.
const NOW: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

fn crc32_of(body: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(body);
    crc.sum().to_be_bytes()
}

fn etag_of(body: &[u8]) -> String {
    let md5: String = Md5::digest(body)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("\"{md5}\"")
}

/// The bytes of a body, also of one in `aws-chunked` encoding.
fn body_of(request: &Request) -> Vec<u8> {
    if request.header("x-amz-decoded-content-length").is_none() {
        return request.body.clone();
    }
    let (mut rest, mut body) = (request.body.as_slice(), Vec::new());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = head.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    body
}

/// The elements of this name, each by what it contains.
fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    text.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split(&close).next())
        .collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

impl Holdings {
    /// Stores an object and gives its ETag.
    pub(super) fn store(
        &mut self,
        key: &str,
        body: Vec<u8>,
        headers: Vec<(String, String)>,
    ) -> String {
        let etag = match self.does(|b| matches!(b, Behaviour::EtagsOfItsOwn)) {
            true => format!("\"{:032x}\"", body.len()),
            false => etag_of(&body),
        };
        let object = StoredObject {
            etag: etag.clone(),
            body,
            headers,
            crc32: None,
        };
        self.objects.insert(key.to_owned(), object);
        etag
    }

    pub(super) fn get(&self, request: &Request) -> Reply {
        let (_, key) = request.bucket_and_key();
        let Some(object) = self.objects.get(&key) else {
            return s3_error(404, "NoSuchKey", "The specified key does not exist.");
        };
        if request
            .header("if-match")
            .is_some_and(|etag| etag != object.etag)
        {
            return s3_error(412, "PreconditionFailed", "if-match");
        }
        if request.header("if-none-match") == Some(&object.etag) {
            return Reply::answer(304, "").with("etag", &object.etag);
        }
        let date = self.find(|b| match b {
            Behaviour::LastModifiedHeader(text) => Some(*text),
            _ => None,
        });
        let size = object.body.len();
        let range = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="))
            .and_then(|range| range.split_once('-'))
            .filter(|_| !self.does(|b| matches!(b, Behaviour::RangeIgnored)));
        let mut reply = match range {
            None => Reply::answer(200, object.body.clone()),
            Some((first, last)) => {
                let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
                    (Ok(first), Ok(last)) => (first, last.min(size.saturating_sub(1))),
                    (Ok(first), Err(_)) => (first, size.saturating_sub(1)),
                    (Err(_), Ok(number)) => (size.saturating_sub(number), size.saturating_sub(1)),
                    (Err(_), Err(_)) => (0, size.saturating_sub(1)),
                };
                if first >= size {
                    return s3_error(416, "InvalidRange", "The range is not satisfiable");
                }
                let said = self.find(|b| match b {
                    Behaviour::ContentRange(text) => Some((*text).to_owned()),
                    _ => None,
                });
                let said = said.unwrap_or_else(|| format!("bytes {first}-{last}/{size}"));
                Reply::answer(206, object.body[first..=last].to_vec()).with("content-range", said)
            }
        };
        for (name, value) in &object.headers {
            reply = reply.with(name, value);
        }
        if !object
            .headers
            .iter()
            .any(|(name, _)| name == "content-type")
        {
            reply = reply.with("content-type", "binary/octet-stream");
        }
        let wants_checksums = request.header("x-amz-checksum-mode").is_some();
        if let Some(crc32) = &object.crc32
            && request.method == "HEAD"
            && wants_checksums
        {
            reply = reply
                .with("x-amz-checksum-crc32", crc32)
                .with("x-amz-checksum-type", "COMPOSITE");
        }
        reply
            .with("etag", &object.etag)
            .with("accept-ranges", "bytes")
            .with("last-modified", date.unwrap_or(NOW))
    }

    pub(super) fn put_object(&mut self, request: &Request) -> Reply {
        let (_, key) = request.bucket_and_key();
        let there = self.objects.get(&key).map(|object| object.etag.as_str());
        let holds = match (request.header("if-none-match"), request.header("if-match")) {
            (Some(_), _) => there.is_none(),
            (None, Some(etag)) => there == Some(etag),
            (None, None) => true,
        };
        if !holds {
            return s3_error(412, "PreconditionFailed", "a condition does not hold");
        }
        let mut body = body_of(request);
        if self.does(|b| matches!(b, Behaviour::StoresOtherBytes)) {
            body.iter_mut().for_each(|byte| *byte ^= 1);
        }
        let etag = match self.does(|b| matches!(b, Behaviour::ForgetsWhatIsPut)) {
            true => etag_of(&body),
            false => self.store(&key, body, kept(request)),
        };
        Reply::answer(200, "").with("etag", etag)
    }

    pub(super) fn copy(&mut self, request: &Request) -> Reply {
        let (_, key) = request.bucket_and_key();
        let source = request.header("x-amz-copy-source").unwrap_or_default();
        // A key's own question mark is encoded. The store keeps one version of each object.
        let source = source.split('?').next().unwrap_or_default();
        let source = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
        let from = source.trim_start_matches('/').split_once('/');
        let Some(object) = from.and_then(|(_, from)| self.objects.get(from).cloned()) else {
            return s3_error(404, "NoSuchKey", "The specified key does not exist.");
        };
        let etag = object.etag.replace('"', "&quot;");
        let etag = match self.does(|b| matches!(b, Behaviour::NoEtagFrom("CopyObject"))) {
            true => String::new(),
            false => format!("<ETag>{etag}</ETag>"),
        };
        if !self.does(|b| matches!(b, Behaviour::CopiesNothing)) {
            self.objects.insert(key, object);
        }
        self.xml("CopyObjectResult", format!("{etag}{}", self.date()))
    }

    pub(super) fn delete(&mut self, request: &Request) -> Reply {
        let (_, key) = request.bucket_and_key();
        if !self.does(|b| matches!(b, Behaviour::KeepsWhatIsDeleted)) {
            self.objects.remove(&key);
        }
        let status = match self.does(|b| matches!(b, Behaviour::DeleteWith200)) {
            true => 200,
            false => 204,
        };
        Reply::answer(status, "")
    }

    pub(super) fn delete_many(&mut self, request: &Request) -> Reply {
        let body = String::from_utf8_lossy(&body_of(request)).into_owned();
        let quiet = elements(&body, "Quiet") == ["true"];
        let mut text = String::new();
        for key in elements(&body, "Key") {
            let key = unescaped(key);
            let failure = self.find(|b| match b {
                Behaviour::FailureForKey(of, code, times) if key == *of => Some((*code, *times)),
                _ => None,
            });
            let failed = self.failed.entry(key.clone()).or_default();
            if let Some((code, _)) = failure.filter(|(_, times)| *failed < *times) {
                *failed += 1;
                text += &format!(
                    "<Error><Key>{}</Key><Code>{code}</Code><Message>x</Message></Error>",
                    escaped(&key)
                );
                continue;
            }
            if self.does(|b| matches!(b, Behaviour::UnnamedInDeletion(of) if key == *of)) {
                continue;
            }
            if !self.does(|b| matches!(b, Behaviour::KeepsWhatIsDeleted)) {
                self.objects.remove(&key);
            }
            if !quiet {
                text += &format!("<Deleted><Key>{}</Key></Deleted>", escaped(&key));
            }
        }
        if let Some(also) = self.find(|b| match b {
            Behaviour::DeletionNamesAlso(key) => Some(*key),
            _ => None,
        }) {
            text += &format!("<Deleted><Key>{}</Key></Deleted>", escaped(also));
        }
        self.xml("DeleteResult", text)
    }

    pub(super) fn create_upload(&mut self, request: &Request) -> Reply {
        let (bucket, key) = request.bucket_and_key();
        let id = format!("upload-{}", self.uploads.len() + 1);
        self.uploads.insert(id.clone(), BTreeMap::new());
        let text = format!(
            "<Bucket>{bucket}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>",
            escaped(&key)
        );
        self.xml("InitiateMultipartUploadResult", text)
            .with("date", NOW)
    }

    pub(super) fn upload_part(&mut self, request: &Request) -> Reply {
        let id = request.query("uploadId").unwrap_or_default();
        let number = request
            .query("partNumber")
            .and_then(|text| text.parse().ok());
        let (Some(parts), Some(number)) = (self.uploads.get_mut(&id), number) else {
            return s3_error(404, "NoSuchUpload", "There is no such upload.");
        };
        let body = body_of(request);
        let has_crc32 = request.header("x-amz-sdk-checksum-algorithm") == Some("CRC32");
        let mut reply = Reply::answer(200, "").with("etag", etag_of(&body));
        if has_crc32 {
            reply = reply.with("x-amz-checksum-crc32", STANDARD.encode(crc32_of(&body)));
        }
        parts.insert(number, StoredPart { body, has_crc32 });
        reply
    }

    pub(super) fn complete_upload(&mut self, request: &Request) -> Reply {
        let (bucket, key) = request.bucket_and_key();
        let id = request.query("uploadId").unwrap_or_default();
        let Some(parts) = self.uploads.remove(&id) else {
            return s3_error(404, "NoSuchUpload", "There is no such upload.");
        };
        let number = parts.len();
        let (mut md5s, mut crc32s, mut body) = (Vec::new(), Vec::new(), Vec::new());
        let has_crc32 = parts.values().all(|part| part.has_crc32);
        for part in parts.into_values() {
            md5s.extend_from_slice(&Md5::digest(&part.body));
            crc32s.extend_from_slice(&crc32_of(&part.body));
            body.extend(part.body);
        }
        let etag = match self.does(|b| matches!(b, Behaviour::EtagsOfItsOwn)) {
            true => format!("\"{:032x}\"", body.len()),
            false => etag_of(&md5s),
        };
        self.store(&key, body, Vec::new());
        let Some(object) = self.objects.get_mut(&key) else {
            return s3_error(500, "InternalError", "lost");
        };
        object.etag = format!("\"{}-{number}\"", etag.trim_matches('"'));
        let crc32 = STANDARD.encode(crc32_of(&crc32s));
        object.crc32 = has_crc32.then(|| format!("{crc32}-{number}"));
        let etag =
            match self.does(|b| matches!(b, Behaviour::NoEtagFrom("CompleteMultipartUpload"))) {
                true => String::new(),
                false => {
                    let etag = self.objects[&key].etag.replace('"', "&quot;");
                    format!("<ETag>{etag}</ETag>")
                }
            };
        let text = format!(
            "<Bucket>{bucket}</Bucket><Key>{}</Key>{etag}",
            escaped(&key)
        );
        self.xml("CompleteMultipartUploadResult", text)
    }
}

/// The headers that an object keeps.
fn kept(request: &Request) -> Vec<(String, String)> {
    let is_kept = |name: &str| {
        name.starts_with("x-amz-meta-")
            || matches!(
                name,
                "content-type"
                    | "content-disposition"
                    | "content-language"
                    | "cache-control"
                    | "expires"
                    | "x-amz-server-side-encryption"
                    | "x-amz-server-side-encryption-aws-kms-key-id"
                    | "x-amz-storage-class"
            )
    };
    let headers = request.headers.iter();
    headers.filter(|(name, _)| is_kept(name)).cloned().collect()
}
