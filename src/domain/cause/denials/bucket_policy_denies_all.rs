//! The bucket policy denies every call.

use crate::domain::cause::denials::{Denied, S3_PAGE};
use crate::domain::cause::entry::{Candidate, CauseEntry, Facts, Stage, Words};
use crate::domain::policy_document::escape;

/// Every call is refused "with an explicit deny in a resource-based policy". RestrictPublicBuckets reads the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPolicyDeniesAll {
    pub denied: Denied,
}

impl CauseEntry for BucketPolicyDeniesAll {
    fn facts(&self) -> Facts {
        let facts = Facts::proved(
            "bucket_policy_denies_all",
            Stage::Permissions,
            self.denied.caller.side(),
            "The bucket policy, or Block Public Access, denies every call.",
        )
        .one_of()
        .may_pass();
        self.denied.caller.learn_more(facts, S3_PAGE)
    }

    fn words(&self) -> Words {
        Words::new(
            "The bucket policy denies every call",
            format!(
                "{} refused every call to `{}` because a statement of the bucket policy denies it{}. It does not say which statement, or which condition of it.",
                self.denied.caller.answerer(),
                self.denied.bucket,
                self.denied.named()
            ),
            format!(
                "In the bucket policy of `{}`, look for a Deny that covers everything. Remove it, or {}. A statement that allows the calls does not help.",
                self.denied.bucket,
                self.denied.exception()
            ),
        )
    }

    fn candidates(&self) -> Vec<Candidate> {
        let look = |code, text| {
            self.denied
                .look_at_bucket_policy(Candidate::new(code, text))
        };
        let only_some = look(
            "only_some_principals",
            "A Deny covers everyone except certain principals (`aws:PrincipalArn`, `aws:userId`, NotPrincipal).",
        );
        let network = look(
            "network",
            "A Deny covers every caller outside of certain addresses (`aws:SourceIp`).",
        );
        let tls = look(
            "tls",
            "A Deny covers calls without TLS (`aws:SecureTransport`) or with an older one (`s3:TlsVersion`).",
        );
        if self.denied.caller.is_at_store() {
            return vec![only_some, network, tls];
        }
        vec![
            only_some,
            look("vpc_endpoint", "A Deny covers every caller that does not come by a certain VPC endpoint or VPC (`aws:SourceVpce`, `aws:SourceVpc`)."),
            network,
            look("organization", "A Deny covers every caller outside of an organization (`aws:PrincipalOrgID`) or account."),
            tls,
            Candidate::new("restrict_public_buckets", "Block Public Access restricts a bucket whose policy is public (RestrictPublicBuckets).")
                .console(format!("S3 > {} > Permissions > Block public access", self.denied.bucket))
                .cli(format!("aws s3api get-public-access-block --bucket {}", escape::for_shell(&self.denied.bucket))),
        ]
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        use crate::domain::cause::denials::EXPLICIT;
        Denied::examples("s3:GetObject", EXPLICIT)
            .map(|denied| Self { denied })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cause::denials::EXPLICIT;
    use crate::domain::cause::testing::{assert_no_aws, words_of};

    #[test]
    fn no_allow_is_offered_against_a_deny() {
        for (cause, words) in BucketPolicyDeniesAll::examples()
            .iter()
            .zip(words_of::<BucketPolicyDeniesAll>())
        {
            assert_eq!(cause.fix(), None);
            assert!(words.contains("does not help"), "{words}");
            if cause.denied.caller.is_at_store() {
                assert_no_aws(cause);
            }
        }
    }

    #[test]
    fn the_exception_names_the_role() {
        let [role, user, ..]: [String; 4] = words_of::<BucketPolicyDeniesAll>().try_into().unwrap();
        assert!(
            role.contains(
                r#""ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/ROLE"}"#
            ),
            "{role}"
        );
        assert!(!user.contains("ArnNotEquals"), "{user}");
    }

    #[test]
    fn candidates_are_in_order() {
        let [role, ..] = Denied::examples("s3:GetObject", EXPLICIT);
        let cause = BucketPolicyDeniesAll { denied: role };
        let codes: Vec<String> = cause.candidates().into_iter().map(|one| one.code).collect();
        assert_eq!(
            codes,
            [
                "only_some_principals",
                "vpc_endpoint",
                "network",
                "organization",
                "tls",
                "restrict_public_buckets"
            ]
        );
    }
}
