//! Lists of other products in JSON: CVAT's and Label Studio's are read, others are refused by their names.

use crate::application::projects::manifest::list::Entry;
use crate::domain::Invalid;
use crate::domain::files::file_key::Folder;
use serde_json::Value;

/// An object's members in their order.
pub(super) type Members = Vec<(String, Value)>;

/// What an object of another product is, by the members that it has.
pub(super) fn known_object(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    const KNOWN: &[(&[&str], &str)] = &[
        (&["images", "annotations"], "a COCO data set"),
        (&["images", "categories"], "a COCO data set"),
        (
            &["@context", "distribution"],
            "a description of a data set in JSON-LD, as Croissant's",
        ),
        (
            &["@context", "recordSet"],
            "a description of a data set in JSON-LD, as Croissant's",
        ),
        (&["resources", "profile"], "a Frictionless data package"),
        (&["resources", "name"], "a Frictionless data package"),
        (
            &["shapes", "imagePath"],
            "a LabelMe annotation of one picture",
        ),
        (
            &["_via_img_metadata"],
            "a project of the VGG Image Annotator",
        ),
        (&["type", "features"], "GeoJSON"),
        (&["cells", "nbformat"], "a Jupyter notebook"),
        (
            &["Contents"],
            "the answer of ListObjects; its keys alone are a list: `--query 'Contents[].Key'`",
        ),
        (&["outs", "deps"], "a DVC file"),
    ];
    KNOWN
        .iter()
        .find(|(members, _)| members.iter().all(|member| has(member)))
        .map(|(_, name)| *name)
}

/// A value as the file's metadata: text as it is, anything else as JSON, null as nothing.
pub(super) fn metadata(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The first lines of a CVAT manifest: `{"version": "1.1"}` and `{"type": "images"}` (CVAT manual, "Dataset
/// manifest").
pub(super) fn cvat_header(members: &Members) -> Option<Result<(), Invalid>> {
    match members.as_slice() {
        [(name, Value::String(_))] if name == "version" => Some(Ok(())),
        [(name, Value::String(kind))] if name == "type" => Some(match kind.as_str() {
            "images" => Ok(()),
            _ => Err(Invalid::new(
                "unsupported_manifest",
                "This is a CVAT manifest of a video. Its lines are frames, which are no files: name the video by its file key.",
            )),
        }),
        _ => None,
    }
}

/// CVAT's names are relative to the manifest's folder.
pub(super) fn cvat_image(
    folder: &Folder,
    name: &str,
    extension: &str,
    members: &Members,
) -> Result<Entry, Invalid> {
    let mut entry = Entry::of_key(&format!("/{}{name}{extension}", folder.path()));
    for (member, value) in members {
        if !matches!(member.as_str(), "name" | "extension")
            && let Some(text) = metadata(value)
        {
            entry.metadata.push((member.clone(), text));
        }
    }
    Ok(entry)
}

/// A Label Studio task: its files are the addresses in `data` (Label Studio guide, "Format for tasks").
pub(super) fn label_studio(data: Members, task: &Members) -> Result<Vec<Entry>, Invalid> {
    let is_address = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.contains("://") && !text.contains(char::is_whitespace))
    };
    let (files, rest): (Vec<_>, Vec<_>) =
        data.into_iter().partition(|(_, value)| is_address(value));
    if files.is_empty() {
        return Err(Invalid::new(
            "unsupported_manifest",
            "This is a Label Studio task, and none of the values in its `data` is the S3 URI of a file, like `s3://acme-data/a.png`.",
        ));
    }
    let beside = task.iter().filter(|(name, _)| name != "data");
    let further: Vec<(String, String)> = rest
        .iter()
        .chain(beside)
        .filter_map(|(name, value)| Some((name.clone(), metadata(value)?)))
        .collect();
    Ok(files
        .into_iter()
        .filter_map(|(name, value)| {
            let mut entry = Entry::of_key(value.as_str()?);
            entry.metadata.push(("field".to_owned(), name));
            entry.metadata.extend(further.iter().cloned());
            Some(entry)
        })
        .collect())
}
