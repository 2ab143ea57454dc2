//! The format of ZIP archives, as far as it is needed for one that is made while it is read (PKWARE, APPNOTE.TXT
//! 6.3.10): files as they are, not compressed, each with its size and checksum after its content.
//!
//! By hand, because the length of the archive has to be known before its first byte, and what that leaves of the
//! format is six records.

use flate2::Crc;
use time::{OffsetDateTime, UtcOffset};

/// Sizes and offsets from here on do not fit into the fields of 32 bits: the value stands for “see the ZIP64 field”.
const IN_ZIP64: u64 = u32::MAX as u64;
/// The same for numbers of entries.
const MANY: u64 = u16::MAX as u64;

/// Bit 3: size and checksum follow the content. Bit 11: names are UTF-8.
const FLAGS: u16 = (1 << 3) | (1 << 11);
const STORED: u16 = 0;
/// What a reader must know: version 2.0, or 4.5 for ZIP64.
const PLAIN: u16 = 20;
const ZIP64: u16 = 45;
/// Made under Unix, whose file modes are in the upper half of the external attributes.
const MADE_BY: u16 = (3 << 8) | ZIP64;
/// A regular file that its owner may write and everybody read.
const MODE: u32 = 0o100_644 << 16;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipEntry {
    /// The path in the archive, at most 65,535 bytes.
    pub name: String,
    pub modified: Option<OffsetDateTime>,
    /// In bytes; `None` where that is not known before its content has been read.
    pub size: Option<u64>,
}

/// The content is not as long as was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file has another size than was announced")]
pub struct WrongSize;

/// Writes an archive from its beginning to its end. What comes back is to be sent in this order: for each entry
/// `begin`, the content (which `content` has to see), `end_entry`; then `finish`.
#[derive(Debug, Default)]
pub struct ZipWriter {
    /// How many bytes the archive has so far.
    offset: u64,
    open: Option<Open>,
    made: Vec<Made>,
}

#[derive(Debug)]
struct Open {
    entry: ZipEntry,
    /// Where its header is.
    offset: u64,
    crc: Crc,
    size: u64,
}

#[derive(Debug)]
struct Made {
    entry: ZipEntry,
    offset: u64,
    crc: u32,
    size: u64,
}

impl ZipEntry {
    /// Whether its sizes are written with 64 bits.
    fn is_large(&self) -> bool {
        self.size.is_none_or(|size| size >= IN_ZIP64)
    }

    fn version(&self) -> u16 {
        match self.is_large() {
            true => ZIP64,
            false => PLAIN,
        }
    }

    /// What comes before the content.
    fn header(&self) -> Record {
        let (time, date) = dos_time(self.modified);
        // Zero stands for what follows the content.
        let size = match self.is_large() {
            true => u32::MAX,
            false => 0,
        };
        let more = match self.is_large() {
            true => Record::default().u16(1).u16(16).u64(0).u64(0),
            false => Record::default(),
        };
        Record::of(0x0403_4b50)
            .u16(self.version())
            .u16(FLAGS)
            .u16(STORED)
            .u16(time)
            .u16(date)
            .u32(0)
            .u32(size)
            .u32(size)
            .u16(self.name_length())
            .u16(more.length())
            .bytes(self.name.as_bytes())
            .bytes(&more.0)
    }

    /// What comes after the content.
    fn descriptor(&self, crc: u32, size: u64) -> Record {
        let record = Record::of(0x0807_4b50).u32(crc);
        match self.is_large() {
            true => record.u64(size).u64(size),
            false => record.u32(narrow(size)).u32(narrow(size)),
        }
    }

    /// Its row in the directory at the end.
    fn directory_row(&self, offset: u64, crc: u32, size: u64) -> Record {
        let (time, date) = dos_time(self.modified);
        let is_far = offset >= IN_ZIP64;
        let mut wide = Record::default();
        if self.is_large() {
            wide = wide.u64(size).u64(size);
        }
        if is_far {
            wide = wide.u64(offset);
        }
        let more = match wide.length() {
            0 => wide,
            length => Record::default().u16(1).u16(length).bytes(&wide.0),
        };
        let shown = match self.is_large() {
            true => u32::MAX,
            false => narrow(size),
        };
        Record::of(0x0201_4b50)
            .u16(MADE_BY)
            .u16(if is_far { ZIP64 } else { self.version() })
            .u16(FLAGS)
            .u16(STORED)
            .u16(time)
            .u16(date)
            .u32(crc)
            .u32(shown)
            .u32(shown)
            .u16(self.name_length())
            .u16(more.length())
            // No comment, the first disk, no internal attributes.
            .u16(0)
            .u16(0)
            .u16(0)
            .u32(MODE)
            .u32(narrow(offset))
            .bytes(self.name.as_bytes())
            .bytes(&more.0)
    }

