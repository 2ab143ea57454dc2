//! What ends an upload, and what does not.

use crate::aws::files::spool::Spools;
use std::time::Duration;

/// How uploads are made.
pub(crate) struct Uploads {
    pub spools: Spools,
    pub pace: Pace,
}

/// What ends an upload, and what does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long the store may take nothing of a body, and how long it may think after its end.
    pub stall: Duration,
    /// How long to wait before a part is sent again, each time.
    pub pauses: [Duration; 4],
    /// How fast a body of unknown length must come, in bytes a second, on average over a part: it has
    /// room reserved.
    pub least_rate: u64,
    /// How much longer than that a part may take.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(60),
            pauses: [200, 1_000, 5_000, 15_000].map(Duration::from_millis),
            least_rate: 16 << 10,
            grace: Duration::from_secs(30),
        }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            spools: Spools::in_folder(std::env::temp_dir().join("sallyport-spool")),
            pace: Pace::default(),
        }
    }
}
