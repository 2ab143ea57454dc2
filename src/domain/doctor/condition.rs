//! Condition blocks, decided as far as what is known of a request goes.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Condition with multiple context
//! keys or values".

use crate::domain::doctor::pattern::{Truth, arn_matches, matches};
use crate::domain::doctor::policy::Condition;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of a request. A key that is not here may have any value, or none.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// By the key in lower case: each state that the key may be in. `None`: the key is absent.
    known: BTreeMap<String, Vec<Option<String>>>,
}

impl Context {
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        let states = vec![Some(value.into())];
        self.known.insert(key.to_ascii_lowercase(), states);
    }

    pub fn absent(&mut self, key: &str) {
        self.known.insert(key.to_ascii_lowercase(), vec![None]);
    }

    /// One of these values.
    pub fn either(&mut self, key: &str, values: &[&str]) {
        let states = values.iter().map(|value| Some((*value).to_owned()));
        self.known
            .insert(key.to_ascii_lowercase(), states.collect());
    }

    /// Absent, or this value.
    pub fn maybe(&mut self, key: &str, value: impl Into<String>) {
        let states = vec![None, Some(value.into())];
        self.known.insert(key.to_ascii_lowercase(), states);
    }
}

/// An operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    pub set: Option<SetOperator>,
    pub base: Base,
    pub negated: bool,
    pub if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Arn,
    Bool,
    Null,
    IpAddress,
    Binary,
    Numeric(Order),
    Date(Order),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// Every operator without what may be added to it.
pub const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
    "Null",
];

impl Operator {
    pub fn parse(text: &str) -> Option<Self> {
        let (set, rest) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(SetOperator::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(SetOperator::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, text),
        };
        let (rest, if_exists) = match rest.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let order = |name: &str| {
            Some(match name {
                "Equals" | "NotEquals" => Order::Equals,
                "LessThan" => Order::LessThan,
                "LessThanEquals" => Order::LessThanEquals,
                "GreaterThan" => Order::GreaterThan,
                "GreaterThanEquals" => Order::GreaterThanEquals,
                _ => return None,
            })
        };
        let base = match rest {
            "StringEquals" | "StringNotEquals" => Base::StringEquals,
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => Base::StringEqualsIgnoreCase,
            "StringLike" | "StringNotLike" => Base::StringLike,
            "ArnEquals" | "ArnNotEquals" | "ArnLike" | "ArnNotLike" => Base::Arn,
            "Bool" => Base::Bool,
            "Null" if !if_exists => Base::Null,
            "IpAddress" | "NotIpAddress" => Base::IpAddress,
            "BinaryEquals" => Base::Binary,
            _ => match rest.strip_prefix("Numeric") {
                Some(name) => Base::Numeric(order(name)?),
                None => Base::Date(order(rest.strip_prefix("Date")?)?),
            },
        };
        Some(Self {
            set,
            base,
            negated: rest.contains("Not"),
            if_exists,
        })
    }
}

/// Whether all conditions hold.
pub fn all_hold(conditions: &[Condition], context: &Context, variables: bool) -> Truth {
    conditions
        .iter()
        .map(|condition| holds(condition, context, variables))
        .fold(Truth::Yes, Truth::and)
}

pub fn holds(condition: &Condition, context: &Context, variables: bool) -> Truth {
    let Some(operator) = Operator::parse(&condition.operator) else {
        return Truth::Unknown;
    };
    let Some(states) = context.known.get(&condition.key.to_ascii_lowercase()) else {
        return unknown_key(operator, condition);
    };
    let mut answers = states
        .iter()
        .map(|state| in_state(operator, condition, state.as_deref(), variables));
    let first = answers.next().unwrap_or(Truth::Unknown);
    match answers.all(|answer| answer == first) {
        true => first,
        false => Truth::Unknown,
    }
}

/// A few conditions hold whatever the key's value is.
fn unknown_key(operator: Operator, condition: &Condition) -> Truth {
    let everything = condition.values.iter().any(|value| value.text == "*");
    let lax = operator.if_exists || operator.set == Some(SetOperator::ForAllValues);
    let like = matches!(operator.base, Base::StringLike | Base::Arn);
    match everything && lax && like && !operator.negated {
        true => Truth::Yes,
        false => Truth::Unknown,
    }
}

fn in_state(
    operator: Operator,
    condition: &Condition,
    state: Option<&str>,
    variables: bool,
) -> Truth {
    if operator.base == Base::Null {
        let wanted = condition.values.iter().map(|value| value.text.as_str());
        let is_absent = state.is_none();
        return Truth::any(wanted.map(|wanted| Truth::of((wanted == "true") == is_absent)));
    }
    let Some(state) = state else {
        let holds = match operator.set {
            Some(SetOperator::ForAllValues) => true,
            Some(SetOperator::ForAnyValue) => operator.if_exists,
            None => operator.negated || operator.if_exists,
        };
        return Truth::of(holds);
    };
    let any = Truth::any(
        condition
            .values
            .iter()
            .map(|value| one(operator.base, &value.text, state, variables)),
    );
    match operator.negated {
        true => any.not(),
        false => any,
    }
}

