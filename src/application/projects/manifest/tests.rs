//! Lists as they really come.

use super::*;
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;

fn storage() -> ListedStorage {
    ListedStorage {
        bucket: BucketName::parse("acme-data").unwrap(),
        prefix: BucketPrefix::parse("team").unwrap(),
    }
}

/// Reads a manifest of this name; an empty name stands for pasted text.
fn read_named(name: &str, bytes: &[u8]) -> Result<Vec<WantedFile>, Vec<Fault>> {
    let key = FileKey::parse(name).ok();
    let from = key
        .as_ref()
        .map_or(ListSource::Pasted, ListSource::Manifest);
    match read(bytes, from, &storage())? {
        FileListing::Files(files) => Ok(files),
        FileListing::Inventory(report) => panic!("{report:?}"),
    }
}

fn keys(name: &str, text: &str) -> Vec<String> {
    let files =
        read_named(name, text.as_bytes()).unwrap_or_else(|e| panic!("{name} {text}: {e:#?}"));
    files.iter().map(|file| file.file_key.to_string()).collect()
}

/// Each file as key, name and metadata in one text.
fn whole(name: &str, text: &str) -> Vec<String> {
    let files =
        read_named(name, text.as_bytes()).unwrap_or_else(|e| panic!("{name} {text}: {e:#?}"));
    files
        .iter()
        .map(|file| {
            let metadata: Vec<String> = file
                .metadata
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{} {} {}", file.file_key, file.name(), metadata.join("&"))
        })
        .collect()
}

fn faults(name: &str, text: &str) -> Vec<(&'static str, String)> {
    let faults = read_named(name, text.as_bytes()).unwrap_err();
    faults
        .iter()
        .map(|fault| (fault.invalid.code, fault.detail()))
        .collect()
}

