//! Whom each route of the API is for: the one table of what a product's key needs for it.
//!
//! A route that is not here keeps the service from starting.

use crate::application::people::admission::{Gate, Place};
use crate::domain::people::scope::Scope;

const fn gate(scope: Scope, place: Place) -> Gate {
    Gate {
        scope,
        place,
        takes_browser_tokens: false,
        takes_sessions: false,
    }
}

/// For the operator, and for keys with the scope, in no workspace.
const fn service(scope: Scope) -> Option<Gate> {
    Some(gate(scope, Place::Service))
}

/// In a workspace, with the scope.
const fn workspace(scope: Scope) -> Option<Gate> {
    Some(gate(scope, Place::Workspace))
}

/// The same, and for tokens for browsers.
const fn page(scope: Scope) -> Option<Gate> {
    Some(Gate {
        takes_browser_tokens: true,
        ..gate(scope, Place::Workspace)
    })
}

/// The gate of an operation, by its ID in the OpenAPI document.
pub fn of(operation: &str) -> Option<Gate> {
    use Scope::{
        AuditRead, EventsRead, FilesRead, FilesWrite, LinksCreate, Operator, ProjectsWrite,
        StoragesRead, StoragesWrite, WorkspacesCreate, WorkspacesRead,
    };
    match operation {
        "create_workspace" | "change_workspace" => service(WorkspacesCreate),
        "list_workspaces" | "get_workspace" | "get_workspace_usage" | "list_workspace_sessions" => {
            service(WorkspacesRead)
        }
        "list_workspace_storages" => service(StoragesRead),
        "delete_workspace" | "export_workspace" | "import_workspace" => service(Operator),
        "create_token" | "list_tokens" | "revoke_token" => service(Operator),
        "create_key" | "list_keys" | "get_key" | "delete_key" => service(Operator),
        "create_workspace_sign_in_link" | "end_workspace_sessions" | "end_workspace_session" => {
            service(LinksCreate)
        }

        "create_sign_in_link" | "revoke_session" => workspace(LinksCreate),
        "create_administrator_link" | "list_administrator_links" | "revoke_administrator_link" => {
            workspace(LinksCreate)
        }
        "list_sessions" | "get_own_workspace" | "get_workspace_origins" => {
            workspace(WorkspacesRead)
        }
        "set_workspace_origins" => workspace(WorkspacesCreate),
        "list_events"
        | "create_webhook"
        | "list_webhooks"
        | "get_webhook"
        | "change_webhook"
        | "delete_webhook"
        | "rotate_webhook_secret"
        | "test_webhook"
        | "list_webhook_deliveries"
        | "redeliver_event" => workspace(EventsRead),
        "list_audit_events" | "list_audit_event_files" => workspace(AuditRead),
        // What it lets a page do needs its own scope at each use.
        "create_browser_token" => Some(Gate {
            takes_sessions: true,
            ..gate(FilesRead, Place::Workspace)
        }),

        "list_storage_setups"
        | "get_storage_setup"
        | "get_setup_documents"
        | "get_setup_document"
        | "list_setup_buckets"
        | "list_setup_folders"
        | "follow_storage_setup"
        | "examine_setup_documents" => workspace(StoragesRead),
        "open_storage_setup"
        | "change_storage_setup"
        | "close_storage_setup"
        | "check_storage_setup"
        | "complete_storage_setup" => workspace(StoragesWrite),

        "list_storages"
        | "get_storage"
        | "get_location"
        | "list_buckets"
        | "list_storage_checks"
        | "get_storage_documents"
        | "get_storage_document"
        | "examine_storage_documents" => workspace(StoragesRead),
        "change_storage"
        | "delete_storage"
        | "check_storage"
        | "discard_pending_change"
        | "set_default_storage" => workspace(StoragesWrite),

        "list_files" | "read_file" | "read_file_head" | "get_file_metadata" | "sign_files" => {
            page(FilesRead)
        }
        "upload_file" | "begin_upload" | "sign_upload_parts" | "complete_upload"
        | "abort_upload" => page(FilesWrite),
        "list_file_versions" | "get_file_acl" => workspace(FilesRead),
        "delete_file" | "delete_files" | "copy_file" | "move_file" | "put_file_acl" => {
            workspace(FilesWrite)
        }

        "list_projects"
        | "get_project"
        | "list_project_files"
        | "sign_project_files"
        | "read_project_file"
        | "read_project_file_head" => workspace(FilesRead),
        "create_project" | "rename_project" | "delete_project" | "add_project_files" => {
            workspace(ProjectsWrite)
        }
        _ => None,
    }
}
