//! Documents that somebody pasted.

use crate::domain::doctor::finding::DocumentKind;
use crate::domain::doctor::{json, recognise};
use crate::it::doctor::{look, usual};
use crate::it::fuzz::fuzz;

/// Whatever is pasted, there is an answer: of bounded length, with places that the text has.
#[test]
fn policies() {
    let expected = usual();
    fuzz("policy", |text| {
        let lines = text.split('\n').count();
        recognise::kind_of_text(text);
        for kind in DocumentKind::ALL {
            let findings = look(kind, text, &expected);
            assert!(findings.len() <= 101);
            for finding in findings {
                let at = finding.place.at;
                assert!(
                    at.line >= 1 && at.line <= lines && at.column >= 1,
                    "{finding:?}"
                );
                let words = [&finding.title, &finding.explanation, &finding.remedy];
                let length: usize = words.iter().map(|words| words.chars().count()).sum();
                assert!(length <= 1_500, "{finding:?}");
            }
        }
    });
}

/// What is JSON to others is JSON to us, with the same values.
#[test]
fn tolerant_json() {
    fuzz("policy", |text| {
        let strict = serde_json::from_str::<serde_json::Value>(text);
        let read = json::read(text);
        if let (Ok(strict), Some(root)) = (strict, &read.root) {
            assert_eq!(root.plain(), strict);
            assert!(
                read.faults
                    .iter()
                    .all(|f| matches!(f.kind, json::FaultKind::DuplicateName(_)))
            );
        }
    });
}
