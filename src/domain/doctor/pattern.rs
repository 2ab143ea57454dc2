//! IAM's patterns: `*`, `?`, and the variables and escapes of version 2012-10-17.

/// An answer that the documents alone may not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    No,
    /// It depends on something that is not known here.
    Unknown,
    Yes,
}

impl Truth {
    pub fn of(value: bool) -> Self {
        match value {
            true => Self::Yes,
            false => Self::No,
        }
    }

    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::No, Self::No) => Self::No,
        }
    }

    pub fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    pub fn any(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::No, Self::or)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Literal(char),
    /// The value of a variable, which is not known.
    Variable,
}

/// Whether a text matches a pattern. `variables`: the policy is of version 2012-10-17.
pub fn matches(pattern: &str, text: &str, variables: bool) -> Truth {
    let tokens = tokens(pattern, variables);
    let text: Vec<char> = text.chars().collect();
    match glob(&tokens, &text) {
        false => Truth::No,
        true if tokens.contains(&Token::Variable) => Truth::Unknown,
        true => Truth::Yes,
    }
}

/// Whether the text is a pattern that matches more than one text.
pub fn is_wild(pattern: &str, variables: bool) -> bool {
    tokens(pattern, variables)
        .iter()
        .any(|token| matches!(token, Token::Any | Token::One))
}

/// Names of the variables in a text, like `aws:username`.
pub fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        if !["*", "?", "$"].contains(&name) {
            found.push(name);
        }
        rest = tail;
    }
    found
}

fn tokens(pattern: &str, variables: bool) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if variables
            && let Some(after) = rest.strip_prefix("${")
            && let Some((name, tail)) = after.split_once('}')
        {
            out.push(match name {
                "*" => Token::Literal('*'),
                "?" => Token::Literal('?'),
                "$" => Token::Literal('$'),
                _ => Token::Variable,
            });
            rest = tail;
            continue;
        }
        out.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            c => Token::Literal(c),
        });
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Time grows with the product of the lengths at most.
fn glob(pattern: &[Token], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token::Any | Token::Variable) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Token::One) => {
                p += 1;
                t += 1;
            }
            Some(Token::Literal(c)) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(Token::Literal(_)) | None => {
                let Some((star, from)) = back else {
                    return false;
                };
                back = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..]
        .iter()
        .all(|token| matches!(token, Token::Any | Token::Variable))
}

/// Whether an ARN matches a pattern of ARNs: a wildcard before the last field does not reach over a colon.
pub fn arn_matches(pattern: &str, arn: &str, variables: bool) -> Truth {
    if pattern == "*" {
        return Truth::Yes;
    }
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    if patterns.len() != 6 || fields.len() != 6 {
        return matches(pattern, arn, variables);
    }
    patterns
        .iter()
        .zip(fields)
        .map(|(pattern, field)| matches(pattern, field, variables))
        .fold(Truth::Yes, Truth::and)
}

/// Actions are compared without regard to letter case. They are compared often, so nothing is copied.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), action.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((star, from)) = back else {
                    return false;
                };
                back = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

/// The most alike of the known texts, where one is alike at all.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    let text = text.to_lowercase();
    let length = text.chars().count();
    if length > LONGEST {
        return None;
    }
    let most = 1 + length / 6;
    known
        .into_iter()
        .filter(|other| other.len().abs_diff(length) <= most)
        .map(|other| (distance(&text, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Insertions, deletions, replacements and swaps of neighbours that make one text of another.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let width = other.len() + 1;
    let mut rows = vec![0; (one.len() + 1) * width];
    for i in 0..=one.len() {
        for j in 0..width {
            rows[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let same = one[i - 1] == other[j - 1];
                let mut least = (rows[(i - 1) * width + j] + 1)
                    .min(rows[i * width + j - 1] + 1)
                    .min(rows[(i - 1) * width + j - 1] + usize::from(!same));
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    least = least.min(rows[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    rows[one.len() * width + other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_variables_and_escapes() {
        for (pattern, text, variables, expected) in [
            ("a*c", "abbc", true, Truth::Yes),
            ("a?c", "abbc", true, Truth::No),
            ("a${*}c", "a*c", true, Truth::Yes),
            ("a${*}c", "abc", true, Truth::No),
            ("a${*}c", "a*c", false, Truth::No),
            ("home/${aws:username}/*", "home/x/y", true, Truth::Unknown),
            ("home/${aws:username}/*", "other/x", true, Truth::No),
            ("", "", true, Truth::Yes),
            ("**", "", true, Truth::Yes),
        ] {
            assert_eq!(
                matches(pattern, text, variables),
                expected,
                "{pattern} {text}"
            );
        }
        assert_eq!(
            arn_matches("arn:aws:s3:::b*", "arn:aws:s3:::b/x:y", true),
            Truth::Yes
        );
        assert_eq!(
            arn_matches("arn:*:s3:::b", "arn:aws-cn:s3:::b", true),
            Truth::Yes
        );
        assert_eq!(
            arn_matches("arn:aws:*:::b", "arn:aws:s3:::x/b", true),
            Truth::No
        );
        assert!(action_matches("S3:get*", "s3:GetObject"));
        assert_eq!(
            nearest("s3:GetObjcet", ["s3:GetObject", "s3:PutObject"]),
            Some("s3:GetObject")
        );
        assert_eq!(nearest("s3:Frobnicate", ["s3:GetObject"]), None);
    }
}
