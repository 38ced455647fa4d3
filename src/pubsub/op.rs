//! The commands that change subscriptions.

use std::sync::Arc;

/// What a subscription names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One channel: `SUBSCRIBE`.
    Channel,
    /// All channels that match: `PSUBSCRIBE`.
    Pattern,
    /// One channel of the shard that owns its slot: `SSUBSCRIBE`.
    Sharded,
}

/// A command that Redis confirms with the channel's or pattern's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// `SUBSCRIBE`, `PSUBSCRIBE` or `SSUBSCRIBE`, and the number of the want that it answers: a name may be left
    /// and wanted again before Redis has confirmed the first time.
    Subscribe(Kind, Arc<str>, u64),
    /// `UNSUBSCRIBE`, `PUNSUBSCRIBE` or `SUNSUBSCRIBE`, with the caller's ticket.
    Unsubscribe(Kind, Arc<str>, Option<u32>),
}

impl Op {
    /// Its command.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Subscribe(Kind::Channel, ..) => "SUBSCRIBE",
            Self::Subscribe(Kind::Pattern, ..) => "PSUBSCRIBE",
            Self::Subscribe(Kind::Sharded, ..) => "SSUBSCRIBE",
            Self::Unsubscribe(Kind::Channel, ..) => "UNSUBSCRIBE",
            Self::Unsubscribe(Kind::Pattern, ..) => "PUNSUBSCRIBE",
            Self::Unsubscribe(Kind::Sharded, ..) => "SUNSUBSCRIBE",
        }
    }

    /// The channel or pattern that it names.
    pub const fn name(&self) -> &Arc<str> {
        let (Self::Subscribe(_, name, _) | Self::Unsubscribe(_, name, _)) = self;
        name
    }
}
