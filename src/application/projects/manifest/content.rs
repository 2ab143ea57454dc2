//! From a file's bytes to its text, or to the name of what it is instead.

use crate::domain::Invalid;
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// The text of a list: decompressed and decoded, without a byte order mark.
///
/// # Errors
/// What the bytes are, by name, where they are not text: an archive, a workbook, a columnar file, a picture,
/// an encoding other than UTF-8 and UTF-16.
pub(super) fn text(bytes: &[u8], largest: usize) -> Result<String, Invalid> {
    let mut text = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => decoded(&decompressed(bytes, largest)?)?,
        false => decoded(bytes)?,
    };
    // DOS ended a text so. Alone in the last line it is no key.
    if let Some(rest) = text.strip_suffix('\u{1a}')
        && rest.ends_with(['\n', '\r'])
    {
        text.truncate(rest.len());
    }
    Ok(text)
}

fn decompressed(bytes: &[u8], largest: usize) -> Result<Vec<u8>, Invalid> {
    let mut plain = Vec::new();
    // One byte more than there may be: a small file can hold gigabytes.
    let limit = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|error| {
            Invalid::new(
                "malformed_manifest",
                format!("The file is compressed with gzip and cannot be decompressed: {error}."),
            )
        })?;
    if plain.len() > largest {
        return Err(Invalid::new(
            "manifest_too_large",
            format!("The file has more than {largest} bytes when it is decompressed."),
        ));
    }
    Ok(plain)
}

fn decoded(bytes: &[u8]) -> Result<String, Invalid> {
    if let Some(name) = known_format(bytes) {
        return Err(Invalid::new(
            "unsupported_manifest",
            format!(
                "The file is {name}. A list of files is text: one file key on each line, CSV, TSV, JSON or JSON lines."
            ),
        ));
    }
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(Invalid::new(
            "unsupported_manifest",
            "The file is UTF-32. Save it as UTF-8.",
        ));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes);
    }
    utf8(bytes)
}

fn utf8(bytes: &[u8]) -> Result<String, Invalid> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + lines_of(before);
        let found = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        Invalid::new(
            "invalid_utf8",
            format!(
                "Line {line} is not UTF-8: it has the byte 0x{found:02X}. Save the file as UTF-8, or as UTF-16 with a byte order mark."
            ),
        )
    })
}

/// How many line ends there are: LF, CRLF, or CR alone.
fn lines_of(bytes: &[u8]) -> usize {
    let mut lines = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        lines += usize::from(ends);
    }
    lines
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Invalid> {
    let odd = Invalid::new(
        "invalid_utf16",
        "The file begins as UTF-16 and is not UTF-16 to its end. Save it as UTF-8.",
    );
    if !bytes.len().is_multiple_of(2) {
        return Err(odd);
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .map_err(|_| odd)
}

/// What a file is, where its first bytes say that it is no text.
fn known_format(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: &[(&[u8], &str)] = &[
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an Excel or other Office file of before 2007",
        ),
        (b"PAR1", "a Parquet file"),
        (b"ORC", "an ORC file"),
        (b"Obj\x01", "an Avro file"),
        (b"ARROW1", "an Arrow file"),
        (b"SQLite format 3\0", "a SQLite database"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"BZh", "compressed with bzip2"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
        (b"%PDF-", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"II*\0", "a TIFF picture"),
        (b"MM\0*", "a TIFF picture"),
        (b"RIFF", "a WebP picture, a WAV or an AVI file"),
        (b"\x7fELF", "a program"),
        (b"\x1f\x8b", "compressed with gzip twice; compress it once"),
        (b"\x1f\x9d", "compressed with compress"),
        (b"\x04\x22\x4d\x18", "compressed with LZ4"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"FEA1", "a Feather file"),
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(zip_format(bytes));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some("a tar archive");
    }
    // A list of keys may begin with the letters of a short one of these.
    let has_control = bytes
        .iter()
        .take(4096)
        .any(|b| *b < 0x20 && !b"\t\n\r\x0c".contains(b));
    let named = STARTS
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, name)| *name);
    match named {
        Some(name) if has_control => Some(name),
        _ if is_utf16_without_mark(bytes) => {
            Some("UTF-16 without a byte order mark; save it as UTF-8")
        }
        _ => None,
    }
}

