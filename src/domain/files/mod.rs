//! Files: their keys, and what can be done with them.

pub mod canned_acl;
pub mod file_key;
pub mod file_operation;
pub mod object_key;
pub mod part_plan;
pub mod storage_class;
pub mod version;
