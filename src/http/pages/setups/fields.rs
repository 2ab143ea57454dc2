//! The forms of a connection: what was typed is kept as it is, while whatever is valid is saved.

use crate::application::connections::change::Change;
use crate::application::connections::input::ConnectionInput;
use crate::application::connections::view::ConnectionView;
use crate::application::error::{Error, FieldError, Result};
use crate::domain::connection::access::{Access, Auth};
use crate::domain::connection::bucket_prefix::BucketPrefix;
use crate::domain::connection::pasted;
use crate::domain::connection::region::Region;
use crate::domain::names::Name;
use crate::domain::policy_document::LifecycleFolders;
use crate::domain::setup::Draft;
use serde::de::{IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A form of the dialog, or of a storage's settings. A field that is not in the form is left alone; an
/// empty one is cleared.
#[derive(Default)]
pub struct ConnectionForm {
    /// The step of the dialog that the form belongs to.
    pub step: Option<String>,
    /// How AWS is set up, to come back to the page of it.
    pub way: Option<String>,
    /// Present where the form does not lead on to the next step.
    pub stay: Option<String>,
    /// The other fields, as they were sent.
    pub typed: ConnectionInput,
}

impl ConnectionForm {
    /// What the person meant.
    pub fn input(&self) -> ConnectionInput {
        self.typed.clone().meant()
    }
}

/// Everything but the first fields is read as a [`ConnectionInput`]. `serde(flatten)` does not serve here: it does
/// not go with `deny_unknown_fields`.
impl<'de> Deserialize<'de> for ConnectionForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct FormVisitor;

        impl<'de> Visitor<'de> for FormVisitor {
            type Value = ConnectionForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a form")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                fields: A,
            ) -> std::result::Result<ConnectionForm, A::Error> {
                let mut form = ConnectionForm::default();
                let others = OtherFields {
                    fields,
                    form: &mut form,
                };
                let deserializer = serde::de::value::MapAccessDeserializer::new(others);
                form.typed = ConnectionInput::deserialize(deserializer)?;
                Ok(form)
            }
        }

        deserializer.deserialize_map(FormVisitor)
    }
}

/// The fields of a form, with those of the dialog itself taken out on the way.
struct OtherFields<'s, A> {
    fields: A,
    form: &'s mut ConnectionForm,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OtherFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> std::result::Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.fields.next_key::<String>()? {
            let own = match name.as_str() {
                "step" => &mut self.form.step,
                "way" => &mut self.form.way,
                "stay" => &mut self.form.stay,
                _ => return seed.deserialize(name.into_deserializer()).map(Some),
            };
            *own = Some(self.fields.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> std::result::Result<V::Value, A::Error> {
        self.fields.next_value_seed(seed)
    }
}

/// A field with what was typed, and what is wrong with it.
#[derive(Debug, Default, Clone)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
    /// What was read from an address that was pasted, in words: the value is from it, and the page's script takes
    /// it into the field.
    pub read: Option<String>,
}

/// The fields of a connection, as a form shows them, by their names in [`ConnectionInput`].
#[derive(Debug, Default, Clone)]
pub struct ConnectionFields {
    pub fields: BTreeMap<String, Field>,
    /// Whether a secret access key is stored. Its value is never here.
    pub has_secret: bool,
    /// What is wrong with fields that this page does not have.
    pub elsewhere: Vec<String>,
    /// Below the prefix, the folders that the lifecycle rules empty.
    pub lifecycle_folders: LifecycleFolders,
}

impl ConnectionFields {
    /// Where the operator named other folders.
    pub fn with_lifecycle_folders(self, folders: &LifecycleFolders) -> Self {
        Self {
            lifecycle_folders: folders.clone(),
            ..self
        }
    }

    /// What is stored.
    pub fn of(draft: &Draft) -> Result<Self> {
        let view = serde_json::to_value(ConnectionView::from(draft)).map_err(Error::bug)?;
        let mut fields = Self {
            has_secret: draft.sign_in.access_key.secret.is_some(),
            ..Self::default()
        };
        for (name, value) in view.as_object().into_iter().flatten() {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            fields.set(name, text);
        }
        let name = draft.display_name.as_ref().map(Name::to_string);
        fields.set("display_name", name.unwrap_or_default());
        let bucket = draft.bucket.as_ref().map(ToString::to_string);
        fields.set("bucket", bucket.unwrap_or_default());
        let customer = draft.sign_in.customer.as_ref();
        let customer = customer.map(|customer| customer.id.to_string());
        fields.set("customer_account_id", customer.unwrap_or_default());
        fields.set("role_path", draft.sign_in.role_path.to_string());
        fields.set("auth", draft.sign_in.by.as_str().to_owned());
        Ok(fields)
    }

