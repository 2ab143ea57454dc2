//! What makes the bodies of two requests with the same idempotency key the same request.

use crate::application::kept::store::SecretHash;
use crate::application::kept::vault::sha256;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The header with the key of a request.
pub const KEY_HEADER: &str = "Idempotency-Key";

/// The same for bodies with the same JSON, in whatever order an object has its members and whatever stands between
/// the values. Numbers are the same where JSON's reader makes the same of them: `1` and `1.0` differ. An empty body
/// is `{}`. What is not JSON is the same byte for byte.
///
/// The body is read once more and no tree is made of it, so it takes no memory that grows with its lists.
pub fn of_body(body: &[u8]) -> SecretHash {
    let json = if body.is_empty() { b"{}" } else { body };
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = HashOfValue.deserialize(&mut reader);
    match read.and_then(|hash| reader.end().map(|()| hash)) {
        Ok(hash) => hash,
        Err(_) => sha256(body),
    }
}

/// What a hash is of comes first in what is hashed, so no value has the hash of a value of another type.
const NULL: u8 = b'0';
const BOOL: u8 = b'b';
const UNSIGNED: u8 = b'u';
const SIGNED: u8 = b'i';
const FLOAT: u8 = b'f';
const TEXT: u8 = b't';
const ARRAY: u8 = b'a';
const OBJECT: u8 = b'o';

fn hash_of(kind: u8, content: &[u8]) -> SecretHash {
    let mut hashed = Vec::with_capacity(1 + content.len());
    hashed.push(kind);
    hashed.extend_from_slice(content);
    sha256(&hashed)
}

/// The hash of these and of one more.
fn then(so_far: &SecretHash, next: &SecretHash) -> SecretHash {
    sha256(&[so_far.as_slice(), next.as_slice()].concat())
}

/// Reads one value and keeps its hash alone.
struct HashOfValue;

impl<'de> DeserializeSeed<'de> for HashOfValue {
    type Value = SecretHash;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<SecretHash, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HashOfValue {
    type Value = SecretHash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<SecretHash, E> {
        Ok(hash_of(NULL, b""))
    }

    fn visit_bool<E>(self, value: bool) -> Result<SecretHash, E> {
        Ok(hash_of(BOOL, &[u8::from(value)]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<SecretHash, E> {
        Ok(hash_of(UNSIGNED, &value.to_be_bytes()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<SecretHash, E> {
        Ok(hash_of(SIGNED, &value.to_be_bytes()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<SecretHash, E> {
        Ok(hash_of(FLOAT, &value.to_bits().to_be_bytes()))
    }

    fn visit_str<E>(self, value: &str) -> Result<SecretHash, E> {
        Ok(hash_of(TEXT, value.as_bytes()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<SecretHash, A::Error> {
        let mut hash = hash_of(ARRAY, b"");
        while let Some(item) = items.next_element_seed(HashOfValue)? {
            hash = then(&hash, &item);
        }
        Ok(hash)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<SecretHash, A::Error> {
        let mut hashes = Vec::new();
        while let Some(name) = members.next_key_seed(HashOfValue)? {
            let value = members.next_value_seed(HashOfValue)?;
            hashes.push(then(&name, &value));
        }
        hashes.sort_unstable();
        let all = hash_of(OBJECT, b"");
        Ok(hashes.iter().fold(all, |hash, member| then(&hash, member)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_and_blanks_make_no_other_request() {
        let first =
            of_body(br#"{"name":"a","files":[{"file_key":"/a","name":"A"},{"file_key":"/b"}]}"#);
        for same in [
            r#"{"files":[{"name":"A","file_key":"/a"},{"file_key":"/b"}],"name":"a"}"#,
            "{\n  \"name\": \"\\u0061\",\n  \"files\": [ {\"file_key\": \"/a\", \"name\": \"A\"}, {\"file_key\": \"/b\"} ]\n}\n",
        ] {
            assert_eq!(of_body(same.as_bytes()), first, "{same}");
        }
        assert_eq!(of_body(b""), of_body(b" { } "));
    }

    #[test]
    fn other_values_make_another_request() {
        let bodies = [
            r#"{"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":-1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":true}"#,
            r#"{"a":null}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":[[1],2]}"#,
            r#"{"a":[1,[2]]}"#,
            r#"{"a":"b","c":"d"}"#,
            r#"{"a":"d","c":"b"}"#,
            r#"{"a":{"c":"d"}}"#,
            r#"{"b":1}"#,
            "{}",
        ];
        let mut hashes: Vec<_> = bodies.map(|body| of_body(body.as_bytes())).into();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), bodies.len());
    }

    #[test]
    fn what_is_not_json_is_the_same_byte_for_byte() {
        let deep = "[".repeat(100_000);
        for body in ["{", "{} {}", "a,b", &deep] {
            assert_eq!(of_body(body.as_bytes()), sha256(body.as_bytes()));
        }
    }
}
