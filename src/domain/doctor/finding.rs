//! What the doctor finds.

use crate::domain::check::patch::Patch;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::json::Position;
use std::fmt;

/// How bad a finding is. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It works, with a surprise.
    Warning,
    /// It works and lets more in than is meant.
    Security,
    /// The connection cannot work, or AWS refuses the document.
    Error,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Error, Self::Security, Self::Warning, Self::Note];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Security => "security",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One of the documents that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    PermissionPolicy,
    TrustPolicy,
    BucketPolicy,
    Cors,
    KeyPolicy,
}

impl DocumentKind {
    pub const ALL: [Self; 5] = [
        Self::PermissionPolicy,
        Self::TrustPolicy,
        Self::BucketPolicy,
        Self::Cors,
        Self::KeyPolicy,
    ];

    /// The key of a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PermissionPolicy => "permission_policy",
            Self::TrustPolicy => "trust_policy",
            Self::BucketPolicy => "bucket_policy",
            Self::Cors => "cors",
            Self::KeyPolicy => "key_policy",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// In a sentence, with its article.
    pub fn words(self) -> &'static str {
        match self {
            Self::PermissionPolicy => "the permission policy",
            Self::TrustPolicy => "the trust policy",
            Self::BucketPolicy => "the bucket policy",
            Self::Cors => "the CORS configuration",
            Self::KeyPolicy => "the key policy",
        }
    }

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::PermissionPolicy => "Permission policy",
            Self::TrustPolicy => "Trust policy",
            Self::BucketPolicy => "Bucket policy",
            Self::Cors => "CORS configuration",
            Self::KeyPolicy => "Key policy",
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A JSON Pointer (RFC 6901); empty for the whole document.
    pub path: String,
    pub at: Position,
}

impl Place {
    /// The whole document.
    pub fn whole() -> Self {
        Self {
            path: String::new(),
            at: Position::START,
        }
    }
}

/// One thing that the doctor found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub code: Code,
    pub document: DocumentKind,
    /// The number of the document among those of its kind, from 0.
    pub number: usize,
    pub place: Place,
    pub title: String,
    pub explanation: String,
    pub remedy: String,
    pub patch: Option<Patch>,
}

/// The words of a finding.
pub struct Words {
    pub title: String,
    pub explanation: String,
    pub remedy: String,
}

impl Words {
    pub fn new(
        title: impl Into<String>,
        explanation: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            explanation: explanation.into(),
            remedy: remedy.into(),
        }
    }
}

/// Findings about one document, as they are made.
pub struct Notes {
    document: DocumentKind,
    number: usize,
    found: Vec<Finding>,
}

impl Notes {
    /// The most findings of one document that are reported. The next look shows the rest, once these are mended.
    pub const MOST: usize = 100;
    /// Characters of a finding's title, explanation and remedy together.
    const LONGEST: usize = 1_500;

    pub fn new(document: DocumentKind, number: usize) -> Self {
        Self {
            document,
            number,
            found: Vec::new(),
        }
    }

    pub fn is_full(&self) -> bool {
        self.found.len() >= Self::MOST
    }

    pub fn add(&mut self, severity: Severity, code: Code, place: &Place, words: Words) {
        self.add_with(severity, code, place, words, None);
    }

    pub fn add_with(
        &mut self,
        severity: Severity,
        code: Code,
        place: &Place,
        words: Words,
        patch: Option<Patch>,
    ) {
        let known = |f: &Finding| f.code == code && f.place == *place && f.title == words.title;
        if self.is_full() || self.found.iter().any(known) {
            return;
        }
        let used = words.title.chars().count() + words.remedy.chars().count();
        self.found.push(Finding {
            severity,
            code,
            document: self.document,
            number: self.number,
            place: place.clone(),
            explanation: cut(&words.explanation, Self::LONGEST.saturating_sub(used)),
            title: words.title,
            remedy: words.remedy,
            patch,
        });
    }

    /// Whether there is a finding of this code.
    pub fn has(&self, code: Code) -> bool {
        self.found.iter().any(|finding| finding.code == code)
    }

    /// In the order of the document.
    pub fn into_findings(mut self) -> Vec<Finding> {
        let full = self.is_full();
        self.found
            .sort_by_key(|f| (f.place.at, std::cmp::Reverse(f.severity)));
        if full {
            self.found.push(Finding {
                severity: Severity::Note,
                code: Code::MoreFindings,
                document: self.document,
                number: self.number,
                place: Place::whole(),
                title: "There is more than is listed here".into(),
                explanation: format!(
                    "The first {} findings of this document are listed, and it was not read further.",
                    Self::MOST
                ),
                remedy: "Mend these, and look again.".into(),
                patch: None,
            });
        }
        self.found
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Names in a sentence, each as code: the first few, and how many more.
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 8;
    let quoted: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{}`", crate::domain::invalid::shown(name.as_ref())))
        .collect();
    match names.len() {
        0 => "nothing".into(),
        1..=MOST => match quoted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, first)) => format!("{} and {last}", first.join(", ")),
            None => String::new(),
        },
        more => format!("{} and {} more", quoted.join(", "), more - MOST),
    }
}
