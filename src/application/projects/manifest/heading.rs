//! The headings of a table, and the members of a JSON object: which one names the file.

use crate::domain::Invalid;
use crate::domain::invalid::shown;
use std::collections::HashSet;

/// Names for the file's key or address, in lower case without spaces, hyphens and underscores. The first
/// that is there counts, so `file_key` beats `image`.
const KEYS: &[&str] = &[
    "filekey",
    "objectkey",
    "s3key",
    "key",
    "s3uri",
    "s3url",
    "sourceref",
    "uri",
    "url",
    "filepath",
    "path",
    "filename",
    "file",
    "imagepath",
    "imageurl",
    "imageuri",
    "imagefile",
    "imagename",
    "imgpath",
    "image",
    "audio",
    "video",
    "document",
];

/// Those that are a heading even where they are the only word of a text's first line. A file with such a
/// key is written with its leading slash.
const SURE_KEYS: &[&str] = &["filekey", "objectkey", "s3key", "s3uri", "key"];

/// The name for the file in the project.
const NAMES: &[&str] = &["name", "displayname", "title"];

/// What each column of a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub key: usize,
    pub name: Option<usize>,
    /// The columns that are kept as the file's metadata, with their headings, from left to right.
    pub others: Vec<(usize, String)>,
    /// How many columns there are. `None`: rows have any number, because there is no heading.
    pub width: Option<usize>,
}

/// Which of some member names is the file's key, by the order of [`KEYS`].
pub(super) fn key_among<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    first_among(KEYS, names)
}

/// Which of some member names is the file's name.
pub(super) fn name_among<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    first_among(NAMES, names)
}

fn first_among<'a>(known: &[&str], names: impl Iterator<Item = &'a str>) -> Option<usize> {
    names
        .enumerate()
        .filter_map(|(at, name)| {
            let name = normal(name);
            let rank = known.iter().position(|known| *known == name)?;
            Some((rank, at))
        })
        .min()
        .map(|(_, at)| at)
}

fn normal(name: &str) -> String {
    name.to_lowercase()
        .replace(|c: char| c.is_whitespace() || "_-\u{feff}".contains(c), "")
}

impl Columns {
    /// The columns under a heading; `None` where the cells are no heading. In a text that is not said to be
    /// a table, cells that look like parts of a path are none.
    pub fn of_heading(cells: &[String], is_table: bool) -> Option<Result<Self, Invalid>> {
        let names = cells.iter().map(String::as_str);
        let key = key_among(names.clone())?;
        if !is_table {
            let is_sure = SURE_KEYS.contains(&normal(&cells[key]).as_str());
            let is_plain = cells
                .iter()
                .all(|cell| cell.len() <= 64 && !cell.contains(['/', '.', '\\']));
            if !is_plain || (cells.len() == 1 && !is_sure) {
                return None;
            }
        }
        let name = name_among(names);
        let mut others: Vec<(usize, String)> = Vec::new();
        let unnamed: Vec<String> = (0..cells.len()).map(unnamed).collect();
        // A set, as a heading may have a million columns.
        let mut seen: HashSet<&str> = [Some(key), name]
            .into_iter()
            .flatten()
            .map(|known| cells[known].trim())
            .collect();
        for (at, cell) in cells.iter().enumerate() {
            if at == key || Some(at) == name {
                continue;
            }
            let heading = match cell.trim() {
                "" => unnamed[at].as_str(),
                heading => heading,
            };
            if !seen.insert(heading) {
                return Some(Err(Invalid::new(
                    "duplicate_heading",
                    format!(
                        "The heading has `{}` twice. Each column needs a heading of its own.",
                        shown(heading)
                    ),
                )));
            }
            others.push((at, heading.to_owned()));
        }
        Some(Ok(Self {
            key,
            name,
            others,
            width: Some(cells.len()),
        }))
    }

