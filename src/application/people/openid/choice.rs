//! Which workspace somebody enters who is known by claims.

use crate::application::error::Result;
use crate::application::kept::store::Window;
use crate::application::people::workspaces::Workspaces;
use crate::domain::people::workspace::{Workspace, WorkspaceExternalId};

/// How many workspaces a person is shown to choose from.
const MOST_CHOICES: usize = 200;
/// How many values of the workspace claim are looked up.
const MOST_NAMED: usize = 50;

/// What is known before workspaces are looked up.
pub struct Wanted<'a> {
    /// The workspaces that the claims name, by either of their IDs.
    pub named: Vec<&'a str>,
    /// The one that the person wants to enter.
    pub workspace: Option<&'a str>,
    /// Whether every workspace may be entered.
    pub is_operator: bool,
}

/// The workspaces that somebody may enter.
pub enum Choice {
    Nothing,
    One(Box<Workspace>),
    /// These, and whether there are more.
    Several(Vec<Workspace>, bool),
}

impl Wanted<'_> {
    pub async fn of(&self, workspaces: &Workspaces) -> Result<Choice> {
        if let Some(wanted) = self.workspace {
            let found = workspaces.named(wanted).await?;
            return Ok(match found.filter(|workspace| self.may_enter(workspace)) {
                Some(workspace) => Choice::One(Box::new(workspace)),
                None => Choice::Nothing,
            });
        }
        let (mut found, has_more) = match self.is_operator {
            true => every(workspaces).await?,
            false => self.each(workspaces).await?,
        };
        Ok(match found.len() {
            0 => Choice::Nothing,
            1 => Choice::One(Box::new(found.remove(0))),
            _ => Choice::Several(found, has_more),
        })
    }

    fn may_enter(&self, workspace: &Workspace) -> bool {
        let own = workspace.id.as_str();
        let external = workspace
            .external_id
            .as_ref()
            .map(WorkspaceExternalId::as_str);
        self.is_operator
            || self
                .named
                .iter()
                .any(|name| *name == own || Some(*name) == external)
    }

    /// Those that the claims name, each once.
    async fn each(&self, workspaces: &Workspaces) -> Result<(Vec<Workspace>, bool)> {
        let mut found: Vec<Workspace> = Vec::new();
        for name in self.named.iter().take(MOST_NAMED) {
            if let Some(workspace) = workspaces.named(name).await?
                && found.iter().all(|known| known.id != workspace.id)
            {
                found.push(workspace);
            }
        }
        Ok((found, self.named.len() > MOST_NAMED))
    }
}

async fn every(workspaces: &Workspaces) -> Result<(Vec<Workspace>, bool)> {
    let window = Window {
        after: None,
        limit: u32::try_from(MOST_CHOICES + 1).unwrap_or(u32::MAX),
    };
    let mut all = workspaces.list(&window).await?;
    let has_more = all.len() > MOST_CHOICES;
    all.truncate(MOST_CHOICES);
    Ok((all, has_more))
}
