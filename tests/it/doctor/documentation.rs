//! `docs/doctor.md` has every code.

use crate::domain::doctor::code::Code;

#[test]
fn every_code_is_explained() {
    let rows: String = Code::ALL
        .into_iter()
        .map(|code| format!("| `{}` | {} |\n", code.as_str(), code.meaning()))
        .collect();
    let page = include_str!("../../../docs/doctor.md");
    assert!(
        page.contains(&rows),
        "docs/doctor.md lacks this table:\n{rows}"
    );
}
