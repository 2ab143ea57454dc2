//! What the templates of pages do with their values.

use crate::http::tenant;
use std::fmt::Display;

/// One of the service's own paths, at the address of the workspace that the page is shown for. Every address of a
/// page goes through this, so that a link or a form stays in its workspace. An address elsewhere stays as it is.
#[askama::filter_fn]
pub fn at(path: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(tenant::at(&path.to_string()))
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
    /// What is the same in every workspace, or elsewhere: the service's own assets, the API's page, the product's
    /// addresses, AWS's console and documentation. The start page names workspaces itself.
    const OTHERS: [(&str, &[&str]); 9] = [
        (
            "",
            &[
                "{{ crate::http::assets::icon(",
                "{{ style }}",
                "{{ script }}",
                "{{ support.as_str() }}",
            ],
        ),
        (
            "layout.html",
            &[
                "{% if let Some(logo) = chrome.brand.logo() %}{{ logo }}",
                "{{ chrome.style }}",
                "{{ chrome.htmx }}",
                "{{ chrome.script }}",
                "{{ embed.script }}",
                "{{ logo }}",
                "{{ url }}",
            ],
        ),
        (
            "welcome.html",
            &["/docs", "/sign-in/oidc", "{{ workspace.address }}"],
        ),
        (
            "people/choose_workspace.html",
            &["/sign-in/oidc?workspace={{ workspace.id }}"],
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
                        && value
                            .split_once("}}")
                            .is_some_and(|(first, _)| first.trim_end().ends_with("|at"));
                    let is_other = value.starts_with('#')
                        || others.iter().any(|other| value.starts_with(other));
                    let shown: String = value.chars().take(60).collect();
                    assert!(
                        is_led || is_other,
                        "{}: {name}=\"{shown} does not go through `at`",
                        file.display()
                    );
                }
            }
        }
        assert!(seen > 200, "{seen}");
    }
}
