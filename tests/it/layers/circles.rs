//! No file imports itself by way of others, and no folder either.
//!
//! An import is a path in a `use`, or in the code, that begins with `crate`, `self`, `super` or a module
//! that the file declares. Declaring a module is no import. Tests are left out: they look at everything.

use crate::it::layers::source::{code_only, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which module imports which.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module of a file below `src/`, like `http::api::files`; empty for the crate's root.
fn module_of(file: &Path) -> String {
    let path = file.with_extension("");
    let mut names: Vec<&str> = path.iter().filter_map(|name| name.to_str()).collect();
    if matches!(names.last(), Some(&("mod" | "lib" | "main"))) {
        names.pop();
    }
    names.join("::")
}

/// The code without its tests, and the names of the modules that are only for tests.
fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut kept = String::new();
    let mut tests = Vec::new();
    let mut parts = code.split("#[cfg(test)]");
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let declared = part.trim_start();
        let declared = declared.strip_prefix("pub(crate) ").unwrap_or(declared);
        let Some(name) = declared.strip_prefix("mod ") else {
            kept.push_str(part);
            continue;
        };
        let end = name.find([';', ' ', '{']).unwrap_or(name.len());
        tests.push(name[..end].to_owned());
        // A module with a body is the last thing in its file.
        if name[end..].trim_start().starts_with(';') {
            kept.push_str(&name[end..]);
        }
    }
    (kept, tests)
}

/// `a::{b::c, d}` as `a::b::c` and `a::d`, segment by segment.
fn leaves(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((before, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        let segments = path.split("::").map(|name| name.trim().to_owned());
        return vec![segments.filter(|name| !name.is_empty()).collect()];
    };
    let start: Vec<String> = leaves(before).pop().unwrap_or_default();
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    let mut add = |part: &str| {
        for leaf in leaves(part) {
            found.push([start.clone(), leaf].concat());
        }
    };
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                add(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    add(&group[from..]);
    found
}

/// Every path of the code that may lead into this crate.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].chars().next_back();
        if before.is_none_or(|c| c.is_whitespace())
            && let Some(end) = code[at..].find(';')
        {
            found.extend(leaves(&code[at + 4..at + end]));
        }
    }
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let path: String = code[at..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
                .collect();
            // What ends here goes on with a group: that is a `use`, read above.
            if !path.ends_with("::") {
                found.extend(leaves(&path));
            }
        }
    }
    found
}

/// The module that a path in this module means, as segments from the crate's root.
fn resolved(path: &[String], module: &str) -> Vec<String> {
    let mut base: Vec<String> = module.split("::").map(str::to_owned).collect();
    let mut rest = path;
    match rest.first().map(String::as_str) {
        Some("crate") => return rest[1..].to_vec(),
        Some("self") => rest = &rest[1..],
        _ => {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    base
}

fn graph(sources: &[(String, String)]) -> Graph {
    let parsed: Vec<_> = sources
        .iter()
        .map(|(module, source)| (module, without_tests(&code_only(source))))
        .collect();
    let tests: BTreeSet<String> = parsed
        .iter()
        .flat_map(|(module, (_, tests))| tests.iter().map(move |name| format!("{module}::{name}")))
        .collect();
    let modules: BTreeSet<&str> = sources.iter().map(|(module, _)| module.as_str()).collect();
    let mut graph = Graph::new();
    for (module, (code, _)) in parsed {
        if module.is_empty() || tests.contains(module) {
            continue;
        }
        for path in paths(&code) {
            let target = resolved(&path, module);
            let known = (1..=target.len())
                .rev()
                .map(|length| target[..length].join("::"))
                .find(|name| modules.contains(name.as_str()));
            if let Some(known) = known.filter(|known| known != module) {
                graph.entry(module.clone()).or_default().insert(known);
            }
        }
    }
    graph
}

/// The same between folders: `http::api` for whatever is below it.
fn between_folders(files: &Graph) -> Graph {
    let folder = |module: &str| -> String {
        let names: Vec<&str> = module.split("::").take(2).collect();
        names.join("::")
    };
    let mut graph = Graph::new();
    for (from, targets) in files {
        for to in targets {
            if folder(from) != folder(to) {
                graph.entry(folder(from)).or_default().insert(folder(to));
            }
        }
    }
    graph
}

/// Everything that can be reached from a module.
fn reach<'g>(graph: &'g Graph, from: &str) -> BTreeSet<&'g str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = graph
        .get(from)
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(graph.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

/// The circles: each a set of modules that all reach each other.
fn circles(graph: &Graph) -> BTreeSet<BTreeSet<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|module| (module.as_str(), reach(graph, module)))
        .collect();
    let on_circle = reached.iter().filter(|(module, own)| own.contains(*module));
    on_circle
        .map(|(module, own)| {
            let back = |other: &&&str| reached.get(**other).is_some_and(|r| r.contains(module));
            own.iter().filter(back).copied().collect()
        })
        .collect()
}

#[test]
fn nothing_imports_itself_by_way_of_others() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: Vec<(String, String)> = rust_files(&src)
        .iter()
        .map(|file| {
            let module = module_of(file.strip_prefix(&src).unwrap());
            (module, std::fs::read_to_string(file).unwrap())
        })
        .collect();
    let files = graph(&sources);
    assert!(files.len() > 100, "the imports were not found: {files:?}");
    let folders = between_folders(&files);
    assert_eq!(circles(&files), BTreeSet::new(), "between files");
    assert_eq!(circles(&folders), BTreeSet::new(), "between folders");
}

#[test]
fn circles_are_found_however_they_are_written() {
    let circle = |sources: &[(&str, &str)]| {
        let sources: Vec<(String, String)> = sources
            .iter()
            .map(|(module, source)| ((*module).to_owned(), (*source).to_owned()))
            .collect();
        let graph = graph(&sources);
        circles(&graph).len()
    };
    let b = ("x::b", "use crate::x::a::A;");
    for a in [
        "use crate::x::b::B;",
        "use crate::{x::{b::{B, C}, c}, y};",
        "use super::b;",
        "fn f() { crate::x::b::f() }",
        "fn f() { super::b::f() }",
        "pub(crate) use crate::x::b::B as D;",
    ] {
        assert_eq!(circle(&[("x::a", a), b]), 1, "{a}");
    }
    for a in [
        "use crate::x::c::C;",
        "use crate::x::{c::C, c::D};",
        "// use crate::x::b::B;",
        "let s = \"crate::x::b\";",
        "fn f() {}\n#[cfg(test)]\nmod tests { use crate::x::b::B; }",
    ] {
        assert_eq!(circle(&[("x::a", a), b, ("x::c", "")]), 0, "{a}");
    }
    // A group of modules below the parent is no import of the parent.
    let parent = ("x", "mod a;\nuse a::A;");
    let siblings = ("x::a", "use crate::x::{c::C};");
    assert_eq!(circle(&[parent, siblings, ("x::c", "")]), 0);
    // A parent that uses what its child has, while the child uses what the parent has.
    let parent = ("x", "mod a;\nuse a::A;");
    assert_eq!(circle(&[parent, ("x::a", "use crate::x::X;")]), 1);
    let declared = ("x", "mod a;\nmod b;");
    assert_eq!(circle(&[declared, ("x::a", "use crate::x::X;")]), 0);
}
