//! Identifiers: opaque strings with a prefix that names their type.

use crate::domain::invalid::{Invalid, shown};
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// What every identifier of this type starts with.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier; later ones sort after earlier ones (UUID version 7).
            pub fn generate() -> Self {
                Self(format!("{}{}", Self::PREFIX, Uuid::now_v7().simple()))
            }

            /// Parses the canonical form only: the prefix and 32 lower-case hexadecimal digits.
            pub fn parse(value: &str) -> Result<Self, Invalid> {
                let well_formed = value.strip_prefix(Self::PREFIX).is_some_and(|digits| {
                    digits.len() == 32
                        && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                });
                if well_formed {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(Invalid::new(
                        "invalid_id",
                        format!(
                            "`{}` is not an identifier of this kind: it starts with `{}` and has 32 hexadecimal digits.",
                            shown(value), Self::PREFIX
                        ),
                    ))
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A workspace: one tenant.
    WorkspaceId, "wrk_");
id!(/// A setup: an open dialog that owns one external ID.
    SetupId, "set_");
id!(/// An external object storage.
    StorageId, "sto_");
id!(/// One run of the connection check.
    CheckId, "chk_");
id!(/// A project: a named set of files.
    ProjectId, "prj_");
id!(/// An API token (its public handle, not the secret).
    TokenId, "tok_");
id!(/// A key of the product's (its public handle, not the secret).
    KeyId, "key_");
id!(/// One entry of the audit log.
    AuditId, "aud_");
id!(/// Somebody's session on the pages.
    SessionId, "ses_");
id!(/// A sign-in link (its public handle, not the secret).
    SignInLinkId, "sil_");
id!(/// A link for the customer's AWS administrator.
    InstructionLinkId, "inl_");
id!(/// An event. Its repetitions have the same.
    EventId, "evt_");
id!(/// A webhook: where events are sent.
    WebhookId, "whk_");
id!(/// One event on its way to one webhook.
    DeliveryId, "dlv_");

impl CheckId {
    /// When the check ended, to the millisecond: a UUID of version 7 says when it was made (RFC 9562,
    /// 5.7). `None` for one that was not made here.
    pub fn ended_at(&self) -> Option<OffsetDateTime> {
        let uuid = Uuid::try_parse(self.0.strip_prefix(Self::PREFIX)?).ok()?;
        let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
        let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
    }
}

/// Which storage: one of the workspace's own, or the built-in one, the product's bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StorageRef {
    BuiltIn,
    Own(StorageId),
}

impl StorageRef {
    /// How the built-in storage is written in paths and bodies.
    pub const BUILT_IN: &'static str = "built-in";

    pub fn parse(value: &str) -> Result<Self, Invalid> {
        if value == Self::BUILT_IN {
            Ok(Self::BuiltIn)
        } else {
            StorageId::parse(value).map(Self::Own)
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::BuiltIn => Self::BUILT_IN,
            Self::Own(id) => id.as_str(),
        }
    }

    /// The ID of a workspace's own storage; `None` for the built-in one, which has no record.
    pub fn own(&self) -> Option<&StorageId> {
        match self {
            Self::BuiltIn => None,
            Self::Own(id) => Some(id),
        }
    }
}

impl fmt::Display for StorageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str(Self::BUILT_IN),
            Self::Own(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_id_parses_back_and_a_foreign_prefix_does_not() {
        let id = StorageId::generate();
        assert_eq!(StorageId::parse(id.as_str()), Ok(id.clone()));
        assert!(SetupId::parse(id.as_str()).is_err());
        assert!(StorageId::parse("sto_0199A").is_err());
        assert!(StorageId::parse(&id.as_str().to_uppercase()).is_err());
    }

    #[test]
    fn a_check_s_identifier_says_when_it_ended() {
        let before = OffsetDateTime::now_utc() - time::Duration::milliseconds(1);
        let ended = CheckId::generate().ended_at().unwrap();
        assert!(
            before <= ended && ended <= OffsetDateTime::now_utc(),
            "{ended}"
        );
        let other = CheckId::parse("chk_00000000000000000000000000000000").unwrap();
        assert_eq!(other.ended_at(), None);
    }

    #[test]
    fn the_built_in_storage_has_a_name_of_its_own() {
        assert_eq!(StorageRef::parse("built-in"), Ok(StorageRef::BuiltIn));
        assert!(StorageRef::parse("Built-In").is_err());
    }
}
