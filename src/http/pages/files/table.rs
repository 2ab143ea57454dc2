//! Texts that are rows and columns, as a page shows them.

use crate::http::pages::files::shown::shown;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How many rows are shown.
const ROWS: usize = 100;
const COLUMNS: usize = 30;
/// The longest text of a cell, in characters.
const CELL: usize = 200;

/// Rows and columns of a text. The text itself has the last word: numbers may be written otherwise here.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// What is left out, in words.
    pub left_out: Option<String>,
}

impl Table {
    /// `None` where the text is no table, as far as the ending of its name and its beginning say.
    pub fn of(name: &str, text: &str, is_cut: bool) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" => separated(text, b',', is_cut),
            "tsv" | "tab" => separated(text, b'\t', is_cut),
            "jsonl" | "ndjson" => lines(text, is_cut),
            "json" if !is_cut => array(text),
            _ => None,
        }
    }
}

fn separated(text: &str, delimiter: u8, is_cut: bool) -> Option<Table> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    // One more than is shown tells whether there are more.
    let most = ROWS + 2;
    let mut records: Vec<Vec<String>> = Vec::new();
    for record in reader.records().take(most) {
        records.push(record.ok()?.iter().map(str::to_owned).collect());
    }
    if is_cut && records.len() < most {
        // The cut may have gone through it.
        records.pop();
    }
    let mut records = records.into_iter();
    let head = records.next().filter(|head| head.len() > 1)?;
    Some(bounded(head, records.collect(), is_cut))
}

fn lines(text: &str, is_cut: bool) -> Option<Table> {
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if is_cut {
        lines.pop();
    }
    let has_more = is_cut || lines.len() > ROWS;
    let values = lines
        .iter()
        .take(ROWS)
        .map(|line| serde_json::from_str(line));
    let values: Vec<Value> = values.collect::<Result<_, _>>().ok()?;
    objects(&values, has_more)
}

fn array(text: &str) -> Option<Table> {
    match serde_json::from_str(text).ok()? {
        Value::Array(values) => objects(&values, false),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            None
        }
    }
}

/// A row for each object, a column for each of their names.
fn objects(values: &[Value], has_more: bool) -> Option<Table> {
    let has_more = has_more || values.len() > ROWS;
    let objects: Vec<&Map<String, Value>> = values
        .iter()
        .take(ROWS)
        .map(Value::as_object)
        .collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    let names = objects.iter().flat_map(|object| object.keys());
    let head: Vec<String> = names.filter(|name| seen.insert(*name)).cloned().collect();
    if head.is_empty() {
        return None;
    }
    let rows = objects
        .iter()
        .map(|object| {
            let shown = head.iter().take(COLUMNS);
            shown
                .map(|name| object.get(name).map_or_else(String::new, written))
                .collect()
        })
        .collect();
    Some(bounded(head, rows, has_more))
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn bounded(head: Vec<String>, mut rows: Vec<Vec<String>>, has_more: bool) -> Table {
    let has_more = has_more || rows.len() > ROWS;
    rows.truncate(ROWS);
    let widest = rows.iter().map(Vec::len).fold(head.len(), usize::max);
    let columns = widest.min(COLUMNS);
    let fitted = |row: &Vec<String>| -> Vec<String> {
        (0..columns)
            .map(|at| row.get(at).map_or_else(String::new, |text| cell(text)))
            .collect()
    };
    let mut left_out = Vec::new();
    if has_more {
        left_out.push(format!("These are the first {} rows.", rows.len()));
    }
    if widest > columns {
        left_out.push(format!("{columns} of {widest} columns are shown."));
    }
    Table {
        head: fitted(&head),
        rows: rows.iter().map(fitted).collect(),
        left_out: (!left_out.is_empty()).then(|| left_out.join(" ")),
    }
}

fn cell(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}…", shown(&text[..end])),
        None => shown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separated_texts_are_tables() {
        let table = Table::of("a.CSV", "name,\"a, b\"\nx,1\ny\n", false).unwrap();
        assert_eq!(table.head, ["name", "a, b"]);
        assert_eq!(table.rows, [["x", "1"], ["y", ""]]);
        assert_eq!(table.left_out, None);
        let table = Table::of("a.tsv", "a\tb,c\n1\t2", false).unwrap();
        assert_eq!(table.head, ["a", "b,c"]);
        // One column is a list, and reads better as text.
        assert!(Table::of("a.csv", "one\ntwo\n", false).is_none());
        assert!(Table::of("a.txt", "a,b\n", false).is_none());
        assert!(Table::of("a.csv", "", false).is_none());
    }

    #[test]
    fn a_cut_text_loses_the_row_that_was_cut() {
        let table = Table::of("a.csv", "a,b\n1,2\n3,", true).unwrap();
        assert_eq!(table.rows, [["1", "2"]]);
        assert!(table.left_out.unwrap().contains("first 1 rows"));
        let table = Table::of("a.jsonl", "{\"a\":1}\n{\"a\":", true).unwrap();
        assert_eq!(table.rows, [["1"]]);
        assert!(Table::of("a.json", "[{\"a\":1},", true).is_none());
    }

    #[test]
    fn objects_are_rows_with_all_their_names() {
        let text = r#"[{"b": 1, "a": null}, {"c": {"d": [1]}, "a": "x"}]"#;
        let table = Table::of("a.json", text, false).unwrap();
        assert_eq!(table.head, ["b", "a", "c"]);
        assert_eq!(table.rows[0], ["1", "null", ""]);
        assert_eq!(table.rows[1], ["", "x", "{\"d\":[1]}"]);
        for none in ["{\"a\": 1}", "[1, 2]", "[]", "[{}]", "{", "[{\"a\":1}, 2]"] {
            assert!(Table::of("a.json", none, false).is_none(), "{none}");
        }
    }

    #[test]
    fn large_tables_are_bounded() {
        let wide: Vec<String> = (0..50).map(|n| n.to_string()).collect();
        let text = format!("{}\n", wide.join(",")).repeat(300);
        let table = Table::of("a.csv", &text, false).unwrap();
        assert_eq!((table.rows.len(), table.head.len()), (ROWS, COLUMNS));
        let left_out = table.left_out.unwrap();
        assert!(left_out.contains("first 100 rows") && left_out.contains("30 of 50 columns"));
        let text = format!("a,b\n{},\u{202e}x\n", "ü".repeat(300));
        let table = Table::of("a.csv", &text, false).unwrap();
        assert_eq!(table.rows[0][0].chars().count(), CELL + 1);
        assert_eq!(table.rows[0][1], "␦x");
    }
}
