//! JSON as people paste it, read with positions.
//!
//! Comments, commas before a closing bracket, a byte order mark and names that are there twice are read, and
//! reported as faults: AWS refuses them, and whoever pasted them is told where they are. What cannot be read at
//! all is one fault at its place.

use std::collections::HashSet;

/// A place in a text: line and column count from 1, in characters. A byte order mark counts as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    pub const START: Self = Self { line: 1, column: 1 };
}

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub at: Position,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In their order; a name may be there twice.
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub name: String,
    pub name_at: Position,
    pub value: Node,
}

impl Node {
    /// The member of this name; the last, where there are several, as JSON readers take it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members()
            .iter()
            .rev()
            .find(|member| member.name == name)
            .map(|member| &member.value)
    }

    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                &[]
            }
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// The value for a document of ours. Of members with one name the last remains.
    pub fn plain(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(text) => serde_json::from_str(text).unwrap_or(serde_json::Value::Null),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::plain).collect(),
            Value::Object(members) => members
                .iter()
                .map(|member| (member.name.clone(), member.value.plain()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// What AWS's readers do not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub at: Position,
    /// A JSON Pointer to the value that it is in.
    pub path: String,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    ByteOrderMark,
    Comment,
    TrailingComma,
    /// The name that is there twice.
    DuplicateName(String),
    /// Nothing after this place was read. What is wrong, as a sentence.
    Broken(String),
}

/// A text, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// None where the text is no JSON.
    pub root: Option<Node>,
    pub faults: Vec<Fault>,
    /// Its length in characters, without white space between values. IAM counts so.
    pub length: usize,
}

/// Values may stand this deep in each other. No policy comes near it.
const DEEPEST: usize = 64;
/// Faults that are told of; more of them tell nothing new.
const MOST_FAULTS: usize = 50;

/// Reads a text. Never fails: what is wrong is among the faults.
pub fn read(text: &str) -> Read {
    let mut reader = Reader {
        chars: text.chars().collect(),
        next: 0,
        at: Position::START,
        path: Vec::new(),
        faults: Vec::new(),
        length: 0,
    };
    if reader.peek() == Some('\u{feff}') {
        reader.next = 1;
        reader.fault(Position::START, FaultKind::ByteOrderMark);
    }
    let root = match reader.document() {
        Ok(root) => Some(root),
        Err(Stopped(at, words)) => {
            let path = reader.pointer();
            let kind = FaultKind::Broken(words);
            reader.faults.push(Fault { at, path, kind });
            None
        }
    };
    Read {
        root,
        faults: reader.faults,
        length: reader.length,
    }
}

/// A segment of a JSON Pointer (RFC 6901).
pub fn segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

struct Stopped(Position, String);

