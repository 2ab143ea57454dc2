//! What a report is worth in a world whose truth is known.

use crate::it::support::scene::Report;
use crate::it::worlds::world::{Expected, World};
use serde_json::Value;

/// A finding of a report: its first step's problem.
#[derive(Debug, Clone)]
pub struct Found {
    pub code: String,
    pub side: String,
    pub certainty: String,
    pub words: String,
    pub patch: Value,
}

pub fn found(report: &Report) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for step in report.0["steps"].as_array().unwrap() {
        let problem = &step["problem"];
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let code = text("code");
        // A further step of a finding has the same words, and no evidence of its own.
        let is_first = problem["evidence"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if problem.is_null() || (!is_first && all.iter().any(|known| known.code == code)) {
            continue;
        }
        all.push(Found {
            side: text("side"),
            certainty: text("certainty"),
            words: format!(
                "{} {} {}",
                text("title"),
                text("explanation"),
                text("remedy")
            ),
            patch: problem["patch"].clone(),
            code,
        });
    }
    all
}

#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What is claimed and is not so.
    pub false_claims: Vec<String>,
    /// What is true and not found, or less sure or elsewhere than it is.
    pub vague: Vec<String>,
}

impl Verdict {
    pub fn is_exact(&self) -> bool {
        self.false_claims.is_empty() && self.vague.is_empty()
    }
}

pub fn judge(world: &World, expected: &[Expected], found: &[Found]) -> Verdict {
    let mut verdict = Verdict::default();
    for one in found {
        match expected.iter().find(|wanted| wanted.code == one.code) {
            None if one.certainty == "one_of" => {
                verdict
                    .vague
                    .push(format!("says {} as one of several", one.code));
            }
            None => verdict.false_claims.push(format!("claims {}", one.code)),
            Some(wanted) if wanted.side != one.side => verdict.false_claims.push(format!(
                "{} is on the side of {}, not {}",
                one.code, wanted.side, one.side
            )),
            Some(wanted) if wanted.certainty != one.certainty => verdict.vague.push(format!(
                "{} is {}, not {}",
                one.code, wanted.certainty, one.certainty
            )),
            Some(_) => {}
        }
        for words in &world.never {
            if one.words.contains(words) {
                verdict
                    .false_claims
                    .push(format!("{} says: {words}", one.code));
            }
        }
    }
    for wanted in expected {
        if !found.iter().any(|one| one.code == wanted.code) {
            verdict.vague.push(format!("{} is not found", wanted.code));
        }
    }
    for words in &world.says {
        if !found.iter().any(|one| one.words.contains(words)) {
            verdict.vague.push(format!("nothing says: {words}"));
        }
    }
    verdict
}
