//! Which patterns a path may fit, found without trying each of them.

use std::collections::HashMap;

/// The numbers of patterns, by the segments between their slashes.
///
/// There are hundreds of patterns, and several layers ask for each request which of them it is. Most patterns have only
/// placeholders that are a segment each, and are found here without a regular expression.
#[derive(Default)]
pub struct RouteTree {
    root: Node,
}

#[derive(Default)]
struct Node {
    /// By a segment without a placeholder.
    literal: HashMap<String, Node>,
    /// After a segment with a placeholder.
    any: Option<Box<Node>>,
    /// Patterns that end here.
    ends: Vec<usize>,
    /// Patterns of which the rest may be any number of segments.
    open: Vec<usize>,
}

impl RouteTree {
    /// Takes a pattern in the form of [`actix_web::dev::ResourceDef`]. Says whether a path that it gives for this
    /// pattern always fits.
    pub fn add(&mut self, pattern: &str, number: usize) -> bool {
        let mut node = &mut self.root;
        let mut is_sure = true;
        for segment in pattern.split('/') {
            let has_placeholder = segment.contains('{');
            // An expression of its own may have slashes in it, and a tail takes all.
            if has_placeholder && (segment.contains(':') || segment.ends_with("}*")) {
                node.open.push(number);
                return false;
            }
            is_sure &= !has_placeholder || placeholder(segment).is_some();
            node = match has_placeholder {
                true => node.any.get_or_insert_default(),
                false => node.literal.entry(segment.to_owned()).or_default(),
            };
        }
        node.ends.push(number);
        is_sure
    }

    /// The patterns that the path may fit, in the order of their numbers. All others do not fit it.
    pub fn candidates(&self, path: &str) -> Vec<usize> {
        let mut found = Vec::new();
        self.root.gather(Some(path), &mut found);
        found.sort_unstable();
        found
    }
}

impl Node {
    /// `rest`: what follows of the path; `None` at its end.
    fn gather(&self, rest: Option<&str>, found: &mut Vec<usize>) {
        found.extend(&self.open);
        let Some(rest) = rest else {
            found.extend(&self.ends);
            return;
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(node) = self.literal.get(segment) {
            node.gather(rest, found);
        }
        // A placeholder stands for one letter at least.
        if let Some(node) = self.any.as_ref().filter(|_| !segment.is_empty()) {
            node.gather(rest, found);
        }
    }
}

/// What stands for the placeholders of a pattern that fits for sure, with their names, in their order.
pub fn values<'a>(
    pattern: &'a str,
    path: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let segments = pattern.split('/').zip(path.split('/'));
    segments.filter_map(|(segment, value)| Some((placeholder(segment)?, value)))
}

/// The name, where the segment is one placeholder and nothing else.
fn placeholder(segment: &str) -> Option<&str> {
    segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .filter(|name| !name.contains(['{', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::{Path, ResourceDef};

    const PATTERNS: [&str; 9] = [
        "/",
        "/v1/storages",
        "/v1/storages/{id}",
        "/v1/storages/{id}/files",
        "/v1/storages/new",
        "/v1/{any}/new",
        "/files/{name}.json",
        "/files/{path:.*}",
        "/all/{tail}*",
    ];

    #[test]
    fn a_pattern_that_fits_is_found_and_one_that_is_sure_fits() {
        let mut tree = RouteTree::default();
        let enumerated = PATTERNS.iter().enumerate();
        let sure: Vec<bool> = enumerated
            .map(|(number, pattern)| tree.add(pattern, number))
            .collect();
        let open = [false, false, false];
        assert_eq!(sure.split_at(6), (&[true; 6][..], &open[..]));
        for path in [
            "",
            "/",
            "/v1",
            "/v1/storages",
            "/v1/storages/",
            "/v1/storages/sto_1",
            "/v1/storages/new",
            "/v1/storages/sto_1/files",
            "/v1/storages/sto_1/files/",
            "/v1//new",
            "/v1/storages//files",
            "/v1/storages/ä%2F\n/files",
            "/v1/ /new",
            "/files/a.json",
            "/files/a/b.json",
            "/files/",
            "/all/a/b",
            "/all/",
            "/ä/ö",
        ] {
            let candidates = tree.candidates(path);
            assert!(candidates.is_sorted());
            for (number, pattern) in PATTERNS.iter().enumerate() {
                let mut info = Path::new(path);
                let is_match = ResourceDef::new(*pattern).capture_match_info(&mut info);
                let is_found = candidates.contains(&number);
                assert!(is_found || !is_match, "{pattern} and {path}");
                if is_found && sure[number] {
                    assert!(is_match, "{pattern} and {path}");
                    let routers: Vec<_> = info.iter().collect();
                    assert_eq!(Vec::from_iter(values(pattern, path)), routers, "{path}");
                }
            }
        }
    }

    #[test]
    fn only_patterns_of_the_same_segments_are_candidates() {
        let mut tree = RouteTree::default();
        for (number, pattern) in PATTERNS.iter().enumerate() {
            tree.add(pattern, number);
        }
        assert_eq!(tree.candidates("/v1/storages/sto_1/files"), [3]);
        assert_eq!(tree.candidates("/v1/storages/new"), [2, 4, 5]);
        assert_eq!(tree.candidates("/files/a.json"), [6, 7]);
        assert!(tree.candidates("/nothing/here").is_empty());
    }
}
