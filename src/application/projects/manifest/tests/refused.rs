//! What is refused, by which code and words.

use super::*;

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
        // Without a known heading, and the first column has no keys as far as can be seen.
        ("m.csv", "a,cat\nb,dog\n", "unknown_heading", "`a`, `cat`"),
        (
            "m.tsv",
            "id\timg\n1\ta\n",
            "unknown_heading",
            "looks like a heading",
        ),
        (
            "m.csv",
            "Sepal.Length,Class\n5.1,x\n",
            "unknown_heading",
            "Line 2: ",
        ),
        (
            "m.csv",
            "a.png,cat\nREADME,doc\n",
            "unknown_heading",
            "`README`",
        ),
        (
            "m.csv",
            "Report of May\n\nimg,label\na.png,cat\n",
            "unknown_heading",
            "Line 3: ",
        ),
        (
            "",
            "img,label\na.png,cat\nb.png,dog\n",
            "unknown_heading",
            "`img`, `label`",
        ),
        (
            "m.txt",
            "img\tlabel\na\tcat\n",
            "unknown_heading",
            "Line 1: ",
        ),
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
            "m.yaml",
            "files:\n  - a.png\n",
            "unsupported_manifest",
            "YAML",
        ),
        (
            "data.yaml",
            "# Ultralytics\npath: ../set\ntrain: images\n",
            "unsupported_manifest",
            "YAML",
        ),
        (
            "a.png.dvc",
            "outs:\n- md5: 1f\n  path: a.png\n",
            "unsupported_manifest",
            "DVC",
        ),
        (
            "g.json",
            r#"{"type":"FeatureCollection","features":[]}"#,
            "unsupported_manifest",
            "GeoJSON",
        ),
        (
            "n.ipynb",
            r#"{"cells":[],"metadata":{},"nbformat":4}"#,
            "unsupported_manifest",
            "Jupyter",
        ),
        (
            "v.json",
            r#"{"_via_settings":{},"_via_img_metadata":{}}"#,
            "unsupported_manifest",
            "VGG",
        ),
        (
            "m.zip",
            "PK\u{3}\u{4}\0\0list.csv",
            "unsupported_manifest",
            "unpack it",
        ),
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
        ("m.csv", "/a,\"x\nb,y\nc,z\n", "malformed_csv", "Line 1: "),
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

#[test]
fn an_archive_is_refused_by_its_name() {
    let mut tar = vec![b'a'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let found = read_named("m.tar", &tar).unwrap_err();
    assert_eq!(found[0].invalid.code, "unsupported_manifest");
    assert!(found[0].detail().contains("a tar archive"));
}
