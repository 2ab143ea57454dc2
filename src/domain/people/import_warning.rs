//! What an import finds that the operator has to look at.

/// What the operator has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportWarning {
    /// The customers' roles trust another principal than this service is.
    PrincipalDiffers { theirs: String, ours: String },
    /// One of the services did not know who it is.
    PrincipalUnknown,
    /// Projects have files in the built-in storage, which has another bucket here.
    BuiltInStorage { projects: u64 },
    /// The workspace was suspended, and is.
    Suspended,
}

impl ImportWarning {
    /// The codes of all warnings.
    pub const CODES: [&'static str; 4] = [
        "service_principal_differs",
        "service_principal_unknown",
        "built_in_storage_differs",
        "workspace_is_suspended",
    ];

    /// Stable: part of the API.
    pub fn code(&self) -> &'static str {
        let [differs, unknown, built_in, suspended] = Self::CODES;
        match self {
            Self::PrincipalDiffers { .. } => differs,
            Self::PrincipalUnknown => unknown,
            Self::BuiltInStorage { .. } => built_in,
            Self::Suspended => suspended,
        }
    }
}
