//! The audit log's filters and entries, in words.

use crate::application::error::{Error, Result};
use crate::application::kept::store::AuditFilter;
use crate::domain::day_or_time::DayOrTime;
use crate::domain::files::file_key::FileKey;
use crate::domain::ids::{TokenId, WorkspaceId};
use crate::domain::people::audit::{Actor, AuditEntry, AuditResult};
use crate::domain::people::sign_in::Session;
use crate::domain::people::subject::SubjectId;
use crate::http::pages::shell::moment::{Moment, thousands};
use crate::http::pages::shell::words::ending;
use serde::Deserialize;
use std::collections::HashMap;
use time::OffsetDateTime;

/// The page's query: every filter as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    pub page: Option<String>,
    pub key: Option<String>,
    pub action: Option<String>,
    pub actor: Option<String>,
    pub on_behalf_of: Option<String>,
    pub result: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

const FILTERS: [&str; 7] = [
    "key",
    "action",
    "actor",
    "on_behalf_of",
    "result",
    "from",
    "to",
];

/// A filter that is not empty.
fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|t| !t.is_empty())
}

impl AuditQuery {
    /// The filter that was meant, in this workspace and no other. `from` and `to` are whole days in UTC, the last one
    /// included; times are taken too.
    pub fn filter(&self, workspace: &WorkspaceId) -> Result<AuditFilter> {
        let field = |name, invalid| Error::field(name, invalid);
        let day = |name, text: &Option<String>| {
            filled(text)
                .map(|text| DayOrTime::parse(text).map_err(|invalid| field(name, invalid)))
                .transpose()
        };
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        Ok(AuditFilter {
            workspace: Some(workspace.clone()),
            key: filled(&self.key)
                .map(|key| FileKey::parse(key).map_err(|invalid| field("key", invalid)))
                .transpose()?,
            action: filled(&self.action).map(str::to_owned),
            actor: filled(&self.actor)
                .map(|actor| Actor::parse(actor).map_err(|invalid| field("actor", invalid)))
                .transpose()?,
            on_behalf_of: filled(&self.on_behalf_of)
                .map(|id| SubjectId::parse(id).map_err(|i| field("on_behalf_of", i)))
                .transpose()?,
            result: filled(&self.result)
                .map(|result| AuditResult::parse(result).map_err(|i| field("result", i)))
                .transpose()?,
            since: from.map(DayOrTime::begins),
            before: to.map(DayOrTime::ends),
        })
    }

    /// The filters alone, as a query.
    pub fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for name in FILTERS {
            let value = self.value(name);
            if !value.is_empty() && !more.iter().any(|(other, _)| *other == name) {
                query.append_pair(name, value);
            }
        }
        for (name, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        match query.finish() {
            empty if empty.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// What was typed as this filter.
    pub fn value(&self, name: &str) -> &str {
        let text = match name {
            "key" => &self.key,
            "action" => &self.action,
            "actor" => &self.actor,
            "on_behalf_of" => &self.on_behalf_of,
            "result" => &self.result,
            "from" => &self.from,
            "to" => &self.to,
            _ => &None,
        };
        filled(text).unwrap_or_default()
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| !self.value(name).is_empty())
    }
}

/// An operation's ID as words: `create_token` is `Create token`.
pub fn action_in_words(action: &str) -> String {
    let words = action.replace(['_', '.'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Whom the entries of a page may name.
pub struct Known<'a> {
    pub own: &'a Session,
    /// Tokens that are not revoked, with their names.
    pub tokens: HashMap<TokenId, String>,
}

impl Known<'_> {
    /// Who did it, in words that give away no more than is needed to tell one from another.
    pub fn who(&self, actor: &Actor) -> String {
        match actor {
            Actor::Anonymous => "Nobody signed in".to_owned(),
            Actor::Operator => "Operator of the service".to_owned(),
            Actor::Service => "The service itself".to_owned(),
            Actor::Token(id) => match self.tokens.get(id) {
                Some(name) => format!("Token “{name}”"),
                None => format!("Token {}", ending(id.as_str())),
            },
            Actor::Key(id) => format!("Product key {}", ending(id.as_str())),
            Actor::Session(id) if *id == self.own.id => "You, in this session".to_owned(),
            Actor::Session(id) => format!("Session {}", ending(id.as_str())),
            Actor::InstructionLink(id) => format!("Setup link {}", ending(id.as_str())),
        }
    }
}

/// An entry of the log.
pub struct EntryRow {
    pub at: Moment,
    pub who: String,
    /// The product's ID of the person for whom it was done.
    pub on_behalf_of: Option<String>,
    /// The address of the list of what was done for them.
    pub of_person: Option<String>,
    /// The address of the list of what they did.
    pub of_actor: String,
    pub action: String,
    pub operation: String,
    pub of_action: String,
    pub target: Option<String>,
    pub kind: &'static str,
    pub word: &'static str,
    pub code: Option<String>,
    pub remote_addr: Option<String>,
    pub request_id: Option<String>,
    pub state: Option<(String, String)>,
    pub signed: Option<(String, Option<Moment>)>,
    pub files: Vec<FileRow>,
    /// How many files the entry has beyond those.
    pub further_files: u64,
}

/// A file of an entry.
pub struct FileRow {
    pub key: String,
    /// What became of it, where that is not what became of the whole.
    pub result: Option<String>,
}

impl EntryRow {
    pub fn of(entry: AuditEntry, query: &AuditQuery, known: &Known<'_>, path: &str) -> Self {
        let (kind, word) = match entry.result {
            AuditResult::Done => ("good", "Done"),
            AuditResult::Refused => ("warn", "Refused"),
            AuditResult::Failed => ("bad", "Failed"),
        };
        let files: Vec<FileRow> = entry
            .files
            .iter()
            .map(|audited| FileRow {
                key: crate::http::pages::files::shown(&audited.file.key.to_string()),
                result: (audited.result != entry.result).then(|| match &audited.code {
                    Some(code) => format!("{}: {code}", audited.result.as_str()),
                    None => audited.result.as_str().to_owned(),
                }),
            })
            .collect();
        Self {
            at: Moment(entry.at),
            who: match &entry.actor_name {
                Some(name) => format!("Product key “{name}”"),
                None => known.who(&entry.actor),
            },
            of_person: entry
                .on_behalf_of
                .as_ref()
                .map(|id| query.address(path, &[("on_behalf_of", id.as_str())])),
            on_behalf_of: entry.on_behalf_of.map(|id| id.as_str().to_owned()),
            of_actor: query.address(path, &[("actor", entry.actor.as_str())]),
            action: action_in_words(&entry.action),
            of_action: query.address(path, &[("action", &entry.action)]),
            operation: entry.action,
            target: entry.target.map(|target| match target.starts_with("ses_") {
                true => format!("Session {}", ending(&target)),
                false => target,
            }),
            kind,
            word,
            code: entry.code,
            remote_addr: entry.remote_addr,
            request_id: entry.request_id,
            state: entry.state.map(|state| (state.before, state.after)),
            signed: entry
                .signed
                .map(|signed| (signed.method, signed.until.map(Moment))),
            further_files: entry.file_count.saturating_sub(files.len() as u64),
            files,
        }
    }
}

impl EntryRow {
    /// How many more files there are, as a number with its thousands apart.
    pub fn further(&self) -> String {
        thousands(i64::try_from(self.further_files).unwrap_or(i64::MAX))
    }
}

/// The name of a file with an export of this day.
pub fn export_name(now: OffsetDateTime) -> String {
    format!("audit-log-{}.jsonl", now.date())
}
