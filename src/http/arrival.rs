//! Where a person arrives who signs in: the fields of a link, and those beside a token.

use crate::application::error::FieldError;
use crate::domain::Invalid;
use crate::domain::ids::{SetupId, StorageRef};
use crate::domain::people::sign_in::{Arrival, Purpose};
use crate::http::body::read_field;

/// The purpose with its ID. An ID that the purpose does not use is refused, so that nobody believes it was.
pub fn read(
    errors: &mut Vec<FieldError>,
    purpose: &str,
    setup_id: Option<&str>,
    storage_id: Option<&str>,
) -> Option<Arrival> {
    let purpose = read_field(errors, "purpose", Purpose::parse(purpose));
    let setup = setup_id.and_then(|id| read_field(errors, "setup_id", SetupId::parse(id)));
    let storage = storage_id.and_then(|id| read_field(errors, "storage_id", StorageRef::parse(id)));
    let purpose = purpose?;
    let (takes_setup, takes_storage) = match purpose {
        Purpose::Setup => (true, false),
        Purpose::Storage | Purpose::Files => (false, true),
        Purpose::Settings | Purpose::AddStorage | Purpose::Projects => (false, false),
    };
    let given = [
        ("setup_id", takes_setup, setup_id.is_some()),
        ("storage_id", takes_storage, storage_id.is_some()),
    ];
    for (field, takes, is_given) in given {
        let (code, verb) = match (takes, is_given) {
            (true, false) => ("missing", "needs"),
            (false, true) => ("not_for_purpose", "does not use"),
            (true, true) | (false, false) => continue,
        };
        let detail = format!("The purpose `{}` {verb} `{field}`.", purpose.as_str());
        errors.push(FieldError::new(field, Invalid::new(code, detail)));
    }
    match purpose {
        Purpose::Settings => Some(Arrival::Settings),
        Purpose::AddStorage => Some(Arrival::AddStorage),
        Purpose::Projects => Some(Arrival::Projects),
        Purpose::Setup => setup.map(Arrival::Setup),
        Purpose::Storage => storage.map(Arrival::Storage),
        Purpose::Files => storage.map(Arrival::Files),
    }
}
