//! A broken world, as data: how a correct setup is broken, and what is then true.

use crate::it::support::aws::wire::{Reply, Request};
use crate::it::worlds::account::Account;
use crate::it::worlds::kms::Key;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the documents of a world name.
#[derive(Clone, Debug)]
pub struct Names {
    pub bucket: String,
    /// With its slash, or empty.
    pub prefix: String,
    pub external_id: String,
    /// That of the workspace's other setup, where it has one.
    pub other_id: String,
    /// The account of the service.
    pub vendor: String,
    /// The customer's account.
    pub account: String,
    pub role_arn: String,
    pub key_arn: String,
}

impl Names {
    pub fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    pub fn objects_arn(&self) -> String {
        format!("arn:aws:s3:::{}/{}*", self.bucket, self.prefix)
    }

    /// A statement of the bucket's policy that denies this to everybody.
    pub fn deny(&self, actions: &[&str], condition: Value) -> Value {
        let mut statement = json!({
            "Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": actions,
            "Resource": [self.bucket_arn(), format!("{}/*", self.bucket_arn())],
        });
        if actions.iter().all(|action| action.contains("Object")) {
            statement["Resource"] = json!([format!("{}/*", self.bucket_arn())]);
        }
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    }
}

pub type Edit = fn(Value, &Names) -> Value;
pub type Make = fn(&Names) -> Value;
/// Answers a request in AWS's place, where the emulator cannot show the case.
pub type Wire = Arc<dyn Fn(&Request, &Account, &Names) -> Option<Reply> + Send + Sync>;

/// What is in the bucket, or around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no such bucket.
    NoBucket,
    /// Nothing is in it.
    Empty,
    /// It keeps versions.
    Versioned,
    /// It is in another Region.
    Elsewhere(&'static str),
    /// A file at this key, and none below the prefix.
    OnlyAt(&'static str),
    /// The role is not there.
    NoRole,
    /// The role has no permission policy.
    NoPolicy,
    /// The workspace has another setup.
    OtherSetup,
}

/// How a connection signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Role,
    /// A key of a user, on AWS.
    Key,
    /// A key of a user, on the emulator as an S3-compatible store.
    KeyAtStore,
}

/// Which service is asked: they differ in what their operator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origins {
    One,
    /// `https://app.example.com` and `https://admin.example.com`.
    Two,
    /// `https://app.example.com:8443`.
    WithPort,
}

/// A finding that the report must have.
#[derive(Clone, Debug)]
pub struct Expected {
    pub code: &'static str,
    pub side: &'static str,
    pub certainty: &'static str,
    pub patch: Offer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A patch of this target, which mends it.
    Mends(&'static str),
    /// No document mends it: a patch is offered in vain.
    Nothing,
    /// It cannot be told from outside whether the document mends it.
    Either,
}

pub struct World {
    pub name: &'static str,
    pub access: &'static str,
    pub prefix: &'static str,
    /// The prefix as somebody typed it, where that is another one than the files have.
    pub typed_prefix: Option<&'static str>,
    pub by: By,
    pub origins: Origins,
    pub is_browsed: bool,
    pub trust: Option<Edit>,
    pub permissions: Option<Edit>,
    pub bucket_policy: Option<Make>,
    /// `null`: no CORS configuration.
    pub cors: Option<Make>,
    pub states: Vec<State>,
    /// Settings that are set after the documents were applied.
    pub settings: Option<Make>,
    pub key: Option<Key>,
    pub wires: Vec<Wire>,
    /// The account that owns the bucket, where it is not the role's.
    pub owner: Option<&'static str>,
    pub expected: Vec<Expected>,
    /// Codes that show themselves once the first are mended.
    pub uncovered: Vec<Expected>,
    /// What the report must not say: parts of its words.
    pub never: Vec<&'static str>,
    /// What it must say.
    pub says: Vec<&'static str>,
    /// Whether the patches are also applied by their AWS CLI commands.
    pub by_cli: bool,
}

/// A connection with everything right: read and write access below `team/`, by role.
pub fn world(name: &'static str) -> World {
    World {
        name,
        access: "read_write",
        prefix: "team/",
        typed_prefix: None,
        by: By::Role,
        origins: Origins::One,
        is_browsed: true,
        trust: None,
        permissions: None,
        bucket_policy: None,
        cors: None,
        states: Vec::new(),
        settings: None,
        key: None,
        wires: Vec::new(),
        owner: None,
        expected: Vec::new(),
        uncovered: Vec::new(),
        never: Vec::new(),
        says: Vec::new(),
        by_cli: false,
    }
}

impl World {
    pub fn read_only(self) -> Self {
        Self {
            access: "read",
            ..self
        }
    }

