use super::*;
use crate::domain::connection::account::AccountId;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::region::Region;

/// What an address says: bucket, prefix (empty: none) and Region (empty: none).
type Said = (&'static str, &'static str, &'static str);

const READ: [(&str, Said); 58] = [
    // S3 URIs
    ("s3://acme-data", ("acme-data", "", "")),
    ("s3://acme-data/", ("acme-data", "", "")),
    ("s3://acme-data/team/", ("acme-data", "team/", "")),
    ("s3://acme-data/team", ("acme-data", "team/", "")),
    ("s3://acme-data/a/b/c/", ("acme-data", "a/b/c/", "")),
    ("s3://acme-data/team/image.png", ("acme-data", "team/", "")),
    ("s3://acme-data/image.png", ("acme-data", "", "")),
    ("s3://acme-data/v1.0/", ("acme-data", "v1.0/", "")),
    ("s3://acme-data/v1.0", ("acme-data", "v1.0/", "")),
    (
        "s3://acme-data/50% + more/",
        ("acme-data", "50% + more/", ""),
    ),
    ("S3://acme-data/team/", ("acme-data", "team/", "")),
    ("s3a://acme-data/team/", ("acme-data", "team/", "")),
    ("  s3://acme-data/team/\n", ("acme-data", "team/", "")),
    ("s3://acme.data.eu/team/", ("acme.data.eu", "team/", "")),
    // ARNs
    ("arn:aws:s3:::acme-data", ("acme-data", "", "")),
    ("arn:aws:s3:::acme-data/*", ("acme-data", "", "")),
    ("arn:aws:s3:::acme-data/team/*", ("acme-data", "team/", "")),
    ("arn:aws:s3:::acme-data/team/", ("acme-data", "team/", "")),
    (
        "arn:aws:s3:::acme-data/team/a.csv",
        ("acme-data", "team/", ""),
    ),
    ("arn:aws-cn:s3:::acme-data", ("acme-data", "", "")),
    ("arn:aws-us-gov:s3:::acme-data/x/", ("acme-data", "x/", "")),
    ("arn:aws-eusc:s3:::acme-data", ("acme-data", "", "")),
    // The console
    (
        "https://s3.console.aws.amazon.com/s3/buckets/acme-data",
        ("acme-data", "", ""),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&tab=objects",
        ("acme-data", "", "eu-west-1"),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/&showversions=false",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://eu-central-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-central-1&bucketType=general&prefix=a%20b/c%2B/&showversions=false",
        ("acme-data", "a b/c+/", "eu-central-1"),
    ),
    (
        "https://us-east-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1",
        ("acme-data", "", "eu-west-1"),
    ),
    (
        "https://us-east-1.console.aws.amazon.com/s3/buckets/acme-data",
        ("acme-data", "", ""),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/object/acme-data?region=eu-west-1&prefix=team/image",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/object/acme-data?prefix=image.png",
        ("acme-data", "", ""),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/buckets/acme-data/team/?region=us-east-1&tab=overview",
        ("acme-data", "team/", "us-east-1"),
    ),
    (
        "https://s3.console.aws.amazon.com/s3/upload/acme-data?region=eu-west-1&prefix=team/",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://123456789012-abcd1234.eu-west-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1",
        ("acme-data", "", "eu-west-1"),
    ),
    (
        "https://console.amazonaws.cn/s3/buckets/acme-data?region=cn-north-1&prefix=team/",
        ("acme-data", "team/", "cn-north-1"),
    ),
    (
        "https://us-gov-west-1.console.amazonaws-us-gov.com/s3/buckets/acme-data?region=us-gov-west-1",
        ("acme-data", "", "us-gov-west-1"),
    ),
    (
        "https://eusc-de-east-1.console.amazonaws-eusc.eu/s3/buckets/acme-data?region=eusc-de-east-1",
        ("acme-data", "", "eusc-de-east-1"),
    ),
    (
        "eu-west-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1",
        ("acme-data", "", "eu-west-1"),
    ),
    // Objects and buckets, host style
    (
        "https://acme-data.s3.eu-west-1.amazonaws.com/",
        ("acme-data", "", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.eu-west-1.amazonaws.com/team/a.csv",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.eu-west-1.amazonaws.com/team/a%20b/c+d/x",
        ("acme-data", "team/a b/c d/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.amazonaws.com/team/",
        ("acme-data", "team/", ""),
    ),
    (
        "http://acme-data.s3.amazonaws.com/a.csv",
        ("acme-data", "", ""),
    ),
    (
        "https://acme-data.s3-eu-west-1.amazonaws.com/team/a.csv",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.dualstack.eu-west-1.amazonaws.com/team/a",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3-fips.us-east-1.amazonaws.com/a",
        ("acme-data", "", "us-east-1"),
    ),
    (
        "https://acme-data.s3-fips.dualstack.us-gov-west-1.amazonaws.com/a",
        ("acme-data", "", "us-gov-west-1"),
    ),
    (
        "https://acme-data.s3-accelerate.amazonaws.com/team/a",
        ("acme-data", "team/", ""),
    ),
    (
        "https://acme-data.s3.cn-north-1.amazonaws.com.cn/team/a",
        ("acme-data", "team/", "cn-north-1"),
    ),
    (
        "https://a.s3.b.s3.eu-west-1.amazonaws.com/x/y",
        ("a.s3.b", "x/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.eu-west-1.amazonaws.com/team/a.csv?X-Amz-Signature=abc&X-Amz-Expires=900",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://acme-data.s3.eu-west-1.amazonaws.com/?list-type=2&prefix=team/",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "acme-data.s3.eu-west-1.amazonaws.com",
        ("acme-data", "", "eu-west-1"),
    ),
    // Path style
    (
        "https://s3.eu-west-1.amazonaws.com/acme-data/team/a.csv",
        ("acme-data", "team/", "eu-west-1"),
    ),
    (
        "https://s3-us-west-2.amazonaws.com/acme-data",
        ("acme-data", "", "us-west-2"),
    ),
    (
        "https://s3.amazonaws.com/acme-data/team/",
        ("acme-data", "team/", ""),
    ),
    (
        "https://s3-external-1.amazonaws.com/acme-data/",
        ("acme-data", "", "us-east-1"),
    ),
    (
        "https://s3.dualstack.eu-west-1.amazonaws.com/my_bucket/x/",
        ("my_bucket", "x/", "eu-west-1"),
    ),
    (
        "https://s3.eusc-de-east-1.amazonaws.eu/acme-data/x/",
        ("acme-data", "x/", "eusc-de-east-1"),
    ),
];

#[test]
fn addresses_name_bucket_folder_and_region() {
    for (text, (name, prefix, region)) in READ {
        let read = bucket(text)
            .unwrap_or_else(|| panic!("{text} is taken for a name"))
            .unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
        assert_eq!(read.bucket.as_str(), name, "{text}");
        let said = read.prefix.as_ref().map_or("", BucketPrefix::as_str);
        assert_eq!(said, prefix, "{text}");
        let said = read.region.as_ref().map_or("", Region::as_str);
        assert_eq!(said, region, "{text}");
    }
}

#[test]
fn what_names_no_bucket_is_refused_with_what_to_enter() {
    for (text, words) in [
        ("s3://", "names no bucket"),
        ("s3:///team", "names no bucket"),
        ("s3://ab/team", "3 to 63 characters"),
        ("s3://acme-data//team/", "empty part"),
        ("s3://acme-data/../team/", "cannot be used"),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/acme/x",
            "access point",
        ),
        ("arn:aws:s3", "not complete"),
        ("arn:aws:s3:::*", "many buckets"),
        ("arn:aws:s3:::acme-*", "many buckets"),
        ("arn:aws:s3:::acme-data/*.csv", "pattern"),
        ("arn:aws:s3:::acme-data/${aws:username}/*", "pattern"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/acme",
            "access point",
        ),
        (
            "arn:aws:s3::123456789012:accesspoint/m1234.mrap",
            "access point",
        ),
        (
            "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/x",
            "access point",
        ),
        (
            "arn:aws:s3express:us-east-1:123456789012:bucket/a--use1-az4--x-s3",
            "directory bucket",
        ),
        (
            "arn:aws:s3tables:us-east-1:123456789012:bucket/a",
            "table bucket",
        ),
        ("arn:aws:iam::123456789012:role/acme", "as the role"),
        (
            "arn:aws:sns:eu-west-1:123456789012:topic",
            "another service",
        ),
        (
            "https://s3.console.aws.amazon.com/s3/buckets",
            "no single bucket",
        ),
        (
            "https://s3.console.aws.amazon.com/s3/buckets?region=eu-west-1",
            "no single bucket",
        ),
        (
            "https://s3.console.aws.amazon.com/s3/ap/123456789012/acme",
            "access point",
        ),
        (
            "https://eu-west-1.console.aws.amazon.com/s3/buckets/acme--euw1-az1--x-s3?bucketType=directory",
            "directory bucket",
        ),
        (
            "https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/x",
            "something else",
        ),
        (
            "https://acme-data.s3-website-eu-west-1.amazonaws.com/",
            "website",
        ),
        (
            "http://acme-data.s3-website.eu-central-1.amazonaws.com",
            "website",
        ),
        (
            "https://acme-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/x",
            "access point",
        ),
        (
            "https://m1234.accesspoint.s3-global.amazonaws.com/x",
            "access point",
        ),
        (
            "https://123456789012.s3-control.eu-west-1.amazonaws.com/",
            "access point",
        ),
        (
            "https://a--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com/x",
            "directory bucket",
        ),
        ("https://acme-data.s3.xx-west-1.amazonaws.com/", "Region"),
        ("https://s3.eu-west-1.amazonaws.com/", "names no bucket"),
        (
            "https://user:secret@acme-data.s3.eu-west-1.amazonaws.com/",
            "password",
        ),
        (
            "https://acme-data.s3.eu-west-1.amazonaws.com:8443/",
            "not an address of Amazon S3",
        ),
        ("https://minio.example.com/acme-data/", "endpoint"),
        (
            "https://sqs.eu-west-1.amazonaws.com/123456789012/queue",
            "not an address of Amazon S3",
        ),
        (
            "https://evil.example/console.aws.amazon.com/s3/buckets/acme",
            "not an address of Amazon S3",
        ),
        (
            "https://notconsole.aws.amazon.com/s3/buckets/acme",
            "not an address of Amazon S3",
        ),
        ("https://", "cannot be read"),
        (
            "https://acme-data.s3.eu-west-1.amazonaws.com/%ff/",
            "not UTF-8",
        ),
    ] {
        let refused = bucket(text)
            .unwrap_or_else(|| panic!("{text} is taken for a name"))
            .expect_err(text);
        assert_eq!(refused.code, "invalid_bucket", "{text}");
        assert!(refused.detail.contains(words), "{text}: {}", refused.detail);
        assert!(!refused.detail.contains("secret"), "{text}");
    }
}

#[test]
fn a_name_is_no_address() {
    for text in [
        "",
        "acme-data",
        "acme.data",
        "acme_data",
        "acme-data/team/",
        "arn",
        "s3",
        "https",
        "ärn:x",
        "acme.amazonaws.com",
        "s3:acme",
    ] {
        assert_eq!(bucket(text), None, "{text}");
    }
}

#[test]
fn a_role_s_page_gives_its_arn() {
    let known = AccountId::parse("222222222222").unwrap();
    for (text, arn) in [
        (
            "https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/roles/details/acme-data?section=permissions",
            "arn:aws:iam::222222222222:role/acme-data",
        ),
        (
            "https://console.aws.amazon.com/iam/home#/roles/acme-data",
            "arn:aws:iam::222222222222:role/acme-data",
        ),
        (
            "https://console.aws.amazon.com/iamv2/home#/roles/details/acme%2Cdata",
            "arn:aws:iam::222222222222:role/acme,data",
        ),
        (
            "https://123456789012-abcd1234.us-east-1.console.aws.amazon.com/iam/home#/roles/details/acme-data",
            "arn:aws:iam::123456789012:role/acme-data",
        ),
        (
            "https://console.amazonaws.cn/iam/home#/roles/acme",
            "arn:aws-cn:iam::222222222222:role/acme",
        ),
        (
            "https://console.amazonaws-us-gov.com/iam/home#/roles/details/acme",
            "arn:aws-us-gov:iam::222222222222:role/acme",
        ),
        (
            "https://signin.aws.amazon.com/switchrole?roleName=acme-data&account=123456789012",
            "arn:aws:iam::123456789012:role/acme-data",
        ),
    ] {
        let read = role_arn(text, Some(&known)).unwrap().unwrap();
        assert_eq!(read, arn, "{text}");
    }
    for (text, words) in [
        (
            "https://console.aws.amazon.com/iam/home#/roles/acme-data",
            "does not say in which account",
        ),
        (
            "https://console.aws.amazon.com/iam/home#/roles",
            "not a role",
        ),
        (
            "https://console.aws.amazon.com/iam/home#/users/details/x",
            "not a role",
        ),
        (
            "https://console.aws.amazon.com/s3/buckets/acme",
            "not a role",
        ),
        ("https://example.com/iam/home#/roles/x", "not a role"),
        (
            "https://example.com/switchrole?roleName=x&account=123456789012",
            "not a role",
        ),
        (
            "https://signin.aws.amazon.com/switchrole?roleName=x&account=acme",
            "alias",
        ),
    ] {
        let refused = role_arn(text, None).unwrap().expect_err(text);
        assert_eq!(refused.code, "invalid_role_arn");
        assert!(refused.detail.contains(words), "{text}: {}", refused.detail);
    }
    assert_eq!(role_arn("arn:aws:iam::123456789012:role/x", None), None);
    assert_eq!(role_arn("", None), None);
}
