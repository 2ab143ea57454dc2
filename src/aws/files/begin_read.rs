//! How a read of an object begins: by a call for the whole of it or for its first bytes, whose answer must have
//! exactly what was asked for.

use crate::application::bucket::read::{
    BucketResult, ObjectContent, ObjectMetadata, ReadConditions,
};
use crate::application::pace::CutMark;
use crate::aws::failure::{classify, local};
use crate::aws::files::ahead::Ahead;
use crate::aws::files::bucket::{S3Bucket, scope_of};
use crate::aws::files::content::{ReadObject, Reading};
use crate::aws::files::convert::{expected_owner, sorted, time_of};
use crate::aws::files::head::of_version;
use crate::aws::files::pieces::Pieces;
use crate::aws::gates::Turn;
use crate::domain::aws_failure::FailureKind;
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::object_key::ObjectKey;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_smithy_types::byte_stream::ByteStream;
use std::sync::Arc;

/// Begins to read an object. Of one that may be large, the first bytes are asked for first, so that the others can
/// be asked for at the same time.
pub(crate) async fn begin_read(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    conditions: &ReadConditions,
) -> BucketResult<ObjectContent> {
    let turn = files.gates.transfer(&bucket.owner).await?;
    let first = match &files.ahead {
        Some(ahead) if Ahead::is_fit_for(bucket) => {
            FirstBytes::of(conditions.range.as_deref(), ahead.sizes.first)
        }
        Some(_) | None => None,
    };
    if let Some(first) = first {
        match ask(files, bucket, key, conditions, Some(first.range())).await {
            Ok(answer) => {
                if let Some(served) = first.served(&answer) {
                    return Ok(in_pieces(
                        files,
                        (bucket, key),
                        conditions,
                        answer,
                        served,
                        turn,
                    ));
                }
                // A store that knows no ranges sends the whole object.
                if conditions.range.is_none() && answer.content_range.is_none() {
                    return as_asked(files, (bucket, key), conditions, answer, turn);
                }
            }
            // There is no range of an empty object.
            Err(failure)
                if failure.kind == FailureKind::InvalidRange && conditions.range.is_none() => {}
            Err(failure) => return Err(failure),
        }
    }
    let range = conditions.range.clone();
    let answer = ask(files, bucket, key, conditions, range).await?;
    as_asked(files, (bucket, key), conditions, answer, turn)
}

/// Asks for an object, or for this range of it.
async fn ask(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    conditions: &ReadConditions,
    range: Option<String>,
) -> BucketResult<GetObjectOutput> {
    let version = conditions.version_id.as_deref();
    let range = &range;
    files
        .in_scope(bucket, scope_of(version), |session| async move {
            session
                .s3
                .get_object()
                .bucket(bucket.connection.bucket.as_str())
                .key(key.as_str())
                .set_version_id(conditions.version_id.clone())
                .set_range(range.clone())
                .set_if_match(conditions.if_match.clone())
                .set_if_none_match(conditions.if_none_match.clone())
                .set_expected_bucket_owner(expected_owner(&bucket.connection))
                .send()
                .await
                .map_err(|error| of_version(version, classify("GetObject", &error)))
        })
        .await
}

/// The content of an answer that must have exactly what the conditions ask for.
fn as_asked(
    files: &S3Bucket,
    (bucket, key): (&ConnectedBucket, &ObjectKey),
    conditions: &ReadConditions,
    answer: GetObjectOutput,
    turn: Turn,
) -> BucketResult<ObjectContent> {
    let range = answer.content_range.as_deref().and_then(ServedRange::parse);
    let announced = answer.content_length.and_then(|l| u64::try_from(l).ok());
    // A gateway that packs or decodes what it relays does not know the length.
    let content_length = announced.or(range.as_ref().map(ServedRange::length));
    agree(conditions.range.as_deref(), range.as_ref(), announced)
        .map_err(|why| local("GetObject", FailureKind::InvalidResponse, why))?;
    let first = range.as_ref().map_or(0, |range| range.first);
    let size = match &range {
        Some(range) => range.size,
        None => content_length,
    };
    let object = Arc::new(object_of(files, bucket, key, conditions, &answer));
    let end = content_length.map(|length| first + length);
    let content_range = answer.content_range.clone();
    let (metadata, body) = metadata_of_read(answer, size);
    Ok(ObjectContent {
        metadata,
        content_length,
        content_range,
        body: Reading::new(object, first, end, body).stream(turn),
        cut: CutMark::default(),
    })
}

