//! Keys of the product: one secret for all of its workspaces.

use crate::domain::ids::KeyId;
use crate::domain::names::Name;
use crate::domain::people::scope::Scopes;
use time::OffsetDateTime;

/// A key of the product's, as kept: the secret itself is only in its holder's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductKey {
    pub id: KeyId,
    pub name: Name,
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    /// `None`: until it is deleted.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within ten minutes. `None`: never.
    pub last_used_at: Option<OffsetDateTime>,
}
