//! The condition on the external ID of one statement that lets Sallyport in.

use crate::domain::check::patch::Patch;
use crate::domain::doctor::code::Code;
use crate::domain::doctor::condition::{Base, Operator, SetOperator};
use crate::domain::doctor::expected::Expected;
use crate::domain::doctor::finding::{Notes, Severity, Words, listed};
use crate::domain::doctor::identity::capital;
use crate::domain::doctor::pattern::{Truth, is_wild, matches};
use crate::domain::doctor::policy::{Condition, Policy, Statement};
use crate::domain::invalid::shown;

const KEY: &str = "sts:ExternalId";

/// `open`: whether the statement lets in who sends no external ID. `ours`: how many statements are for Sallyport.
/// `lets_in`: whether the policy lets in the right external ID.
#[allow(
    clippy::too_many_arguments,
    reason = "each is another fact of the one statement, and the only caller has them all"
)]
pub fn look(
    policy: &Policy,
    statement: &Statement,
    expected: &Expected,
    open: Truth,
    ours: usize,
    lets_in: Truth,
    patch: impl Fn() -> Option<Patch>,
    notes: &mut Notes,
) {
    let of_id: Vec<&Condition> = statement
        .conditions
        .iter()
        .filter(|condition| condition.key.eq_ignore_ascii_case(KEY))
        .collect();
    let before = notes.has(Code::ExternalIdIfExists);
    for condition in &of_id {
        one(
            policy, statement, condition, expected, lets_in, &patch, notes,
        );
    }
    let said = !before && notes.has(Code::ExternalIdIfExists);
    // Where other conditions are not known, the statement may be open all the same: nothing in it asks for an ID.
    if open == Truth::No || said || (!of_id.is_empty() && open != Truth::Yes) {
        return;
    }
    let (code, title) = match ours {
        0 | 1 => (
            Code::TrustWithoutExternalId,
            "Sallyport is let in without the external ID",
        ),
        _ => (
            Code::TrustOtherStatement,
            "One of the statements lets Sallyport in without the external ID",
        ),
    };
    let words = Words::new(
        title,
        format!(
            "{} has no condition that asks for it, so any customer of Sallyport who knows the role's ARN could have its files read (the confused deputy). Statements are alternatives: the one that asks least decides.",
            capital(&statement.name())
        ),
        "Add the condition `StringEquals` of `sts:ExternalId` to the statement, or remove the statement.",
    );
    notes.add_with(Severity::Security, code, &statement.place, words, patch());
}

/// A condition that an external ID is there, where nothing says which.
fn present(
    statement: &Statement,
    condition: &Condition,
    patch: &impl Fn() -> Option<Patch>,
    notes: &mut Notes,
) {
    let compared = statement.conditions.iter().any(|other| {
        other.key.eq_ignore_ascii_case(KEY)
            && Operator::parse(&other.operator).is_some_and(|o| o.base != Base::Null)
    });
    let asks = condition.values.iter().any(|value| value.text == "false");
    if compared || !asks {
        return;
    }
    let words = Words::new(
        "Every external ID is let in",
        "The condition asks that an external ID is sent, and not which. Those of other customers of Sallyport are let in as well.",
        "Use `StringEquals` with the whole external ID.",
    );
    let place = &condition.place;
    notes.add_with(
        Severity::Security,
        Code::ExternalIdPattern,
        place,
        words,
        patch(),
    );
}

