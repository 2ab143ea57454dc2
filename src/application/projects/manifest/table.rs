//! Text: one file key on each line, or a table of separated values.
//!
//! Lines end with LF, CRLF or CR alone. The `csv` crate reads the cells. It takes a quote that never ends as
//! one cell to the end of the file, so the quotes are looked at first: nothing is swallowed.

use crate::application::projects::manifest::heading::Columns;
use crate::application::projects::manifest::inventory;
use crate::application::projects::manifest::list::{Entry, FileList, Place};
use crate::domain::Invalid;
use crate::domain::invalid::shown;
use csv::{ReaderBuilder, StringRecord};

const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b'|'];

/// What is known of a text before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// A key on each line, unless the first line is a heading.
    Plain,
    /// Its name ends in `.csv`.
    Csv,
    /// Its name ends in `.tsv` or `.tab`.
    Tsv,
}

/// Reads the text. `with_comments`: lines that begin with `#` are skipped.
pub(super) fn read(text: &str, kind: TextKind, with_comments: bool, list: &mut FileList<'_>) {
    let text = &one_kind_of_line_end(text);
    let (forced, text, kind) = match excels_separator(text) {
        Some((separator, without)) if kind == TextKind::Plain => {
            (Some(separator), &without.into(), TextKind::Csv)
        }
        Some((separator, without)) => (Some(separator), &without.into(), kind),
        None => (None, text, kind),
    };
    if let Some(listing) = markup(text).or_else(|| listing_of_a_folder(text)) {
        list.refuse(Place::Whole, listing);
        return;
    }
    let is_skipped =
        |line: &str| line.trim().is_empty() || (with_comments && line.starts_with('#'));
    let mut rows = line_starts(text).filter(|rest| !is_skipped(first_line(rest)));
    // A heading may itself have quotes over lines, so cells are read from here on.
    let Some(from_first) = rows.next() else {
        return;
    };
    let first = first_line(from_first);
    let (separator, columns) = match heading(from_first, kind, forced) {
        Some((separator, Ok(columns))) => (separator, Some(columns)),
        Some((_, Err(invalid))) => {
            list.refuse(Place::Whole, invalid);
            return;
        }
        None => (
            forced.unwrap_or_else(|| separator_without_heading(first, text, kind)),
            None,
        ),
    };
    if columns.is_none() && kind != TextKind::Plain {
        let cells = cells_of(from_first, separator);
        // The rows below have keys where the first has words.
        let is_unknown = Columns::may_be_unknown_heading(&cells)
            && rows.next().is_some_and(|second| {
                cells_of(second, separator)
                    .iter()
                    .any(|cell| cell.contains(['.', '/']))
            });
        if is_unknown {
            list.refuse(
                Place::Line(1 + lines_before(text, from_first)),
                Columns::unknown_heading(&cells),
            );
            return;
        }
    }
    match (columns, kind) {
        (None, TextKind::Plain) => {
            for (at, line) in text.split('\n').enumerate() {
                if !is_skipped(line) {
                    list.add(Place::Line(at + 1), Entry::of_key(line));
                }
                if list.is_full() {
                    return;
                }
            }
        }
        (columns, _) => table(text, separator, columns, with_comments, list),
    }
}

/// Excel's first line `sep=;`: the separator, and the text with that line left empty, so that lines keep
/// their numbers.
fn excels_separator(text: &str) -> Option<(u8, String)> {
    let line = first_line(text);
    let separator = match line.strip_prefix("sep=")?.as_bytes() {
        [separator] if SEPARATORS.contains(separator) => *separator,
        _ => return None,
    };
    Some((separator, text[line.len()..].to_owned()))
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The text from the start of each line on.
fn line_starts(text: &str) -> impl Iterator<Item = &str> {
    std::iter::once(text).chain(text.match_indices('\n').map(|(at, _)| &text[at + 1..]))
}

fn lines_before(text: &str, rest: &str) -> usize {
    let before = &text[..text.len() - rest.len()];
    before.bytes().filter(|b| *b == b'\n').count()
}

/// Python's and the csv crate's reading: a CR that no LF follows ends a line too.
fn one_kind_of_line_end(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        false => text.into(),
    }
}

/// The separator under which the line is a heading, and its columns.
fn heading(
    text: &str,
    kind: TextKind,
    forced: Option<u8>,
) -> Option<(u8, Result<Columns, Invalid>)> {
    let line = first_line(text);
    let is_table = kind != TextKind::Plain;
    let mut single = None;
    for separator in SEPARATORS {
        if forced.is_some_and(|forced| forced != separator) {
            continue;
        }
        let cells = cells_of(text, separator);
        if let Some(columns) = Columns::of_heading(&cells, is_table) {
            if cells.len() > 1 {
                return Some((separator, columns));
            }
            let separator = forced.unwrap_or_else(|| separator_without_heading(line, line, kind));
            single = Some((separator, columns));
        }
    }
    single
}

