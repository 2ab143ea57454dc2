//! The figures, and what was missed.

use crate::it::worlds::plain::names_cause;
use crate::it::worlds::run::Outcome;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Default, Clone, Copy)]
pub struct Sums {
    pub worlds: u32,
    pub on_emulator: u32,
    pub exact: u32,
    /// Worlds with a claim that is not so.
    pub untrue: u32,
    pub vague: u32,
    pub to_mend: u32,
    pub mended: u32,
    pub in_vain: u32,
    pub plain: u32,
}

pub fn sums(outcomes: &[Outcome]) -> Sums {
    let mut sums = Sums::default();
    for outcome in outcomes {
        add(&mut sums, outcome);
    }
    sums
}

fn add(sums: &mut Sums, outcome: &Outcome) {
    let verdict = &outcome.verdict;
    sums.worlds += 1;
    sums.on_emulator += u32::from(outcome.world.is_on_emulator());
    sums.exact += u32::from(verdict.is_exact());
    sums.untrue += u32::from(!verdict.false_claims.is_empty());
    sums.vague += u32::from(verdict.false_claims.is_empty() && !verdict.vague.is_empty());
    sums.to_mend += outcome.to_mend;
    sums.mended += outcome.mended.min(outcome.to_mend);
    sums.in_vain += u32::try_from(outcome.in_vain.len()).unwrap();
    sums.plain += u32::from(names_cause(outcome.plain.as_deref()));
}

/// As in the docs.
pub fn figures(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| area | worlds | on the emulator alone | named exactly | false claims | patches that mend | offered in vain | a plain SDK script names it |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut areas: Vec<&str> = outcomes.iter().map(|outcome| outcome.area).collect();
    areas.dedup();
    for area in areas {
        let mut of_area = Sums::default();
        for outcome in outcomes.iter().filter(|outcome| outcome.area == area) {
            add(&mut of_area, outcome);
        }
        text += &line(area, of_area);
    }
    text + &line("**all**", sums(outcomes))
}

fn line(name: &str, sums: Sums) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {} of {} | {} | {} |\n",
        sums.worlds,
        sums.on_emulator,
        sums.exact,
        sums.untrue,
        sums.mended,
        sums.to_mend,
        sums.in_vain,
        sums.plain
    )
}

pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = figures(outcomes);
    let mut slowest: Vec<&Outcome> = outcomes.iter().collect();
    slowest.sort_by_key(|outcome| std::cmp::Reverse(outcome.took));
    for outcome in slowest.iter().take(5) {
        writeln!(text, "{:?} {}", outcome.took, outcome.world.name).unwrap();
    }
    let by_cli = outcomes.iter().filter(|outcome| outcome.by_cli).count();
    writeln!(text, "{by_cli} worlds also by the AWS CLI").unwrap();
    if std::env::var_os("SALLYPORT_WORLD").is_some() {
        for outcome in outcomes {
            writeln!(text, "{}: plain: {:?}", outcome.world.name, outcome.plain).unwrap();
            if !is_right(outcome) {
                writeln!(text, "{}", outcome.report).unwrap();
            }
        }
    }
    text
}

fn is_right(outcome: &Outcome) -> bool {
    outcome.verdict.is_exact() && outcome.unmended.is_empty() && outcome.in_vain.is_empty()
}

/// One line for each world that is not right.
pub fn missed(outcomes: &[Outcome]) -> Vec<String> {
    outcomes
        .iter()
        .filter(|outcome| !is_right(outcome))
        .map(|outcome| {
            let parts = [
                ("FALSE", &outcome.verdict.false_claims),
                ("vague", &outcome.verdict.vague),
                ("unmended", &outcome.unmended),
                ("in vain", &outcome.in_vain),
            ];
            let parts: Vec<String> = parts
                .iter()
                .filter(|(_, list)| !list.is_empty())
                .map(|(name, list)| format!("{name}: {}", list.join("; ")))
                .collect();
            format!(
                "{}: {}: {}",
                outcome.area,
                outcome.world.name,
                parts.join(" | ")
            )
        })
        .collect()
}

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// The page, as it is kept and with the figures as they were measured.
fn page(outcomes: &[Outcome]) -> (PathBuf, String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnosis-measured.md");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let (Some(begin), Some(end)) = (kept.find(BEGIN), kept.find(END)) else {
        panic!("no place for the figures in {}", path.display());
    };
    let head = &kept[..begin + BEGIN.len()];
    let made = format!("{head}\n{}\n{}", figures(outcomes), &kept[end..]);
    (path, kept, made)
}

pub fn write_docs(outcomes: &[Outcome]) {
    let (path, _, made) = page(outcomes);
    std::fs::write(path, made).unwrap();
}

/// The figures stand in the docs as they were measured.
pub fn compare_with_docs(outcomes: &[Outcome]) {
    let (path, kept, made) = page(outcomes);
    assert!(
        made == kept,
        "the figures of {} differ: SALLYPORT_UPDATE_DOCS=1 writes them",
        path.display()
    );
}
