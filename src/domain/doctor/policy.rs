//! A policy with the places of its parts. What is not of the right form is left out here and reported by
//! `grammar`.

use crate::domain::doctor::finding::Place;
use crate::domain::doctor::json::{Node, Value, segment};

/// A policy, as far as it can be read.
#[derive(Debug, Clone)]
pub struct Policy {
    pub statements: Vec<Statement>,
    /// Whether it is of version 2012-10-17, the only one with policy variables.
    pub variables: bool,
    /// Where its list of statements is.
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone)]
pub struct Statement {
    pub place: Place,
    pub sid: Option<String>,
    pub effect: Effect,
    pub actions: Choice,
    /// None: the policy has no resources, as a trust policy.
    pub resources: Option<Choice>,
    /// None: the policy has no principals, as an identity's.
    pub principals: Option<Principals>,
    pub conditions: Vec<Condition>,
}

/// Some of all: those that are listed, or (`NotAction`, `NotResource`) all others.
#[derive(Debug, Clone)]
pub struct Choice {
    pub negated: bool,
    pub items: Vec<Item>,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub text: String,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub struct Principals {
    pub negated: bool,
    pub items: Vec<PrincipalItem>,
    pub place: Place,
}

#[derive(Debug, Clone)]
pub struct PrincipalItem {
    /// `AWS`, `Service`, `Federated`, `CanonicalUser`; `*` for the bare wildcard.
    pub kind: String,
    pub item: Item,
}

/// One key under one operator.
#[derive(Debug, Clone)]
pub struct Condition {
    pub operator: String,
    pub key: String,
    pub place: Place,
    pub values: Vec<Item>,
}

impl Statement {
    /// How it is called in a sentence.
    pub fn name(&self) -> String {
        match &self.sid {
            Some(sid) if !sid.is_empty() => {
                format!("the statement `{}`", crate::domain::invalid::shown(sid))
            }
            _ => format!("the statement in line {}", self.place.at.line),
        }
    }

    pub fn condition_place(&self) -> &Place {
        self.conditions
            .first()
            .map_or(&self.place, |condition| &condition.place)
    }
}

impl Policy {
    pub fn of(root: &Node) -> Self {
        let statements = root.get("Statement");
        let place = Place {
            path: statements.map_or(String::new(), |_| "/Statement".to_owned()),
            at: statements.map_or(root.at, |node| node.at),
        };
        let nodes = statements.map_or(Vec::new(), |node| each(node, "/Statement"));
        Self {
            statements: nodes
                .into_iter()
                .filter_map(|(node, path)| statement(node, path))
                .collect(),
            variables: root.get("Version").and_then(Node::text) == Some("2012-10-17"),
            place,
        }
    }
}

/// The items of a list, or the single value in its place, with their paths.
pub fn each<'a>(node: &'a Node, path: &str) -> Vec<(&'a Node, String)> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (item, format!("{path}/{index}")))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            vec![(node, path.to_owned())]
        }
    }
}

fn statement(node: &Node, path: String) -> Option<Statement> {
    let Value::Object(_) = node.value else {
        return None;
    };
    let effect_node = node.get("Effect")?;
    let effect = match effect_node.text()? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        _ => return None,
    };
    let actions = choice(node, &path, "Action", "NotAction")?;
    Some(Statement {
        sid: node.get("Sid").and_then(Node::text).map(str::to_owned),
        effect,
        actions,
        resources: choice(node, &path, "Resource", "NotResource"),
        principals: principals(node, &path),
        conditions: conditions(node, &path),
        place: Place { path, at: node.at },
    })
}

fn choice(node: &Node, path: &str, name: &str, not_name: &str) -> Option<Choice> {
    let (negated, name, value) = match (node.get(name), node.get(not_name)) {
        (Some(value), _) => (false, name, value),
        (None, Some(value)) => (true, not_name, value),
        (None, None) => return None,
    };
    let path = format!("{path}/{name}");
    Some(Choice {
        negated,
        items: texts(value, &path),
        place: Place { path, at: value.at },
    })
}

fn texts(node: &Node, path: &str) -> Vec<Item> {
    each(node, path)
        .into_iter()
        .filter_map(|(node, path)| {
            let text = match &node.value {
                Value::Text(text) | Value::Number(text) => text.clone(),
                Value::Bool(value) => value.to_string(),
                Value::Null | Value::List(_) | Value::Object(_) => return None,
            };
            let place = Place { path, at: node.at };
            Some(Item { text, place })
        })
        .collect()
}

fn principals(node: &Node, path: &str) -> Option<Principals> {
    let (negated, name, value) = match (node.get("Principal"), node.get("NotPrincipal")) {
        (Some(value), _) => (false, "Principal", value),
        (None, Some(value)) => (true, "NotPrincipal", value),
        (None, None) => return None,
    };
    let path = format!("{path}/{name}");
    let place = Place {
        path: path.clone(),
        at: value.at,
    };
    let items = match &value.value {
        Value::Object(members) => members
            .iter()
            .flat_map(|member| {
                let path = format!("{path}{}", segment(&member.name));
                texts(&member.value, &path)
                    .into_iter()
                    .map(|item| PrincipalItem {
                        kind: member.name.clone(),
                        item,
                    })
            })
            .collect(),
        Value::Text(text) if text == "*" => vec![PrincipalItem {
            kind: "*".into(),
            item: Item {
                text: text.clone(),
                place: place.clone(),
            },
        }],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Vec::new()
        }
    };
    Some(Principals {
        negated,
        items,
        place,
    })
}

fn conditions(node: &Node, path: &str) -> Vec<Condition> {
    let Some(condition) = node.get("Condition") else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for operator in condition.members() {
        let path = format!("{path}/Condition{}", segment(&operator.name));
        for key in operator.value.members() {
            let path = format!("{path}{}", segment(&key.name));
            all.push(Condition {
                operator: operator.name.clone(),
                key: key.name.clone(),
                values: texts(&key.value, &path),
                place: Place {
                    path,
                    at: key.name_at,
                },
            });
        }
    }
    all
}