    /// Whether the cells of a first row are words, as headings are, and none of them is known.
    ///
    /// A key has a dot or a slash, nearly always; a value is a number or empty, often.
    pub fn may_be_unknown_heading(cells: &[String]) -> bool {
        let is_word = |cell: &String| {
            let cell = cell.trim();
            cell.len() <= 64
                && cell.contains(|c: char| c.is_alphabetic())
                && !cell.contains(['/', '.', '\\', ':'])
        };
        let mut seen = HashSet::new();
        cells.len() > 1
            && cells.iter().all(is_word)
            && cells.iter().all(|cell| seen.insert(cell.as_str()))
    }

    /// What is wrong with a row without a known heading, whose first cell is no key as far as can be seen.
    pub fn unknown_heading(cells: &[String]) -> Invalid {
        let found: Vec<String> = cells
            .iter()
            .take(10)
            .map(|cell| format!("`{}`", shown(cell.trim())))
            .collect();
        let found = found.join(", ");
        let what = match Self::may_be_unknown_heading(cells) {
            true => format!(
                "This looks like a heading, and none of its columns is known to have the file keys: {found}."
            ),
            false => format!(
                "Without a heading the first column has the file keys, and here it does not look like one: {found}."
            ),
        };
        Invalid::new(
            "unknown_heading",
            format!(
                "{what} Add a heading, or change it, so that the column of the keys is called `file_key`; `key`, \
                 `s3_uri`, `url`, `path`, `filename` and `image` are known too. If the first column has file keys, \
                 write them with a leading slash."
            ),
        )
    }

    /// The key first, and whatever follows.
    pub fn without_heading() -> Self {
        Self {
            key: 0,
            name: None,
            others: Vec::new(),
            width: None,
        }
    }

    /// The heading of a column that is kept as metadata.
    pub fn heading_of(&self, at: usize) -> String {
        match self.others.binary_search_by_key(&at, |(column, _)| *column) {
            Ok(found) => self.others[found].1.clone(),
            Err(_) => unnamed(at),
        }
    }
}

/// Whether the text is a path, an address, or a name with an extension, such as `a.png`.
pub(super) fn looks_like_key(text: &str) -> bool {
    let is_extension = |end: &str| {
        (1..=10).contains(&end.len())
            && end.bytes().all(|b| b.is_ascii_alphanumeric())
            && end.bytes().any(|b| b.is_ascii_alphabetic())
    };
    let text = text.trim();
    text.contains('/')
        || text
            .rsplit_once('.')
            .is_some_and(|(stem, end)| !stem.is_empty() && is_extension(end))
}

fn unnamed(at: usize) -> String {
    format!("column_{}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    fn of(text: &str, is_table: bool) -> Option<Columns> {
        Columns::of_heading(&cells(text), is_table).map(|columns| columns.unwrap())
    }

    #[test]
    fn columns_in_any_order_and_case() {
        let columns = of("Label, File Key ,NAME,", true).unwrap();
        assert_eq!(
            (columns.key, columns.name, columns.width),
            (1, Some(2), Some(4))
        );
        assert_eq!(
            columns.others,
            [(0, "Label".to_owned()), (3, "column_4".to_owned())]
        );
        assert_eq!(of("id,filename,url", true).unwrap().key, 2);
        assert_eq!(of("image", true).unwrap().key, 0);
        assert_eq!(of("a,b", true), None);
        assert!(
            Columns::of_heading(&cells("key,x,x"), true)
                .unwrap()
                .is_err()
        );
    }

    #[test]
    fn a_line_of_text_is_a_heading_only_where_it_can_be_no_key() {
        assert!(of("file_key", false).is_some());
        assert!(of("KEY,label", false).is_some());
        assert!(of("filename,label", false).is_some());
        for line in ["image", "filename", "file,1.png", "a/path,file", "cat,dog"] {
            assert_eq!(of(line, false), None, "{line}");
        }
    }
}
