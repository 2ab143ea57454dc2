//! JSON and JSON lines, with the lists that other products write.
//!
//! Items are read one by one: an array of a million of anything must not fill the memory. An object's
//! members are kept in their order, and one that is there twice is refused: `serde_json::Value` would drop
//! the first without a word.

use crate::application::projects::manifest::heading::{key_among, name_among};
use crate::application::projects::manifest::list::{Entry, FileList, Place};
use crate::application::projects::manifest::products::{
    Members, cvat_header, cvat_image, kind_of, known_object, label_studio, metadata,
};
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use crate::domain::invalid::shown;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// One item of a list.
enum Item {
    Text(String),
    Object(Members),
    /// What it is instead.
    Other(&'static str),
}

/// Whether the text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether the line is a JSON object.
pub(super) fn is_object(line: &str) -> bool {
    line.trim_start().starts_with('{') && is_json(line)
}

/// The names of an object's members.
pub(super) fn members(object: &str) -> Vec<String> {
    serde_json::from_str::<BTreeMap<String, IgnoredAny>>(object)
        .map(|members| members.into_keys().collect())
        .unwrap_or_default()
}

/// Reads one JSON value: an array of files, or an object with such an array. `folder` is the manifest's.
pub(super) fn read(text: &str, folder: &Folder, list: &mut FileList<'_>) {
    let mut reader = ItemReader::new(folder);
    let mut json = serde_json::Deserializer::from_str(text);
    let whole = Whole {
        reader: &mut reader,
        list,
    };
    if let Err(error) = whole.deserialize(&mut json).and_then(|()| json.end()) {
        list.refuse(Place::Whole, malformed(&error));
    }
}

/// Reads one JSON value on each line.
pub(super) fn read_lines(
    text: &str,
    folder: &Folder,
    with_comments: bool,
    list: &mut FileList<'_>,
) {
    let mut reader = ItemReader::new(folder);
    for (at, line) in text.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() || (with_comments && line.starts_with('#')) {
            continue;
        }
        let place = Place::Line(at + 1);
        let mut json = serde_json::Deserializer::from_str(line);
        match AnyItem
            .deserialize(&mut json)
            .and_then(|item| json.end().map(|()| item))
        {
            Ok(item) => reader.take(item, place, list),
            Err(error) => list.refuse(place, malformed_line(&error)),
        }
        if list.is_full() {
            return;
        }
    }
}

fn malformed(error: &serde_json::Error) -> Invalid {
    Invalid::new(
        "malformed_manifest",
        format!(
            "The list cannot be read as JSON: {error}. It is an array of file keys or of objects with a `file_key`, or an object with such an array in `files`."
        ),
    )
}

fn malformed_line(error: &serde_json::Error) -> Invalid {
    Invalid::new(
        "malformed_manifest",
        format!(
            "The line cannot be read as JSON: {error}. A file key in quotes, or an object with a `file_key`, is expected."
        ),
    )
}

/// Turns items into entries, and knows what kind of list they are of.
struct ItemReader<'a> {
    folder: &'a Folder,
    /// The list began as a CVAT manifest.
    is_cvat: bool,
}

impl<'a> ItemReader<'a> {
    fn new(folder: &'a Folder) -> Self {
        Self {
            folder,
            is_cvat: false,
        }
    }

    fn take(&mut self, item: Item, place: Place, list: &mut FileList<'_>) {
        let members = match item {
            Item::Text(key) => return list.add(place, Entry::of_key(&key)),
            Item::Other(what) => {
                return list.refuse(
                    place,
                    Invalid::new(
                        "malformed_manifest",
                        format!("This is {what}. A file key, or an object with a `file_key`, is expected."),
                    ),
                );
            }
            Item::Object(members) => members,
        };
        match self.entries(members) {
            Ok(entries) => {
                for entry in entries {
                    list.add(place, entry);
                }
            }
            Err(invalid) => list.refuse(place, invalid),
        }
    }

