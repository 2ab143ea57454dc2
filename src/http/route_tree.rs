//! Which patterns a path may fit, found without trying each of them.

use std::collections::HashMap;

/// The numbers of patterns, by the segments between their slashes.
///
/// There are hundreds of patterns, and several layers ask for each request which of them it is.
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
    /// Takes a pattern in the form of [`actix_web::dev::ResourceDef`].
    pub fn add(&mut self, pattern: &str, number: usize) {
        let mut node = &mut self.root;
        for segment in pattern.split('/') {
            let has_placeholder = segment.contains('{');
            // An expression of its own may have slashes in it, and a tail takes all.
            if has_placeholder && (segment.contains(':') || segment.ends_with("}*")) {
                node.open.push(number);
                return;
            }
            node = match has_placeholder {
                true => node.any.get_or_insert_default(),
                false => node.literal.entry(segment.to_owned()).or_default(),
            };
        }
        node.ends.push(number);
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
        if let Some(node) = &self.any {
            node.gather(rest, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::dev::ResourceDef;

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
    fn no_pattern_that_fits_is_left_out() {
        let mut tree = RouteTree::default();
        for (number, pattern) in PATTERNS.iter().enumerate() {
            tree.add(pattern, number);
        }
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
                if ResourceDef::new(*pattern).is_match(path) {
                    assert!(candidates.contains(&number), "{pattern} and {path}");
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
        assert!(tree.candidates("/nothing/here").is_empty());
    }
}
