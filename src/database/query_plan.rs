//! How an engine finds what a statement asks for. For tests of statements that must not look at everything.

use crate::database::{Database, Sql};

/// SQLite's plan of a statement, a step on each line. Each parameter is given as 5.
pub async fn sqlite_plan(database: &Database, sql: &str) -> String {
    let asked = (1..=9).fold(format!("EXPLAIN QUERY PLAN {sql}"), |sql, at| {
        sql.replace(&format!("${at}"), "5")
    });
    let rows = database.fetch_all(Sql::Built(asked), Vec::new()).await;
    let steps = rows.unwrap().into_iter().map(|row| {
        let step = row.text("detail").unwrap();
        step.unwrap_or_default()
    });
    steps.collect::<Vec<_>>().join("\n")
}
