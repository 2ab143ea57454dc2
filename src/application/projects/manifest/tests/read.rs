//! What is read, and what of it is kept.

use super::*;

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
        // Words in the first column, said to be keys by their slashes.
        (
            "m.csv",
            "/a,cat\n/b,dog\n",
            vec!["/a a column_2=cat", "/b b column_2=dog"],
        ),
        // A line inside of quotes is no row.
        (
            "m.csv",
            "a.png,\"two\nlines, x\"\n",
            vec!["/a.png a.png column_2=two\nlines, x"],
        ),
        // Blanks around quotes.
        (
            "m.csv",
            " \"Key\" , \"Name\" \n \"a.png\" , \"The cat\"\n b.png,\"x\" \n",
            vec!["/a.png The cat ", "/ b.png x "],
        ),
        // A row that begins with a number sign has as many cells as others; a comment has not.
        (
            "m.csv",
            "# made, by, hand\nfile_key,label\n#1.png,cat\n# a note\n#2.png,\"d,og\"\n",
            vec!["/#1.png #1.png label=cat", "/#2.png #2.png label=d,og"],
        ),
        (
            "m.csv",
            "# file, label\n#1.png,cat\n2.png,dog\n",
            vec!["/#1.png #1.png column_2=cat", "/2.png 2.png column_2=dog"],
        ),
        (
            "m.csv",
            "file_key\n# a note\n/#1.png\n",
            vec!["/#1.png #1.png "],
        ),
        // The end of a text, as DOS wrote it.
        (
            "m.csv",
            "file_key\r\na.png\r\n\u{1a}",
            vec!["/a.png a.png "],
        ),
        (
            "m.csv",
            "a.png|cat\nb.png|dog",
            vec!["/a.png a.png column_2=cat", "/b.png b.png column_2=dog"],
        ),
    ] {
        assert_eq!(whole(name, text), wanted, "{name:?} {text:?}");
    }
}
