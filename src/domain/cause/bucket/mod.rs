//! Causes at the bucket, its store and its endpoint.

pub mod access_key_temporary;
pub mod access_key_unknown;
pub mod account_disabled;
pub mod bucket_not_found;
pub mod bucket_owned_by_another_account;
pub mod bucket_region_changed;
pub mod bucket_region_unknown;
pub mod credentials_lost;
pub mod endpoint_dns;
pub mod endpoint_not_allowed;
pub mod endpoint_not_s3;
pub mod endpoint_redirects;
pub mod endpoint_refused;
pub mod endpoint_tls;
pub mod location_not_permitted;
pub mod location_not_supported;
pub mod operation_not_supported;
pub mod region_differs;
pub mod requester_pays;
pub mod secret_wrong;
pub mod session_expired;
pub mod session_not_accepted;
pub mod session_not_known_in_region;
pub mod signature_missing;
pub mod signature_rejected;
pub mod store_full;
