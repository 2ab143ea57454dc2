//! URLs that the SDK has signed, one by one.

use crate::application::bucket::sign::{CommonParts, OwnParts, UrlMaker};

/// They are taken as they are: nothing of them is in common.
#[derive(Default)]
pub(crate) struct WholeUrls {
    urls: Vec<String>,
    common: CommonParts,
}

impl WholeUrls {
    pub fn push(&mut self, url: &str) {
        self.urls.push(url.to_owned());
    }
}

impl UrlMaker for WholeUrls {
    fn count(&self) -> usize {
        self.urls.len()
    }

    fn common(&self) -> &CommonParts {
        &self.common
    }

    fn make(&mut self, at: usize, parts: &mut OwnParts) {
        let url = self.urls.get(at).map_or("", String::as_str);
        // A signed URL has a query.
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        parts.key.push_str(address);
        parts.own.push_str(query);
    }
}
