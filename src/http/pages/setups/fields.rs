//! What is typed into the dialog: kept as it is, while whatever is valid is saved.

use crate::application::connections::change::Change;
use crate::application::connections::input::DraftChanges;
use crate::application::error::{Error, FieldError, Kind, Result};
use crate::application::people::caller::Admin;
use crate::application::setups::{SetupView, Setups};
use crate::domain::connection::access::Auth;
use crate::domain::ids::SetupId;
use crate::domain::setup::Draft;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A form of the dialog, or of a storage's settings. A field that is not in the form is left alone; an
/// empty one is cleared.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    pub step: Option<String>,
    pub display_name: Option<String>,
    pub bucket: Option<String>,
    pub prefix: Option<String>,
    pub access: Option<String>,
    pub auth: Option<String>,
    pub kms_key_arn: Option<String>,
    pub bucket_account_id: Option<String>,
    pub requester_pays: Option<bool>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<SecretString>,
    pub endpoint: Option<String>,
    pub role_arn: Option<String>,
}

impl Typed {
    /// The changes, without the fields that have been refused already.
    pub fn changes(&self, refused: &[FieldError]) -> DraftChanges {
        let is_refused = |field: &str| refused.iter().any(|error| error.field == field);
        let text = |field: &str, value: &Option<String>| match value {
            Some(_) if is_refused(field) => Change::Keep,
            None => Change::Keep,
            Some(text) if text.trim().is_empty() => Change::Clear,
            // Spaces can belong to a prefix; around anything else they come from copying.
            Some(text) if field == "prefix" => Change::Set(text.clone()),
            Some(text) => Change::Set(text.trim().to_owned()),
        };
        DraftChanges {
            display_name: text("display_name", &self.display_name),
            bucket: text("bucket", &self.bucket),
            prefix: text("prefix", &self.prefix),
            access: text("access", &self.access),
            auth: text("auth", &self.auth),
            role_arn: text("role_arn", &self.role_arn),
            region: text("region", &self.region),
            kms_key_arn: text("kms_key_arn", &self.kms_key_arn),
            bucket_account_id: text("bucket_account_id", &self.bucket_account_id),
            requester_pays: self.requester_pays.map_or(Change::Keep, Change::Set),
            access_key_id: text("access_key_id", &self.access_key_id),
            // Never shown, so that an empty field means that nothing was typed.
            secret_access_key: match &self.secret_access_key {
                Some(secret)
                    if !secret.expose_secret().is_empty() && !is_refused("secret_access_key") =>
                {
                    Change::Set(secret.clone())
                }
                _ => Change::Keep,
            },
            endpoint: text("endpoint", &self.endpoint),
        }
    }

    /// Saves what is valid, and says what is not.
    pub async fn save(
        &self,
        setups: &Setups,
        admin: &Admin,
        id: &SetupId,
    ) -> Result<(SetupView, Vec<FieldError>)> {
        // Each round refuses one field more, or is the last.
        const ROUNDS: usize = 12;
        let mut refused: Vec<FieldError> = Vec::new();
        for _ in 0..ROUNDS {
            match setups.change(admin, id, self.changes(&refused)).await {
                Ok(view) => return Ok((view, refused)),
                Err(error) if error.kind == Kind::Unprocessable && !error.fields.is_empty() => {
                    let before = refused.len();
                    for field in &error.fields {
                        if !refused.iter().any(|known| known.field == field.field) {
                            refused.push(field.clone());
                        }
                    }
                    // What is wrong is a field of another step, which this one does not go with.
                    if refused.len() == before {
                        return Ok((setups.get(admin, id).await?, refused));
                    }
                }
                // The same form, saved twice at the same moment: the later one goes on.
                Err(error) if error.code == "changed_meanwhile" => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::bug("a form could not be saved in any part"))
    }
}

/// A field with what was typed, and what is wrong with it.
#[derive(Debug, Default, Clone)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

/// All fields, as a page shows them.
#[derive(Debug, Default, Clone)]
pub struct Fields {
    pub display_name: Field,
    pub bucket: Field,
    pub prefix: Field,
    pub kms_key_arn: Field,
    pub region: Field,
    pub bucket_account_id: Field,
    pub access_key_id: Field,
    pub endpoint: Field,
    pub role_arn: Field,
    /// Its value is never there.
    pub secret_access_key: Field,
    pub has_secret: bool,
    pub writes: bool,
    pub requester_pays: bool,
    pub by_key: bool,
    /// What is wrong with fields that this page does not have.
    pub elsewhere: Vec<String>,
}

impl Fields {
    pub fn of(draft: &Draft) -> Self {
        let text = |value: Option<String>| Field {
            value: value.unwrap_or_default(),
            error: None,
        };
        Self {
            display_name: text(draft.display_name.as_ref().map(ToString::to_string)),
            bucket: text(draft.bucket.as_ref().map(ToString::to_string)),
            prefix: text(Some(draft.prefix.to_string())),
            kms_key_arn: text(draft.kms_key.as_ref().map(ToString::to_string)),
            bucket_account_id: text(draft.bucket_account.as_ref().map(ToString::to_string)),
            region: text(draft.region.map(|region| region.to_string())),
            access_key_id: text(
                draft
                    .access_key_id
                    .as_ref()
                    .map(|id| id.as_str().to_owned()),
            ),
            endpoint: text(draft.endpoint.as_ref().map(ToString::to_string)),
            role_arn: text(draft.role_arn.as_ref().map(ToString::to_string)),
            secret_access_key: Field::default(),
            has_secret: draft.secret.is_some(),
            writes: draft.access.writes(),
            requester_pays: draft.requester_pays,
            by_key: draft.auth == Auth::AccessKey,
            elsewhere: Vec::new(),
        }
    }

