//! What files are called in an archive: paths that every program unpacks below its folder, and nowhere else.

use crate::domain::files::file_key::{FileKey, Folder};
use std::collections::HashSet;

/// A path in the archive for each key, in their order: the key below the folder, made safe. No two are the same,
/// also where upper and lower case are, and none is a folder of another one.
pub fn names(folder: &Folder, keys: &[FileKey]) -> Vec<String> {
    let wanted: Vec<String> = keys.iter().map(|key| safe(below(folder, key))).collect();
    let mut taken: HashSet<String> = wanted
        .iter()
        .flat_map(|name| {
            name.match_indices('/')
                .map(move |(at, _)| folded(&name[..at]))
        })
        .collect();
    wanted
        .into_iter()
        .map(|name| {
            let free = free(name, &taken);
            taken.insert(folded(&free));
            free
        })
        .collect()
}

/// The part of a key that an archive of the folder shows. A key elsewhere is shown whole.
fn below<'k>(folder: &Folder, key: &'k FileKey) -> &'k str {
    let path = key.path();
    match path.strip_prefix(folder.path()) {
        // A file whose key is the folder's own.
        Some("") | None => path,
        Some(below) => below,
    }
}

fn safe(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let safe: Vec<String> = segments.map(safe_segment).collect();
    match safe.join("/") {
        // Slashes alone are a key, too.
        empty if empty.is_empty() => "_".to_owned(),
        name => name,
    }
}

/// One name of a path. What some system takes for a separator, a drive or the folder above becomes `_`, as does
/// what nobody sees.
fn safe_segment(segment: &str) -> String {
    // Windows drops dots and blanks at the end: what consists of them could become the folder above.
    let is_dots = segment.chars().all(|c| matches!(c, '.' | ' '));
    segment
        .chars()
        .map(|c| match c {
            _ if is_dots => '_',
            '\\' | ':' => '_',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '_',
            '\u{2028}' | '\u{2029}' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .collect()
}

/// The name itself, or with the first number that makes it another one: `a.txt`, `a (2).txt`.
fn free(name: String, taken: &HashSet<String>) -> String {
    if !taken.contains(&folded(&name)) {
        return name;
    }
    let from = name.rfind('/').map_or(0, |at| at + 1);
    let dot = name[from..].rfind('.').filter(|at| *at > 0);
    let (stem, ending) = name.split_at(dot.map_or(name.len(), |at| from + at));
    // One of so many is free: there are fewer names than that.
    (2..=taken.len() + 2)
        .map(|number| format!("{stem} ({number}){ending}"))
        .find(|name| !taken.contains(&folded(name)))
        .unwrap_or_else(|| name.clone())
}

/// The same for all names that a file system may take for one.
fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(folder: &str, keys: &[&str]) -> Vec<String> {
        let keys: Vec<FileKey> = keys.iter().map(|k| FileKey::parse(k).unwrap()).collect();
        names(&Folder::parse(folder).unwrap(), &keys)
    }

    #[test]
    fn names_are_relative_to_the_folder() {
        let keys = ["/a/b.txt", "/a/c/ü d.png", "/other/e", "/a/"];
        assert_eq!(named("/a/", &keys), ["b.txt", "c/ü d.png", "other/e", "a"]);
        assert_eq!(named("/", &["/x//y", "//z", "//"]), ["x/y", "z", "_"]);
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let hostile = [
            "/..\\..\\evil.txt",
            "/C:\\x",
            "/a/.. /b",
            "/a/.../b",
            "/\\\\server\\share",
            "/line\r\nbreak\u{7f}\u{85}",
            "/\u{202e}gnp.exe",
        ];
        let wanted = [
            ".._.._evil.txt",
            "C__x",
            "a/___/b",
            // The two folders have become one: the file in it is numbered.
            "a/___/b (2)",
            "__server_share",
            "line__break__",
            "_gnp.exe",
        ];
        let made = named("/", &hostile);
        assert_eq!(made, wanted);
        for name in made {
            assert!(!name.starts_with('/') && !name.contains('\\'), "{name}");
            assert!(name.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }

    #[test]
    fn the_same_name_twice_is_numbered() {
        let keys = [
            "/a:b.txt",
            "/a_b.txt",
            "/A_B.txt",
            "/a_b (2).txt",
            "/.x",
            "/.X",
        ];
        let wanted = [
            "a_b.txt",
            "a_b (2).txt",
            "A_B (3).txt",
            "a_b (2) (2).txt",
            ".x",
            ".X (2)",
        ];
        assert_eq!(named("/", &keys), wanted);
        // A file cannot stand where a folder does.
        assert_eq!(named("/", &["/d", "/d/e"]), ["d (2)", "d/e"]);
        assert_eq!(named("/", &["/d/e", "/D"]), ["d/e", "D (2)"]);
    }
}
