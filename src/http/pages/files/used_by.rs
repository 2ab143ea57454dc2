//! The projects that use files, as pages name them.

use crate::application::error::Result;
use crate::application::kept::store::ProjectsOfFiles;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::StorageRef;
use crate::http::pages::shell::session::Visitor;
use crate::http::state::Services;

/// The projects that use some files. The default: none.
#[derive(Debug, Default)]
pub struct UsedBy {
    pub count: u64,
    /// The newest of them.
    pub projects: Vec<UsingProject>,
}

/// One of them.
#[derive(Debug)]
pub struct UsingProject {
    pub name: String,
    pub url: String,
}

impl UsedBy {
    /// Asks the database.
    pub async fn find(
        services: &Services,
        visitor: &Visitor,
        storage: &StorageRef,
        keys: &[FileKey],
    ) -> Result<Self> {
        let found = services.projects.using(&visitor.member, storage, keys);
        Ok(Self::of(found.await?))
    }

    fn of(found: ProjectsOfFiles) -> Self {
        let projects = found.newest.into_iter().map(|(id, name)| UsingProject {
            name: name.as_str().to_owned(),
            url: format!("/projects/{id}"),
        });
        Self {
            count: found.count,
            projects: projects.collect(),
        }
    }

    /// How many are not named.
    pub fn others(&self) -> u64 {
        let named = u64::try_from(self.projects.len()).unwrap_or(u64::MAX);
        self.count.saturating_sub(named)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    pub fn used_by(count: u64) -> UsedBy {
        UsedBy {
            count,
            projects: vec![UsingProject {
                name: "Cats <b>".into(),
                url: "/projects/prj_1".into(),
            }],
        }
    }
}
