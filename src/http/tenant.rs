//! The workspace in the address of a page: `/w/SHORT/projects`.
//!
//! The first workspace of a browser has addresses without it. A second one has it in all of its addresses, and a
//! session cookie of its own, so that each tab stays in its workspace.

use crate::domain::brand::BrandName;
use crate::domain::ids::WorkspaceId;
use actix_web::{HttpMessage, HttpRequest};
use std::fmt;

/// How many digits of a workspace's ID its addresses have: those that are random.
const DIGITS: usize = 16;
/// What such an address begins with.
const START: &str = "/w/";

tokio::task_local! {
    /// Where the page that is being made is.
    static PLACE: Place;
}

/// Where a page is: what the addresses in it begin with, and whose product it belongs to.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The path of the public URL, which the proxy strips: nothing, or like `/sallyport`.
    site: String,
    /// The same, and the workspace: like `/sallyport/w/SHORT`.
    base: String,
    /// The product, as people know it.
    product: BrandName,
}

impl Place {
    /// `site`: the path of the public URL. `tenant`: the workspace that the page's address names.
    pub fn new(site: &str, tenant: Option<&Tenant>) -> Self {
        let tenant = tenant.map(Tenant::base).unwrap_or_default();
        Self {
            site: site.to_owned(),
            base: format!("{site}{tenant}"),
            product: BrandName::default(),
        }
    }

    /// The same in the pages of this product.
    pub fn of_product(self, product: &BrandName) -> Self {
        Self {
            product: product.clone(),
            ..self
        }
    }

    /// What the addresses of its pages begin with.
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// A workspace, as its addresses name it. Not a secret, and no proof of anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    pub fn of(workspace: &WorkspaceId) -> Self {
        let id = workspace.as_str();
        Self(id[id.len() - DIGITS..].to_owned())
    }

    /// From an address, or from a cookie's name. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == DIGITS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Takes a path apart: the workspace, and the path without it. `None`: the path names no workspace.
    pub fn in_path(path: &str) -> Option<(Self, &str)> {
        let after = path.strip_prefix(START)?;
        let (named, rest) = match after.find('/') {
            Some(end) => after.split_at(end),
            None => (after, "/"),
        };
        Self::parse(named).map(|tenant| (tenant, rest))
    }

    /// The workspace that a request's address names.
    pub fn of_request(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    pub fn is_of(&self, workspace: &WorkspaceId) -> bool {
        *self == Self::of(workspace)
    }

    /// What the addresses of its pages begin with, after the path of the public URL.
    pub fn base(&self) -> String {
        format!("{START}{self}")
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the page that is being made is. Outside of a request's work: at the root.
pub fn place() -> Place {
    PLACE.try_with(Clone::clone).unwrap_or_default()
}

/// What the addresses of the page that is being made begin with: nothing, the path of the public URL, `/w/SHORT`, or
/// both.
pub fn base() -> String {
    place().base
}

/// The name of the product that the page which is being made belongs to.
pub fn product() -> String {
    place().product.as_str().to_owned()
}

/// One of the service's own paths, as the page that is being made links to it. Others stay as they are.
pub fn at(path: &str) -> String {
    after(&base(), path)
}

/// The same for what is the same in every workspace, like a style sheet.
pub fn shared(path: &str) -> String {
    after(&place().site, path)
}

/// One of the service's own paths after this base. Others stay as they are.
pub fn after(base: &str, path: &str) -> String {
    match path.starts_with('/') && !path.starts_with("//") {
        true => format!("{base}{path}"),
        false => path.to_owned(),
    }
}

/// Does the work of a request whose pages are at this place.
pub async fn scope<T>(place: Place, work: impl Future<Output = T>) -> T {
    PLACE.scope(place, work).await
}

/// Makes a part of a page outside of its request's work: in the body of an answer.
pub fn within<T>(place: Place, make: impl FnOnce() -> T) -> T {
    PLACE.sync_scope(place, make)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_name_its_workspace() {
        let id = WorkspaceId::parse("wrk_019a1f0e7c1b7d439a520c8c2f6f6b1e").unwrap();
        let tenant = Tenant::of(&id);
        assert_eq!(tenant.base(), "/w/9a520c8c2f6f6b1e");
        assert!(tenant.is_of(&id));
        assert!(!tenant.is_of(&WorkspaceId::generate()));
        for (path, rest) in [
            ("/w/9a520c8c2f6f6b1e", "/"),
            ("/w/9a520c8c2f6f6b1e/", "/"),
            ("/w/9a520c8c2f6f6b1e/projects/prj_1", "/projects/prj_1"),
            ("/w/9a520c8c2f6f6b1e//evil.example", "//evil.example"),
        ] {
            assert_eq!(
                Tenant::in_path(path),
                Some((tenant.clone(), rest)),
                "{path}"
            );
        }
        for path in [
            "/",
            "/w",
            "/w/",
            "/w/9A520C8C2F6F6B1E/projects",
            "/w/9a520c8c2f6f6b1/projects",
            "/w/9a520c8c2f6f6b1e0/projects",
            "/projects/w/9a520c8c2f6f6b1e",
        ] {
            assert_eq!(Tenant::in_path(path), None, "{path}");
        }
    }

    #[test]
    fn only_own_paths_get_the_base() {
        assert_eq!(
            (base(), at("/projects")),
            (String::new(), "/projects".into())
        );
        let tenant = Tenant::parse("9a520c8c2f6f6b1e");
        within(Place::new("", tenant.as_ref()), || {
            assert_eq!(at("/"), "/w/9a520c8c2f6f6b1e/");
            assert_eq!(shared("/static/app.css"), "/static/app.css");
            assert_eq!(at("/projects?a=/b"), "/w/9a520c8c2f6f6b1e/projects?a=/b");
            for other in [
                "https://s3.example.com/a",
                "//s3.example.com/a",
                "#upload",
                "",
            ] {
                assert_eq!(at(other), other);
                assert_eq!(shared(other), other);
            }
        });
    }

    #[test]
    fn the_path_of_the_public_url_comes_first() {
        let tenant = Tenant::parse("9a520c8c2f6f6b1e");
        for (tenant, start) in [
            (None, "/sallyport"),
            (tenant.as_ref(), "/sallyport/w/9a520c8c2f6f6b1e"),
        ] {
            within(Place::new("/sallyport", tenant), || {
                assert_eq!(base(), start);
                assert_eq!(at("/projects"), format!("{start}/projects"));
                assert_eq!(shared("/docs"), "/sallyport/docs");
            });
        }
    }
}