    /// With what was typed in place of what is stored.
    pub fn typed(mut self, typed: &Typed) -> Self {
        let Typed {
            step: _,
            access,
            auth,
            secret_access_key: _,
            display_name,
            bucket,
            prefix,
            kms_key_arn,
            bucket_account_id,
            requester_pays,
            region,
            access_key_id,
            endpoint,
            role_arn,
        } = typed;
        for (field, text) in [
            (&mut self.display_name, display_name),
            (&mut self.bucket, bucket),
            (&mut self.prefix, prefix),
            (&mut self.kms_key_arn, kms_key_arn),
            (&mut self.bucket_account_id, bucket_account_id),
            (&mut self.region, region),
            (&mut self.access_key_id, access_key_id),
            (&mut self.endpoint, endpoint),
            (&mut self.role_arn, role_arn),
        ] {
            if let Some(text) = text {
                field.value.clone_from(text);
            }
        }
        if let Some(access) = access {
            self.writes = access == "read_write";
        }
        if let Some(pays) = requester_pays {
            self.requester_pays = *pays;
        }
        if let Some(auth) = auth {
            self.by_key = auth == "access_key";
        }
        self
    }

    /// With each error beside its field, where `typed` has the field.
    pub fn refused(mut self, errors: &[FieldError], typed: &Typed) -> Self {
        for error in errors {
            let field = match error.field.as_str() {
                "display_name" if typed.display_name.is_some() => &mut self.display_name,
                "bucket" if typed.bucket.is_some() => &mut self.bucket,
                "prefix" if typed.prefix.is_some() => &mut self.prefix,
                "kms_key_arn" if typed.kms_key_arn.is_some() => &mut self.kms_key_arn,
                "bucket_account_id" if typed.bucket_account_id.is_some() => {
                    &mut self.bucket_account_id
                }
                "region" if typed.region.is_some() => &mut self.region,
                "access_key_id" if typed.access_key_id.is_some() => &mut self.access_key_id,
                "secret_access_key" if typed.secret_access_key.is_some() => {
                    &mut self.secret_access_key
                }
                "endpoint" if typed.endpoint.is_some() => &mut self.endpoint,
                "role_arn" if typed.role_arn.is_some() => &mut self.role_arn,
                _ => {
                    self.elsewhere.push(error.detail.clone());
                    continue;
                }
            };
            field.error = Some(error.detail.clone());
        }
        self
    }

    pub fn has_key_errors(&self) -> bool {
        let fields = [&self.access_key_id, &self.secret_access_key, &self.endpoint];
        fields.iter().any(|field| field.error.is_some())
    }

    pub fn has_more_settings(&self) -> bool {
        let filled = |field: &Field| !field.value.is_empty() || field.error.is_some();
        filled(&self.region) || filled(&self.bucket_account_id) || self.requester_pays
    }
}
