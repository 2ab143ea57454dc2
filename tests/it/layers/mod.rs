//! Which layer may import which, read from the source text.
//!
//! `domain` nothing of ours; `application` → `domain`; `aws`, `database`, `http`, `cli` → `application`
//! and `domain`, never each other; `outgoing` → these and `aws`; `startup` → everything. Test code is held to the same rules.

mod circles;
mod source;

use crate::it::layers::source::{code_only, rust_files};
use std::path::Path;

const LAYERS: [&str; 8] = [
    "domain",
    "application",
    "aws",
    "database",
    "http",
    "cli",
    "outgoing",
    "startup",
];

/// The layers that a layer may import besides itself; none for a file that is in no layer, which may
/// import everything.
fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    match layer {
        "domain" => Some(&[]),
        "application" => Some(&["domain"]),
        "aws" | "database" | "http" | "cli" => Some(&["application", "domain"]),
        "outgoing" => Some(&["application", "domain", "aws"]),
        _ => None,
    }
}

/// The layer of a file below `src/`: its first folder, or its name without `.rs`.
fn layer_of(path: &Path) -> &str {
    path.iter()
        .next()
        .and_then(|first| first.to_str())
        .map(|first| first.trim_end_matches(".rs"))
        .unwrap_or_default()
}

/// How many `super` lead from a file's module to the crate's root.
fn depth(path: &Path) -> usize {
    let own_module = path.file_name().is_some_and(|name| name != "mod.rs");
    path.iter().count() - usize::from(!own_module)
}

/// The first segments below the crate's root that the code names, each with its line number: in plain
/// paths, in `use crate::{a::b, c}`, and in `use {crate::a, …}`. `sallyport::` means the same inside the
/// package, and so does a `super::` for each module that the file is in.
fn imports(path: &Path, source: &str) -> Vec<(usize, String)> {
    let code = code_only(source);
    let mut found = Vec::new();
    for (root, repeated) in [("crate", 1), ("sallyport", 1), ("super", depth(path))] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let Some(rest) = below(&code[at..], root, repeated) else {
                continue;
            };
            let line = code[..at].matches('\n').count() + 1;
            // `use super::*` is a module's own tests; `use crate::*` would bring in every layer.
            let segments = first_segments(rest);
            let kept = segments
                .into_iter()
                .filter(|segment| root != "super" || segment != "*");
            found.extend(kept.map(|segment| (line, segment)));
        }
    }
    found
}

/// What follows `root::` written this many times; none when something else is there.
fn below<'a>(code: &'a str, root: &str, repeated: usize) -> Option<&'a str> {
    (0..repeated).try_fold(code, |code, _| {
        let rest = code.trim_start().strip_prefix(root)?;
        rest.trim_start().strip_prefix("::")
    })
}

/// `aws::x` gives `aws`; `{aws::{x, y}, cli}` gives `aws` and `cli`.
fn first_segments(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start()
            .trim_start_matches("r#")
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '*'))
            .collect()
    };
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut depth, mut start, mut segments) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                segments.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    segments.retain(|segment| !segment.is_empty());
    segments
}

/// The forbidden imports of one file, as text for the failure.
fn forbidden(path: &Path, source: &str) -> Vec<String> {
    let layer = layer_of(path);
    let Some(allowed) = allowed(layer) else {
        return Vec::new();
    };
    imports(path, source)
        .into_iter()
        .filter(|(_, segment)| LAYERS.contains(&segment.as_str()) || segment == "*")
        .filter(|(_, segment)| segment != layer && !allowed.contains(&segment.as_str()))
        .map(|(line, segment)| {
            format!(
                "src/{}:{line}: `{layer}` imports `{segment}`",
                path.display()
            )
        })
        .collect()
}

#[test]
fn no_layer_imports_one_that_it_may_not() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 20, "the sources were not found: {files:?}");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let source = std::fs::read_to_string(file).unwrap();
            forbidden(file.strip_prefix(&src).unwrap(), &source)
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn forbidden_imports_are_found_however_they_are_written() {
    let cases = [
        ("domain/a.rs", "use crate::application::x;", 1),
        ("domain/a.rs", "fn f() { crate::startup::run() }", 1),
        (
            "domain/a.rs",
            "use crate::{domain::x, aws, http::{y, z}};",
            2,
        ),
        ("domain/a.rs", "use {std::fmt, crate::cli::x};", 1),
        ("domain/a.rs", "use sallyport::database::x;", 1),
        ("domain/a.rs", "use crate::*;", 1),
        ("domain/a.rs", "use super::super::aws::x;", 1),
        ("domain/mod.rs", "use super::aws::x;", 1),
        ("domain/deep/a.rs", "use super::super::super::aws::x;", 1),
        ("domain/a.rs", "pub(crate) use crate :: aws :: x;", 1),
        (
            "domain/a.rs",
            "let q = '\"'; crate::aws::x(); let r = '\"';",
            1,
        ),
        (
            "domain/a.rs",
            "fn f<'a>(x: &'a str) -> &'a str { crate::aws::x(x) }",
            1,
        ),
        ("domain/a.rs", "let s = r#\"\"\"#; crate::aws::x();", 1),
        (
            "application/a.rs",
            "use crate::{\n    aws::x,\n    domain::y,\n};",
            1,
        ),
        (
            "application/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::database::x; }",
            1,
        ),
        (
            "aws/deep/a.rs",
            "use crate::database::x; use crate::http::y;",
            2,
        ),
        ("cli/a.rs", "use crate::aws::provision::provision;", 1),
        ("http/a.rs", "use crate::startup::x;", 1),
    ];
    for (path, source, count) in cases {
        let found = forbidden(Path::new(path), source);
        assert_eq!(found.len(), count, "{path}: {source}: {found:?}");
    }
    let found = forbidden(Path::new("aws/a.rs"), "\n\nuse crate::cli::x;");
    assert_eq!(found, ["src/aws/a.rs:3: `aws` imports `cli`"]);
}

#[test]
fn allowed_imports_and_mere_text_pass() {
    let cases = [
        (
            "domain/a.rs",
            "use crate::domain::x; use super::y; use super::*;",
        ),
        (
            "domain/a.rs",
            "// use crate::aws::x;\n/* crate::aws /* nested */ crate::aws */",
        ),
        (
            "domain/a.rs",
            "let s = \"crate::aws::x \\\" crate::http::y\";",
        ),
        ("domain/a.rs", "let s = r#\"crate::aws \" crate::http\"#;"),
        ("domain/a.rs", "use mycrate::aws::x; let crate_aws = 1;"),
        (
            "application/a.rs",
            "use crate::{application::x, domain::y};",
        ),
        (
            "aws/a.rs",
            "use crate::application::x; use crate::domain::y; use crate::aws::z;",
        ),
        (
            "domain/deep/a.rs",
            "use super::cli::x; use super::super::aws::y;",
        ),
        ("startup.rs", "use crate::{aws, cli, database, http};"),
        ("main.rs", "use sallyport::{aws, startup};"),
    ];
    for (path, source) in cases {
        let found = forbidden(Path::new(path), source);
        assert!(found.is_empty(), "{path}: {source}: {found:?}");
    }
}
