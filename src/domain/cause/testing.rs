//! What the tests of each entry share.

use crate::domain::cause::entry::CauseEntry;

/// Checks what holds for every entry, in each form of its words, and gives all its words in one text.
pub fn words_of<T: CauseEntry>() -> Vec<String> {
    let examples = T::examples();
    assert!(!examples.is_empty(), "an entry has an example");
    examples
        .iter()
        .map(|cause| {
            let (facts, words) = (cause.facts(), cause.words());
            let length = [&words.title, &words.explanation, &words.remedy]
                .map(|text| text.chars().count())
                .iter()
                .sum::<usize>();
            assert!(length <= 1_500, "{}: {length} characters", facts.code);
            for text in [&words.title, &words.explanation, &words.remedy] {
                assert!(
                    !text.is_empty() && !text.contains("  "),
                    "{}: {text:?}",
                    facts.code
                );
                assert_eq!(text.matches('`').count() % 2, 0, "{}: {text:?}", facts.code);
            }
            assert!(!words.title.ends_with('.'), "{}", facts.code);
            assert!(words.explanation.ends_with('.'), "{}", facts.code);
            assert!(words.remedy.ends_with('.'), "{}", facts.code);
            format!("{} {} {}", words.title, words.explanation, words.remedy)
        })
        .collect()
}

/// Checks that a text for a store that is not AWS does not speak of what only AWS has.
pub fn assert_no_aws<T: CauseEntry>(cause: &T) {
    let words = cause.words();
    let mut texts = vec![words.title, words.explanation, words.remedy];
    for candidate in cause.candidates() {
        texts.push(candidate.text);
        texts.extend(candidate.decide.console);
        assert_eq!(candidate.decide.cli, None, "{}", candidate.code);
    }
    for text in texts {
        for word in ["AWS", "IAM", "KMS", "S3 >", "rganization", "VPC"] {
            assert!(!text.contains(word), "{text}");
        }
    }
    assert_eq!(cause.facts().learn_more, None);
}
