//! Words as pages set them.

use crate::application::error::Error;
use crate::http::tenant;

/// Our own name, as texts have it that the API gives too.
const OURS: &str = "Sallyport";

/// A text of ours as the page that is being made shows it: with curly apostrophes, and with the product's name
/// in place of ours. Texts that the API gives too have straight ones, and our name.
pub fn curly(text: &str) -> String {
    curly_for(text, &tenant::product())
}

/// The same for the pages of this product, also outside of a request's work. Code between backticks stays as it is: it
/// may be somebody's file.
pub fn curly_for(text: &str, product: &str) -> String {
    let parts = text.split('`').enumerate();
    let shown: Vec<String> = parts
        .map(|(at, part)| match at.is_multiple_of(2) {
            true => named(typeset(part), product),
            false => part.to_owned(),
        })
        .collect();
    shown.join("`")
}

/// With the product's name where ours stands as a word. In `Sallyport-Workspace` it is a part of a header's name.
fn named(text: String, product: &str) -> String {
    if product == OURS || !text.contains(OURS) {
        return text;
    }
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(OURS) {
        let is_part = before.ends_with(joins) || after.starts_with(joins);
        shown.push_str(before);
        shown.push_str(if is_part { OURS } else { product });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn typeset(text: &str) -> String {
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

    #[test]
    fn a_product_s_pages_have_its_name() {
        assert_eq!(
            curly_for(
                "Sallyport can't assume it. Ask Sallyport's operator.",
                "A & B"
            ),
            "A & B can’t assume it. Ask A & B’s operator."
        );
        let header = "Send Sallyport-Workspace to Sallyport";
        assert_eq!(curly_for(header, "Sallyport"), header);
        // What is code is somebody's own, or ours for programs.
        assert_eq!(
            curly_for("`/Sallyport/it's.txt` isn't in Sallyport", "Annotate"),
            "`/Sallyport/it's.txt` isn’t in Annotate"
        );
        // A name that has ours in it is put in once.
        assert_eq!(
            curly_for(header, "Sallyport Plus"),
            "Send Sallyport-Workspace to Sallyport Plus"
        );
        // Outside of a request's work the pages are our own.
        assert_eq!(curly(header), header);
    }
}