    pub fn prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    pub fn typed_prefix(self, typed: &'static str) -> Self {
        Self {
            typed_prefix: Some(typed),
            ..self
        }
    }

    pub fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    pub fn origins(self, origins: Origins) -> Self {
        Self { origins, ..self }
    }

    pub fn not_browsed(self) -> Self {
        Self {
            is_browsed: false,
            ..self
        }
    }

    pub fn trust(self, edit: Edit) -> Self {
        Self {
            trust: Some(edit),
            ..self
        }
    }

    pub fn permissions(self, edit: Edit) -> Self {
        Self {
            permissions: Some(edit),
            ..self
        }
    }

    pub fn bucket_policy(self, make: Make) -> Self {
        Self {
            bucket_policy: Some(make),
            ..self
        }
    }

    pub fn cors(self, make: Make) -> Self {
        Self {
            cors: Some(make),
            ..self
        }
    }

    pub fn state(mut self, state: State) -> Self {
        self.states.push(state);
        self
    }

    pub fn settings(self, make: Make) -> Self {
        Self {
            settings: Some(make),
            ..self
        }
    }

    pub fn key(self, key: Key) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    pub fn owner(self, account: &'static str) -> Self {
        Self {
            owner: Some(account),
            ..self
        }
    }

    pub fn wire(
        mut self,
        rule: impl Fn(&Request, &Account, &Names) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        self.wires.push(Arc::new(rule));
        self
    }

    /// Every call of an operation is answered so.
    pub fn answers(self, operation: &'static str, reply: Reply) -> Self {
        self.wire(move |request, _, _| (request.operation() == operation).then(|| reply.clone()))
    }

    pub fn finds(
        mut self,
        code: &'static str,
        side: &'static str,
        certainty: &'static str,
    ) -> Self {
        self.expected.push(Expected {
            code,
            side,
            certainty,
            patch: Offer::Nothing,
        });
        self
    }

    /// The patch of the last finding mends it.
    pub fn mended_by(mut self, target: &'static str) -> Self {
        let last = self.uncovered.last_mut().or(self.expected.last_mut());
        last.unwrap().patch = Offer::Mends(target);
        self
    }

    /// Whether its patch mends it cannot be told from outside.
    pub fn may_be_mended(mut self) -> Self {
        let last = self.uncovered.last_mut().or(self.expected.last_mut());
        last.unwrap().patch = Offer::Either;
        self
    }

    /// Shows itself at the next check.
    pub fn then(mut self, code: &'static str, side: &'static str, certainty: &'static str) -> Self {
        self.uncovered.push(Expected {
            code,
            side,
            certainty,
            patch: Offer::Nothing,
        });
        self
    }

    pub fn never(mut self, words: &[&'static str]) -> Self {
        self.never.extend_from_slice(words);
        self
    }

    pub fn says(mut self, words: &[&'static str]) -> Self {
        self.says.extend_from_slice(words);
        self
    }

    pub fn cli(self) -> Self {
        Self {
            by_cli: true,
            ..self
        }
    }

    /// Whether the emulator shows it, without an answer of ours in between.
    pub fn is_on_emulator(&self) -> bool {
        self.wires.is_empty() && self.key.is_none() && self.owner.is_none()
    }
}

/// Whose it is, as in the API.
pub const CUSTOMER: &str = "customer_account";
pub const ORGANIZATION: &str = "customer_organization";
pub const SERVICE: &str = "service";
pub const SETTINGS: &str = "settings";
pub const AWS: &str = "aws";
pub const NETWORK: &str = "network";
/// How sure it is, as in the API.
pub const PROVED: &str = "proved";
pub const LIKELY: &str = "likely";
pub const ONE_OF: &str = "one_of";
