//! What may go to a terminal.

use serde_json::Value;

/// A text with nothing in it that a terminal obeys, and nothing that changes the order of what is shown: such
/// characters are written as `\u{1b}`. Joiners stay: letters and emoji need them.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if is_obeyed(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// The same for a text of several lines, like a document.
pub fn printable_lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(printable)
}

/// JSON, indented, in which such characters are escaped as JSON does.
pub fn json(value: &Value) -> String {
    let text = format!("{value:#}");
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Line breaks of the JSON itself; those of texts are escaped already. Everything that is obeyed is below
        // U+FFFF.
        if c != '\n' && is_obeyed(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Columns of text, each as wide as its widest cell. Numbers stand right.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| match right.contains(&at) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let hostile = "a\u{1b}[31mred\u{9b}1m\u{7f}\n\u{202e}txt.exe";
        for text in [printable(hostile), super::json(&json!([hostile]))] {
            let obeyed = |c: char| c != '\n' && is_obeyed(c);
            assert!(!text.contains(obeyed), "{text:?}");
        }
        assert_eq!(printable("\u{1b}[2J"), "\\u{1b}[2J");
        let back: Value = serde_json::from_str(&super::json(&json!([hostile]))).unwrap();
        assert_eq!(back[0], hostile);
        let family = "👨\u{200d}👩\u{200d}👧 é.png";
        assert_eq!(printable(family), family);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["9".into(), "a".into()], vec!["10".into(), "é".into()]];
        assert_eq!(table(&rows, &[0]), " 9  a\n10  é\n");
    }
}
