//! File keys as somebody typed or pasted them.

use crate::application::projects::input::NewFileInput;
use crate::domain::Invalid;

/// A line that names a file.
#[derive(Debug, PartialEq, Eq)]
pub struct TypedLine {
    /// Counted from 1.
    pub number: usize,
    /// The file, or why the line is not CSV.
    pub file: Result<NewFileInput, Invalid>,
}

/// One file key on each line, taken as it is; or, under a heading `file_key` or `file_key,name`, CSV
/// (RFC 4180). Blank lines are skipped. Keys and names are not parsed here.
pub fn lines(text: &str) -> Vec<TypedLine> {
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
    lines
        .map(|(at, line)| TypedLine {
            number: at + 1,
            file: match heading {
                None => Ok(file(line, None)),
                Some(columns) => of_cells(line, columns),
            },
        })
        .collect()
}

fn of_cells(line: &str, columns: usize) -> Result<NewFileInput, Invalid> {
    let cells = cells(line)?;
    if cells.len() > columns {
        let detail = "There are more cells than the heading has: put a key with a comma in it between quotes.";
        return Err(Invalid::new("malformed_csv", detail));
    }
    let key = cells.first().map_or("", String::as_str);
    let name = cells.get(1).filter(|name| !name.is_empty());
    Ok(file(key, name.map(String::as_str)))
}

fn file(key: &str, name: Option<&str>) -> NewFileInput {
    NewFileInput {
        file_key: key.to_owned(),
        name: name.map(str::to_owned),
    }
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
    use crate::domain::files::file_key::FileKey;

    /// What is listed, with each key as it is parsed.
    fn parsed(text: &str) -> Vec<(String, Option<String>)> {
        let files = lines(text).into_iter().map(|line| line.file.unwrap());
        files
            .map(|file| {
                let key = FileKey::parse(&file.file_key).unwrap();
                (key.to_string(), file.name)
            })
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
    fn lines_are_counted_with_the_heading_and_blank_ones() {
        let numbers: Vec<_> = lines("file_key\n\n/a\n/b")
            .iter()
            .map(|line| line.number)
            .collect();
        assert_eq!(numbers, [3, 4]);
        for bad in ["\"/a", "\"/a\"x", "/a,b"] {
            let lines = lines(&format!("file_key\n{bad}"));
            assert!(lines[0].file.is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let keys = ["/a b", "//c", "/d,e", "/file_key"];
        let files = parsed(&written(keys));
        assert!(files.iter().map(|(key, _)| key).eq(keys.iter()));
    }
}