    fn entries(&mut self, members: Members) -> Result<Vec<Entry>, Invalid> {
        let member = |name: &str| {
            members
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value)
        };
        let names = members.iter().map(|(name, _)| name.as_str());
        // Of this service's own lists first: `file_key` is never anything else.
        if member("file_key").is_some() {
            return Ok(vec![generic(members)?]);
        }
        if let Some(header) = cvat_header(&members) {
            self.is_cvat = true;
            return header.map(|()| Vec::new());
        }
        if let (Some(Value::String(name)), Some(Value::String(extension))) =
            (member("name"), member("extension"))
        {
            return Ok(vec![cvat_image(self.folder, name, extension, &members)?]);
        }
        if self.is_cvat {
            return Err(Invalid::new(
                "malformed_manifest",
                "A line of a CVAT manifest has a `name` and an `extension`.",
            ));
        }
        if let Some(Value::Object(data)) = member("data") {
            let data: Members = data
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            return label_studio(data, &members);
        }
        if member("source-ref").is_none() && member("source").is_some_and(Value::is_string) {
            return Err(Invalid::new(
                "unsupported_manifest",
                "This is a line of a Ground Truth manifest with the text itself in `source`. Only files are listed here, as in `source-ref`.",
            ));
        }
        match key_among(names) {
            Some(_) => Ok(vec![generic(members)?]),
            None => Err(Invalid::new(
                "malformed_manifest",
                format!(
                    "There is no `file_key`. The members are {}.",
                    members
                        .iter()
                        .take(10)
                        .map(|(name, _)| format!("`{}`", shown(name)))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )),
        }
    }
}

/// An object with a key, maybe a name, and whatever else it has. Ground Truth's `source-ref` is one of the
/// names of a key.
fn generic(members: Members) -> Result<Entry, Invalid> {
    let names = || members.iter().map(|(name, _)| name.as_str());
    let key = key_among(names());
    let name = name_among(names());
    let mut entry = Entry::default();
    for (at, (member, value)) in members.iter().enumerate() {
        let wanted_text = |what: &str| {
            Invalid::new(
                "malformed_manifest",
                format!("`{member}` is {}. {what} is text.", kind_of(value)),
            )
        };
        if Some(at) == key {
            entry.file_key = match value {
                Value::String(text) => text.clone(),
                _ => return Err(wanted_text("A file key")),
            };
        } else if Some(at) == name {
            entry.name = match value {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                _ => return Err(wanted_text("A name")),
            };
        } else if let Some(text) = metadata(value) {
            entry.metadata.push((member.clone(), text));
        }
    }
    Ok(entry)
}

/// Reads a text, an object, or the name of anything else.
struct AnyItem;

impl<'de> DeserializeSeed<'de> for AnyItem {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyItem {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file key or an object with `file_key`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Text(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Item, E> {
        Ok(Item::Other("null"))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Item, E> {
        Ok(Item::Other("a truth value"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Item, E> {
        Ok(Item::Other("a number"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Item, E> {
        Ok(Item::Other("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Item, E> {
        Ok(Item::Other("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut members = Members::new();
        let mut seen = HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(de::Error::custom(format_args!(
                    "the member `{}` is there twice",
                    shown(&name)
                )));
            }
            members.push((name, value));
        }
        Ok(Item::Object(members))
    }
}

/// Reads the list as a whole.
struct Whole<'r, 'l, 'a, 'f> {
    reader: &'r mut ItemReader<'f>,
    list: &'l mut FileList<'a>,
}

impl<'de> DeserializeSeed<'de> for Whole<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(item) = items.next_element_seed(AnyItem)? {
            at += 1;
            self.reader.take(item, Place::Item(at), self.list);
            if self.list.is_full() {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut has_files = false;
        let mut others = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "files" if !has_files => {
                    has_files = true;
                    map.next_value_seed(Whole {
                        reader: &mut *self.reader,
                        list: &mut *self.list,
                    })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    others.push(name);
                }
            }
        }
        let has = |name: &str| others.iter().any(|other| other == name);
        let refused = if !has_files && let Some(name) = known_object(has) {
            Some(format!("This is {name}. List its files by `file_key`."))
        } else if !has_files {
            let found: Vec<String> = others
                .iter()
                .take(10)
                .map(|name| format!("`{}`", shown(name)))
                .collect();
            let found = match found.is_empty() {
                true => "It has no members".to_owned(),
                false => format!("Its members are {}", found.join(", ")),
            };
            Some(format!(
                "This is an object without `files`. {found}. An array of file keys, or an object with such an array in `files`, is expected."
            ))
        } else if !others.is_empty() {
            Some(format!(
                "Beside `files` there is `{}`, which means nothing here.",
                shown(&others[0])
            ))
        } else {
            None
        };
        if let Some(detail) = refused {
            let code = match has_files {
                true => "malformed_manifest",
                false => "unsupported_manifest",
            };
            self.list.refuse(Place::Whole, Invalid::new(code, detail));
        }
        Ok(())
    }
}
