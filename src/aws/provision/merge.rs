//! Merging the documents' rules into those that a bucket has.
//!
//! S3 replaces a bucket's CORS and lifecycle configurations as a whole, so all rules of the customer's go
//! back with ours.

use crate::application::connections::provision::{ProvisionChange, ProvisionedPart};

/// A rule with an optional ID.
pub(super) trait Rule: Clone + PartialEq {
    fn id(&self) -> Option<&str>;
    /// The same rule with another ID.
    fn with_id(self, id: Option<String>) -> Self;
    /// The ID that earlier versions gave to this rule of ours.
    fn earlier_id(&self) -> Option<&str> {
        None
    }
    /// What the rule does, for the administrator.
    fn described(&self) -> String;
}

/// What a look at the bucket's rules came to.
#[derive(Debug, PartialEq)]
pub(super) struct Plan<T> {
    pub part: ProvisionedPart,
    /// All rules to put. `None`: nothing is to be changed. Empty: the configuration is to be deleted.
    pub rules: Option<Vec<T>>,
}

impl<T: Rule> Plan<T> {
    pub fn skipped() -> Self {
        Self {
            part: ProvisionedPart::new(ProvisionChange::Skipped, Vec::new()),
            rules: None,
        }
    }

    /// Puts each wanted rule in the place of the one with its ID, or before all others. S3 takes the first
    /// CORS rule that matches, so a wide rule of the customer's must not come before ours.
    pub fn apply(wanted: Vec<T>, found: &[T]) -> Self {
        let mut rules = found.to_vec();
        let mut details = Vec::new();
        for rule in wanted.into_iter().rev() {
            if found.iter().any(|other| is_applied(&rule, other)) {
                continue;
            }
            let place = rules.iter().position(|other| has_id_of(&rule, other));
            match place {
                Some(place) => {
                    details.push(format!("Replace: {}", rules[place].described()));
                    details.push(format!("By:      {}", rule.described()));
                    rules[place] = rule.clone();
                    // One of an earlier version beside it.
                    rules.retain(|other| *other == rule || !has_id_of(&rule, other));
                }
                None => {
                    details.push(format!("Add:     {}", rule.described()));
                    rules.insert(0, rule);
                }
            }
        }
        if details.is_empty() {
            return Self {
                part: ProvisionedPart::new(ProvisionChange::Unchanged, details),
                rules: None,
            };
        }
        let change = match found.is_empty() {
            true => ProvisionChange::Created,
            false => ProvisionChange::Updated,
        };
        let kept = rules.iter().filter(|rule| found.contains(rule)).count();
        if kept > 0 {
            details.push(format!("Keep:    {kept} of the bucket's own"));
        }
        Self {
            part: ProvisionedPart::new(change, details),
            rules: Some(rules),
        }
    }

    /// Takes the wanted rules away: those with their IDs, and those that are the same but for an ID.
    pub fn remove(wanted: &[T], found: &[T]) -> Self {
        let is_ours = |rule: &T| {
            wanted
                .iter()
                .any(|own| is_applied(own, rule) || has_id_of(own, rule))
        };
        let (ours, rest): (Vec<T>, Vec<T>) = found.iter().cloned().partition(is_ours);
        if ours.is_empty() {
            return Self {
                part: ProvisionedPart::new(ProvisionChange::Absent, Vec::new()),
                rules: None,
            };
        }
        let mut details: Vec<String> = ours
            .iter()
            .map(|rule| format!("Remove:  {}", rule.described()))
            .collect();
        if !rest.is_empty() {
            details.push(format!("Keep:    {} of the bucket's own", rest.len()));
        }
        Self {
            part: ProvisionedPart::new(ProvisionChange::Removed, details),
            rules: Some(rest),
        }
    }
}

/// Whether a rule that the bucket has is ours by its ID.
fn has_id_of<T: Rule>(wanted: &T, found: &T) -> bool {
    found
        .id()
        .is_some_and(|id| wanted.id() == Some(id) || wanted.earlier_id() == Some(id))
}

/// Whether a rule that the bucket has is the wanted one. A rule that was entered by hand may have no ID.
fn is_applied<T: Rule>(wanted: &T, found: &T) -> bool {
    found == wanted || (found.id().is_none() && *found == wanted.clone().with_id(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProvisionChange::{Absent, Created, Removed, Unchanged, Updated};

    /// An ID and what the rule does.
    type Sample = (Option<String>, u8);

    impl Rule for Sample {
        fn id(&self) -> Option<&str> {
            self.0.as_deref()
        }

        fn with_id(self, id: Option<String>) -> Self {
            (id, self.1)
        }

        fn described(&self) -> String {
            format!("{self:?}")
        }
    }

    fn rule(id: &str, what: u8) -> Sample {
        ((!id.is_empty()).then(|| id.to_owned()), what)
    }

    #[test]
    fn rules_of_others_stay_and_ours_go_first_or_into_their_place() {
        let applied = |wanted: &[Sample], found: &[Sample]| {
            let plan = Plan::apply(wanted.to_vec(), found);
            (plan.part.change, plan.rules)
        };
        let (own, other, nameless) = (rule("own", 1), rule("other", 2), rule("", 3));
        let wanted = [own.clone(), rule("own-2", 5)];
        assert_eq!(applied(&wanted, &[]), (Created, Some(wanted.to_vec())));
        assert_eq!(
            applied(&wanted, &[other.clone(), nameless.clone()]),
            (
                Updated,
                Some([&wanted[..], &[other.clone(), nameless.clone()]].concat())
            )
        );
        // An older form of ours is replaced where it stands.
        assert_eq!(
            applied(
                &wanted[..1],
                &[other.clone(), rule("own", 9), nameless.clone()]
            ),
            (
                Updated,
                Some(vec![other.clone(), own.clone(), nameless.clone()])
            )
        );
        for found in [vec![own.clone()], vec![other.clone(), rule("", 1)]] {
            assert_eq!(
                applied(&wanted[..1], &found),
                (Unchanged, None),
                "{found:?}"
            );
        }
        // A rule of another ID that does the same is somebody else's.
        let (change, rules) = applied(&wanted[..1], &[rule("other", 1)]);
        assert_eq!((change, rules.map(|rules| rules.len())), (Updated, Some(2)));
    }

    #[test]
    fn only_ours_are_removed() {
        let removed = |found: &[Sample]| {
            let plan = Plan::remove(&[rule("own", 1)], found);
            (plan.part.change, plan.rules)
        };
        assert_eq!(removed(&[]), (Absent, None));
        assert_eq!(removed(&[rule("other", 1)]), (Absent, None));
        assert_eq!(removed(&[rule("own", 7)]), (Removed, Some(vec![])));
        assert_eq!(
            removed(&[rule("other", 2), rule("", 1), rule("own", 1)]),
            (Removed, Some(vec![rule("other", 2)]))
        );
    }
}
