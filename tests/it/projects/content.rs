//! A project's file is read through the project.

use crate::it::projects::{Setting, path, wanted};
use crate::it::support::client::{Content, encoded};
use reqwest::Method;
use serde_json::{Value, json};

impl Setting {
    async fn read(
        &self,
        method: Method,
        project: &Value,
        key: &str,
        headers: &[(&str, &str)],
    ) -> Content {
        let address = format!("{}/files/content?key={}", path(project), encoded(key));
        self.content(method, &address, headers).await
    }

    async fn content(&self, method: Method, address: &str, headers: &[(&str, &str)]) -> Content {
        let mut request = self.app.request(method, address, &self.workspace.member);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Content::of(request).await
    }
}

fn code(content: &Content) -> Value {
    let body: Value = serde_json::from_slice(&content.bytes).unwrap();
    body["code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_through_its_project_as_through_the_storage() {
    let setting = Setting::new().await;
    let project = wanted(&["/cats/1.png", "/cats/small/x y+%20é.png"]);
    let project = setting.create(project).await.expect(201);
    let whole = setting.read(Method::GET, &project, "/cats/1.png", &[]);
    let whole = whole.await;
    whole.expect(200, b"one");
    // With the headers that the storage's own address gives.
    let of_storage = setting.storage.path("/files/content?key=/cats/1.png");
    let of_storage = setting.content(Method::GET, &of_storage, &[]).await;
    for name in [
        "etag",
        "last-modified",
        "content-type",
        "content-disposition",
        "content-length",
        "accept-ranges",
        "cache-control",
        "content-security-policy",
    ] {
        assert!(whole.header(name).is_some(), "{name}");
        assert_eq!(whole.header(name), of_storage.header(name), "{name}");
    }
    let odd = "/cats/small/x y+%20é.png";
    let odd = setting.read(Method::GET, &project, odd, &[]).await;
    odd.expect(200, b"odd");
    let range = [("range", "bytes=1-2")];
    let part = setting.read(Method::GET, &project, "/cats/1.png", &range);
    let part = part.await;
    part.expect(206, b"ne");
    assert_eq!(part.header("content-range"), Some("bytes 1-2/3"));
    let etag = whole.header("etag").unwrap();
    for method in [Method::GET, Method::HEAD] {
        let known = [("if-none-match", etag)];
        let same = setting.read(method.clone(), &project, "/cats/1.png", &known);
        assert_eq!(same.await.status, 304, "{method}");
    }
    let head = setting.read(Method::HEAD, &project, "/cats/1.png", &[]);
    let head = head.await;
    head.expect(200, b"");
    assert_eq!(head.header("etag"), Some(etag));
    assert_eq!(head.header("content-length"), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_of_the_project_are_read_through_it() {
    let setting = Setting::new().await;
    let project = setting.create(wanted(&["/cats/1.png", "/dogs/1.png"]));
    let project = project.await.expect(201);
    // The storage has the first of these.
    for key in ["/cats/2.png", "/none", "/cats/1.png/"] {
        let refused = setting.read(Method::GET, &project, key, &[]).await;
        assert_eq!(refused.status, 404, "{key}");
        assert_eq!(code(&refused), "not_in_project", "{key}");
        let head = setting.read(Method::HEAD, &project, key, &[]).await;
        assert_eq!(head.status, 404, "{key}");
    }
    let ill_formed = setting.read(Method::GET, &project, "/../x", &[]).await;
    assert_eq!(ill_formed.status, 422);
    assert_eq!(code(&ill_formed), "invalid_request");
    // A file that the storage has no more is not another file's matter.
    let gone = setting.storage.path("/files?key=/dogs/1.png");
    let gone = setting.app.delete(&gone, &setting.workspace.admin).await;
    assert!(gone.status.is_success(), "{gone:?}");
    let lost = setting.read(Method::GET, &project, "/dogs/1.png", &[]);
    assert_eq!(code(&lost.await), "file_not_found");
    // Another workspace learns of neither project nor file.
    let stranger = setting.app.workspace().await.member;
    let address = format!("{}/files/content?key=/cats/1.png", path(&project));
    let answer = setting.app.get(&address, &stranger).await;
    answer.problem(404, "not_found");
    let none = json!({"id": "prj_00000000000000000000000000000000"});
    let absent = setting.read(Method::GET, &none, "/cats/1.png", &[]);
    assert_eq!(code(&absent.await), "not_found");
}