#[test]
fn every_format() {
    let wanted = ["/a.png", "/b c.png"];
    for (name, text) in [
        ("m.txt", "/a.png\nb c.png"),
        (
            "m",
            "\u{feff}# the pictures\r\n\r\n/a.png\r\n   \r\nb c.png\r\n",
        ),
        ("m.json", r#"["/a.png", "b c.png"]"#),
        (
            "x.y/m.JSON",
            r#"[{"file_key": "a.png"}, {"file_key": "b c.png", "name": null}]"#,
        ),
        ("m.json", r#"{"files": [{"file_key": "a.png"}, "b c.png"]}"#),
        (
            "m.jsonl",
            "\"a.png\"\n\n{\"file_key\": \"/b c.png\", \"name\": \"B\"}\n",
        ),
        ("m.ndjson", "\"a.png\"\n\"/b c.png\""),
        ("m.jsonl", "[\"a.png\",\n\"b c.png\"]"),
        (
            "m.json",
            "{\"file_key\":\"a.png\"}\n{\"file_key\":\"b c.png\"}",
        ),
        (
            "m.csv",
            "file_key,label\n/a.png,cat\n\"b c.png\",\"d,og\"\n",
        ),
        ("m.csv", "a.png\n\"b c.png\""),
        ("m.tsv", "File Key\tlabel\na.png\tcat\nb c.png\tdog"),
        ("m.txt", "file_key;label\r\na.png;cat\r\nb c.png;dog\r\n"),
        ("m.txt", r#"["a.png", "b c.png"]"#),
        ("", "file_key,name\na.png,The cat\nb c.png,\n"),
        ("", "a.png\r\nb c.png"),
        ("", "s3://acme-data/team/a.png\ns3://acme-data/team/b c.png"),
    ] {
        assert_eq!(keys(name, text), wanted, "{name:?} {text:?}");
    }
    for name in ["m.txt", "m.jsonl", "m.csv"] {
        assert!(keys(name, "").is_empty());
    }
    assert!(keys("m.json", "[]").is_empty());
}

#[test]
fn every_kind_of_line_end_gives_every_line() {
    for end in ["\n", "\r\n", "\r"] {
        for (name, lines) in [
            ("m.csv", ["a.png,cat", "b.png,dog", "c.png,\"x, y\""]),
            ("m.txt", ["a.png", "b.png", "c.png"]),
            ("", ["a.png", "b.png", "c.png"]),
        ] {
            for last in ["", end] {
                let text = format!("{}{last}", lines.join(end));
                assert_eq!(
                    keys(name, &text),
                    ["/a.png", "/b.png", "/c.png"],
                    "{text:?}"
                );
            }
        }
    }
}

#[test]
fn names_and_further_columns_are_kept_whatever_the_way_in() {
    let wanted = ["/a.png The cat split=train", "/b.png b.png split=test"];
    for (name, text) in [
        (
            "m.csv",
            "file_key,name,split\na.png,The cat,train\nb.png,,test\n",
        ),
        (
            "",
            "file_key,name,split\na.png,The cat,train\nb.png,,test\n",
        ),
        (
            "m.tsv",
            "split\tNAME\tKey\ntrain\tThe cat\ta.png\ntest\t\tb.png\n",
        ),
        (
            "m.json",
            r#"[{"file_key":"a.png","name":"The cat","split":"train"},{"split":"test","file_key":"b.png"}]"#,
        ),
        (
            "m.jsonl",
            "{\"file_key\":\"a.png\",\"name\":\"The cat\",\"split\":\"train\"}\n{\"split\":\"test\",\"file_key\":\"b.png\"}",
        ),
    ] {
        assert_eq!(whole(name, text), wanted, "{name:?}");
    }
    // Without a heading the columns have numbers.
    assert_eq!(
        whole("m.csv", "a.png,cat,\nb.png,,7"),
        ["/a.png a.png column_2=cat", "/b.png b.png column_3=7"]
    );
    assert_eq!(
        whole(
            "m.json",
            r#"[{"file_key":"a","n":1,"t":true,"z":null,"o":{"x":[1]}}]"#
        ),
        [r#"/a a n=1&t=true&o={"x":[1]}"#]
    );
    // A quote over lines, and a separator in a value.
    assert_eq!(
        whole(
            "m.csv",
            "file_key,note\n\"a \"\"b\"\", c\",\"two\nlines\"\n"
        ),
        ["/a \"b\", c a \"b\", c note=two\nlines"]
    );
}

#[test]
fn text_that_is_no_table_is_taken_as_it_is() {
    assert_eq!(
        keys("", "/a b+%20.txt\nc,d.txt\n//e\n\"f\"\n#g\n trailing "),
        [
            "/a b+%20.txt",
            "/c,d.txt",
            "//e",
            "/\"f\"",
            "/#g",
            "/ trailing "
        ]
    );
    assert_eq!(keys("m.txt", "/#1.png\n# a note\n \t\n"), ["/#1.png"]);
    assert_eq!(
        keys("m.txt", "image\nfile,1.png"),
        ["/image", "/file,1.png"]
    );
    assert_eq!(keys("m.txt", "[1].png\n{x}.png"), ["/[1].png", "/{x}.png"]);
    assert_eq!(keys("m.txt", "{x}.png\n[1].png"), ["/{x}.png", "/[1].png"]);
}

#[test]
fn lists_of_other_products_are_read() {
    assert_eq!(
        whole(
            "out.manifest",
            "{\"source-ref\":\"s3://acme-data/team/a.jpg\",\"label\":1,\"label-metadata\":{\"class-name\":\"cat\"}}\n{\"source-ref\":\"s3://acme-data/team/b.jpg\"}\n"
        ),
        [
            r#"/a.jpg a.jpg label=1&label-metadata={"class-name":"cat"}"#,
            "/b.jpg b.jpg "
        ]
    );
    assert_eq!(
        whole(
            "set/manifest.jsonl",
            "{\"version\":\"1.1\"}\n{\"type\":\"images\"}\n{\"name\":\"x/1\",\"extension\":\".png\",\"width\":4,\"meta\":{\"related_images\":[]}}\n"
        ),
        [r#"/set/x/1.png 1.png width=4&meta={"related_images":[]}"#]
    );
    assert_eq!(
        whole(
            "tasks.json",
            r#"[{"id":7,"data":{"image":"s3://acme-data/team/a.png","text":"a cat"}},{"data":{"image":"s3://acme-data/team/b.png"}}]"#
        ),
        [
            "/a.png a.png field=image&text=a cat&id=7",
            "/b.png b.png field=image"
        ]
    );
    assert_eq!(
        keys("t.json", r#"[{"image":"s3://acme-data/team/a.png"}]"#),
        ["/a.png"]
    );
    // A data file of S3 Inventory.
    assert_eq!(
        keys(
            "d.csv",
            "\"acme-data\",\"team/a+b%2B.png\",\"3\"\n\"acme-data\",\"team/c.png\",\"4\"\n"
        ),
        ["/a b+.png", "/c.png"]
    );
}

#[test]
fn a_report_of_s3_inventory_names_its_data_files() {
    let report = |format: &str| {
        serde_json::json!({
            "sourceBucket": "acme-data", "destinationBucket": "arn:aws:s3:::acme-lists",
            "version": "2016-11-30", "creationTimestamp": "1514944800000", "fileFormat": format,
            "fileSchema": "Bucket, Key, IsLatest, IsDeleteMarker, Size",
            "files": [{"key": "inv/data/1.csv.gz", "size": 5, "MD5checksum": "x"}]
        })
        .to_string()
    };
    let key = FileKey::parse("inv/manifest.json").unwrap();
    let listing = read(
        report("CSV").as_bytes(),
        ListSource::Manifest(&key),
        &storage(),
    )
    .unwrap();
    let FileListing::Inventory(report_read) = listing else {
        panic!("{listing:?}")
    };
    assert_eq!(report_read.destination_bucket, "acme-lists");
    assert_eq!(report_read.data_files, ["inv/data/1.csv.gz"]);
    let rows = "\"acme-data\",\"team/a+b.png\",\"true\",\"false\",\"1\"\n\
        \"acme-data\",\"team/old.png\",\"false\",\"false\",\"1\"\n\
        \"acme-data\",\"team/gone.png\",\"true\",\"true\",\"\"\n";
    let storage = storage();
    let mut inventory = InventoryFiles::new(&report_read, &storage);
    assert!(inventory.read(rows.as_bytes()));
    let files = inventory.finish().unwrap();
    let names: Vec<String> = files.iter().map(|file| file.file_key.to_string()).collect();
    assert_eq!(names, ["/a b.png"]);
    let refused = read(
        report("Parquet").as_bytes(),
        ListSource::Manifest(&key),
        &storage,
    );
    assert!(refused.unwrap_err()[0].detail().contains("Parquet"));
}

#[test]
fn what_is_recognised_and_not_read_is_refused_by_its_name() {
    for (name, text, word) in [
        (
            "m.json",
            r#"{"images":[{"file_name":"a.png"}],"annotations":[]}"#,
            "COCO",
        ),
        (
            "m.jsonl",
            "{\"version\":\"1.1\"}\n{\"type\":\"video\"}\n{\"properties\":{}}",
            "CVAT",
        ),
        (
            "m.manifest",
            "{\"source\":\"some text\",\"label\":1}",
            "Ground Truth",
        ),
        ("m.json", r#"[{"data":{"text":"a cat"}}]"#, "Label Studio"),
        (
            "m.txt",
            "2026-01-31 12:00:00       1234 a.png\n2026-01-31 12:00:01         12 b.png\n",
            "aws s3 ls",
        ),
        (
            "",
            "                           PRE team/\n2026-01-31 12:00:00       1234 a.png\n",
            "aws s3 ls",
        ),
        (
            "",
            "total 8\n-rw-r--r-- 1 ann staff 3 Jan 31 12:00 a.png\n",
            "ls -l",
        ),
        (
            "m.csv",
            "<!DOCTYPE html>\n<html><body><a href=\"a.png\">a.png</a></body></html>\n",
            "an HTML page",
        ),
        (
            "",
            "\n <HTML><a href=\"a.png\">a.png</a></HTML>",
            "an HTML page",
        ),
        (
            "m.xml",
            "<?xml version=\"1.0\"?>\n<ListBucketResult><Contents><Key>a.png</Key></Contents></ListBucketResult>",
            "S3's own listing",
        ),
        ("", "<?xml version=\"1.0\"?><files/>", "XML"),
    ] {
        let found = faults(name, text);
        assert_eq!(found[0].0, "unsupported_manifest", "{text}: {found:?}");
        assert!(found[0].1.contains(word), "{text}: {found:?}");
    }
}

#[test]
fn tables_as_spreadsheets_and_scripts_leave_them() {
    for (name, text, wanted) in [
        // Excel's first line, which keeps its number.
        (
            "m.csv",
            "sep=;\r\nfile_key;label\r\na.png;x,y\r\n",
            vec!["/a.png a.png label=x,y"],
        ),
        (
            "",
            "sep=|\nlabel|file_key\ncat|a.png\n",
            vec!["/a.png a.png label=cat"],
        ),
        ("m.csv", "sep=;\na.png;1\n", vec!["/a.png a.png column_2=1"]),
        // Rows of separators alone, empty lines at the end, no end of the last line.
        (
            "m.csv",
            "file_key,label\na.png,cat\n,\n , \n,,,\n\n\nb.png,",
            vec!["/a.png a.png label=cat", "/b.png b.png "],
        ),
        // Fewer cells than headings.
        (
            "m.csv",
            "file_key,label,split\na.png\n",
            vec!["/a.png a.png "],
        ),
        // A heading over two lines.
        (
            "m.csv",
            "\"Label\n(class)\",\"file\nkey\",z\ncat,a.png,1\n",
            vec!["/a.png a.png Label\n(class)=cat&z=1"],
        ),
        // Headings in other spellings.
        (
            "m.csv",
            "\"File-Key\", LABEL\na.png,cat\n",
            vec!["/a.png a.png LABEL=cat"],
        ),
        (
            "m.csv",
            "id,imagePath\n1,a.png\n",
            vec!["/a.png a.png id=1"],
        ),
        (
            "m.csv",
            "s3Uri\ns3://acme-data/team/a.png\n",
            vec!["/a.png a.png "],
        ),
        // Line ends of three kinds in one text; a line separator of Unicode ends no line.
        (
            "m.csv",
            "file_key,note\r\na.png,x\rb.png,y\u{2028}z\nc.png,",
            vec![
                "/a.png a.png note=x",
                "/b.png b.png note=y\u{2028}z",
                "/c.png c.png ",
            ],
        ),
        (
            "m.csv",
            "file_key\n007\n1e5\n",
            vec!["/007 007 ", "/1e5 1e5 "],
        ),
        // S3 Batch Operations; what follows the key is kept.
        (
            "m.csv",
            "acme-data,team/a+b.png,v1\n",
            vec!["/a b.png a b.png column_3=v1"],
        ),
        // Words without a heading, where the rows below have no keys either.
        (
            "m.csv",
            "a,cat\nb,dog\n",
            vec!["/a a column_2=cat", "/b b column_2=dog"],
        ),
    ] {
        assert_eq!(whole(name, text), wanted, "{name:?} {text:?}");
    }
}

#[test]
fn what_would_be_lost_or_guessed_is_refused() {
    for (name, text, code, word) in [
        (
            "m.csv",
            "img,label\na.png,cat\n",
            "unknown_heading",
            "`img`, `label`",
        ),
        (
            "m.csv",
            "\n\nimg;label\nx/a;cat\n",
            "unknown_heading",
            "Line 3: ",
        ),
        (
            "m.csv",
            "TRAINING,gs://acme/a.png,cat\n",
            "unknown_heading",
            "column 2",
        ),
        ("m.csv", "file_key\na,b.png\n", "too_many_cells", "Line 2: "),
        (
            "m.csv",
            "file_key,file_key\na,b\n",
            "duplicate_heading",
            "`file_key`",
        ),
        (
            "m.csv",
            "sep=;\nfile_key;label\n../a;x\n",
            "dot_segment",
            "Line 3, ",
        ),
        (
            "m.csv",
            "file_key,note\na,x\0y\n",
            "invalid_metadata",
            "Line 2, ",
        ),
        (
            "m.json",
            r#"[{"file_key":"a","note":"x\u0000"}]"#,
            "invalid_metadata",
            "Item 1: ",
        ),
        (
            "m.txt",
            "a.png\n\u{feff}b.png\n",
            "misplaced_byte_order_mark",
            "Line 2: ",
        ),
        (
            "m.txt",
            "s3://acme-data/team/a?versionId=1\n",
            "version_not_supported",
            "Line 1: ",
        ),
        (
            "m.json",
            r#"[{"file_key":true}]"#,
            "malformed_manifest",
            "a truth value",
        ),
        (
            "m.json",
            r#"{"a":["x"],"b":["y"]}"#,
            "malformed_manifest",
            "`a`, `b`",
        ),
        (
            "m.json",
            "{\n\"a\":[\"x\"],\n\"b\":[\"y\"]\n}",
            "unsupported_manifest",
            "`a`, `b`",
        ),
        (
            "m.json",
            r#"{"files":["x"],"files":["y"]}"#,
            "malformed_manifest",
            "`files`",
        ),
        (
            "m.jsonl",
            "\"a\"\n{\"file_key\":\n\"c\"\n",
            "malformed_manifest",
            "Line 2: ",
        ),
        (
            "c.json",
            "{\n\"@context\":{},\n\"name\":\"x\",\n\"distribution\":[]\n}",
            "unsupported_manifest",
            "Croissant",
        ),
        (
            "c.json",
            r#"{"@context":{},"url":"https://x.example","distribution":[]}"#,
            "unsupported_manifest",
            "Croissant",
        ),
        (
            "p.json",
            r#"{"name":"p","resources":[{"path":"a.csv"}]}"#,
            "unsupported_manifest",
            "Frictionless",
        ),
        (
            "l.json",
            r#"{"imagePath":"a.png","shapes":[]}"#,
            "unsupported_manifest",
            "LabelMe",
        ),
        (
            "l.json",
            r#"{"Contents":[{"Key":"team/a.png"}]}"#,
            "unsupported_manifest",
            "ListObjects",
        ),
        (
            "m.yaml",
            "---\nfiles:\n- a.png\n",
            "unsupported_manifest",
            "YAML",
        ),
        ("m.pdf", "%PDF-1.7\n", "unsupported_manifest", "PDF"),
        (
            "a.xml",
            "<annotation>\n<filename>a.png</filename></annotation>",
            "unsupported_manifest",
            "XML",
        ),
    ] {
        let found = faults(name, text);
        assert_eq!(found[0].0, code, "{text}: {found:?}");
        assert!(found[0].1.contains(word), "{text}: {found:?}");
    }
    // Every broken line of JSON lines, not the first alone.
    assert_eq!(faults("m.jsonl", "{\n\"b\"\n[\n5\n").len(), 3);
}

#[test]
fn errors_name_the_place_what_was_found_and_what_is_expected() {
    let found = faults("m.txt", "/a\n../b\n\n/c/./d\n/a");
    let starts = ["Line 2: ", "Line 4: ", "Line 5: "];
    assert_eq!(found.len(), 3);
    for ((_, detail), start) in found.iter().zip(starts) {
        assert!(detail.starts_with(start), "{detail}");
    }
    assert_eq!(found[2].0, "duplicate_file_key");
    assert!(found[2].1.contains("Line 1"), "{}", found[2].1);

    for (name, text, code, place) in [
        (
            "m.csv",
            "label,file_key\ncat,a\ndog,../b\n",
            "dot_segment",
            "Line 3, column 2: ",
        ),
        (
            "m.csv",
            "file_key,label\r\ra,\"x\ry\"\rb,c,d\r",
            "too_many_cells",
            "Line 5: ",
        ),
        ("m.csv", "a\n\"b\nc\nd\n", "malformed_csv", "Line 2: "),
        ("m.csv", "a,\"x\nb,y\nc,z\n", "malformed_csv", "Line 1: "),
        ("m.csv", "a\n\"b\"c\nd", "malformed_csv", "Line 2: "),
        ("m.csv", "a\n,b", "empty_file_key", "Line 2, column 1: "),
        (
            "m.csv",
            "file_key,x,x\na,1,2",
            "duplicate_heading",
            "The heading",
        ),
        (
            "m.csv",
            "file_key,name\na,\u{7}",
            "invalid_file_name",
            "Line 2, column 1: ",
        ),
        (
            "m.json",
            r#"["a", "", "c", "a"]"#,
            "empty_file_key",
            "Item 2: ",
        ),
        (
            "m.json",
            r#"["a", null]"#,
            "malformed_manifest",
            "Item 2: This is null.",
        ),
        (
            "m.json",
            r#"["a", ["b"]]"#,
            "malformed_manifest",
            "Item 2: This is an array.",
        ),
        (
            "m.json",
            r#"[{"name": "a"}]"#,
            "malformed_manifest",
            "Item 1: There is no `file_key`.",
        ),
        (
            "m.json",
            r#"[{"file_key": 5}]"#,
            "malformed_manifest",
            "Item 1: `file_key` is a number.",
        ),
        (
            "m.json",
            "[\n\"a\"",
            "malformed_manifest",
            "The list cannot be read as JSON",
        ),
        (
            "m.json",
            r#"[{"file_key": "a", "file_key": "b"}]"#,
            "malformed_manifest",
            "The list",
        ),
        (
            "m.json",
            "{}",
            "unsupported_manifest",
            "This is an object without `files`.",
        ),
        ("m.json", "5", "malformed_manifest", "The list"),
        ("m.json", "", "malformed_manifest", "The list"),
        (
            "m.json",
            r#"{"files":["a"],"more":1}"#,
            "malformed_manifest",
            "Beside `files` there is `more`",
        ),
        ("m.jsonl", "\"a\"\nb", "malformed_manifest", "Line 2: "),
        (
            "m.jsonl",
            "\"a\"\n{\"file_key\":\"b\",\"name\":\"\"}",
            "invalid_file_name",
            "Line 2: ",
        ),
        ("m.txt", "s3://other/a\nb", "other_bucket", "Line 1: "),
        (
            "",
            "s3://acme-data/team-b/a",
            "outside_of_storage",
            "Line 1: ",
        ),
        (
            "m.txt",
            "https://example.com/a.png",
            "not_in_s3",
            "Line 1: ",
        ),
        (
            "m.json",
            &"[".repeat(100_000),
            "malformed_manifest",
            "The list",
        ),
    ] {
        let found = faults(name, text);
        assert_eq!(found[0].0, code, "{text:.80}: {found:?}");
        assert!(found[0].1.starts_with(place), "{text:.80}: {found:?}");
    }
}

#[test]
fn every_fault_is_named_up_to_a_hundred() {
    assert_eq!(faults("m.txt", &"..\n".repeat(1000)).len(), 100);
    assert_eq!(
        faults("m.json", &format!("[{}\"x\"]", "\"\",".repeat(1000))).len(),
        100
    );
    assert_eq!(faults("m.csv", &"\"a\"b\n".repeat(1000)).len(), 100);
    let text = (0..6).map(|n| format!("{n}\n")).collect::<String>();
    let key = FileKey::parse("m.txt").unwrap();
    let from = ListSource::Manifest(&key);
    let many = read_at_most(5, text.as_bytes(), from, Some(&storage())).unwrap_err();
    assert_eq!(many[0].invalid.code, "too_many_files");
    assert!(read_at_most(6, text.as_bytes(), from, Some(&storage())).is_ok());
    let wide = format!("file_key{}\na{}\n", ",x".repeat(3), ",".repeat(3));
    assert_eq!(faults("m.csv", &wide)[0].0, "duplicate_heading");
    let large = format!("file_key,note\na,{}\n", "n".repeat(20_000));
    assert_eq!(faults("m.csv", &large)[0].0, "metadata_too_large");
}
