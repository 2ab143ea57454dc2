//! ETags of objects.
//!
//! An ETag is the MD5 of the object where it was stored in one request and is not encrypted by KMS or with a key of the
//! customer's. Source: Amazon S3 API reference, *Object*, `ETag`. Other stores have ETags of their own.

/// An ETag without the quotes that belong to its form in headers.
pub(crate) fn plain(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}

/// The MD5 that an ETag looks like. `None`: it has another form.
pub(crate) fn md5_in(etag: &str) -> Option<[u8; 16]> {
    md5_of(plain(etag))
}

/// The MD5 in 32 hexadecimal digits, with nothing around them.
pub(crate) fn md5_of(digits: &str) -> Option<[u8; 16]> {
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_md5_is_recognised_with_and_without_quotes_and_in_capitals() {
        let digits = "00fbe85e9f25e5ae2c8a4a2d2ebaf4fE";
        let md5 = u128::from_str_radix(digits, 16).unwrap().to_be_bytes();
        for etag in [
            digits.to_owned(),
            format!("\"{digits}\""),
            format!(" {} ", digits.to_uppercase()),
        ] {
            assert_eq!(md5_in(&etag), Some(md5), "{etag}");
        }
    }

    #[test]
    fn other_forms_are_no_md5() {
        for etag in [
            "",
            "\"\"",
            "00fbe85e9f25e5ae2c8a4a2d2ebaf4fe-2",
            "+0fbe85e9f25e5ae2c8a4a2d2ebaf4fe",
            "00fbe85e9f25e5ae2c8a4a2d2ebaf4f",
            "00fbe85e9f25e5ae2c8a4a2d2ebaf4fg",
        ] {
            assert_eq!(md5_in(etag), None, "{etag}");
        }
        assert_eq!(md5_of("\"00fbe85e9f25e5ae2c8a4a2d2ebaf4fe\""), None);
    }
}
