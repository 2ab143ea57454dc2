//! Values to store.

use crate::application::kept::store::{
    CheckStore, CheckTarget, Completion, JobClaim, JobRest, PendingEdit, ProjectStore, Recorded,
    SeenStorage, SetupStore, StorageChange, StorageStore, StoreResult, Window, WorkspaceStore,
};
use crate::database::Database;
use crate::domain::cause::entry::Bearing;
use crate::domain::check::problem::StepProblem;
use crate::domain::check::{CheckReport, Step, StepName, StepStatus, Steps};
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::access_key::{AccessKeyId, SealedSecret};
use crate::domain::connection::account::{AccountId, Partition};
use crate::domain::connection::bucket_name::BucketName;
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::endpoint::Endpoint;
use crate::domain::connection::external_id::ExternalId;
use crate::domain::connection::kms_key_arn::KmsKeyArn;
use crate::domain::connection::permissions_boundary::BoundaryArn;
use crate::domain::connection::region::Region;
use crate::domain::connection::role_arn::RoleArn;
use crate::domain::connection::role_path::RolePath;
use crate::domain::connection::settings::BucketSettings;
use crate::domain::connection::{Connection, Credentials};
use crate::domain::files::file_key::{FileKey, Folder};
use crate::domain::ids::{
    CheckId, ProjectId, SetupId, StorageId, StorageRef, TokenId, WorkspaceId,
};
use crate::domain::names::Name;
use crate::domain::people::audit::Actor;
use crate::domain::people::metadata::Metadata;
use crate::domain::people::standing::Standing;
use crate::domain::people::subject::SubjectId;
use crate::domain::people::workspace::Workspace;
use crate::domain::policy_document::LifecycleFolders;
use crate::domain::project::{Progress, Project, ProjectFile, ProjectStatus, Skipped};
use crate::domain::setup::{
    CustomerAccount, Draft, DraftAccessKey, DraftSignIn, Setup, SetupStatus,
};
use crate::domain::storage::{Health, HealthChange, HealthReports, HealthState, Storage};
use crate::domain::working_folders::WorkingFolders;
use time::{Duration, OffsetDateTime};

/// In whole microseconds, as the database keeps times.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond()).unwrap()
}

pub fn all() -> Window {
    page(None, 1000)
}

pub fn page(after: Option<&str>, limit: u32) -> Window {
    Window {
        after: after.map(str::to_owned),
        limit,
    }
}

/// A claim of any job of this kind.
pub fn any_job<'a>(
    kind: &'a str,
    worker: &'a str,
    now: OffsetDateTime,
    lease_until: OffsetDateTime,
) -> JobClaim<'a> {
    JobClaim {
        kind,
        slow: false,
        most_of_workspace: u32::MAX,
        worker,
        now,
        lease_until,
    }
}

pub fn rest(due: OffsetDateTime, cursor: Option<&str>) -> JobRest<'_> {
    JobRest {
        due,
        cursor,
        slow: false,
    }
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn new_workspace() -> Workspace {
    Workspace {
        id: WorkspaceId::generate(),
        name: name("Ünïcode ✓ 'quoted' %_"),
        external_id: None,
        metadata: Metadata::default(),
        default_storage: StorageRef::BuiltIn,
        standing: Standing::default(),
        created_at: now(),
    }
}

pub async fn workspace(db: &Database) -> Workspace {
    let workspace = new_workspace();
    db.create_workspace(&workspace, None).await.unwrap();
    workspace
}

/// An open setup with nothing typed yet.
pub fn new_setup(workspace: &WorkspaceId) -> Setup {
    Setup {
        id: SetupId::generate(),
        workspace: workspace.clone(),
        status: SetupStatus::Open,
        external_id: ExternalId::issue(),
        draft: Draft::default(),
        revision: 1,
        last_check: None,
        created_by: Some(Actor::Token(TokenId::generate())),
        created_at: now(),
        expires_at: now() + Duration::days(7),
    }
}

