//! Which page of a list a request asks for.

use crate::application::error::{Error, Result};
use crate::application::kept::page_tokens::PageRequest;
use crate::domain::Invalid;
use crate::domain::names::Name;
use serde::Deserialize;
use utoipa::IntoParams;

/// The query of a list without filters. One with filters has these two fields too, and gives them to
/// [`request`].
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub page_size: Option<u32>,
    /// `next_page_token` of the page before.
    pub page_token: Option<String>,
}

impl PageQuery {
    pub fn request(self) -> Result<PageRequest> {
        request(self.page_size, self.page_token)
    }
}

/// The query of a list that can be narrowed to a part of its items' names.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NamedPageQuery {
    /// Only those that have this in their name, in capitals or not.
    #[param(example = "acme", max_length = 200)]
    pub name: Option<String>,
    /// How many items: 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    pub page_size: Option<u32>,
    /// `next_page_token` of the page before.
    pub page_token: Option<String>,
}

impl NamedPageQuery {
    /// `None`: every name will do.
    pub fn name(&self) -> Result<Option<String>> {
        part_of_name(self.name.as_deref())
    }

    pub fn request(self) -> Result<PageRequest> {
        request(self.page_size, self.page_token)
    }
}

/// Reads `name`. An empty one asks for nothing.
pub fn part_of_name(name: Option<&str>) -> Result<Option<String>> {
    if name.is_some_and(|name| name.chars().count() > Name::MAX_LEN) {
        let detail = format!("A name has at most {} characters.", Name::MAX_LEN);
        return Err(Error::field("name", Invalid::new("invalid_length", detail)));
    }
    Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
}

/// Reads `page_size` and `page_token`.
pub fn request(size: Option<u32>, token: Option<String>) -> Result<PageRequest> {
    request_within(size, token, PageRequest::LARGEST)
}

/// The same for a list whose pages may have so many items.
pub fn request_within(
    size: Option<u32>,
    token: Option<String>,
    largest: u32,
) -> Result<PageRequest> {
    let size = size.unwrap_or(PageRequest::DEFAULT);
    if !(1..=largest).contains(&size) {
        return Err(Error::field(
            "page_size",
            Invalid::new(
                "invalid_page_size",
                format!("`page_size` is from 1 to {largest}."),
            ),
        ));
    }
    Ok(PageRequest { size, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes() {
        assert_eq!(request(None, None).unwrap().size, 100);
        assert_eq!(request(Some(1000), None).unwrap().size, 1000);
        for size in [0, 1001] {
            let error = request(Some(size), None).unwrap_err();
            assert_eq!(error.fields[0].field, "page_size");
        }
    }
}
