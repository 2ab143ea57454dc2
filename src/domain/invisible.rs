//! Characters that nobody sees, in paths that a person types.
//!
//! A prefix or folder with a blank at an end, or with an invisible character, is another one than it seems:
//! nothing is found in it, and nothing says why. Such characters come of copying from documents and chats.
//! Keys that a store lists are never judged by this: they are what they are.

use std::fmt::Write;

/// What is meant by a path with characters that nobody sees. `None` where it has none.
///
/// Each folder's name is judged by itself. Not seen are: blanks of all kinds at the ends of a name, format
/// characters, line separators and fillers anywhere, joiners that join nothing, and variation selectors
/// after a character that has no variants.
pub(crate) fn meant(path: &str) -> Option<String> {
    let chars: Vec<char> = path.chars().collect();
    let kept = kept(&chars);
    if kept.iter().all(|kept| *kept) {
        return None;
    }
    let seen: String = chars
        .iter()
        .zip(kept)
        .filter_map(|(c, kept)| kept.then_some(*c))
        .collect();
    // A name of which nothing is left is none.
    let parts: Vec<&str> = seen.split('/').filter(|part| !part.is_empty()).collect();
    let end = if seen.ends_with('/') && !parts.is_empty() {
        "/"
    } else {
        ""
    };
    Some(parts.join("/") + end)
}

/// The path, with each character that nobody sees as `[U+200B]`.
pub(crate) fn unveiled(path: &str) -> String {
    const LONGEST: usize = 120;
    let chars: Vec<char> = path.chars().collect();
    let mut out = String::new();
    for (c, kept) in chars.iter().zip(kept(&chars)).take(LONGEST) {
        match kept && !c.is_control() {
            true => out.push(*c),
            false => {
                let _ = write!(out, "[U+{:04X}]", u32::from(*c));
            }
        }
    }
    if chars.len() > LONGEST {
        out.push('…');
    }
    out
}

/// Which characters of a path are seen, or belong to one that is.
fn kept(chars: &[char]) -> Vec<bool> {
    let mut kept = Vec::with_capacity(chars.len());
    for (at, name) in chars.split(|c| *c == '/').enumerate() {
        if at > 0 {
            kept.push(true);
        }
        kept.extend(kept_of_name(name));
    }
    kept
}

fn kept_of_name(name: &[char]) -> Vec<bool> {
    let mut kept: Vec<bool> = name.iter().map(|c| !is_invisible(*c)).collect();
    loop {
        let left: Vec<usize> = (0..name.len()).filter(|at| kept[*at]).collect();
        let char_at =
            |place: Option<usize>| place.and_then(|place| left.get(place)).map(|at| name[*at]);
        let ends = left.iter().position(|at| !is_blank(name[*at]));
        let last = left.iter().rposition(|at| !is_blank(name[*at]));
        let stray = left.iter().enumerate().find(|(place, at)| {
            let before = char_at(place.checked_sub(1));
            let after = char_at(place.checked_add(1));
            let c = name[**at];
            ends.is_none_or(|first| *place < first)
                || last.is_none_or(|last| *place > last)
                || (is_joiner(c) && !joins(before, after))
                || (is_selector(c) && !before.is_some_and(|before| has_variants(before, c, after)))
        });
        match stray {
            Some((_, at)) => kept[*at] = false,
            None => return kept,
        }
    }
}

/// White space of all kinds, and the empty Braille pattern.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Zero-width joiner and non-joiner: they belong to words of many scripts, and to emoji.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Between ASCII characters they do nothing.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let is_ascii = before.is_ascii() && after.is_ascii();
    let is_run = is_joiner(before) || is_joiner(after);
    !is_ascii && !is_run
}

/// Variation selectors, those of Mongolian included.
fn is_selector(c: char) -> bool {
    matches!(
        c,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Whether the character can have the variant (Unicode Character Database, StandardizedVariants and
/// emoji-variation-sequences; Ideographic Variation Database), in general terms.
fn has_variants(of: char, selector: char, after: Option<char>) -> bool {
    let is_ideograph =
        matches!(of, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    match selector {
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(of, '\u{1800}'..='\u{18af}'),
        '\u{e0100}'..='\u{e01ef}' => is_ideograph,
        // Digits, `#` and `*` become keys of a keypad.
        _ if of.is_ascii() => after == Some('\u{20e3}'),
        _ => is_ideograph || !(of.is_alphanumeric() || of.is_whitespace() || is_selector(of)),
    }
}

/// Characters of Unicode's categories Cf, Zl and Zp, and others that Unicode lets nobody see
/// (`Default_Ignorable_Code_Point`), but for joiners and selectors. Arabic, Syriac and Kaithi signs that
/// enclose numbers are of Cf, too, and are seen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_nobody_sees_is_found_in_each_name() {
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{3164}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{e0061}',
        ] {
            for path in [
                format!("a{hidden}b"),
                format!("{hidden}ab"),
                format!("ab{hidden}"),
            ] {
                assert_eq!(meant(&path).as_deref(), Some("ab"), "{hidden:?}");
                let shown = unveiled(&path);
                let code = format!("[U+{:04X}]", u32::from(hidden));
                assert_eq!(shown.matches(&code).count(), 1, "{shown}");
            }
        }
        for blank in [
            ' ', '\t', '\n', '\r', '\u{a0}', '\u{1680}', '\u{2003}', '\u{202f}', '\u{205f}',
            '\u{2800}', '\u{3000}', '\u{200d}', '\u{200c}', '\u{fe0f}',
        ] {
            let inner = format!("a{blank}/b");
            assert_eq!(meant(&inner).as_deref(), Some("a/b"), "{blank:?}");
            let outer = format!("/a/b{blank}/");
            assert_eq!(meant(&outer).as_deref(), Some("a/b/"), "{blank:?}");
        }
        assert_eq!(meant("a/ \u{200b}/b").as_deref(), Some("a/b"));
        assert_eq!(meant(" / ").as_deref(), Some(""));
        assert_eq!(meant("te\u{200d}am").as_deref(), Some("team"));
        assert_eq!(unveiled("team \u{200b}"), "team[U+0020][U+200B]");
    }

    #[test]
    fn what_belongs_to_a_word_or_a_picture_stays() {
        for path in [
            "",
            "/",
            "my team/x y",
            "a\u{a0}b",
            "نمی\u{200c}خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}🔬",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "葛\u{e0100}",
            "ü/日本語/",
            "a//b",
        ] {
            assert_eq!(meant(path), None, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_meant_has_nothing_hidden(path in "[ab/ \u{200b}\u{200d}\u{a0}\u{fe0f}❤نü]{0,12}") {
            if let Some(once) = meant(&path) {
                prop_assert_eq!(meant(&once), None, "{:?}", once);
            }
        }
    }
}