/// The content of an object whose first bytes have come, and whose further ones are asked for meanwhile.
fn in_pieces(
    files: &S3Bucket,
    (bucket, key): (&ConnectedBucket, &ObjectKey),
    conditions: &ReadConditions,
    answer: GetObjectOutput,
    served: FirstServed,
    turn: Turn,
) -> ObjectContent {
    let object = Arc::new(object_of(files, bucket, key, conditions, &answer));
    let (metadata, body) = metadata_of_read(answer, Some(served.size));
    let reading = Reading::new(object.clone(), served.first, Some(served.served_to), body);
    let body = match &files.ahead {
        Some(ahead) if served.served_to < served.end => Pieces {
            object,
            reading: Some(reading),
            asked_to: served.served_to,
            end: served.end,
            memory: ahead.memory.clone(),
            sizes: ahead.sizes,
            _turn: turn,
        }
        .stream(),
        Some(_) | None => reading.stream(turn),
    };
    let (first, end, size) = (served.first, served.end, served.size);
    let was_asked = conditions.range.is_some();
    ObjectContent {
        metadata,
        content_length: Some(end - first),
        content_range: was_asked.then(|| format!("bytes {first}-{}/{size}", end - 1)),
        body,
        cut: CutMark::default(),
    }
}

fn object_of(
    files: &S3Bucket,
    bucket: &ConnectedBucket,
    key: &ObjectKey,
    conditions: &ReadConditions,
    answer: &GetObjectOutput,
) -> ReadObject {
    ReadObject {
        sessions: files.sessions.clone(),
        bucket: bucket.clone(),
        key: key.clone(),
        version_id: conditions.version_id.clone(),
        etag: answer.e_tag.clone(),
    }
}

/// `size`: of the whole object.
fn metadata_of_read(answer: GetObjectOutput, size: Option<u64>) -> (ObjectMetadata, ByteStream) {
    let metadata = ObjectMetadata {
        size: size.and_then(|size| i64::try_from(size).ok()),
        etag: answer.e_tag,
        content_type: answer.content_type,
        content_encoding: answer.content_encoding,
        last_modified: answer.last_modified.and_then(time_of),
        version_id: answer.version_id,
        storage_class: answer.storage_class.map(|class| class.as_str().to_owned()),
        metadata: sorted(answer.metadata),
    };
    (metadata, answer.body)
}

/// The first bytes of what is asked for, by which a read begins that may go on in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirstBytes {
    first: u64,
    /// The last byte that is asked for at first.
    last: u64,
    /// The last one of all, where the range names it.
    last_of_all: Option<u64>,
}

/// The first bytes as they were served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirstServed {
    first: u64,
    /// The offset after the last byte of this answer.
    served_to: u64,
    /// The one after the last byte of all that was asked for.
    end: u64,
    /// Of the whole object.
    size: u64,
}

impl FirstBytes {
    /// `None`: the range is not longer than so many bytes, or counts from the end.
    fn of(range: Option<&str>, length: u64) -> Option<Self> {
        let (first, last_of_all): (u64, Option<u64>) = match range {
            None => (0, None),
            Some(range) => {
                let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
                let first = first.trim().parse().ok()?;
                match last.trim() {
                    "" => (first, None),
                    last => (first, Some(last.parse().ok()?)),
                }
            }
        };
        let last = first.checked_add(length)?.checked_sub(1)?;
        last_of_all
            .is_none_or(|of_all| of_all > last)
            .then_some(Self {
                first,
                last,
                last_of_all,
            })
    }

    fn range(self) -> String {
        format!("bytes={}-{}", self.first, self.last)
    }

    /// `None`: the answer is not exactly these bytes, or what would have to follow cannot be asked for safely. An
    /// ETag that is weak matches nothing (RFC 9110, "If-Match").
    fn served(self, answer: &GetObjectOutput) -> Option<FirstServed> {
        let range = ServedRange::parse(answer.content_range.as_deref()?)?;
        let size = range.size?;
        let last = size.checked_sub(1)?;
        let is_exact = range.first == self.first && range.last == self.last.min(last);
        let announced = answer.content_length.and_then(|l| u64::try_from(l).ok());
        let has_length = announced.is_none_or(|length| length == range.length());
        let served = FirstServed {
            first: range.first,
            served_to: range.last + 1,
            end: self.last_of_all.map_or(last, |of_all| of_all.min(last)) + 1,
            size,
        };
        let etag = answer.e_tag.as_deref().unwrap_or_default();
        let may_go_on =
            served.served_to >= served.end || (!etag.is_empty() && !etag.starts_with("W/"));
        (is_exact && has_length && may_go_on).then_some(served)
    }
}

