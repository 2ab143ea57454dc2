//! IDs that the product gives to its own tenants and people.

use crate::domain::Invalid;
use crate::domain::invalid::shown;

/// 1 to 128 visible ASCII characters. `whose`: what has the ID, in words.
pub(super) fn parse(value: &str, code: &'static str, whose: &str) -> Result<String, Invalid> {
    match (1..=128).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(value.to_owned()),
        false => Err(Invalid::new(
            code,
            format!(
                "`{}` is not an ID of a {whose}: use 1 to 128 letters, digits and signs of ASCII, without spaces.",
                shown(value)
            ),
        )),
    }
}
