//! Rust sources as text: which files there are, and what of them is code.

use std::path::{Path, PathBuf};

/// The source with comments and the contents of string and character literals blanked out, so
/// what is left of `crate::` is code. Line breaks stay where they were.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let starts = |at: usize, text: &str| {
        text.chars()
            .enumerate()
            .all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = if starts(at, "//") {
            (at..chars.len())
                .find(|&i| chars[i] == '\n')
                .unwrap_or(chars.len())
        } else if starts(at, "/*") {
            let (mut depth, mut i) = (0, at);
            loop {
                if starts(i, "/*") {
                    (depth, i) = (depth + 1, i + 2);
                } else if starts(i, "*/") {
                    (depth, i) = (depth - 1, i + 2);
                } else {
                    i += 1;
                }
                if depth == 0 || i >= chars.len() {
                    break i.min(chars.len());
                }
            }
        } else if let Some(hashes) = raw_string_hashes(&chars, at) {
            let close = format!("\"{}", "#".repeat(hashes));
            (at + hashes + 2..chars.len())
                .find(|&i| starts(i, &close))
                .map_or(chars.len(), |i| i + close.len())
        } else if chars[at] == '"' || char_literal(&chars, at) {
            quoted_end(&chars, at)
        } else {
            code.push(chars[at]);
            at += 1;
            continue;
        };
        code.extend(
            chars[at..end]
                .iter()
                .map(|&c| if c == '\n' { c } else { ' ' }),
        );
        at = end;
    }
    code
}

/// How many `#` a raw string that starts here has; none when none starts here.
fn raw_string_hashes(chars: &[char], at: usize) -> Option<usize> {
    let after_name = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    // `br"…"` and `cr"…"` are raw strings too: their first letter is left as code.
    let after_name = after_name && !matches!(chars[at - 1], 'b' | 'c');
    if chars[at] != 'r' || after_name {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Whether a character literal starts here, and not a lifetime.
fn char_literal(chars: &[char], at: usize) -> bool {
    chars[at] == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\''))
}

/// Where the literal that starts here ends, past its closing quote.
fn quoted_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            c if c == chars[at] => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The Rust files below a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
