//! How programs read a file: commands and code with its own storage and key.

use crate::http::pages::files::place::address;
use crate::http::pages::files::shown::shown;

/// A text to copy into a program or a terminal.
pub struct Snippet {
    pub id: &'static str,
    pub name: &'static str,
    pub text: String,
}

/// `server`: the service's public URL, without a slash at its end.
pub fn of_file(server: &str, storage: &str, key: &str, name: &str) -> Vec<Snippet> {
    let path = format!("{server}/v1/storages/{storage}/files/content");
    // A percent-encoded address holds nothing that a quotation has to be ended for.
    let url = address(&path, &[("key", key)]);
    let output = quoted(&local_name(name));
    let mut snippets = vec![
        Snippet {
            id: "snippet-curl",
            name: "curl",
            text: format!(
                "curl --fail --header \"Authorization: Bearer $SALLYPORT_TOKEN\" \\\n  --output {output} \\\n  '{url}'"
            ),
        },
        Snippet {
            id: "snippet-python",
            name: "Python",
            text: format!(
                "import os\nfrom urllib.request import Request, urlopen\n\nrequest = Request(\n    \"{url}\",\n    headers={{\"Authorization\": \"Bearer \" + os.environ[\"SALLYPORT_TOKEN\"]}},\n)\nwith urlopen(request) as answer:\n    content = answer.read()"
            ),
        },
        Snippet {
            id: "snippet-typescript",
            name: "TypeScript",
            text: format!(
                "const answer = await fetch(\n  \"{url}\",\n  {{ headers: {{ Authorization: `Bearer ${{process.env.SALLYPORT_TOKEN}}` }} }},\n);\nif (!answer.ok) throw new Error(`${{answer.status}}: ${{await answer.text()}}`);\nconst content = await answer.arrayBuffer();"
            ),
        },
    ];
    // What a terminal would not show as it is, nobody should paste into one.
    if shown(key) == key {
        snippets.push(Snippet {
            id: "snippet-cli",
            name: "Sallyport CLI",
            text: format!(
                "export SALLYPORT_SERVER={}\nsallyport files cat --storage {storage} {} > {output}",
                quoted(server),
                quoted(key)
            ),
        });
    }
    snippets
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A name that means a file of the present folder on every system, for the downloaded file.
fn local_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    match name.chars().all(is_plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => name.to_owned(),
        false => "file".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::files::place::samples::ODD_KEYS;

    #[test]
    fn keys_stay_within_their_quotation() {
        for key in ODD_KEYS {
            let name = key.rsplit('/').next().unwrap();
            let snippets = of_file("https://s.example.com", "sto_1", key, name);
            for snippet in &snippets[..3] {
                let address = address(
                    "https://s.example.com/v1/storages/sto_1/files/content",
                    &[("key", key)],
                );
                assert!(snippet.text.contains(&address), "{key}: {}", snippet.text);
            }
            assert_eq!(snippets.len() == 4, shown(key) == *key, "{key}");
        }
        let quote = of_file("https://s.example.com", "sto_1", "/it's $(x)", "it's $(x)");
        assert!(quote[3].text.ends_with("'/it'\\''s $(x)' > 'file'"));
        let plain = of_file("https://s.example.com", "sto_1", "/a/b.png", "b.png");
        assert!(plain[0].text.contains("--output 'b.png'"));
    }
}
