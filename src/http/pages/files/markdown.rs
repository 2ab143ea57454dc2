//! Markdown as HTML that runs and loads nothing: HTML in it is shown as the text that it is, links lead to the web
//! or to a mail address only, and pictures are links.

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html,
};
use url::Url;

/// How many bytes of content are rendered at most: a short text can refer to one long address many times.
const LARGEST: usize = 512 << 10;
/// How deep quotes and lists may stand in each other.
const DEEPEST: usize = 50;
/// What an element costs besides its content.
const ELEMENT: usize = 32;

/// What stands before the description of a picture.
const PICTURE: &str = "Picture: ";

/// Whether a file says that it is Markdown.
pub fn is_markdown(name: &str, content_type: Option<&str>) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let ends_so = ending.is_some_and(|ending| {
        let known = ["md", "markdown", "mdown", "mkd"];
        known.iter().any(|known| ending.eq_ignore_ascii_case(known))
    });
    let essence = content_type.and_then(|stored| stored.split(';').next());
    let is_said = essence.is_some_and(|e| e.trim().eq_ignore_ascii_case("text/markdown"));
    ends_so || is_said
}

/// The HTML of a text, to be put into a page as it is. `None` where it would be too large or too deep, or shows
/// nothing.
pub fn rendered(text: &str) -> Option<String> {
    let mut made = Rendering::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        made.take(event);
        if made.size > LARGEST || made.depth > DEEPEST {
            return None;
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, made.events.into_iter());
    (!out.trim().is_empty()).then_some(out)
}

/// The events of a text as they are rendered.
#[derive(Default)]
struct Rendering<'a> {
    events: Vec<Event<'a>>,
    size: usize,
    depth: usize,
    /// For each link and picture that is open, whether it became an element.
    anchors: Vec<bool>,
}

impl<'a> Rendering<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                self.start(tag);
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                self.end(end);
            }
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::Text(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(text),
            Event::Code(text) => {
                self.size += text.len();
                self.push(Event::Code(text));
            }
            Event::SoftBreak => self.push(Event::SoftBreak),
            Event::HardBreak => self.push(Event::HardBreak),
            Event::Rule => self.push(Event::Rule),
            Event::TaskListMarker(_) => {}
        }
    }

    fn push(&mut self, event: Event<'a>) {
        self.size += ELEMENT;
        self.events.push(event);
    }

    fn text(&mut self, text: CowStr<'a>) {
        self.size += text.len();
        self.push(Event::Text(text));
    }

    fn start(&mut self, tag: Tag<'a>) {
        let shown = match tag {
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => return self.open(address(link_type, &dest_url)),
            Tag::Image {
                link_type,
                dest_url,
                ..
            } => {
                self.open(address(link_type, &dest_url));
                return self.text(PICTURE.into());
            }
            // The page's own headings come before.
            Tag::Heading { level, .. } => Tag::Heading {
                level: lower(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            },
            // Without what would become a class or a style.
            Tag::BlockQuote(_) => Tag::BlockQuote(None),
            Tag::CodeBlock(_) => Tag::CodeBlock(CodeBlockKind::Indented),
            Tag::Table(_) => Tag::Table(Vec::new()),
            Tag::Paragraph | Tag::HtmlBlock => Tag::Paragraph,
            Tag::List(first) => Tag::List(first),
            Tag::Item => Tag::Item,
            Tag::TableHead => Tag::TableHead,
            Tag::TableRow => Tag::TableRow,
            Tag::TableCell => Tag::TableCell,
            Tag::Emphasis => Tag::Emphasis,
            Tag::Strong => Tag::Strong,
            Tag::Strikethrough => Tag::Strikethrough,
            // Nobody has asked the parser for these.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => return,
        };
        self.push(Event::Start(shown));
    }

    fn end(&mut self, end: TagEnd) {
        let shown = match end {
            TagEnd::Link => return self.close(),
            TagEnd::Image => {
                if matches!(self.events.last(), Some(Event::Text(text)) if &**text == PICTURE) {
                    self.text("without a description".into());
                }
                return self.close();
            }
            TagEnd::Heading(level) => TagEnd::Heading(lower(level)),
            TagEnd::BlockQuote(_) => TagEnd::BlockQuote(None),
            TagEnd::Paragraph | TagEnd::HtmlBlock => TagEnd::Paragraph,
            TagEnd::CodeBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough => end,
            TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => return,
        };
        self.push(Event::End(shown));
    }

    /// Opens a link, if it leads somewhere and stands in no other one.
    fn open(&mut self, to: Option<String>) {
        let to = to.filter(|_| !self.anchors.contains(&true));
        self.anchors.push(to.is_some());
        if let Some(to) = to {
            self.size += to.len();
            let to = escaped(&to);
            let element = format!("<a href=\"{to}\" rel=\"noopener nofollow\">");
            self.push(Event::InlineHtml(element.into()));
        }
    }

    fn close(&mut self) {
        if self.anchors.pop() == Some(true) {
            self.push(Event::InlineHtml("</a>".into()));
        }
    }
}