    fn set(&mut self, name: &str, value: String) {
        self.fields.entry(name.to_owned()).or_default().value = value;
    }

    /// With what was typed in place of what is stored, and each error beside its field, where the form
    /// has the field.
    pub fn typed(mut self, typed: &ConnectionInput, errors: &[FieldError]) -> Self {
        let sent = typed.texts();
        let address = self.address_in(typed, errors);
        for (name, text) in &sent {
            if let Some(text) = text {
                self.set(name, text.clone());
            }
        }
        for error in errors {
            if sent.iter().any(|(name, _)| *name == error.field) {
                let field = self.fields.entry(error.field.clone()).or_default();
                field.error = Some(error.detail.clone());
            } else {
                self.elsewhere.push(error.detail.clone());
            }
        }
        for (name, read) in address {
            self.fields.insert(name.to_owned(), read);
        }
        self
    }

    /// The fields that an address in the bucket's field has filled, as they are stored. Empty where what was
    /// typed is no address, or cannot be used.
    fn address_in(
        &self,
        typed: &ConnectionInput,
        errors: &[FieldError],
    ) -> Vec<(&'static str, Field)> {
        let Change::Set(text) = &typed.bucket else {
            return Vec::new();
        };
        let Some(Ok(pasted)) = pasted::bucket(text) else {
            return Vec::new();
        };
        let is_refused = |name: &str| errors.iter().any(|error| error.field == name);
        let is_stored = |name: &str, read: &str| self.is(name, read) && !is_refused(name);
        if !is_stored("bucket", pasted.bucket.as_str()) {
            return Vec::new();
        }
        let prefix = pasted.prefix.as_ref().map(BucketPrefix::as_str);
        let prefix = prefix.filter(|prefix| is_stored("prefix", prefix));
        let region = pasted.region.as_ref().map(Region::as_str);
        let region = region.filter(|region| is_stored("region", region));
        let mut words = format!("From the address: bucket `{}`", pasted.bucket);
        for (what, value) in [("prefix", prefix), ("Region", region)] {
            if let Some(value) = value {
                words.push_str(&format!(", {what} `{value}`"));
            }
        }
        words.push('.');
        let part = |value: &str, words: &str| Field {
            value: value.to_owned(),
            error: None,
            read: Some(words.to_owned()),
        };
        let mut filled = vec![("bucket", part(pasted.bucket.as_str(), &words))];
        filled.extend(prefix.map(|prefix| ("prefix", part(prefix, "From the address."))));
        filled.extend(region.map(|region| ("region", part(region, "From the address."))));
        filled
    }

    /// The field of this name; an empty one where there is none.
    pub fn field(&self, name: &str) -> Field {
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// Whether the field has this value.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.fields
            .get(name)
            .is_some_and(|field| field.value == value)
    }

    /// Whether any of these fields has an error, or a value other than an empty one or `false`.
    pub fn any_used(&self, names: &[&str]) -> bool {
        let used =
            |field: &Field| !matches!(field.value.as_str(), "" | "false") || field.error.is_some();
        names
            .iter()
            .any(|name| self.fields.get(*name).is_some_and(used))
    }

    /// Whether any of these fields has an error.
    pub fn any_wrong(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.fields.get(*name).is_some_and(|f| f.error.is_some()))
    }

    /// Whether anything is said of where the documents make the user, or is wrong with it.
    pub fn has_place(&self) -> bool {
        let is_default = matches!(self.field("role_path").value.as_str(), "" | "/");
        !is_default
            || self.any_used(&["permissions_boundary_arn"])
            || self.any_wrong(&["role_path"])
    }

    pub fn by_key(&self) -> bool {
        self.is("auth", Auth::AccessKey.as_str())
    }

    pub fn writes(&self) -> bool {
        self.is("access", Access::ReadWrite.as_str())
    }

    /// What the lifecycle rules do, with the folders that they empty in full.
    pub fn lifecycle_words(&self) -> String {
        let prefix = self.field("prefix").value;
        let prefix = BucketPrefix::parse(&prefix).unwrap_or_default();
        let at = match prefix.as_str().is_empty() {
            true => " at the top of the bucket",
            false => "",
        };
        let [temp, export] = self.lifecycle_folders.both();
        format!(
            "With access to write, S3 deletes everything below `{prefix}{temp}` and `{prefix}{export}`{at} 7 days after it was written, old versions included. Files of your own there would be deleted as well."
        )
    }

    /// The places beside the fields where their errors stand, as a list of CSS selectors. htmx passes over
    /// those that the page does not have.
    pub fn slots(&self) -> String {
        let slots: Vec<String> = ConnectionInput::FIELDS
            .iter()
            .map(|name| format!("#{name}-slot"))
            .collect();
        slots.join(",")
    }
}

