//! What is told of one storage's health and not of each in a list.

use crate::application::kept::store::ProjectsOfStorage;
use crate::domain::ids::CheckId;

/// What a storage's health means for the workspace, and what led to it.
#[derive(Debug, Clone, Default)]
pub struct HealthDetail {
    /// The projects that use the storage, while it is degraded, broken or in quarantine.
    pub affected: Option<ProjectsOfStorage>,
    /// For admins, while the storage is not healthy.
    pub change: Option<WhatChanged>,
}

/// What the checks of the present bad spell found otherwise than the last good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatChanged {
    pub last_good: Option<CheckId>,
    pub first_bad: Option<CheckId>,
    /// In sentences, the earliest first.
    pub text: Vec<String>,
}
