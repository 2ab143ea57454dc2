//! What is signed: the objects of a call one by one, and the shapes that their URLs have.

use crate::application::bucket::sign::{ReadMethod, SignedCall};

/// What a URL's query and signed headers have, without their values. Two URLs of one session and bucket
/// with the same shape differ in values alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    operation: Operation,
    /// The names of the signed headers.
    headers: u8,
    has_disposition: bool,
    has_type: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Get,
    Head,
    Put,
    Delete,
    Part,
}

impl Operation {
    pub fn of(call: &SignedCall) -> Self {
        match call {
            SignedCall::Read { method, .. } => match method {
                ReadMethod::Get => Self::Get,
                ReadMethod::Head => Self::Head,
            },
            SignedCall::Put { .. } => Self::Put,
            SignedCall::Delete { .. } => Self::Delete,
            SignedCall::Parts { .. } => Self::Part,
        }
    }

    pub fn method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put | Self::Part => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// The pair that the SDK says its operation by; HeadObject has none.
    pub fn id(self) -> &'static str {
        match self {
            Self::Get => "x-id=GetObject",
            Self::Head => "",
            Self::Put => "x-id=PutObject",
            Self::Delete => "x-id=DeleteObject",
            Self::Part => "x-id=UploadPart",
        }
    }
}

/// The HTTP method of a call's URLs.
pub(crate) fn method_of(call: &SignedCall) -> &'static str {
    Operation::of(call).method()
}

/// What one URL of a call is for.
pub(super) struct Item<'a> {
    pub key: &'a str,
    pub disposition: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub number: Option<u32>,
}

impl<'a> Item<'a> {
    /// `None`: the call has no such place.
    pub fn of(call: &'a SignedCall, at: usize) -> Option<Self> {
        let bare = |key: &'a str| Self {
            key,
            disposition: None,
            content_type: None,
            number: None,
        };
        match call {
            SignedCall::Read { objects, .. } => objects.get(at).map(|(key, response)| Self {
                disposition: response.content_disposition.as_deref(),
                content_type: response.content_type.as_deref(),
                ..bare(key.as_str())
            }),
            SignedCall::Put { keys, .. } | SignedCall::Delete { keys } => {
                keys.get(at).map(|key| bare(key.as_str()))
            }
            SignedCall::Parts { key, numbers, .. } => numbers.get(at).map(|number| Self {
                number: Some(*number),
                ..bare(key.as_str())
            }),
        }
    }

    /// Whether both have the same query, up to what is the same in all URLs of a call.
    pub fn asks_as(&self, other: &Self) -> bool {
        self.disposition == other.disposition
            && self.content_type == other.content_type
            && self.number == other.number
    }
}

/// The names of headers that are known to be signed as they are, each with a place in [`Shape`].
const NAMES: [&str; 7] = [
    "content-length",
    "content-type",
    "if-none-match",
    "range",
    "x-amz-acl",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
];

/// The shapes of a call's URLs, each with the place of the first URL that has it. `None`: there is
/// something that only the SDK signs, or refuses.
pub(crate) fn shapes_of(
    call: &SignedCall,
    headers: &[(&'static str, String)],
) -> Option<Vec<(Shape, usize)>> {
    let mut names = 0;
    for (name, value) in headers {
        let at = NAMES.iter().position(|known| known == name)?;
        if !is_plain(value) {
            return None;
        }
        names |= 1 << at;
    }
    match call {
        // The SDK takes none that is empty.
        SignedCall::Parts { upload_id, .. } if upload_id.is_empty() => return None,
        SignedCall::Parts { .. }
        | SignedCall::Read { .. }
        | SignedCall::Put { .. }
        | SignedCall::Delete { .. } => {}
    }
    let operation = Operation::of(call);
    let mut shapes: Vec<(Shape, usize)> = Vec::new();
    for at in 0..call.count() {
        let item = Item::of(call, at)?;
        // The SDK takes no key of white space alone.
        if item.key.trim().is_empty() {
            return None;
        }
        let shape = Shape {
            operation,
            headers: names,
            has_disposition: item.disposition.is_some(),
            has_type: item.content_type.is_some(),
        };
        if !shapes.iter().any(|(known, _)| *known == shape) {
            shapes.push((shape, at));
        }
    }
    Some(shapes)
}

/// Whether a header's value is signed as it is: spaces at its ends are not, nor several in a row. The SDK leaves a
/// header without a value out.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| (0x20..0x7f).contains(&b))
        && value.trim_matches(' ').len() == value.len()
        && !value.contains("  ")
}
