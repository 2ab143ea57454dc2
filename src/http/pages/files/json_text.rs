//! JSON, laid out for reading.

use serde::de::IgnoredAny;

/// The longest text that is shown this way, in bytes: deep nesting makes much white space.
const LONGEST: usize = 512 << 10;

/// A JSON text over several lines, with every name, number and string as it is written. `None` where it is
/// no JSON, where it is laid out so already, and where it would be too long.
pub fn laid_out(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(2 * text.len());
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut is_escaped = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if out.len() > LONGEST {
            return None;
        }
        if in_string {
            out.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| is_space(*c)).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if is_space(c) => {}
            c => out.push(c),
        }
    }
    (out != text.trim_end()).then_some(out)
}

/// White space between the tokens of JSON.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_stays_as_it_is_written() {
        let text = r#"{"a":[1.0e400, 12345678901234567890123,{}, [ ]],"b{,:":"x\"}\\","a":null}"#;
        let wanted = r#"{
  "a": [
    1.0e400,
    12345678901234567890123,
    {},
    []
  ],
  "b{,:": "x\"}\\",
  "a": null
}"#;
        assert_eq!(laid_out(text).as_deref(), Some(wanted));
        assert_eq!(laid_out(wanted), None);
        assert_eq!(laid_out(&format!("{wanted}\n")), None);
    }

    #[test]
    fn what_is_no_json_or_too_deep_stays() {
        assert_eq!(laid_out("{a: 1}"), None);
        assert_eq!(laid_out("{} {}"), None);
        let deep = format!("{}{}", "[".repeat(9_000), "]".repeat(9_000));
        assert_eq!(laid_out(&deep), None);
    }
}
