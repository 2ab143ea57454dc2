//! Lists of files as they really come, in every way that they can come: a request, a manifest, a form.

use crate::it::projects::{Setting, path, strings};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

const CATS: [&str; 2] = ["/cats/1.png", "/cats/2.png"];

impl Setting {
    /// The project of a manifest with these bytes.
    async fn of_manifest(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Value {
        self.storage.put(name, bytes).await;
        let made = self.create(json!({"manifest_file_key": name})).await;
        made.expect(201)
    }

    /// The files of a project.
    async fn files(&self, project: &Value) -> Value {
        let files = self.get(&format!("{}/files", path(project))).await;
        files.expect(200)["files"].clone()
    }

    /// The files of the project that a body makes.
    async fn files_of(&self, body: Value) -> Value {
        let project = self.create(body).await.expect(201);
        self.files(&project).await
    }
}

#[tokio::test]
async fn every_way_in_reads_addresses_of_this_storage() {
    let setting = Setting::new().await;
    let bucket = &setting.storage.bucket;
    let uris: Vec<String> = CATS
        .iter()
        .map(|key| format!("s3://{bucket}/team{key}"))
        .collect();
    let listed: Vec<Value> = uris.iter().map(|uri| json!({"file_key": uri})).collect();
    let body = setting.files_of(json!({"files": listed})).await;
    assert_eq!(strings(&body, "file_key"), CATS);
    for (name, text) in [
        ("/m/a.txt", uris.join("\n")),
        ("/m/a.json", json!({"files": listed}).to_string()),
        (
            "/m/a.csv",
            format!("id,S3 URI\n1,{}\n2,{}\n", uris[0], uris[1]),
        ),
    ] {
        let project = setting.of_manifest(name, text).await;
        assert_eq!(setting.keys(&project).await, CATS, "{name}");
    }
    // Another bucket's, and one outside of the prefix: nothing is made, and the place is named.
    for (uri, code) in [
        (
            "s3://somebody-else/team/cats/1.png".to_owned(),
            "other_bucket",
        ),
        (
            format!("s3://{bucket}/team-b/cats/9.png"),
            "outside_of_storage",
        ),
        ("https://example.com/cats/1.png".to_owned(), "not_in_s3"),
    ] {
        let files = json!({"files": [{"file_key": "/cats/1.png"}, {"file_key": uri}]});
        let refused = setting.create(files).await;
        let problem = refused.expect(422);
        assert_eq!(problem["errors"][0]["code"], code, "{problem:#}");
        assert_eq!(problem["errors"][0]["field"], "files[1].file_key");
        setting
            .storage
            .put("/m/bad.txt", format!("/cats/1.png\n{uri}\n"))
            .await;
        let refused = setting
            .create(json!({"manifest_file_key": "/m/bad.txt"}))
            .await;
        let problem = refused.expect(422);
        assert_eq!(problem["errors"][0]["code"], code, "{problem:#}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Line 2: "), "{detail}");
    }
    assert_eq!(setting.project_count().await, 4);
}

