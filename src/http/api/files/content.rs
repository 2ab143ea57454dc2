//! What the API's document says of reading a file's content, whichever address serves it.

use std::collections::BTreeMap;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Content, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

/// A file's bytes.
pub(crate) enum FileContent {}

impl PartialSchema for FileContent {
    fn schema() -> RefOr<Schema> {
        let bytes = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        RefOr::T(Schema::Object(bytes.build()))
    }
}

impl ToSchema for FileContent {}

/// What a read asks for besides the file.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "only for the OpenAPI document; the headers are read one by one"
)]
pub(in crate::http::api) struct ReadHeaders {
    /// One range of bytes. One that is not understood, and several at once, are ignored.
    #[param(rename = "Range", example = "bytes=0-1023")]
    range: Option<String>,
    /// The range is wanted only if the file still has this ETag; else the whole file comes.
    #[param(rename = "If-Range", example = "\"9bb58f26192e4ba00f01e2e7b136bbd8\"")]
    if_range: Option<String>,
    /// The file is read only if it has this ETag.
    #[param(rename = "If-Match", example = "\"9bb58f26192e4ba00f01e2e7b136bbd8\"")]
    if_match: Option<String>,
    /// The file is read only if it has another ETag.
    #[param(
        rename = "If-None-Match",
        example = "\"9bb58f26192e4ba00f01e2e7b136bbd8\""
    )]
    if_none_match: Option<String>,
}

/// The condition of a request for a file's headers.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "only for the OpenAPI document; the header is read by its name"
)]
pub(in crate::http::api) struct HeadHeaders {
    /// ETags of the file that the client has: the answer is 304 if the file still has one of them.
    #[param(
        rename = "If-None-Match",
        example = "\"9bb58f26192e4ba00f01e2e7b136bbd8\""
    )]
    if_none_match: Option<String>,
}

/// The answers of an address that streams a file's content.
pub(in crate::http::api) enum ContentAnswers {}

/// The answers of an address that says what would come with the content.
pub(in crate::http::api) enum HeadAnswers {}

impl IntoResponses for ContentAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let whole = with_content("The content, with the file's own type where that is inert");
        let whole = header(whole, "ETag", String::schema(), "The file's ETag");
        let whole = header(
            whole,
            "Last-Modified",
            String::schema(),
            "When it was stored",
        );
        let whole = header(
            whole,
            "Content-Disposition",
            String::schema(),
            "Whether it may be shown, and its name",
        );
        let whole = header(whole, "Accept-Ranges", String::schema(), "`bytes`");
        let part = with_content("The range of it that was asked for");
        let part = header(part, "ETag", String::schema(), "The file's ETag");
        let part = header(
            part,
            "Content-Range",
            String::schema(),
            "Which bytes these are, of how many",
        );
        let answers = [
            ("200", whole),
            ("206", part),
            ("304", unchanged()),
            ("412", described("It has changed")),
            ("416", described("It has no such range")),
        ];
        of_statuses(answers)
    }
}

impl IntoResponses for HeadAnswers {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let head = described("The headers of the content, without it");
        let head = header(head, "ETag", String::schema(), "The file's ETag");
        let head = header(
            head,
            "Last-Modified",
            String::schema(),
            "When it was stored",
        );
        let head = header(head, "Content-Length", u64::schema(), "The file's size");
        of_statuses([("200", head), ("304", unchanged())])
    }
}

fn described(description: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(description)
}

fn with_content(description: &str) -> ResponseBuilder {
    let content = || Content::new(Some(FileContent::schema()));
    described(description)
        .content("application/octet-stream", content())
        .content("*/*", content())
}

fn unchanged() -> ResponseBuilder {
    header(
        described("It has not changed"),
        "ETag",
        String::schema(),
        "The file's ETag",
    )
}

fn header(
    answer: ResponseBuilder,
    name: &str,
    schema: RefOr<Schema>,
    description: &str,
) -> ResponseBuilder {
    let header = HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build();
    answer.header(name, header)
}

fn of_statuses<const N: usize>(
    answers: [(&str, ResponseBuilder); N],
) -> BTreeMap<String, RefOr<Response>> {
    answers
        .into_iter()
        .map(|(status, answer)| (status.to_owned(), RefOr::T(answer.build())))
        .collect()
}
