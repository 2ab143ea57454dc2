//! The bucket may be listed, and nothing may be done with its objects.

use crate::domain::cause::caller::Caller;
use crate::domain::cause::denials::IAM_PAGE;
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::cause::fix::Fix;

/// Every action on objects is refused because no policy allows it, and the listing passes, or only the location does.
/// A failed condition reads the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectArnOrPrefixWrong {
    pub caller: Caller,
    /// Whether the bucket can be listed.
    pub lists: bool,
    /// The refused actions.
    pub actions: Vec<String>,
    /// The ARN that the policy must name.
    pub resource: String,
}

impl CauseEntry for ObjectArnOrPrefixWrong {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "object_arn_or_prefix_wrong",
            Stage::Permissions,
            self.caller.side(),
            "A policy is there, and none allows anything with the bucket's objects: their ARN or the prefix in it is wrong.",
        )
        .likely()
        .may_pass();
        self.caller.learn_more(facts, IAM_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            format!("{} may use none of the files", self.caller.subject()),
            format!(
                "{}{} refused {} because no policy of {} allows them on `{}`. Actions on files need the ARN of the files, with the prefix and `*` at its end.",
                match self.lists {
                    true => "The bucket can be listed. ",
                    false => "The bucket's location can be read, so a policy is there. ",
                },
                self.caller.answerer(),
                self.actions.join(", "),
                self.caller.object(),
                self.resource
            ),
            format!(
                "In {}, add the statement shown here, or correct the ARN in the one that is there to `{}`.",
                self.caller.policy(),
                self.resource
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text: &str| {
            self.caller.look_by_simulation(
                Candidate::new(code, text),
                &self.actions.join(" "),
                &self.resource,
            )
        };
        vec![
            look(
                "arn_without_objects",
                "The statement names the bucket's ARN, without `/*` or the prefix at its end.",
            ),
            look(
                "other_prefix",
                "The statement names another prefix, one without its slash, or one in another letter case.",
            ),
            look(
                "actions_missing",
                &format!("The policy lacks the actions {}.", self.actions.join(", ")),
            ),
            look(
                "condition",
                "The statement has a condition that the calls do not meet.",
            ),
        ]
    }

    fn fix(&self) -> Option<Fix> {
        Some(Fix::AllowActions {
            actions: self.actions.clone(),
            key: None,
        })
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        Caller::examples()
            .map(|caller| Self {
                caller,
                lists: true,
                actions: vec!["s3:GetObject".to_owned(), "s3:PutObject".to_owned()],
                resource: "arn:aws:s3:::BUCKET/PREFIX/*".to_owned(),
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn all_actions_are_offered_at_once() {
        words_of::<ObjectArnOrPrefixWrong>();
        for cause in ObjectArnOrPrefixWrong::examples() {
            assert_eq!(
                cause.fix(),
                Some(Fix::AllowActions {
                    actions: cause.actions.clone(),
                    key: None
                })
            );
            if cause.caller.is_at_store() {
                assert_no_aws(&cause);
            }
        }
    }

    #[test]
    fn the_command_asks_for_every_refused_action() {
        let [role, ..]: [ObjectArnOrPrefixWrong; 4] =
            ObjectArnOrPrefixWrong::examples().try_into().unwrap();
        for candidate in role.candidates() {
            let command = candidate.decide.cli.unwrap();
            assert_eq!(
                command,
                "aws iam simulate-principal-policy --policy-source-arn arn:aws:iam::222222222222:role/ROLE --action-names s3:GetObject s3:PutObject --resource-arns 'arn:aws:s3:::BUCKET/PREFIX/*'"
            );
        }
    }
}
