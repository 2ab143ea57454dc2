//! Random input for each parser of what comes from outside.
//!
//! Each property is tried on the parser's corpus (`corpus/NAME.json`, a list of texts), on texts made by
//! changing those, and on random ones. `SALLYPORT_FUZZ_SECONDS` says how long each goes on; `make fuzz`
//! sets it. A text that fails is made as short as it goes and shown: add it to the corpus.

mod doctor;
mod files;
mod http;
mod names;
mod operator;

use crate::domain::Invalid;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fmt::{Debug, Display};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a parser is tried where nothing else is asked for.
const SHORT: Duration = Duration::from_millis(250);

fn patience() -> Duration {
    std::env::var("SALLYPORT_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .map_or(SHORT, Duration::from_secs_f64)
}

/// The texts that a parser's fuzzing begins with.
fn corpus(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json")))
        .unwrap_or_else(|error| panic!("the corpus {name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("the corpus {name}: {error}"))
}

/// A text of the corpus with a piece cut out, doubled, or replaced by something else.
fn changed(texts: Vec<String>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[\\x00-\\x7f]{1,3}",
        ".{1,4}",
        prop::sample::select(texts.clone()),
        prop::sample::select(vec![
            "/", "//", "..", "%2e", "%", "\0", "\u{feff}", "é", ":", "*", "\"", "-1", "[", "{"
        ])
        .prop_map(str::to_owned),
    ];
    (
        prop::sample::select(texts),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        piece,
        0..3_u8,
    )
        .prop_map(|(text, from, to, piece, how)| {
            let chars: Vec<char> = text.chars().collect();
            let (a, b) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            let (a, b) = (a.min(b), a.max(b));
            let slice = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
            match how {
                0 => slice(0, a) + &piece + &slice(b, chars.len()),
                1 => slice(0, b) + &piece + &slice(a, chars.len()),
                _ => slice(0, a) + &piece.repeat(40) + &slice(a, chars.len()),
            }
        })
}

/// Tries the property on texts until the time is up.
fn fuzz(name: &str, property: impl Fn(&str)) {
    let texts = corpus(name);
    assert!(!texts.is_empty(), "{name} has no corpus");
    for text in &texts {
        property(text);
    }
    let strategy = prop_oneof![3 => changed(texts), 1 => ".{0,80}", 1 => any::<String>()];
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let began = Instant::now();
    let mut cases = 0;
    while began.elapsed() < patience() {
        let tried = runner.run(&strategy, |text| {
            property(&text);
            Ok(())
        });
        if let Err(error) = tried {
            panic!("{name}: {error}");
        }
        cases += 64;
    }
    assert!(cases > 0);
    println!("{name}: {cases} texts");
}

/// A refusal has a code for programs and words for people, of a bounded length.
fn is_refusal(invalid: &Invalid) {
    assert!(!invalid.code.is_empty(), "{invalid:?}");
    assert!(invalid.detail.len() > 5, "{invalid:?}");
    assert!(invalid.detail.len() < 2_000, "{invalid:?}");
}

/// The same of an error, which may have several fields.
fn is_error(error: &crate::application::error::Error) {
    assert!(
        !error.code.is_empty() && error.detail.len() > 5,
        "{error:?}"
    );
    for field in &error.fields {
        assert!(
            !field.field.is_empty() && field.detail.len() > 5,
            "{field:?}"
        );
    }
}

/// What is accepted prints as a text that means the same, and fits its longest length; what is refused
/// says why.
fn round_trip<T: Display + PartialEq + Debug>(
    name: &str,
    longest: usize,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) {
    fuzz(name, |text| match parse(text) {
        Ok(value) => {
            let printed = value.to_string();
            assert!(printed.len() <= longest, "{text:?}: {}", printed.len());
            assert_eq!(
                parse(&printed).as_ref(),
                Ok(&value),
                "{text:?}: {printed:?}"
            );
        }
        Err(invalid) => is_refusal(&invalid),
    });
}
