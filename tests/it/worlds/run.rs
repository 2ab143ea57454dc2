//! Runs the worlds side by side, on one emulator and one service for each set of origins.

use crate::it::support::app::TestApp;
use crate::it::support::emulator::Emulator;
use crate::it::support::scene::Report;
use crate::it::worlds::aws::Aws;
use crate::it::worlds::judge::{Found, Verdict, found, judge};
use crate::it::worlds::plain::plain_script;
use crate::it::worlds::stage::{Stage, origins};
use crate::it::worlds::world::{Expected, Offer, Origins, World};
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// How many worlds run at the same time.
const AT_ONCE: usize = 12;

/// How often a customer checks and applies what is offered, where several things are wrong: AWS names one reason at a
/// time.
const ROUNDS: usize = 3;

pub struct Outcome {
    pub area: &'static str,
    pub world: World,
    pub verdict: Verdict,
    /// How many patches must mend, and how many did.
    pub to_mend: u32,
    pub mended: u32,
    /// What kept a patch from mending.
    pub unmended: Vec<String>,
    /// Patches that are offered where they cannot help.
    pub in_vain: Vec<String>,
    pub plain: Option<String>,
    pub by_cli: bool,
    pub took: Duration,
    pub report: String,
}

pub async fn run_all() -> Vec<Outcome> {
    let wanted = std::env::var("SALLYPORT_WORLD").unwrap_or_default();
    let aws = Aws::start().await;
    let sdk = aws.sdk_config(&Emulator::vendor().await.sdk_config);
    let mut apps = HashMap::new();
    for of in [Origins::One, Origins::Two, Origins::WithPort] {
        let app = TestApp::spawn_on(&sdk, |options| {
            options.allowed_origins = Some(origins(of).into());
            options.endpoint_networks = Some("127.0.0.0/8".into());
            options.checks_per_minute = Some("1000".into());
        })
        .await;
        apps.insert(of, app);
    }
    let worlds = super::all()
        .into_iter()
        .flat_map(|(area, worlds)| worlds.into_iter().map(move |world| (area, world)))
        .filter(|(_, world)| world.name.contains(&wanted));
    let (apps, aws) = (&apps, &aws);
    let mut outcomes: Vec<(usize, Outcome)> = futures_util::stream::iter(worlds.enumerate())
        .map(|(at, (area, world))| async move {
            let app = &apps[&world.origins];
            (at, outcome(area, world, app, aws).await)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

async fn outcome(area: &'static str, world: World, app: &TestApp, aws: &Aws) -> Outcome {
    let start = Instant::now();
    let run = AssertUnwindSafe(run(&world, app, aws)).catch_unwind();
    let ran = run.await.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Ran {
            verdict: Verdict {
                vague: vec![format!(
                    "the test itself failed: {}",
                    text.unwrap_or_default()
                )],
                ..Verdict::default()
            },
            ..Ran::default()
        }
    });
    Outcome {
        area,
        by_cli: world.by_cli,
        world,
        verdict: ran.verdict,
        to_mend: ran.to_mend,
        mended: ran.mended,
        unmended: ran.unmended,
        in_vain: ran.in_vain,
        plain: ran.plain,
        took: start.elapsed(),
        report: ran.report,
    }
}

#[derive(Default)]
struct Ran {
    verdict: Verdict,
    to_mend: u32,
    mended: u32,
    unmended: Vec<String>,
    in_vain: Vec<String>,
    plain: Option<String>,
    report: String,
}

async fn run(world: &World, app: &TestApp, aws: &Aws) -> Ran {
    let stage = Stage::build(world, app, aws).await;
    let plain = plain_script(&stage, aws).await;
    let report = stage.check().await;
    let first = found(&report);
    let mut ran = Ran {
        verdict: judge(world, &world.expected, &first),
        plain,
        report: format!("{:#}", report.0),
        ..Ran::default()
    };
    for one in &first {
        let wanted = world.expected.iter().find(|wanted| wanted.code == one.code);
        if !one.patch.is_null() && wanted.is_none_or(|wanted| wanted.patch == Offer::Nothing) {
            ran.in_vain
                .push(format!("{} for {}", one.patch["target"], one.code));
        }
    }
    ran.to_mend = u32::try_from(mendable(&world.expected).count()).unwrap();
    if ran.to_mend == 0 {
        return ran;
    }
    let before = ran.unmended.len();
    mend(&stage, &first, false, &mut ran).await;
    let by_hand = ran.unmended.len() == before;
    if world.by_cli && by_hand {
        stage.break_again().await;
        let again = found(&stage.check().await);
        let counted = ran.mended;
        mend(&stage, &again, true, &mut ran).await;
        ran.mended = counted.min(ran.mended - counted);
    }
    ran
}

fn mendable(expected: &[Expected]) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
    expected.iter().filter_map(|one| match one.patch {
        Offer::Mends(target) => Some((one.code, target)),
        Offer::Nothing | Offer::Either => None,
    })
}

/// Applies what is offered until nothing more is, and counts what is gone.
async fn mend(stage: &Stage<'_>, first: &[Found], by_cli: bool, ran: &mut Ran) {
    let world = stage.world;
    let how = if by_cli { "by the AWS CLI: " } else { "" };
    let mut now = first.to_vec();
    let mut report = None;
    for _ in 0..ROUNDS {
        let patches: Vec<&Found> = now.iter().filter(|one| !one.patch.is_null()).collect();
        if patches.is_empty() {
            break;
        }
        for one in patches {
            let done = match by_cli {
                true => stage.run_cli(&one.patch).await,
                false => stage.apply(&one.patch).await,
            };
            if let Err(why) = done {
                ran.unmended.push(format!("{how}{}: {why}", one.code));
            }
        }
        let checked = stage.check().await;
        now = found(&checked);
        report = Some(checked);
        // One reason at a time: only what shows itself now may be mended next.
        let is_new = |one: &Found| world.uncovered.iter().any(|wanted| wanted.code == one.code);
        if !now.iter().any(is_new) {
            break;
        }
    }
    for (code, target) in mendable(&world.expected) {
        let offered = first.iter().find(|one| one.code == code);
        let is_of_target = offered.is_some_and(|one| one.patch["target"] == target);
        let is_gone = !now.iter().any(|one| one.code == code);
        match (is_of_target, is_gone) {
            (true, true) => ran.mended += 1,
            (false, _) => ran
                .unmended
                .push(format!("{how}{code}: no patch of {target}")),
            (true, false) => ran.unmended.push(format!("{how}{code}: is still there")),
        }
    }
    let stays: Vec<&Expected> = world
        .expected
        .iter()
        .chain(&world.uncovered)
        .filter(|one| !matches!(one.patch, Offer::Mends(_)))
        .collect();
    for one in &now {
        let is_known = stays.iter().any(|known| known.code == one.code);
        let is_counted = mendable(&world.expected).any(|(code, _)| code == one.code);
        if !is_known && !is_counted {
            ran.unmended.push(format!("{how}{} came of it", one.code));
        }
    }
    let passes = |report: &Report| report.0["outcome"] == "passed";
    if stays.is_empty() && now.is_empty() && report.is_some_and(|report| !passes(&report)) {
        ran.unmended.push(format!("{how}the check does not pass"));
    }
}