fn one(
    policy: &Policy,
    statement: &Statement,
    condition: &Condition,
    expected: &Expected,
    lets_in: Truth,
    patch: &impl Fn() -> Option<Patch>,
    notes: &mut Notes,
) {
    let Some(operator) = Operator::parse(&condition.operator) else {
        return;
    };
    let place = &condition.place;
    if operator.base == Base::Null {
        present(statement, condition, patch, notes);
        return;
    }
    if operator.negated {
        let words = Words::new(
            "The condition lets in every external ID but some",
            format!(
                "`{}` holds for every other external ID, and where none is sent.",
                shown(&condition.operator)
            ),
            "Use `StringEquals` with the external ID.",
        );
        notes.add_with(
            Severity::Security,
            Code::ExternalIdNegated,
            place,
            words,
            patch(),
        );
        return;
    }
    let guarded = operator.set == Some(SetOperator::ForAllValues);
    if operator.if_exists || guarded {
        let words = Words::new(
            "The condition holds where no external ID is sent",
            format!(
                "`{}` is true for a request without the key. Whoever sends no external ID is let in.",
                shown(&condition.operator)
            ),
            "Use `StringEquals` with the external ID.",
        );
        notes.add_with(
            Severity::Security,
            Code::ExternalIdIfExists,
            place,
            words,
            patch(),
        );
    }
    if operator.base == Base::StringEqualsIgnoreCase {
        let words = Words::new(
            "The external ID is taken in any letter case",
            "Sallyport sends it in lower case only.",
            "Use `StringEquals`.",
        );
        notes.add(Severity::Note, Code::ExternalIdIgnoresCase, place, words);
    }
    let values: Vec<&str> = condition
        .values
        .iter()
        .map(|value| value.text.as_str())
        .collect();
    let like = operator.base == Base::StringLike;
    if let Some(wild) = values
        .iter()
        .find(|value| like && is_wild(value, policy.variables))
    {
        let words = Words::new(
            format!("`{}` matches other external IDs too", shown(wild)),
            "With a wildcard, the external IDs of other customers of Sallyport are let in as well.",
            "Use `StringEquals` with the whole external ID.",
        );
        notes.add_with(
            Severity::Security,
            Code::ExternalIdPattern,
            place,
            words,
            patch(),
        );
    }
    let Some(id) = expected.external_id.as_deref() else {
        return;
    };
    let plain = |value: &&str| !(like && is_wild(value, policy.variables));
    let others: Vec<&str> = values
        .iter()
        .copied()
        .filter(plain)
        .filter(|value| *value != id)
        .collect();
    let has = values.iter().any(|value| {
        *value == id
            || (like && matches(value, id, policy.variables) == Truth::Yes)
            || (operator.base == Base::StringEqualsIgnoreCase && value.eq_ignore_ascii_case(id))
    });
    if has {
        if !others.is_empty() && operator.base != Base::StringEqualsIgnoreCase {
            let words = Words::new(
                "The condition takes several external IDs",
                format!(
                    "Besides that of this setup it takes {}. Whoever has one of those may have the role assumed.",
                    listed(&others)
                ),
                "Leave the external ID of this setup alone.",
            );
            notes.add_with(
                Severity::Security,
                Code::ExternalIdSeveral,
                place,
                words,
                patch(),
            );
        }
        return;
    }
    // Another statement may let the right one in.
    if lets_in == Truth::Yes || values.is_empty() {
        return;
    }
    let first = others.first().copied().unwrap_or_default();
    let (code, title, explanation) = if others.iter().any(|value| value.eq_ignore_ascii_case(id)) {
        (
            Code::ExternalIdCase,
            "The external ID is written in another letter case",
            "Letters are compared with their case. Sallyport sends the ID in lower case."
                .to_owned(),
        )
    } else if others.iter().any(|value| value.trim() == id) {
        (
            Code::ExternalIdBlanks,
            "The external ID has blanks around it",
            "They came with the copied text, and Sallyport does not send them.".to_owned(),
        )
    } else if expected
        .other_external_ids
        .iter()
        .any(|other| others.contains(&other.as_str()))
    {
        (
            Code::ExternalIdOfOtherSetup,
            "The external ID is that of another setup",
            format!(
                "`{}` belongs to another setup or storage of this workspace. Each has an ID of its own.",
                shown(first)
            ),
        )
    } else {
        (
            Code::ExternalIdWrong,
            "The trust policy asks for another external ID",
            format!(
                "It asks for {}. Sallyport sends the ID of this setup.",
                listed(&others)
            ),
        )
    };
    let remedy = format!("Write `{id}`.");
    let words = Words::new(title, explanation, remedy);
    notes.add_with(Severity::Error, code, place, words, patch());
}