    fn name_length(&self) -> u16 {
        u16::try_from(self.name.len()).unwrap_or(u16::MAX)
    }
}

impl ZipWriter {
    /// Begins an entry. Gives what comes before its content.
    pub fn begin(&mut self, entry: ZipEntry) -> Vec<u8> {
        let header = entry.header().0;
        self.open = Some(Open {
            entry,
            offset: self.offset,
            crc: Crc::new(),
            size: 0,
        });
        self.passed(header)
    }

    /// Takes note of a part of the open entry's content.
    pub fn content(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        if let Some(open) = &mut self.open {
            open.crc.update(bytes);
            open.size += bytes.len() as u64;
        }
    }

    /// Ends the open entry. Gives what comes after its content.
    pub fn end_entry(&mut self) -> Result<Vec<u8>, WrongSize> {
        let open = self.open.take().ok_or(WrongSize)?;
        let Open {
            entry,
            offset,
            crc,
            size,
        } = open;
        if entry.size.is_some_and(|announced| announced != size) {
            return Err(WrongSize);
        }
        let crc = crc.sum();
        let descriptor = entry.descriptor(crc, size).0;
        self.made.push(Made {
            entry,
            offset,
            crc,
            size,
        });
        Ok(self.passed(descriptor))
    }

    /// Gives the directory, with which the archive ends.
    pub fn finish(&mut self) -> Vec<u8> {
        let begin = self.offset;
        let mut out = Vec::new();
        for made in &self.made {
            let row = made.entry.directory_row(made.offset, made.crc, made.size);
            out.extend_from_slice(&row.0);
        }
        let end = end(self.made.len() as u64, out.len() as u64, begin);
        out.extend_from_slice(&end.0);
        self.passed(out)
    }

    fn passed(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.offset += bytes.len() as u64;
        bytes
    }
}

/// How many bytes the archive of these files has; `None` where the size of one is not known.
pub fn length(entries: &[ZipEntry]) -> Option<u64> {
    let (mut offset, mut directory) = (0_u64, 0_u64);
    for entry in entries {
        let size = entry.size?;
        directory += entry.directory_row(offset, 0, size).0.len() as u64;
        let around = entry.header().0.len() + entry.descriptor(0, size).0.len();
        offset = offset.checked_add(size)?.checked_add(around as u64)?;
    }
    let end = end(entries.len() as u64, directory, offset);
    Some(offset + directory + end.0.len() as u64)
}

