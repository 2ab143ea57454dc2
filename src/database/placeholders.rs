//! Placeholders of statements that are put together.

/// `$first, …`, so many.
pub(super) fn placeholders(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    all.join(", ")
}

/// `($1, $2), ($3, $4), …`: so many rows of so many values.
pub(super) fn rows(count: usize, width: usize) -> String {
    let rows: Vec<String> = (0..count)
        .map(|row| format!("({})", placeholders(row * width + 1, width)))
        .collect();
    rows.join(", ")
}

/// The statement with `?` for each `$1`, and a value for each of them.
///
/// SQLite, and its driver for each value, look a numbered placeholder up in a list of all of them. With 4,000 of them
/// that takes longer than everything else.
pub(super) fn without_numbers<V: Clone>(sql: String, values: Vec<V>) -> (String, Vec<V>) {
    let mut text = String::with_capacity(sql.len());
    let mut given = Vec::with_capacity(values.len());
    let mut rest = sql.as_str();
    while let Some(at) = rest.find(['$', '\'', '"']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let Some(digits) = from.strip_prefix('$') else {
            // Nothing in quotes is a placeholder.
            let quote = &from[..1];
            let Some(end) = from[1..].find(quote) else {
                return (sql, values);
            };
            text.push_str(&from[..end + 2]);
            rest = &from[end + 2..];
            continue;
        };
        let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = digits[..digits.len() - after.len()].parse::<usize>();
        let value = number.ok().and_then(|n| values.get(n.checked_sub(1)?));
        let Some(value) = value else {
            // Not in the form that is known here: the driver says what is wrong with it.
            return (sql, values);
        };
        text.push('?');
        given.push(value.clone());
        rest = after;
    }
    if given.is_empty() {
        return (sql, values);
    }
    text.push_str(rest);
    (text, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_through() {
        assert_eq!(placeholders(4, 3), "$4, $5, $6");
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }

    #[test]
    fn each_placeholder_has_the_value_of_its_number() {
        let sql = "SELECT '$1', \"a$2\" FROM t WHERE a = $2 AND b IN ($1, $2) LIMIT $10";
        let numbers: Vec<u32> = (1..=10).collect();
        let (sql, values) = without_numbers(sql.to_owned(), numbers);
        assert_eq!(
            sql,
            "SELECT '$1', \"a$2\" FROM t WHERE a = ? AND b IN (?, ?) LIMIT ?"
        );
        assert_eq!(values, [2, 1, 2, 10]);
    }

    #[test]
    fn what_has_another_form_stays() {
        for sql in [
            "SELECT ?, ?",
            "SELECT $3",
            "SELECT $0",
            "SELECT $x",
            "SELECT '$1",
            "SELECT 1",
        ] {
            let (same, values) = without_numbers(sql.to_owned(), vec![1, 2]);
            assert_eq!((same.as_str(), values), (sql, vec![1, 2]), "{sql}");
        }
    }
}