/// Office documents are zip archives with parts of fixed names (ECMA-376; OpenDocument 1.3, part 2).
fn zip_format(bytes: &[u8]) -> &'static str {
    let has = |name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
    if has(b"xl/workbook") || has(b"xl/worksheets") {
        "an Excel workbook; save it as CSV UTF-8"
    } else if has(b"opendocument.spreadsheet") {
        "an OpenDocument spreadsheet; save it as CSV"
    } else if has(b"word/document") || has(b"ppt/presentation") {
        "an Office document"
    } else {
        "a zip archive; unpack it"
    }
}

/// Text in Latin letters has a zero in every second byte then.
fn is_utf16_without_mark(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(512) & !1];
    if sample.len() < 4 || sample.starts_with(b"\xff\xfe") || sample.starts_with(b"\xfe\xff") {
        return false;
    }
    let zeros = |first: usize| {
        sample
            .iter()
            .skip(first)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let half = sample.len() / 2;
    zeros(0) * 10 > half * 8 || zeros(1) * 10 > half * 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn utf8_utf16_and_gzip_are_read() {
        let utf16 = |units: Vec<u8>, mark: &[u8]| [mark, &units].concat();
        let wide: Vec<u16> = "ä😀\n".encode_utf16().collect();
        let little: Vec<u8> = wide.iter().flat_map(|u| u.to_le_bytes()).collect();
        let big: Vec<u8> = wide.iter().flat_map(|u| u.to_be_bytes()).collect();
        for bytes in [
            "ä😀\n".as_bytes().to_vec(),
            "\u{feff}ä😀\n".as_bytes().to_vec(),
            utf16(little, b"\xff\xfe"),
            utf16(big, b"\xfe\xff"),
            gzip("ä😀\n".as_bytes()),
            [gzip("ä".as_bytes()), gzip("😀\n".as_bytes())].concat(),
        ] {
            assert_eq!(text(&bytes, 100).as_deref(), Ok("ä😀\n"), "{bytes:?}");
        }
        // Not one of the formats that begin like it.
        for plain in [
            "ORCHID.png\n",
            "GIF8/a.png",
            "BZh/x",
            "RIFF.wav\nb",
            "PAR1.txt",
        ] {
            assert_eq!(text(plain.as_bytes(), 100).as_deref(), Ok(plain));
        }
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_name() {
        let code = |bytes: &[u8], word: &str| {
            let invalid = text(bytes, 1000).unwrap_err();
            assert!(invalid.detail.contains(word), "{invalid:?}");
            invalid.code
        };
        assert_eq!(
            code(b"PK\x03\x04....xl/workbook.xml", "Excel"),
            "unsupported_manifest"
        );
        assert_eq!(code(b"PK\x03\x04....a.txt", "zip"), "unsupported_manifest");
        assert_eq!(code(b"PAR1\x00\x01", "Parquet"), "unsupported_manifest");
        assert_eq!(code(b"a\0.\0p\0n\0g\0", "UTF-16"), "unsupported_manifest");
        assert_eq!(code(b"\xff\xfea\0b", "UTF-16"), "invalid_utf16");
        assert_eq!(code(b"a\r\nb\rc\n\xe4", "Line 4"), "invalid_utf8");
        assert_eq!(code(&gzip(&[b'a'; 1001]), "1000"), "manifest_too_large");
        assert_eq!(code(&gzip(b"abcdef")[..12], "gzip"), "malformed_manifest");
        assert_eq!(code(&gzip(b"PAR1\x00"), "Parquet"), "unsupported_manifest");
        for (bytes, word) in [
            (gzip(&gzip(b"a.png")), "twice"),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0a".to_vec(), "UTF-32"),
            (b"\x28\xb5\x2f\xfd\x04\x00".to_vec(), "Zstandard"),
            (b"\xfd7zXZ\0".to_vec(), "xz"),
            (b"BZh91AY&SY\0".to_vec(), "bzip2"),
            (b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "7z"),
            (b"SQLite format 3\0\x10".to_vec(), "SQLite"),
            (b"\x93NUMPY\x01\0".to_vec(), "NumPy"),
            // Bit 0 of the flags at byte 6: encrypted.
            (b"PK\x03\x04\x14\0\x01\0a.csv".to_vec(), "zip"),
        ] {
            assert_eq!(code(&bytes, word), "unsupported_manifest", "{word}");
        }
    }
}
