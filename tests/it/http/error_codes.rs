//! `docs/errors.md` lists the codes that the source has, and no other.

use std::collections::BTreeSet;
use std::path::Path;

fn sources(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            // A file's unit tests come last in it.
            out.push_str(source.split("#[cfg(test)]").next().unwrap());
        }
    }
}

/// The codes that come after a kind or a status: `Kind::NotFound, "not_found"`.
fn codes_in(source: &str) -> BTreeSet<&str> {
    let mut codes = BTreeSet::new();
    for marker in ["Kind::", "StatusCode::"] {
        for (at, _) in source.match_indices(marker) {
            let rest = &source[at + marker.len()..];
            let name = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(0);
            let code = rest[name..]
                .strip_prefix(',')
                .and_then(|rest| rest.trim_start().strip_prefix('"'))
                .and_then(|rest| rest.split('"').next());
            codes.extend(code);
        }
    }
    codes
}

#[test]
fn the_documented_codes_are_those_of_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    sources(&root.join("src/application"), &mut source);
    sources(&root.join("src/http"), &mut source);
    let page = std::fs::read_to_string(root.join("docs/errors.md")).unwrap();
    let documented: BTreeSet<&str> = page
        .split("## Codes")
        .nth(1)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let found = codes_in(&source);
    assert!(found.len() > 30, "{found:?}");
    let missing: Vec<_> = found.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/errors.md: {missing:?}");
    let gone: Vec<_> = documented
        .iter()
        .filter(|code| !source.contains(&format!("\"{code}\"")))
        .collect();
    assert!(gone.is_empty(), "in docs/errors.md only: {gone:?}");
}
