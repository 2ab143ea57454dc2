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
    ends: Vec<Candidate>,
    /// Patterns of which the rest may be any number of segments.
    open: Vec<Candidate>,
}

/// A pattern that a path may fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub number: usize,
    /// The path fits. Else the pattern itself knows.
    pub fits: bool,
}

impl RouteTree {
    /// Takes a pattern in the form of [`actix_web::dev::ResourceDef`].
    pub fn add(&mut self, pattern: &str, number: usize) {
        let mut node = &mut self.root;
        let mut fits = true;
        for segment in pattern.split('/') {
            let has_placeholder = segment.contains('{');
            // An expression of its own may have slashes in it, and a tail takes all.
            if has_placeholder && (segment.contains(':') || segment.ends_with("}*")) {
                let fits = false;
                node.open.push(Candidate { number, fits });
                return;
            }
            fits &= !has_placeholder || is_placeholder(segment);
            node = match has_placeholder {
                true => node.any.get_or_insert_default(),
                false => node.literal.entry(segment.to_owned()).or_default(),
            };
        }
        node.ends.push(Candidate { number, fits });
    }

    /// The patterns that the path may fit, in the order of their numbers. All others do not fit it.
    pub fn candidates(&self, path: &str) -> Vec<Candidate> {
        let mut found = Vec::new();
        self.root.gather(Some(path), &mut found);
        found.sort_unstable();
        found
    }
}

impl Node {
    /// `rest`: what follows of the path; `None` at its end.
    fn gather(&self, rest: Option<&str>, found: &mut Vec<Candidate>) {
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

/// Whether the segment is one placeholder and nothing else.
fn is_placeholder(segment: &str) -> bool {
    segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| !name.contains(['{', '}']))
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
    fn a_pattern_that_fits_is_found_and_one_that_is_sure_fits() {
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
            let found = |number| candidates.iter().find(|found| found.number == number);
            for (number, pattern) in PATTERNS.iter().enumerate() {
                let is_match = ResourceDef::new(*pattern).is_match(path);
                match found(number) {
                    None => assert!(!is_match, "{pattern} and {path}"),
                    Some(found) => assert!(is_match || !found.fits, "{pattern} and {path}"),
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
        let found = |path| {
            let found = tree.candidates(path).into_iter();
            Vec::from_iter(found.map(|found| (found.number, found.fits)))
        };
        assert_eq!(found("/v1/storages/sto_1/files"), [(3, true)]);
        assert_eq!(found("/v1/storages/new"), [(2, true), (4, true), (5, true)]);
        assert_eq!(found("/files/a.json"), [(6, false), (7, false)]);
        assert!(tree.candidates("/nothing/here").is_empty());
    }
}
