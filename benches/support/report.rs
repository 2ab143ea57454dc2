//! What a benchmark found, as lines of JSON for `tools/bench`, in the file that `BENCH_OUT` names. Without the
//! variable nothing is written.
//!
//! Each line names its benchmark and has one of these: a table as it is printed; a ratio, which two machines have in
//! common; a point of a curve, for the plots; a figure that `docs/scale.md` works with.

#![allow(
    dead_code,
    reason = "each benchmark is a program of its own and uses a part of this"
)]

use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;

/// Which way a ratio is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// Whether a short run fails when the ratio is worse than the kept one by more than a third.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    Guarded,
    /// Too noisy in a short run, or not measured by one.
    Shown,
}

/// A table. The first row is its head.
pub fn table(title: &str, rows: &[Vec<String>]) {
    write(json!({"table": title, "rows": rows}));
}

/// A ratio of two figures of the same run. Its name is the same in each run, whatever the amounts.
pub fn ratio(name: &str, value: f64, better: Better, guard: Guard) {
    // To a figure that was too small to be measured there is none.
    if !value.is_finite() {
        return;
    }
    let better = match better {
        Better::Higher => "higher",
        Better::Lower => "lower",
    };
    let guarded = guard == Guard::Guarded;
    write(json!({"ratio": name, "value": value, "better": better, "guarded": guarded}));
}

/// The last column of a table, as ratios that are better when they are higher. `what` says what they are; each is named
/// by it and by the first cell of its row.
pub fn ratios(what: &str, rows: &[Vec<String>], guard: Guard) {
    for row in rows.iter().skip(1) {
        if let (Some(first), Some(last)) = (row.first(), row.last())
            && let Ok(value) = last.parse()
        {
            ratio(&format!("{what}: {first}"), value, Better::Higher, guard);
        }
    }
}

/// A point of a curve.
pub fn point(curve: &str, x: f64, y: f64) {
    write(json!({"curve": curve, "x": x, "y": y}));
}

/// A figure by its name, in the unit that the name ends with.
pub fn figure(name: &str, value: f64) {
    write(json!({"figure": name, "value": value}));
}

/// A line that cannot be written is said, and ends nothing: the table is on the terminal too.
fn write(mut line: Value) {
    let Some(path) = std::env::var_os("BENCH_OUT") else {
        return;
    };
    line["bench"] = env!("CARGO_CRATE_NAME").into();
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let written = opened.and_then(|mut file| writeln!(file, "{line}"));
    if let Err(error) = written {
        eprintln!("BENCH_OUT: {}: {error}", path.display());
    }
}
