//! `docs/troubleshooting.md` is made of the catalogue of causes.
//!
//! `SALLYPORT_UPDATE_DOCS=1` writes it.

use crate::domain::cause::Cause;
use crate::domain::cause::entry::{Certainty, Side, Stage};
use crate::domain::cause::fix::Fix;
use crate::it::worlds::shown::{shown, told_by};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "\
# What a connection check reports

<!-- Made of the catalogue of causes, in src/domain/cause. `SALLYPORT_UPDATE_DOCS=1 cargo test troubleshooting`
writes it. -->

A step that failed or warns has a problem with a stable `code`, an explanation, a remedy, and where one document can
mend it, a `patch`. AWS names one reason at a time: check again after each change.

- `certainty` says how sure it is. `proved`: AWS said so, or nothing else gives these answers. `likely`: other causes
  give the same answers, and seldom do. `one_of`: one of `causes`, the likeliest first, each with the look that decides.
- `side` says who can remove it: the customer's account, the customer's organization, the operator of this service
  (`service`), whoever enters the settings, AWS or the store, or somebody's network.
- `evidence` has the answers that it was found by. One cause over several steps is explained once, and
  `also_explains` names the other steps.
- A statement to add, and `missing`, are there only where AWS says that no policy of the role or user allows the action.
  Nothing that is added lifts an explicit denial, a permissions boundary or a policy of an organization.
- What AWS does not say is not claimed. Between organizations, and by S3-compatible stores, a denial comes without a
  reason.
- A check uses a session that is narrowed to the bucket, the prefix and the access. So it cannot see whether the role
  allows more than it needs, such as the whole bucket. Compare the role's policy with the document.
- `shown by` says where a test shows the cause: on the `emulator`, by an answer of AWS's in its `wire format`, or only on
  `paper`, from AWS's documents. `read from` says whose words, or which answers, show it.
  [How well the check names causes](diagnosis-measured.md) has the figures.

A file operation that fails answers with the same words, and with the code of the cause in `cause`. See
[errors.md](errors.md#when-aws-or-the-store-fails).
";

const FOOT: &str = "
## The probe file

Each setup and each storage has one probe file, `temp/sallyport-check-…` below the prefix, and keeps its name. Instead of
`temp` it is the first folder of `SALLYPORT_LIFECYCLE_FOLDERS`. A check whose process is killed leaves the file; the next
check of the same setup or storage removes it. Where a version is locked, no further one is written while it is there.

On Amazon S3 the file is written after the role has refused everybody else, while the role is assumed once more with its
external ID. The request names the account that must own the bucket. If the role does not let Sallyport in again, or the
bucket belongs to another account, the file is removed at once, if it was written at all. The file is read back and
compared while it is deleted. If it may have been deleted before it was read, it is written, read and deleted once more,
one after the other. Server access logs and CloudTrail then have two of each call.

A server runs one check of a setup or storage at a time; another one waits for its turn. Servers that share a database do
not wait for each other: if one has removed the file of the other, it is written again.
";

fn heading(stage: Stage) -> &'static str {
    match stage {
        Stage::SigningIn => "Signing in",
        Stage::Bucket => "The bucket and its store",
        Stage::Permissions => "Permissions",
        Stage::Encryption => "Encryption",
        Stage::Objects => "Files",
        Stage::Browsers => "Browsers",
        Stage::Answers => "No usable answer",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::CustomerAccount => "customer's account",
        Side::CustomerOrganization => "customer's organization",
        Side::Service => "operator",
        Side::Settings => "settings",
        Side::Aws => "AWS or store",
        Side::Network => "network",
    }
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proved => "proved",
        Certainty::Likely => "likely",
        Certainty::OneOf => "one of several",
    }
}

fn patch(fixes: &BTreeSet<&'static str>) -> String {
    match fixes.is_empty() {
        true => "–".to_owned(),
        false => fixes.iter().copied().collect::<Vec<_>>().join(", "),
    }
}