/// Where a link may lead: whole addresses of the web, and mail addresses.
fn address(kind: LinkType, written: &str) -> Option<String> {
    let whole = match kind {
        LinkType::Email => format!("mailto:{written}"),
        _ => written.to_owned(),
    };
    let url = Url::parse(&whole).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto").then(|| url.to_string())
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&#38;"),
            '<' => out.push_str("&#60;"),
            '>' => out.push_str("&#62;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html_of(text: &str) -> String {
        rendered(text).unwrap()
    }

    #[test]
    fn what_markdown_has_is_shown() {
        let html = html_of(
            "# Head\n\nA *b* **c** `d` ~~e~~\n\n- f\n\n```js\ng < h\n```\n\n|i|j|\n|--:|-|\n|k|l|\n",
        );
        for part in [
            "<h3>Head</h3>",
            "<em>b</em>",
            "<strong>c</strong>",
            "<code>d</code>",
            "<del>e</del>",
            "<li>f</li>",
            "<pre><code>g &lt; h\n</code></pre>",
            "<th>i</th>",
            "<td>k</td>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("style") && !html.contains("class"), "{html}");
    }

    #[test]
    fn html_is_shown_as_text() {
        let hostile = [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div onclick=\"alert(1)\">\n\n*x*\n\n</div>",
            "<!-- <script> -->",
            "<svg/onload=alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "`<b>`",
            "&lt;script&gt;",
            "[<iframe src=//evil>](https://a.example)",
            "![<iframe>](https://a.example/<script>)",
        ];
        let known = ["p", "a ", "em", "code", "/p", "/a", "/em", "/code"];
        for text in hostile {
            let html = html_of(text);
            for element in html.split('<').skip(1) {
                let is_ours = known.iter().any(|name| {
                    let rest = element.strip_prefix(name);
                    rest.is_some_and(|rest| name.ends_with(' ') || rest.starts_with('>'))
                });
                assert!(is_ours, "{text}: {html}");
            }
            let tags = html.split('<').filter_map(|part| part.split('>').next());
            assert!(
                tags.skip(1).all(|tag| !tag.contains(" on")),
                "{text}: {html}"
            );
        }
    }

    #[test]
    fn links_lead_to_the_web_or_to_a_mail_address() {
        for (text, href) in [
            (
                "[x](https://a.example/b?c=1&d=\"e\")",
                "https://a.example/b?c=1&#38;d=%22e%22",
            ),
            ("<http://a.example/>", "http://a.example/"),
            ("[x](HTTPS://A.EXAMPLE)", "https://a.example/"),
            ("<ann@a.example>", "mailto:ann@a.example"),
            (
                "[x][1]\n\n[1]: mailto:ann@a.example",
                "mailto:ann@a.example",
            ),
        ] {
            let html = html_of(text);
            let wanted = format!("<a href=\"{href}\" rel=\"noopener nofollow\">");
            assert!(html.contains(&wanted), "{text}: {html}");
            assert_eq!(html.matches("<a ").count(), html.matches("</a>").count());
        }
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#10;script:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example/x",
            "/v1/tokens",
            "#top",
            "blob:https://a.example/1",
        ] {
            for text in [
                format!("[x]({address})"),
                format!("[x][1]\n\n[1]: {address}"),
                format!("![x]({address})"),
            ] {
                let html = html_of(&text);
                assert!(
                    !html.contains("<a ") && !html.contains("</a>"),
                    "{text}: {html}"
                );
            }
        }
    }

    #[test]
    fn pictures_are_links_and_links_stand_in_no_others() {
        let html = html_of("![A *cat*](https://a.example/c.png)");
        assert!(
            html.contains(">Picture: A <em>cat</em></a>") && !html.contains("<img"),
            "{html}"
        );
        assert!(html_of("![](/c.png)").contains("Picture: without a description"));
        let html = html_of("[![badge](https://a.example/b.svg)](https://a.example)");
        assert_eq!(
            (html.matches("<a ").count(), html.matches("</a>").count()),
            (1, 1)
        );
    }

    #[test]
    fn what_is_too_deep_or_grows_too_large_is_left_as_text() {
        assert_eq!(rendered(&"> ".repeat(DEEPEST + 1)), None);
        assert!(rendered(&format!("{}x", "> ".repeat(DEEPEST - 2))).is_some());
        let address = format!("https://a.example/{}", "a".repeat(20_000));
        let many = format!("{}\n\n[1]: {address}\n", "[1] ".repeat(1_000));
        let made = rendered(&many);
        assert!(made.is_none_or(|html| html.len() < 4 * LARGEST));
        assert_eq!(rendered(""), None);
        assert_eq!(rendered("[1]: https://a.example"), None);
    }

    #[test]
    fn names_and_types_of_markdown() {
        for (name, content_type) in [
            ("README.md", None),
            ("a.Markdown", Some("text/plain")),
            ("a", Some("text/markdown; charset=utf-8")),
        ] {
            assert!(is_markdown(name, content_type), "{name}");
        }
        assert!(!is_markdown("md", None) && !is_markdown("a.txt", Some("text/plain")));
    }
}
