//! CORS, on the emulator.

use crate::it::worlds::world::*;
use serde_json::{Value, json};

fn rule(origins: &[&str], methods: &[&str], headers: &[&str], exposed: &[&str]) -> Value {
    json!({
        "AllowedOrigins": origins, "AllowedMethods": methods, "AllowedHeaders": headers, "ExposeHeaders": exposed,
    })
}

const APP: &str = "https://app.example.com";
const ALL: [&str; 5] = ["GET", "PUT", "POST", "HEAD", "DELETE"];

fn refused(name: &'static str, make: Make, code: &'static str, certainty: &'static str) -> World {
    world(name)
        .cors(make)
        .finds(code, CUSTOMER, certainty)
        .mended_by("cors")
        .never(&["no policy of the role allows"])
}

pub fn worlds() -> Vec<World> {
    vec![
        refused("CORS: there is none", |_| Value::Null, "cors_none", ONE_OF).cli(),
        refused(
            "CORS: there is none, to read",
            |_| Value::Null,
            "cors_none",
            ONE_OF,
        )
        .read_only(),
        refused(
            "CORS: another site alone",
            |_| json!([rule(&["https://www.example.org"], &ALL, &["*"], &["ETag"])]),
            "cors_none",
            ONE_OF,
        )
        .cli(),
        refused(
            "CORS: the site's other subdomain",
            |_| json!([rule(&["https://api.example.com"], &ALL, &["*"], &["ETag"])]),
            "cors_none",
            ONE_OF,
        ),
        refused(
            "CORS: one of two sites",
            |_| json!([rule(&[APP], &ALL, &["*"], &["ETag"])]),
            "cors_origin_missing",
            PROVED,
        )
        .origins(Origins::Two)
        .cli(),
        refused(
            "CORS: none for two sites",
            |_| Value::Null,
            "cors_none",
            ONE_OF,
        )
        .origins(Origins::Two),
        refused(
            "CORS: a slash after the site",
            |_| json!([rule(&["https://app.example.com/"], &ALL, &["*"], &["ETag"])]),
            "cors_origin_slash",
            PROVED,
        )
        .cli(),
        refused(
            "CORS: http in place of https",
            |_| json!([rule(&["http://app.example.com"], &ALL, &["*"], &["ETag"])]),
            "cors_origin_scheme",
            PROVED,
        ),
        refused(
            "CORS: without the port",
            |_| json!([rule(&[APP], &ALL, &["*"], &["ETag"])]),
            "cors_origin_port",
            PROVED,
        )
        .origins(Origins::WithPort),
        refused(
            "CORS: no PUT",
            |_| {
                json!([rule(
                    &[APP],
                    &["GET", "POST", "HEAD", "DELETE"],
                    &["*"],
                    &["ETag"]
                )])
            },
            "cors_method_missing",
            PROVED,
        )
        .cli(),
        refused(
            "CORS: GET alone",
            |_| json!([rule(&[APP], &["GET"], &["*"], &["ETag"])]),
            "cors_method_missing",
            PROVED,
        ),
        refused(
            "CORS: no DELETE, for every site",
            |_| {
                json!([rule(
                    &["*"],
                    &["GET", "PUT", "POST", "HEAD"],
                    &["*"],
                    &["ETag"]
                )])
            },
            "cors_method_missing",
            PROVED,
        ),
        refused(
            "CORS: no HEAD, to read",
            |_| json!([rule(&[APP], &["GET"], &["*"], &["ETag"])]),
            "cors_method_missing",
            PROVED,
        )
        .read_only(),
        refused(
            "CORS: the methods of uploads are another site's",
            |_| {
                json!([
                    rule(&["https://www.example.org"], &ALL, &["*"], &["ETag"]),
                    rule(&[APP], &["GET", "HEAD"], &["*"], &["ETag"]),
                ])
            },
            "cors_method_missing",
            PROVED,
        ),
        refused(
            "CORS: no headers",
            |_| json!([rule(&[APP], &ALL, &[], &["ETag"])]),
            "cors_headers_missing",
            PROVED,
        )
        .cli(),
        refused(
            "CORS: other headers",
            |_| json!([rule(&[APP], &ALL, &["authorization"], &["ETag"])]),
            "cors_headers_missing",
            PROVED,
        ),
        refused(
            "CORS: the ETag is not exposed",
            |_| json!([rule(&[APP], &ALL, &["*"], &[])]),
            "cors_etag_not_exposed",
            PROVED,
        )
        .cli(),
        refused(
            "CORS: other headers are exposed",
            |_| {
                json!([rule(
                    &["https://*.example.com"],
                    &ALL,
                    &["*"],
                    &["x-amz-request-id"]
                )])
            },
            "cors_etag_not_exposed",
            PROVED,
        ),
    ]
}