#[cfg(test)]
impl ConnectionFields {
    /// Fields with these values and errors, for samples.
    pub fn sample(fields: &[(&str, &str, Option<&str>)]) -> Self {
        let mut sample = Self::default();
        for (name, value, error) in fields {
            let field = Field {
                value: (*value).to_owned(),
                error: error.map(str::to_owned),
                read: None,
            };
            sample.fields.insert((*name).to_owned(), field);
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Invalid;
    use crate::domain::connection::bucket_name::BucketName;

    fn form(text: &str) -> ConnectionForm {
        crate::http::query::parse(text).unwrap()
    }

    #[test]
    fn an_empty_field_is_cleared_and_an_absent_one_is_left_alone() {
        let form = form("step=bucket&bucket=+acme+&prefix=+a&region=&secret_access_key=");
        assert_eq!(form.step.as_deref(), Some("bucket"));
        let input = form.input();
        assert_eq!(input.bucket, Change::Set("acme".to_owned()));
        assert_eq!(input.prefix, Change::Set(" a".to_owned()));
        assert_eq!(input.region, Change::Clear);
        assert!(input.role_arn.is_keep());
        assert!(matches!(input.secret_access_key, Change::Keep));
    }

    #[test]
    fn an_unknown_field_and_a_wrong_value_are_refused_by_name() {
        for (text, code, field) in [
            ("bucket=a&bukket=b", "unknown_field", "bukket"),
            ("bucket=a&bucket=b", "duplicate_field", "bucket"),
        ] {
            let error = crate::http::query::parse::<ConnectionForm>(text)
                .err()
                .unwrap();
            let refused = error.fields[0].field.as_str();
            assert_eq!((error.code, refused), (code, field), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_what_was_read_from_it() {
        let stored = || {
            let mut draft = Draft {
                bucket: BucketName::parse("acme-data").ok(),
                ..Draft::default()
            };
            draft.settings.prefix = BucketPrefix::parse("team").unwrap();
            draft.settings.region = Region::parse("eu-west-1").ok();
            ConnectionFields::of(&draft).unwrap()
        };
        let console = "https://eu-west-1.console.aws.amazon.com/s3/buckets/acme-data?region=eu-west-1&prefix=team/";
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("bucket", console);
        query.append_pair("prefix", "");
        let fields = stored().typed(&form(&query.finish()).typed, &[]);
        let bucket = fields.field("bucket");
        assert_eq!(bucket.value, "acme-data");
        assert_eq!(
            bucket.read.as_deref(),
            Some("From the address: bucket `acme-data`, prefix `team/`, Region `eu-west-1`.")
        );
        for (name, value) in [("prefix", "team/"), ("region", "eu-west-1")] {
            let field = fields.field(name);
            assert_eq!(field.value, value);
            assert_eq!(field.read.as_deref(), Some("From the address."));
        }
        // What was entered beside the address is kept, and what cannot be used is shown as it was typed.
        let fields = stored().typed(&form("bucket=s3://acme-data/other/&prefix=team").typed, &[]);
        assert_eq!(
            fields.field("bucket").read.as_deref(),
            Some("From the address: bucket `acme-data`.")
        );
        assert_eq!(fields.field("prefix").value, "team");
        let refused = [FieldError::new(
            "bucket",
            Invalid::new("wrong", "It is wrong."),
        )];
        let fields = stored().typed(&form("bucket=s3://acme-data").typed, &refused);
        assert_eq!(fields.field("bucket").value, "s3://acme-data");
        assert_eq!(fields.field("bucket").read, None);
        assert_eq!(
            stored()
                .typed(&form("bucket=acme-data").typed, &[])
                .field("bucket")
                .read,
            None
        );
    }

    #[test]
    fn what_was_typed_is_shown_and_errors_stand_beside_their_fields() {
        let typed = form("bucket=+Acme&access=read&secret_access_key=hunter2").typed;
        let errors = ["bucket", "kms_key_arn"].map(|field| {
            FieldError::new(field, Invalid::new("wrong", format!("{field} is wrong.")))
        });
        let fields = ConnectionFields::of(&Draft::default()).unwrap();
        let fields = fields.typed(&typed, &errors);
        let bucket = fields.field("bucket");
        assert_eq!(bucket.value, " Acme");
        assert_eq!(bucket.error.as_deref(), Some("bucket is wrong."));
        assert!(fields.is("access", "read") && !fields.writes());
        assert_eq!(fields.field("secret_access_key").value, "");
        assert_eq!(fields.elsewhere, ["kms_key_arn is wrong."]);
    }
}
