//! What a full mailbox has dropped.

use std::time::SystemTime;

/// Messages that a full mailbox has dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// None of them arrived before.
    pub since: SystemTime,
    /// None of them arrived after.
    pub until: SystemTime,
}

impl Dropped {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            since: self.since.min(other.since),
            until: self.until.max(other.until),
        }
    }
}