/// `bytes 100-199/1234`.
#[derive(Debug, PartialEq, Eq)]
struct ServedRange {
    first: u64,
    last: u64,
    /// Of the whole object; `None` for `*`.
    size: Option<u64>,
}

impl ServedRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(Self {
            first,
            last,
            size: size.parse().ok(),
        })
    }

    fn length(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Whether the answer is what was asked for: the whole object, or this range of it.
fn agree(
    asked: Option<&str>,
    served: Option<&ServedRange>,
    announced: Option<u64>,
) -> Result<(), &'static str> {
    let asked = asked.and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (Some((first, last)), Some(served)) = (asked, served) else {
        let all = asked.is_none_or(|(first, last)| number(first) == Some(0) && last.is_empty());
        return match served {
            Some(_) => Err("a range came that was not asked for"),
            // There is no range of an empty object.
            None if all || announced == Some(0) => Ok(()),
            None => Err("a range was asked for, and the whole object came"),
        };
    };
    if announced.is_some_and(|length| length != served.length()) {
        return Err("its length is not that of its range");
    }
    if served.size.is_some_and(|size| size <= served.last) {
        return Err("its range is beyond its size");
    }
    let end = served.size.map(|size| size - 1);
    let fits = match (number(first), number(last)) {
        (Some(first), last) => {
            let last = match (last, end) {
                (Some(last), Some(end)) => Some(last.min(end)),
                (Some(last), None) => Some(last).filter(|_| served.last >= last),
                (None, end) => end,
            };
            served.first == first && last.is_none_or(|last| last == served.last)
        }
        (None, Some(length)) => end.is_none_or(|end| {
            served.last == end && served.first == (end + 1).saturating_sub(length)
        }),
        (None, None) => true,
    };
    match fits {
        true => Ok(()),
        false => Err("another range came than was asked for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_begins_with_the_first_bytes_of_what_is_long() {
        for (range, asked) in [
            (None, Some("bytes=0-99")),
            (Some("bytes=0-"), Some("bytes=0-99")),
            (Some("bytes=50-"), Some("bytes=50-149")),
            (Some("bytes=50-150"), Some("bytes=50-149")),
            (Some("bytes=50-149"), None),
            (Some("bytes=-500"), None),
            (Some("bytes=a-"), None),
            (Some("bytes=18446744073709551615-"), None),
        ] {
            let first = FirstBytes::of(range, 100);
            assert_eq!(first.map(FirstBytes::range).as_deref(), asked, "{range:?}");
        }
    }

    #[test]
    fn what_follows_the_first_bytes_is_asked_for_where_that_is_safe() {
        let answer = |range: &str, length: i64, etag: Option<&str>| {
            GetObjectOutput::builder()
                .content_range(range)
                .content_length(length)
                .set_e_tag(etag.map(str::to_owned))
                .build()
        };
        let whole = FirstBytes::of(None, 100).unwrap();
        let etag = Some("\"e\"");
        let served = whole.served(&answer("bytes 0-99/250", 100, etag)).unwrap();
        assert_eq!((served.served_to, served.end, served.size), (100, 250, 250));
        let small = whole.served(&answer("bytes 0-9/10", 10, None)).unwrap();
        assert_eq!((small.served_to, small.end), (10, 10));
        let part = FirstBytes::of(Some("bytes=50-180"), 100).unwrap();
        let served = part.served(&answer("bytes 50-149/250", 100, etag)).unwrap();
        assert_eq!((served.first, served.end, served.size), (50, 181, 250));
        for (range, length, etag) in [
            ("bytes 0-98/250", 99, etag),
            ("bytes 1-99/250", 99, etag),
            ("bytes 0-249/250", 250, etag),
            ("bytes 0-99/250", 99, etag),
            ("bytes 0-99/*", 100, etag),
            ("bytes 0-99/0", 100, etag),
            ("bytes 0-99/250", 100, None),
            ("bytes 0-99/250", 100, Some("W/\"e\"")),
        ] {
            let served = whole.served(&answer(range, length, etag));
            assert_eq!(served, None, "{range} {length} {etag:?}");
        }
    }

    #[test]
    fn a_served_range_is_read_exactly() {
        let range = ServedRange::parse("bytes 100-199/1234").unwrap();
        assert_eq!((range.first, range.length()), (100, 100));
        assert_eq!(range.size, Some(1_234));
        assert_eq!(ServedRange::parse("bytes 0-0/*").unwrap().size, None);
        for odd in [
            "",
            "bytes",
            "bytes 5-4/9",
            "bytes a-b/9",
            "bytes */9",
            "items 0-1/2",
        ] {
            assert_eq!(ServedRange::parse(odd), None, "{odd}");
        }
    }
}