/// The cells of the first row.
fn cells_of(text: &str, separator: u8) -> Vec<String> {
    let mut record = StringRecord::new();
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    match reader.read_record(&mut record) {
        Ok(_) => record.iter().map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

/// The name's, or a comma; another one only where every line has as many of it as the first.
fn separator_without_heading(first: &str, text: &str, kind: TextKind) -> u8 {
    match kind {
        TextKind::Tsv => return b'\t',
        TextKind::Plain | TextKind::Csv if first.contains(',') => return b',',
        TextKind::Plain | TextKind::Csv => {}
    }
    let count = |line: &str, separator: u8| line.bytes().filter(|b| *b == separator).count();
    [b'\t', b';']
        .into_iter()
        .find(|separator| {
            let wanted = count(first, *separator);
            wanted > 0
                && text
                    .split('\n')
                    .filter(|line| !line.trim().is_empty())
                    .all(|line| count(line, *separator) == wanted)
        })
        .unwrap_or(b',')
}

fn table(
    text: &str,
    separator: u8,
    columns: Option<Columns>,
    with_comments: bool,
    list: &mut FileList<'_>,
) {
    let faults = bad_quotes(text, separator, with_comments);
    if !faults.is_empty() {
        for (place, invalid) in faults {
            list.refuse(place, invalid);
        }
        return;
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .comment(with_comments.then_some(b'#'))
        .from_reader(text.as_bytes());
    let mut is_heading = columns.is_some();
    let columns = columns.unwrap_or_else(Columns::without_heading);
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            // The text is UTF-8 and rows may have any length, so there is nothing to go wrong.
            Err(error) => {
                let invalid = Invalid::new("malformed_manifest", format!("{error}."));
                list.refuse(Place::Whole, invalid);
                return;
            }
        }
        // A line of blanks or separators alone is no row: spreadsheets leave them behind their last one.
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if std::mem::take(&mut is_heading) {
            continue;
        }
        let line = record
            .position()
            .and_then(|at| usize::try_from(at.line()).ok())
            .unwrap_or_default();
        // A data file of S3 Inventory without its manifest: the bucket, then the encoded key.
        let of_inventory = match (&columns.width, record.get(1)) {
            (None, Some(key)) if list.is_of_bucket(&record[0]) => {
                let mut entry = inventory::entry(&record[0], key);
                let further = record.iter().enumerate().skip(2);
                entry.metadata = further
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(at, value)| (columns.heading_of(at), value.to_owned()))
                    .collect();
                Some(entry)
            }
            _ => None,
        };
        match of_inventory.map_or_else(|| entry(&record, &columns), Ok) {
            Ok(entry) => list.add(
                Place::Cell {
                    line,
                    column: columns.key + 1,
                },
                entry,
            ),
            Err(invalid) => list.refuse(Place::Line(line), invalid),
        }
        if list.is_full() {
            return;
        }
    }
}

fn entry(record: &StringRecord, columns: &Columns) -> Result<Entry, Invalid> {
    if let Some(width) = columns.width
        && record.len() > width
        && record.iter().skip(width).any(|cell| !cell.is_empty())
    {
        return Err(Invalid::new(
            "too_many_cells",
            format!(
                "There are {} cells, and the heading has {width}. A value with the separator in it is written between quotes.",
                record.len()
            ),
        ));
    }
    if columns.width.is_none()
        && let Some((at, found)) = bucket_address_after_first(record)
    {
        return Err(Invalid::new(
            "unknown_heading",
            format!(
                "Without a heading the first column has the file keys. Here it is `{}`, and column {} is the address `{}`. Add a heading that calls the column of the files `file_key`.",
                shown(&record[0]),
                at + 1,
                shown(found)
            ),
        ));
    }
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let metadata = record
        .iter()
        .enumerate()
        .filter(|(at, value)| *at != columns.key && Some(*at) != columns.name && !value.is_empty())
        .map(|(at, value)| (columns.heading_of(at), value.to_owned()))
        .collect();
    Ok(Entry {
        file_key: cell(columns.key).to_owned(),
        name: columns
            .name
            .map(cell)
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        metadata,
    })
}

/// The address in a bucket that another column than the first has, where the first has none: so write Vertex
/// AI and AutoML their rows, `TRAINING,gs://bucket/a.png,cat`.
fn bucket_address_after_first(record: &StringRecord) -> Option<(usize, &str)> {
    const SCHEMES: &[&str] = &["s3://", "s3a://", "s3n://", "gs://", "az://", "abfss://"];
    let is_address = |cell: &str| SCHEMES.iter().any(|scheme| cell.starts_with(scheme));
    if record.get(0).is_none_or(|first| first.contains("://")) {
        return None;
    }
    record
        .iter()
        .enumerate()
        .skip(1)
        .find(|(_, cell)| is_address(cell))
}

