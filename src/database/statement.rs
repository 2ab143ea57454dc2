//! Statements put together from the names of columns, so no list of columns has to match another.
//!
//! Names are constants of this crate. Values only ever go into placeholders.

use crate::database::engine::{Sql, Value};
use crate::database::placeholders::placeholders;

/// Values by the names of their columns.
pub(super) type Named = Vec<(&'static str, Value)>;

/// A SELECT of these columns. Made once for each statement and kept for as long as the process runs, so
/// that the drivers can keep it prepared.
///
/// Columns are named: with `*`, a newer replica that adds a column would break the statements that an
/// older one keeps prepared on PostgreSQL.
pub(super) fn select(
    columns: impl Iterator<Item = &'static str>,
    from_where: &str,
) -> &'static str {
    let columns: Vec<&str> = columns.collect();
    format!("SELECT {} {from_where}", columns.join(", ")).leak()
}

/// An INSERT of one row, with its values.
pub(super) fn insert(table: &'static str, row: Named) -> (Sql, Vec<Value>) {
    let (names, values): (Vec<&str>, Vec<Value>) = row.into_iter().unzip();
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        names.join(", "),
        placeholders(1, names.len())
    );
    (Sql::Built(sql), values)
}

/// The assignments of an UPDATE, like `a = $4, b = $5`, with placeholders from `first` on.
pub(super) fn assignments(columns: &Named, first: usize) -> String {
    let assigned: Vec<String> = columns
        .iter()
        .zip(first..)
        .map(|((name, _), at)| format!("{name} = ${at}"))
        .collect();
    assigned.join(", ")
}

/// The values of these columns, in their order.
pub(super) fn values_of(columns: Named) -> impl Iterator<Item = Value> {
    columns.into_iter().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::engine::values;

    #[test]
    fn placeholders_follow_the_columns() {
        let row: Named = vec![("id", "a".into()), ("size", 1_i64.into())];
        assert_eq!(assignments(&row, 4), "id = $4, size = $5");
        let (sql, given) = insert("things", row);
        let Sql::Built(sql) = sql else {
            panic!("put together from names");
        };
        assert_eq!(sql, "INSERT INTO things (id, size) VALUES ($1, $2)");
        assert_eq!(given.len(), values!["a", 1_i64].len());
        let columns = ["id", "size"].into_iter();
        let sql = select(columns, "FROM things WHERE id = $1");
        assert_eq!(sql, "SELECT id, size FROM things WHERE id = $1");
    }
}
