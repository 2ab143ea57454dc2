//! File keys as somebody typed or pasted them.

use crate::application::error::FieldError;
use crate::domain::Invalid;
use crate::domain::files::file_key::FileKey;
use crate::domain::project::{FileName, WantedFile};

/// How many bad lines are told.
const MOST_ERRORS: usize = 20;

/// One file key on each line, taken as it is; or, under a heading `file_key` or `file_key,name`, CSV
/// (RFC 4180). Blank lines are skipped. Each bad line is named by its number.
pub fn parse(text: &str) -> Result<Vec<WantedFile>, Vec<FieldError>> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    let mut lines = text
        .trim_start_matches('\u{feff}')
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .peekable();
    let heading = lines.peek().and_then(|(_, line)| columns(line));
    if heading.is_some() {
        lines.next();
    }
    for (at, line) in lines {
        let parsed = match heading {
            None => file(line, None),
            Some(columns) => cells(line).and_then(|cells| {
                if cells.len() > columns {
                    let detail = "There are more cells than the heading has: put a key with a comma in it between quotes.";
                    return Err(Invalid::new("malformed_csv", detail));
                }
                let key = cells.first().map_or("", String::as_str);
                let name = cells.get(1).filter(|name| !name.is_empty());
                file(key, name.map(String::as_str))
            }),
        };
        match parsed {
            Ok(file) => files.push(file),
            Err(invalid) if errors.len() < MOST_ERRORS => errors.push(FieldError {
                field: "keys".into(),
                code: invalid.code,
                detail: format!("Line {}: {}", at + 1, invalid.detail),
            }),
            Err(_) => {}
        }
    }
    match errors.is_empty() {
        true => Ok(files),
        false => Err(errors),
    }
}

fn file(key: &str, name: Option<&str>) -> Result<WantedFile, Invalid> {
    Ok(WantedFile {
        file_key: FileKey::parse(key)?,
        name: name.map(FileName::parse).transpose()?,
    })
}

/// How many columns a heading names; `None` for what is no heading. A file key called `file_key` is
/// written with its slash.
fn columns(line: &str) -> Option<usize> {
    let names: Vec<&str> = line
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    match names.as_slice() {
        ["file_key"] => Some(1),
        ["file_key", "name"] => Some(2),
        _ => None,
    }
}

fn cells(line: &str) -> Result<Vec<String>, Invalid> {
    let malformed = |why: &str| Invalid::new("malformed_csv", format!("This is not CSV: {why}."));
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let Some(mut quoted) = rest.strip_prefix('"') else {
            match rest.split_once(',') {
                Some((cell, more)) => {
                    cells.push(cell.to_owned());
                    rest = more;
                    continue;
                }
                None => {
                    cells.push(rest.to_owned());
                    return Ok(cells);
                }
            }
        };
        let mut cell = String::new();
        loop {
            let (before, after) = quoted
                .split_once('"')
                .ok_or_else(|| malformed("a quote does not end on its line"))?;
            cell.push_str(before);
            match after.strip_prefix('"') {
                Some(more) => {
                    cell.push('"');
                    quoted = more;
                }
                None => {
                    quoted = after;
                    break;
                }
            }
        }
        cells.push(cell);
        match quoted.strip_prefix(',') {
            Some(more) => rest = more,
            None if quoted.is_empty() => return Ok(cells),
            None => return Err(malformed("a comma must follow a closing quote")),
        }
    }
}

/// The keys as lines, to be edited.
pub fn written<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, Option<String>)> {
        let files = parse(text).unwrap();
        let name = |name: FileName| name.as_str().to_owned();
        files
            .into_iter()
            .map(|file| (file.file_key.to_string(), file.name.map(name)))
            .collect()
    }

    #[test]
    fn one_key_on_each_line_as_it_is() {
        let keys = parsed("/a b+%20.txt\r\nc,d.txt\n\n \n//e\n\"f\"\n#g\n trailing ");
        let keys: Vec<_> = keys.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "/a b+%20.txt",
                "/c,d.txt",
                "//e",
                "/\"f\"",
                "/#g",
                "/ trailing "
            ]
        );
    }

    #[test]
    fn csv_under_a_heading() {
        let files = parsed("file_key,name\n/a,One\n\"/b,\"\"c\"\"\",\n\"/d\",\"x, y\"\n/e\n");
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(
            files,
            [
                ("/a".to_owned(), name("One")),
                ("/b,\"c\"".to_owned(), None),
                ("/d".to_owned(), name("x, y")),
                ("/e".to_owned(), None),
            ]
        );
        assert_eq!(parsed("\u{feff}file_key\n/a").len(), 1);
    }

    #[test]
    fn bad_lines_are_named() {
        let errors = parse("/a\n/b/../c\n/").unwrap_err();
        let lines: Vec<_> = errors.iter().map(|e| &e.detail[..7]).collect();
        assert_eq!(lines, ["Line 2:", "Line 3:"]);
        for bad in ["\"/a", "\"/a\"x", "/a,b"] {
            assert!(parse(&format!("file_key\n{bad}")).is_err(), "{bad}");
        }
        assert_eq!(parse(&"..\n".repeat(100)).unwrap_err().len(), MOST_ERRORS);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let keys = ["/a b", "//c", "/d,e", "/file_key"];
        let files = parsed(&written(keys));
        assert!(files.iter().map(|(key, _)| key).eq(keys.iter()));
    }
}
