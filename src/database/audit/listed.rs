//! The statement for a list of entries, by what they are filtered by.

use crate::application::kept::store::{AuditFilter, Window};
use crate::database::engine::Value;
use crate::database::{after, before};

/// In which order entries are listed. A window goes on after its ID in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    /// Where a list begins, the comparison with that, and the word of SQL.
    fn parts(self, window: &Window) -> (&str, &'static str, &'static str) {
        match self {
            Self::NewestFirst => (before(window), "<", "DESC"),
            Self::OldestFirst => (after(window), ">", "ASC"),
        }
    }
}

/// Conditions that all hold, with the values of their placeholders in the order of their numbers.
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    /// The values that follow are numbered from here on.
    fn number(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// One more condition: a column or an expression, and an operator, before the value.
    fn and(&mut self, before_value: &str, value: impl Into<Value>) {
        let number = self.number(value);
        let word = if self.sql.is_empty() { "WHERE" } else { " AND" };
        self.sql
            .push_str(&format!("{word} {before_value} {number}"));
    }
}

/// The statement for a list of entries. Every text in it is a literal of this function.
pub(super) fn listed(
    filter: &AuditFilter,
    key: Option<&str>,
    order: Order,
    window: &Window,
) -> (String, Vec<Value>) {
    let AuditFilter {
        workspace,
        key: _,
        action,
        actor,
        on_behalf_of,
        result,
        since,
        before: until,
    } = filter;
    let mut which = Conditions {
        sql: String::new(),
        values: Vec::new(),
    };
    let (begin, comparison, direction) = order.parts(window);
    which.and(&format!("id {comparison}"), begin);
    if let Some(workspace) = workspace {
        which.and("workspace_id =", workspace.as_str());
    }
    if let Some(action) = action {
        which.and("action =", action.as_str());
    }
    if let Some(actor) = actor {
        which.and("actor =", actor.as_str());
    }
    if let Some(subject) = on_behalf_of {
        which.and("on_behalf_of =", subject.as_str());
    }
    if let Some(result) = result {
        which.and("result =", result.as_str());
    }
    if let Some(since) = since {
        which.and("occurred_at >=", *since);
    }
    if let Some(until) = until {
        which.and("occurred_at <", *until);
    }
    if let Some(key) = key {
        let mut inner = format!(
            " AND id IN (SELECT DISTINCT entry_id FROM audit_files WHERE file_key = {} AND entry_id {comparison} $1",
            which.number(key)
        );
        if let Some(workspace) = workspace {
            inner.push_str(" AND workspace_id = ");
            inner.push_str(&which.number(workspace.as_str()));
        }
        // Only where none of these is left out again is the page's length that of the list of files.
        if !filter.is_narrowed() {
            inner.push_str(&format!(" ORDER BY entry_id {direction} LIMIT "));
            inner.push_str(&which.number(window.limit));
        }
        which.sql.push_str(&inner);
        which.sql.push(')');
    }
    let limit = which.number(window.limit);
    let sql = format!(
        "{}{} ORDER BY id {direction} LIMIT {limit}",
        select!(""),
        which.sql
    );
    (sql, which.values)
}
