//! Text: one file key on each line, or a table of separated values.
//!
//! Lines end with LF, CRLF or CR alone. The `csv` crate reads the cells. It takes a quote that never ends as
//! one cell to the end of the file, so the quotes are looked at first: nothing is swallowed.

use crate::application::projects::manifest::heading::{Columns, looks_like_key};
use crate::application::projects::manifest::inventory;
use crate::application::projects::manifest::list::{Entry, FileList, Place};
use crate::application::projects::manifest::other_text;
use crate::application::projects::manifest::quotes::{
    bad_quotes, row_length, without_blanks_around_quotes, without_comments,
};
use crate::domain::Invalid;
use crate::domain::invalid::shown;
use csv::{ReaderBuilder, StringRecord};

const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b'|'];
/// How many rows are looked at to see whether the first column has keys.
const FIRST_ROWS: usize = 10;

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
    if let Some(listing) = other_text::recognised(text) {
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
    if columns.is_none()
        && let Some(cells) = match kind {
            TextKind::Plain => unknown_heading_of_text(from_first, rows.take(FIRST_ROWS)),
            TextKind::Csv | TextKind::Tsv => {
                let rows =
                    rows_from(from_first, separator).filter(|row| !is_skipped(first_line(row)));
                row_without_key(rows.take(FIRST_ROWS), separator, list)
            }
        }
    {
        let (row, cells) = cells;
        let place = Place::Line(1 + lines_before(text, row));
        list.refuse(place, Columns::unknown_heading(&cells));
        return;
    }
    let comments = Comments {
        has_heading: columns.is_some(),
        first_row: text.len() - from_first.len(),
        width: cells_of(from_first, separator).len(),
        separator,
    };
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
        (columns, _) => {
            let text = match with_comments {
                true => without_comments(text, separator, |row, at| comments.is_row(row, at)),
                false => std::borrow::Cow::Borrowed(text.as_ref()),
            };
            table(&text, separator, columns, list);
        }
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

/// Words in the first line of a text whose next lines have as many separators: a table, and it is not known
/// which column has the keys. A list of keys whose first has no dot and no slash begins with a slash.
fn unknown_heading_of_text<'t>(
    first: &'t str,
    rest: impl Iterator<Item = &'t str>,
) -> Option<(&'t str, Vec<String>)> {
    let rest: Vec<&str> = rest.map(first_line).collect();
    let count = |line: &str, separator: u8| line.bytes().filter(|b| *b == separator).count();
    SEPARATORS.into_iter().find_map(|separator| {
        let cells = cells_of(first, separator);
        let wanted = count(first_line(first), separator);
        let is_table = !rest.is_empty()
            && rest.iter().all(|line| count(line, separator) == wanted)
            && Columns::may_be_unknown_heading(&cells);
        is_table.then_some((first, cells))
    })
}

/// Each row from here on. Unlike [`line_starts`], a line inside of quotes begins none.
fn rows_from(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let row = (!rest.is_empty()).then_some(rest);
        rest = &rest[row_length(rest, separator)..];
        row
    })
}

/// The first row of several cells whose first is no key as far as can be seen. Without a heading, that cell
/// would be taken for one.
fn row_without_key<'t>(
    rows: impl Iterator<Item = &'t str>,
    separator: u8,
    list: &FileList<'_>,
) -> Option<(&'t str, Vec<String>)> {
    rows.map(|row| (row, cells_of(row, separator)))
        .find(|(_, cells)| {
            let further = cells.iter().skip(1);
            let is_row = further.clone().any(|cell| !cell.trim().is_empty());
            // That has words of its own, with the column, as an empty first cell has.
            let has_address = further.clone().any(|cell| cell.contains("://"));
            cells.first().is_some_and(|first| {
                is_row
                    && !has_address
                    && !first.trim().is_empty()
                    && !looks_like_key(first)
                    && !list.is_of_bucket(first)
            })
        })
}

/// Which lines that begin with `#` are rows of a table: those that have its number of cells.
struct Comments {
    has_heading: bool,
    /// Where the heading or the first row is.
    first_row: usize,
    width: usize,
    separator: u8,
}

impl Comments {
    fn is_row(&self, row: &str, at: usize) -> bool {
        let cells = cells_of(row, self.separator);
        self.width > 1
            && cells.len() == self.width
            && (at > self.first_row || (!self.has_heading && looks_like_key(&cells[0])))
    }
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
    let text = &text[..row_length(text, separator)];
    let text = match text.contains('"') {
        true => without_blanks_around_quotes(text, separator),
        false => text.into(),
    };
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
    [b'\t', b';', b'|']
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

fn table(text: &str, separator: u8, columns: Option<Columns>, list: &mut FileList<'_>) {
    let text = &without_blanks_around_quotes(text, separator);
    let faults = bad_quotes(text, separator);
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
                let further = record.iter().enumerate().skip(2);
                let metadata = further
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(at, value)| (columns.heading_of(at), value.to_owned()))
                    .collect();
                let entry = inventory::entry(&record[0], key);
                Some(entry.map(|entry| Entry { metadata, ..entry }))
            }
            _ => None,
        };
        match of_inventory.unwrap_or_else(|| entry(&record, &columns)) {
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