fn target(fix: &Fix) -> &'static str {
    match fix {
        Fix::AllowActions { .. } | Fix::UseKey { .. } | Fix::AllowOnProbes { .. } => {
            "statement to add"
        }
        Fix::PermissionPolicy => "permission policy",
        Fix::TrustPolicy => "trust policy",
        Fix::BucketPolicy => "bucket policy",
        Fix::KeyPolicy { .. } => "key policy",
        Fix::Cors => "CORS rule",
        Fix::Setting(_) => "setting",
    }
}

/// The page, from the catalogue alone.
fn page() -> String {
    let mut page = HEAD.to_owned();
    let all = Cause::examples();
    let shown = shown();
    for stage in [
        Stage::SigningIn,
        Stage::Bucket,
        Stage::Permissions,
        Stage::Encryption,
        Stage::Objects,
        Stage::Browsers,
        Stage::Answers,
    ] {
        write!(
            page,
            "\n## {}\n\n| code | meaning | whose | how sure | patch | shown by | read from |\n|---|---|---|---|---|---|---|\n",
            heading(stage)
        )
        .unwrap();
        let mut written = BTreeSet::new();
        for cause in all.iter().filter(|cause| cause.facts().stage == stage) {
            let facts = cause.facts();
            if !written.insert(facts.code) {
                continue;
            }
            let same: Vec<&Cause> = all.iter().filter(|one| one.code() == facts.code).collect();
            let fixes = same
                .iter()
                .filter_map(|one| one.fix())
                .map(|fix| target(&fix))
                .collect();
            let sides: BTreeSet<&str> = same.iter().map(|one| side(one.facts().side)).collect();
            writeln!(
                page,
                "| `{}` | {} | {} | {} | {} | {} | {} |",
                facts.code,
                facts.meaning,
                sides.into_iter().collect::<Vec<_>>().join(", "),
                certainty(facts.certainty),
                patch(&fixes),
                shown[facts.code].words(),
                told_by(cause)
            )
            .unwrap();
        }
    }
    page + FOOT
}

#[test]
fn the_page_is_made_of_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
    let made = page();
    if std::env::var_os("SALLYPORT_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == made,
        "docs/troubleshooting.md differs from the catalogue: SALLYPORT_UPDATE_DOCS=1 writes it"
    );
}

#[test]
fn every_entry_keeps_the_rules_of_the_catalogue() {
    let all = Cause::examples();
    assert!(all.len() > 120, "{}", all.len());
    for cause in &all {
        let (facts, code) = (cause.facts(), cause.code());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(code.bytes().all(plain) && !code.is_empty(), "{code}");
        assert!(facts.meaning.ends_with('.'), "{code}");
        let others = all.iter().filter(|other| other.code() == code);
        for other in others {
            assert_eq!(other.facts().meaning, facts.meaning, "{code}");
            assert_eq!(other.facts().stage, facts.stage, "{code}");
        }
        let candidates = cause.candidates();
        if facts.certainty == Certainty::Proved
            && facts.bearing == crate::domain::cause::entry::Bearing::Definite
        {
            // What is proved has no choice of causes, but for what lies behind the one that is proved.
            assert!(candidates.len() != 1, "{code}");
        }
        for candidate in candidates {
            assert!(
                !candidate.text.is_empty() && !candidate.decide.is_empty(),
                "{code}: {candidate:?}"
            );
        }
        // What only the customer can look at has the look that decides, or a place in its remedy.
        assert!(
            facts
                .learn_more
                .is_none_or(|url| url.starts_with("https://docs.aws.amazon.com/")),
            "{code}"
        );
    }
}

#[test]
fn a_denial_that_nothing_lifts_has_no_patch() {
    for cause in Cause::examples() {
        let words = cause.words();
        let text = format!("{} {}", words.explanation, words.remedy);
        if text.contains("denies it explicitly") || text.contains("does not help") {
            assert_eq!(cause.fix(), None, "{}", cause.code());
        }
    }
}
