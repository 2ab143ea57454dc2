//! Only the listing is refused because no policy allows it.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::IAM_PAGE;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Other actions pass, so the policy is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListConditionOrArnWrong {
    pub caller: Caller,
    pub bucket: String,
    /// The prefix of the settings. Empty: the whole bucket.
    pub prefix: String,
    /// Further actions on the bucket that no policy allows.
    pub also: Vec<String>,
}

impl CauseEntry for ListConditionOrArnWrong {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "list_condition_or_arn_wrong",
            Stage::Permissions,
            self.caller.side(),
            "Only the listing is refused because no policy allows it: its ARN or its condition on `s3:prefix` is wrong.",
        )
        .likely()
        .may_pass();
        self.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        let (below, condition) = match self.prefix.is_empty() {
            true => (String::new(), "no condition on `s3:prefix`".to_owned()),
            false => (
                format!(" below `{}`", self.prefix),
                format!("StringLike with `{}*` on `s3:prefix`", self.prefix),
            ),
        };
        Words::new(
            format!("{} may not list the files", self.caller.subject()),
            format!(
                "{} refused `s3:ListBucket` on `{}`{below} because no policy of {} allows it, and allowed other calls. So a policy is there, and no statement of it fits the listing.",
                self.caller.answerer(),
                self.bucket,
                self.caller.object()
            ),
            format!(
                "In {}, add the statement shown here, or correct the one that is there: it needs the bucket's own ARN, and {condition}.",
                self.caller.policy(),
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |one: Candidate| self.caller.look_at_policies(one);
        let condition = match self.prefix.is_empty() {
            true => {
                "The statement has a condition on `s3:prefix`, and the settings have no prefix."
                    .to_owned()
            }
            false => format!(
                "The condition on `s3:prefix` does not match `{}`: it lacks the slash or the `*` at its end, or uses StringEquals. Letter case counts.",
                self.prefix
            ),
        };
        vec![
            look(Candidate::new("prefix_condition", condition)),
            look(Candidate::new(
                "object_arn",
                "The statement names the objects' ARN, with `/*`. Listing needs the bucket's own ARN, without it.",
            )),
            look(Candidate::new(
                "action_missing",
                "The policy lacks `s3:ListBucket`.",
            )),
        ]
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::AllowActions {
            actions: [vec!["s3:ListBucket".to_owned()], self.also.clone()].concat(),
            key: None,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        ["PREFIX/", ""]
            .into_iter()
            .flat_map(|prefix| {
                Caller::examples().map(|caller| Self {
                    caller,
                    bucket: "BUCKET".to_owned(),
                    prefix: prefix.to_owned(),
                    also: Vec::new(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn the_prefix_is_shown_where_there_is_one() {
        for (cause, words) in ListConditionOrArnWrong::examples()
            .iter()
            .zip(words_of::<ListConditionOrArnWrong>())
        {
            assert_eq!(
                words.contains("`PREFIX/*`"),
                !cause.prefix.is_empty(),
                "{words}"
            );
            assert!(!words.contains("``"), "{words}");
            if cause.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }
}