/// The end of the directory: how many rows it has, its length, and where it begins.
fn end(rows: u64, length: u64, begin: u64) -> Record {
    let mut out = Record::default();
    if rows >= MANY || length >= IN_ZIP64 || begin >= IN_ZIP64 {
        let wide = Record::of(0x0606_4b50)
            // How much follows in this record.
            .u64(44)
            .u16(MADE_BY)
            .u16(ZIP64)
            // The first disk, twice.
            .u32(0)
            .u32(0)
            .u64(rows)
            .u64(rows)
            .u64(length)
            .u64(begin);
        let locator = Record::of(0x0706_4b50).u32(0).u64(begin + length).u32(1);
        out = out.bytes(&wide.0).bytes(&locator.0);
    }
    let shown = u16::try_from(rows).unwrap_or(u16::MAX);
    let last = Record::of(0x0605_4b50)
        .u16(0)
        .u16(0)
        .u16(shown)
        .u16(shown)
        .u32(narrow(length))
        .u32(narrow(begin))
        // No comment.
        .u16(0);
    out.bytes(&last.0)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Time and date as MS-DOS has them, in UTC: from 1980 to 2107, in steps of two seconds. The format knows no time
/// zone.
fn dos_time(at: Option<OffsetDateTime>) -> (u16, u16) {
    let at = at.map(|at| at.to_offset(UtcOffset::UTC));
    let Some(at) = at.filter(|at| (1980..=2107).contains(&at.year())) else {
        return (0, (1 << 5) | 1);
    };
    let year = u16::try_from(at.year() - 1980).unwrap_or_default();
    let date = (year << 9) | (u16::from(u8::from(at.month())) << 5) | u16::from(at.day());
    let time =
        (u16::from(at.hour()) << 11) | (u16::from(at.minute()) << 5) | u16::from(at.second() / 2);
    (time, date)
}

/// Numbers one after the other, the least byte first.
#[derive(Debug, Default)]
struct Record(Vec<u8>);

impl Record {
    fn of(signature: u32) -> Self {
        Self::default().u32(signature)
    }

    fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn length(&self) -> u16 {
        u16::try_from(self.0.len()).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom, Write};
    use std::process::Command;
    use time::macros::datetime;

    fn entry(name: &str, size: Option<u64>) -> ZipEntry {
        ZipEntry {
            name: name.into(),
            modified: Some(datetime!(2026-03-01 12:34:56 UTC)),
            size,
        }
    }

    fn written(files: &[(ZipEntry, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::default();
        let mut out = Vec::new();
        for (entry, content) in files {
            out.extend(writer.begin(entry.clone()));
            for part in content.chunks(3) {
                writer.content(part);
                out.extend_from_slice(part);
            }
            out.extend(writer.end_entry().unwrap());
        }
        out.extend(writer.finish());
        out
    }

    #[test]
    fn the_length_is_known_before() {
        let files: [(ZipEntry, &[u8]); 3] = [
            (entry("a.txt", Some(5)), b"hello"),
            (entry("b/ü.bin", Some(0)), b""),
            (entry("c", Some(1)), b"x"),
        ];
        let entries: Vec<ZipEntry> = files.iter().map(|(entry, _)| entry.clone()).collect();
        assert_eq!(length(&entries), Some(written(&files).len() as u64));
        assert_eq!(length(&[]), Some(22));
        assert_eq!(length(&[entry("a", None)]), None);
        // The first is too large for 32 bits, the second begins beyond them.
        let large = [entry("a", Some(5 << 30)), entry("b", Some(1))];
        let around = (30 + 1 + 20 + 24) + (30 + 1 + 16);
        let rows = (46 + 1 + 20) + (46 + 1 + 12);
        let wanted = (5 << 30) + 1 + around + rows + 56 + 20 + 22;
        assert_eq!(length(&large), Some(wanted));
    }

    #[test]
    fn a_file_of_another_size_ends_nothing() {
        let mut writer = ZipWriter::default();
        assert_eq!(writer.end_entry(), Err(WrongSize));
        writer.begin(entry("a", Some(5)));
        writer.content(b"hell");
        assert_eq!(writer.end_entry(), Err(WrongSize));
    }

    #[test]
    fn the_records_are_those_of_the_format() {
        let made = written(&[(entry("a", Some(3)), b"abc")]);
        // CRC-32 of “abc”, as every implementation has it.
        let crc = 0x3524_41c2_u32.to_le_bytes();
        assert_eq!(made[..4], *b"PK\x03\x04");
        assert_eq!(made[6..8], [0x08, 0x08]);
        assert_eq!(made[31..34], *b"abc");
        assert_eq!(made[34..38], *b"PK\x07\x08");
        assert_eq!(made[38..42], crc);
        let directory = 34 + 16;
        assert_eq!(made[directory..directory + 4], *b"PK\x01\x02");
        assert_eq!(made[made.len() - 22..][..4], *b"PK\x05\x06");
        let begin = u32::try_from(directory).unwrap().to_le_bytes();
        assert_eq!(made[made.len() - 6..][..4], begin);
    }

    /// What Python's `zipfile` reads of an archive that begins at this place of a file.
    fn read_by_python(begin: u64, archive: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut file = std::fs::File::create(&path).unwrap();
        file.seek(SeekFrom::Start(begin)).unwrap();
        file.write_all(archive).unwrap();
        drop(file);
        let script = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(*(f'{i.filename}={z.read(i).decode()}@{i.date_time}' for i in z.infolist()), sep='; ')";
        let mut python = Command::new("python3");
        let read = python.args(["-c", script]).arg(&path).output().unwrap();
        assert!(read.status.success(), "{read:?}");
        String::from_utf8(read.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn other_programs_read_it_beyond_four_gigabytes_too() {
        for begin in [0, 5 << 30] {
            let mut writer = ZipWriter {
                offset: begin,
                ..ZipWriter::default()
            };
            let mut archive = Vec::new();
            // The second has no known size, so it is written as a large one.
            for (entry, content) in [(entry("ü a", Some(2)), "hi"), (entry("b/c", None), "x")] {
                archive.extend(writer.begin(entry));
                writer.content(content.as_bytes());
                archive.extend_from_slice(content.as_bytes());
                archive.extend(writer.end_entry().unwrap());
            }
            archive.extend(writer.finish());
            assert_eq!(
                read_by_python(begin, &archive),
                "ü a=hi@(2026, 3, 1, 12, 34, 56); b/c=x@(2026, 3, 1, 12, 34, 56)"
            );
        }
    }

    #[test]
    fn times_are_those_of_dos() {
        let at = |at| dos_time(Some(at));
        let (time, date) = at(datetime!(2026-03-01 13:34:57 +1));
        assert_eq!(date, (46 << 9) | (3 << 5) | 1);
        assert_eq!(time, (12 << 11) | (34 << 5) | 28);
        assert_eq!(at(datetime!(1970-01-01 00:00 UTC)), (0, 33));
        assert_eq!(dos_time(None), (0, 33));
    }
}
