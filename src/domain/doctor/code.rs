//! The codes of findings: stable, and explained in `docs/doctor.md`.

macro_rules! codes {
    ($($variant:ident $code:literal $meaning:literal;)+) => {
        /// What kind of finding it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant),+
        }

        impl Code {
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// As in the API: stable.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),+
                }
            }

            /// What it means, for the documentation.
            #[cfg(test)]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning),+
                }
            }
        }
    };
}

codes! {
    // The text.
    ByteOrderMark "byte_order_mark" "The text begins with a byte order mark, which AWS does not take.";
    Comment "comment" "JSON has no comments.";
    TrailingComma "trailing_comma" "A comma stands before a closing bracket.";
    DuplicateName "duplicate_name" "An object has the same name twice.";
    BrokenJson "broken_json" "The text cannot be read from this place on.";
    Empty "empty" "The document is empty.";
    WrongDocument "wrong_document" "It is a document of another kind.";
    CharacterRefused "character_refused" "IAM takes no character beyond U+00FF as it is.";
    TooLarge "too_large" "The document is larger than AWS takes.";
    NearlyTooLarge "nearly_too_large" "The document is larger than AWS takes in one of the places where it can be kept.";
    MoreFindings "more_findings" "There are more findings than are listed.";
    SettingsMissing "settings_missing" "Something could not be compared, because a setting is not known yet.";
    // The grammar of policies.
    WrongShape "wrong_shape" "A value is not of the form that the policy language has for it.";
    UnknownElement "unknown_element" "The policy language has no element of this name.";
    MissingElement "missing_element" "An element that must be there is not.";
    ElementNotAllowed "element_not_allowed" "This kind of policy does not take the element.";
    VersionUnknown "version_unknown" "`Version` is a date that AWS never gave the policy language.";
    VersionOld "version_old" "`Version` is 2008-10-17, or is not there.";
    VariablesNeedVersion "variables_need_version" "Policy variables are plain text in version 2008-10-17.";
    EffectUnknown "effect_unknown" "`Effect` is neither `Allow` nor `Deny`.";
    SidDuplicate "sid_duplicate" "Two statements have the same `Sid`.";
    SidCharacters "sid_characters" "A `Sid` has characters that IAM does not take.";
    ArnMalformed "arn_malformed" "A resource or principal is no ARN.";
    ArnPartition "arn_partition" "An ARN is of another partition.";
    PlaceholderLeft "placeholder_left" "A placeholder was not replaced.";
    ActionUnknown "action_unknown" "There is no such action.";
    ActionNeverApplies "action_never_applies" "An action never applies to the resources that it is allowed on.";
    ResourceNeverApplies "resource_never_applies" "None of the statement's actions applies to this resource.";
    OperatorUnknown "operator_unknown" "There is no such condition operator.";
    ConditionKeyUnknown "condition_key_unknown" "There is no such condition key.";
    ForAllValuesWithoutNull "for_all_values_without_null" "`ForAllValues` is true where the key is absent.";
    NotActionAllow "not_action_allow" "`Allow` with `NotAction` allows everything else.";
    NotResourceAllow "not_resource_allow" "`Allow` with `NotResource` reaches everything else.";
    NotPrincipalAllow "not_principal_allow" "`Allow` with `NotPrincipal` lets everybody else in.";
    NotPrincipalDeny "not_principal_deny" "`Deny` with `NotPrincipal` needs the role's sessions too.";
    // What the access needs.
    ActionNotGranted "action_not_granted" "A needed action is not allowed.";
    ActionPartlyGranted "action_partly_granted" "A needed action is allowed for a part only.";
    ActionConditional "action_conditional" "A needed action is allowed under a condition that is not known here.";
    ActionDenied "action_denied" "A statement denies a needed action.";
    ActionMaybeDenied "action_maybe_denied" "A statement denies a needed action under a condition that is not known here.";
    // What is granted beyond it.
    GrantsOtherServices "grants_other_services" "Actions of other services are allowed.";
    GrantsAllOfS3 "grants_all_of_s3" "Every action of S3 is allowed.";
    GrantsAdministration "grants_administration" "Actions that change the bucket or who may use it are allowed.";
    GrantsWriting "grants_writing" "Writing is allowed, where reading is asked for.";
    GrantsUnneeded "grants_unneeded" "Actions that are not needed are allowed.";
    GrantsOtherBuckets "grants_other_buckets" "Other buckets are within reach.";
    GrantsOutsidePrefix "grants_outside_prefix" "Files outside the prefix are within reach.";
    ListsOutsidePrefix "lists_outside_prefix" "Names of files outside the prefix can be listed.";
    GrantsOtherKeys "grants_other_keys" "Other KMS keys are within reach.";
    // Trust.
    TrustNotGranted "trust_not_granted" "No statement lets Sallyport assume the role.";
    TrustDenied "trust_denied" "A statement denies Sallyport to assume the role.";
    TrustConditional "trust_conditional" "Sallyport is let in under a condition that is not known here.";
    TrustWrongAccount "trust_wrong_account" "The principal is of another account than Sallyport's.";
    TrustOneIdentity "trust_one_identity" "The principal is one identity of Sallyport's account.";
    TrustService "trust_service" "The principal is an AWS service.";
    TrustWithoutExternalId "trust_without_external_id" "Sallyport is let in without the external ID.";
    TrustOtherStatement "trust_other_statement" "Another statement lets Sallyport in without the external ID.";
    TrustOpen "trust_open" "Everybody may assume the role.";
    TrustOtherPrincipal "trust_other_principal" "Others may assume the role too.";
    TrustAction "trust_action" "The statement has another action than `sts:AssumeRole`.";
    TrustMfa "trust_mfa" "The condition asks for MFA, which a service has not.";
    ExternalIdPattern "external_id_pattern" "The external ID is a pattern that matches others too.";
    ExternalIdIfExists "external_id_if_exists" "The condition holds where no external ID is sent.";
    ExternalIdWrong "external_id_wrong" "The condition asks for another external ID.";
    ExternalIdCase "external_id_case" "The external ID is written in another letter case.";
    ExternalIdBlanks "external_id_blanks" "The external ID has blanks around it.";
    ExternalIdOfOtherSetup "external_id_of_other_setup" "The external ID is that of another setup.";
    ExternalIdSeveral "external_id_several" "The condition takes several external IDs.";
    ExternalIdIgnoresCase "external_id_ignores_case" "The condition takes the external ID in any letter case.";
    ExternalIdNegated "external_id_negated" "The condition lets in every external ID but some.";
    TagSession "tag_session" "`sts:TagSession` is allowed, which Sallyport does not need.";
    // Buckets and keys.
    OpenPrincipal "open_principal" "Everybody is allowed.";
    OtherBucket "other_bucket" "The bucket policy is about another bucket.";
    PrincipalUnusable "principal_unusable" "A principal is written in a form that never matches a role.";
    KeyNotGranted "key_not_granted" "The key policy does not let the role use the key.";
    KeyConditional "key_conditional" "The key policy lets the role use the key under a condition that does not hold, or is not known here.";
    KeyDelegated "key_delegated" "The key policy leaves the decision to the role's own policy.";
    // CORS.
    CorsForm "cors_form" "The configuration is in the form of another tool.";
    CorsOriginMissing "cors_origin_missing" "No rule allows the origin.";
    CorsOriginMalformed "cors_origin_malformed" "An allowed origin is written as no browser sends it.";
    CorsOriginScheme "cors_origin_scheme" "The origin is allowed with another scheme or port.";
    CorsAnyOrigin "cors_any_origin" "Pages of every origin are allowed.";
    CorsMethodUnknown "cors_method_unknown" "S3 takes no such method.";
    CorsMethodMissing "cors_method_missing" "A needed method is not allowed for the origin.";
    CorsHeadersMissing "cors_headers_missing" "Headers that browsers send are not allowed.";
    CorsEtagHidden "cors_etag_hidden" "The `ETag` header is not exposed.";
}