pub fn role_draft() -> Draft {
    Draft {
        display_name: Some(name("Datenträger")),
        bucket: Some(BucketName::parse("datasets").unwrap()),
        // All but the access differ from the defaults: a column that is forgotten fails a test.
        settings: BucketSettings {
            prefix: BucketPrefix::parse("team/ä b").unwrap(),
            access: Access::ReadWrite,
            region: Some(Region::parse("eu-west-1").unwrap()),
            kms_key: Some(
                KmsKeyArn::parse("arn:aws:kms:eu-west-1:123456789012:key/mrk-1234").unwrap(),
            ),
            bucket_account: Some(AccountId::parse("000000000012").unwrap()),
            requester_pays: true,
            browser_access: false,
            object_acls: Some(false),
            object_versions: Some(true),
            lifecycle: false,
            permissions_boundary: Some(
                BoundaryArn::parse("arn:aws:iam::123456789012:policy/boundary").unwrap(),
            ),
        },
        sign_in: DraftSignIn {
            role_arn: Some(RoleArn::parse("arn:aws:iam::123456789012:role/path/acme").unwrap()),
            ..DraftSignIn::default()
        },
    }
}

pub fn access_key_draft() -> Draft {
    Draft {
        bucket: Some(BucketName::parse("datasets").unwrap()),
        sign_in: DraftSignIn {
            by: Auth::AccessKey,
            customer: Some(CustomerAccount {
                id: AccountId::parse("000000000034").unwrap(),
                partition: Partition::AwsUsGov,
            }),
            role_path: RolePath::parse("/vendors/").unwrap(),
            access_key: DraftAccessKey {
                id: Some(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap()),
                secret: Some(SealedSecret(vec![0, 255, 0, 1])),
                endpoint: Some(Endpoint::parse("https://s3.example.com:9000").unwrap()),
            },
            ..DraftSignIn::default()
        },
        ..Draft::default()
    }
}

pub async fn setup(db: &Database, workspace: &WorkspaceId, draft: Draft) -> Setup {
    let setup = Setup {
        draft,
        ..new_setup(workspace)
    };
    db.create_setup(&setup, None).await.unwrap();
    setup
}

pub fn storage_of(setup: &Setup) -> Storage {
    Storage {
        id: StorageId::generate(),
        workspace: setup.workspace.clone(),
        setup: setup.id.clone(),
        display_name: name("Bucket of Ünïts"),
        connection: setup.connection().unwrap().connection,
        revision: 1,
        verified_revision: 1,
        health: Health {
            state: HealthState::Healthy,
            since: now(),
            code: None,
            last_check: None,
            reports: HealthReports::default(),
        },
        quarantine: None,
        access_key_set_at: None,
        project_count: 0,
        created_at: now(),
    }
}

pub fn seen(revision: i64, pending: Option<i64>) -> SeenStorage {
    SeenStorage { revision, pending }
}

/// A change of nothing, which waits its turn like any other.
pub fn keep() -> StorageChange {
    StorageChange {
        display_name: None,
        pending: PendingEdit::Keep,
        at: now(),
        on_behalf_of: None,
    }
}

/// The storage with another role, for reading.
pub fn with_other_role(stored: &Storage) -> Storage {
    let mut changed = stored.clone();
    changed.connection.settings.access = Access::Read;
    if let Credentials::Role { role_arn, .. } = &mut changed.connection.credentials {
        *role_arn = RoleArn::parse("arn:aws:iam::123456789012:role/other").unwrap();
    }
    changed
}

/// A change to this connection.
pub fn put(connection: &Connection) -> StorageChange {
    StorageChange {
        pending: PendingEdit::Put(Box::new(connection.clone())),
        ..keep()
    }
}

/// Goes through setup, check and completion.
pub async fn storage(db: &Database, workspace: &WorkspaceId) -> Storage {
    let setup = setup(db, workspace, role_draft()).await;
    complete(db, &setup).await
}

pub async fn complete(db: &Database, setup: &Setup) -> Storage {
    let report = report(setup.id.as_str(), setup.revision, StepStatus::Passed);
    let target = CheckTarget::Setup(setup.id.clone());
    let recorded = db.record_check(&setup.workspace, &target, &report).await;
    assert_eq!(recorded, Ok(Recorded::Stored));
    let storage = storage_of(setup);
    let done = db
        .complete_setup(
            &setup.workspace,
            &setup.id,
            setup.revision,
            &report.id,
            &storage,
            None,
        )
        .await;
    assert_eq!(done, Ok(Completion::Completed));
    storage
}

