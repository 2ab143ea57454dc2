//! Text that is no list of files, recognised by how it begins: pages, documents, what tools print.

use crate::domain::Invalid;

/// What the text is instead of a list.
pub(super) fn recognised(text: &str) -> Option<Invalid> {
    markup(text)
        .or_else(|| yaml(text))
        .or_else(|| listing_of_a_folder(text))
}

/// YAML without its `---`: a name and a colon alone, and below it an item or another name.
fn yaml(text: &str) -> Option<Invalid> {
    let mut lines = text
        .split('\n')
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-. ".contains(&b))
    };
    let first = lines.next()?.trim_end();
    let second = lines.next()?;
    let is_member = |line: &str| {
        line.trim_end().strip_suffix(':').is_some_and(is_name)
            || line
                .split_once(": ")
                .is_some_and(|(name, _)| is_name(name.trim_start()))
    };
    let is_below = second.trim_start().starts_with("- ") || is_member(second);
    (is_member(first) && is_below).then(|| {
        let what = match first.starts_with("outs:") || text.contains("\nouts:") {
            true => "a DVC file, in YAML",
            false => "YAML",
        };
        unsupported(what)
    })
}

fn unsupported(what: &str) -> Invalid {
    Invalid::new(
        "unsupported_manifest",
        format!(
            "This is {what}. A list of files is text: one file key on each line, CSV, TSV, JSON or JSON lines."
        ),
    )
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
    Some(unsupported(what))
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