/// Every quote that does not end, or that something other than a separator or a line end follows (RFC
/// 4180). A quote inside a cell that does not begin with one is a character like others.
fn bad_quotes(text: &str, separator: u8, with_comments: bool) -> Vec<(Place, Invalid)> {
    let bytes = text.as_bytes();
    let mut faults = Vec::new();
    let (mut at, mut line, mut line_began) = (0, 1, 0);
    let mut at_line_start = true;
    let mut at_cell_start = true;
    while let Some(byte) = bytes.get(at) {
        if at_line_start && with_comments && *byte == b'#' {
            while bytes.get(at).is_some_and(|b| *b != b'\n') {
                at += 1;
            }
            at_line_start = false;
            continue;
        }
        at_line_start = false;
        match byte {
            b'"' if at_cell_start => {
                let opened = (line, at - line_began + 1);
                at_cell_start = false;
                at += 1;
                loop {
                    match (bytes.get(at), bytes.get(at + 1)) {
                        (None, _) => {
                            faults.push((
                                Place::Line(opened.0),
                                Invalid::new(
                                    "malformed_csv",
                                    format!(
                                        "The quote at character {} does not end before the end of the file. A quote that belongs to the value is written twice, between quotes.",
                                        opened.1
                                    ),
                                ),
                            ));
                            return faults;
                        }
                        (Some(b'"'), Some(b'"')) => at += 2,
                        (Some(b'"'), next) => {
                            at += 1;
                            let ends = next.is_none_or(|b| *b == separator || *b == b'\n');
                            if !ends {
                                let rest = text.get(at..).unwrap_or_default();
                                let found: String = rest.chars().take(10).collect();
                                faults.push((
                                    Place::Line(line),
                                    Invalid::new(
                                        "malformed_csv",
                                        format!(
                                            "`{}` follows a closing quote, where a separator or the end of the line is expected.",
                                            shown(&found)
                                        ),
                                    ),
                                ));
                            }
                            break;
                        }
                        (Some(b'\n'), _) => {
                            at += 1;
                            line += 1;
                            line_began = at;
                        }
                        (Some(_), _) => at += 1,
                    }
                }
                continue;
            }
            b'\n' => {
                line += 1;
                line_began = at + 1;
                at_line_start = true;
                at_cell_start = true;
            }
            byte => at_cell_start = *byte == separator,
        }
        at += 1;
    }
    faults
}

/// A page of a server, such as its listing of a folder, or a store's answer is no list of keys. A key that
/// begins like one has a leading slash.
fn markup(text: &str) -> Option<Invalid> {
    const STARTS: &[(&str, &str)] = &[
        ("<!doctype html", "an HTML page"),
        ("<html", "an HTML page"),
        ("<?xml", "XML"),
        ("<annotation>", "XML"),
        ("%pdf-", "a PDF document"),
        ("{\\rtf", "an RTF document"),
        ("%yaml", "YAML"),
        ("---\n", "YAML"),
        ("<listbucketresult", "XML"),
        ("<error>", "XML"),
    ];
    let start: String = text.trim_start().chars().take(32).collect();
    let start = start.to_ascii_lowercase();
    let (_, name) = STARTS.iter().find(|(begin, _)| start.starts_with(begin))?;
    let what = match text.contains("<ListBucketResult") {
        true => "S3's own listing of a bucket, in XML",
        false => *name,
    };
    let detail = format!(
        "This is {what}. A list of files is text: one file key on each line, CSV, TSV, JSON or JSON lines."
    );
    Some(Invalid::new("unsupported_manifest", detail))
}

/// What a tool printed about a folder is no list of keys.
fn listing_of_a_folder(text: &str) -> Option<Invalid> {
    let mut lines = text.split('\n').filter(|line| !line.trim().is_empty());
    let first = lines.next()?;
    let second = lines.next();
    let refused = |what: &str, instead: &str| {
        Some(Invalid::new(
            "unsupported_manifest",
            format!("This is what `{what}` prints. {instead}"),
        ))
    };
    if is_aws_listing(first) && second.is_none_or(is_aws_listing) {
        return refused(
            "aws s3 ls",
            "A list has file keys alone: `aws s3api list-objects-v2 --query 'Contents[].Key'` prints them as JSON.",
        );
    }
    let is_total = first
        .strip_prefix("total ")
        .is_some_and(|size| size.bytes().all(|b| b.is_ascii_digit()));
    if is_unix_listing(first) || (is_total && second.is_some_and(is_unix_listing)) {
        return refused("ls -l", "A list has file keys alone, one on each line.");
    }
    None
}

/// `2026-01-31 12:00:00      1234 a.png`, or `PRE folder/`.
fn is_aws_listing(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_made_of = |word: &str, marks: &[u8], length: usize| {
        word.len() == length
            && word
                .bytes()
                .all(|b| b.is_ascii_digit() || marks.contains(&b))
            && marks.iter().all(|mark| word.as_bytes().contains(mark))
    };
    match words.as_slice() {
        ["PRE", _, ..] => line.starts_with(' '),
        [date, time, size, _, ..] => {
            is_made_of(date, b"-", 10)
                && is_made_of(time, b":", 8)
                && size.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

/// `-rw-r--r-- 1 ann staff 1234 …`
fn is_unix_listing(line: &str) -> bool {
    let Some(mode) = line.split_whitespace().next() else {
        return false;
    };
    let mode = mode.trim_end_matches(['@', '+', '.']);
    mode.len() == 10
        && mode.starts_with(['-', 'd', 'l'])
        && mode[1..].bytes().all(|b| b"rwxsStT-".contains(&b))
        && line.split_whitespace().count() >= 8
}
