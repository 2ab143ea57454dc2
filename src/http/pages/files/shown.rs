//! Names and keys, as people see them.

/// A name or key for people's eyes: control characters, those that turn the direction of the text around,
/// and those that show nothing become visible, so no two keys look the same by them. A joiner stays where
/// its script or an emoji needs it: there it can be seen by what it does.
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        out.push(match c {
            '\u{200c}' | '\u{200d}' if joins(c, before, next) => c,
            c => seen(c),
        });
        before = Some(c);
    }
    out
}

fn seen(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('␦'),
        '\x7f' => '␡',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '␦',
        c => c,
    }
}

/// Whether a joiner stands between two characters that it joins, or keeps apart, for everybody to see.
fn joins(joiner: char, before: Option<char>, next: Option<char>) -> bool {
    let (Some(before), Some(next)) = (before, next) else {
        return false;
    };
    let letters = of_joining_script(before) && of_joining_script(next);
    letters || (joiner == '\u{200d}' && of_emoji(before) && of_emoji(next))
}

/// Letters and marks of scripts in which joiners change the form: Arabic and its kin, those of India and
/// its neighbours, Mongolian.
fn of_joining_script(c: char) -> bool {
    matches!(
        c,
        '\u{620}'..='\u{65f}'
            | '\u{66e}'..='\u{6d3}'
            | '\u{6d5}'..='\u{6dc}'
            | '\u{6ee}'..='\u{6ff}'
            | '\u{710}'..='\u{109f}'
            | '\u{1780}'..='\u{17d3}'
            | '\u{1820}'..='\u{18aa}'
            | '\u{1b00}'..='\u{1bff}'
            | '\u{a8e0}'..='\u{a8ff}'
            | '\u{11000}'..='\u{11fff}'
    )
}

fn of_emoji(c: char) -> bool {
    matches!(c, '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_becomes_visible() {
        assert_eq!(shown("a\n\u{202e}b"), "a␊␦b");
        assert_eq!(shown("שלום ü"), "שלום ü");
        for hidden in ["\u{200b}", "\u{ad}", "\u{2060}", "\u{e0041}", "\u{feff}"] {
            assert_eq!(shown(&format!("a{hidden}b")), "a␦b");
        }
    }

    #[test]
    fn joiners_stay_where_they_are_seen() {
        for kept in [
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}.txt",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{1f469}\u{200d}\u{1f52c}.png",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
        ] {
            assert_eq!(shown(kept), kept);
        }
        for marked in [
            "a\u{200d}b",
            "a\u{200c}",
            "\u{200d}a",
            "\u{1f469}\u{200c}\u{1f52c}",
        ] {
            assert!(shown(marked).contains('␦'), "{marked:?}");
        }
    }
}
