//! Every page by axe-core, in light and dark and on a phone.

use crate::it::browser::catalogue::Furnished;
use crate::it::support::browser;
use crate::it::support::browser::Page;
use serde_json::{Value, json};

const AXE: &str = include_str!("../../assets/axe.min.js");

/// Which of axe-core's rules a look is examined by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    All,
    /// What differs between light and dark.
    Contrast,
    /// What differs between widths. Colours do not.
    AllButContrast,
}

/// A phone's width, and a desk's; heights do not matter.
const LOOKS: [(&str, u32, Rules); 3] = [
    ("light", 1200, Rules::All),
    ("dark", 1200, Rules::Contrast),
    ("light", 360, Rules::AllButContrast),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_serious_finding_or_scrolls_sideways() {
    let furnished = Furnished::new().await;
    browser::run("accessibility", async |browsers| {
        let page = browsers.open().await;
        // Pages about errors are pages too.
        page.expect_console("Failed to load resource");
        let (mut last, mut found) = (None, Vec::new());
        for entry in &furnished.entries {
            furnished.open(&page, entry, &mut last).await;
            for (scheme, width, rules) in LOOKS {
                page.appearance(scheme, width, 900).await;
                let what = format!("{} ({}), {scheme}, {width} px", entry.name, entry.path);
                found.extend(
                    findings_by(&page, rules)
                        .await
                        .into_iter()
                        .map(|f| format!("{what}: {f}")),
                );
                if let Some(wide) = overflow(&page).await {
                    found.push(format!("{what}: wider than the window: {wide}"));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}

/// What axe-core finds of impact serious or critical, on the page as it is.
pub async fn findings(page: &Page) -> Vec<String> {
    findings_by(page, Rules::All).await
}

async fn findings_by(page: &Page, rules: Rules) -> Vec<String> {
    if page.eval("typeof axe").await == "undefined" {
        page.script(AXE, json!([])).await.unwrap();
    }
    let some = match rules {
        Rules::All => json!({}),
        Rules::Contrast => json!({"runOnly": ["color-contrast"]}),
        Rules::AllButContrast => json!({"rules": {"color-contrast": {"enabled": false}}}),
    };
    let run = "const options = arguments[0]; options.resultTypes = ['violations'];
        const {violations} = await axe.run(document, options);
        return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) =>
            `${v.id}: ${v.help}: ${v.nodes.length} times, like ${v.nodes.slice(0, 2).map((n) => `${n.html} ${n.failureSummary}`).join('; ')}`);";
    let found = page.eval_async(run, json!([some])).await;
    let texts = found.as_array().unwrap().iter();
    texts.map(|f| f.as_str().unwrap().to_owned()).collect()
}

/// What makes the page scroll sideways, if anything does.
async fn overflow(page: &Page) -> Option<String> {
    let script = "
        if (document.documentElement.scrollWidth <= innerWidth) return null;
        const wide = [...document.querySelectorAll('body *')].filter((e) => {
            if (e.getBoundingClientRect().right <= innerWidth + 1) return false;
            for (let p = e.parentElement; p; p = p.parentElement) {
                if (getComputedStyle(p).overflowX !== 'visible') return false;
            }
            return true;
        });
        return `${document.documentElement.scrollWidth} px: ` + wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 160)).join(' | ');";
    match page.script(script, json!([])).await.unwrap() {
        Value::String(wide) => Some(wide),
        _ => None,
    }
}
