//! Keys that the stub makes up as it lists them, and counts as it deletes them.

use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// A parameter of a query, decoded.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let written = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(percent_decode_str(written).decode_utf8_lossy().into_owned())
}

/// Whether a query has a parameter, with or without a value.
pub fn has(query: &str, name: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.split('=').next() == Some(name))
}

/// A page of ListObjectsV2 in a bucket with so many objects below every prefix that is asked for. The
/// continuation token is the number of the next key. The objects look like S3's own answers.
///
/// `start-after` is one of these keys, or sorts before them all.
pub fn page(bucket: &str, query: &str, count: usize) -> String {
    let number = |name| parameter(query, name).and_then(|text| text.parse::<usize>().ok());
    let prefix = parameter(query, "prefix").unwrap_or_default();
    let encoded = parameter(query, "encoding-type").is_some();
    let size = number("max-keys").unwrap_or(1_000).min(1_000);
    let after = || number_of(parameter(query, "start-after")?.strip_prefix(prefix.as_str())?);
    let first = number("continuation-token")
        .or_else(|| Some(after()? + 1))
        .unwrap_or(0)
        .min(count);
    let end = (first + size).min(count);
    let space = if encoded { '+' } else { ' ' };

    let mut xml = String::with_capacity(512 + (end - first) * 360);
    let more = end < count;
    let mut say = |text: std::fmt::Arguments<'_>| {
        // A string takes everything.
        let _ = xml.write_fmt(text);
    };
    say(format_args!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>{bucket}</Name><Prefix>{prefix}</Prefix><MaxKeys>{size}</MaxKeys><KeyCount>{}</KeyCount><IsTruncated>{more}</IsTruncated>",
        end - first
    ));
    if encoded {
        say(format_args!("<EncodingType>url</EncodingType>"));
    }
    if more {
        say(format_args!(
            "<NextContinuationToken>{end}</NextContinuationToken>"
        ));
    }
    for n in first..end {
        say(format_args!(
            "<Contents><Key>{prefix}folder-{:06}/image{space}{:03}.png</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;{n:032x}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>{n}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            n / 1_000,
            n % 1_000
        ));
    }
    say(format_args!("</ListBucketResult>"));
    xml
}

/// The number of a key below its prefix.
fn number_of(key: &str) -> Option<usize> {
    let (folder, image) = key.strip_prefix("folder-")?.split_once("/image ")?;
    let image = image.strip_suffix(".png")?;
    Some(folder.parse::<usize>().ok()? * 1_000 + image.parse::<usize>().ok()?)
}

/// How many objects a body of DeleteObjects names.
pub fn doomed(body: &[u8]) -> usize {
    String::from_utf8_lossy(body).matches("<Key>").count()
}
