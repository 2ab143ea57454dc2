//! The signer of URLs.
//!
//! The SDK signs a URL as if it were a call: it resolves the endpoint and runs its whole pipeline, and
//! derives the day's key anew. In a call with many keys all of that is the same but for the key. Here the
//! parts that do not change are made once, and each URL takes a hash of its canonical request and an HMAC.
//!
//! The SDK stays the measure. A URL of each shape that a call has (its method, the names of its signed
//! headers and of its query) is signed by both, and only where they are the same byte for byte the other
//! URLs are signed here. Otherwise the SDK signs them all. A session remembers which shapes were the same, so
//! that a call with few keys need not ask the SDK again; one with many always does.
//!
//! How a URL is signed: S3 API reference, "Authenticating Requests: Using Query Parameters (AWS Signature
//! Version 4)".

mod encode;
mod key;
mod place;
mod run;
mod session;
mod shape;
mod whole;

pub(crate) use place::Place;
pub(crate) use run::Terms;
pub(crate) use session::SessionSigner;
pub(crate) use shape::{method_of, shapes_of};
pub(crate) use whole::WholeUrls;
