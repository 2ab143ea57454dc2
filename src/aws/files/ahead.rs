//! What goes on at the same time for one large object: pieces that are read ahead, and parts that are sent
//! while the next one comes. All of it is held in memory, so it is taken from the budget, and only where that
//! has room at once.

use crate::application::budget::{ByteBudget, Reserved};
use crate::domain::connection::ConnectedBucket;
use crate::domain::files::part_plan::MIB;
use std::sync::Arc;

/// With fewer places, parts are passed on as they come: that is as fast, and takes no memory.
pub(crate) const LEAST_PARTS: usize = 2;

/// How much goes on at the same time for one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AheadSizes {
    /// An object up to so many bytes comes by one call. Of a larger one the first bytes do.
    pub first: u64,
    /// The size of a piece that is read ahead, in bytes.
    pub piece: u64,
    /// How many pieces one read has ahead.
    pub pieces: usize,
    /// How much of the time, in hundredths, must be spent waiting for the store before a read goes ahead: it
    /// does not help a reader that is slower.
    pub least_waiting: u32,
    /// The size of a part that is sent from memory, in bytes: S3 takes 5 MiB at least.
    pub part: u64,
    /// How many parts of one upload are in memory.
    pub parts: usize,
}

impl Default for AheadSizes {
    fn default() -> Self {
        Self {
            first: 32 * MIB,
            piece: 4 * MIB,
            pieces: 3,
            least_waiting: 50,
            part: 8 * MIB,
            parts: 3,
        }
    }
}

/// The memory that it is taken from.
pub(crate) struct Ahead {
    pub memory: Arc<ByteBudget>,
    pub sizes: AheadSizes,
}

impl Ahead {
    /// Whether the bucket's store does what Amazon's documentation says of ranges and parts. Others are asked
    /// for each object as a whole, and get parts of the usual size one after the other. What the operator leads all
    /// calls to S3 to, as an emulator, counts as Amazon S3.
    pub fn is_fit_for(bucket: &ConnectedBucket) -> bool {
        bucket.connection.endpoint().is_none()
    }

    /// Whether an upload that has more places than [`LEAST_PARTS`] gives one back: others want to go ahead too, or a
    /// request waits.
    pub fn must_give_back(&self, workspace: &str) -> bool {
        self.memory.must_give_back(workspace)
    }

    /// Room for each part of an upload, if there is some now for more than one.
    pub fn room_for_parts(&self, workspace: &str) -> Option<Vec<Reserved>> {
        let rooms: Vec<Reserved> = (0..self.sizes.parts)
            .map_while(|_| self.memory.try_take_ahead(workspace, self.sizes.part))
            .collect();
        (rooms.len() >= LEAST_PARTS).then_some(rooms)
    }
}