fn one(base: Base, value: &str, state: &str, variables: bool) -> Truth {
    match base {
        Base::StringEquals => literal(value, state, variables),
        Base::StringEqualsIgnoreCase => {
            literal(&value.to_lowercase(), &state.to_lowercase(), variables)
        }
        Base::StringLike => matches(value, state, variables),
        Base::Arn => arn_matches(value, state, variables),
        Base::Bool => Truth::of(value.eq_ignore_ascii_case(state)),
        Base::IpAddress => match (network(value), state.parse::<IpAddr>()) {
            (Some(network), Ok(address)) => Truth::of(network.contains(&address)),
            _ => Truth::Unknown,
        },
        Base::Numeric(order) => match (value.parse::<f64>(), state.parse::<f64>()) {
            (Ok(value), Ok(state)) => Truth::of(match order {
                Order::Equals => state == value,
                Order::LessThan => state < value,
                Order::LessThanEquals => state <= value,
                Order::GreaterThan => state > value,
                Order::GreaterThanEquals => state >= value,
            }),
            _ => Truth::Unknown,
        },
        // Nothing that is known of a request is a date or binary.
        Base::Binary | Base::Date(_) => Truth::Unknown,
        // Decided before there is a value.
        Base::Null => Truth::Unknown,
    }
}

/// Compares without wildcards; an escape or variable is read all the same.
fn literal(value: &str, state: &str, variables: bool) -> Truth {
    if !value.contains("${") || !variables {
        return Truth::of(value == state);
    }
    let escaped = value
        .replace("${*}", "*")
        .replace("${?}", "?")
        .replace("${$}", "$");
    match crate::domain::doctor::pattern::variables(value).is_empty() {
        true => Truth::of(escaped == state),
        false => Truth::Unknown,
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doctor::finding::Place;
    use crate::domain::doctor::policy::Item;

    fn condition(operator: &str, values: &[&str]) -> Condition {
        let place = Place::whole();
        Condition {
            operator: operator.into(),
            key: "K".into(),
            values: values
                .iter()
                .map(|text| Item {
                    text: (*text).into(),
                    place: place.clone(),
                })
                .collect(),
            place,
        }
    }

    #[test]
    fn every_operator_parses_with_all_that_may_be_added() {
        for name in OPERATORS {
            assert!(Operator::parse(name).is_some(), "{name}");
            for set in ["ForAllValues", "ForAnyValue"] {
                assert!(Operator::parse(&format!("{set}:{name}")).is_some());
            }
            let with = Operator::parse(&format!("{name}IfExists"));
            assert_eq!(with.is_some(), name != "Null", "{name}");
        }
        assert!(Operator::parse("stringequals").is_none());
        assert!(Operator::parse("StringEqual").is_none());
    }

    #[test]
    fn absent_known_and_unknown_keys() {
        use Truth::{No, Unknown, Yes};
        let (mut absent, mut value, mut maybe) =
            (Context::default(), Context::default(), Context::default());
        absent.absent("k");
        value.set("k", "Ab");
        maybe.maybe("k", "false");
        let unknown = Context::default();
        for (operator, values, context, expected) in [
            ("StringEquals", vec!["Ab"], &value, Yes),
            ("StringEquals", vec!["ab"], &value, No),
            ("StringEqualsIgnoreCase", vec!["ab"], &value, Yes),
            ("StringLike", vec!["A*"], &value, Yes),
            ("StringNotLike", vec!["A*", "x"], &value, No),
            ("StringNotEquals", vec!["x"], &absent, Yes),
            ("StringEquals", vec!["x"], &absent, No),
            ("StringEqualsIfExists", vec!["x"], &absent, Yes),
            ("ForAllValues:StringEquals", vec!["x"], &absent, Yes),
            ("ForAnyValue:StringEquals", vec!["x"], &absent, No),
            ("ForAnyValue:StringNotEquals", vec!["x"], &absent, No),
            ("Null", vec!["true"], &absent, Yes),
            ("Null", vec!["false"], &absent, No),
            ("Null", vec!["false"], &value, Yes),
            ("Bool", vec!["true"], &maybe, No),
            ("BoolIfExists", vec!["true"], &maybe, Unknown),
            ("StringEquals", vec!["x"], &unknown, Unknown),
            ("StringLikeIfExists", vec!["*"], &unknown, Yes),
        ] {
            let condition = condition(operator, &values);
            assert_eq!(
                holds(&condition, context, true),
                expected,
                "{operator} {values:?}"
            );
        }
        let mut address = Context::default();
        address.set("k", "203.0.113.7");
        let inside = condition("IpAddress", &["203.0.113.0/24"]);
        assert_eq!(holds(&inside, &address, true), Yes);
        assert_eq!(
            holds(
                &condition("NotIpAddress", &["203.0.113.0/24"]),
                &address,
                true
            ),
            No
        );
    }
}