#[tokio::test]
async fn every_line_of_a_manifest_becomes_a_file_with_all_that_it_says() {
    let setting = Setting::new().await;
    let table = "label;File Key;name\ncat;cats/1.png;The cat\nkitten;cats/2.png;\n";
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(table.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(table.as_bytes()).unwrap();
    for (name, bytes) in [
        ("/m/lf.csv", table.as_bytes().to_vec()),
        ("/m/crlf.csv", table.replace('\n', "\r\n").into_bytes()),
        ("/m/cr.csv", table.replace('\n', "\r").into_bytes()),
        ("/m/tabs.tsv", table.replace(';', "\t").into_bytes()),
        ("/m/text.txt", table.as_bytes().to_vec()),
        ("/m/wide.csv", wide),
        ("/m/packed.csv.gz", gzip.finish().unwrap()),
    ] {
        let project = setting.of_manifest(name, bytes).await;
        assert_eq!(project["file_count"], 2, "{name}");
        let files = setting.files(&project).await;
        assert_eq!(strings(&files, "file_key"), CATS, "{name}");
        assert_eq!(strings(&files, "name"), ["The cat", "2.png"], "{name}");
        assert_eq!(files[0]["metadata"], json!({"label": "cat"}), "{name}");
        assert_eq!(files[1]["metadata"], json!({"label": "kitten"}), "{name}");
    }
    // Where the list says nothing beside, nothing is made up.
    let plain = setting
        .files_of(json!({"files": [{"file_key": CATS[0]}]}))
        .await;
    assert!(plain[0].get("metadata").is_none());
}

#[tokio::test]
async fn lists_of_other_products_are_read_or_refused_by_their_name() {
    let setting = Setting::new().await;
    let bucket = &setting.storage.bucket;
    for (name, text) in [
        (
            "/m/output.manifest",
            format!("{{\"source-ref\":\"s3://{bucket}/team/cats/1.png\"}}\n{{\"source-ref\":\"s3://{bucket}/team/cats/2.png\"}}\n"),
        ),
        (
            "/cats/manifest.jsonl",
            "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n{\"name\":\"1\",\"extension\":\".png\"}\n{\"name\":\"2\",\"extension\":\".png\"}\n".to_owned(),
        ),
        (
            "/m/tasks.json",
            json!([{"data": {"image": format!("s3://{bucket}/team/cats/1.png")}}, {"data": {"image": format!("s3://{bucket}/team/cats/2.png")}}]).to_string(),
        ),
    ] {
        let project = setting.of_manifest(name, text).await;
        assert_eq!(setting.keys(&project).await, CATS, "{name}");
    }

    // S3 Inventory: the manifest names a data file in this bucket.
    let rows = format!("\"{bucket}\",\"team/cats/1.png\"\n\"{bucket}\",\"team/cats/2.png\"\n");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(rows.as_bytes()).unwrap();
    setting
        .storage
        .put("/inventory/data/1.csv.gz", gzip.finish().unwrap())
        .await;
    let report = |destination: &str| {
        json!({
            "sourceBucket": bucket, "destinationBucket": format!("arn:aws:s3:::{destination}"),
            "version": "2016-11-30", "fileFormat": "CSV", "fileSchema": "Bucket, Key",
            "files": [{"key": "team/inventory/data/1.csv.gz", "size": 1, "MD5checksum": "x"}]
        })
        .to_string()
    };
    let project = setting
        .of_manifest("/inventory/manifest.json", report(bucket))
        .await;
    assert_eq!(setting.keys(&project).await, CATS);

    for (name, bytes, word) in [
        (
            "/m/elsewhere.json",
            report("other").into_bytes(),
            "S3 Inventory",
        ),
        ("/m/archive.csv", b"PK\x03\x04\0\0a.csv".to_vec(), "zip"),
        (
            "/m/book.csv",
            b"PK\x03\x04\0\0xl/workbook.xml".to_vec(),
            "Excel",
        ),
        ("/m/latin.csv", b"a.png\ncaf\xe9.png\n".to_vec(), "Line 2"),
        (
            "/m/open.csv",
            b"cats/1.png,\"x\ncats/2.png,y\n".to_vec(),
            "Line 1",
        ),
    ] {
        setting.storage.put(name, bytes).await;
        let refused = setting.create(json!({"manifest_file_key": name})).await;
        let problem = refused.expect(422);
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(word), "{name}: {detail}");
        assert_eq!(problem["errors"][0]["field"], "manifest_file_key");
    }
    assert_eq!(setting.project_count().await, 4);
}

#[tokio::test]
async fn the_limits_of_a_manifest_are_those_of_the_documentation() {
    let setting = Setting::new().await;
    let packed = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let columns: String = (0..10_000).map(|at| format!(",c{at}")).collect();
    let within = vec![b' '; (32 << 20) - "cats/1.png\n".len()];
    let row = format!("cats/1.png{}1\n", ",".repeat(10_000));
    for (name, bytes) in [
        (
            "/m/largest.txt",
            packed(&[b"cats/1.png\n", &*within].concat()),
        ),
        (
            "/m/columns.csv",
            format!("file_key{columns}\n{row}").into_bytes(),
        ),
    ] {
        let project = setting.of_manifest(name, bytes).await;
        assert_eq!(setting.keys(&project).await, CATS[..1], "{name}");
    }
    for (name, bytes, code) in [
        (
            "/m/bomb.txt.gz",
            packed(&[b"cats/1.png\n", &*within, b"\n"].concat()),
            "manifest_too_large",
        ),
        (
            "/m/large.txt",
            vec![b'a'; (32 << 20) + 1],
            "manifest_too_large",
        ),
        (
            "/m/many.txt",
            b"a\n".repeat(1_000_001),
            "duplicate_file_key",
        ),
        (
            "/m/more.txt",
            (0..=1_000_000)
                .flat_map(|n| format!("{n}\n").into_bytes())
                .collect(),
            "too_many_files",
        ),
        ("/m/long.txt", vec![b'a'; 1 << 20], "file_key_too_long"),
        (
            "/m/metadata.csv",
            format!("file_key,note\ncats/1.png,{}\n", "n".repeat(16 << 10)).into_bytes(),
            "metadata_too_large",
        ),
    ] {
        setting.storage.put(name, bytes).await;
        let refused = setting.create(json!({"manifest_file_key": name})).await;
        let problem = refused.expect(422);
        let found = problem["errors"][0]["code"].as_str();
        assert_eq!(found.or(problem["code"].as_str()), Some(code), "{name}");
    }
    assert_eq!(setting.project_count().await, 2);
}