/// What storing a report changed; `None`: it is stored and changed nothing.
#[track_caller]
pub fn change_by(recorded: StoreResult<Recorded>) -> Option<HealthChange> {
    match recorded {
        Ok(Recorded::Changed(change)) => Some(*change),
        Ok(Recorded::Stored) => None,
        Ok(Recorded::NoTarget) | Err(_) => panic!("{recorded:?}"),
    }
}

pub async fn reload(db: &Database, storage: &Storage) -> Storage {
    db.storage(&storage.workspace, &storage.id)
        .await
        .unwrap()
        .unwrap()
}

/// A report whose last step has the given status.
pub fn report(target: &str, revision: i64, last: StepStatus) -> CheckReport {
    let steps: Vec<Step> = StepName::ALL
        .iter()
        .copied()
        .map(|name| Step {
            name,
            status: match name {
                StepName::Cors => last,
                _ => StepStatus::Passed,
            },
            duration_ms: 7,
            aws: None,
            problem: None,
            skipped_because: (name == StepName::PutObject).then(|| "only read ✓ \0".to_owned()),
            listed_files: (name == StepName::ListBucket).then_some(20),
        })
        .collect();
    CheckReport {
        id: CheckId::generate(),
        target: target.to_owned(),
        revision,
        started_at: now(),
        duration_ms: 1234,
        region: Some(Region::parse("eu-central-1").unwrap()),
        steps: Steps::try_from(steps).unwrap(),
        attempts: 3,
    }
}

/// A report in which one step failed, with this code and bearing.
pub fn failed_report(
    target: &str,
    revision: i64,
    step: StepName,
    code: &str,
    bearing: Bearing,
) -> CheckReport {
    let mut report = report(target, revision, StepStatus::Passed);
    let mut steps = Vec::from(report.steps);
    for failed in steps.iter_mut().filter(|one| one.name == step) {
        failed.status = StepStatus::Failed;
        failed.problem = Some(StepProblem::with(code, bearing));
    }
    report.steps = Steps::try_from(steps).unwrap();
    report
}

pub fn new_project(workspace: &WorkspaceId, storage: Option<&StorageId>) -> Project {
    Project {
        id: ProjectId::generate(),
        workspace: workspace.clone(),
        name: name("Katzenbilder"),
        storage: storage
            .cloned()
            .map_or(StorageRef::BuiltIn, StorageRef::Own),
        status: ProjectStatus::Ready,
        progress: Progress {
            done: 2,
            total: Some(2),
        },
        file_count: 2,
        total_size: 30,
        archived_count: 1,
        skipped_count: 1,
        skipped: Some(Skipped {
            missing: 1,
            archived: 0,
            no_file_key: 0,
            working_folder: 0,
        }),
        working_folders: WorkingFolders::below(&Folder::root(), &LifecycleFolders::default()),
        failure: None,
        created_at: now(),
        on_behalf_of: Some(SubjectId::parse("user-4711").unwrap()),
    }
}

pub fn file(position: i64, key: &str) -> ProjectFile {
    let file_key = FileKey::parse(key).unwrap();
    ProjectFile {
        position,
        name: file_key.name().to_owned(),
        file_key,
        size: 10 * (position + 1),
        etag: (position % 2 == 0).then(|| format!("\"{position}\"")),
        storage_class: (position % 2 == 1).then(|| "DEEP_ARCHIVE".to_owned()),
        metadata: match position % 3 {
            0 => Vec::new(),
            _ => vec![
                ("split".into(), "train ü".into()),
                ("a\"b".into(), String::new()),
            ],
        },
    }
}

pub async fn project(
    db: &Database,
    workspace: &WorkspaceId,
    storage: Option<&StorageId>,
) -> Project {
    let project = new_project(workspace, storage);
    let files = [file(0, "/a/ü.png"), file(1, "//b %.txt")];
    db.create_project(&project, 1, &files, None, None)
        .await
        .unwrap();
    project
}
