//! The closed sets of words in requests and answers, as the API's document lists them. The words are
//! those that the domain's own types print; these types exist for the document only.
//!
//! Codes are sets that grow: a newer service has more of them. What has a code is therefore of the enumeration or any
//! other text, so that a generated client knows the codes of its release and does not fail on later ones.

use crate::application::codes;
use crate::application::not_ready;
use crate::domain::cause;
use crate::domain::check;
use crate::domain::check::{patch, problem};
use crate::domain::connection::access;
use crate::domain::doctor;
use crate::domain::event;
use crate::domain::files::canned_acl::CannedAcl;
use crate::domain::overlap::OverlapKind;
use crate::domain::people::export_key::ExportKey;
use crate::domain::people::import_warning::ImportWarning;
use crate::domain::people::{audit, reach, scope, sign_in, standing, workspace};
use crate::domain::policy_document;
use crate::domain::{project, role_wait, setup, storage, webhook};
use std::borrow::Cow;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A schema that takes these words and no others.
fn words(description: &str, words: Vec<&'static str>) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words));
    RefOr::T(Schema::Object(object.build()))
}

/// Declares the type of a set, from the variants of a domain's enum or from a list. The compiler rejects
/// a set that lacks a variant.
macro_rules! closed_set {
    ($description:literal, $name:ident, $($domain:ident)::+, $($variant:ident),+) => {
        closed_set! { $description, $name, {
            use $($domain)::+ as Word;
            // A variant that is not named here does not compile.
            let word = |word: Word| match word {
                $(Word::$variant => word.as_str(),)+
            };
            vec![$(word(Word::$variant)),+]
        } }
    };
    ($description:literal, $name:ident, $words:expr) => {
        #[doc = $description]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                words($description, $words)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

/// Declares the type of a set that grows: a word of the closed set of this release, or any other text.
macro_rules! growing_set {
    ($description:literal, $name:ident, $known:ident, $example:literal) => {
        #[doc = $description]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let known = Ref::from_schema_name($known::name());
                let later = ObjectBuilder::new().schema_type(Type::String).build();
                let either = AnyOfBuilder::new()
                    .item(RefOr::<Schema>::Ref(known))
                    .item(RefOr::T(Schema::Object(later)))
                    .description(Some($description))
                    .examples([$example]);
                RefOr::T(Schema::AnyOf(either.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(($known::name().into_owned(), $known::schema()));
            }
        }
    };
}

closed_set!(
    "The codes of problems that this release has. docs/errors.md says what each means.",
    ProblemCode,
    codes::PROBLEMS.to_vec()
);
closed_set!(
    "The codes of fields that this release has. docs/field-codes.md says what each means.",
    FieldCode,
    codes::FIELDS.to_vec()
);
closed_set!(
    "The codes of what a check finds that this release has. docs/troubleshooting.md says what each means.",
    CauseCode,
    codes::causes()
);
closed_set!(
    "The codes of what may be behind a cause that this release has.",
    CandidateCode,
    codes::CANDIDATES.to_vec()
);
closed_set!(
    "The codes of what the policy doctor finds that this release has. docs/doctor.md says what each means.",
    FindingCode,
    doctor::code::Code::ALL.map(|code| code.as_str()).to_vec()
);
closed_set!(
    "The codes of warnings about a place that this release has: `same_place` is the same bucket and prefix; with `overlapping_place` one prefix is within the other.",
    PlaceWarningCode,
    [OverlapKind::Same, OverlapKind::Within]
        .map(OverlapKind::code)
        .to_vec()
);
closed_set!(
    "The codes that an event of this release has: those of what a check finds, and those of problems.",
    EventCode,
    codes::of_events()
);
closed_set!(
    "The codes that an entry of the audit log of this release has: those of problems, those of what a check finds, and `outcome_unknown`.",
    AuditCode,
    codes::of_audit_log()
);
growing_set!(
    "What may be behind it: stable. Later releases have further codes, and reports of earlier ones can have others.",
    AnyCandidateCode,
    CandidateCode,
    "external_id_differs"
);
growing_set!(
    "What the policy doctor found: stable. Later releases have further codes.",
    AnyFindingCode,
    FindingCode,
    "action_not_granted"
);
growing_set!(
    "What is the matter with the place: stable. Later releases have further codes.",
    AnyPlaceWarningCode,
    PlaceWarningCode,
    "same_place"
);
growing_set!(
    "Why: what a check found, or what an import failed by. Later releases have further codes.",
    AnyEventCode,
    EventCode,
    "role_refused"
);
growing_set!(
    "The problem's code, where it was refused or failed, or where a storage's health has a cause. Later releases have further codes, and entries of earlier ones can have others.",
    AnyAuditCode,
    AuditCode,
    "admin_required"
);
growing_set!(
    "What kind of problem it is: stable. Later releases have further codes; treat one that is not known by its status.",
    AnyProblemCode,
    ProblemCode,
    "invalid_request"
);
growing_set!(
    "What is wrong with a field: stable. Later releases have further codes.",
    AnyFieldCode,
    FieldCode,
    "invalid_name"
);
growing_set!(
    "What a check found, or the cause of a failure: stable. Later releases have further codes, and reports of earlier ones can have others.",
    AnyCauseCode,
    CauseCode,
    "role_refused"
);
closed_set!(
    "What a token or a link lets its holder do: `member` browses, reads and creates projects; `admin` also manages storages.",
    Role,
    workspace::Role,
    Admin,
    Member
);
closed_set!(
    "Whether a workspace is used: everything of a suspended one is refused, and nothing of it is deleted.",
    WorkspaceState,
    standing::WorkspaceState,
    Active,
    Suspended
);
closed_set!(
    "What a product's key may do: everything of one kind. `operator` is all of it.",
    Scope,
    scope::Scope,
    WorkspacesCreate,
    WorkspacesRead,
    LinksCreate,
    StoragesRead,
    StoragesWrite,
    FilesRead,
    FilesWrite,
    ProjectsWrite,
    EventsRead,
    AuditRead,
    Operator
);
closed_set!(
    "What a token for a browser may do.",
    BrowserOperationName,
    reach::BrowserOperation,
    List,
    Read,
    Write
);
closed_set!(
    "Who can remove a cause.",
    ProblemSide,
    cause::entry::Side,
    CustomerAccount,
    CustomerOrganization,
    Service,
    Settings,
    Aws,
    Network
);
closed_set!(
    "How sure it is: AWS said so, other causes seldom give these answers, or one of the candidates.",
    ProblemCertainty,
    cause::entry::Certainty,
    Proved,
    Likely,
    OneOf
);
closed_set!(
    "The kind of policy that decided.",
    DecidedBy,
    problem::DecidedBy,
    IdentityPolicy,
    ResourcePolicy,
    TrustPolicy,
    SessionPolicy,
    PermissionsBoundary,
    ServiceControlPolicy,
    ResourceControlPolicy,
    VpcEndpointPolicy,
    Mfa
);
closed_set!(
    "Whether a statement denies it, or none allows it.",
    DeniedEffect,
    problem::DeniedEffect,
    ExplicitDeny,
    ImplicitDeny
);
closed_set!(
    "What is changed.",
    PatchTarget,
    patch::PatchTarget,
    RolePermissionPolicy,
    TrustPolicy,
    BucketPolicy,
    KeyPolicy,
    Cors,
    Lifecycle,
    Settings
);
closed_set!(
    "How it is changed.",
    PatchOperation,
    patch::PatchOperation,
    AddStatement,
    Replace,
    Set
);
closed_set!(
    "Where a sign-in link leads.",
    LinkPurpose,
    sign_in::Purpose,
    Settings,
    AddStorage,
    Projects,
    Setup,
    Storage,
    Files
);
closed_set!(
    "What came of a request.",
    AuditResult,
    audit::AuditResult,
    Done,
    Refused,
    Failed
);
closed_set!(
    "What the customer lets the product do below the prefix.",
    Access,
    access::Access,
    Read,
    ReadWrite
);
closed_set!(
    "How the connection signs in: `role` (recommended) or `access_key`.",
    Auth,
    access::Auth,
    Role,
    AccessKey
);
closed_set!(
    "Where a setup is on its way to a storage.",
    SetupStatus,
    setup::SetupStatus,
    Open,
    Completed,
    Closed,
    Expired
);
closed_set!(
    "What the last try to use the role has shown.",
    TryOutcome,
    role_wait::TryOutcome,
    NotYet,
    Undecided,
    Appeared
);
closed_set!(
    "What the latest check said.",
    HealthState,
    storage::HealthState,
    Healthy,
    Degraded,
    Broken,
    Unknown
);
closed_set!(
    "What the check found as a whole.",
    CheckOutcome,
    check::Outcome,
    Passed,
    PassedWithWarnings,
    Failed
);
closed_set!(
    "A step of the check. The steps come in this order.",
    CheckStepName,
    check::StepName::ALL
        .iter()
        .map(|name| name.as_str())
        .collect()
);
closed_set!(
    "What the step found.",
    CheckStepStatus,
    check::StepStatus,
    Passed,
    Failed,
    Warning,
    Skipped
);
closed_set!(
    "How far the project is.",
    ProjectStatus,
    project::ProjectStatus,
    Importing,
    Ready,
    Failed
);
closed_set!(
    "Why files were left out: `missing` ones are not in the storage, `archived` ones are in an archive class, those of `working_folder` are in a working folder of the product's, and no file key can name the rest.",
    SkipReason,
    project::SkipReason,
    Missing,
    Archived,
    NoFileKey,
    WorkingFolder
);
closed_set!(
    "What to do about keys that are not in the storage: `fail` makes nothing and names them all, `skip` leaves them out.",
    OnMissing,
    project::OnMissing,
    Fail,
    Skip
);
closed_set!(
    "What to do about files in an archive class: `keep` takes them, `skip` leaves them out, `fail` makes nothing.",
    OnArchived,
    project::OnArchived,
    Fail,
    Skip,
    Keep
);
closed_set!(
    "One of the documents that a customer applies.",
    DocumentName,
    policy_document::DocumentName::ALL
        .map(|name| name.as_str())
        .to_vec()
);
closed_set!(
    "One of S3's canned ACLs.",
    CannedAclName,
    CannedAcl::ALL.to_vec()
);
closed_set!(
    "Which key a workspace's file is encrypted with.",
    ExportKeyName,
    ExportKey,
    MasterKey,
    TransferKey
);
closed_set!(
    "What an operator has to look at after an import.",
    ImportWarningCode,
    ImportWarning::CODES.to_vec()
);
closed_set!(
    "What has happened.",
    EventTypeName,
    event::EventType::ALL
        .iter()
        .map(|kind| kind.as_str())
        .collect()
);
closed_set!(
    "How far a delivery is: `pending` ones are sent now or again, `failed` ones were given up.",
    DeliveryStatus,
    webhook::DeliveryStatus,
    Pending,
    Succeeded,
    Failed
);
closed_set!(
    "Why a part of the service is not ready. docs/operations.md says what to do for each code.",
    NotReadyCode,
    not_ready::codes()
);
closed_set!(
    "Why an attempt had no answer.",
    AttemptError,
    webhook::AttemptError,
    InternalAddress,
    Timeout,
    ConnectionFailed
);