struct Reader {
    chars: Vec<char>,
    next: usize,
    at: Position,
    path: Vec<String>,
    faults: Vec<Fault>,
    length: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.next).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.next += 1;
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    fn pointer(&self) -> String {
        self.path.concat()
    }

    fn fault(&mut self, at: Position, kind: FaultKind) {
        if self.faults.len() < MOST_FAULTS {
            let path = self.pointer();
            self.faults.push(Fault { at, path, kind });
        }
    }

    fn document(&mut self) -> Result<Node, Stopped> {
        let root = self.value()?;
        self.blank()?;
        match self.peek() {
            None => Ok(root),
            Some(c) => Err(self.stopped(format!(
                "The document ends before `{}`, and there is more text.",
                c.escape_debug()
            ))),
        }
    }

    fn stopped(&self, words: impl Into<String>) -> Stopped {
        Stopped(self.at, words.into())
    }

    /// Passes white space and comments.
    fn blank(&mut self) -> Result<(), Stopped> {
        loop {
            match (self.peek(), self.chars.get(self.next + 1)) {
                (Some(' ' | '\t' | '\n' | '\r'), _) => {
                    self.take();
                }
                (Some('#'), _) | (Some('/'), Some('/')) => {
                    self.fault(self.at, FaultKind::Comment);
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.take();
                    }
                }
                (Some('/'), Some('*')) => {
                    let begun = self.at;
                    self.fault(begun, FaultKind::Comment);
                    self.take();
                    self.take();
                    loop {
                        match self.take() {
                            Some('*') if self.peek() == Some('/') => break,
                            Some(_) => {}
                            None => {
                                return Err(Stopped(begun, "A comment has no end.".into()));
                            }
                        }
                    }
                    self.take();
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self) -> Result<Node, Stopped> {
        self.blank()?;
        let at = self.at;
        if self.path.len() > DEEPEST {
            return Err(self.stopped("The values stand too deep in each other."));
        }
        let value = match self.peek() {
            None => return Err(self.stopped("The text ends where a value must be.")),
            Some('{') => self.object()?,
            Some('[') => self.list()?,
            Some('"') => Value::Text(self.string()?),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => self.word()?,
            Some(c) => return Err(self.unexpected(c, "a value")),
        };
        Ok(Node { at, value })
    }

    fn unexpected(&self, c: char, wanted: &str) -> Stopped {
        self.stopped(match c {
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => format!(
                "`{c}` is a typographic quotation mark, as word processors make it. JSON needs `\"`."
            ),
            '\'' | '\u{2018}' | '\u{2019}' | '`' => {
                format!("`{c}` begins a text here. JSON needs the double quotation mark `\"`.")
            }
            '\u{a0}' | '\u{200b}' | '\u{2003}' | '\u{2009}' | '\u{3000}' => {
                "A blank of another kind than the space is here. It comes of copying from a page.".into()
            }
            c => format!("`{}` is where {wanted} must be.", c.escape_debug()),
        })
    }

    /// After a value in a list or object: whether another follows.
    fn goes_on(&mut self, end: char) -> Result<bool, Stopped> {
        self.blank()?;
        match self.peek() {
            Some(',') => {
                let comma = self.at;
                self.mark();
                self.blank()?;
                if self.peek() == Some(end) {
                    self.fault(comma, FaultKind::TrailingComma);
                    self.mark();
                    return Ok(false);
                }
                Ok(true)
            }
            Some(c) if c == end => {
                self.mark();
                Ok(false)
            }
            Some('"' | '{' | '[') => Err(self.stopped("A comma is missing before this value.")),
            Some(c) => Err(self.unexpected(c, &format!("`,` or `{end}`"))),
            None => Err(self.stopped(format!("The text ends before `{end}`."))),
        }
    }

    /// Takes a character that counts.
    fn mark(&mut self) {
        self.take();
        self.length += 1;
    }

    fn object(&mut self) -> Result<Value, Stopped> {
        self.mark();
        let mut members = Vec::new();
        let mut names = HashSet::new();
        self.blank()?;
        if self.peek() == Some('}') {
            self.mark();
            return Ok(Value::Object(members));
        }
        loop {
            self.blank()?;
            let name_at = self.at;
            let name = match self.peek() {
                Some('"') => self.string()?,
                Some(c) => return Err(self.unexpected(c, "a name in quotation marks")),
                None => return Err(self.stopped("The text ends before `}`.")),
            };
            self.path.push(segment(&name));
            if !names.insert(name.clone()) {
                self.fault(name_at, FaultKind::DuplicateName(name.clone()));
            }
            self.blank()?;
            match self.peek() {
                Some(':') => self.mark(),
                Some(c) => return Err(self.unexpected(c, "`:`")),
                None => return Err(self.stopped("The text ends after a name.")),
            }
            let value = self.value()?;
            self.path.pop();
            members.push(Member {
                name,
                name_at,
                value,
            });
            if !self.goes_on('}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn list(&mut self) -> Result<Value, Stopped> {
        self.mark();
        let mut items = Vec::new();
        self.blank()?;
        if self.peek() == Some(']') {
            self.mark();
            return Ok(Value::List(items));
        }
        loop {
            self.path.push(format!("/{}", items.len()));
            items.push(self.value()?);
            self.path.pop();
            if !self.goes_on(']')? {
                return Ok(Value::List(items));
            }
        }
    }

    fn string(&mut self) -> Result<String, Stopped> {
        let begun = self.at;
        self.mark();
        let mut out = String::new();
        loop {
            let at = self.at;
            match self.take() {
                None => return Err(Stopped(begun, "A text has no end.".into())),
                Some('"') => {
                    self.length += 1;
                    return Ok(out);
                }
                Some('\\') => {
                    self.length += 1;
                    out.push(self.escape(at)?);
                }
                Some('\n' | '\r') => {
                    return Err(Stopped(at, "A text goes over the end of its line.".into()));
                }
                Some(c) => {
                    self.length += 1;
                    out.push(c);
                }
            }
        }
    }

    fn escape(&mut self, at: Position) -> Result<char, Stopped> {
        let unknown = || Stopped(at, "This is no escape of JSON.".to_owned());
        let c = self.take().ok_or_else(unknown)?;
        self.length += 1;
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit().ok_or_else(unknown)?;
                let mut units = vec![first];
                if (0xd800..0xdc00).contains(&first) {
                    if self.take() != Some('\\') || self.take() != Some('u') {
                        return Err(unknown());
                    }
                    self.length += 2;
                    units.push(self.unit().ok_or_else(unknown)?);
                }
                let decoded = char::decode_utf16(units).next();
                decoded.and_then(Result::ok).ok_or_else(unknown)?
            }
            _ => return Err(unknown()),
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.take()?.to_digit(16)?;
            unit = unit * 16 + u16::try_from(digit).ok()?;
        }
        self.length += 4;
        Some(unit)
    }

    fn run(&mut self, part: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek().filter(|c| part(*c)) {
            out.push(c);
            self.mark();
        }
        out
    }

    fn number(&mut self) -> Result<Value, Stopped> {
        let at = self.at;
        let text = self.run(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        match serde_json::from_str::<serde_json::Number>(&text) {
            Ok(_) => Ok(Value::Number(text)),
            Err(_) => Err(Stopped(at, "This is no number of JSON.".into())),
        }
    }

    fn word(&mut self) -> Result<Value, Stopped> {
        let at = self.at;
        match self.run(|c| c.is_ascii_alphanumeric() || c == '_').as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => Err(Stopped(
                at,
                "A text is not in quotation marks here.".to_owned(),
            )),
        }
    }
}
