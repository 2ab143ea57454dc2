//! Query strings, read as strictly as bodies.

use crate::application::error::{Error, Kind};
use crate::http::fault;
use crate::http::routes::Routes;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::value::Error as Fault;
use serde::de::{self, DeserializeOwned, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::future::{Ready, ready};

/// A query string as a `T`, which derives `Deserialize` with `deny_unknown_fields`; its fields are
/// strings, numbers, booleans, options of these, and enums without data.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self).map_err(Into::into))
    }
}

/// Refuses a parameter that the operation does not take, also where its handler reads none: one that is
/// ignored would change what the caller believes was asked.
pub async fn only_known(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let refusal = request.app_data::<web::Data<Routes>>().and_then(|routes| {
        let known = routes.query(request.method(), request.match_info().as_str())?;
        unknown(request.query_string(), known)
    });
    match refusal {
        Some(error) => Ok(request.error_response(error)),
        None => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

/// The refusal of the first parameter that is not among the known ones.
fn unknown(query: &str, known: &[String]) -> Option<Error> {
    let name = query
        .split('&')
        .filter(|part| !part.is_empty())
        .find_map(|part| {
            let name = part.split_once('=').map_or(part, |(name, _)| name);
            match decoded(name) {
                Ok(name) => (!known.contains(&name)).then_some(Ok(name)),
                Err(error) => Some(Err(error)),
            }
        })?;
    Some(match name {
        Ok(name) => fault::unknown_parameter(&name, known),
        Err(error) => error,
    })
}

pub(crate) fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect::<Result<_, Error>>()?;
    let parameters = Parameters {
        pairs: pairs.into_iter(),
        value: None,
    };
    serde_path_to_error::deserialize(de::value::MapAccessDeserializer::new(parameters)).map_err(
        |error| {
            let mut refusal = fault::refusal(error.path(), &error.inner().to_string(), "query");
            if refusal.code == "unknown_field" {
                refusal.detail = refusal.detail.replacen("field", "query parameter", 1);
            }
            refusal
        },
    )
}

/// Decodes one name or value, as `application/x-www-form-urlencoded`. Broken UTF-8 is refused rather than replaced: a file key with replacement
/// characters would be another key.
fn decoded(text: &str) -> Result<String, Error> {
    String::from_utf8(percent_decoded(text)).map_err(|_| {
        Error::new(
            Kind::Malformed,
            "invalid_utf8",
            "The query string is not UTF-8 after percent-decoding.",
        )
    })
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        rest = match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                &after[2..]
            }
            (b'+', ..) => {
                bytes.push(b' ');
                after
            }
            _ => {
                bytes.push(first);
                after
            }
        };
    }
    bytes
}

/// The pairs, as serde asks for them.
struct Parameters {
    pairs: std::vec::IntoIter<(String, String)>,
    value: Option<String>,
}

impl<'de> MapAccess<'de> for Parameters {
    type Error = Fault;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.pairs.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(Text(self.value.take().unwrap_or_default()))
    }
}

/// One value: text that becomes what the field wants.
struct Text(String);

impl Text {
    fn number<T: std::str::FromStr>(&self, expected: &str) -> Result<T, Fault> {
        self.0
            .parse()
            .map_err(|_| de::Error::invalid_type(de::Unexpected::Other("text"), &expected))
    }
}

impl<'de> de::Deserializer<'de> for Text {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_string(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(de::Error::invalid_type(
                de::Unexpected::Other("text"),
                &"`true` or `false`",
            )),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u32(self.number("u32")?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(self.number("u64")?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_i64(self.number("i64")?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        IntoDeserializer::<Fault>::into_deserializer(self.0)
            .deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listing {
        folder: Option<String>,
        page_size: Option<u32>,
        #[serde(default)]
        recursive: bool,
        format: Option<Format>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Format {
        List,
        Options,
    }

    #[test]
    fn parameters_that_an_operation_does_not_take_are_named() {
        let known = ["key".to_owned(), "wait".to_owned()];
        assert!(unknown("key=a&wait=1&&", &known).is_none());
        let error = unknown("key=a&b%75cket=other", &known).unwrap();
        assert_eq!(
            (error.kind, error.code, error.fields[0].field.as_str()),
            (Kind::Unprocessable, "unknown_field", "bucket")
        );
        assert!(error.to_string().contains("bucket") || error.fields[0].detail.contains("`key`"));
        assert_eq!(unknown("%ff=1", &[]).unwrap().code, "invalid_utf8");
        assert!(
            unknown("x", &[]).unwrap().fields[0]
                .detail
                .contains("no query parameter")
        );
    }

    #[test]
    fn values_become_what_the_fields_want() {
        let listing: Listing =
            parse("folder=/a+b/%C3%A9%2B%25/&page_size=5&recursive=true&format=options").unwrap();
        assert_eq!(listing.folder.as_deref(), Some("/a b/é+%/"));
        assert_eq!(listing.page_size, Some(5));
        assert!(listing.recursive);
        assert_eq!(listing.format, Some(Format::Options));
        let listing: Listing = parse("").unwrap();
        assert!(listing.folder.is_none() && !listing.recursive && listing.format.is_none());
        // A lone percent sign stands for itself, as in the URL standard.
        assert_eq!(
            parse::<Listing>("folder=100%").unwrap().folder.as_deref(),
            Some("100%")
        );
    }

    #[test]
    fn each_fault_names_its_parameter() {
        for (query, code, field) in [
            ("pagesize=1", "unknown_field", "pagesize"),
            ("page_size=1&page_size=2", "duplicate_field", "page_size"),
            ("page_size=many", "wrong_type", "page_size"),
            ("page_size=-1", "wrong_type", "page_size"),
            ("page_size=", "wrong_type", "page_size"),
            ("page_size=99999999999", "wrong_type", "page_size"),
            ("recursive=yes", "wrong_type", "recursive"),
            ("format=table", "unknown_value", "format"),
        ] {
            let error = parse::<Listing>(query).unwrap_err();
            assert_eq!(
                (error.kind, error.code, error.fields[0].field.as_str()),
                (Kind::Unprocessable, code, field),
                "{query}: {error}"
            );
        }
        let error = parse::<Listing>("folder=%ff").unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::Malformed, "invalid_utf8"));
    }
}
