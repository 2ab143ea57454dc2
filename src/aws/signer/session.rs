//! What a session signs with, and what it remembers of that.

use crate::application::bucket::sign::{OwnParts, SignedCall};
use crate::aws::signer::key::SigningKeys;
use crate::aws::signer::place::Place;
use crate::aws::signer::run::{OwnUrls, Run, Terms};
use crate::aws::signer::shape::{Item, Shape};
use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresignedRequest;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many shapes are remembered. There are fewer than that for one bucket.
const MOST_SHAPES: usize = 64;

/// Signs with the credentials of one session.
pub(crate) struct SessionSigner {
    keys: SigningKeys,
    /// The shapes for which URLs were the same as the SDK's, and where those led.
    proved: Mutex<Vec<(Shape, Arc<Place>)>>,
}

impl SessionSigner {
    pub fn new(credentials: Credentials) -> Self {
        Self {
            keys: SigningKeys::new(credentials),
            proved: Mutex::default(),
        }
    }

    /// Whether it signs with these credentials.
    pub fn signs_with(&self, credentials: &Credentials) -> bool {
        self.keys.are_of(credentials)
    }

    /// The URLs of a call whose every [shape](super::shapes_of) was proved at this place.
    pub fn urls(&self, place: &Place, call: SignedCall, terms: &Terms<'_>) -> OwnUrls {
        OwnUrls::new(&self.keys, place, call, terms)
    }

    /// Where URLs of this shape lead, where they are known to be the same as the SDK's.
    pub fn proved(&self, shape: Shape, bucket: &str) -> Option<Arc<Place>> {
        let proved = lock(&self.proved);
        let found = proved
            .iter()
            .find(|(known, place)| *known == shape && place.bucket == bucket);
        found.map(|(_, place)| place.clone())
    }

    /// Compares a URL that the SDK has signed, for one place of the call, with the own one. `None`: they are
    /// not the same, and the own signer must not be used.
    pub fn prove(
        &self,
        shape: Shape,
        signed: &PresignedRequest,
        (call, at): (&SignedCall, usize),
        terms: &Terms<'_>,
    ) -> Option<Arc<Place>> {
        let proved = self.compare(signed, (call, at), terms);
        let mut known = lock(&self.proved);
        known.retain(|(other, _)| *other != shape);
        if let Some(place) = &proved
            && known.len() < MOST_SHAPES
        {
            known.push((shape, place.clone()));
        }
        proved
    }

    fn compare(
        &self,
        signed: &PresignedRequest,
        (call, at): (&SignedCall, usize),
        terms: &Terms<'_>,
    ) -> Option<Arc<Place>> {
        let mut theirs: Vec<(String, &str)> = signed
            .headers()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        theirs.sort_unstable();
        let ours = terms.headers.iter();
        if !ours
            .map(|(name, value)| (*name, value.as_str()))
            .eq(theirs.iter().map(|(name, value)| (name.as_str(), *value)))
        {
            return None;
        }
        let item = Item::of(call, at)?;
        let place = Place::read(signed.uri(), terms.bucket, item.key)?;
        let mut run = Run::new(&self.keys, &place, call, None, "", terms);
        let mut parts = OwnParts::default();
        run.make(&item, &mut parts);
        let common = run.common();
        let pieces = [
            common.base.as_str(),
            parts.key.as_str(),
            "?",
            parts.own.as_str(),
            common.query.as_str(),
            parts.signature.as_str(),
            common.end.as_str(),
        ];
        (pieces.concat() == signed.uri()).then(|| Arc::new(place))
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept is whole at any time.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
