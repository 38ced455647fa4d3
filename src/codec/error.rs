//! Why bytes could not be read or written.

/// A payload that no server would have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not a single byte.
    #[error("the payload is empty")]
    Empty,
    /// Not JSON.
    #[error("the payload is not valid JSON")]
    Json,
    /// Cut short, followed by more bytes, or with a byte that means nothing.
    #[error("the payload is not valid MessagePack")]
    MessagePack,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("the payload is nested too deeply")]
    Depth,
    /// Valid, but not a message: no object, `args` that are no array, a MessagePack extension.
    #[error("the payload is not a message of a store")]
    Type,
    /// Longer, as text, than a string of JavaScript may be.
    #[error("the payload is too long")]
    TooLong,
}

impl Malformed {
    /// A short, stable name, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Depth => "depth",
            Self::Type => "type",
            Self::TooLong => "length",
        }
    }
}

/// A message that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The text handed in is not JSON.
    #[error("the message is not valid JSON")]
    Json,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("the message is nested too deeply")]
    Depth,
    /// Longer than MessagePack can say (4 GiB).
    #[error("the message is too long")]
    TooLong,
}
