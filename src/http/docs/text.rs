//! Descriptions: paragraphs with pieces of code in backticks.

/// A text as paragraphs of runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    pub paragraphs: Vec<Vec<Run>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub is_code: bool,
}

impl Text {
    pub fn parse(text: &str) -> Self {
        let paragraphs = text
            .split("\n\n")
            .filter(|paragraph| !paragraph.trim().is_empty())
            .map(|paragraph| {
                paragraph
                    .trim()
                    .split('`')
                    .enumerate()
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(at, text)| Run {
                        text: text.to_owned(),
                        is_code: at % 2 == 1,
                    })
                    .collect()
            })
            .collect();
        Self { paragraphs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_code() {
        let text = Text::parse("Use `a` or `b`.\n\nSecond.");
        assert_eq!(text.paragraphs.len(), 2);
        let first: Vec<_> = text.paragraphs[0]
            .iter()
            .map(|run| (run.text.as_str(), run.is_code))
            .collect();
        assert_eq!(
            first,
            [
                ("Use ", false),
                ("a", true),
                (" or ", false),
                ("b", true),
                (".", false)
            ]
        );
    }
}
