//! The workspace in the address of a page: `/w/SHORT/projects`.
//!
//! The first workspace of a browser has addresses without it. A second one has it in all of its addresses, and a
//! session cookie of its own, so that each tab stays in its workspace.

use crate::domain::ids::WorkspaceId;
use actix_web::{HttpMessage, HttpRequest};
use std::fmt;

/// How many digits of a workspace's ID its addresses have: those that are random.
const DIGITS: usize = 16;
/// What such an address begins with.
const START: &str = "/w/";

tokio::task_local! {
    /// What the addresses of the page that is being made begin with.
    static BASE: String;
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

    /// What the addresses of its pages begin with.
    pub fn base(&self) -> String {
        format!("{START}{self}")
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the addresses of the page that is being made begin with: nothing, or `/w/SHORT`.
pub fn base() -> String {
    BASE.try_with(Clone::clone).unwrap_or_default()
}

/// One of the service's own paths, as the page that is being made links to it. Others stay as they are.
pub fn at(path: &str) -> String {
    match path.starts_with('/') && !path.starts_with("//") {
        true => format!("{}{path}", base()),
        false => path.to_owned(),
    }
}

/// Does the work of a request whose pages have such addresses.
pub async fn scope<T>(base: String, work: impl Future<Output = T>) -> T {
    BASE.scope(base, work).await
}

/// Makes a part of a page outside of its request's work: in the body of an answer.
pub fn within<T>(base: String, make: impl FnOnce() -> T) -> T {
    BASE.sync_scope(base, make)
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
        within("/w/9a520c8c2f6f6b1e".into(), || {
            assert_eq!(at("/"), "/w/9a520c8c2f6f6b1e/");
            assert_eq!(at("/projects?a=/b"), "/w/9a520c8c2f6f6b1e/projects?a=/b");
            for other in [
                "https://s3.example.com/a",
                "//s3.example.com/a",
                "#upload",
                "",
            ] {
                assert_eq!(at(other), other);
            }
        });
    }
}
