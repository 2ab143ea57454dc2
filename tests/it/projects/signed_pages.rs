//! A project's files with signed URLs, page by page.

use crate::it::projects::{FILES, Setting, path, strings, wanted};
use crate::it::support::app::Answer;
use crate::it::support::client::encoded;
use serde_json::json;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[tokio::test]
async fn every_page_has_urls_that_work() {
    let setting = Setting::new().await;
    let keys: Vec<&str> = FILES.iter().map(|(key, _)| *key).collect();
    let contents: BTreeMap<&str, &str> = FILES.iter().copied().collect();
    let project = setting.create(wanted(&keys)).await.expect(201);
    let list = format!(
        "{}/files?sign=GET&expires_in=60&page_size=3",
        path(&project)
    );
    let (mut seen, mut pages) = (Vec::new(), 0);
    let mut next = list.clone();
    loop {
        let page = setting.get(&next).await.expect(200);
        pages += 1;
        let end = page["expires_at"].as_str().unwrap();
        let end = OffsetDateTime::parse(end, &Rfc3339).unwrap();
        let left = end - OffsetDateTime::now_utc();
        assert!(left.is_positive() && left.whole_seconds() <= 60, "{left}");
        let names = strings(&page["files"], "file_key");
        for (key, url) in names.iter().zip(strings(&page["files"], "url")) {
            assert!(url.contains("X-Amz-Expires=60&"), "{url}");
            let answer = Answer::of(setting.app.client.get(url)).await;
            let read = (answer.status.as_u16(), answer.text.as_str());
            assert_eq!(read, (200, contents[key.as_str()]), "{key}");
        }
        seen.extend(names);
        match page["next_page_token"].as_str() {
            Some(token) => next = format!("{list}&page_token={}", encoded(token)),
            None => break,
        }
    }
    assert_eq!(
        (seen, pages),
        (keys.iter().map(|key| (*key).to_owned()).collect(), 3)
    );

    // A page without URLs goes on with the same token, and is the same but for them.
    let first = setting.get(&list).await.expect(200);
    let plain = format!("{}/files?page_size=3", path(&project));
    let mut signed = first["files"].clone();
    for file in signed.as_array_mut().unwrap() {
        file.as_object_mut().unwrap().remove("url").unwrap();
    }
    let listed = setting.get(&plain).await.expect(200);
    assert_eq!(listed["files"], signed);
    assert!(listed.get("expires_at").is_none());
    let token = encoded(first["next_page_token"].as_str().unwrap());
    let second = setting.get(&format!("{plain}&page_token={token}")).await;
    assert_eq!(
        strings(&second.expect(200)["files"], "file_key"),
        keys[3..6]
    );

    let whole = format!("{}/files?sign=GET&page_size=10000", path(&project));
    let whole = setting.get(&whole).await.expect(200);
    assert_eq!(whole["files"].as_array().unwrap().len(), FILES.len());
    for (query, field) in [
        ("sign=PUT", "sign"),
        ("sign=get", "sign"),
        ("expires_in=60", "expires_in"),
        ("sign=GET&expires_in=0", "expires_in"),
        ("sign=GET&expires_in=604801", "expires_in"),
        ("sign=GET&page_size=10001", "page_size"),
        ("sign=GET&method=GET", "method"),
    ] {
        let path = format!("{}/files?{query}", path(&project));
        setting.get(&path).await.refused_field(field);
    }
}

#[tokio::test]
async fn nobody_else_gets_urls() {
    let setting = Setting::new().await;
    let body = json!({"folder": "/cats/"});
    let project = setting.create(body).await.expect(201);
    let other = setting.app.workspace().await;
    let list = format!("{}/files?sign=GET", path(&project));
    for token in [&other.admin, &other.member] {
        let refused = setting.app.get(&list, token).await;
        refused.problem(404, "not_found");
    }
    // A token of another project's list leads nowhere.
    let another = setting.create(wanted(&["/top.json"])).await.expect(201);
    let first = setting
        .get(&format!("{list}&page_size=1"))
        .await
        .expect(200);
    let token = encoded(first["next_page_token"].as_str().unwrap());
    let stolen = format!("{}/files?sign=GET&page_token={token}", path(&another));
    setting.get(&stolen).await.refused_field("page_token");
}
