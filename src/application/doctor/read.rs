//! Documents that were read from a customer's account.

use crate::domain::doctor::Pasted;

#[derive(Debug, Default)]
pub struct ReadDocuments {
    pub documents: Vec<Pasted>,
    /// The name of each document, in the same order.
    pub names: Vec<String>,
    pub role_arn: Option<String>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}
