//! What the templates of pages do with their values.

use crate::http::tenant;
use std::fmt::Display;

/// One of the service's own paths, at the address of the workspace that the page is shown for. Every address of a
/// page goes through this or [`shared`], so that a link or a form stays in its workspace and below the path of the
/// public URL. An address elsewhere stays as it is.
#[askama::filter_fn]
pub fn at(path: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(tenant::at(&path.to_string()))
}

/// One of the service's own paths that is the same in every workspace, like that of a style sheet, with the path of
/// the public URL before it. An address elsewhere stays as it is.
#[askama::filter_fn]
pub fn shared(path: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(tenant::shared(&path.to_string()))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// The attributes of a template that a browser goes to, or that a script asks.
    const ADDRESSES: [&str; 8] = [
        "href",
        "action",
        "formaction",
        "src",
        "hx-get",
        "hx-post",
        "data-wait",
        "data-upload",
    ];
    /// What is elsewhere: the product's addresses, AWS's console and documentation. An icon's address is whole.
    const OTHERS: [(&str, &[&str]); 7] = [
        (
            "",
            &["{{ crate::http::assets::icon(", "{{ support.as_str() }}"],
        ),
        (
            "layout.html",
            &[
                "{% if let Some(logo) = chrome.brand.logo() %}{{ logo|shared }}{% else %}{{ chrome.icon|shared }}{% endif %}",
                "{{ url }}",
            ],
        ),
        ("error.html", &["{{ url }}"]),
        ("setup/ended.html", &["{{ url }}"]),
        ("setup/problem.html", &["{{ url }}"]),
        ("setup/macros.html", &["{{ href }}"]),
        ("setup/ways.html", &["{{ link }}"]),
    ];

    fn templates(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => found.extend(templates(&path)),
                false => found.push(path),
            }
        }
        found
    }

    /// The values of the attributes of this name.
    fn values<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        let start = format!("{name}=\"");
        text.match_indices(&start)
            // `data-action` is not `action`.
            .filter(|(at, _)| text[..*at].ends_with(char::is_whitespace))
            .map(|(at, _)| &text[at + start.len()..])
            .collect()
    }

    #[test]
    fn every_address_of_a_template_stays_in_its_workspace() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/pages");
        let mut seen = 0;
        for file in templates(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let others: Vec<&str> = OTHERS
                .iter()
                .filter(|(name, _)| file.ends_with(name) || name.is_empty())
                .flat_map(|(_, others)| others.iter().copied())
                .collect();
            for name in ADDRESSES {
                for value in values(&text, name) {
                    seen += 1;
                    // The first part of the value: a text, or what is filled in.
                    let is_led = value.starts_with("{{ ")
                        && value.split_once("}}").is_some_and(|(first, _)| {
                            let first = first.trim_end();
                            first.ends_with("|at") || first.ends_with("|shared")
                        });
                    let is_other = value.starts_with('#')
                        || others.iter().any(|other| value.starts_with(other));
                    let shown: String = value.chars().take(60).collect();
                    assert!(
                        is_led || is_other,
                        "{}: {name}=\"{shown} goes through neither `at` nor `shared`",
                        file.display()
                    );
                }
            }
        }
        assert!(seen > 200, "{seen}");
    }
}
