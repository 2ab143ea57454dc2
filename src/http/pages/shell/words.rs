//! Words as pages set them.

use crate::application::error::Error;

/// With curly apostrophes: texts that the API gives too have straight ones.
pub fn curly(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let within = character == '\''
            && before.is_alphanumeric()
            && characters.peek().is_none_or(|next| !next.is_ascii_digit());
        shown.push(if within { '’' } else { character });
        before = character;
    }
    shown
}

/// What is wrong and what to do, beside a form: of a field's error where there is one.
pub fn of_error(error: &Error) -> String {
    let field = error.fields.first().map(|field| field.detail.as_str());
    let detail = field.unwrap_or(&error.detail);
    match &error.remedy {
        Some(remedy) => format!("{detail} {remedy}"),
        None => detail.to_owned(),
    }
}

/// The end of an ID, by which people tell one from another.
pub fn ending(id: &str) -> String {
    let end: String = id.chars().rev().take(8).collect();
    format!("…{}", end.chars().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apostrophe_is_curly_and_a_quotation_is_not() {
        assert_eq!(
            curly("the role's ARN, can't, roles' names"),
            "the role’s ARN, can’t, roles’ names"
        );
        assert_eq!(curly("a 'word"), "a 'word");
    }
}
